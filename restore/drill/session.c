/* session: see session.h. */
#include "restore/drill/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "read/file/secret_file.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/slip.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/procedure_file.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"

int session_answered(const struct session *s, struct err *err)
{
	const struct procedure *p = s->procedure;
	char lines[200] = "";
	size_t i, n;

	if (s->app->unattended || (!s->attest && isatty(STDIN_FILENO)))
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
	d->repository = strdup(vault_r_repository(s->app->vault));
	d->site = drill_safe(vault_r_site(s->app->vault), strlen(vault_r_site(s->app->vault)));
	d->root_key = strdup(vault_r_root_key(s->app->vault));
	if (!d->operator_name || !d->host || !d->folder || !d->repository || !d->site || !d->root_key)
		return err_nomem(err);
	*strrchr(d->folder, '/') = '\0';
	return 0;
}

/* The medium's own identity; a copy of its files may have none. */
int session_medium(struct session *s, struct err *err)
{
	struct medium_expect want = {.repository = vault_r_repository(s->app->vault)};
	struct err why = ERR_INIT;
	struct drill *d = s->d;
	struct medium *m;

	free(d->medium_path);
	free(d->medium_uuid);
	free(d->medium_label);
	free(d->medium_type);
	d->medium_uuid = d->medium_label = d->medium_type = NULL;
	d->medium_path = realpath(s->app->medium, NULL);
	if (variables_engine(s->variables, "medium", d->medium_path ? d->medium_path : s->app->medium, err))
		return -1;
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
		variables_engine(s->variables, "procedure", file ? file : s->file, err);

	free(file);
	return r ? -1 : 0;
}

/* Where the recovered system is to live a drill must not come near. */
static int move_target(struct session *s, struct err *err)
{
	char *below = NULL;
	int r;

	if (s->d->recovery || !s->procedure->target)
		return 0;
	if (asprintf(&below, "%s/target", scratch_path(s->scratch)) < 0)
		return err_nomem(err);
	r = variables_replace(s->variables, s->procedure->target, below, err);
	free(below);
	return r;
}

int session_about(struct session *s, struct err *err)
{
	s->generation = calloc(s->d->n + 1, sizeof(*s->generation));
	if (!s->generation)
		return err_nomem(err);
	return move_target(s, err) || about_run(s, err) || session_medium(s, err) ||
		       set_engine_variables(s, err)
		   ? -1
		   : 0;
}

static bool asks_for_suspects(const struct procedure *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].select && !strcmp(p->steps[i].select, "newest-not-suspect"))
			return true;
	return false;
}

int session_begin(struct session *s)
{
	struct err err = ERR_INIT;
	int r = procedure_file(s->file, &s->procedure, NULL);

	if (r)
		return r;
	if (variables_new(s->procedure, s->file, s->app->settings, s->app->n_settings, &s->variables, &err))
		return app_error(&err, APP_USAGE);
	if (s->app->known_bad && !asks_for_suspects(s->procedure))
		return app_usage(s->app, "%s",
		    text("--known-bad: no step of the procedure says 'select: newest-not-suspect'"));
	if (s->app->attest)
		r = procedure_file_attest(s->app->attest, s->procedure, &s->attest);
	if (r)
		return r;
	if (drill_new(s->procedure, s->file, &s->d, &err))
		return app_error(&err, APP_FAILED);
	for (size_t i = 0; s->attest && i < s->d->n; i++)
		if (s->attest->answer[i].given)
			s->d->step[i].answer = &s->attest->answer[i];
	return 0;
}

int session_open(struct session *s)
{
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int r = app_vault(s->app);

	if (!r)
		r = app_identities(s->app, &ids, &n);
	if (!r && interrupt_hold(&s->interrupt, &err))
		r = app_error(&err, APP_FAILED);
	return r;
}

int session_sign(
    const struct session *s, const char *name, const char *comment, const struct buf *json, struct err *err)
{
	struct minisig_secret *key = NULL;
	BUF_AUTO sig = BUF_INIT(16384);
	char beside[64];
	int r;

	if (!s->app->sign_slip)
		return 0;
	if (secret_file_read(s->app->sign_slip, &key, err))
		return -1;
	snprintf(beside, sizeof(beside), "%s.minisig", name);
	r = minisig_sign(key, json->p, json->n, comment, &sig, err) ||
	    io_replace(scratch_dirfd(s->scratch), beside, 0600, sig.p, sig.n, err);
	secret_file_forget(key);
	return r ? -1 : 0;
}

void session_end(struct session *s)
{
	interrupt_release(s->interrupt);
	for (size_t i = 0; s->generation && i < s->d->n_generations; i++)
		app_generation_close(&s->generation[i]);
	free(s->generation);
	scratch_free(s->scratch);
	drill_free(s->d);
	attest_free(s->attest);
	variables_free(s->variables);
	procedure_free(s->procedure);
}
