/* turns: see turns.h. */
#include "read/rules/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define DAY_S	  86400
#define EARLY	  2    /* days before its day of the week on which a turn counts as that day's */
#define TURNS_MAX 2000 /* that are planned */

const char *turns_out_word(enum turns_out out)
{
	static const char *const words[] = {
	    NULL, "unregistered", "retired", "damaged", "lost", "not found", "lent"};

	return words[out];
}

const char *turns_out_shown(enum turns_out out)
{
	static const char *const words[] = {"", TEXT_LATER("not registered"), TEXT_LATER("retired"),
	    TEXT_LATER("damaged"), TEXT_LATER("lost"), TEXT_LATER("not found"), TEXT_LATER("lent")};

	return text(words[out]);
}

/* ---- the media ---- */

static bool is_retired(const struct ledger *l, const char *label)
{
	for (size_t i = 0; i < ledger_media(l); i++)
		if (ledger_medium(l, i)->retired_ns && !strcmp(ledger_medium(l, i)->label, label))
			return true;
	return false;
}

static bool is_damaged(const struct ledger *l, const char *uuid)
{
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);

		if (g->state == LEDGER_COMMITTED && c && c->damaged_ns)
			return true;
	}
	return false;
}

static void fill_disk(const struct policy *p, const struct ledger *l, const bool *attached, const char *name,
    struct turns_disk *d)
{
	const struct ledger_medium *lm;

	d->policy = policy_find_medium(p, name);
	lm = d->ledger = ledger_medium_by_label(l, d->policy->name);
	if (!lm) {
		d->out = ledger_medium_known(l, d->policy->name) ? TURNS_LOST
			 : is_retired(l, d->policy->name)	 ? TURNS_RETIRED
								 : TURNS_UNREGISTERED;
		return;
	}
	d->out = is_damaged(l, lm->uuid) ? TURNS_DAMAGED
		 : lm->missing_ns	 ? TURNS_MISSING
		 : lm->lent		 ? TURNS_LENT
					 : TURNS_USABLE;
	d->attached = attached ? attached[d->policy - p->media] : lm->attached;
	d->away = !d->attached && !lm->attached && !lm->unplaced && !*lm->destination &&
		  policy_place_is_separate(p, lm->place);
}

const struct turns_disk *turns_disk_of(const struct turns *t, const struct policy_medium *m)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->disks[i].policy == m)
			return &t->disks[i];
	return NULL;
}

const char *turns_home(const struct turns_disk *d)
{
	return d->policy->place ? d->policy->place : d->ledger ? d->ledger->place : "";
}

const char *turns_place(const struct turns_disk *d)
{
	bool known = d->ledger && !d->ledger->unplaced && !*d->ledger->destination && *d->ledger->place;

	return known				      ? d->ledger->place
	       : d->ledger && *d->ledger->destination ? d->ledger->destination
						      : turns_home(d);
}

/* ---- which, and when ---- */

static void choose_disk(struct turns *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct turns_disk *d = &t->disks[i];

		if (d->out != TURNS_USABLE)
			continue;
		t->away += d->away;
		if (!t->due || d->ledger->rotated_ns < t->due->ledger->rotated_ns ||
		    /* of two that were never rotated the one that is here */
		    (d->ledger->rotated_ns == t->due->ledger->rotated_ns && d->attached && !t->due->attached))
			t->due = d;
		if (d->ledger->rotated_ns &&
		    (!t->newest || d->ledger->rotated_ns > t->newest->ledger->rotated_ns))
			t->newest = d;
	}
}

int32_t turns_next(
    const struct policy_pool *pool, const struct holidays *h, int32_t rotated, int32_t *planned)
{
	int32_t day = rotated + (int32_t)(pool->swap_every_s / DAY_S);

	if (pool->weekday) {
		day += EARLY;
		day -= (int32_t)((day_split(day).weekday + 7 - (pool->weekday - 1)) % 7);
	}
	if (planned)
		*planned = day;
	return holidays_working(h, day);
}

static void find_date(struct turns *t, const struct ledger *l)
{
	const struct ledger_generation *first = NULL;

	for (size_t i = 0; i < ledger_generations(l) && !first; i++)
		if (ledger_counts(l, ledger_generation(l, i)))
			first = ledger_generation(l, i);
	t->idle = !first;
	if (t->newest)
		t->date = turns_next(
		    t->pool, t->policy->holidays, day_of(t->newest->ledger->rotated_ns), &t->planned);
	else {
		t->planned = first ? day_of(first->begun_ns) : t->today;
		t->date = holidays_working(t->policy->holidays, t->planned);
	}
	t->late = !t->idle && t->today > t->date ? t->today - t->date : 0;
}

/* ---- what must be done first ---- */

/* Of those that are neither due nor away the one that holds the most of worth: it was rotated last. */
static void find_first(struct turns *t)
{
	unsigned others = t->away - (t->due && t->due->away);

	for (size_t i = 0; i < t->n && t->due && others < t->pool->away_at_least; i++) {
		const struct turns_disk *d = &t->disks[i];

		if (d == t->due || d->out != TURNS_USABLE || d->away)
			continue;
		if (!t->first || d->ledger->rotated_ns > t->first->ledger->rotated_ns)
			t->first = d;
	}
}

/* Two attached at once: of them the one that is not due, or was rotated last, goes. */
static void find_second(struct turns *t)
{
	unsigned attached = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct turns_disk *d = &t->disks[i];

		if (!d->attached)
			continue;
		attached++;
		if (d != t->due && (!t->second || d->ledger->rotated_ns > t->second->ledger->rotated_ns))
			t->second = d;
	}
	if (attached < 2)
		t->second = NULL;
}

int turns_look(const struct policy *policy, const struct policy_pool *pool, const struct ledger *l,
    const bool *attached, int64_t now_ns, struct turns *ret, struct err *err)
{
	struct turns t = {.policy = policy, .pool = pool, .today = day_of(now_ns)};

	t.disks = calloc(pool->n_media, sizeof(*t.disks));
	if (!t.disks)
		return err_nomem(err);
	for (; t.n < pool->n_media; t.n++)
		fill_disk(policy, l, attached, pool->media[t.n], &t.disks[t.n]);
	choose_disk(&t);
	find_date(&t, l);
	find_first(&t);
	find_second(&t);
	*ret = t;
	return 0;
}

void turns_free(struct turns *t)
{
	free(t->disks);
	t->disks = NULL;
}

/* ---- who is told ---- */

bool turns_told(const struct turns *t, size_t i)
{
	int64_t after = (t->pool->remind[i].after_s + DAY_S - 1) / DAY_S;

	return !t->idle && t->today >= t->date && t->today - t->date >= after;
}

char *turns_names(const struct turns *t, char out[TURNS_NAMES])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < t->pool->n_remind && n < TURNS_NAMES; i++)
		if (turns_told(t, i))
			n += (size_t)snprintf(
			    out + n, TURNS_NAMES - n, "%s%s", n ? text(", ") : "", t->pool->remind[i].tell);
	width_whole(out);
	return out;
}

char *turns_span(const struct turns *t, char out[TURNS_SPAN])
{
	if (t->late == 1)
		snprintf(out, TURNS_SPAN, "%s", text("1 day"));
	else
		snprintf(out, TURNS_SPAN, text("%jd days"), (intmax_t)t->late);
	width_whole(out);
	return out;
}

/* ---- the turns that are to come ---- */

/* Days of the last rotations as they will have been. */
static size_t longest_away(const struct turns *t, const int64_t *rotated)
{
	size_t best = t->n;

	for (size_t i = 0; i < t->n; i++)
		if (t->disks[i].out == TURNS_USABLE && (best == t->n || rotated[i] < rotated[best]))
			best = i;
	return best;
}

static void fill_turn(const struct turns *t, size_t which, bool is_next, struct turns_turn *turn)
{
	const struct holidays *h = t->policy->holidays;

	turn->bring = &t->disks[which];
	turn->from = is_next ? turns_place(turn->bring) : turns_home(turn->bring);
	turn->to = turns_home(turn->bring);
	turn->first = is_next ? t->first : NULL;
	turn->holiday = turn->date != turn->planned ? holidays_on(h, turn->planned) : NULL;
	if (turn->date < t->today) {
		turn->late = true;
		turn->date = holidays_working(h, t->today);
	}
}

int turns_plan(const struct turns *t, int32_t until, struct turns_turn **ret, size_t *ret_n, struct err *err)
{
	struct turns_turn *list = calloc(TURNS_MAX, sizeof(*list));
	int64_t *rotated = calloc(t->n + 1, sizeof(*rotated));
	int32_t date = t->date, planned = t->planned;
	size_t n = 0, which;

	if (!list || !rotated) {
		free(list);
		free(rotated);
		return err_nomem(err);
	}
	for (size_t i = 0; i < t->n; i++)
		rotated[i] = t->disks[i].ledger ? t->disks[i].ledger->rotated_ns : 0;
	while (n < TURNS_MAX && (which = longest_away(t, rotated)) < t->n && (!n || date <= until)) {
		list[n].planned = planned;
		list[n].date = date;
		fill_turn(t, which, !n, &list[n]);
		rotated[which] = INT64_MAX - (int64_t)(TURNS_MAX - n);
		date = turns_next(t->pool, t->policy->holidays, list[n].date, &planned);
		if (date <= list[n].date) /* a turn a day, and many closed days */
			date = planned = list[n].date + 1;
		n++;
	}
	free(rotated);
	*ret = list;
	*ret_n = n;
	return 0;
}
