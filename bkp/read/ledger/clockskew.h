/* clockskew: has the wall clock been moved between two stamps of a clock?
 *
 * Pure.  Two witnesses:
 *   "monotonic"  both are of the same boot: the wall clock must have gone on as far as the time since boot
 *                has, give or take CLOCKSKEW_SLACK_S
 *   "journal"    the later one is of another boot: the clock must not stand before the earlier one (slack as
 *                above), nor later than it by more than a computer stays off: the larger of CLOCKSKEW_OFF_S
 *                and three times the longest interval at which something is captured
 *
 * clockskew_track follows the stamps of all records of a journal, whichever command wrote them, and keeps
 * what the next command that watches the clock must know:
 * - the widest jump forward between two records that nothing has been said of.  So nobody hides a jump by
 *   letting a command write that does not watch.
 * - the last stamp before a boot after which the clock stood earlier: a computer without a battery starts in
 *   1970 or 2000, and when the time server has set it right that is no jump forward.
 */
#ifndef BKP_READ_LEDGER_CLOCKSKEW_H
#define BKP_READ_LEDGER_CLOCKSKEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define CLOCKSKEW_SLACK_S 600
#define CLOCKSKEW_OFF_S	  ((int64_t)45 * 86400)

struct clockskew {
	const char *source; /* NULL: it was not moved */
	int64_t before_ns;  /* what the witness says it should be */
	int64_t after_ns;   /* what the clock says */
	int64_t seconds;    /* > 0 forward */
};

/* longest_s: the longest interval at which something is captured, in seconds. */
void clockskew_judge(const struct clock_stamp *before, const struct clock_stamp *now, int64_t longest_s,
    struct clockskew *ret);

struct clockskew_track {
	struct clock_stamp slip_before, slip_after; /* wall_ns of the latter 0: there was none */
	int64_t slip_s;
	bool slip_sure;		     /* within a boot */
	struct clock_stamp credible; /* wall_ns 0: none */
};

/* A record was written at `now`, the one before it at `before`.  said: the record itself tells of a jump
 * forward, or attests the clock. */
void clockskew_follow(
    struct clockskew_track *t, const struct clock_stamp *before, const struct clock_stamp *now, bool said);
/* Like clockskew_judge(); a clock that was set right after a boot with a wrong one has not jumped forward. */
void clockskew_judge_from(const struct clockskew_track *t, const struct clock_stamp *before,
    const struct clock_stamp *now, int64_t longest_s, struct clockskew *ret);

#endif
