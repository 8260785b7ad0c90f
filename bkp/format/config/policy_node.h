/* policy_node: a YAML document as a tree that knows where every part stands.
 *
 * policy_node_parse() → read → policy_node_free().  Only the subset that policy.h names gets through: what
 * YAML offers beyond it (anchors, aliases, tags, more documents) makes a file mean other things than it seems
 * to say.
 */
#ifndef BKP_FORMAT_CONFIG_POLICY_NODE_H
#define BKP_FORMAT_CONFIG_POLICY_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "format/config/policy_problem.h"

struct err;

#define POLICY_DEPTH_MAX  16
#define POLICY_NODES_MAX  65536
#define POLICY_NODE_WIDTH 4096 /* entries of one list */
#define POLICY_NODE_KEYS  64   /* keys of one table */

enum policy_kind { POLICY_SCALAR, POLICY_LIST, POLICY_TABLE };

struct policy_node {
	enum policy_kind kind;
	struct policy_mark mark; /* of the value */
	char *key;		 /* in a table, or NULL */
	struct policy_mark key_mark;
	char *s; /* scalar; no NUL inside */
	size_t len;
	bool plain;   /* scalar without quotes */
	bool refused; /* a problem was reported for it: nobody looks at it, or quotes it, again */
	struct policy_node *first, *last, *next;
	size_t n;
};

/* The n bytes stand behind `lines_before` lines of their file: marks count from there.  0, and *ret_root is
 * the document (a single node of any kind, or NULL for an empty one; problems may already hold errors).
 * POLICY_NODE_BAD: not readable to the end, problems say why, nothing returned.  -1: out of memory. */
#define POLICY_NODE_BAD 1
int policy_node_parse(const char *p, size_t n, unsigned lines_before, struct policy_node **ret_root,
    struct policy_problems *problems, struct err *err) __attribute__((warn_unused_result));
void policy_node_free(struct policy_node *node);
void policy_node_free_auto(struct policy_node **node);

/* The value of a key that is usable (not refused), or NULL.  `table` may be NULL or of any kind. */
const struct policy_node *policy_node_get(const struct policy_node *table, const char *key);
/* True also when the value was refused: the key is not missing. */
bool policy_node_has(const struct policy_node *table, const char *key);
/* A key without a value: `title:` or `title: ~` or null. */
bool policy_node_is_empty(const struct policy_node *node);

#endif
