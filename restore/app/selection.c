/* selection: see selection.h.
 *
 * Of a run first all names are found, on the media (look_for_run), then in a journal (name_missing), and only then
 * is anything opened.
 */
#include "restore/app/selection.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/medium/selector.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"

#define THERE 360
#define SHOW  300

/* ---- what there is ---- */

struct there {
	char text[THERE];
	char dataset[GENERATION_NAME];
	uint64_t first, last;
};

/* "emr@1 … emr@42" behind what stands there. */
static void end_dataset(struct there *t)
{
	char first[GENERATION_LABEL], last[GENERATION_LABEL];
	size_t n = strlen(t->text);

	if (!t->dataset[0])
		return;
	generation_label(t->dataset, t->last, last);
	snprintf(t->text + n, sizeof(t->text) - n, "%s%s%s%s", n ? ", " : "",
	    t->first < t->last ? generation_label(t->dataset, t->first, first) : "",
	    t->first < t->last ? " … " : "", last);
}

static int note_there(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct there *t = arg;

	(void)err;
	if (strcmp(t->dataset, dataset) != 0) {
		end_dataset(t);
		snprintf(t->dataset, sizeof(t->dataset), "%s", dataset);
		t->first = number;
	}
	t->last = number;
	return 0;
}

/* Each data set with its oldest and its newest generation. */
int selection_hint(const struct app *app, struct err *err)
{
	struct there t = {.text = ""};

	if (vault_r_numbers(app->vault, NULL, note_there, &t, NULL) || (end_dataset(&t), !t.text[0]))
		return err_hint(err, "%s", text("there is no generation on this medium"));
	return err_hint(err, text("there is: %s"), t.text);
}

int selection_ask(struct app *app)
{
	struct err err = ERR_INIT;
	int r = app_vault(app);

	if (r)
		return r;
	err_set(&err, "E-SELECT-01", "%s",
	    text(
		"which generation? as in emr@42, emr@latest, emr@2026-11-20 or emr@3d; 42 is all of run 42"));
	selection_hint(app, &err);
	return app_error(&err, APP_USAGE);
}

/* ---- one generation ---- */

/* Documents may be taken from any medium that was given; what is verified is the first. */
static size_t media_of(const struct app *app, bool content, struct vault_r *ret[APP_MEDIA])
{
	size_t n = 0;

	ret[n++] = app->vault;
	for (size_t i = 0; content && i < app->n_media; i++)
		if (app->vaults[i] && app->vaults[i] != app->vault)
			ret[n++] = app->vaults[i];
	return n;
}

static int take_highest(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	uint64_t *highest = arg;

	(void)dataset;
	(void)err;
	if (number > *highest)
		*highest = number;
	return 0;
}

/* The highest number on any of them.  Where one of them has something newer that cannot be opened there, that
 * may be the one that is meant: an older one is not taken for it. */
static int find_number(
    const struct app *app, const struct selector *s, bool content, uint64_t *ret, struct err *err)
{
	struct vault_r *media[APP_MEDIA];
	size_t n = media_of(app, content, media);
	uint64_t best = 0, unknown = 0, number;

	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;

		if (!vault_r_select(media[i], s, s->dataset, &number, &why)) {
			best = number > best ? number : best;
			continue;
		}
		if (why.kind != ERR_ABSENT && s->kind != SELECTOR_NUMBER &&
		    vault_r_numbers(media[i], s->dataset, take_highest, &unknown, NULL))
			unknown = UINT64_MAX;
		if (!err->code[0] || why.kind != ERR_ABSENT)
			*err = why;
	}
	*ret = best;
	return best && best >= unknown ? 0 : -1;
}

static int name_alone(struct app *app, const struct app_generation *g, bool content);

static int open_one(struct app *app, const struct selector *s, bool content, struct app_generation *ret)
{
	struct err err = ERR_INIT;
	uint64_t number;
	int r;

	if (find_number(app, s, content, &number, &err)) {
		err_hint(&err, "%s",
		    text("'bkp-restore generations' shows what is here; another medium may have this one "
			 "whole"));
		return app_error(&err, APP_FAILED);
	}
	r = app_generation(app, s->dataset, number, content, ret);
	if (!r && (r = name_alone(app, ret, content)))
		app_generation_close(ret);
	return r;
}

static int parse(struct app *app, const char *text_of, struct selector *ret)
{
	struct err err = ERR_INIT;

	return selector_parse(text_of, ret, &err) ? app_error(&err, APP_USAGE) : app_vault(app);
}

int selection_one(struct app *app, const char *selector, struct app_generation *ret)
{
	struct selector s;
	struct err err = ERR_INIT;
	int r = parse(app, selector, &s);

	if (r)
		return r;
	if (s.dataset[0])
		return open_one(app, &s, true, ret);
	err_set(&err, "E-SELECT-02", text("of one data set only: which of run %ju?"), (uintmax_t)s.number);
	selection_hint(app, &err);
	return app_error(&err, APP_USAGE);
}

/* ---- all of a run ---- */

struct found {
	uint64_t number;
	char (*name)[GENERATION_NAME];
	size_t n;
};

static bool is_found(const struct found *f, const char *dataset)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->name[i], dataset))
			return true;
	return false;
}

static int take_name(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct found *f = arg;
	void *more;

	if (number != f->number || is_found(f, dataset))
		return 0;
	more = reallocarray(f->name, f->n + 1, sizeof(*f->name));
	if (!more)
		return err_nomem(err);
	f->name = more;
	snprintf(f->name[f->n++], GENERATION_NAME, "%s", dataset);
	return 0;
}

static int look_for_run(struct app *app, bool content, struct found *f, struct err *err)
{
	struct vault_r *media[APP_MEDIA];
	size_t n = media_of(app, content, media);

	for (size_t i = 0; i < n; i++)
		if (vault_r_numbers(media[i], NULL, take_name, f, err))
			return -1;
	return 0;
}

/* What was captured together with it belongs to it: the newest of each may be of different nights. */
static int name_alone(struct app *app, const struct app_generation *g, bool content)
{
	const struct generation_manifest *m = vault_r_manifest(g->g);
	struct found f = {.number = m->id.number};
	struct err err = ERR_INIT;

	if (m->n_together && look_for_run(app, content, &f, &err)) {
		free(f.name);
		return app_error(&err, APP_UNKNOWN);
	}
	for (size_t i = 0; i < m->n_together; i++) {
		char label[GENERATION_LABEL];

		if (is_found(&f, m->together[i]))
			continue;
		err_set(&err, "W-RESTORE-20", text("%s was captured together with %s, which is not here"),
		    g->label, generation_label(m->together[i], m->id.number, label));
		err_hint(&err,
		    text("take both of one earlier run, or %s from another medium: 'bkp-restore "
			 "generations'"),
		    label);
		app_error(&err, APP_ATTENTION);
		app->incomplete = true;
	}
	free(f.name);
	return 0;
}

static const char *why_missing(const struct ledger_generation *g)
{
	switch (g->state) {
	case LEDGER_COMMITTED:
		return text("it was captured, and is not on this medium");
	case LEDGER_EXPIRED:
		return text("it has expired");
	case LEDGER_GEN_FAILED:
		return g->reason[0] ? g->reason : text("it failed");
	default:
		return text("it was begun, and of its end this journal says nothing");
	}
}

/* Those that the run was to capture and that nobody found.  Does the journal know the run at all? */
static bool name_missing(struct app *app, const struct ledger *l, const struct found *f)
{
	size_t first = 0, n = ledger_run(l, f->number, &first);

	for (size_t i = first; i < first + n; i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		char label[GENERATION_LABEL], why[SHOW];
		struct err err = ERR_INIT;

		if (is_found(f, g->dataset))
			continue;
		err_set(&err, "E-RESTORE-02", text("%s is not here: %s"),
		    generation_label(g->dataset, g->number, label),
		    path_show(why_missing(g), why, sizeof(why)));
		err_hint(&err, "%s",
		    text("take it from another medium, or an older one: 'bkp-restore generations'"));
		app_error(&err, APP_ATTENTION);
		app->incomplete = true;
	}
	return n > 0;
}

static bool ask_journal(struct app *app, struct store_file *file, const char *name, const struct found *f)
{
	size_t n_keys;
	const struct minisig_public *root = repository_keys(vault_r_facts(app->vault), &n_keys);
	struct ledger *l = NULL;
	bool known = !ledger_load_file(file, name, root, NULL, NULL, &l, NULL) && name_missing(app, l, f);

	ledger_free(l);
	return known;
}

/* Which data sets the run had, the journals know: the first that reports it is asked. */
static void ask_journals(struct app *app, const struct found *f)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < app->n_media; i++) {
		STORE_FILE_AUTO file = {0};

		if (app->vaults[i] && !segments_open(vault_r_store(app->vaults[i]), &file, NULL) &&
		    ask_journal(app, &file, app->media[i], f))
			return;
	}
	for (size_t i = 0; i < app->n_journals; i++) {
		STORE_FILE_AUTO file = {0};

		if (!segments_open_path(app->journals[i], &file, NULL) &&
		    ask_journal(app, &file, app->journals[i], f))
			return;
	}
	err_set(&err, "E-RESTORE-02",
	    text("which data sets run %ju had is not known: no journal at hand says it"),
	    (uintmax_t)f->number);
	err_hint(&err, "%s", text("name a newer copy of the journal with --journal FILE"));
	app_error(&err, APP_ATTENTION);
	app->incomplete = true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int open_run(struct app *app, const struct found *f, bool content, struct selection *ret)
{
	int r;

	ret->g = calloc(f->n, sizeof(*ret->g));
	if (!ret->g)
		app_no_memory();
	qsort(f->name, f->n, sizeof(*f->name), by_name);
	for (size_t i = 0; i < f->n; i++) {
		r = app_generation(app, f->name[i], f->number, content, &ret->g[ret->n]);
		if (r == APP_USAGE || r == APP_UNKNOWN)
			return r;
		ret->code = app_worse(ret->code, r);
		ret->n += !r;
	}
	return ret->n ? 0 : ret->code;
}

static int select_run(struct app *app, uint64_t number, bool content, struct selection *ret)
{
	struct found f = {.number = number};
	struct err err = ERR_INIT;
	int r;

	if (look_for_run(app, content, &f, &err)) {
		r = app_error(&err, APP_UNKNOWN);
	} else if (!f.n) {
		err_set(
		    &err, "E-RESTORE-01", text("nothing of run %ju is on this medium"), (uintmax_t)number);
		selection_hint(app, &err);
		r = app_error(&err, APP_FAILED);
	} else {
		ask_journals(app, &f);
		r = open_run(app, &f, content, ret);
	}
	free(f.name);
	return r;
}

/* ---- both ---- */

/* Whoever writes `42 emr` means emr@42. */
static int refuse_path(const struct app *app, const struct selector *s, const char *path)
{
	char near[GENERATION_LABEL], shown[SHOW];

	path_show(path, shown, sizeof(shown));
	if (generation_name_ok(path))
		return app_unknown(app, generation_label(path, s->number, near),
		    text("'%s': paths are of one data set, and %ju is all of a run"), shown,
		    (uintmax_t)s->number);
	return app_usage(app, text("'%s': paths are of one data set, and %ju is all of a run"), shown,
	    (uintmax_t)s->number);
}

int selection_open(
    struct app *app, const char *selector, const char *path, bool content, struct selection *ret)
{
	struct selection found = {.n = 0};
	const struct age_identity *ids;
	struct selector s;
	size_t n;
	int r = parse(app, selector, &s);

	found.run = !r && !s.dataset[0];
	if (!r && found.run && path)
		r = refuse_path(app, &s, path);
	if (!r && content)
		r = app_identities(app, &ids, &n);
	if (r)
		return r;
	if (found.run) {
		r = select_run(app, s.number, content, &found);
	} else {
		found.g = calloc(1, sizeof(*found.g));
		if (!found.g)
			app_no_memory();
		r = open_one(app, &s, content, &found.g[0]);
		found.n = !r;
	}
	if (r)
		selection_close(&found);
	else
		*ret = found;
	return r;
}

void selection_close(struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		app_generation_close(&s->g[i]);
	free(s->g);
	*s = (struct selection){.n = 0};
}
