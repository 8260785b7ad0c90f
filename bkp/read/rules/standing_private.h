/* standing_private: what the files of standing share; see standing.h. */
#ifndef BKP_READ_RULES_STANDING_PRIVATE_H
#define BKP_READ_RULES_STANDING_PRIVATE_H

#include "read/ledger/ledger.h"
#include "read/rules/standing.h"

#define STANDING_NS	  1000000000LL
#define STANDING_DAY_S	  86400LL
#define STANDING_SWAP_S	  (34 * STANDING_DAY_S) /* when swap_every is not stated */
#define STANDING_ATTACH_S STANDING_DAY_S	/* when max_attached is not stated */
#define STANDING_SPAN	  48

struct standing_view {
	const struct policy *policy;
	const struct ledger *l;
	const enum standing_sight *sights; /* or NULL */
	struct standing *s;
};

/* standing.c */
static inline int64_t standing_age_s(const struct standing_view *v, int64_t ns)
{
	return v->s->now_ns > ns ? (v->s->now_ns - ns) / STANDING_NS : 0;
}
int64_t standing_swap_s(const struct policy_medium *m);
int64_t standing_attach_s(const struct policy_medium *m);

/* As it was registered, whatever the policy says today. */
const char *standing_type(const struct standing_medium *m);
/* Does the policy still say so? */
bool standing_type_agrees(const struct standing_medium *m);
/* The first of all that are on the same file system and are lost together, whatever they hold: they count as
 * that one; NULL: it is the first, or alone. */
const struct standing_medium *standing_twin(const struct standing_view *v, const struct standing_medium *m);

/* standing_dataset.c */
int standing_dataset_fill(const struct standing_view *v, const struct policy_dataset *pd,
    struct standing_dataset *d, struct err *err);
const struct ledger_copy *standing_copy_on(const struct ledger_generation *g, const char *uuid);
/* Does the medium hold, verified, what makes it a copy of the data set? */
bool standing_fresh(
    const struct standing_view *v, const struct standing_medium *m, const struct standing_dataset *d);
bool standing_stale(const struct standing_view *v, const struct standing_dataset *d);

/* standing_due.c: when it is due, and whether a run was missed. */
void standing_due_fill(const struct standing_view *v, struct standing_dataset *d);
/* Has a run ended since then, however? */
bool standing_ran_since(const struct standing_view *v, int64_t ns);

/* standing_next.c */
int standing_next(const struct standing_view *v, struct err *err);
/* standing_next_medium.c: sentences about one medium, by urgency; each is called for every medium before the
 * next one. */
struct standing_next {
	const struct standing_view *v;
	bool failed; /* out of memory */
};
/* standing_next_site.c: sentences about what concerns everything, by urgency. */
void standing_next_latch(struct standing_next *n);
void standing_next_frozen(struct standing_next *n);
void standing_next_missed(struct standing_next *n);
void standing_next_failed(struct standing_next *n);
void standing_next_untold(struct standing_next *n);
void standing_next_narrowed(struct standing_next *n);
void standing_next_agreed(struct standing_next *n, const struct standing_dataset *d);

void standing_say(struct standing_next *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
typedef void standing_medium_fn(struct standing_next *n, const struct standing_medium *m);
standing_medium_fn standing_next_damaged, standing_next_attached, standing_next_absent, standing_next_rotate,
    standing_next_whereabouts, standing_next_behind, standing_next_other;

#endif
