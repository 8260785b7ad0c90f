/* slots: when a data set is due.
 *
 * Pure: policy + ledger + time.  A slot is a moment by which a data set should be captured; it lasts until
 * the next one.  Slots are what a clock on the wall shows, in the process's time zone.  By the policy's
 * `every`:
 *
 *     hour, N h    N divides 24: at the minute of `at`, N hours apart, one of them at `at` itself
 *     N h          other N: N hours of real time apart, counted from `at` on 2000-01-01
 *     day, N d     at `at`, on each N-th day counted from 2000-01-01; N h of whole days is the same
 *     week, month  at `at` on `weekday`, or on `monthday`
 *
 * `at` is the data set's, else the schedule's, else 00:00.
 *
 * Where clocks go forward, a time of day that is skipped counts as the first moment after the gap.  Where
 * they go back, one that comes twice counts the first time only, unless the two are a whole interval of hours
 * apart: what was promised each hour is owed in both.
 *
 * A data set is due when no committed generation holds it, good or partial, that was begun since the slot
 * that is in force.  So runs that were missed are caught up once, and what failed is tried again by the next
 * run.
 *
 * Clocks that are set:
 * - A generation that the clock says is yet to come still serves the slot it was begun in (the clock went
 *   back a little: no second capture of one slot), but never an earlier one: a run begun "in 2040" keeps
 *   nobody from capturing.
 * - When that slot really comes, such a generation does not serve it either if the data set was captured
 *   since then under an earlier slot: the clock was wrong when it was begun.
 */
#ifndef BKP_READ_RULES_SLOTS_H
#define BKP_READ_RULES_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct ledger;
struct policy;
struct policy_dataset;

enum slots_why {
	SLOTS_SERVED, /* a generation holds it: not due */
	SLOTS_NEVER,  /* never captured */
	SLOTS_MISSED, /* not captured since the slot */
	SLOTS_FAILED, /* tried since the slot, without success */
};
const char *slots_why_word(enum slots_why why); /* "served", "never", "missed", "failed" (JSON) */

struct slots {
	int64_t slot_ns, next_ns; /* the slot in force, and the next one */
	bool due;
	enum slots_why why;
	uint64_t
	    generation;	  /* the newest that holds it (the one that serves the slot when not due); 0: none */
	int64_t begun_ns; /* when that was begun */
	uint64_t tried;	  /* SLOTS_FAILED: the generation that does not hold it */
};

/* Minutes of the day, 0 … 1439. */
int slots_time(const struct policy *p, const struct policy_dataset *d);

/* The latest slot at or before a time, the first one after it; nanoseconds since 1970. */
int64_t slots_before(const struct policy *p, const struct policy_dataset *d, int64_t now_ns);
int64_t slots_after(const struct policy *p, const struct policy_dataset *d, int64_t now_ns);

/* l: NULL stands for a ledger without generations. */
void slots_look(const struct policy *p, const struct policy_dataset *d, const struct ledger *l,
    int64_t now_ns, struct slots *ret);

#endif
