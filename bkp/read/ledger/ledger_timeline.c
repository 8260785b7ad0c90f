/* ledger_timeline: see ledger_timeline.h. */
#include "read/ledger/ledger_timeline.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/guard/timeline.h"
#include "read/ledger/ledger.h"

static int by_set(const void *a, const void *b)
{
	const struct timeline_row *x = a, *y = b;
	int order = strcmp(x->dataset, y->dataset);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static struct timeline_row row_of(const struct ledger_generation *g)
{
	return (struct timeline_row){.dataset = g->dataset,
	    .number = g->number,
	    .begun_ns = g->begun_ns,
	    .guard = g->guard,
	    .why = g->suspicion ? g->suspicion : "",
	    .accepted = g->accepted_ns != 0,
	    .held = g->held_ns != 0,
	    .gone = g->state == LEDGER_EXPIRED};
}

size_t ledger_timeline_set(const struct timeline_row *rows, size_t n, size_t i)
{
	size_t end = i;

	while (end < n && !strcmp(rows[end].dataset, rows[i].dataset))
		end++;
	return end - i;
}

int ledger_timeline(
    const struct ledger *l, const char *dataset, struct timeline_row **ret, size_t *ret_n, struct err *err)
{
	struct timeline_row *rows = calloc(ledger_generations(l) + 1, sizeof(*rows));
	size_t n = 0;

	if (!rows)
		return err_nomem(err);
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if ((g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) &&
		    (!dataset || !strcmp(g->dataset, dataset)))
			rows[n++] = row_of(g);
	}
	qsort(rows, n, sizeof(*rows), by_set);
	for (size_t i = 0; i < n; i += ledger_timeline_set(rows, n, i))
		timeline_judge(&rows[i], ledger_timeline_set(rows, n, i));
	*ret = rows;
	*ret_n = n;
	return 0;
}

static bool has_sign(const struct timeline_row *rows, size_t n, uint64_t from)
{
	return timeline_find(rows, n, from).sign < n;
}

int ledger_timeline_text(const struct timeline_row *rows, size_t n, uint64_t from, size_t *ret_signs,
    struct buf *out, struct err *err)
{
	*ret_signs = 0;
	for (size_t i = 0, k; i < n; i += k) {
		k = ledger_timeline_set(rows, n, i);
		if (rows[i + k - 1].number < from)
			continue;
		*ret_signs += has_sign(&rows[i], k, from);
		if ((out->n && buf_puts(out, "\n", err)) || timeline_text(&rows[i], k, from, out, err))
			return -1;
	}
	return 0;
}

/* ---- for programs ---- */

static json_t *row_json(const struct timeline_row *r)
{
	json_t *figures = json_object();
	char time[CLOCK_TEXT];

	for (size_t i = 0; i < GUARD_FIGURES; i++)
		json_object_set_new(figures, guard_figures[i].name,
		    json_integer((json_int_t)guard_figure(&r->guard, &guard_figures[i])));
	return json_pack("{s:I, s:s, s:s, s:b, s:b, s:b, s:s, s:I, s:o}", "generation", (json_int_t)r->number,
	    "begun", clock_format(r->begun_ns, time), "verdict", timeline_word(r->verdict), "measured",
	    (int)r->guard.measured, "held", (int)r->held, "gone", (int)r->gone, "suspicion", r->why, "files",
	    (json_int_t)r->guard.census.files, "figures", figures);
}

static json_t *number_json(const struct timeline_row *rows, size_t n, size_t i)
{
	return i < n ? json_integer((json_int_t)rows[i].number) : json_null();
}

json_t *ledger_timeline_json(const struct timeline_row *rows, size_t n, uint64_t from, size_t *ret_signs)
{
	json_t *sets = json_array();

	*ret_signs = 0;
	for (size_t i = 0, k; i < n; i += k) {
		const struct timeline_row *r = &rows[i];
		struct timeline_found f;
		json_t *list;

		k = ledger_timeline_set(rows, n, i);
		if (r[k - 1].number < from)
			continue;
		list = json_array();
		f = timeline_find(r, k, from);
		*ret_signs += f.sign < k;
		for (size_t at = 0; at < k; at++)
			if (r[at].number >= from)
				json_array_append_new(list, row_json(&r[at]));
		json_array_append_new(
		    sets, json_pack("{s:s, s:o, s:o, s:o, s:o}", "dataset", r->dataset, "first_sign",
			      number_json(r, k, f.sign), "first_alarm", number_json(r, k, f.alarm),
			      "newest_before", number_json(r, k, f.before), "generations", list));
	}
	return sets;
}
