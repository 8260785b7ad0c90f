/* room: see room.h. */
#include "read/rules/room.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define DAY_S	  86400.0
#define HORIZON_S (20 * 365.25 * DAY_S)
#define MARGIN	  0.1

struct night {
	int year, day; /* local date */
	uint64_t bytes;
};

/* The newest first. */
struct nights {
	struct night all[ROOM_NIGHTS];
	unsigned n;
	int64_t oldest_ns, newest_ns; /* begin of a generation of the oldest date, and of the newest */
};

const char *room_word(enum room_state s)
{
	static const char *const words[] = {"not seen", "too few nights", "not filling", "filling"};

	return words[s];
}

static bool is_first(const struct ledger *l, size_t i)
{
	const char *dataset = ledger_generation(l, i)->dataset;

	while (i--) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if ((g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) &&
		    !strcmp(g->dataset, dataset))
			return false;
	}
	return true;
}

/* False: it is of a date before the nights that are looked at. */
static bool add_to_night(struct nights *all, const struct ledger_generation *g)
{
	const time_t t = (time_t)(g->begun_ns / SECOND_NS);
	struct night *last = all->n ? &all->all[all->n - 1] : NULL;
	struct tm tm = {0};

	localtime_r(&t, &tm);
	if (last && last->year == tm.tm_year && last->day == tm.tm_yday) {
		last->bytes += g->new_bytes;
	} else if (all->n == ROOM_NIGHTS) {
		return false;
	} else {
		all->all[all->n++] = (struct night){tm.tm_year, tm.tm_yday, g->new_bytes};
	}
	all->oldest_ns = g->begun_ns;
	if (g->begun_ns > all->newest_ns)
		all->newest_ns = g->begun_ns;
	return true;
}

/* What was begun under a clock in doubt has no date. */
static void find_nights(const struct ledger *l, const struct policy_medium *m, struct nights *ret)
{
	bool more = true;

	for (size_t i = ledger_generations(l); i-- && more;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if ((g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED) && !g->undated &&
		    (!m || policy_medium_holds(m, g->dataset)) && !is_first(l, i))
			more = add_to_night(ret, g);
	}
}

static uint64_t bytes_freed(const struct ledger *l, const char *uuid, int64_t since_ns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_copy *c = ledger_copy_in(ledger_generation(l, i), uuid);

		if (c && c->expired_ns >= since_ns)
			sum += c->expired_bytes;
	}
	return sum;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct night *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Of `n` sorted nights. */
static void set_rates(const struct night *n, unsigned count, double days, struct room *ret)
{
	double sum = 0, upper = 0, median, mean, slow, fast;

	for (unsigned i = 0; i < count; i++) {
		sum += (double)n[i].bytes;
		upper += i >= count / 2 ? (double)n[i].bytes : 0;
	}
	mean = sum / count;
	median = count % 2 ? (double)n[count / 2].bytes
			   : ((double)n[count / 2 - 1].bytes + (double)n[count / 2].bytes) / 2;
	ret->median = (uint64_t)median;
	ret->largest = n[count - 1].bytes;
	slow = (median < mean ? median : mean) * (1 - MARGIN);
	fast = upper / (count - count / 2) * (1 + MARGIN);
	ret->slow = (slow * count - (double)ret->freed) / days;
	ret->fast = (fast * count - (double)ret->freed) / days;
}

/* When so many bytes have come; 0: not within the horizon. */
static int64_t full_at(const struct room *r, double rate)
{
	const double s = rate > 0 ? (double)r->free / rate * DAY_S : HORIZON_S;

	return s < HORIZON_S ? r->free_ns + (int64_t)s * SECOND_NS : 0;
}

void room_look(
    const struct ledger *l, const struct policy_medium *m, const struct ledger_medium *lm, struct room *ret)
{
	struct nights nights = {0};
	double days;

	*ret = (struct room){.free = lm->free, .free_ns = lm->free_ns};
	if (!lm->free_ns)
		return;
	find_nights(l, m, &nights);
	ret->nights = nights.n;
	ret->state = ROOM_FEW;
	if (nights.n < ROOM_LEAST)
		return;
	/* the oldest night stands for the day before it, too */
	days = (double)(nights.newest_ns - nights.oldest_ns) / (double)SECOND_NS / DAY_S + 1;
	if (days < 1)
		days = 1; /* a clock that was set back */
	ret->freed = bytes_freed(l, lm->uuid, nights.oldest_ns);
	qsort(nights.all, nights.n, sizeof(*nights.all), compare_bytes);
	set_rates(nights.all, nights.n, days, ret);
	ret->from_ns = full_at(ret, ret->fast);
	ret->to_ns = ret->from_ns ? full_at(ret, ret->slow) : 0;
	ret->state = ret->from_ns ? ROOM_FILLING : ROOM_STEADY;
}
