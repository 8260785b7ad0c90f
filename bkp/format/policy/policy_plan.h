/* policy_plan: what a policy means, for people: who, what, when, where, and what 3-2-1 its media would give.
 *
 * policy_plan_render() writes the text that `bkp check` prints, in the language of text().  It speaks about
 * what is declared, never about what is there: `bkp status` does that. */
#ifndef BKP_FORMAT_POLICY_POLICY_PLAN_H
#define BKP_FORMAT_POLICY_POLICY_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct policy;
struct policy_dataset;
struct policy_pool;
struct config_every;

/* The 3-2-1 that the declared media allow at best, for the data set for which they allow the least. */
struct policy_plan_count {
	size_t copies;	     /* the original and one on each medium */
	size_t technologies; /* of the media: an RDX cartridge and a NAS are both magnetic disks */
	size_t offline;	     /* media that are kept detached */
	size_t
	    elsewhere; /* of those: kept at a place that is separate from the originals; where no places are listed: at a
			      * stated place where no online medium stands */
};

void policy_plan_count(const struct policy *policy, struct policy_plan_count *ret);

/* The technology behind a medium's type, for people: "magnetic disk" for hdd and rdx … (translated). */
const char *policy_plan_technology(const char *type);

/* "24 h", "7 d", "90 min" (translated) into out; returns out.  0 is "-". */
#define POLICY_PLAN_TEXT 96
char *policy_plan_duration(int64_t s, char out[POLICY_PLAN_TEXT]);
char *policy_plan_every(const struct config_every *every, char out[POLICY_PLAN_TEXT]);
/* "every day at 02:00", "every week, Sunday at 02:00", "every month, day 1 at 02:00" … */
char *policy_plan_schedule(
    const struct policy *policy, const struct policy_dataset *d, char out[POLICY_PLAN_TEXT]);

/* Turns of a pool: "every 7 d, on Mon"; what its media hold; who is told when one is late, "" nobody.  All but the second return out. */
char *policy_plan_rhythm(const struct policy_pool *pool, char out[POLICY_PLAN_TEXT]);
const char *policy_plan_holds(const struct policy_pool *pool);
char *policy_plan_remind(const struct policy_pool *pool, char *out, size_t size);

/* The word for role number 0 … POLICY_ROLES - 1, which is the bit 1 << number of enum policy_role (translated). */
#define POLICY_ROLES 7
const char *policy_plan_role(unsigned number);
/* Who has one of these roles (bits): "NAME, NAME", "" for nobody; cut between characters.  Returns out. */
char *policy_plan_people(const struct policy *policy, unsigned roles, char *out, size_t size);

/* columns: what its tables fit into (table_fit()). */
int policy_plan_render(const struct policy *policy, unsigned columns, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* policy_plan_evidence.c, the last part of it: what is left out by decision, backed up by others, whom to call, equipment, checklist;
 * nothing where the policy says nothing. */
int policy_plan_evidence(const struct policy *policy, unsigned columns, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
