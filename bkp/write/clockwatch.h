/* clockwatch: has somebody moved the clock since bkp last did something?
 *
 * Three witnesses, at the start of every command that captures, rotates or expires:
 *   "monotonic"   the record before was written since this boot: the wall clock must have gone on as far as
 *the time since boot has, give or take CLOCKWATCH_SLACK_S; "journal"	   it was written before this boot:
 *the clock must not stand before it (slack as above), nor further behind it than a computer stays off: the
 *larger of CLOCKWATCH_OFF_S and three times the longest interval of the policy; "filesystem"  network storage
 *has a clock of its own: the time it gives a file made now must be within CLOCKWATCH_STORAGE_S.  Local file
 *systems take the kernel's clock and know nothing else. What is found is recorded as "clock-jump".  A jump
 *forward latches: nothing expires until a person attests the clock (bkp clock attest); captures go on.  A
 *jump backward is recorded and told.
 */
#ifndef BKP_WRITE_CLOCKWATCH_H
#define BKP_WRITE_CLOCKWATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct policy;
struct state;

#define CLOCKWATCH_SLACK_S   600
#define CLOCKWATCH_OFF_S     ((int64_t)45 * 86400)
#define CLOCKWATCH_STORAGE_S 86400

struct clockwatch_jump {
	const char *source; /* NULL: none */
	int64_t before_ns;  /* what the witness says it should be */
	int64_t after_ns;   /* what the clock says */
	int64_t seconds;    /* > 0 forward */
};

/* Pure: the first two witnesses.  before: of the last record; longest_s: interval. */
void clockwatch_judge(const struct clock_stamp *before, const struct clock_stamp *now, int64_t longest_s,
    struct clockwatch_jump *ret);

/* Asks all of them and records.  media: descriptors of folders on media that may be written to (a file is
 * made and removed); told: what a person should hear (W-CLOCK-01), code "" when all is well.  -1: it cannot
 * be recorded. */
int clockwatch_run(struct state *s, const struct policy *policy, const int *media, size_t n, struct err *told,
    struct err *err) __attribute__((warn_unused_result));

/* The third witness alone, for who learns only later which media are attached. */
int clockwatch_storage(struct state *s, const int *media, size_t n, struct err *told, struct err *err)
    __attribute__((warn_unused_result));

#endif
