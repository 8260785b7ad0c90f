/* ledger_days: what happened on each day: captures of each data set, what was seen of each medium, drills, and how old the newest copy out
 * of reach was at its end (オフライン保証復旧点).
 *
 * One reading of the journal, which is checked as always.  Days are dates where the process's time zone is (base/day.h); a day whose
 * records a clock that was set back wrote again is what its last ones say.
 */
#ifndef BKP_READ_LEDGER_LEDGER_DAYS_H
#define BKP_READ_LEDGER_LEDGER_DAYS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger;
struct store_file;

enum ledger_day {
	LEDGER_DAY_NONE,    /* nothing was captured */
	LEDGER_DAY_FAILED,  /* it failed, or was never finished */
	LEDGER_DAY_PARTIAL, /* captured, and it does not count: partial, suspect, not read back */
	LEDGER_DAY_GOOD,
};

/* What of a medium; several at once. */
#define LEDGER_DAY_READ	   1u /* read back: what is on it was compared */
#define LEDGER_DAY_ROTATED 2u
#define LEDGER_DAY_DAMAGED 4u /* something on it was found to be so */
#define LEDGER_DAY_LOST	   8u

struct ledger_days {
	int32_t from, until;	/* the first day, and that behind the last */
	size_t n_sets, n_media; /* as the caller named them */
	uint8_t *sets, *media;	/* [day - from][which] */
	uint8_t *drills;	/* [day - from]: enum ledger_day: GOOD, one that proves */
	int32_t *
	    age; /* [day - from]: in days, of the data set that is worst off; -1: one has no copy out of reach */
};

/* sets: names; media: UUIDs; from: the first day; the last is that of now_ns, or of the ledger's end where that is later. */
struct ledger_days_wish {
	const char *const *sets, *const *media;
	size_t n_sets, n_media;
	int32_t from;
	int64_t now_ns;
};
int ledger_days_new(struct store_file *journal, const char *name, const struct ledger_days_wish *w,
    struct ledger_days **ret, struct err *err) __attribute__((warn_unused_result));
void ledger_days_free(struct ledger_days *d);

#endif
