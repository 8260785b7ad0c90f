/* bkp-restore recover PROCEDURE --to DIR: the recovery itself, by the same procedure as its drill.
 *
 * Order: what needs no medium (procedure, variables, answers) → medium and passphrase, while ^C still ends the program → the folder, and
 * whether a recovery was begun there → all that can be known is checked (prepare.h, place.h) → a person types what is brought back →
 * steps_run() → record and pages.  Where it stops the state says how far it came, and the same command goes on.
 *
 * Errors: E-RECOVER-09 it was not confirmed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/ledger/ledger.h"
#include "restore/app/app.h"
#include "restore/choose/history.h"
#include "restore/choose/journal.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/drill_page.h"
#include "restore/drill/finding.h"
#include "restore/drill/prepare.h"
#include "restore/drill/provenance.h"
#include "restore/drill/record.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"
#include "restore/drill/target.h"
#include "restore/recover/paper.h"
#include "restore/recover/place.h"
#include "restore/recover/recovery.h"
#include "restore/recover/state.h"
#include "restore/recover/steps.h"

#define OUTPUT_MAX ((size_t)64 << 20)

/* ---- before anything is run ---- */

static int ready(struct recovery *r, struct err *err)
{
	const struct procedure *p = r->s.procedure;
	struct drill *d = r->s.d;
	const char *target = p->target ? variables_lookup(r->s.variables, p->target) : NULL;

	d->recovery = true;
	d->target = target ? strdup(target) : NULL;
	r->running = calloc(d->n + 1, sizeof(*r->running));
	if (!r->running || (target && !d->target))
		return err_nomem(err);
	if (provenance_check(r->s.app, r->s.file, p->sha256, &d->signed_on_medium, err) ||
	    place_open(r->s.app, &r->s.scratch, &r->resumed, err))
		return -1;
	return session_about(&r->s, err) || (r->resumed && state_load(r, err)) ? -1 : 0;
}

static void show(const struct recovery *r)
{
	const struct drill *d = r->s.d;
	const struct app *app = r->s.app;
	char when[CLOCK_DATE];

	app_note(app, text("RECOVERY: %s"), d->procedure->title);
	for (size_t i = 0; i < d->n_generations; i++) {
		const struct drill_generation *g = &d->generation[i];

		app_note(app, text("  %s of %s, from %s"), g->label, clock_format_date(g->begun_ns, when),
		    r->s.generation[i].medium);
		history_say(app, r->ledger, g->dataset, g->number);
	}
	app_note(app, text("  to %s/%s"), d->folder, PLACE_DATA);
	if (d->target)
		app_note(app, text("  and from there to %s"), d->target);
}

/* What is to be typed says what is brought back. */
static int confirm(struct recovery *r, struct err *err)
{
	const char *wanted = variables_lookup(r->s.variables, "generation");
	const struct attest *a = r->s.attest;
	char question[300], *typed = NULL;

	wanted = wanted && *wanted ? wanted : r->s.procedure->title;
	if (a && a->confirm) {
		typed = strdup(a->confirm);
	} else if (!a && isatty(STDIN_FILENO)) {
		snprintf(question, sizeof(question), text("to begin, type '%s':"), wanted);
		(void)replay_listen(&r->replay, question, &typed);
	}
	if (typed && !strcmp(typed, wanted)) {
		r->confirmed = typed;
		return 0;
	}
	free(typed);
	err_set(err, "E-RECOVER-09", "%s", text("the recovery was not confirmed, nothing was begun"));
	return err_hint(err,
	    text("it is confirmed by typing: %s (on a terminal, or as 'confirm:' in the file of --attest)"),
	    wanted);
}

static int begin(struct recovery *r, struct err *err)
{
	uint8_t id[(RECOVERY_ID - 1) / 2];
	struct clock_stamp now;

	if (r->resumed) {
		app_note(r->s.app, "%s", text("the recovery that was begun here goes on"));
		return paper_before(r, err);
	}
	if (confirm(r, err))
		return -1;
	clock_now(&now);
	r->s.d->begun_ns = now.wall_ns;
	randombytes_buf(id, sizeof(id));
	digest_hex(id, sizeof(id), r->id);
	/* the state first: from then on the folder is a recovery's */
	return state_save(r, false, err) || paper_before(r, err) ? -1 : 0;
}

/* ---- the end ---- */

/* Each file appears whole; the state last: until it says so the recovery has not ended. */
static int record_recovery(struct recovery *r, struct err *err)
{
	BUF_AUTO json = BUF_INIT(OUTPUT_MAX), html = BUF_INIT(OUTPUT_MAX);
	uint8_t sha256[DIGEST_LEN];
	char comment[100];
	int dir = scratch_dirfd(r->s.scratch);

	snprintf(comment, sizeof(comment), "bkp recovery %s", r->id);
	if (record_format(r->s.d, &json, err) || io_replace(dir, PLACE_RECORD, 0600, json.p, json.n, err) ||
	    session_sign(&r->s, PLACE_RECORD, comment, &json, err))
		return -1;
	digest_sha256(json.p, json.n, sha256);
	if (drill_page(r->s.d, r->s.variables, sha256, &html, err) ||
	    io_replace(dir, PLACE_PAGE, 0600, html.p, html.n, err) || paper_before(r, err) ||
	    state_save(r, true, err))
		return -1;
	if (r->s.app->json)
		fwrite(json.p, 1, json.n, stdout);
	return 0;
}

static void say_stopped(const struct recovery *r)
{
	const struct drill *d = r->s.d;
	size_t at = 0;

	while (at < d->n &&
	       (d->order[at]->mark == PROCEDURE_MARK_PASSED || d->order[at]->mark == PROCEDURE_MARK_LATE ||
		   d->order[at]->mark == PROCEDURE_MARK_SKIPPED))
		at++;
	if (at < d->n)
		fprintf(stderr,
		    text("bkp-restore: the recovery stops at step %u (line %u); the same command goes on "
			 "with it\n"),
		    d->order[at]->is->number, d->order[at]->is->line);
}

static void say_result(const struct recovery *r)
{
	char took[CLOCK_SPAN], goal[CLOCK_SPAN];
	const struct drill *d = r->s.d;

	if (r->s.app->json || r->s.app->quiet)
		return;
	printf(text("recovery: %s; of %s\n"), drill_verdict_text(d),
	    d->n_generations ? variables_lookup(r->s.variables, "generation") : "-");
	if (d->rto_s)
		printf(text("it took %s; its RTO is %s\n"), clock_format_span(d->recovery_s, took),
		    clock_format_span((double)d->rto_s, goal));
	else
		printf(text("it took %s\n"), clock_format_span(d->recovery_s, took));
	printf(text("record: %s/%s\n"), d->folder, PLACE_RECORD);
	printf(text("to print and sign: %s/%s and %s\n"), d->folder, PLACE_BEFORE, PLACE_PAGE);
}

static int finish(struct recovery *r)
{
	struct err err = ERR_INIT;

	drill_judge(r->s.d);
	if (record_recovery(r, &err)) {
		err_wrap(&err, "%s", text("the result cannot be recorded; the same command does it again"));
		return app_error(&err, APP_FAILED);
	}
	say_result(r);
	if (r->s.d->verdict == PROCEDURE_MARK_FAILED)
		return app_flush(drill_complete(r->s.d) ? APP_ATTENTION : APP_FAILED);
	return app_flush(drill_exit(r->s.d));
}

/* ---- in order ---- */

/* A recovery that did not begin leaves nothing behind. */
static void undo(struct recovery *r)
{
	struct scratch_erased counts;
	struct err err = ERR_INIT;

	if (r->s.scratch && !r->resumed && !r->id[0] && scratch_undo(r->s.scratch, &counts, &err))
		app_error(&err, APP_FAILED);
}

static int recover(struct recovery *r)
{
	enum steps_end end;
	struct err err = ERR_INIT;
	int code;

	if (ready(r, &err))
		return app_error(&err, APP_FAILED);
	code = prepare(r->s.app, r->s.d, r->s.variables, r->s.generation);
	if (code)
		return code;
	r->replay = (struct replay){.app = r->s.app,
	    .d = r->s.d,
	    .generation = r->s.generation,
	    .scratch = r->s.scratch,
	    .interrupt = r->s.interrupt};
	/* there may be none: that nobody vouches for the generation was said already */
	(void)journal_find(r->s.app, &r->ledger);
	target_find(r->s.app, r->ledger, r->s.d);
	if (place_check(r, &err))
		return app_error(&err, APP_FAILED);
	show(r);
	if (begin(r, &err) || steps_run(r, &end, &err))
		return app_error(&err, APP_FAILED);
	if (end == STEPS_STOPPED) {
		say_stopped(r);
		return APP_FAILED;
	}
	if (finding_collect(&r->replay, r->s.attest, &err))
		return app_error(&err, APP_FAILED);
	return finish(r);
}

int cmd_recover(struct app *app, int argc, char **argv)
{
	struct recovery r = {.s = {.app = app, .file = argv[0]}};
	int code;

	(void)argc;
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: an empty folder for the recovery"));
	if (!app->n_media)
		return app_usage(
		    app, "%s", text("--medium DIR is needed: the folder that holds bkp-medium.json"));
	if (app->keep)
		return app_usage(app, "%s", text("a recovery erases nothing: --keep is for drills"));
	if (app->random || app->seed || app->unattended)
		return app_usage(app, "%s",
		    text("a recovery draws nothing, and people carry it out: --random and --unattended are "
			 "for drills"));
	if (app->isolation)
		return app_usage(
		    app, "%s", text("a recovery is carried out for real: --isolation is for drills"));
	if ((app->numeric_owner || app->owner_map) && !app->same_owner)
		return app_usage(app, "%s", text("--numeric-owner and --owner-map go with --same-owner"));
	if (app->same_owner && geteuid() != 0)
		return app_usage(app, "%s", text("--same-owner is for root only"));
	code = session_begin(&r.s);
	if (!code)
		code = session_open(&r.s);
	if (!code)
		code = recover(&r);
	undo(&r);
	ledger_free(r.ledger);
	free(r.running);
	free(r.confirmed);
	session_end(&r.s);
	return code;
}
