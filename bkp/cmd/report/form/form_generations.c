/* form_generations: the generations that are there, and by name the dates that have none (世代一覧).
 *
 * A date has one when a generation was begun on it (local time) that is good, not suspect, and was read back and compared, if it did not expire since.
 * Between two such dates that are further apart than the interval of the data set (`every`, a day at least) the dates from the first one plus the
 * interval on to the day before the next are missing; behind the last one those that were over at the moment of the form.  Looked
 * at are FORM_GENERATIONS_DAYS days before the form, but none before the data set was captured first. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define DAY_S 86400

const struct fact_column form_generations_columns[] = {{"dataset", TEXT_LATER("Data set"), FACT_TEXT},
    {"date", TEXT_LATER("Date"), FACT_DAYS}, {"generation", TEXT_LATER("Generation"), FACT_TEXT},
    {"state", TEXT_LATER("State"), FACT_TEXT}, {"begun", TEXT_LATER("Begun"), FACT_TIME},
    {"verified", TEXT_LATER("Read back and compared"), FACT_TIME}, {"media", TEXT_LATER("Media"), FACT_TEXT},
    {"note", TEXT_LATER("Note"), FACT_TEXT}};

static int64_t verified_ns(const struct ledger_generation *g)
{
	int64_t newest = 0;

	for (size_t i = 0; i < g->n_copies; i++)
		if (g->copies[i].verified_ns > newest && !g->copies[i].damaged_ns)
			newest = g->copies[i].verified_ns;
	return newest;
}

static bool was_good(const struct ledger_generation *g)
{
	return (g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) &&
	       (g->verdict == LEDGER_GOOD || (g->verdict == LEDGER_PARTIAL && g->accepted_ns)) &&
	       !g->suspect && (g->state == LEDGER_EXPIRED || verified_ns(g));
}

static const char *state_text(const struct ledger_generation *g)
{
	return g->suspect		   ? text("suspect")
	       : g->held_ns		   ? text("held")
	       : !verified_ns(g)	   ? text("not verified")
	       : g->verdict == LEDGER_GOOD ? text("good")
	       : g->accepted_ns		   ? text("partial, accepted")
					   : text("partial");
}

/* ---- one data set ---- */

struct listing {
	const struct report *r;
	json_t *rows;
	struct err *err;
	const char *dataset;
	int32_t step; /* days */
	int32_t last,
	    first; /* the last date that has one; INT32_MIN: none yet; nothing is missing before `first` */
};

/* "emr@41 failed: the dump has 0 bytes" of those that were tried in these days. */
static void tried_text(const struct listing *t, int32_t from, int32_t to, char out[FORM_TEXT])
{
	char label[GENERATION_LABEL], one[FORM_TEXT];

	for (size_t i = 0; i < ledger_generations(t->r->l); i++) {
		const struct ledger_generation *g = ledger_generation(t->r->l, i);
		const int32_t day = day_of(g->begun_ns);

		if (strcmp(g->dataset, t->dataset) != 0 || day < from || day > to || was_good(g))
			continue;
		generation_label(g->dataset, g->number, label);
		snprintf(one, sizeof(one), "%s %s%s%s", label,
		    g->suspect			    ? text("suspect")
		    : g->state == LEDGER_GEN_FAILED ? text("failed")
		    : g->state == LEDGER_COMMITTED  ? text("not verified or partial")
						    : text("not finished"),
		    *g->reason ? ": " : "", g->reason);
		form_join(out, FORM_TEXT, one);
	}
}

/* Those between the last date that has one and `next`, which has one or is not over yet. */
static int put_missing(struct listing *t, int32_t next)
{
	int32_t from = t->last + t->step;
	char a[DAY_TEXT], b[DAY_TEXT], dates[FORM_TEXT], note[FORM_TEXT], tried[FORM_TEXT] = "";

	from = from < t->first ? t->first : from;
	if (t->last == INT32_MIN || from >= next)
		return 0;
	tried_text(t, from, next - 1, tried);
	snprintf(dates, sizeof(dates), from == next - 1 ? "%s" : text("%s to %s"), day_format(from, a),
	    day_format(next - 1, b));
	snprintf(note, sizeof(note), text("days: %d"), next - from);
	form_join(note, sizeof(note), *tried ? tried : text("nothing was captured"));
	return form_row(t->rows, t->err, "dataset", form_dataset(t->r, t->dataset), "date", dates,
	    "generation", "", "state", text("× no generation"), "begun", "", "verified", "", "media", "",
	    "note", note, NULL);
}

static int put_generation(const struct listing *t, const struct ledger_generation *g)
{
	char day[DAY_TEXT], label[GENERATION_LABEL], begun[FORM_TIME], verified[FORM_TIME],
	    media[FORM_TEXT] = "";

	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_medium *m = ledger_medium_by_uuid(t->r->l, g->copies[i].medium);

		if (ledger_copy_there(g, g->copies[i].medium))
			form_join(media, sizeof(media), m ? m->label : g->copies[i].label);
	}
	return form_row(t->rows, t->err, "dataset", form_dataset(t->r, t->dataset), "date",
	    day_format(day_of(g->begun_ns), day), "generation",
	    generation_label(g->dataset, g->number, label), "state", state_text(g), "begun",
	    form_time(g->begun_ns, begun), "verified", form_time(verified_ns(g), verified), "media", media,
	    "note",
	    g->held_ns && g->held_why ? g->held_why
	    : g->suspect	      ? g->suspicion
				      : "",
	    NULL);
}

static int by_date(const void *a, const void *b)
{
	const struct ledger_generation *const *x = a, *const *y = b;

	return (*x)->begun_ns != (*y)->begun_ns ? ((*x)->begun_ns < (*y)->begun_ns ? -1 : 1)
	       : (*x)->number < (*y)->number	? -1
						: (*x)->number > (*y)->number;
}

/* Its generations in the order of time: with a clock that was wrong that is not the order of their numbers. */
static int put_dataset(struct listing *t, const struct ledger_generation **all, size_t n)
{
	/* the day that the form's moment is the last second of is over */
	const int32_t over = day_of(t->r->now_ns + SECOND_NS);
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		const int32_t day = day_of(all[i]->begun_ns);

		if (was_good(all[i]) && day > t->last) {
			r = put_missing(t, day);
			t->last = day;
		}
		if (!r && all[i]->state == LEDGER_COMMITTED)
			r = put_generation(t, all[i]);
	}
	return r ? r : put_missing(t, over);
}

int form_generations(const struct report *r, json_t *rows, struct err *err)
{
	const size_t n_all = ledger_generations(r->l);
	const struct ledger_generation **all = malloc((n_all + 1) * sizeof(*all));
	int failed = all ? 0 : err_nomem(err);

	for (size_t i = 0; i < r->policy->n_datasets && !failed; i++) {
		const struct policy_dataset *d = &r->policy->datasets[i];
		struct listing t = {.r = r, .rows = rows, .err = err, .dataset = d->name, .last = INT32_MIN};
		size_t n = 0;

		t.step = d->every.s > DAY_S ? (int32_t)(d->every.s / DAY_S) : 1;
		t.first = day_of(r->now_ns) - FORM_GENERATIONS_DAYS;
		for (size_t k = 0; k < n_all; k++)
			if (!strcmp(ledger_generation(r->l, k)->dataset, d->name))
				all[n++] = ledger_generation(r->l, k);
		qsort(all, n, sizeof(*all), by_date);
		failed = put_dataset(&t, all, n);
	}
	free(all);
	return failed;
}
