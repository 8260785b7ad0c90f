/* history: does this host's journal go on where another copy of it ends?
 *
 * Journals only grow, so the copy on a medium is the beginning of this host's.  If it is longer, this host's
 * state folder is an old copy; if it is another, one of the two was rewritten, and the medium's is the proof
 * of it: it is never replaced.
 *
 * Errors: E-PUBLISH-05 it does not, E-IO-*.
 */
#ifndef BKP_WRITE_STATE_HISTORY_H
#define BKP_WRITE_STATE_HISTORY_H

#include <stdint.h>

struct err;
struct store;
struct store_file;

enum history_kind {
	HISTORY_NONE,	/* there is no other copy */
	HISTORY_BEGINS, /* it is the beginning of ours, or all of it */
	HISTORY_LONGER, /* ours is the beginning of it; what stands after it may be anything */
	HISTORY_FORKED, /* they differ, or its segments are not what they must be (read/file/segments.h) */
};

struct history {
	enum history_kind kind;
	uint64_t lines; /* whole lines that both have in common from the first on */
	uint64_t bytes; /* likewise */
};

/* Compares `theirs`, from its start, with the first `size` bytes of `ours`. */
int history_compare(struct store_file *theirs, struct store_file *ours, uint64_t size, struct history *ret,
    struct err *err) __attribute__((warn_unused_result));
/* The same with the medium's copy; *ret_file (or NULL): it, open, for the
 * caller to close; closed when there is none. */
int history_look(const struct store *repo, struct store_file *ours, uint64_t size,
    struct store_file *ret_file, struct history *ret, struct err *err) __attribute__((warn_unused_result));
/* E-PUBLISH-05: what to say of a copy that is HISTORY_LONGER or HISTORY_FORKED.  Returns -1. */
int history_differs(const struct history *h, struct err *err);

#endif
