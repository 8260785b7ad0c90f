/* slots: see slots.h.
 *
 * find_slot() looks day by day, beginning one day on the other side of today, for a day that has slots
 * (has_slots) and takes the slot next to now of it (best_of_day).  Days are local dates, counted from 1970;
 * what moment a local time of day is, is asked of the zone each time (moment_of_local), so that a change of
 * clocks needs no case of its own here.  Intervals of hours that do not divide a day have no times of day and
 * are counted in real time.
 *
 * Times are seconds; nanoseconds only at the border (to_ns), where what lies beyond them is cut.
 */
#include "read/rules/slots.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define HOUR_S	   INT64_C(3600)
#define DAY_S	   INT64_C(86400)
#define ORIGIN_DAY INT64_C(10957) /* 2000-01-01, a Saturday */
#define THURSDAY   4		  /* 1970-01-01 */
#define NEVER	   INT64_MIN
#define SEARCH	   400 /* days: more than the longest interval, 366 d */

/* The data set's `every`, with `at`, as it is computed with. */
struct rule {
	enum config_unit unit;
	int64_t n;
	int64_t at_s;	   /* seconds of the day */
	int64_t elapsed_s; /* > 0: real time apart, whatever the clocks do */
	const struct policy_dataset *d;
};

int slots_time(const struct policy *p, const struct policy_dataset *d)
{
	return d->at >= 0 ? d->at : p->schedule_at >= 0 ? p->schedule_at : 0;
}

static struct rule rule_of(const struct policy *p, const struct policy_dataset *d)
{
	struct rule r = {
	    .unit = d->every.unit, .n = d->every.n, .at_s = slots_time(p, d) * INT64_C(60), .d = d};

	if (r.unit == CONFIG_HOUR && r.n % 24 == 0) {
		r.unit = CONFIG_DAY;
		r.n /= 24;
	} else if (r.unit == CONFIG_HOUR && 24 % r.n != 0) {
		r.elapsed_s = r.n * HOUR_S;
	}
	return r;
}

/* b > 0; rounds towards the past. */
static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ---- local time ---- */

static int64_t utc_offset(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;

	return localtime_r(&at, &tm) ? tm.tm_gmtoff : 0;
}

static int64_t local_day(int64_t t)
{
	return floor_divide(t + utc_offset(t), DAY_S);
}

/* The first moment after a change of the offset to `after` that lies in (from, to]: by halving. */
static int64_t moment_of_change(int64_t from, int64_t to, int64_t after)
{
	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		if (utc_offset(mid) == after)
			to = mid;
		else
			from = mid;
	}
	return to;
}

/* The moment at which clocks show `local` (seconds since 1970 as if it were UTC).  *ret_again: when they show
 * it again, or the same.  Two days to either side no clock is anywhere near that time, and no zone changes
 * twice. */
static int64_t moment_of_local(int64_t local, int64_t *ret_again)
{
	int64_t before = utc_offset(local - 2 * DAY_S), after = utc_offset(local + 2 * DAY_S);
	int64_t early = local - (before > after ? before : after),
		late = local - (before > after ? after : before);
	bool is_early = utc_offset(early) == local - early, is_late = utc_offset(late) == local - late;

	*ret_again = is_late ? late : early;
	if (is_early)
		return early;
	if (is_late)
		return late;
	return *ret_again = moment_of_change(early, late, after);
}

/* ---- the slots of one day ---- */

static bool has_slots(const struct rule *r, int64_t day)
{
	time_t noon = (time_t)(day * DAY_S);
	struct tm tm;

	switch (r->unit) {
	case CONFIG_HOUR:
		return true;
	case CONFIG_DAY:
		return (day - ORIGIN_DAY) % r->n == 0;
	case CONFIG_WEEK:
		return day + THURSDAY - 7 * floor_divide(day + THURSDAY, 7) == r->d->weekday;
	case CONFIG_MONTH:
		return gmtime_r(&noon, &tm) && tm.tm_mday == (int)r->d->monthday;
	}
	return false;
}

/* The slot that is next to now on the side asked for, or `best`. */
static int64_t nearer_slot(int64_t best, int64_t slot, int64_t now, bool later)
{
	if (later)
		return slot > now && (best == NEVER || slot < best) ? slot : best;
	return slot <= now && (best == NEVER || slot > best) ? slot : best;
}

static int64_t best_of_day(const struct rule *r, int64_t day, int64_t now, bool later)
{
	int64_t step = r->unit == CONFIG_HOUR ? r->n * HOUR_S : DAY_S, best = NEVER, first, again;

	for (int64_t s = 0; s < DAY_S; s += step) {
		first = moment_of_local(day * DAY_S + (r->at_s + s) % DAY_S, &again);
		best = nearer_slot(best, first, now, later);
		if (r->unit == CONFIG_HOUR && again - first >= step)
			best = nearer_slot(best, again, now, later);
	}
	return best;
}

static int64_t find_slot(const struct rule *r, int64_t now, bool later)
{
	int64_t today, best = NEVER, unused;

	if (r->elapsed_s) {
		int64_t origin = moment_of_local(ORIGIN_DAY * DAY_S + r->at_s, &unused);

		return origin + (floor_divide(now - origin, r->elapsed_s) + later) * r->elapsed_s;
	}
	today = local_day(now);
	/* a gap in the clocks may move a slot of the day before or after to today */
	for (int64_t i = -1; i < SEARCH && best == NEVER; i++) {
		int64_t day = later ? today + i : today - i;

		if (has_slots(r, day))
			best = best_of_day(r, day, now, later);
	}
	return best == NEVER ? now : best;
}

/* Nanoseconds reach to the year 2262: a clock that is set to its end is no reason to count beyond it. */
static int64_t to_ns(int64_t s)
{
	return s > INT64_MAX / SECOND_NS ? INT64_MAX : s < INT64_MIN / SECOND_NS ? INT64_MIN : s * SECOND_NS;
}

int64_t slots_before(const struct policy *p, const struct policy_dataset *d, int64_t now_ns)
{
	struct rule r = rule_of(p, d);

	return to_ns(find_slot(&r, floor_divide(now_ns, SECOND_NS), false));
}

int64_t slots_after(const struct policy *p, const struct policy_dataset *d, int64_t now_ns)
{
	struct rule r = rule_of(p, d);

	return to_ns(find_slot(&r, floor_divide(now_ns, SECOND_NS), true));
}

/* ---- due ---- */

const char *slots_why_word(enum slots_why why)
{
	static const char *const words[] = {"served", "never", "missed", "failed"};

	return words[why];
}

/* Expired ones were captured, too. */
static bool was_captured(const struct ledger_generation *g)
{
	return (g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) &&
	       (g->verdict == LEDGER_GOOD || g->verdict == LEDGER_PARTIAL);
}

void slots_look(const struct policy *p, const struct policy_dataset *d, const struct ledger *l,
    int64_t now_ns, struct slots *ret)
{
	struct slots s = {
	    .slot_ns = slots_before(p, d, now_ns), .next_ns = slots_after(p, d, now_ns), .due = true};

	for (size_t i = l ? ledger_generations(l) : 0; i--;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (strcmp(g->dataset, d->name) != 0)
			continue;
		if (!was_captured(g)) {
			if (g->begun_ns >= s.slot_ns && g->begun_ns < s.next_ns && g->state != LEDGER_BEGUN &&
			    !s.tried)
				s.tried = g->number;
			continue;
		}
		if (g->begun_ns >= s.next_ns)
			continue; /* begun under a clock that was wrong */
		s.due = g->begun_ns < s.slot_ns;
		s.generation = g->number;
		s.begun_ns = g->begun_ns;
		break;
	}
	s.why = !s.due ? SLOTS_SERVED : s.tried ? SLOTS_FAILED : s.generation ? SLOTS_MISSED : SLOTS_NEVER;
	*ret = s;
}
