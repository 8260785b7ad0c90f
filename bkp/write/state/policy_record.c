/* policy_record: see policy_record.h. */
#include "write/state/policy_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/policy/policy.h"
#include "format/policy/policy_diff.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define CHANGES_MAX 100 /* in a record; the texts themselves say all */
#define NAME_MAX_   80

static char *file_name(const char *sha256, char name[NAME_MAX_])
{
	snprintf(name, NAME_MAX_, "%s.yaml", sha256);
	return name;
}

int policy_record_read(int dirfd, const char *sha256, struct buf *out, struct err *err)
{
	char name[NAME_MAX_], hex[DIGEST_HEX];
	BUF_AUTO text_of = BUF_INIT(POLICY_BYTES_MAX);
	IO_FD_AUTO dir = io_open_dir(dirfd, POLICY_RECORD_DIR, err);
	uint8_t hash[DIGEST_LEN];
	int r;

	if (dir < 0)
		return errno == ENOENT ? POLICY_RECORD_ABSENT : -1;
	r = io_read_file(dir, file_name(sha256, name), &text_of, err);
	if (r)
		return r == IO_ABSENT ? POLICY_RECORD_ABSENT : -1;
	digest_sha256(text_of.p, text_of.n, hash);
	if (strcmp(digest_hex(hash, sizeof(hash), hex), sha256) != 0) {
		err_set(err, "E-RECORD-01", text("'%s/%s' is not the policy that was recorded"),
		    POLICY_RECORD_DIR, name);
		return err_hint(
		    err, "%s", text("somebody changed it, or the disk is failing; nothing is judged by it"));
	}
	return buf_append(out, text_of.p, text_of.n, err);
}

struct each {
	int dirfd;
	policy_record_fn *fn;
	void *arg;
	struct err *why;
};

static int each_name(void *arg, const char *name, struct err *err)
{
	const struct each *e = arg;
	BUF_AUTO text_of = BUF_INIT(POLICY_BYTES_MAX);
	struct err why = ERR_INIT;
	char sha256[DIGEST_HEX], again[NAME_MAX_];
	int r;

	snprintf(sha256, sizeof(sha256), "%.*s", (int)sizeof(sha256) - 1, name);
	if (strcmp(file_name(sha256, again), name) != 0)
		return 0;
	r = policy_record_read(e->dirfd, sha256, &text_of, &why);
	if (r == -1 && !e->why->code[0])
		*e->why = why;
	return r ? 0 : e->fn(e->arg, name, &text_of, err);
}

int policy_record_each(int dirfd, policy_record_fn *fn, void *arg, struct err *ret_why, struct err *err)
{
	struct each e = {dirfd, fn, arg, ret_why};
	struct err why = ERR_INIT;
	IO_FD_AUTO dir = io_open_dir(dirfd, POLICY_RECORD_DIR, &why);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0) {
		*ret_why = why;
		return 0;
	}
	return io_each_name(dir, each_name, &e, err);
}

/* One that is there already is made durable, too: the command that put it there may have died at that. */
int policy_record_keep(int dirfd, const char *sha256, const void *p, size_t n, struct err *err)
{
	BUF_AUTO there = BUF_INIT(POLICY_BYTES_MAX);
	char name[NAME_MAX_];
	IO_FD_AUTO dir = io_make_dir(dirfd, POLICY_RECORD_DIR, 0700, err);

	if (dir < 0 || io_sync_dir(dirfd, err))
		return -1;
	return policy_record_read(dirfd, sha256, &there, NULL)
		   ? io_replace(dir, file_name(sha256, name), 0600, p, n, err)
		   : io_sync_dir(dir, err);
}

/* Who has to make room may have changed the policy for it. */
static int keep_text_or_give(struct state *s, const char *sha256, const void *p, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	int r = policy_record_keep(state_dirfd(s), sha256, p, n, &why);

	if (r && err_is_full(&why)) {
		reserve_give(s);
		why = (struct err)ERR_INIT;
		r = policy_record_keep(state_dirfd(s), sha256, p, n, &why);
	}
	if (r && err)
		*err = why;
	return r;
}

/* Keys, most of them of a data set, by which less is captured, or less is looked at: what an attacker would change so that
 * runs stay quiet. */
static const struct {
	const char *key;
	enum { WHEN_LESS, WHEN_MORE, WHEN_ADDED, WHEN_REMOVED, WHEN_LOOSED, WHEN_ANOTHER } narrows;
} narrowing[] = {
    {"paths", WHEN_REMOVED}, {"exclude", WHEN_ADDED}, {"command", WHEN_ANOTHER}, {"format", WHEN_ANOTHER},
    {"cross_mounts", WHEN_LESS}, {"stderr", WHEN_MORE}, /* warn, ignore */
    {"probe", WHEN_REMOVED}, {"version", WHEN_REMOVED}, {"expect/min_bytes", WHEN_LESS},
    {"expect/min_entries", WHEN_LESS}, {"expect/shrink_alarm", WHEN_MORE}, {"expect/max_age", WHEN_MORE},
    {"expect/content", WHEN_LOOSED}, {"guard/enabled", WHEN_LESS}, {"guard/sensitivity", WHEN_LESS},
    {"canaries", WHEN_REMOVED}, {"stop_while_suspect", WHEN_LESS}, {"drill_every", WHEN_MORE},
    {"key_drill_every", WHEN_MORE}, {"parity", WHEN_LESS}, {"verify_every", WHEN_MORE},
    {"offline_rpo", WHEN_MORE},
    {"importance", WHEN_MORE}, /* C: it no longer counts for item 3-② of the checklist */
};

static bool narrows(const struct policy_diff_item *it)
{
	const char *rest = strncmp(it->key, "datasets/", 9) ? it->key : strchr(it->key + 9, '/');
	const bool added = it->kind == POLICY_DIFF_ADDED, removed = it->kind == POLICY_DIFF_REMOVED;

	if (!rest) /* a whole data set */
		return removed;
	rest += *rest == '/';
	for (size_t i = 0; i < sizeof(narrowing) / sizeof(*narrowing); i++) {
		if (strcmp(rest, narrowing[i].key) != 0)
			continue;
		switch (narrowing[i].narrows) {
		case WHEN_LESS: /* one that was not stated is none */
			return removed || (!added && it->moved < 0);
		case WHEN_MORE:
			return removed || (!added && it->moved > 0);
		case WHEN_ADDED:
			return !removed;
		case WHEN_REMOVED:
			return !added;
		case WHEN_LOOSED: /* from any to one of them is stricter, from one of them to whatever is not */
			return removed || (!added && strcmp(it->from, "any") != 0);
		case WHEN_ANOTHER:
			return true;
		}
	}
	return false;
}

static json_t *change_text(const struct policy_diff_item *it)
{
	if (it->kind != POLICY_DIFF_CHANGED || !it->plain)
		return json_sprintf("%s: %s", it->key, policy_diff_word(it->kind));
	return json_sprintf("%s: %s -> %s", it->key, it->from, it->to);
}

/* What differs from the one on record before, and what of it narrows it; NULL when that cannot be told: it is
 * no reason not to go on. */
static json_t *list_changes(
    struct state *s, const char *before, const struct policy *policy, json_t *narrower)
{
	BUF_AUTO old_text = BUF_INIT(POLICY_BYTES_MAX);
	POLICY_AUTO old = NULL;
	struct policy_diff *diff = NULL;
	json_t *list = NULL;

	if (!*before || policy_record_read(state_dirfd(s), before, &old_text, NULL) ||
	    policy_parse("", (const char *)old_text.p, old_text.n, &old, NULL, NULL) ||
	    policy_diff_new(old, policy, &diff, NULL))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < diff->n && i < CHANGES_MAX; i++)
		json_array_append_new(list, change_text(&diff->item[i]));
	for (size_t i = 0; i < diff->n && json_array_size(narrower) < CHANGES_MAX; i++)
		if (narrows(&diff->item[i]))
			json_array_append_new(narrower, change_text(&diff->item[i]));
	if (diff->n > CHANGES_MAX)
		json_array_append_new(list, json_sprintf("… %zu", diff->n - CHANGES_MAX));
	policy_diff_free(diff);
	return list;
}

int policy_record(struct state *s, const struct policy *policy, const void *p, size_t n, struct err *err)
{
	const char *before = ledger_policy_sha256(state_ledger(s));
	uint8_t hash[DIGEST_LEN];
	char hex[DIGEST_HEX];
	json_t *narrower, *list;

	digest_sha256(p, n, hash);
	digest_hex(hash, sizeof(hash), hex);
	if (keep_text_or_give(s, hex, p, n, err))
		return err_wrap(err, "%s", text("the policy cannot be recorded"));
	if (!strcmp(before, hex))
		return 0;
	narrower = json_array();
	list = list_changes(s, before, policy, narrower);
	/* the text before it is gone: nobody can say what is another now */
	if (!list && *before)
		json_array_append_new(narrower, json_string("policy: ?"));
	return reserve_append(s, "policy",
	    json_pack("{s:s, s:I, s:o*, s:o*}", "sha256", hex, "bytes", (json_int_t)n, "changes", list,
		"narrows", narrower),
	    err);
}
