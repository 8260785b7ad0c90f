/* prepare: see prepare.h.
 *
 * Order, because each part needs the one before: names of data sets with their variables; all generations of
 * the medium and which steps' data sets each holds (find_generations); the drill's generation, which is then
 * a variable itself; the generation of each step; all other texts (expand_texts); last the generations are
 * opened, each once, and their data sets looked for (check_all_datasets).  The drill's own stays open.
 */
#include "restore/drill/prepare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/drill/drill.h"
#include "restore/drill/scratch.h"
#include "restore/drill/variables.h"
#include "restore/extract/plan.h"

/* A generation of the medium. */
struct listed {
	uint64_t number;
	bool complete, usable; /* usable: its documents agree with their signature; archives may be missing */
	bool *has;	       /* of each step: its data set */
};

struct work {
	struct app *app;
	struct drill *d;
	struct variables *v;
	struct listed *list;
	size_t n, cap;
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
	*ret = variables_expand(w->v, text, err);
	return *ret ? 0 : at_step(w, s, err);
}

/* ---- which generations there are ---- */

static bool holds_dataset(const struct generation_manifest *m, const char *dataset)
{
	size_t i;

	for (i = 0; dataset && i < m->n_datasets; i++)
		if (!strcmp(m->datasets[i].name, dataset))
			return m->datasets[i].verdict != GENERATION_FAILED;
	return false;
}

static int each_generation(void *arg, const struct vault_r_listed *g, struct err *err)
{
	struct work *w = arg;
	struct listed *l;
	size_t i;

	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct listed *more = reallocarray(w->list, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		w->list = more;
		w->cap = cap;
	}
	l = &w->list[w->n];
	*l = (struct listed){g->number, g->state == VAULT_R_COMPLETE, g->manifest != NULL, NULL};
	l->has = calloc(w->d->n + 1, sizeof(*l->has));
	if (!l->has)
		return err_nomem(err);
	w->n++;
	for (i = 0; g->manifest && i < w->d->n; i++)
		l->has[i] = holds_dataset(g->manifest, w->d->step[i].dataset);
	return 0;
}

static const struct listed *find_listed(const struct work *w, uint64_t number)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->list[i].number == number)
			return &w->list[i];
	return NULL;
}

/* The newest ones are what matters when there are many. */
static int hint_there(const struct work *w, struct err *err)
{
	char there[300] = "";
	size_t i = w->n > 20 ? w->n - 20 : 0;

	if (!w->n)
		return err_hint(err, "%s", text("there is no generation on this medium"));
	snprintf(there, sizeof(there), "%s", i ? "…, " : "");
	for (; i < w->n; i++) {
		size_t n = strlen(there);

		snprintf(there + n, sizeof(there) - n, "%ju%s%s", (uintmax_t)w->list[i].number,
		    w->list[i].usable ? "" : text(" (unusable)"), i + 1 < w->n ? ", " : "");
	}
	return err_hint(err, text("on this medium there is: %s"), there);
}

static int check_there(const struct work *w, uint64_t number, struct err *err)
{
	const struct listed *l = find_listed(w, number);

	if (l && l->usable)
		return 0;
	if (l)
		err_set(err, "E-DRILL-04",
		    text("generation %ju on this medium is not finished, damaged or forged"), number);
	else
		err_set(err, "E-DRILL-04", text("generation %ju is not on this medium"), number);
	return hint_there(w, err);
}

static int parse_number(const char *s, uint64_t *ret, struct err *err)
{
	char *end, shown[100];
	uint64_t n;

	errno = 0;
	n = *s >= '0' && *s <= '9' ? strtoull(s, &end, 10) : 0;
	if (!n || errno || *end || n > INT64_MAX) {
		err_set_kind(err, ERR_USAGE, "E-DRILL-11", text("'%s' is not the number of a generation"),
		    path_show(s, shown, sizeof(shown)));
		return err_hint(err, "%s",
		    text("'bkp-restore generations' lists them; write digits half-width: 0123456789"));
	}
	*ret = n;
	return 0;
}

/* ---- the drill's generation ---- */

static bool needs_drills(const struct drill_step *s)
{
	return s->is->kind == PROCEDURE_RESTORE && !s->is->generation;
}

static bool suits_drill(const struct work *w, const struct listed *l, const struct drill_step **ret_lacking)
{
	size_t i;

	for (i = 0; i < w->d->n; i++)
		if (needs_drills(&w->d->step[i]) && !l->has[i]) {
			*ret_lacking = &w->d->step[i];
			return false;
		}
	return true;
}

static int choose_generation(const struct work *w, const char *wanted, uint64_t *ret, struct err *err)
{
	const struct drill_step *lacking = NULL, *first = NULL;
	char shown[200];
	size_t i;

	if (wanted)
		return parse_number(wanted, ret, err) || check_there(w, *ret, err) ? -1 : 0;
	for (i = w->n; i-- > 0;) {
		if (!w->list[i].complete)
			continue;
		if (suits_drill(w, &w->list[i], &lacking)) {
			*ret = w->list[i].number;
			return 0;
		}
		if (!first)
			first = lacking;
	}
	if (!first) {
		err_set(err, "E-DRILL-06", "%s", text("there is no complete generation on this medium"));
		err_hint(err, "%s", text("'bkp-restore generations' says what is wrong with each"));
		return -1;
	}
	err_set(err, "E-DRILL-06",
	    text("no complete generation on this medium holds data set '%s' with all others"),
	    path_show(first->dataset, shown, sizeof(shown)));
	hint_there(w, err);
	return at_step(w, first, err);
}

/* ---- the steps' generations ---- */

static int of_restore(struct work *w, size_t i, struct err *err)
{
	struct drill_step *s = &w->d->step[i];
	char *said = NULL, shown[200];
	size_t k = w->n;
	int r;

	s->generation = w->d->generation;
	if (!s->is->generation)
		return 0;
	if (expand_text(w, s, s->is->generation, &said, err))
		return -1;
	if (strcmp(said, "latest") != 0) {
		r = parse_number(said, &s->generation, err) || check_there(w, s->generation, err);
		free(said);
		return r ? at_step(w, s, err) : 0;
	}
	free(said);
	while (k-- > 0)
		if (w->list[k].complete && w->list[k].has[i]) {
			s->generation = w->list[k].number;
			return 0;
		}
	err_set(err, "E-DRILL-06", text("no complete generation on this medium holds data set '%s'"),
	    path_show(s->dataset, shown, sizeof(shown)));
	hint_there(w, err);
	return at_step(w, s, err);
}

/* A probe belongs to the generation its data set was last brought back from. */
static void of_probe(struct work *w, size_t i)
{
	struct drill_step *s = &w->d->step[i];
	size_t k = i;

	s->generation = w->d->generation;
	while (k-- > 0) {
		const struct drill_step *b = &w->d->step[k];

		if (b->is->kind == PROCEDURE_RESTORE && !strcmp(b->dataset, s->dataset)) {
			s->generation = b->generation;
			return;
		}
	}
}

static int find_generations(struct work *w, const char *wanted, struct err *err)
{
	char number[24];
	size_t i;

	for (i = 0; i < w->d->n; i++) {
		struct drill_step *s = &w->d->step[i];

		if (expand_text(w, s, s->is->kind == PROCEDURE_RESTORE ? s->is->dataset : s->is->probe,
			&s->dataset, err))
			return -1;
	}
	if (vault_r_list(w->app->vault, each_generation, w, err) ||
	    choose_generation(w, wanted, &w->d->generation, err))
		return -1;
	snprintf(number, sizeof(number), "%" PRIu64, w->d->generation);
	if (variables_engine(w->v, "generation", number, err))
		return -1;
	for (i = 0; i < w->d->n; i++) {
		if (w->d->step[i].is->kind == PROCEDURE_RESTORE && of_restore(w, i, err))
			return -1;
		if (w->d->step[i].is->kind == PROCEDURE_CHECK && w->d->step[i].dataset)
			of_probe(w, i);
	}
	return 0;
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
		if (s->is->kind == PROCEDURE_CHECK && expand_text(w, s, s->is->value, &s->expected, err))
			return -1;
		if (s->is->kind == PROCEDURE_RESTORE && (expand_place(w, s, err) || expand_paths(w, s, err)))
			return -1;
	}
	return 0;
}

/* ---- data sets ---- */

static int say_lacking(
    const struct work *w, const struct drill_step *s, const struct generation_root *root, struct err *err)
{
	char there[400] = "", shown[200];
	size_t i, n;

	for (i = 0; i < root->n_datasets; i++) {
		n = strlen(there);
		path_show(root->datasets[i].name, shown, sizeof(shown));
		snprintf(there + n, sizeof(there) - n, "%s%s", i ? ", " : "", shown);
	}
	err_set(err, "E-DRILL-05", text("there is no data set '%s' in generation %ju"),
	    path_show(s->dataset, shown, sizeof(shown)), s->generation);
	err_hint(err, text("there is: %s"), there);
	return at_step(w, s, err);
}

/* All steps that use this generation. */
static int check_datasets(struct work *w, const struct app_generation *g, struct err *err)
{
	size_t i;

	for (i = 0; i < w->d->n; i++) {
		struct drill_step *s = &w->d->step[i];
		const struct generation_dataset *ds;

		if (!s->dataset || s->generation != g->number)
			continue;
		ds = generation_root_dataset(g->root, s->dataset);
		if (!ds)
			return say_lacking(w, s, g->root, err);
		if (s->is->kind == PROCEDURE_CHECK && ds->probe) {
			s->expected = strdup(ds->probe);
			if (!s->expected)
				return err_nomem(err);
		}
	}
	return 0;
}

/* Opens each generation once; keeps the drill's. */
static int check_all_datasets(struct work *w, struct app_generation *ret)
{
	struct err err = ERR_INIT;
	char number[24];
	size_t i, k;
	int r;

	snprintf(number, sizeof(number), "%" PRIu64, w->d->generation);
	r = app_generation(w->app, number, true, ret);
	if (r)
		return r;
	if (check_datasets(w, ret, &err))
		return app_error(&err, APP_FAILED);
	for (i = 0; i < w->d->n; i++) {
		struct app_generation g;

		for (k = 0; k < i && w->d->step[k].generation != w->d->step[i].generation; k++)
			;
		if (!w->d->step[i].dataset || k < i || w->d->step[i].generation == w->d->generation)
			continue;
		snprintf(number, sizeof(number), "%" PRIu64, w->d->step[i].generation);
		r = app_generation(w->app, number, true, &g);
		if (r)
			return r;
		if (check_datasets(w, &g, &err))
			r = app_error(&err, APP_FAILED);
		app_generation_close(&g);
		if (r)
			return r;
	}
	return 0;
}

int prepare(struct app *app, const char *wanted, struct drill *d, struct variables *v,
    struct app_generation *ret_generation)
{
	struct work w = {.app = app, .d = d, .v = v};
	struct app_generation g = {0};
	struct err err = ERR_INIT;
	int r;

	if (find_generations(&w, wanted, &err) || expand_texts(&w, &err))
		r = app_error(&err, err.kind != ERR_USAGE ? APP_FAILED : APP_USAGE);
	else
		r = check_all_datasets(&w, &g);
	while (w.n)
		free(w.list[--w.n].has);
	free(w.list);
	if (r)
		app_generation_close(&g);
	else
		*ret_generation = g;
	return r;
}
