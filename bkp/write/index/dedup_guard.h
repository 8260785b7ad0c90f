/* dedup_guard: has the last process died inside LMDB, and can its file be walked?
 *
 * LMDB maps its file and trusts it: a page that is damaged, or cut off with the end of the file, can kill the
 * process (SIGSEGV, SIGBUS, abort), and the next one too.  A byte in a small file of its own, mapped as well,
 * says whether a call into LMDB is under way; it survives the process.  If it still says so when the index is
 * opened, or if the file is shorter than it says itself, a child process walks the index first: a child that
 * dies says that it is damaged.  A second byte counts such deaths since the index was last closed in order:
 * after one the walk is whole (a run that is begun once more must not die of what a sample did not meet), of a file that
 * is only short it may be a sample.
 *
 * Of an ordinary end, and of a kill between two calls, nothing is left, and nothing is walked.
 */
#ifndef BKP_WRITE_INDEX_DEDUP_GUARD_H
#define BKP_WRITE_INDEX_DEDUP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct dedup_guard {
	volatile uint8_t *inside; /* mapped, [1]: deaths; NULL: closed */
};

/* `path`: the index's folder.  *ret_deaths: 0, or how many processes in a row ended inside
 * LMDB.  0, or an errno value. */
int dedup_guard_open(const char *path, struct dedup_guard *ret, unsigned *ret_deaths);
/* By whoever watches: did the process that had the index end inside LMDB? */
bool dedup_guard_died_inside(const char *path);
/* in_order: it was used to the end without a fault. */
void dedup_guard_close(struct dedup_guard *g, bool in_order);
void dedup_guard_enter(struct dedup_guard *g);
void dedup_guard_leave(struct dedup_guard *g);

/* Calls `walk` in a child process; false when it returned something else than 0 or died of what it did.  What
 * says nothing about the index (no process to be had, a kill from outside) counts as well. */
bool dedup_guard_try(int (*walk)(const char *path), const char *path);

#endif
