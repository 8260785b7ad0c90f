/* prepare: see prepare.h.
 *
 * Order, because each part needs the one before: data sets with the procedure's variables; the generation of each
 * (choose_generations), which together are a variable themselves; all other texts (expand_texts); last each
 * generation is opened, and stays open (open_generations).
 */
#include "restore/drill/prepare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/medium/selector.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/selection.h"
#include "restore/choose/choose.h"
#include "restore/drill/drill.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"
#include "restore/extract/plan.h"

#define LABELS_MAX 4096

struct work {
	struct app *app;
	struct drill *d;
	struct variables *v;
};

/* "file:line: " in front; -1. */
static int at_step(const struct work *w, const struct drill_step *s, struct err *err)
{
	return err_wrap(err, "%s:%u", w->d->file, s->is->line);
}

static int expand_text(
    struct work *w, const struct drill_step *s, const char *text, char **ret, struct err *err)
{
	if (!text)
		return 0;
	free(*ret);
	*ret = variables_expand(w->v, text, err);
	return *ret ? 0 : at_step(w, s, err);
}

/* ---- the steps' generations ---- */

static int parse_when(const char *dataset, const char *when, struct selector *ret, struct err *err)
{
	char typed[128], shown[100];

	if (generation_name_ok(dataset) &&
	    snprintf(typed, sizeof(typed), "%s@%s", dataset, when) < (int)sizeof(typed) &&
	    !selector_parse(typed, ret, NULL))
		return 0;
	if (!generation_name_ok(dataset))
		return err_set(err, "E-DRILL-05", text("'%s' cannot be the name of a data set"),
		    path_show(dataset, shown, sizeof(shown)));
	err_set_kind(err, ERR_USAGE, "E-DRILL-11", text("'%s' does not say which generation"),
	    path_show(when, shown, sizeof(shown)));
	return err_hint(err, "%s",
	    text("a number, latest, a day as in 2026-11-20, or 3d; write it half-width: 0123456789"));
}

/* The drill's generation of that name; made when it is the first step's to use it. */
static const struct drill_generation *note_generation(struct drill *d, const char *dataset, uint64_t number)
{
	struct drill_generation *g = d->generation;

	for (; g < d->generation + d->n_generations; g++)
		if (g->number == number && !strcmp(g->dataset, dataset))
			return g;
	d->n_generations++; /* there is room for one a step */
	g->number = number;
	snprintf(g->dataset, sizeof(g->dataset), "%s", dataset);
	generation_label(dataset, number, g->label);
	return g;
}

static int parse_number(const struct drill_step *s, struct selector *ret, struct err *err)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, s->wanted);
	return parse_when(s->dataset, number, ret, err);
}

static int parse_select(const char *dataset, const char *said, struct choose *c, struct err *err)
{
	struct procedure_select select;
	char shown[100];

	if (parse_when(dataset, "latest", &c->sel, err))
		return -1;
	if (!procedure_select_parse(said, &select)) {
		err_set_kind(err, ERR_USAGE, "E-DRILL-11", text("'%s' does not say which generation"),
		    path_show(said, shown, sizeof(shown)));
		return err_hint(err, "%s",
		    text("a day as in 2026-11-20, or a time as in 2026-11-20 06:00; write it half-width"));
	}
	c->not_suspect = select.kind == PROCEDURE_NOT_SUSPECT;
	c->before_ns = select.kind == PROCEDURE_BEFORE ? select.before_ns : 0;
	if (select.day) {
		c->sel.kind = SELECTOR_DATE;
		c->sel.number =
		    select.day - 1; /* as numbers 20261100 lies between the last of October and 20261101 */
	}
	return 0;
}

static int of_step(struct work *w, struct drill_step *s, struct err *err)
{
	const char *at = w->app->at ? w->app->at : "latest";
	char *said = NULL;
	struct choose c = {.below = 0};
	uint64_t number = 0;
	int r = expand_text(w, s, s->is->select ? s->is->select : s->is->generation, &said, err);

	if (r)
		return -1;
	if (s->wanted)
		r = parse_number(s, &c.sel, err);
	else if (s->is->select)
		r = parse_select(s->dataset, said, &c, err);
	else
		r = parse_when(s->dataset, said ? said : at, &c.sel, err);
	/* what the procedure or --at says stays said */
	c.random = w->d->random && !s->wanted && !said && !w->app->at;
	c.draw = c.random ? drill_draw(w->d->seed, s->dataset) : 0;
	r = r || choose_generation(w->app, &c, &number, err);
	free(said);
	if (r)
		return at_step(w, s, err);
	s->from = note_generation(w->d, s->dataset, number);
	return 0;
}

static bool says_which(const struct procedure_step *s)
{
	return s->generation || s->select;
}

/* A probe belongs to the generation its data set was last brought back from; who says nothing else gets the one
 * that was chosen before. */
static const struct drill_generation *as_before(const struct work *w, const struct drill_step *s)
{
	for (const struct drill_step *b = s; b-- > w->d->step;)
		if (b->dataset && !strcmp(b->dataset, s->dataset) &&
		    (s->is->kind == PROCEDURE_CHECK || (!says_which(s->is) && !says_which(b->is))))
			return b->from;
	return NULL;
}

static int name_generations(struct work *w, struct err *err)
{
	char labels[LABELS_MAX] = "";

	for (size_t i = 0; i < w->d->n_generations; i++) {
		size_t n = strlen(labels);

		snprintf(labels + n, sizeof(labels) - n, "%s%s", n ? " " : "", w->d->generation[i].label);
	}
	return variables_engine(w->v, "generation", labels, err);
}

static int choose_generations(struct work *w, struct err *err)
{
	w->d->generation = calloc(w->d->n + 1, sizeof(*w->d->generation));
	if (!w->d->generation)
		return err_nomem(err);
	for (struct drill_step *s = w->d->step; s < w->d->step + w->d->n; s++) {
		if (expand_text(w, s, s->is->kind == PROCEDURE_RESTORE ? s->is->dataset : s->is->probe,
			&s->dataset, err))
			return -1;
		s->from = s->dataset && !s->wanted ? as_before(w, s) : NULL;
		if (s->dataset && !s->from && of_step(w, s, err))
			return -1;
	}
	return name_generations(w, err);
}

/* ---- texts and places ---- */

static int expand_place(struct work *w, struct drill_step *s, struct err *err)
{
	char shown[300];

	if (expand_text(w, s, s->is->to, &s->to, err))
		return -1;
	if (path_is_entry(s->to) && !path_within(s->to, SCRATCH_TMP))
		return 0;
	err_set(err, "E-DRILL-10", text("'%s' is not a folder that can be made below the scratch folder"),
	    path_show(s->to, shown, sizeof(shown)));
	err_hint(err, text("a relative path without '..', not below '%s'"), SCRATCH_TMP);
	return at_step(w, s, err);
}

static int expand_paths(struct work *w, struct drill_step *s, struct err *err)
{
	struct plan *plan;
	size_t i;

	while (s->n_paths)
		free(s->paths[--s->n_paths]);
	free(s->paths);
	s->paths = calloc(s->is->n_paths + 1, sizeof(*s->paths));
	if (!s->paths)
		return err_nomem(err);
	for (i = 0; i < s->is->n_paths; i++) {
		if (expand_text(w, s, s->is->paths[i], &s->paths[i], err))
			return -1;
		s->n_paths = i + 1;
	}
	if (plan_new(s->paths, s->n_paths, &plan, err))
		return at_step(w, s, err);
	plan_free(plan);
	return 0;
}

static int expand_texts(struct work *w, struct err *err)
{
	size_t i;

	for (i = 0; i < w->d->n; i++) {
		struct drill_step *s = &w->d->step[i];

		if (expand_text(w, s, s->is->who, &s->who, err) ||
		    expand_text(w, s, s->is->what, &s->what, err) ||
		    expand_text(w, s, s->is->how, &s->how, err) ||
		    expand_text(w, s, s->is->pass, &s->pass, err))
			return -1;
		if (expand_text(w, s, s->is->statement, &s->statement, err))
			return -1;
		if (s->is->kind == PROCEDURE_CHECK && expand_text(w, s, s->is->value, &s->expected, err))
			return -1;
		if (s->is->kind == PROCEDURE_RESTORE && (expand_place(w, s, err) || expand_paths(w, s, err)))
			return -1;
	}
	return 0;
}

/* ---- what is in them ---- */

static int take_probes(
    const struct work *w, const struct drill_generation *g, const char *probe, struct err *err)
{
	for (struct drill_step *s = w->d->step; s < w->d->step + w->d->n; s++)
		if (s->from == g && s->is->kind == PROCEDURE_CHECK) {
			free(s->expected);
			s->expected = strdup(probe);
			if (!s->expected)
				return err_nomem(err);
		}
	return 0;
}

static int open_one(struct work *w, struct drill_generation *g, struct app_generation *open)
{
	struct err err = ERR_INIT;
	bool unvouched = w->app->unvouched;
	const struct generation_manifest *m;
	int r;

	w->app->unvouched = false;
	r = app_generation(w->app, g->dataset, g->number, true, open);
	g->vouched = !w->app->unvouched;
	w->app->unvouched |= unvouched;
	if (r)
		return r;
	m = vault_r_manifest(open->g);
	g->begun_ns = m->begun_ns;
	snprintf(g->uuid, sizeof(g->uuid), "%s", m->id.uuid);
	if (open->root->dataset.probe && take_probes(w, g, open->root->dataset.probe, &err))
		return app_error(&err, APP_FAILED);
	app_generation_rest(open);
	return 0;
}

int prepare(struct app *app, struct drill *d, struct variables *v, struct app_generation *open)
{
	struct work w = {.app = app, .d = d, .v = v};
	struct err err = ERR_INIT;
	struct selector ignored;
	int r = 0;

	if ((app->at && parse_when("x", app->at, &ignored, &err)) || choose_generations(&w, &err) ||
	    expand_texts(&w, &err))
		return app_error(&err, err.kind != ERR_USAGE ? APP_FAILED : APP_USAGE);
	for (size_t i = 0; i < d->n_generations && !r; i++)
		r = open_one(&w, &d->generation[i], &open[i]);
	drill_order(d);
	return r;
}

int prepare_again(struct app *app, struct drill *d, struct variables *v, struct drill_generation *g,
    uint64_t number, struct app_generation *open)
{
	struct work w = {.app = app, .d = d, .v = v};
	struct err err = ERR_INIT;

	for (struct drill_step *s = d->step; s < d->step + d->n; s++)
		if (s->from == g && s->is->kind == PROCEDURE_CHECK) {
			free(s->expected); /* another one may have none */
			s->expected = NULL;
		}
	g->number = number;
	generation_label(g->dataset, number, g->label);
	app_generation_close(open);
	if (name_generations(&w, &err) || expand_texts(&w, &err))
		return app_error(&err, APP_FAILED);
	return open_one(&w, g, open);
}
