/* pace: see pace.h. */
#include "read/drills/pace.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

static int by_medium(const struct pace *a, const struct pace *b)
{
	int r = strcmp(a->dataset, b->dataset);

	r = r ? r : strcmp(a->uuid, b->uuid);
	/* what it is called may change; it is the same medium */
	return r || *a->uuid ? r : strcmp(a->label, b->label);
}

static int by_time(const void *a, const void *b)
{
	const struct pace *x = a, *y = b;
	int r = by_medium(x, y);

	return r ? r : (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int by_pace(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t take_drill(const struct ledger_drill *d, struct pace *ret)
{
	const json_t *sets = json_object_get(d->record, "datasets");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *o = json_array_get(sets, i), *ms = json_object_get(o, "ms");
		const json_int_t bytes = json_integer_value(json_object_get(o, "bytes"));

		if (bytes >= PACE_LEAST && json_is_integer(ms))
			ret[n++] = (struct pace){.dataset = journal_text(o, "dataset"),
			    .uuid = journal_text(d->record, "medium"),
			    .label = journal_text(d->record, "label"),
			    .at_ns = d->at_ns,
			    .s_per_gb = (double)json_integer_value(ms) / 1e3 / ((double)bytes / 1e9)};
	}
	return n;
}

/* p: one data set from one medium, by time; sorted: room for as many figures, in the order of their size. */
static void judge(struct pace *p, size_t n, double *sorted)
{
	for (size_t i = 0; i < n; i++) {
		if (i >= PACE_FORMERS)
			p[i].former = (sorted[i / 2] + sorted[(i - 1) / 2]) / 2;
		p[i].slower = p[i].former > 0 && p[i].s_per_gb > PACE_SLOWER * p[i].former;
		p[i].newest = i + 1 == n;
		sorted[i] = p[i].s_per_gb;
		qsort(sorted, i + 1, sizeof(*sorted), by_pace);
	}
}

int pace_list(const struct ledger *l, struct pace **ret, size_t *ret_n, struct err *err)
{
	size_t most = 0, n = 0;
	struct pace *p;
	double *sorted;

	for (size_t i = 0; i < ledger_drills(l); i++)
		most += json_array_size(json_object_get(ledger_drill(l, i)->record, "datasets"));
	p = calloc(most + 1, sizeof(*p));
	sorted = calloc(most + 1, sizeof(*sorted));
	if (!p || !sorted) {
		free(p);
		free(sorted);
		return err_nomem(err);
	}
	for (size_t i = 0; i < ledger_drills(l); i++)
		n += take_drill(ledger_drill(l, i), p + n);
	qsort(p, n, sizeof(*p), by_time);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && !by_medium(&p[i], &p[end]); end++)
			;
		judge(p + i, end - i, sorted);
	}
	free(sorted);
	*ret = p;
	*ret_n = n;
	return 0;
}
