/* retention_private: what retention.c and retention.c share; see retention.h. */
#ifndef BKP_READ_RULES_RETENTION_PRIVATE_H
#define BKP_READ_RULES_RETENTION_PRIVATE_H

#include "read/ledger/ledger.h"
#include "read/rules/retention.h"

/* What holds for a data set: of policy and agreement the larger. */
struct retention_rule {
	const char *name; /* in retention.names */
	bool known;	  /* by one of the two */
	uint64_t floor;	  /* 0: given up */
	int64_t protect_s;
	uint64_t keep[4]; /* daily, weekly, monthly, yearly */
	uint64_t newest;  /* good generation that counts on some medium; 0: none */
};

/* A generation that counts for a data set on a medium. */
struct retention_counted {
	uint64_t number;
	int64_t begun_ns;
	uint32_t period[4]; /* date, week, month, year; local */
	int64_t utc_day;
	unsigned kept; /* a bit for each keep */
};

#endif
