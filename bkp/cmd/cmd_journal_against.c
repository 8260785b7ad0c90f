/* cmd_journal_against: bkp journal verify: is another copy of the journal the beginning of this one?  The one
 * of --against, or those of all media that are attached.
 *
 * The other copy is verified by itself first, with the same root key.  Then the bytes are compared (history_compare()), and
 * judge_copy() names the relation: same, older, newer (this journal is an old copy), forked (two histories, both signed),
 * truncated (shorter than what this journal says was copied), unrecorded (longer than that). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/cmd_journal.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/state/history.h"

#define SHOW	       256
#define PATH_MAX_BYTES 4096

struct other {
	char path[PATH_MAX_BYTES];
	bool medium;
	uint64_t expected; /* medium: records this host had copied there, as the journal itself says */
};

/* Where the policy has a medium of that name. */
static int of_medium(struct app *app, const struct ledger *l, const char *name, struct other *ret)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, name);
	POLICY_AUTO policy = NULL;
	const struct policy_medium *pm;
	struct err err = ERR_INIT;
	char show[SHOW];
	int code;

	if (!lm) {
		err_set(&err, "E-JOURNAL-26",
		    text("'%s' is no file, no folder and no medium of this journal"),
		    path_show(name, show, sizeof(show)));
		return app_error(&err, APP_USAGE);
	}
	snprintf(ret->path, sizeof(ret->path), "%s", lm->path);
	/* a journal given with --file needs no policy: then the place of the registration is tried */
	code = access(lm->path, F_OK) ? app_policy(app, &policy) : APP_OK;
	if (code)
		return code;
	pm = policy ? policy_find_medium(policy, name) : NULL;
	if (pm && pm->path)
		snprintf(ret->path, sizeof(ret->path), "%s", pm->path);
	return APP_OK;
}

/* A folder: a medium's, a repository's on it, a state folder, that of the segments. */
static int in_folder(const struct ledger *l, struct other *o, struct store_file *ret, struct err *err)
{
	struct medium_expect want = {.repository = ledger_repository(l)};
	struct medium *m;
	char path[PATH_MAX_BYTES + 128], show[SHOW];
	int r;

	want.keys = ledger_keys(l, &want.n_keys);
	if (!medium_open(o->path, &want, &m, NULL)) {
		const struct ledger_medium *lm = ledger_medium_by_uuid(l, medium_uuid(m));

		o->medium = lm != NULL;
		o->expected = lm ? lm->copy_seq : 0;
		medium_close(m);
	}
	r = segments_open_path(o->path, ret, err);
	if (r == STORE_ABSENT) {
		snprintf(path, sizeof(path), "%s/%s", o->path, ledger_repository(l));
		r = segments_open_path(path, ret, err);
		if (!r && strlen(path) < sizeof(o->path))
			memcpy(o->path, path, strlen(path) + 1);
	}
	return r != STORE_ABSENT
		   ? r
		   : err_set(err, "E-JOURNAL-27", text("there is no journal of this repository in '%s'"),
			 path_show(o->path, show, sizeof(show)));
}

/* An exit code. */
static int open_other(
    struct app *app, const struct ledger *l, const char *against, struct other *o, struct store_file *ret)
{
	struct err err = ERR_INIT;
	struct stat st;
	int code;

	snprintf(o->path, sizeof(o->path), "%s", against);
	if (stat(against, &st) && (code = of_medium(app, l, against, o)))
		return code;
	if (!stat(o->path, &st) && S_ISDIR(st.st_mode) ? in_folder(l, o, ret, &err)
						       : segments_open_path(o->path, ret, &err))
		return app_error(&err, APP_UNKNOWN);
	return APP_OK;
}

static int judge_copy(const struct other *o, const struct history *h, const struct ledger *ours,
    const struct ledger *theirs, const char **ret_word)
{
	char show[SHOW];
	struct err err = ERR_INIT;

	path_show(o->path, show, sizeof(show));
	if (h->kind == HISTORY_FORKED ||
	    (h->kind == HISTORY_LONGER && ledger_seq(theirs) == ledger_seq(ours))) {
		*ret_word = "forked";
		err_set(&err, "E-HISTORY-03",
		    text("'%s' is another history: from record %ju on it differs, and both are properly "
			 "signed"),
		    show, (uintmax_t)h->lines + 1);
		err_hint(&err, "%s",
		    text("somebody else signs with this host's keys, or the state folder was brought back "
			 "from an "
			 "old copy and used: keep both as they are"));
	} else if (h->kind == HISTORY_LONGER) {
		*ret_word = "newer";
		err_set_kind(&err, ERR_AHEAD, "E-HISTORY-01",
		    text("'%s' knows more than this journal: it has %ju records, this one %ju"), show,
		    (uintmax_t)ledger_seq(theirs), (uintmax_t)ledger_seq(ours));
		err_hint(&err, "%s",
		    text("this journal is an old copy, or was cut: bring the newest state folder back before "
			 "anything is run"));
	} else if (h->lines < o->expected) {
		*ret_word = "truncated";
		err_set(&err, "W-HISTORY-02",
		    text("the copy of the journal on '%s' has %ju records, but this host had copied %ju to "
			 "it"),
		    show, (uintmax_t)h->lines, (uintmax_t)o->expected);
		err_hint(
		    &err, "%s", text("somebody cut it, or brought an old copy of the disk: ask who had it"));
		return app_error(&err, APP_ATTENTION);
	} else if (o->medium && h->lines > o->expected && h->lines <= ledger_seq(ours)) {
		*ret_word = "unrecorded";
		err_set(&err, "W-HISTORY-04",
		    text("the copy of the journal on '%s' has %ju records, but this journal only says that "
			 "%ju were copied"),
		    show, (uintmax_t)h->lines, (uintmax_t)o->expected);
		err_hint(&err, "%s",
		    text("a run died right then, or the last records of this journal were cut off: look at "
			 "what ran last"));
		return app_error(&err, APP_ATTENTION);
	} else {
		*ret_word = h->lines >= ledger_seq(ours) ? "same" : "older";
		return APP_OK;
	}
	return app_error(&err, APP_FAILED);
}

/* A run that goes on meanwhile has perhaps copied more to a medium than was read of ours. */
static int relate_copies(struct store_file *there, struct store_file *ours, const struct ledger *l,
    struct history *ret, struct err *err)
{
	char more;

	if (history_compare(there, ours, ledger_size(l), ret, err))
		return -1;
	if (ret->kind != HISTORY_LONGER || store_read_full(ours, &more, 1, (int64_t)ledger_size(l)) != 1)
		return 0;
	return history_compare(there, ours, UINT64_MAX, ret, err);
}

static int compare_copy(struct app *app, const struct other *other, struct store_file *there,
    struct store_file *ours, const struct ledger *l, json_t **ret)
{
	struct ledger *theirs = NULL;
	struct err err = ERR_INIT;
	struct history h;
	const char *word = "";
	char show[SHOW];
	int code;

	path_show(other->path, show, sizeof(show));
	if (ledger_load_file(there, other->path, ledger_root(l), NULL, NULL, &theirs, &err)) {
		err_wrap(&err, "'%s'", show);
		return app_error(&err, APP_FAILED);
	}
	if (relate_copies(there, ours, l, &h, &err)) {
		ledger_free(theirs);
		return app_error(&err, APP_UNKNOWN);
	}
	code = judge_copy(other, &h, l, theirs, &word);
	*ret = json_pack("{s:s, s:s, s:I, s:I}", "file", show, "relation", word, "records",
	    (json_int_t)ledger_seq(theirs), "common", (json_int_t)h.lines);
	if (!code && !app->json && !app->quiet)
		printf(strcmp(word, "older")
			   ? text("'%s' holds the same %ju records\n")
			   : text("'%s' holds the first %ju of them: an older copy of this journal\n"),
		    show, (uintmax_t)h.lines);
	ledger_free(theirs);
	return code;
}

int cmd_journal_against(struct app *app, const struct cmd_journal_options *o, struct store_file *ours,
    const struct ledger *l, json_t **ret)
{
	struct other other = {.medium = false};
	STORE_FILE_AUTO there = {0};
	int code = open_other(app, l, o->against, &other, &there);

	return code ? code : compare_copy(app, &other, &there, ours, l, ret);
}

/* ---- every medium that is attached ---- */

/* 1 it has none and never had, 0, or -1 with *ret_code. */
static int open_copy(const struct medium *m, const struct ledger_medium *lm, struct other *o,
    struct store_file *ret_file, int *ret_code)
{
	struct err err = ERR_INIT;
	int r = segments_open(medium_repo(m), ret_file, &err);
	char show[SHOW];

	snprintf(o->path, sizeof(o->path), "%s/%s/%s", medium_path(m), medium_repository(m), JOURNAL_DIR);
	o->medium = true;
	o->expected = lm->copy_seq;
	if (!r)
		return 0;
	if (r == STORE_ABSENT && !lm->copy_seq)
		return 1;
	if (r == STORE_ABSENT) {
		err_set(&err, "W-HISTORY-02",
		    text("the copy of the journal on '%s' has %ju records, but this host had copied %ju to "
			 "it"),
		    path_show(medium_label(m), show, sizeof(show)), (uintmax_t)0, (uintmax_t)lm->copy_seq);
		err_hint(
		    &err, "%s", text("somebody cut it, or brought an old copy of the disk: ask who had it"));
	}
	*ret_code = app_error(&err, r == STORE_ABSENT ? APP_ATTENTION : APP_UNKNOWN);
	return -1;
}

static int with_medium(struct app *app, const struct policy_medium *pm, struct store_file *ours,
    const struct ledger *l, json_t **ret)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, pm->name);
	const char *path = pm->path ? pm->path : lm ? lm->path : NULL;
	struct medium_expect want = {.repository = ledger_repository(l), .label = pm->name};
	struct other other = {.medium = false};
	struct medium *m = NULL;
	struct err err = ERR_INIT;
	STORE_FILE_AUTO there = {0};
	int r = MEDIUM_ABSENT, code = APP_OK;

	want.keys = ledger_keys(l, &want.n_keys);
	if (lm && path) {
		want.uuid = lm->uuid;
		r = medium_open(path, &want, &m, &err);
	}
	if (r)
		return r == MEDIUM_ABSENT ? APP_OK : app_error(&err, APP_UNKNOWN);
	r = open_copy(m, lm, &other, &there, &code);
	if (!r)
		code = compare_copy(app, &other, &there, ours, l, ret);
	medium_close(m);
	return code;
}

int cmd_journal_against_media(struct app *app, struct store_file *ours, const struct ledger *l, json_t **ret)
{
	POLICY_AUTO policy = NULL;
	json_t *all = json_array();
	int code = app_policy(app, &policy), r;

	for (size_t i = 0; policy && i < policy->n_media; i++) {
		json_t *one = NULL;

		r = with_medium(app, &policy->media[i], ours, l, &one);
		code = r > code ? r : code;
		if (one)
			json_array_append_new(all, one);
		else if (!r && !app->json && !app->quiet)
			printf(
			    text("not compared with medium '%s': it is not attached, or holds no copy yet\n"),
			    policy->media[i].name);
	}
	*ret = all;
	return code;
}
