/* exposure: how long a medium kept offline was attached, where whoever has this host reaches it.
 *
 * Pure.  Coming and going are seen when somebody looks, not when they happen: what follows from records are two bounds.  At
 * least: from the first record by which it was here to the last; at most: from the last by which it was away to the
 * first by which it was gone, or to now.  Where the clock was moved meanwhile there is no upper bound, and the lower one
 * is 0.
 */
#ifndef BKP_READ_RULES_EXPOSURE_H
#define BKP_READ_RULES_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger;
struct ledger_stay;

struct exposure {
	int64_t least_s;
	int64_t most_s; /* -1: not known */
};

struct exposure_month {
	int year, month; /* local; 2026, 12 */
	struct exposure e;
};

/* One time that it was here.  seen: it is here now. */
struct exposure exposure_of_stay(const struct ledger_stay *s, bool seen, int64_t now_ns);
/* What of it fell into the local month that holds `in_ns`. */
struct exposure exposure_in_month(
    const struct ledger *l, const char *uuid, bool seen, int64_t in_ns, int64_t now_ns);
/* The months up to now, the newest first, `max` at most, none before the medium was first here; how many. */
size_t exposure_months(const struct ledger *l, const char *uuid, bool seen, int64_t now_ns,
    struct exposure_month *ret, size_t max);

#endif
