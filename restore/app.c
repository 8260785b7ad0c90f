/* app: see app.h. */
#include "app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/generation.h"
#include "read/arc_r.h"
#include "read/keyring.h"
#include "read/vault_r.h"

int app_error(const struct err *err, int code)
{
	fprintf(stderr, "bkp-restore: %s: %s\n", err->code, err->msg);
	if (err->hint[0])
		fprintf(stderr, "  → %s\n", err->hint);
	return code;
}

void app_note(const struct app *app, const char *fmt, ...)
{
	va_list ap;

	if (app->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int app_usage(const struct app *app, const char *fmt, ...)
{
	va_list ap;

	fputs("bkp-restore: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (app->command)
		fprintf(stderr, "\n  → bkp-restore %s --help\n", app->command->name);
	else
		fputs("\n  → bkp-restore --help\n", stderr);
	return APP_USAGE;
}

int app_flush(int code)
{
	struct err err = ERR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	err_sys(&err, "E-IO-03", errno, "%s", text("cannot write to standard output"));
	return app_error(&err, APP_FAILED);
}

int app_worse(int a, int b)
{
	return a > b ? a : b;
}

int app_vault(struct app *app)
{
	struct err err = ERR_INIT;

	if (app->vault)
		return 0;
	if (!app->medium)
		return app_usage(
		    app, "%s", text("--medium DIR is needed: the folder that holds bkp-medium.json"));
	if (vault_r_open(app->medium, app->repository, app->root_key, &app->vault, &err))
		return app_error(&err, APP_UNKNOWN);
	/* whose signatures cannot be checked for it says so itself; the rest is as good as ever */
	if (vault_r_keys_fault(app->vault)->code[0] && !app->quiet)
		app_error(vault_r_keys_fault(app->vault), APP_OK);
	if (!vault_r_root_key_compared(app->vault))
		app_note(app, text("this medium's root key is %s; compare it with the paper"),
		    vault_r_root_key(app->vault));
	return 0;
}

int app_identities(struct app *app, const struct age_identity **ret_ids, size_t *ret_n)
{
	struct keyring_passphrase pass = {keyring_terminal, NULL};
	struct err err = ERR_INIT;
	size_t i;

	if (!app->n_identities)
		return app_usage(app, "%s", text("--identity FILE is needed: the recovery identity"));
	if (app->passphrase_file)
		pass = (struct keyring_passphrase){keyring_file, (void *)(uintptr_t)app->passphrase_file};
	if (!app->keyring) {
		app->keyring = keyring_new();
		if (!app->keyring) {
			err_nomem(&err);
			return app_error(&err, APP_FAILED);
		}
		for (i = 0; i < app->n_identities; i++)
			if (keyring_add_file(app->keyring, app->identities[i], &pass, &err))
				return app_error(&err, APP_FAILED);
	}
	*ret_ids = keyring_identities(app->keyring, ret_n);
	return 0;
}

static int parse_number(const char *s, uint64_t *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	return errno || *end || *ret == 0 || *ret > INT64_MAX ? -1 : 0;
}

static void on_damaged(void *arg, const struct err *why)
{
	struct app *app = arg;
	struct err said = *why;

	err_hint(&said, "%s",
	    text("what is unharmed in it is restored, chunk by chunk; use another medium for the rest"));
	app_error(&said, APP_FAILED);
	app->damaged = true;
}

/* Root and archives of an open generation. 0, -1. */
static int open_content(
    struct app *app, struct app_generation *g, const struct age_identity *ids, size_t n, struct err *err)
{
	struct arc_r_options opt = {.unhashed = app->trust_archives, .damaged = on_damaged, .arg = app};
	struct err why = ERR_INIT;

	if (vault_r_root(app->vault, g->g, ids, n, &g->root, err))
		return -1;
	g->chunk_id_key = sodium_malloc(DIGEST_LEN);
	if (!g->chunk_id_key)
		return err_nomem(err);
	/* without it a damaged archive cannot be used in part; whole ones can */
	if (!vault_r_chunk_id_key(app->vault, ids, n, g->chunk_id_key, &why)) {
		opt.chunk_id_key = g->chunk_id_key;
	} else {
		app_error(&why, APP_FAILED);
		app->damaged = true;
	}
	return arc_r_new(vault_r_fd(app->vault), g->root, ids, n, &opt, &g->arc, err);
}

int app_generation(struct app *app, const char *number, bool content, struct app_generation *ret)
{
	struct app_generation g = {0};
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int r;

	if (parse_number(number, &g.number))
		return app_usage(app, text("'%s' is not the number of a generation"), number);
	r = app_vault(app);
	if (r)
		return r;
	if (vault_r_generation_open(app->vault, g.number, &g.g, &err)) {
		err_hint(&err, "%s",
		    text("'bkp-restore generations' shows what is here; another medium may have this one "
			 "whole"));
		return app_error(&err, APP_FAILED);
	}
	if (content) {
		r = app_identities(app, &ids, &n);
		if (!r && open_content(app, &g, ids, n, &err))
			r = app_error(&err, APP_FAILED);
	}
	if (r)
		app_generation_close(&g);
	else
		*ret = g;
	return r;
}

void app_generation_close(struct app_generation *g)
{
	arc_r_free(g->arc);
	sodium_free(g->chunk_id_key);
	generation_root_free(g->root);
	vault_r_generation_close(g->g);
	memset(g, 0, sizeof(*g));
}

int app_dataset(const struct app_generation *g, const char *name, const struct generation_dataset **ret)
{
	const struct generation_manifest *m = vault_r_manifest(g->g);
	struct err err = ERR_INIT;
	char there[400] = "", shown[200];
	size_t i, n;

	*ret = generation_root_dataset(g->root, name);
	if (*ret)
		return 0;
	path_show(name, shown, sizeof(shown));
	for (i = 0; i < m->n_datasets; i++)
		if (!strcmp(m->datasets[i].name, name)) {
			err_set(&err, "E-RESTORE-02",
			    text("data set '%s' failed in generation %ju, nothing of it was stored"), shown,
			    g->number);
			err_hint(
			    &err, "%s", text("take it from an older generation: 'bkp-restore generations'"));
			return app_error(&err, APP_FAILED);
		}
	err_set(&err, "E-RESTORE-01", text("there is no data set '%s' in generation %ju"), shown, g->number);
	for (i = 0; i < g->root->n_datasets; i++) {
		n = strlen(there);
		path_show(g->root->datasets[i].name, shown, sizeof(shown));
		snprintf(there + n, sizeof(there) - n, "%s%s", i ? ", " : "", shown);
	}
	err_hint(&err, text("there is: %s"), there);
	return app_error(&err, APP_FAILED);
}
