/* config_node: a YAML document as a tree that knows where every part stands.
 *
 * config_node_parse() → read → config_node_free().  Only the subset that policy.h names gets through: what
 * YAML offers beyond it (anchors, aliases, tags, more documents) makes a file mean other things than it seems
 * to say.
 */
#ifndef BKP_FORMAT_CONFIG_CONFIG_NODE_H
#define BKP_FORMAT_CONFIG_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "format/config/config_problem.h"

struct err;

#define CONFIG_DEPTH_MAX  16
#define CONFIG_NODES_MAX  65536
#define CONFIG_NODE_WIDTH 4096 /* entries of one list */
#define CONFIG_NODE_KEYS  64   /* keys of one table */

enum config_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_TABLE };

struct config_node {
	enum config_kind kind;
	struct config_mark mark; /* of the value */
	char *key;		 /* in a table, or NULL */
	struct config_mark key_mark;
	char *s; /* scalar; no NUL inside */
	size_t len;
	bool plain;   /* scalar without quotes */
	bool refused; /* a problem was reported for it: nobody looks at it, or quotes it, again */
	struct config_node *first, *last, *next;
	size_t n;
};

/* The n bytes stand behind `lines_before` lines of their file: marks count from there.  0, and *ret_root is
 * the document (a single node of any kind, or NULL for an empty one; problems may already hold errors).
 * CONFIG_NODE_BAD: not readable to the end, problems say why, nothing returned.  -1: out of memory. */
#define CONFIG_NODE_BAD 1
int config_node_parse(const char *p, size_t n, unsigned lines_before, struct config_node **ret_root,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));
void config_node_free(struct config_node *node);
void config_node_free_auto(struct config_node **node);

/* The value of a key that is usable (not refused), or NULL.  `table` may be NULL or of any kind. */
const struct config_node *config_node_get(const struct config_node *table, const char *key);
/* True also when the value was refused: the key is not missing. */
bool config_node_has(const struct config_node *table, const char *key);
/* A key without a value: `title:` or `title: ~` or null. */
bool config_node_is_empty(const struct config_node *node);

#endif
