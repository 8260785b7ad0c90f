/* policy_schema: which keys a policy has and what each may be, as tables; and the walk over them.
 *
 * policy_schema_read() fills a struct policy that policy_schema_defaults() has prepared, and reports every
 * value that is not what its table says.  Lists of the struct then have the same length and order as those in
 * the tree, so that policy_rules can look at both; what was malformed is NULL or its default.
 *
 * circle: policy, whose members the tables name, and which walks them.
 */
#ifndef BKP_FORMAT_POLICY_POLICY_SCHEMA_H
#define BKP_FORMAT_POLICY_POLICY_SCHEMA_H

struct err;
struct policy;
struct config_node;
struct config_problems;
struct config_shape;

/* The tables themselves, from the top: offsets lead into a struct policy. */
const struct config_shape *policy_schema_shape(void);

/* policy_schema_evidence.c: the tables of what stands in papers alone (policy_evidence.h); parts of the former. */
extern const struct config_shape policy_schema_excluded, policy_schema_external, policy_schema_contact,
    policy_schema_asset, policy_schema_checklist, policy_schema_self;

int policy_schema_defaults(struct policy *policy, struct err *err);

/* 0 whatever was reported; -1: out of memory.  `root` may be NULL (an empty file). */
int policy_schema_read(const struct config_node *root, struct policy *policy,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));

#endif
