/* cmd_verify: bkp verify [DATASET | GENERATION…] [--medium M] [--identity FILE]…: is what was reported still there, whole?
 *
 * For each medium of the policy: open it → for each generation that the journal says is on it verify_one() → files of no
 * generation and the copy of the journal (verify_around()).  Files that several generations share are read once (`seen`).  Damage
 * is recorded at once; what is whole in one record for several generations, once a minute and at the medium's end, so that a
 * verification that is ended loses little.
 *
 * What could not be read is told apart from what is wrong: a medium that was pulled out, or memory that ended, says nothing
 * of the copies, and nothing is recorded (broke_off()). */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/outcome.h"
#include "cmd/rotate/visit_named.h"
#include "cmd/show/summary.h"
#include "cmd/verify/verdicts.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/keyring.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "read/verify/inventory.h"
#include "read/verify/verify.h"
#include "write/media/attendance.h"
#include "write/media/journal_copies.h"
#include "write/state/state.h"

#define RECORD_NS  (60 * SECOND_NS)
#define RECORD_MAX 256 /* generations in one record */

struct job {
	struct app *app;
	struct policy *policy;
	struct state *state;
	struct keyring *keys;
	struct keyring_passphrase pass;
	bool unlocked; /* what opens archives is in it */
	/* what was asked for */
	const char *medium;   /* or NULL: all that are attached */
	char *path;	      /* of that one, where it was looked for (visit_named.h); or NULL */
	struct chosen chosen; /* none: all */
	/* where the work is now */
	const char *label;		   /* of the current medium */
	char generation[GENERATION_LABEL]; /* the current one */
	json_t *whole;			   /* of the current medium: verified, and not recorded yet */
	int64_t recorded_ns;
	uint8_t identity[DIGEST_LEN]; /* of the current medium: SHA-256 of bkp-medium.json */
	bool gone;		      /* the current medium does not answer any more */
	/* what came of it so far; code only rises (raise_code()) */
	json_t *rows, *stray_rows;
	uint64_t files, bytes;	  /* read from the current medium */
	struct verdicts verdicts; /* damaged archives */
	uint64_t strays;	  /* files that belong to no generation and are not as they must be */
	uint64_t checked, bad, absent, unread; /* absent: media that should be here */
	int code;
};

static void raise_code(struct job *j, int code)
{
	/* 0 < 1 < 2 < 3 in the Nagios order */
	j->code = code > j->code ? code : j->code;
}

static void on_fault(void *arg, const struct verify_fault *f)
{
	struct job *j = arg;
	char shown[512];

	fprintf(stderr, "bkp: %s: %s: %s: %s", f->err->code, j->label, j->generation, f->err->msg);
	if (f->file && !strstr(f->err->msg, f->file))
		fprintf(stderr, " [%s]", f->file);
	if (f->path)
		fprintf(stderr, " (%s: /%s)", f->dataset ? f->dataset : "?",
		    path_show(f->path, shown, sizeof(shown)));
	fputc('\n', stderr);
	app_next(f->err, stderr);
	verdicts_add(&j->verdicts, j->label, f->file);
}

/* That the medium was pulled out, or that memory is short, says nothing about the copies: nothing is recorded.
 * 1: so it is, and was said. */
static bool broke_off(struct job *j, const struct medium *m, bool failed, struct err *err)
{
	if (!failed && !verify_file(medium_store(m), MEDIUM_JSON, j->identity, true, NULL, NULL))
		return false;
	if (!failed) {
		err_set(err, "E-VERIFY-11", text("'%s' does not answer any more"), j->label);
		err_hint(
		    err, "%s", text("see that it is well connected and mounted, then run the command again"));
	}
	j->gone = true;
	raise_code(j, app_error(err, APP_UNKNOWN));
	return true;
}

/* What was found whole since the last record. */
static void record_whole(struct job *j, const struct medium *m)
{
	struct err err = ERR_INIT;

	if (json_array_size(j->whole) &&
	    state_append(j->state, "verified",
		json_pack("{s:s, s:O}", "medium", medium_uuid(m), "generations", j->whole), &err))
		raise_code(j, app_error(&err, APP_FAILED));
	json_array_clear(j->whole);
	j->recorded_ns = clock_read(CLOCK_MONOTONIC);
}

static void record_damage(struct job *j, const struct medium *m, const struct chosen_item *it)
{
	struct err err = ERR_INIT;

	record_whole(j, m);
	if (state_append(j->state, "verify-failed",
		json_pack("{s:s, s:s, s:I, s:s}", "medium", medium_uuid(m), "dataset", it->dataset,
		    "generation", (json_int_t)it->number, "reason", "bkp verify found damage"),
		&err))
		raise_code(j, app_error(&err, APP_FAILED));
}

/* What came of a generation, for people and programs. */
static void report_one(struct job *j, const struct chosen_item *it, uint64_t files, uint64_t bytes,
    uint64_t faults, const char *more)
{
	j->checked++;
	j->bad += faults > 0;
	json_array_append_new(
	    j->rows, json_pack("{s:s, s:s, s:I, s:b, s:I, s:I, s:I}", "medium", j->label, "dataset",
			 it->dataset, "generation", (json_int_t)it->number, "ok", !faults, "files",
			 (json_int_t)files, "bytes", (json_int_t)bytes, "faults", (json_int_t)faults));
	if (!j->app->json && !j->app->quiet)
		printf("%s: %s: %s (%s)\n", j->label, j->generation, faults ? text("DAMAGED") : text("whole"),
		    more);
	if (faults)
		raise_code(j, APP_FAILED);
}

/* By the person's identity those of the repository.  Said where it is not so: then nothing was looked at. */
static bool unlock(struct job *j, struct vault_r *v)
{
	struct err err = ERR_INIT;

	if (!j->unlocked && vault_r_unlock(v, j->keys, &j->pass, &err)) {
		j->unread++;
		app_error(&err, APP_OK);
		raise_code(j, APP_UNKNOWN);
		return false;
	}
	return j->unlocked = true;
}

/* One generation on one medium; the outcome goes into the journal. */
static void verify_one(struct job *j, struct vault_r *v, const struct medium *m, const struct chosen_item *it,
    struct verify_seen *seen)
{
	struct verify_callbacks cb = {on_fault, NULL, j};
	struct verify_options opt = {.from_device = true, .seen = seen};
	struct verify_result r = {0};
	struct err err = ERR_INIT;
	struct verify_record reported;
	char files[64];
	bool failed;

	if (ledger_generation_record(state_ledger(j->state), it->dataset, it->number, &reported))
		opt.record = &reported;
	if (j->keys && !unlock(j, v))
		return;
	if (j->keys)
		opt.ids = keyring_identities(j->keys, &opt.n_ids);
	generation_label(it->dataset, it->number, j->generation);
	failed = verify_generation(v, it->dataset, it->number, &opt, &cb, &r, &err) != 0;
	if ((failed || r.faults) && broke_off(j, m, failed, &err))
		return;
	if (r.faults && r.faults == r.unread) {
		j->unread++;
		raise_code(j, APP_UNKNOWN);
		return;
	}
	snprintf(files, sizeof(files), text("%ju files"), (uintmax_t)(r.files + r.seen));
	j->files += r.files;
	j->bytes += r.bytes;
	report_one(j, it, r.files + r.seen, r.bytes, r.faults, files);
	if (r.faults) {
		record_damage(j, m, it);
		return;
	}
	json_array_append_new(j->whole,
	    json_pack("{s:s, s:I, s:I, s:I}", "dataset", it->dataset, "generation", (json_int_t)it->number,
		"files", (json_int_t)(r.files + r.seen), "bytes", (json_int_t)r.bytes));
	if (json_array_size(j->whole) >= RECORD_MAX ||
	    clock_read(CLOCK_MONOTONIC) - j->recorded_ns >= RECORD_NS)
		record_whole(j, m);
}

/* What was asked for is damaged: those that rest on the same file are, too. */
static void mark_sharers(struct job *j, struct vault_r *v, const struct medium *m,
    const struct chosen_item *items, size_t n, const struct verify_seen *seen)
{
	for (size_t i = 0; i < n; i++) {
		const struct chosen_item *it = &items[i];

		if (chosen_has(&j->chosen, it->dataset, it->number) ||
		    !verify_shares_damage(v, it->dataset, it->number, seen))
			continue;
		generation_label(it->dataset, it->number, j->generation);
		report_one(j, it, 0, 0, 1, text("it lists the same file"));
		record_damage(j, m, it);
	}
}

/* What belongs to no generation: a person should look, or a restore may need it. */
static void on_stray(void *arg, const char *file, enum inventory_kind kind, const struct err *why)
{
	char show[512];
	struct job *j = arg;

	fprintf(stderr, "bkp: %s: %s: %s\n", why->code, j->label, why->msg);
	j->strays++;
	json_array_append_new(j->stray_rows, json_pack("{s:s, s:s, s:s}", "medium", j->label, "file",
						 path_show(file, show, sizeof(show)), "code", why->code));
	raise_code(j, kind == INVENTORY_TEXT	 ? APP_ATTENTION
		      : kind == INVENTORY_NEEDED ? APP_FAILED
						 : APP_UNKNOWN);
}

/* And its copy of the journal: whole in itself it may still be another, or less. */
static void verify_around(struct job *j, struct vault_r *v, const struct medium *m)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(j->state), medium_uuid(m));
	struct journal_copies_finding found;
	struct err err = ERR_INIT;
	uint64_t before = j->strays;

	if (inventory_check(medium_store(m), v, lm && lm->copy_seq, on_stray, j, &err) ||
	    journal_copies_check(j->state, m, &found, &err))
		raise_code(j, app_error(&err, APP_UNKNOWN));
	else if (*found.found && j->strays == before)
		raise_code(j, app_error(&found.why, APP_ATTENTION));
	if (j->strays == before)
		return;
	err_set(&err, "W-VERIFY-18",
	    text("%ju files on '%s' that belong to no generation are not as they must be"),
	    (uintmax_t)(j->strays - before), j->label);
	err_hint(&err,
	    text(
		"'bkp repair %s' writes anew what this host has; what is foreign is removed by who knows it"),
	    j->label);
	app_error(&err, APP_ATTENTION);
}

/* What is recorded as expired and stands there counts again when it is whole (reap.h, E-REAP-05). */
static bool is_there(const struct vault_r *v, const struct ledger_generation *g, const struct ledger_copy *c)
{
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR], path[sizeof(set) + sizeof(dir)];

	snprintf(
	    path, sizeof(path), "%s/%s", generation_set_dir(g->dataset, set), generation_dir(g->number, dir));
	return (g->state == LEDGER_COMMITTED && c->ok) ||
	       (c->expired_ns && store_has(vault_r_store(v), path));
}

/* The generations that the journal says are on the medium: copies, as records are about to be appended.  The caller frees. */
static struct chosen_item *reported_on(
    const struct job *j, const struct vault_r *v, const char *uuid, size_t *ret_n)
{
	const struct ledger *l = state_ledger(j->state);
	struct chosen_item *items = calloc(ledger_generations(l) + 1, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; items && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);

		if (!c || !is_there(v, g, c))
			continue;
		items[n].number = g->number;
		snprintf(items[n++].dataset, sizeof(items->dataset), "%s", g->dataset);
	}
	*ret_n = n;
	return items;
}

/* All of it was read: nothing of it need be read again soon (read/rules/rereading.h). */
static void record_read_through(struct job *j, const struct medium *m, uint64_t bad)
{
	struct err err = ERR_INIT;

	if (state_append(j->state, "reread",
		json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "medium", medium_uuid(m), "first", (json_int_t)0,
		    "parts", (json_int_t)LEDGER_PARTS, "files", (json_int_t)j->files, "bytes",
		    (json_int_t)j->bytes, "bad", (json_int_t)bad),
		&err))
		raise_code(j, app_error(&err, APP_FAILED));
}

static void verify_medium(struct job *j, const struct medium *m)
{
	struct verify_seen *seen = verify_seen_new();
	BUF_AUTO identity = BUF_INIT(MEDIUM_MAX);
	struct vault_r *v = NULL;
	struct err err = ERR_INIT;
	struct chosen_item *items;
	uint64_t bad, unread = j->unread;
	size_t n;

	j->gone = false;
	j->files = j->bytes = 0;
	if (!seen || store_read(medium_store(m), MEDIUM_JSON, &identity, &err) ||
	    vault_r_open_medium(
		m, state_repository(j->state), ledger_root(state_ledger(j->state)), &v, &err)) {
		raise_code(j, app_error(&err, err_is_unread(&err) ? APP_UNKNOWN : APP_FAILED));
		verify_seen_free(seen);
		return;
	}
	digest_sha256(identity.p, identity.n, j->identity);
	items = reported_on(j, v, medium_uuid(m), &n);
	if (!items)
		raise_code(j, app_error((err_nomem(&err), &err), APP_FAILED));
	bad = j->bad;
	j->recorded_ns = clock_read(CLOCK_MONOTONIC);
	for (size_t i = 0; items && i < n && !j->gone; i++)
		if (!j->chosen.n_asked || chosen_has(&j->chosen, items[i].dataset, items[i].number))
			verify_one(j, v, m, &items[i], seen);
	record_whole(j, m);
	if (n && !j->chosen.n_asked && !j->gone) {
		verify_around(j, v, m);
		if (j->unread == unread)
			record_read_through(j, m, j->bad - bad);
	}
	if (items && j->chosen.n_asked && j->bad > bad && !j->gone)
		mark_sharers(j, v, m, items, n, seen);
	free(items);
	vault_r_close(v);
	verify_seen_free(seen);
}

static void verify_declared(struct job *j, const struct policy_medium *pm)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(j->state), pm->name);
	struct medium_expect want = {.repository = state_repository(j->state), .label = pm->name};
	const char *path = j->path    ? j->path
			   : pm->path ? pm->path
			   : lm	      ? lm->path
				      : NULL; /* offline ones may have no path in the policy */
	struct medium *m = NULL;
	struct err err = ERR_INIT;
	int r;

	if (!lm || !path) {
		if (j->medium) {
			err_set_kind(&err, ERR_UNREGISTERED, "E-MEDIA-06",
			    text("'%s' is not a registered medium"), pm->name);
			err_hint(&err,
			    pm->path ? text("register it with 'bkp medium add %s'")
				     : text("register it with 'bkp medium add %s --path DIR'"),
			    pm->name);
			raise_code(j, app_error(&err, APP_UNKNOWN));
		}
		return;
	}
	want.uuid = lm->uuid;
	want.keys = state_keys(j->state, &want.n_keys);
	j->label = pm->name;
	r = medium_open(path, &want, &m, &err);
	if (r) {
		/* an offline medium that is away is as it should be, unless it was asked for */
		if (r == MEDIUM_FORGED) {
			err_wrap(&err, text("'%s' or '%s'"), MEDIUM_JSON, MEDIUM_SIG);
			raise_code(j, app_error(&err, APP_FAILED));
			fprintf(stderr, text("  → if it is damaged only: 'bkp repair %s' writes it anew\n"),
			    pm->name);
		} else if (j->medium || !pm->offline) {
			j->absent++;
			raise_code(j, app_error(&err, j->medium ? APP_UNKNOWN : APP_ATTENTION));
		}
		return;
	}
	if (attendance_arrived(j->state, medium_uuid(m), path, &err))
		raise_code(j, app_error(&err, APP_FAILED));
	else
		verify_medium(j, m);
	medium_close(m);
}

__attribute__((format(printf, 2, 3))) static void add_words(char line[SUMMARY_LINE], const char *fmt, ...)
{
	const size_t used = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + used, SUMMARY_LINE - used, fmt, ap);
	va_end(ap);
}

/* What came of it: the end of what is shown, and the line of the record.  Returns line. */
static const char *closing_line(const struct job *j, char line[SUMMARY_LINE])
{
	*line = '\0';
	if (j->checked || j->unread)
		add_words(line, text("%ju copies of generations verified, %ju of them damaged"), j->checked,
		    j->bad);
	else
		add_words(line, "%s", text("nothing could be verified"));
	if (j->unread)
		add_words(line, text("; %ju could not be read"), j->unread);
	if (j->absent)
		add_words(line, text("; %ju media could not be opened"), j->absent);
	if (j->strays)
		add_words(line, text("; %ju files of no generation not as they must be"), j->strays);
	return line;
}

/* All that are attached; or the one that was named, which may be plugged in and not mounted. */
static void verify_each(struct job *j)
{
	const struct policy_medium *named = j->medium ? policy_find_medium(j->policy, j->medium) : NULL;
	struct visit v = {.app = j->app};
	struct err err = ERR_INIT;

	for (size_t i = 0; !named && i < j->policy->n_media; i++)
		verify_declared(j, &j->policy->media[i]);
	if (!named)
		return;
	if (visit_named_begin(&v, j->state, j->policy, named, &j->path, &err))
		raise_code(j, app_error(&err, APP_UNKNOWN));
	else
		verify_declared(j, named);
	if (visit_named_end(&v, j->state, named, &err))
		raise_code(j, app_error(&err, APP_FAILED));
	free(j->path);
	j->path = NULL;
}

static int verify_all(struct job *j)
{
	char line[SUMMARY_LINE];
	struct err err = ERR_INIT;
	json_t *archives;

	if (j->medium && !policy_find_medium(j->policy, j->medium))
		return app_unknown(j->app, policy_suggest_medium(j->policy, j->medium),
		    text("'%s' is not a medium of the policy"), j->medium);
	j->code = chosen_find(state_ledger(j->state), true, &j->chosen);
	if (j->code)
		return j->code;
	j->code = j->chosen.code;
	if (j->chosen.n_asked && !j->chosen.n)
		return j->code;
	j->rows = json_array();
	j->stray_rows = json_array();
	j->whole = json_array();
	verify_each(j);
	archives = verdicts_tell(&j->verdicts, j->app, j->policy, j->state);
	if (j->unread) {
		err_set(&err, "E-VERIFY-14", text("%ju copies could not be read: nothing is known of them"),
		    j->unread);
		err_hint(&err, "%s",
		    text("run it again when the machine is idle; if the same file fails again, replace the "
			 "medium"));
		app_error(&err, APP_UNKNOWN);
	} else if (!j->checked && j->code < APP_FAILED) {
		err_set(&err, "E-VERIFY-10", "%s", text("there was nothing to verify"));
		err_hint(&err, "%s", text("attach a medium, or look at 'bkp generations'"));
		raise_code(j, app_error(&err, APP_UNKNOWN));
	}
	if (j->app->json) {
		json_t *o = json_pack("{s:O, s:O, s:O, s:I, s:I, s:I, s:I, s:I}", "verified", j->rows,
		    "others", j->stray_rows, "archives", archives, "mendable",
		    (json_int_t)j->verdicts.mendable, "lost", (json_int_t)j->verdicts.lost, "checked",
		    (json_int_t)j->checked, "bad", (json_int_t)j->bad, "unread", (json_int_t)j->unread);

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else if (!j->app->quiet && j->checked) {
		printf("%s\n", closing_line(j, line));
	}
	if (j->bad && !j->app->json)
		fprintf(stderr, "%s\n",
		    j->verdicts.mendable && !j->verdicts.lost
			? text("  → run 'bkp repair': it mends what is damaged")
			: text("  → attach the other media and run 'bkp repair': it copies what is damaged "
			       "from "
			       "one that has it whole"));
	json_decref(j->rows);
	json_decref(j->stray_rows);
	json_decref(j->whole);
	json_decref(archives);
	verdicts_free(&j->verdicts);
	return app_flush(j->code);
}

/* Also that nothing could be verified: somebody tried. */
static int verify_and_record(struct job *j)
{
	char line[SUMMARY_LINE];
	int code = verify_all(j);

	if (code == APP_USAGE)
		return code;
	return outcome_record(j->app, j->state, "verify", code, closing_line(j, line));
}

static int add_identity(struct job *j, const char *file, const char *passphrase_file)
{
	struct err err = ERR_INIT;

	j->pass = (struct keyring_passphrase){keyring_terminal, NULL};
	if (passphrase_file)
		j->pass = (struct keyring_passphrase){keyring_file, (void *)(uintptr_t)passphrase_file};
	if (!j->keys)
		j->keys = keyring_new();
	if (!j->keys || keyring_add_file(j->keys, file, &j->pass, &err))
		return app_error(&err, APP_FAILED);
	return 0;
}

int cmd_verify(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {{"medium", required_argument, NULL, 256},
	    {"identity", required_argument, NULL, 257}, {"passphrase-file", required_argument, NULL, 258},
	    {NULL, 0, NULL, 0}};
	struct job j = {.app = app};
	const char *identity = NULL, *passphrase_file = NULL;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == 256)
			j.medium = optarg;
		if (c == 257)
			identity = optarg;
		if (c == 258)
			passphrase_file = optarg;
	}
	code = chosen_parse(argv + optind, (size_t)(argc - optind), true, &j.chosen);
	if (!code && identity)
		code = add_identity(&j, identity, passphrase_file);
	if (!code)
		code = app_policy(app, &j.policy);
	app_act(app, "verify", "operator", NULL);
	if (!code)
		code = app_state(app, j.policy, &j.state);
	if (!code)
		code = verify_and_record(&j);
	state_close(j.state);
	policy_free(j.policy);
	keyring_free(j.keys);
	chosen_free(&j.chosen);
	return code;
}
