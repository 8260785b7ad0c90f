/* choose: see choose.h. */
#include "restore/choose/choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/guard/timeline.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_timeline.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"
#include "restore/bisect/bisect.h"
#include "restore/bisect/known_bad_file.h"
#include "restore/bisect/lastclean.h"
#include "restore/choose/journal.h"

struct listed {
	uint64_t *number; /* ascending */
	size_t n;
};

static int take_number(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct listed *l = arg;
	uint64_t *more = reallocarray(l->number, l->n + 1, sizeof(*more));

	(void)dataset;
	if (!more)
		return err_nomem(err);
	l->number = more;
	l->number[l->n++] = number;
	return 0;
}

/* The newest ones are what matters when there are many. */
static int hint_there(const struct listed *l, const struct choose *c, struct err *err)
{
	char there[400] = "", label[GENERATION_LABEL];

	for (size_t i = l->n > 10 ? l->n - 10 : 0; i < l->n; i++) {
		size_t n = strlen(there);

		snprintf(there + n, sizeof(there) - n, "%s%s",
		    n		? ", "
		    : l->n > 10 ? "…, "
				: "",
		    generation_label(c->sel.dataset, l->number[i], label));
	}
	return err_hint(err, text("on this medium there is: %s"), there);
}

/* By its number any that can be opened; otherwise one of which no file is missing. */
static bool suits(struct vault_r *v, const struct choose *c, uint64_t number, int64_t now)
{
	const struct selector *s = &c->sel;
	struct vault_r_generation *g;
	const struct generation_manifest *m;
	uint64_t faults = 0;
	bool good;

	if ((s->kind == SELECTOR_NUMBER && s->number != number) || (c->below && number >= c->below) ||
	    vault_r_generation_open(v, s->dataset, number, &g, NULL))
		return false;
	m = vault_r_manifest(g);
	good =
	    selector_fits(s, number, m->begun_ns, m->utc_offset_s, now) &&
	    (!c->before_ns || m->begun_ns < c->before_ns) &&
	    (s->kind == SELECTOR_NUMBER || (!vault_r_presence(v, g, NULL, NULL, &faults, NULL) && !faults));
	vault_r_generation_close(g);
	return good;
}

/* ---- what the journal says of them ---- */

/* What comes behind the first alarm may look clean because all was harmed by then. */
static int leave_suspect(struct app *app, struct listed *l, const struct choose *c, struct err *err)
{
	struct timeline_row *rows = NULL;
	struct ledger *ledger = NULL;
	struct timeline_found found;
	size_t n = 0, kept = 0;

	if (journal_find(app, &ledger)) {
		err_set(err, "E-DRILL-26", "%s", text("no journal at hand says which generation is suspect"));
		return err_hint(
		    err, "%s", text("give a copy of it with --journal, or say which generation: --at"));
	}
	if (ledger_timeline(ledger, c->sel.dataset, &rows, &n, err)) {
		ledger_free(ledger);
		return -1;
	}
	found = timeline_find(rows, n, 0);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < found.alarm; k++)
			if (rows[k].number == l->number[i] && rows[k].verdict != TIMELINE_UNUSUAL)
				l->number[kept++] = l->number[i];
	if (found.alarm < n)
		app_note(app, text("%s@%ju is suspect: only what was captured before it is taken"),
		    c->sel.dataset, (uintmax_t)rows[found.alarm].number);
	l->n = kept;
	free(rows);
	ledger_free(ledger);
	return 0;
}

/* ---- what is in them ---- */

static void on_fault(void *arg, const char *path, const struct err *why)
{
	(void)path;
	if (!*(bool *)arg)
		app_error(why, APP_UNKNOWN);
	*(bool *)arg = true;
}

/* Looks into each, the newest first; what could not be read as a whole stays unknown. */
static int look_into(
    struct app *app, const struct choose *c, struct lastclean_generation *g, size_t n, struct err *err)
{
	struct progress progress = {.quiet = app->quiet};
	bool said = false;
	struct bisect *b = bisect_new(NULL, &progress, on_fault, &said);
	int r = b ? known_bad_file(app->known_bad, bisect_known, b, err) : err_nomem(err);

	for (size_t i = 0; !r && i < n; i++) {
		struct app_generation open;

		said = false;
		g[i].state = LASTCLEAN_UNKNOWN;
		if (app_generation(app, c->sel.dataset, g[i].number, true, &open))
			continue; /* it was said why */
		r = bisect_generation(b, &open, &g[i], err);
		app_generation_close(&open);
	}
	progress_clear(&progress);
	bisect_free(b);
	return r;
}

/* Only what is clean, before the first that holds anything of the list. */
static int leave_known_bad(struct app *app, struct listed *l, const struct choose *c, struct err *err)
{
	struct lastclean_generation *g = calloc(l->n + 1, sizeof(*g));
	struct lastclean found;
	size_t n = l->n, kept = 0;
	int r;

	if (!g)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		g[i].number = l->number[n - 1 - i];
	r = look_into(app, c, g, n, err);
	found = lastclean_judge(g, n);
	for (size_t i = n; !r && i-- > (found.first_bad < n ? found.first_bad + 1 : 0);)
		if (g[i].state == LASTCLEAN_CLEAN)
			l->number[kept++] = g[i].number;
	if (!r && found.first_bad < n)
		app_note(app,
		    text("%s@%ju is the first with a file of the list: only what was captured before it is "
			 "taken"),
		    c->sel.dataset, (uintmax_t)g[found.first_bad].number);
	l->n = kept;
	free(g);
	return r;
}

static int say_none(struct app *app, const struct listed *l, const struct choose *c, struct err *err)
{
	char label[GENERATION_LABEL];

	if (!l->n) {
		err_set(err, "E-DRILL-05", text("there is no data set '%s' on this medium"), c->sel.dataset);
		return selection_hint(app, err);
	}
	if (c->sel.kind == SELECTOR_NUMBER)
		err_set(err, "E-DRILL-04", text("%s is not on this medium, not finished, damaged or forged"),
		    generation_label(c->sel.dataset, c->sel.number, label));
	else
		err_set(err, "E-DRILL-06",
		    text("no complete generation of data set '%s' on this medium suits"), c->sel.dataset);
	return hint_there(l, c, err);
}

/* Those that suit, one after the other from a place that was drawn: each is as likely where all suit. */
static size_t draw_one(struct app *app, const struct choose *c, const struct listed *l, int64_t now)
{
	for (size_t k = 0; k < l->n; k++) {
		size_t i = (size_t)((c->draw % l->n + k) % l->n);

		if (suits(app->vault, c, l->number[i], now))
			return i + 1;
	}
	return 0;
}

int choose_generation(struct app *app, const struct choose *c, uint64_t *ret, struct err *err)
{
	struct clock_stamp now;
	struct listed l = {.n = 0}, all;
	int r = vault_r_numbers(app->vault, c->sel.dataset, take_number, &l, err);
	size_t i;

	clock_now(&now);
	all = l;
	if (!r && l.n && c->not_suspect) {
		all.number = malloc(l.n * sizeof(*l.number));
		if (!all.number)
			r = err_nomem(err);
		else
			memcpy(all.number, l.number, l.n * sizeof(*l.number));
		r = r ? r : leave_suspect(app, &l, c, err);
		if (!r && app->known_bad)
			r = leave_known_bad(app, &l, c, err);
	}
	for (i = r || !c->random ? l.n : draw_one(app, c, &l, now.wall_ns);
	     !r && !c->random && i > 0 && !suits(app->vault, c, l.number[i - 1], now.wall_ns);)
		i--;
	if (!r && i)
		*ret = l.number[i - 1];
	else if (!r)
		r = say_none(app, &all, c, err);
	if (all.number != l.number)
		free(all.number);
	free(l.number);
	return r;
}
