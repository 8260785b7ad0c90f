/* compliance_private: what the files of compliance share; see compliance.h.  compliance_view is handed
 * through all of them: what is judged, and what was found so far (s). */
#ifndef BKP_READ_RULES_COMPLIANCE_PRIVATE_H
#define BKP_READ_RULES_COMPLIANCE_PRIVATE_H

#include "base/clock.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

#define COMPLIANCE_DAY_S    86400LL
#define COMPLIANCE_SWAP_S   (34 * COMPLIANCE_DAY_S) /* when swap_every is not stated */
#define COMPLIANCE_ATTACH_S COMPLIANCE_DAY_S	    /* when max_attached is not stated */
#define COMPLIANCE_SPAN	    48

struct compliance_view {
	const struct policy *policy;
	const struct ledger *l;
	const enum compliance_sight *sights; /* or NULL */
	struct compliance *s;
};

/* compliance.c */
static inline int64_t compliance_age_s(const struct compliance_view *v, int64_t ns)
{
	return v->s->now_ns > ns ? (v->s->now_ns - ns) / SECOND_NS : 0;
}
int64_t compliance_swap_s(const struct policy_medium *m);

/* As it was registered, whatever the policy says today. */
const char *compliance_type(const struct compliance_medium *m);
/* Does the policy still say so? */
bool compliance_type_agrees(const struct compliance_medium *m);
/* The first of all that are on the same file system and are lost together, whatever they hold: they count as
 * that one; NULL: it is the first, or alone. */
const struct compliance_medium *compliance_twin(
    const struct compliance_view *v, const struct compliance_medium *m);

/* compliance_dataset.c */
int compliance_dataset_fill(const struct compliance_view *v, const struct policy_dataset *pd,
    struct compliance_dataset *d, struct err *err);
/* Does the medium, which is to hold the data set, hold, verified, what makes it a copy of it? */
bool compliance_fresh(
    const struct compliance_view *v, const struct compliance_medium *m, const struct compliance_dataset *d);
bool compliance_stale(const struct compliance_view *v, const struct compliance_dataset *d);

/* Has a run ended since then, however? */
bool compliance_ran_since(const struct compliance_view *v, int64_t ns);

/* compliance_next.c */
int compliance_next(const struct compliance_view *v, struct err *err);
/* compliance_next_medium.c: sentences about one medium, by urgency; each function is called for every medium
 * before the next one is. */
struct compliance_next {
	const struct compliance_view *v;
	bool failed;	  /* out of memory */
	int64_t since_ns; /* of the sentence that is said next; 0: not known */
};
/* compliance_next_site.c: sentences about what concerns everything, by urgency. */
void compliance_next_latch(struct compliance_next *n);
void compliance_next_frozen(struct compliance_next *n);
void compliance_next_missed(struct compliance_next *n);
void compliance_next_failed(struct compliance_next *n);
void compliance_next_untold(struct compliance_next *n);
void compliance_next_narrowed(struct compliance_next *n);
void compliance_next_keys(struct compliance_next *n);
void compliance_next_drills(struct compliance_next *n);
void compliance_next_contacts(struct compliance_next *n);
void compliance_next_regulation(struct compliance_next *n);
void compliance_next_agreed(struct compliance_next *n, const struct compliance_dataset *d);

void compliance_say(struct compliance_next *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
typedef void compliance_medium_fn(struct compliance_next *n, const struct compliance_medium *m);
compliance_medium_fn compliance_next_damaged, compliance_next_attached, compliance_next_absent,
    compliance_next_ledger, compliance_next_rotate, compliance_next_whereabouts, compliance_next_behind,
    compliance_next_other, compliance_next_unread;

#endif
