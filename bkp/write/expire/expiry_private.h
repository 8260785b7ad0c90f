/* expiry_private: what the files of expiry share; see expiry.h. */
#ifndef BKP_WRITE_EXPIRE_EXPIRY_PRIVATE_H
#define BKP_WRITE_EXPIRE_EXPIRY_PRIVATE_H

#include "write/expire/expiry.h"

/* expiry_plan.c: what of the medium may go becomes its items; those of the plan, unless that is NULL. */
struct approval_plan;
int expiry_choose(
    const struct expiry *e, struct expiry_medium *m, const struct approval_plan *plan, struct err *err);
/* Nothing of it goes. */
void expiry_clear(struct expiry_medium *m);
/* expiry.c: how much that frees. */
int expiry_measure(struct expiry *e, struct expiry_medium *m, struct err *err);

#endif
