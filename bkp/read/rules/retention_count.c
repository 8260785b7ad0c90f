/* retention_count: which generations count for a data set on a medium, and which of them `keep` keeps; see
 * retention.h.
 *
 * Periods (date, ISO week, month, year) are numbers that are equal within a period.  Sorted newest first,
 * generations of one period stand together, so the first of each run of equal numbers is the newest of its
 * period (mark_kept).
 */
#include "read/rules/retention_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"

#define FAR_EAST (14 * 3600)
#define FAR_WEST (-12 * 3600)

bool retention_counts(
    const struct ledger_generation *g, const char *dataset, const char *medium, int64_t now_ns)
{
	if (g->undated || g->begun_ns > now_ns || !ledger_counts(g, dataset))
		return false;
	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];

		if (c->ok && c->verified_ns && !c->damaged_ns && !c->expired_ns && !strcmp(c->medium, medium))
			return true;
	}
	return false;
}

/* What clocks on the wall show, as if it were UTC.  TZ may name a file of any offsets, which could make one
 * date of a year, or a year of one run: an offset is cut to what real zones have. */
static time_t on_the_wall(time_t t)
{
	struct tm tm;
	long offset = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;

	return t + (offset > FAR_EAST ? FAR_EAST : offset < FAR_WEST ? FAR_WEST : offset);
}

/* Numbers that are equal within a period and differ between two; how large they are means nothing. */
static void find_periods(int64_t begun_ns, uint32_t period[4])
{
	time_t t = on_the_wall((time_t)(begun_ns / SECOND_NS));
	uint32_t year;
	char week[16];
	struct tm tm;

	gmtime_r(&t, &tm);
	year = (uint32_t)(tm.tm_year + 1900);
	period[0] = year * 400 + (uint32_t)tm.tm_yday;
	strftime(week, sizeof(week), "%G%V", &tm);
	period[1] = (uint32_t)strtoul(week, NULL, 10);
	period[2] = year * 12 + (uint32_t)tm.tm_mon;
	period[3] = year;
}

static int newest_first(const void *a, const void *b)
{
	const struct retention_counted *x = a, *y = b;

	if (x->begun_ns != y->begun_ns)
		return x->begun_ns > y->begun_ns ? -1 : 1;
	return x->number > y->number ? -1 : x->number < y->number;
}

/* The newest of each period, of as many periods as are asked for; in the order of time equal periods stand
 * together. */
static void mark_kept(const struct retention_rule *rule, struct retention_counted *c, size_t n)
{
	for (int k = 0; k < 4; k++) {
		uint64_t left = rule->keep[k];

		for (size_t i = 0; i < n && left; i++) {
			if (i && c[i].period[k] == c[i - 1].period[k])
				continue;
			c[i].kept |= 1u << k;
			left--;
		}
	}
}

static bool would_count(const struct ledger_generation *g, const char *dataset, int64_t now_ns)
{
	const struct ledger_dataset *d = ledger_dataset_in(g, dataset);

	return !g->undated && g->begun_ns <= now_ns && !g->suspect && d && ledger_good(g, d);
}

int retention_count(const struct ledger *l, const struct retention_rule *rule, const char *medium,
    const struct ledger_generation *there, int64_t now_ns, struct retention_counted **ret, size_t *ret_n,
    struct err *err)
{
	size_t all = ledger_generations(l), n = 0;
	struct retention_counted *c = calloc(all + 1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	for (size_t i = 0; i < all; i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g == there ? !would_count(g, rule->name, now_ns)
			       : !retention_counts(g, rule->name, medium, now_ns))
			continue;
		c[n].number = g->number;
		c[n].begun_ns = g->begun_ns;
		find_periods(g->begun_ns, c[n].period);
		c[n].utc_day = g->begun_ns / (86400 * SECOND_NS);
		n++;
	}
	qsort(c, n, sizeof(*c), newest_first);
	mark_kept(rule, c, n);
	*ret = c;
	*ret_n = n;
	return 0;
}
