/* app: see app.h.
 *
 * Several media: open_media() believes the first that opens, and asks the others for the same repository and
 * root key.  A generation's documents (open_generation) and root.age (open_root) may come from another medium
 * than the first when that one is damaged (use_medium); then that medium is the generation's, and its archives
 * are looked for there first.
 */
#include "restore/app/app.h"
#include "restore/app/age_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/arc_r.h"
#include "read/vault/keyring.h"
#include "read/vault/periods.h"
#include "read/vault/vault_r.h"
#include "restore/app/slip.h"
#include "restore/app/vouch.h"

void app_next(const struct err *err)
{
	if (err->hint[0])
		fprintf(stderr, "  → %s\n", err->hint);
	else
		fprintf(stderr, text("  → 'bkp-restore explain %s' says what to do\n"), err->code);
}

int app_error(const struct err *err, int code)
{
	fprintf(stderr, "bkp-restore: %s: %s\n", err->code, err->msg);
	app_next(err);
	return code;
}

void app_no_memory(void)
{
	struct err err = ERR_INIT;

	err_nomem(&err);
	_exit(app_error(&err, APP_FAILED));
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

__attribute__((format(printf, 3, 0))) static int usage(
    const struct app *app, const char *near, const char *fmt, va_list ap)
{
	struct err err = {.code = "E-USAGE-01"};

	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	err_hint(&err, text("see 'bkp-restore %s%s--help'"), app->command ? app->command->name : "",
	    app->command ? " " : "");
	return app_error(&err, APP_USAGE);
}

int app_usage(const struct app *app, const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage(app, NULL, fmt, ap);
	va_end(ap);
	return code;
}

int app_unknown(const struct app *app, const char *near, const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage(app, near, fmt, ap);
	va_end(ap);
	return code;
}

int app_flush(int code)
{
	struct err err = ERR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	err_sys(&err, "E-IO-03", errno, "%s", text("cannot write to standard output"));
	return app_error(&err, APP_FAILED);
}

bool app_entry_path(char **path)
{
	size_t n;

	while (**path == '/')
		(*path)++;
	for (n = strlen(*path); n && (*path)[n - 1] == '/'; n--)
		(*path)[n - 1] = '\0';
	return path_is_entry(*path);
}

int app_worse(int a, int b)
{
	return a > b ? a : b;
}

/* The first medium that opens decides which repository and root key the others must have. */
static void open_media(struct app *app)
{
	for (size_t i = 0; i < app->n_media; i++) {
		const char *repository = app->vault ? vault_r_repository(app->vault) : app->repository;
		const char *root_key = app->vault ? vault_r_root_key(app->vault) : app->root_key;
		struct err err = ERR_INIT;

		if (vault_r_open(app->media[i], repository, root_key, &app->vaults[i], &err)) {
			app_error(&err, APP_UNKNOWN);
			app->incomplete = true;
			continue;
		}
		if (app->throttle.rate)
			vault_r_throttle(app->vaults[i], &app->throttle);
		if (!app->vault) {
			app->vault = app->vaults[i];
			app->medium = app->media[i];
		}
	}
}

void app_close(struct app *app)
{
	age_aside_end(app->aside);
	keyring_free(app->keyring);
	for (size_t i = 0; i < app->n_media; i++)
		vault_r_close(app->vaults[i]);
}

int app_medium_folder(const struct app *app, size_t i)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	return app->vaults[i] ? openat(store_dir_fd(vault_r_store(app->vaults[i])), "..", flags)
			      : open(app->media[i], flags);
}

int app_vault(struct app *app)
{
	if (app->vault)
		return 0;
	if (!app->n_media)
		return app_usage(
		    app, "%s", text("--medium DIR is needed: the folder that holds bkp-medium.json"));
	open_media(app);
	if (!app->vault)
		return APP_UNKNOWN;
	/* keys that are missing make signatures of their epochs unverifiable, which is said there; all others
	 * verify */
	if (vault_r_keys_fault(app->vault)->code[0]) {
		app->incomplete = true; /* somebody should look at that medium */
		app_error(vault_r_keys_fault(app->vault), APP_OK);
	}
	if (!vault_r_root_key_compared(app->vault))
		app_note(app, text("this medium's root key is %s; compare it with the paper"),
		    vault_r_root_key(app->vault));
	return 0;
}

static struct keyring_passphrase passphrases(const struct app *app)
{
	return app->passphrase_file
		   ? (struct keyring_passphrase){keyring_file, (void *)(uintptr_t)app->passphrase_file}
		   : (struct keyring_passphrase){keyring_terminal, NULL};
}

int app_identities(struct app *app, const struct age_identity **ret_ids, size_t *ret_n)
{
	struct keyring_passphrase pass = passphrases(app);
	struct err err = ERR_INIT;
	size_t i;

	if (!app->n_identities)
		return app_usage(app, "%s", text("--identity FILE is needed: the recovery identity"));
	if (!app->keyring) {
		app->keyring = keyring_new();
		if (!app->keyring) {
			err_nomem(&err);
			return app_error(&err, APP_FAILED);
		}
		if (app->aside)
			keyring_use_age(app->keyring, age_aside_open, app->aside);
		for (i = 0; i < app->n_identities; i++)
			if (keyring_add_file(app->keyring, app->identities[i], &pass, &err))
				return app_error(&err, APP_FAILED);
	}
	*ret_ids = keyring_identities(app->keyring, ret_n);
	return 0;
}

static void use_medium(struct app_generation *g, size_t i, const struct err *why)
{
	app_error(why, APP_ATTENTION);
	g->app->incomplete = true;
	g->vault = g->app->vaults[i];
	g->medium = g->app->media[i];
}

/* Of the very same generation on another medium, where it is damaged on this one. */
static int open_root(struct app_generation *g, const struct age_identity *ids, size_t n, struct err *err)
{
	struct app *app = g->app;
	struct err why = ERR_INIT;

	if (!vault_r_root(g->vault, g->g, ids, n, &g->root, &why))
		return 0;
	for (size_t i = 0; i < app->n_media; i++) {
		struct vault_r_generation *other = NULL;

		if (!app->vaults[i] || app->vaults[i] == g->vault ||
		    vault_r_generation_open(app->vaults[i], g->dataset, g->number, &other, NULL))
			continue;
		if (!memcmp(vault_r_manifest_sha256(other), vault_r_manifest_sha256(g->g), DIGEST_LEN) &&
		    vault_r_generation_epoch(other) == vault_r_generation_epoch(g->g) &&
		    !vault_r_root(app->vaults[i], other, ids, n, &g->root, NULL)) {
			vault_r_generation_close(g->g);
			g->g = other;
			use_medium(g, i, &why);
			return 0;
		}
		vault_r_generation_close(other);
	}
	if (err)
		*err = why;
	return -1;
}

/* Archives are taken from the data set's folder on another medium, too, whether or not the generation stands there. */
static void find_others(struct app_generation *g)
{
	struct app *app = g->app;
	char dir[GENERATION_SET_DIR];

	generation_set_dir(g->dataset, dir);
	for (size_t i = 0; i < app->n_media; i++) {
		if (!app->vaults[i] || app->vaults[i] == g->vault ||
		    store_below(vault_r_store(app->vaults[i]), dir, &g->others[g->n_others], NULL))
			continue;
		g->borrowed[g->n_others] = &g->others[g->n_others];
		g->n_others++;
	}
}

int app_generation_wake(struct app_generation *g, struct err *err)
{
	struct arc_r_options opt = {
	    .cache_bytes = g->app->cache_bytes, .others = g->borrowed, .n_others = g->n_others};
	size_t n;
	const struct age_identity *ids = keyring_identities(g->app->keyring, &n);

	return g->arc ? 0 : arc_r_new(vault_r_generation_store(g->g), g->root, ids, n, &opt, &g->arc, err);
}

/* What is wrong with keys/ of a medium that opened all the same, once. */
static void say_unsigned(struct app *app, struct vault_r *v)
{
	const struct periods *p = vault_r_periods(v, NULL);

	for (uint32_t i = 1; p && i <= periods_newest(p); i++)
		if (periods_fault(p, i)->code[0]) {
			app->incomplete = true;
			app_error(periods_fault(p, i), APP_ATTENTION);
		}
}

/* The people's identities lead to those that open archives, on whatever medium keys/ is whole. */
static int unlock(struct app *app, struct err *err)
{
	struct keyring_passphrase pass = passphrases(app);
	struct err why = ERR_INIT;

	if (vault_r_unlock(app->vault, app->keyring, &pass, err)) {
		for (size_t i = 0; i < app->n_media && !app->unlocked; i++)
			app->unlocked = app->vaults[i] && app->vaults[i] != app->vault &&
					!vault_r_unlock(app->vaults[i], app->keyring, &pass, &why);
		if (!app->unlocked)
			return -1;
		app->incomplete = true;
		app_error(err, APP_ATTENTION);
	}
	app->unlocked = true;
	say_unsigned(app, app->vault);
	return 0;
}

static int find_unlocked(struct app *app, struct err *err)
{
	int r;

	if (app->unlocked)
		return 0;
	r = unlock(app, err);
	slip_used(app);
	return r;
}

int app_unlock(struct app *app, const struct age_identity **ret_ids, size_t *ret_n)
{
	struct err err = ERR_INIT;
	int r = app_vault(app);

	if (!r)
		r = app_identities(app, ret_ids, ret_n);
	if (!r && find_unlocked(app, &err))
		r = app_error(&err, APP_FAILED);
	if (!r)
		*ret_ids = keyring_identities(app->keyring, ret_n);
	return r;
}

/* Root and archives of an open generation. 0, -1. */
static int open_content(struct app_generation *g, struct err *err)
{
	size_t n;
	const struct age_identity *ids = keyring_identities(g->app->keyring, &n);

	if (open_root(g, ids, n, err))
		return -1;
	find_others(g);
	return app_generation_wake(g, err);
}

/* Its documents are read where they are whole; every copy of them is held against the journals. */
static int open_generation(struct app_generation *g, bool content, struct err *err)
{
	struct app *app = g->app;
	struct err why = ERR_INIT;

	if (!vault_r_generation_open(g->vault, g->dataset, g->number, &g->g, err))
		return 0;
	for (size_t i = 0; content && i < app->n_media; i++)
		if (app->vaults[i] && app->vaults[i] != g->vault &&
		    !vault_r_generation_open(app->vaults[i], g->dataset, g->number, &g->g, &why)) {
			use_medium(g, i, err);
			return 0;
		}
	return -1;
}

/* All of it could be had, but not from the medium that was named first. */
static void say_elsewhere(const struct app_generation *g)
{
	struct err why = ERR_INIT;
	uint64_t n = g->arc ? arc_r_elsewhere(g->arc, &why) : 0;

	if (!n)
		return;
	snprintf(why.code, sizeof(why.code), "W-ARCHIVE-18");
	err_wrap(&why,
	    text("'%s' is damaged; %ju archives or chunks were taken from another medium; the first"),
	    g->medium, (uintmax_t)n);
	err_hint(&why, "%s", text("'bkp repair' mends the damaged medium; if it cannot be, replace it"));
	app_error(&why, APP_ATTENTION);
	g->app->incomplete = true;
}

int app_generation(
    struct app *app, const char *dataset, uint64_t number, bool content, struct app_generation *ret)
{
	struct app_generation *g = ret;
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int r = app_vault(app);

	*g =
	    (struct app_generation){.app = app, .number = number, .vault = app->vault, .medium = app->medium};
	if (r)
		return r;
	snprintf(g->dataset, sizeof(g->dataset), "%s", dataset);
	generation_label(g->dataset, number, g->label);
	if (open_generation(g, content, &err)) {
		err_hint(&err, "%s",
		    text("'bkp-restore generations' shows what is here; another medium may have this one "
			 "whole"));
		return app_error(&err, APP_FAILED);
	}
	/* cmd_verify compares by itself, as faults among others */
	if (content)
		r = vouch_generation(app, g);
	if (content && !r) {
		r = app_unlock(app, &ids, &n);
		if (!r)
			slip_opened(app, g->label);
		if (!r && open_content(g, &err))
			r = app_error(&err, APP_FAILED);
	}
	if (r)
		app_generation_close(g);
	return r;
}

void app_generation_rest(struct app_generation *g)
{
	say_elsewhere(g);
	arc_r_free(g->arc);
	g->arc = NULL;
}

void app_generation_close(struct app_generation *g)
{
	app_generation_rest(g);
	for (size_t i = 0; i < g->n_others; i++)
		store_close(&g->others[i]);
	generation_root_free(g->root);
	vault_r_generation_close(g->g);
	memset(g, 0, sizeof(*g));
}
