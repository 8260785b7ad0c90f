/* tree: generations as one tree of folders, whose nodes are numbers and need no memory.
 *
 * tree_new → tree_lookup, tree_node, tree_list … → tree_free.  The tree begins with the entries of its one generation, or (folders) has a
 * folder for each, "emr@42".  A node's number says where its entry stands (generation, block, place in it) and, of a folder that is above an
 * entry and none itself, how many components of that entry's path it has.  So a mount holds nothing of what was looked at.
 *
 * Names of one file have one number, that of the first, where that is what the catalog says it is.
 *
 * 0, or the errno to answer with; what the medium did wrong goes to `fault` first.
 */
#ifndef RESTORE_MOUNT_TREE_H
#define RESTORE_MOUNT_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "restore/mount/blocks.h"

struct err;

#define TREE_ROOT	 UINT64_C(1)
#define TREE_GENERATIONS 100
#define TREE_NAME	 1024 /* bytes; the kernel takes no longer ones */

typedef void tree_fault_fn(void *arg, const struct err *why);

struct tree;
struct tree *tree_new(
    struct blocks *b, bool folders, tree_fault_fn *fault, void *arg); /* NULL: out of memory */
void tree_free(struct tree *t);

struct tree_node {
	uint64_t number;
	size_t generation;
	const struct blocks_entry *entry; /* until the next call; NULL: a folder that is no entry */
	struct stat st;
};
int tree_node(struct tree *t, uint64_t number, struct tree_node *ret);
int tree_lookup(struct tree *t, uint64_t folder, const char *name, struct tree_node *ret);
/* What is in a folder, from `cookie` on (0: the first): *cookie moves on.  ret_name: TREE_NAME bytes.  TREE_LAST: no more. */
#define TREE_LAST (-1)
int tree_list(struct tree *t, uint64_t folder, uint64_t *cookie, char *ret_name, struct tree_node *ret);

#endif
