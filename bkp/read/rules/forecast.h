/* forecast: which verdicts that are met now will no longer be, when, if nobody acts; and what prevents it.
 *
 * Pure: the rules themselves (compliance.h) are asked of times to come.  The nightly runs are taken to go on as scheduled and to
 * succeed: of each data set the run of its last slot is supposed (ledger_suppose()), onto the media kept online that hold its newest
 * generation now.  Nobody rotates, carries, attaches or takes away anything.  Media are as they are recorded.
 *
 * A lapse is found to the minute, by halving the day in which it comes.  Then each single action is tried on a ledger of its own, in the
 * order of forecast_next_media(): take away a disk that is here; bring one, rotate it and take it to its place.  The first by which
 * the verdict is met a minute after it would have lapsed is what prevents it.
 */
#ifndef BKP_READ_RULES_FORECAST_H
#define BKP_READ_RULES_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "read/rules/compliance.h"

struct err;
struct ledger;
struct policy;

#define FORECAST_DAYS 35 /* that are worth it */

enum forecast_what {
	FORECAST_GENERATIONS,
	FORECAST_THREE,
	FORECAST_TWO,
	FORECAST_ONE,
	FORECAST_ROTATION, /* of a medium: it is overdue */
	FORECAST_ATTACHED, /* of a medium: it is attached for too long */
};
const char *forecast_word(enum forecast_what w); /* "generations" …, "rotation", "attached" (JSON) */

enum forecast_act { FORECAST_NONE, FORECAST_ROTATE, FORECAST_TAKE };

struct forecast_lapse {
	enum forecast_what what;
	size_t of; /* index of the policy's data set, or medium */
	int64_t at_ns;
	enum compliance_verdict to;	    /* ATTENTION or MISSING */
	char why[256];			    /* the rule's, in the reader's language; "" of a medium */
	enum forecast_act act;		    /* what prevents it, done before at_ns; NONE: no single act */
	const struct policy_medium *medium; /* with that one */
};

struct forecast {
	int64_t now_ns, until_ns;
	struct forecast_lapse *lapses; /* by time, then of data sets before media */
	size_t n;
};

/* Gives a ledger that the forecast may change and frees. */
typedef int forecast_load_fn(void *arg, struct ledger **ret, struct err *err);
/* days: how far, 1 … FORECAST_DAYS; each costs a judgement of everything. */
int forecast_new(const struct policy *policy, forecast_load_fn *load, void *arg, int64_t now_ns,
    unsigned days, struct forecast **ret, struct err *err) __attribute__((warn_unused_result));
void forecast_free(struct forecast *f);

#endif
