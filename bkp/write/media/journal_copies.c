/* journal_copies: see journal_copies.h.
 *
 * Anybody who can write to a medium can append bytes to its copy of the journal or of the keys, so more bytes prove
 * nothing.  "Ahead" is only a copy that is signed to its end by keys that follow from our root key, and is longer than
 * ours (is_ahead(), count_verified()).  Everything else that differs is a finding, which is told, recorded once, and
 * stops nobody. */
#include "write/media/journal_copies.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "write/media/period_copies.h"
#include "write/media/replaced.h"
#include "write/media/rollback.h"
#include "write/put/store_w.h"
#include "write/state/history.h"
#include "write/state/state.h"

#define SHOW 128

_Static_assert(sizeof(((struct journal_copies_mark *)0)->sha256) == DIGEST_HEX, "a digest as text");

static int say_ahead(
    const struct medium *m, uint64_t theirs, uint64_t ours, const char *what, struct err *err)
{
	char label[SHOW];

	err_set_kind(err, ERR_AHEAD, "E-HISTORY-01",
	    text("medium '%s' knows more than this host: its %s has %ju records, all properly signed, this "
		 "host's "
		 "%ju"),
	    path_show(medium_label(m), label, sizeof(label)), what, (uintmax_t)theirs, (uintmax_t)ours);
	err_hint(err, "%s",
	    text(
		"the state folder is an old copy: bring its newest one back; if there is none, move it aside "
		"and go on from this medium with 'bkp init --continue'; nothing "
		"was "
		"changed"));
	return JOURNAL_COPIES_AHEAD;
}

/* ---- keys ---- */

struct keys {
	uint64_t common;   /* lines both have in common from the first on */
	uint64_t ours;	   /* lines */
	uint64_t verified; /* lines of theirs, each signed by the key before it */
	bool same, longer; /* longer: ours is the beginning of theirs */
	bool foreign;	   /* what stands there has content and is no beginning of ours */
};

/* How many lines of theirs are links of a chain from our root key on. */
static int count_verified(const struct state *s, const struct buf *theirs, uint64_t *ret, struct err *err)
{
	struct journal_check *c;
	const uint8_t *at = theirs->p, *end = at + theirs->n, *newline;
	struct journal_record r;

	if (journal_check_new_links(ledger_root(state_ledger(s)), state_repository(s), &c, err))
		return -1;
	for (*ret = 0; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		if (journal_check_line(c, at, (size_t)(newline - at), &r, NULL))
			break;
		journal_record_clear(&r);
		++*ret;
	}
	journal_check_free(c);
	return 0;
}

static int compare_keys(const struct state *s, const struct store *repo, struct keys *ret, struct err *err)
{
	BUF_AUTO theirs = BUF_INIT(REPOSITORY_LINKS_MAX);
	size_t n, i = 0;
	const uint8_t *ours = ledger_links(state_ledger(s), &n);
	struct keys k = {.ours = ledger_epoch(state_ledger(s)) - 1};
	int r = store_read(repo, REPOSITORY_LINKS, &theirs, NULL);

	/* what is no file, or an endless one, is replaced like any that is damaged */
	for (; !r && i < n && i < theirs.n && ours[i] == theirs.p[i]; i++)
		k.common += ours[i] == '\n';
	k.same = !r && i == n && i == theirs.n;
	k.longer = !r && i == n && theirs.n > n;
	k.foreign = r != STORE_ABSENT && (r || (theirs.n && (i < theirs.n || theirs.p[i - 1] != '\n')));
	if (!r && !k.same && i < theirs.n && count_verified(s, &theirs, &k.verified, err))
		return -1;
	*ret = k;
	return 0;
}

int journal_copies_put_keys(
    const struct state *s, const struct store *repo, struct replaced *replaced, struct err *err)
{
	char path[SHOW];
	struct keys k;
	size_t n;
	const uint8_t *ours = ledger_links(state_ledger(s), &n);

	if (period_copies_put(s, repo, replaced, err))
		return -1;
	if (compare_keys(s, repo, &k, err))
		return -1;
	if (k.same || !n)
		return 0;
	if (k.verified > k.common) {
		err_set(err, "E-PUBLISH-07",
		    text("'%s' on the medium is of another history: it names another key of epoch %ju"),
		    REPOSITORY_LINKS, (uintmax_t)k.common + 2);
		return err_hint(err, "%s",
		    text("somebody else signs with this host's keys, or the state folder is an old copy: "
			 "keep the "
			 "medium as it is, it may be the proof"));
	}
	if (store_w_replace(repo, REPOSITORY_LINKS, 0444, ours, n, err))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", state_repository(s), REPOSITORY_LINKS);
	if (k.foreign)
		replaced_add(replaced, path);
	return 0;
}

/* ---- the journal ---- */

/* The records after ours count only when the whole of theirs is signed: anybody can append bytes. */
static int is_ahead(const struct state *s, const struct medium *m, struct store_file *theirs, struct err *err)
{
	const struct ledger *ours = state_ledger(s);
	struct ledger *l = NULL;
	uint64_t seq = 0;

	if (!ledger_load_file(theirs, JOURNAL_DIR, ledger_root(ours), NULL, NULL, &l, NULL))
		seq = ledger_seq(l);
	ledger_free(l);
	return seq > ledger_seq(ours) ? say_ahead(m, seq, ledger_seq(ours), text("copy of the journal"), err)
				      : 0;
}

static void say_truncated(
    const struct medium *m, uint64_t lines, uint64_t expected, struct journal_copies_finding *ret)
{
	char label[SHOW];

	ret->found = "truncated";
	ret->line = lines + 1;
	ret->expected = expected;
	err_set(&ret->why, "W-HISTORY-02",
	    text("the copy of the journal on '%s' has %ju records, but this host had copied %ju to it"),
	    path_show(medium_label(m), label, sizeof(label)), (uintmax_t)lines, (uintmax_t)expected);
	err_hint(&ret->why, "%s",
	    text("somebody cut it, or brought an old copy of the disk: ask who had it, and run 'bkp verify'; "
		 "the "
		 "copy is brought up to date again"));
}

int journal_copies_check(
    const struct state *s, const struct medium *m, struct journal_copies_finding *ret, struct err *err)
{
	const struct ledger *l = state_ledger(s);
	const struct ledger_medium *lm = ledger_medium_by_uuid(l, medium_uuid(m));
	STORE_FILE_AUTO ours = {0};
	STORE_FILE_AUTO theirs = {0};
	struct journal_copies_finding f = {.found = "", .expected = lm ? lm->copy_seq : 0, .why = ERR_INIT};
	struct history h;
	struct keys k;
	int r;

	if (state_journal(s, &ours, err) ||
	    history_look(medium_repo(m), &ours, ledger_size(l), &theirs, &h, err) ||
	    compare_keys(s, medium_repo(m), &k, err))
		return -1;
	if (h.kind == HISTORY_LONGER && (r = is_ahead(s, m, &theirs, err)))
		return r;
	if (k.longer && k.verified > k.ours)
		return say_ahead(m, k.verified, k.ours, text("list of keys"), err);
	if (h.kind == HISTORY_LONGER || h.kind == HISTORY_FORKED) {
		f.found = "forked";
		f.line = h.lines + 1;
		history_differs(&h, &f.why);
	} else if (h.lines < f.expected && !rollback_look(l, lm, medium_repo(m), h.lines, &f.turn, &f.why)) {
		say_truncated(m, h.lines, f.expected, &f);
	} else if (h.lines < f.expected) {
		f.found = "rolled-back";
		f.line = h.lines + 1;
	}
	f.lines = h.lines;
	*ret = f;
	return 0;
}

int journal_copies_check_media(const struct state *s, const struct policy *policy, struct err *err)
{
	for (size_t i = 0; i < policy->n_media; i++) {
		const struct policy_medium *pm = &policy->media[i];
		const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), pm->name);
		const char *path = pm->path ? pm->path : lm ? lm->path : NULL;
		struct medium_expect want = {.repository = state_repository(s), .label = pm->name};
		struct journal_copies_finding f;
		struct medium *m;
		int r;

		if (!lm || !path)
			continue;
		want.uuid = lm->uuid;
		want.keys = state_keys(s, &want.n_keys);
		if (medium_open(path, &want, &m, NULL))
			continue;
		r = journal_copies_check(s, m, &f, err);
		medium_close(m);
		if (r == JOURNAL_COPIES_AHEAD)
			return r;
	}
	return 0;
}

bool journal_copies_is_ahead(const struct err *err)
{
	return err->kind == ERR_AHEAD;
}

int journal_copies_record(
    struct state *s, const struct medium *m, const struct journal_copies_finding *f, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(s), medium_uuid(m));

	if (!*f->found || (!strcmp(lm->copy_fault, f->found) && lm->copy_fault_line == f->line))
		return 0;
	return state_append(s, "history",
	    json_pack("{s:s, s:s, s:I, s:I}", "medium", medium_uuid(m), "found", f->found, "line",
		(json_int_t)f->line, "expected", (json_int_t)f->expected),
	    err);
}

bool journal_copies_is_signed(const struct state *s, const struct medium *m)
{
	STORE_FILE_AUTO theirs = {0};
	struct ledger *l = NULL;
	bool is;

	if (segments_open(medium_repo(m), &theirs, NULL))
		return false;
	is = !ledger_load_file(&theirs, JOURNAL_DIR, ledger_root(state_ledger(s)), NULL, NULL, &l, NULL) &&
	     !strcmp(ledger_repository(l), state_repository(s));
	ledger_free(l);
	return is;
}

void journal_copies_mark(const struct state *s, struct journal_copies_mark *ret)
{
	ret->seq = ledger_seq(state_ledger(s));
	digest_hex(ledger_head(state_ledger(s)), DIGEST_LEN, ret->sha256);
}

int journal_copies_copied(struct state *s, const struct journal_copies_mark *mark, const char *const *uuids,
    size_t n, struct err *err)
{
	json_t *media = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(media, json_string(uuids[i]));
	if (!n) {
		json_decref(media);
		return 0;
	}
	return state_append(s, "heads",
	    json_pack(
		"{s:I, s:s, s:o}", "upto", (json_int_t)mark->seq, "sha256", mark->sha256, "media", media),
	    err);
}
