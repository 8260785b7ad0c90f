/* check_diff_private: what check_diff.c (finding out) and check_diff_show.c (showing) share; see
 * check_diff.h. */
#ifndef BKP_CMD_SHOW_CHECK_DIFF_PRIVATE_H
#define BKP_CMD_SHOW_CHECK_DIFF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/rules/compliance.h"
#include "read/rules/slots.h"

struct app;
struct ledger;
struct policy;
struct policy_diff;
struct retention;

/* One data set's slot under both policies. */
struct check_due {
	const char *name;
	bool was, is; /* is it in the old policy, in the new one? */
	struct slots before, after;
};

/* What holds for the least that is kept, and would be less. */
struct check_floor {
	const char *name, *key; /* "generations", "protect", "keep/daily" … */
	uint64_t from, to;
	bool duration; /* seconds */
	bool agreed;   /* on record as agreed: it stays until lowered with the root key */
};

struct check_verdict {
	const char *name, *rule; /* "generations", "three", "two", "one" */
	const struct compliance_rule *before, *after;
};

/* What an expiry could take from a medium today, under one of the two only. */
struct check_expiry {
	const char *medium; /* label */
	const char *dataset;
	uint64_t generation;
	bool after; /* under the new policy; else under the old one */
};

struct check_diff {
	const struct policy *old, *new;
	const struct ledger *ledger; /* NULL: there is no repository yet */
	char against[4200];	     /* what it is compared with, for people */
	struct policy_diff *diff;
	struct check_due *due;
	size_t n_due;
	struct check_floor *floors;
	size_t n_floors;
	struct check_verdict *verdicts;
	size_t n_verdicts;
	struct check_expiry *expiry; /* by medium */
	size_t n_expiry;
	struct retention *kept_before, *kept_after;
	struct compliance *before, *after;
};

int check_diff_show(const struct app *app, const struct check_diff *c);

#endif
