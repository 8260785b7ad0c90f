/* bkp-restore drill FILE --to DIR: replays a recovery procedure, and records what became of it.
 *
 * begin_drill() needs no medium (procedure, variables, answers); then the medium and the passphrase, while ^C
 * still ends the program; then signals are held.  ready_drill() makes the folder and checks all that can be
 * known before anything is run; if it fails, undo_drill() leaves nothing behind.  run_drill() replays,
 * judges, erases and writes the record, in this order: the record says how the erasing went.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/slip.h"
#include "restore/app/within.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/drill_page.h"
#include "restore/drill/holders.h"
#include "restore/drill/prepare.h"
#include "restore/drill/procedure_file.h"
#include "restore/drill/provenance.h"
#include "restore/drill/record.h"
#include "restore/drill/replay.h"
#include "restore/drill/scratch.h"
#include "restore/drill/variables.h"

#define RECORD	   "drill.json"
#define PAGE	   "drill.html"
#define OUTPUT_MAX ((size_t)64 << 20)

struct session {
	struct app *app;
	const char *file;
	struct procedure *procedure;
	struct variables *variables;
	struct attest *attest;
	struct drill *d;
	struct scratch *scratch;
	struct interrupt *interrupt;
	struct app_generation *generation; /* room for one a step */
};

/* ---- before the beginning ---- */

static int take_answers(struct session *s, struct err *err)
{
	const struct procedure *p = s->procedure;
	char lines[200] = "";
	size_t i, n;

	for (i = 0; s->attest && i < p->n_steps; i++)
		if (s->attest->answer[i].given)
			s->d->step[i].answer = &s->attest->answer[i];
	if (!s->attest && isatty(STDIN_FILENO))
		return 0;
	for (i = 0; (i = attest_missing(s->attest, p, i)) < p->n_steps; i++) {
		n = strlen(lines);
		snprintf(lines + n, sizeof(lines) - n, "%s%u", n ? ", " : "", p->steps[i].line);
	}
	if (!lines[0])
		return 0;
	err_set(err, "E-DRILL-07", text("%s: steps that a person confirms have no answer, in line %s"),
	    s->file, lines);
	return err_hint(err, "%s",
	    s->attest ? text("add them to the file of --attest: {step: ID, answer: yes, by: NAME}")
		      : text("run it on a terminal, or answer beforehand with --attest FILE"));
}

static int about_run(struct session *s, struct err *err)
{
	struct drill *d = s->d;
	struct utsname host = {.nodename = ""};
	char *operator= slip_operator(s->app);

	uname(&host);
	d->variables = s->variables;
	d->operator_name = operator? drill_safe(operator, strlen(operator)) : NULL;
	free(operator);
	d->host = drill_safe(host.nodename, strlen(host.nodename));
	d->folder = strdup(scratch_path(s->scratch));
	d->medium_path = realpath(s->app->medium, NULL);
	d->repository = strdup(vault_r_repository(s->app->vault));
	d->site = drill_safe(vault_r_site(s->app->vault), strlen(vault_r_site(s->app->vault)));
	d->root_key = strdup(vault_r_root_key(s->app->vault));
	if (!d->operator_name || !d->host || !d->folder || !d->repository || !d->site || !d->root_key)
		return err_nomem(err);
	*strrchr(d->folder, '/') = '\0';
	return 0;
}

/* The medium's own identity; a copy of its files may have none. */
static int about_medium(struct session *s, struct err *err)
{
	struct medium_expect want = {.repository = vault_r_repository(s->app->vault)};
	struct err why = ERR_INIT;
	struct medium *m;

	want.keys = repository_keys(vault_r_facts(s->app->vault), &want.n_keys);
	if (medium_open(s->app->medium, &want, &m, &why)) {
		app_error(&why, APP_ATTENTION);
		return 0;
	}
	s->d->medium_uuid = strdup(medium_uuid(m));
	s->d->medium_label = drill_safe(medium_label(m), strlen(medium_label(m)));
	s->d->medium_type = strdup(medium_type(m));
	medium_close(m);
	return s->d->medium_uuid && s->d->medium_label && s->d->medium_type ? 0 : err_nomem(err);
}

static int set_engine_variables(struct session *s, struct err *err)
{
	char *file = realpath(s->file, NULL);
	int r = variables_engine(s->variables, "scratch", scratch_path(s->scratch), err) ||
		variables_engine(
		    s->variables, "medium", s->d->medium_path ? s->d->medium_path : s->app->medium, err) ||
		variables_engine(s->variables, "procedure", file ? file : s->file, err);

	free(file);
	return r ? -1 : 0;
}

/* What needs no medium: 0 or the exit code. */
static int begin_drill(struct session *s)
{
	struct err err = ERR_INIT;
	int r = procedure_file(s->file, &s->procedure, NULL);

	if (r)
		return r;
	if (variables_new(s->procedure, s->file, s->app->settings, s->app->n_settings, &s->variables, &err))
		return app_error(&err, APP_USAGE);
	if (s->app->attest)
		r = procedure_file_attest(s->app->attest, s->procedure, &s->attest);
	if (r)
		return r;
	if (drill_new(s->procedure, s->file, &s->d, &err))
		return app_error(&err, APP_FAILED);
	if (take_answers(s, &err))
		return app_error(&err, APP_USAGE);
	return 0;
}

/* The rest that can be wrong before anything is run. */
static int ready_drill(struct session *s)
{
	struct err err = ERR_INIT;

	s->generation = calloc(s->d->n + 1, sizeof(*s->generation));
	if (!s->generation)
		app_no_memory();
	if (provenance_check(s->app, s->file, s->procedure->sha256, &s->d->signed_on_medium, &err))
		return app_error(&err, APP_FAILED);
	if (within_refuse_media(s->app, s->app->to, &err) || scratch_make(s->app->to, &s->scratch, &err) ||
	    about_run(s, &err) || about_medium(s, &err) || set_engine_variables(s, &err))
		return app_error(&err, APP_FAILED);
	return prepare(s->app, s->d, s->variables, s->generation);
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

	if (record_format(s->d, &json, &err) || io_replace(dir, RECORD, 0600, json.p, json.n, &err))
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
		    clock_format_span(d->recovery_s, took),
		    clock_format_span((double)s->procedure->rto_s, goal));
	printf(text("record: %s/%s\n"), d->folder, RECORD);
	printf(text("to print and sign: %s/%s\n"), d->folder, PAGE);
}

static int run_drill(struct session *s)
{
	struct replay r = {.app = s->app,
	    .d = s->d,
	    .generation = s->generation,
	    .scratch = s->scratch,
	    .interrupt = s->interrupt};
	char **environment;
	struct err err = ERR_INIT;
	int code;

	environment = variables_environment(s->variables, scratch_path(s->scratch), &err);
	if (!environment)
		return app_error(&err, APP_FAILED);
	r.environment = environment;
	replay(&r);
	variables_environment_free(environment);
	drill_judge(s->d);
	erase_scratch(s);
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
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n_ids;
	int r;

	(void)argc;
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: an empty folder for the drill"));
	if (!app->n_media)
		return app_usage(
		    app, "%s", text("--medium DIR is needed: the folder that holds bkp-medium.json"));
	r = begin_drill(&s);
	/* a passphrase is asked for while ^C still ends the program */
	if (!r)
		r = app_vault(app);
	if (!r)
		r = app_identities(app, &ids, &n_ids);
	if (!r && interrupt_hold(&s.interrupt, &err))
		r = app_error(&err, APP_FAILED);
	if (!r) {
		r = ready_drill(&s);
		if (r)
			undo_drill(&s);
		else
			r = run_drill(&s);
	}
	interrupt_release(s.interrupt);
	for (size_t i = 0; s.generation && i < s.d->n_generations; i++)
		app_generation_close(&s.generation[i]);
	free(s.generation);
	scratch_free(s.scratch);
	drill_free(s.d);
	attest_free(s.attest);
	variables_free(s.variables);
	procedure_free(s.procedure);
	return r;
}
