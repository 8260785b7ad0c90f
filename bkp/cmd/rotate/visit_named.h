/* visit_named: the medium kept offline that a command names, wherever it is: mounted by hand at any place; or plugged in and mounted
 * nowhere, then it is mounted for this command alone (visit.h).
 *
 *     visit_named_begin() → open it at *ret_path → close it → visit_named_end()
 */
#ifndef BKP_CMD_ROTATE_VISIT_NAMED_H
#define BKP_CMD_ROTATE_VISIT_NAMED_H

#include "cmd/rotate/visit.h"

/* The state folder is locked.  0: *ret_path (malloc'd) is where it is, or NULL: nowhere, what was found instead has been said; -1:
 * errors as visit_attach(). */
int visit_named_begin(struct visit *v, const struct state *s, const struct policy *p,
    const struct policy_medium *m, char **ret_path, struct err *err) __attribute__((warn_unused_result));

/* Unmounts what was mounted, and says what a person does with it.  0, -1. */
int visit_named_end(struct visit *v, const struct state *s, const struct policy_medium *m, struct err *err)
    __attribute__((warn_unused_result));

#endif
