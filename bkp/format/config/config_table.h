/* config_table: the walk over a tree (config_node) by tables of keys (config_field.h), into a struct.
 *
 * policy_schema.c and procedure_schema.c say in tables which keys there are.  Every value that is not what
 * its table says is reported; lists of the struct then have the same length and order as those in the tree,
 * so that rules can look at both; what was malformed is NULL or its default.
 */
#ifndef BKP_FORMAT_CONFIG_CONFIG_TABLE_H
#define BKP_FORMAT_CONFIG_CONFIG_TABLE_H

#include <stddef.h>

struct err;
struct config_field;
struct config_node;
struct config_problems;
struct config_shape;

/* All tables of a language: to say where a key that stands in the wrong one belongs. */
struct config_shapes {
	const struct config_shape *const *shape;
	size_t n;
};

/* Fills the struct at `at`.  0 whatever was reported; -1: out of memory. */
int config_table_read(const struct config_shapes *all, const struct config_shape *shape,
    const struct config_node *table, void *at, struct config_problems *problems, struct err *err)
    __attribute__((warn_unused_result));

#endif
