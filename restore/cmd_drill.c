/* bkp-restore drill FILE --to DIR: replays a recovery procedure, and records what became of it.
 *
 * The beginning is a recovery's too (drill/session.h).  ready_drill() makes the folder and checks all that can be
 * known before anything is run; if it fails, undo_drill() leaves nothing behind.  run_drill() replays,
 * judges, erases and writes the record, in this order: the record says how the erasing went.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/ledger/ledger.h"
#include "restore/app/app.h"
#include "restore/app/within.h"
#include "restore/choose/journal.h"
#include "restore/command/isolation.h"
#include "restore/drill/drill.h"
#include "restore/drill/drill_page.h"
#include "restore/drill/finding.h"
#include "restore/drill/holders.h"
#include "restore/drill/prepare.h"
#include "restore/drill/provenance.h"
#include "restore/drill/record.h"
#include "restore/drill/replay.h"
#include "restore/extract/scratch.h"
#include "restore/drill/session.h"
#include "restore/drill/target.h"
#include "restore/drill/variables.h"

#define RECORD	   "drill.json"
#define PAGE	   "drill.html"
#define OUTPUT_MAX ((size_t)64 << 20)

/* The rest that can be wrong before anything is run. */
static int ready_drill(struct session *s)
{
	struct err err = ERR_INIT;
	struct ledger *l = NULL;
	int code;

	if (provenance_check(s->app, s->file, s->procedure->sha256, &s->d->signed_on_medium, &err))
		return app_error(&err, APP_FAILED);
	if (within_refuse_media(s->app, s->app->to, &err) || scratch_make(s->app->to, &s->scratch, &err) ||
	    session_about(s, &err))
		return app_error(&err, APP_FAILED);
	code = prepare(s->app, s->d, s->variables, s->generation);
	if (code)
		return code;
	/* there may be none: that nobody vouches for a generation was said already */
	(void)journal_find(s->app, &l);
	target_find(s->app, l, s->d);
	ledger_free(l);
	return 0;
}

/* ---- --random ---- */

/* Which medium is read first; which generations, prepare.h.  The same media in another order are the same choice. */
static int draw_medium(struct app *app, struct drill *d)
{
	const char *drawn;
	char *end = NULL;
	uint64_t best = 0;
	size_t which = 0;

	if (app->seed) {
		d->seed = strtoull(app->seed, &end, 10);
		if (!app->random || *app->seed < '0' || *app->seed > '9' || *end)
			return app_usage(app, "%s", text("--seed takes a number, and goes with --random"));
	} else {
		randombytes_buf(&d->seed, sizeof(d->seed));
	}
	d->random = app->random;
	d->unattended = app->unattended;
	for (size_t i = 0; app->random && i < app->n_media; i++) {
		char *real = realpath(app->media[i], NULL);
		uint64_t n = drill_draw(d->seed, real ? real : app->media[i]);

		free(real);
		which = n >= best ? i : which;
		best = n >= best ? n : best;
	}
	drawn = app->media[which];
	app->media[which] = app->media[0];
	app->media[0] = drawn;
	if (app->random)
		app_note(app, text("drawn: the medium %s (--seed %ju draws the same once more)"), drawn,
		    (uintmax_t)d->seed);
	return 0;
}

/* ---- isolation ---- */

static int begin_isolation(const struct session *s, struct isolation **ret, struct err *err)
{
	const struct app *app = s->app;
	const char *seen[APP_MEDIA + 1 + PROCEDURE_VARIABLES_MAX] = {s->file}, *hidden[APP_IDENTITIES + 2];
	struct isolation_request q = {
	    .scratch = scratch_path(s->scratch), .seen = seen, .n_seen = 1, .hidden = hidden};

	for (size_t i = 0; i < app->n_media; i++)
		seen[q.n_seen++] = app->media[i];
	/* what it says it looks at: programs, lists of viruses */
	for (size_t i = 0; i < s->procedure->n_variables; i++)
		if (s->procedure->variables[i].type == PROCEDURE_PATH)
			seen[q.n_seen++] = variables_lookup(s->variables, s->procedure->variables[i].name);
	for (size_t i = 0; i < app->n_identities; i++)
		hidden[q.n_hidden++] = app->identities[i];
	if (app->passphrase_file)
		hidden[q.n_hidden++] = app->passphrase_file;
	if (app->sign_slip)
		hidden[q.n_hidden++] = app->sign_slip;
	return isolation_begin(&q, ret, err);
}

/* Where the commands run, said aloud if it is not apart from everything else.  0, or the exit code. */
static int isolate(struct session *s, struct isolation **ret)
{
	const char *how = s->app->isolation ? s->app->isolation : "try";
	struct drill *d = s->d;
	struct err loud = ERR_INIT;

	if (!drill_runs_commands(s->procedure))
		return 0;
	d->isolation = !strcmp(how, "off") ? DRILL_ISOLATION_OFF : DRILL_ISOLATED;
	if (d->isolation == DRILL_ISOLATED && begin_isolation(s, ret, &d->isolation_why)) {
		d->isolation = DRILL_NOT_ISOLATED;
		err_hint(&d->isolation_why, "%s",
		    text("as root, or where user namespaces are allowed; on a computer without any network "
			 "'--isolation off' says so"));
		if (!strcmp(how, "required"))
			return app_error(&d->isolation_why, APP_FAILED);
	}
	if (d->isolation == DRILL_ISOLATED) {
		app_note(s->app,
		    text("commands run isolated; another terminal gets there by: nsenter -n -m -t %d"),
		    (int)isolation_process(*ret));
		return 0;
	}
	err_set(&loud, "W-DRILL-01", "%s%s%s",
	    text("NOT ISOLATED: the commands of this drill can reach the "
		 "network and everything on this computer"),
	    d->isolation_why.msg[0] ? ": " : "", d->isolation_why.msg);
	err_hint(&loud, "%s",
	    d->isolation_why.hint[0] ? d->isolation_why.hint
				     : text("only on a computer that is cut off from the network"));
	app_error(&loud, APP_ATTENTION);
	return 0;
}

/* ---- the end ---- */

/* Processes that were just told to end get two seconds to do so. */
static bool still_used(const struct session *s, char *users, size_t size)
{
	const struct timespec moment = {.tv_nsec = 100000000};
	size_t n = 0;

	for (int i = 0; i < 20 && (n = holders_find(scratch_path(s->scratch), users, size)) > 0; i++)
		nanosleep(&moment, NULL);
	return n > 0;
}

static void erase_scratch(struct session *s)
{
	struct drill_erased *e = &s->d->erased;
	struct scratch_erased counts = {0};
	struct clock_stamp now;
	char users[400];

	e->kept = s->app->keep;
	if (e->kept) {
		app_note(s->app,
		    text("the restored data are still in %s: erase them when they were looked at"),
		    scratch_path(s->scratch));
		return;
	}
	e->done = true;
	e->ok = !scratch_erase(s->scratch, &counts, &e->why);
	if (e->ok && still_used(s, users, sizeof(users))) {
		e->ok = false;
		err_set(&e->why, "E-DRILL-25", text("what was erased is still in use by %s"), users);
		err_hint(&e->why, "%s",
		    text("it stays on the disk until they end: end them, and let a step with 'always: true' "
			 "do it "
			 "the next time"));
	}
	e->files = counts.files;
	e->folders = counts.folders;
	e->left = counts.left;
	clock_now(&now);
	e->when_ns = now.wall_ns;
	if (e->ok)
		app_note(s->app, text("the scratch folder was erased: %ju files, %ju folders"),
		    (uintmax_t)e->files, (uintmax_t)e->folders);
	else
		app_error(&e->why, APP_ATTENTION);
}

/* Each file appears whole; the page last, because it carries the hash of the record. */
static int write_down(struct session *s)
{
	BUF_AUTO json = BUF_INIT(OUTPUT_MAX), html = BUF_INIT(OUTPUT_MAX);
	uint8_t sha256[DIGEST_LEN];
	struct err err = ERR_INIT;
	int dir = scratch_dirfd(s->scratch);

	if (record_format(s->d, &json, &err) || io_replace(dir, RECORD, 0600, json.p, json.n, &err) ||
	    session_sign(s, RECORD, "bkp drill", &json, &err))
		goto fail;
	digest_sha256(json.p, json.n, sha256);
	if (drill_page(s->d, s->variables, sha256, &html, &err) ||
	    io_replace(dir, PAGE, 0600, html.p, html.n, &err))
		goto fail;
	if (s->app->json)
		fwrite(json.p, 1, json.n, stdout);
	return 0;
fail:
	err_wrap(&err, "%s", text("the result cannot be recorded"));
	snprintf(err.code, sizeof(err.code), "E-DRILL-22");
	return app_error(&err, APP_FAILED);
}

static void say_result(const struct session *s)
{
	char took[CLOCK_SPAN], goal[CLOCK_SPAN];
	const struct drill *d = s->d;

	if (s->app->json || s->app->quiet)
		return;
	printf(text("drill: %s; of %s; took %s, planned %u min\n"), drill_mark_text(d->verdict),
	    d->n_generations ? variables_lookup(s->variables, "generation") : "-",
	    clock_format_span(d->seconds, took), s->procedure->minutes);
	if (drill_over_rto(d))
		printf(text("the recovery took %s, longer than its RTO of %s\n"),
		    clock_format_span(d->recovery_s, took), clock_format_span((double)d->rto_s, goal));
	printf(text("record: %s/%s\n"), d->folder, RECORD);
	printf(text("to print and sign: %s/%s\n"), d->folder, PAGE);
}

static int run_drill(struct session *s, struct isolation *isolation)
{
	struct replay r = {.app = s->app,
	    .isolation = isolation,
	    .d = s->d,
	    .generation = s->generation,
	    .scratch = s->scratch,
	    .interrupt = s->interrupt};
	char **environment;
	struct err err = ERR_INIT;
	int code;

	environment = variables_environment(s->variables, scratch_path(s->scratch), NULL, &err);
	if (!environment) {
		isolation_end(isolation);
		return app_error(&err, APP_FAILED);
	}
	r.environment = environment;
	replay(&r);
	variables_environment_free(environment);
	/* what commands left running ends here, before what they held is erased */
	isolation_end(isolation);
	drill_judge(s->d);
	erase_scratch(s);
	/* nothing of a patient waits for somebody to answer */
	if (finding_collect(&r, s->attest, &err))
		app_error(&err, APP_FAILED);
	code = write_down(s);
	if (code)
		return code;
	say_result(s);
	return app_flush(drill_exit(s->d));
}

/* A drill that did not begin leaves nothing behind. */
static void undo_drill(struct session *s)
{
	struct scratch_erased counts;
	struct err err = ERR_INIT;

	if (s->scratch && scratch_undo(s->scratch, &counts, &err))
		app_error(&err, APP_FAILED);
}

int cmd_drill(struct app *app, int argc, char **argv)
{
	struct session s = {.app = app, .file = argv[0]};
	struct isolation *isolation = NULL;
	struct err err = ERR_INIT;
	int r;

	(void)argc;
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: an empty folder for the drill"));
	if (!app->n_media)
		return app_usage(
		    app, "%s", text("--medium DIR is needed: the folder that holds bkp-medium.json"));
	r = session_begin(&s);
	if (!r && session_answered(&s, &err))
		r = app_error(&err, APP_USAGE);
	if (!r)
		r = draw_medium(app, s.d);
	if (!r)
		r = session_open(&s);
	if (!r) {
		r = ready_drill(&s);
		if (!r)
			r = isolate(&s, &isolation);
		if (r)
			undo_drill(&s);
		else
			r = run_drill(&s, isolation);
	}
	session_end(&s);
	return r;
}
