/* chosen: see chosen.h. */
#include "cmd/app/chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "read/ledger/ledger.h"

#define SHOW 128

int chosen_parse(char **words, size_t n, bool datasets, struct chosen *ret)
{
	struct err err = ERR_INIT;
	*ret = (struct chosen){.asked = calloc(n + 1, sizeof(*ret->asked)), .n_asked = n};
	if (!ret->asked)
		return app_error((err_nomem(&err), &err), APP_FAILED);
	for (size_t i = 0; i < n; i++) {
		ret->asked[i].typed = words[i];
		ret->asked[i].whole = datasets && generation_name_ok(words[i]);
		if (!ret->asked[i].whole && selector_parse(words[i], &ret->asked[i].s, &err)) {
			chosen_free(ret);
			return app_error(&err, APP_USAGE);
		}
	}
	return APP_OK;
}

void chosen_free(struct chosen *c)
{
	free(c->asked);
	free(c->item);
	*c = (struct chosen){.asked = NULL};
}

bool chosen_has(const struct chosen *c, const char *dataset, uint64_t number)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->item[i].number == number && !strcmp(c->item[i].dataset, dataset))
			return true;
	return false;
}

void chosen_resolve(const struct ledger *l, struct chosen *c)
{
	for (size_t i = 0; i < c->n_asked; i++) {
		struct chosen_asked *a = &c->asked[i];

		if (!a->whole)
			a->number = a->s.kind == SELECTOR_NUMBER ? a->s.number
								 : ledger_select(l, &a->s, a->s.dataset);
	}
}

bool chosen_fits(struct chosen *c, const char *dataset, uint64_t number)
{
	bool any = !c->n_asked;

	for (size_t i = 0; i < c->n_asked; i++) {
		struct chosen_asked *a = &c->asked[i];
		bool fits = a->whole
				? !strcmp(a->typed, dataset)
				: number == a->number && (!*a->s.dataset || !strcmp(a->s.dataset, dataset));

		a->found = a->found || fits;
		any = any || fits;
	}
	return any;
}

char *chosen_fate(const struct ledger_generation *g, char out[CHOSEN_FATE])
{
	char why[CHOSEN_FATE / 2];

	if (g->state == LEDGER_GEN_FAILED)
		snprintf(out, CHOSEN_FATE, text("failed: %s"),
		    *g->reason ? path_show(g->reason, why, sizeof(why)) : text("no reason is on record"));
	else
		snprintf(out, CHOSEN_FATE, "%s",
		    g->state == LEDGER_EXPIRED	   ? text("expired on every medium that held it")
		    : g->state == LEDGER_ABANDONED ? text("begun and never finished")
						   : text("begun, and nothing is known of its end yet"));
	width_whole(out);
	return out;
}

static bool is_there(const struct ledger_generation *g, bool expired)
{
	return g->state == LEDGER_COMMITTED || (expired && g->state == LEDGER_EXPIRED);
}

static int add_item(struct chosen *c, const struct ledger_generation *g, bool by_run)
{
	struct chosen_item *p;

	if (chosen_has(c, g->dataset, g->number))
		return 0;
	p = reallocarray(c->item, c->n + 1, sizeof(*p));
	if (!p)
		return -1;
	c->item = p;
	p[c->n] = (struct chosen_item){.number = g->number, .by_run = by_run};
	snprintf(p[c->n++].dataset, sizeof(p->dataset), "%s", g->dataset);
	return 0;
}

/* The data set that was probably meant, or NULL: it is known as it is. */
static const char *near_name(const struct ledger *l, const char *name)
{
	const char *near = NULL;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const char *known = ledger_generation(l, i)->dataset;

		if (!strcmp(known, name))
			return NULL;
		if (!near)
			near = suggest_word(name, &known, 1);
	}
	return near;
}

/* g: what is known of it, or NULL. */
static void say_missing(struct chosen *c, const struct ledger *l, const struct chosen_asked *a,
    const struct ledger_generation *g, int code)
{
	char label[GENERATION_LABEL], fate[CHOSEN_FATE], show[SHOW];
	const char *name = a->whole ? a->typed : a->s.dataset,
		   *near = *name && !g ? near_name(l, name) : NULL;
	struct err err = ERR_INIT;

	if (g)
		err_set(&err, "E-SELECT-03", "%s: %s", generation_label(g->dataset, g->number, label),
		    chosen_fate(g, fate));
	else
		err_set(&err, "E-SELECT-03", text("there is no generation %s"),
		    path_show(a->typed, show, sizeof(show)));
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	else if (*a->s.dataset)
		err_hint(&err, text("see them with 'bkp generations %s'"), name);
	else
		err_hint(&err, "%s", text("see them with 'bkp generations'"));
	app_error(&err, code);
	if (!c->why.code[0])
		c->why = err;
	c->code = code > c->code ? code : c->code;
}

static int find_in_run(const struct ledger *l, bool expired, const struct chosen_asked *a, struct chosen *c)
{
	size_t first = 0, n = ledger_run(l, a->s.number, &first), there = 0;

	for (size_t i = first; i < first + n; i++)
		there += is_there(ledger_generation(l, i), expired);
	for (size_t i = first; i < first + n; i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (!is_there(g, expired))
			say_missing(c, l, a, g, there ? APP_ATTENTION : APP_FAILED);
		else if (add_item(c, g, true))
			return -1;
	}
	if (!n)
		say_missing(c, l, a, NULL, APP_FAILED);
	return 0;
}

static int find_one(const struct ledger *l, bool expired, const struct chosen_asked *a, struct chosen *c)
{
	const struct ledger_generation *g =
	    a->number ? ledger_generation_of(l, a->s.dataset, a->number) : NULL;

	if (g && is_there(g, expired))
		return add_item(c, g, false);
	say_missing(c, l, a, g, APP_FAILED);
	return 0;
}

static int find_whole(const struct ledger *l, bool expired, const struct chosen_asked *a, struct chosen *c)
{
	bool there = false;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (strcmp(g->dataset, a->typed) != 0 || !is_there(g, expired))
			continue;
		there = true;
		if (add_item(c, g, true))
			return -1;
	}
	if (!there)
		say_missing(c, l, a, NULL, APP_FAILED);
	return 0;
}

int chosen_find(const struct ledger *l, bool expired, struct chosen *c)
{
	struct err err = ERR_INIT;

	chosen_resolve(l, c);
	for (size_t i = 0; i < c->n_asked; i++) {
		const struct chosen_asked *a = &c->asked[i];

		if (a->whole	    ? find_whole(l, expired, a, c)
		    : *a->s.dataset ? find_one(l, expired, a, c)
				    : find_in_run(l, expired, a, c)) {
			chosen_free(c);
			return app_error((err_nomem(&err), &err), APP_FAILED);
		}
	}
	return APP_OK;
}
