/* statmerge: the sorted walk over a data set, held against what is remembered of it (statcache.h).  Pure.
 *
 * statmerge_new → statmerge_item for each item of the walk, in order → statmerge_end → statmerge_free.
 *
 * Entries that are as they were are not handed out one by one but as ranges of a block: held back until the
 * block is complete or something comes between (a change, a new entry, one that has vanished).  What a call
 * hands out stands in the catalog in front of all that later calls hand out, and in front of the call's own
 * item unless that is clean; so who adds the ranges and the items that are not clean in the order in which he
 * is told of them has the catalog.
 *
 * A range with `whole` set, met while the catalog writer is empty, may be replaced by a reference to the
 * block; any other, and that one otherwise, is to be spliced entry by entry (catalog_writer_add_raw), which
 * gives the blocks that writing everything anew would give: where blocks are cut depends on nothing but the
 * entries in them.  (Should the rules of catalog_writer_full() be changed, STATCACHE_MAGIC is to be changed
 * with them.)
 *
 * An item that is not clean and of which something is remembered comes with it (`known`, `was`), whether that
 * may be believed or not; and regular files that are remembered and were not met are told of
 * (statmerge_gone_fn), in order of path, before what stands behind them is handed out.
 *
 * Never clean are entries that may not be believed, those with several names (whose content may be known to
 * be unchanged, though), mount points that are not entered, and what the walk could not read.  Sockets and
 * the nameless root may be given and are passed over: no entry is made of them.
 *
 * Errors: E-MEM-01.
 */
#ifndef BKP_WRITE_SOURCE_STATMERGE_H
#define BKP_WRITE_SOURCE_STATMERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct statcache;
struct statcache_block;
struct statcache_entry;
struct statmerge;
struct walk_item;

/* Entries from..to-1 of the block, of which a reference is given: statcache_block_free(). */
struct statmerge_range {
	struct statcache_block *block;
	size_t from, to;
	bool whole;
};

enum statmerge_kind {
	STATMERGE_READ,	 /* new or changed: to be looked at, read and added */
	STATMERGE_SAME,	 /* its entry must be made anew, its content is that of entry `index` of `block` */
	STATMERGE_CLEAN, /* part of a range */
};

#define STATMERGE_RANGES 2

/* A regular file as it was captured last. */
struct statmerge_was {
	uint64_t ino, size;
	int64_t mtime_ns, ctime_ns;
	uint8_t kind; /* format/guard/kind.h */
};
struct statmerge_was statmerge_was(const struct statcache_entry *e);

/* 0, or -1: ends the merge with an error of the caller's. */
typedef int statmerge_gone_fn(void *arg, const struct statcache_entry *e);

struct statmerge_result {
	enum statmerge_kind kind;
	struct statcache_block *block; /* SAME: a reference; or NULL */
	size_t index;
	struct statmerge_range ranges[STATMERGE_RANGES];
	size_t n_ranges;
	bool known; /* READ, SAME: its path is remembered as that of a regular file */
	struct statmerge_was was;
};

/* The cache is borrowed; NULL: nothing is remembered. */
int statmerge_new(struct statcache *cache, struct statmerge **ret, struct err *err)
    __attribute__((warn_unused_result));
/* Nothing is taken to be as it was: what is remembered is only compared with. */
void statmerge_disbelieve(struct statmerge *m);
void statmerge_on_gone(struct statmerge *m, statmerge_gone_fn *fn, void *arg);
void statmerge_free(struct statmerge *m);
int statmerge_item(struct statmerge *m, const struct walk_item *it, struct statmerge_result *ret,
    struct err *err) __attribute__((warn_unused_result));
/* The walk is over: what is still held back (kind and block mean nothing). */
int statmerge_end(struct statmerge *m, struct statmerge_result *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
