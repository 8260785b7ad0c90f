/* policy_rules: what must hold between the parts of a policy (names, paths, media, expectations).
 *
 * policy_rules_check() looks at a policy that policy_schema_read() has filled, beside the tree it came from,
 * which knows the places.  Members that were malformed are NULL there and are passed over: their problem is
 * already told.
 *
 * circle: policy, which declares what the rules judge and calls them when it has parsed.
 */
#ifndef BKP_FORMAT_POLICY_POLICY_RULES_H
#define BKP_FORMAT_POLICY_POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct policy;
struct policy_pool;
struct config_node;
struct config_problems;

/* 0 whatever was reported; -1: out of memory. */
int policy_rules_check(const struct policy *policy, const struct config_node *root,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));

/* policy_rules_sets.c, part of it: data sets, media and places that name one another; data sets that overlap. */
void policy_rules_sets(
    const struct policy *policy, const struct config_node *root, struct config_problems *problems);

/* Has every place its name, and each that it is separate from?  False: that is told already, and they are not to be compared. */
bool policy_places_named(const struct policy *p);
/* policy_pools.c: which pool each medium is in; how many media of a pool have a place that is separate from the originals; the rules. */
void policy_pools(struct policy *p);
size_t policy_pool_separate(const struct policy *p, const struct policy_pool *pool);
void policy_rules_pools(
    const struct policy *policy, const struct config_node *root, struct config_problems *problems);

/* policy_groups.c: leader and turn of each data set. */
void policy_groups(struct policy *p);

#endif
