/* policy_problem: the list of what is wrong with a policy (see policy.h), as the policy's own modules fill
 * it. */
#ifndef BKP_FORMAT_POLICY_PROBLEM_H
#define BKP_FORMAT_POLICY_PROBLEM_H

#include <stddef.h>

#include "format/policy.h"

/* Both return the new item, to be given to policy_problem_hint(), or NULL when the list is full (the count
 * goes on; an error then takes the place of a warning, if one stands there). */
struct policy_problem *policy_problem_error(struct policy_problems *list, struct policy_mark mark,
    const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct policy_problem *policy_problem_warn(struct policy_problems *list, struct policy_mark mark,
    const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What would be right; nothing when item is NULL. */
void policy_problem_hint(struct policy_problem *item, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Into the order of the file; those of one place stay in the order they were found. */
void policy_problem_sort(struct policy_problems *list);

/* s (n bytes, may hold anything) as it may stand in a message: safe on a terminal, cut with "…" when long. */
#define POLICY_SHOWN 256
const char *policy_problem_show(const char *s, size_t n, char out[POLICY_SHOWN]);

#endif
