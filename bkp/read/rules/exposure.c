/* exposure: see exposure.h. */
#include "read/rules/exposure.h"

#include <time.h>

#include "base/clock.h"
#include "read/ledger/ledger.h"

struct span {
	int64_t from_ns, to_ns;
};

static int64_t overlap_ns(struct span a, struct span b)
{
	const int64_t from = a.from_ns > b.from_ns ? a.from_ns : b.from_ns;
	const int64_t to = a.to_ns < b.to_ns ? a.to_ns : b.to_ns;

	return to > from ? to - from : 0;
}

static struct exposure stay_within(const struct ledger_stay *s, bool seen, int64_t now_ns, struct span in)
{
	const struct span least = {
	    s->here_ns, !s->gone_ns && seen && now_ns > s->last_ns ? now_ns : s->last_ns};
	const struct span most = {s->away_ns, s->gone_ns ? s->gone_ns : now_ns};
	const int64_t most_ns = overlap_ns(most, in);

	if (s->doubtful)
		return (struct exposure){0, most_ns || overlap_ns(least, in) ? -1 : 0};
	return (struct exposure){overlap_ns(least, in) / SECOND_NS, (most_ns + SECOND_NS - 1) / SECOND_NS};
}

struct exposure exposure_of_stay(const struct ledger_stay *s, bool seen, int64_t now_ns)
{
	struct exposure e = stay_within(s, seen, now_ns, (struct span){INT64_MIN, INT64_MAX});

	if (s->doubtful)
		e.most_s = -1;
	return e;
}

/* The first moment of a local month; months are counted on beyond 12 and below 1. */
static int64_t month_begins(int year, int month)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1, .tm_isdst = -1};

	const int64_t s = (int64_t)mktime(&tm);

	/* nanoseconds reach from 1677 to 2262 */
	return s > INT64_MAX / SECOND_NS ? INT64_MAX : s < INT64_MIN / SECOND_NS ? INT64_MIN : s * SECOND_NS;
}

static void month_of(int64_t ns, int *ret_year, int *ret_month)
{
	const time_t t = (time_t)(ns / SECOND_NS);
	struct tm tm = {.tm_year = 70};

	localtime_r(&t, &tm);
	*ret_year = tm.tm_year + 1900;
	*ret_month = tm.tm_mon + 1;
}

struct exposure exposure_in_month(
    const struct ledger *l, const char *uuid, bool seen, int64_t in_ns, int64_t now_ns)
{
	struct exposure sum = {0};
	const struct ledger_stay *s;
	int year, month;
	struct span in;
	size_t n;

	month_of(in_ns, &year, &month);
	in = (struct span){month_begins(year, month), month_begins(year, month + 1)};
	s = ledger_stays(l, uuid, &n);
	for (size_t i = 0; i < n; i++) {
		const struct exposure e = stay_within(&s[i], seen, now_ns, in);

		sum.least_s += e.least_s;
		sum.most_s = e.most_s < 0 || sum.most_s < 0 ? -1 : sum.most_s + e.most_s;
	}
	return sum;
}

size_t exposure_months(const struct ledger *l, const char *uuid, bool seen, int64_t now_ns,
    struct exposure_month *ret, size_t max)
{
	const struct ledger_stay *s;
	int year, month;
	size_t n, k = 0;

	s = ledger_stays(l, uuid, &n);
	month_of(now_ns, &year, &month);
	while (n && k < max) {
		const int64_t begins = month_begins(year, month);

		ret[k++] =
		    (struct exposure_month){year, month, exposure_in_month(l, uuid, seen, begins, now_ns)};
		if (begins <= s[0].away_ns)
			break;
		month = month > 1 ? month - 1 : 12;
		year -= month == 12;
	}
	return k;
}
