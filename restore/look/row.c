/* row: see row.h. */
#include "restore/look/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/selection.h"

struct collecting {
	const struct app *app;
	struct row *row;
};

static struct row_set *set_of(struct row *r, const char *dataset, struct err *err)
{
	struct row_set *more;

	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->sets[i].dataset, dataset))
			return &r->sets[i];
	more = reallocarray(r->sets, r->n + 1, sizeof(*more));
	if (!more) {
		err_nomem(err);
		return NULL;
	}
	r->sets = more;
	r->sets[r->n] = (struct row_set){.n = 0};
	snprintf(r->sets[r->n].dataset, GENERATION_NAME, "%s", dataset);
	return &r->sets[r->n++];
}

static int take_number(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct collecting *c = arg;
	struct row_set *s;
	uint64_t *more;

	if (number < c->app->from || (c->app->upto && number > c->app->upto))
		return 0;
	s = set_of(c->row, dataset, err);
	more = s ? reallocarray(s->numbers, s->n + 1, sizeof(*more)) : NULL;
	if (!more)
		return err_nomem(err);
	s->numbers = more;
	s->numbers[s->n++] = number;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_dataset(const void *a, const void *b)
{
	const struct row_set *x = a, *y = b;

	return strcmp(x->dataset, y->dataset);
}

/* What stands on several media is one. */
static void sort_set(struct row_set *s)
{
	size_t n = 0;

	qsort(s->numbers, s->n, sizeof(*s->numbers), by_number);
	for (size_t i = 0; i < s->n; i++)
		if (!n || s->numbers[n - 1] != s->numbers[i])
			s->numbers[n++] = s->numbers[i];
	s->n = n;
}

/* "2026-11-20": from the beginning of that day; "30d": days ago. */
int row_since(const char *s, int64_t *ret)
{
	const int64_t day = 86400 * SECOND_NS;
	char *end;
	unsigned long days = strtoul(s, &end, 10);

	if (*s >= '1' && *s <= '9' && end[0] == 'd' && !end[1] && days <= 36500) {
		*ret = clock_read(CLOCK_REALTIME) - (int64_t)days * day;
		return 0;
	}
	if (clock_parse_day(s, ret)) /* its noon */
		return -1;
	*ret -= day / 2;
	return 0;
}

int row_new(struct app *app, const char *dataset, struct row *ret)
{
	struct row r = {.since_ns = INT64_MIN};
	struct collecting c = {app, &r};
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int code, bad = 0;

	if (dataset && !generation_name_ok(dataset))
		return app_usage(app, text("'%s' is no name of a data set"), dataset);
	if (app->since && row_since(app->since, &r.since_ns))
		return app_usage(
		    app, text("--since: '%s' is no day, as 2026-11-20, nor days ago, as 30d"), app->since);
	code = app_unlock(app, &ids, &n);
	if (code)
		return code;
	for (size_t i = 0; i < app->n_media && !bad; i++)
		bad = app->vaults[i] && vault_r_numbers(app->vaults[i], dataset, take_number, &c, &err);
	for (size_t i = 0; i < r.n; i++)
		sort_set(&r.sets[i]);
	if (!bad && !r.n) {
		err_set(&err, "E-LOOK-02", "%s", text("there is no such generation on these media"));
		selection_hint(app, &err);
		bad = 1;
	}
	if (bad) {
		row_free(&r);
		return app_error(&err, APP_FAILED);
	}
	qsort(r.sets, r.n, sizeof(*r.sets), by_dataset);
	*ret = r;
	return 0;
}

void row_free(struct row *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->sets[i].numbers);
	free(r->sets);
	*r = (struct row){.n = 0};
}

int row_each(struct app *app, const struct row *r, const struct row_set *set, row_fn *fn, void *arg)
{
	int code = APP_OK;

	for (size_t i = 0; i < set->n; i++) {
		struct app_generation g;
		int got = app_generation(app, set->dataset, set->numbers[i], true, &g);

		if (got == APP_USAGE || got == APP_UNKNOWN)
			return got;
		code = app_worse(code, got);
		if (got)
			continue; /* it was said why; the others are looked at */
		got = vault_r_manifest(g.g)->begun_ns >= r->since_ns ? fn(arg, i, &g) : 0;
		app_generation_close(&g);
		if (got)
			return got;
	}
	return code;
}
