/* retention: which generations stay on which medium, which may go, and all the reasons.
 *
 * Pure: from policy, ledger (with what was agreed in it) and time.  Nothing is decided by time alone: age
 * only keeps.  A generation may go from a medium only when its data set is covered there
 * by enough NEWER generations.  One counts for a data set on a medium when ledger_counts() says so, it was
 * read back from that medium and not found damaged since, it was not begun while a jump of the clock was
 * unattested, and it is not dated later than now.  Newer means both: begun later, and with a higher number.
 * So neither junk that was captured under a clock set forward nor under one set back pushes anything out.
 *
 * Of policy and agreement the larger figure holds, each by itself.  A data set that left the policy keeps
 * what was agreed of it, and so it does on a medium that is to hold it no longer (`datasets:` of the medium):
 * its newest there are never covered and stay, for a policy that was edited frees nothing.  One of which neither
 * says anything never goes.  One that was agreed with no
 * generations (by the root key: given up) asks for nothing but its protection.
 *
 * Local time decides what a date, a week (ISO 8601), a month and a year are; dates of newer generations must
 * differ in UTC as well.
 *
 * The result holds copies of all it needs: records may be appended to the journal meanwhile.
 */
#ifndef BKP_READ_RULES_RETENTION_H
#define BKP_READ_RULES_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/journal/journal.h"
#include "format/medium/generation.h"

struct err;
struct ledger;
struct policy;

enum retention_reason {
	RETENTION_FROZEN,    /* a generation is suspect and nobody has decided on it */
	RETENTION_LATCHED,   /* the clock has jumped forward and nobody has attested it */
	RETENTION_HELD,	     /* a person holds it */
	RETENTION_UNKNOWN,   /* neither policy nor agreement knows the data set */
	RETENTION_FUTURE,    /* it is dated later than now */
	RETENTION_PROTECTED, /* until until_ns */
	RETENTION_SUSPECT,   /* it is suspect: a person decides */
	RETENTION_NEWEST,    /* the last good copy anywhere of the newest good generation */
	RETENTION_FLOOR,     /* `have` of the `want` dates that newer ones must have */
	RETENTION_NO_BETTER, /* partial or failed, and no newer good one is verified on the medium */
	RETENTION_DAILY,     /* the newest of its day, one of `want` that are kept */
	RETENTION_WEEKLY,
	RETENTION_MONTHLY,
	RETENTION_YEARLY,
	RETENTION_TOGETHER, /* what was captured together with it stays */
	RETENTION_COVERED,  /* the only one that lets it go: newer ones at `have` dates, of `want` */
};

struct retention_why {
	enum retention_reason reason;
	const char *with;      /* RETENTION_TOGETHER: data set of the one that stays */
	const char *frozen_by; /* RETENTION_FROZEN: the suspect generation, "emr@42" */
	uint64_t have, want;
	int64_t until_ns;
	bool no_more; /* RETENTION_FLOOR: and the policy lets no newer ones come to the medium */
};

struct retention_copy {
	const char *dataset;
	uint64_t number;
	char uuid[JOURNAL_UUID];
	int64_t begun_ns;
	bool stays; /* else it may go */
	struct retention_why *why;
	size_t n_why; /* ≥ 1; while it stays, only what keeps it */
};

struct retention_medium {
	char uuid[JOURNAL_UUID];
	char *label;
	/* those that the journal says are there: one data set after the other, of each ascending by number */
	struct retention_copy *copies;
	size_t n;
	size_t may_go; /* of them */
};

struct retention {
	struct retention_medium *media; /* those registered that hold anything */
	size_t n;
	char frozen_by[GENERATION_LABEL]; /* the generation that is suspect, "emr@42"; "": not frozen */
	bool latched;
	char **names; /* of data sets, that the copies point to */
	size_t n_names;
};

int retention_judge(const struct policy *policy, const struct ledger *l, int64_t now_ns,
    struct retention **ret, struct err *err) __attribute__((warn_unused_result));
/* One generation on one medium, judged as if its expiry there were not recorded: medium and copy are the
 * first of *ret.  For whoever finds files of an expired generation and wants to take them away. */
int retention_judge_expired(const struct policy *policy, const struct ledger *l, int64_t now_ns,
    const char *medium, const char *dataset, uint64_t number, struct retention **ret, struct err *err)
    __attribute__((warn_unused_result));
void retention_free(struct retention *r);
/* By UUID, or NULL. */
const struct retention_medium *retention_on(const struct retention *r, const char *medium);

const char *retention_word(enum retention_reason r); /* "frozen" …, of the format */
/* The reason as a sentence, in the reader's language; returns out. */
#define RETENTION_SENTENCE 400
char *retention_sentence(const struct retention_why *w, char out[RETENTION_SENTENCE]);

#endif
