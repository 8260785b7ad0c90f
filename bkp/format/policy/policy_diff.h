/* policy_diff: what is another in one policy than in another: key by key, by meaning and not by spelling.
 *
 * Pure.  It walks the same tables of keys as the reader (policy_schema.c), so that no key is forgotten.
 * Entries of lists of tables (datasets, media, people) are told apart by name, their order means nothing;
 * lists of texts are compared as sets.  A default that is written out is no change.
 */
#ifndef BKP_FORMAT_POLICY_POLICY_DIFF_H
#define BKP_FORMAT_POLICY_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct policy;

enum policy_diff_kind { POLICY_DIFF_ADDED, POLICY_DIFF_REMOVED, POLICY_DIFF_CHANGED };
const char *policy_diff_word(enum policy_diff_kind kind); /* "added", "removed", "changed" (JSON) */

struct policy_diff_item {
	enum policy_diff_kind kind;
	char *key;  /* "datasets/emr/generations", "media/RDX-01", "datasets/emr/paths" */
	char *from; /* the value as a policy writes it; NULL: none, or a whole table */
	char *to;
	int moved; /* of a number, a yes or no, or a word of an ordered list: 1 it is more than before, -1 less; else 0.
		     * What was not stated is 0. */
	bool plain; /* a number, a time or a word of the language: nothing that could be private */
};

struct policy_diff {
	struct policy_diff_item *item; /* in the order of the tables of keys */
	size_t n;
};

int policy_diff_new(const struct policy *from, const struct policy *to, struct policy_diff **ret,
    struct err *err) __attribute__((warn_unused_result));
void policy_diff_free(struct policy_diff *d);

#endif
