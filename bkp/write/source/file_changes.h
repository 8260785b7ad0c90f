/* file_changes: the sorted walk over a data set, held against what is remembered of it (file_cache.h).  Pure.
 *
 * file_changes_new → file_changes_item for each item of the walk, in order → file_changes_end →
 * file_changes_free.
 *
 * Entries that are as they were are not handed out one by one but as ranges of a block: held back until the
 * block is complete or something comes between (a change, a new entry, one that has vanished).  What a call
 * hands out stands in the catalog in front of all that later calls hand out, and in front of the call's own
 * item unless that is clean; so who adds the ranges and the items that are not clean in the order in which he
 * is told of them has the catalog.
 *
 * A range with `whole` set, met while the catalog writer is empty, may be replaced by a reference to the
 * block; any other, and that one otherwise, is to be spliced entry by entry (catalog_writer_add_raw), which
 * gives the blocks that writing everything again would give: where blocks are cut depends on nothing but the
 * entries in them.  (Should the rules of catalog_writer_full() be changed, FILE_CACHE_MAGIC is to be changed
 * with them.)
 *
 * An item that is not clean and of which something is remembered comes with it (`known`, `was`), whether that
 * may be believed or not; and regular files that are remembered and were not met are told of
 * (file_changes_gone_fn), in order of path, before what stands after them is handed out.
 *
 * Never clean are entries that may not be believed, those with several names (whose content may be known to
 * be unchanged, though), mount points that are not entered, and what the walk could not read.  Sockets and
 * the nameless root may be given and are passed over: no entry is made of them.
 *
 * Errors: E-MEM-01.
 */
#ifndef BKP_WRITE_SOURCE_FILE_CHANGES_H
#define BKP_WRITE_SOURCE_FILE_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/guard/profile.h"

struct err;
struct file_cache;
struct file_cache_block;
struct file_cache_entry;
struct file_changes;
struct walk_item;

/* Entries from..to-1 of the block, of which a reference is given: file_cache_block_free(). */
struct file_changes_range {
	struct file_cache_block *block;
	size_t from, to;
	bool whole;
};

enum file_changes_kind {
	/* new or changed: to be looked at, read and added; entry `index` of `block`, if there is one, is what was a
	 * file of the same size: only its content tells whether that changed */
	FILE_CHANGES_READ,
	FILE_CHANGES_SAME, /* its entry must be made again, its content is that of entry `index` of `block` */
	FILE_CHANGES_CLEAN, /* part of a range */
};

#define FILE_CHANGES_RANGES 2

/* A regular file as it was captured last. */
struct file_changes_was {
	uint64_t ino, size;
	int64_t mtime_ns, ctime_ns;
	struct profile profile;
};
struct file_changes_was file_changes_was(const struct file_cache_entry *e);

/* 0, or -1: ends the merge with an error of the caller's. */
typedef int file_changes_gone_fn(void *arg, const struct file_cache_entry *e);

struct file_changes_result {
	enum file_changes_kind kind;
	struct file_cache_block *block; /* READ, SAME: a reference; or NULL */
	size_t index;
	struct file_changes_range ranges[FILE_CHANGES_RANGES];
	size_t n_ranges;
	bool known; /* READ, SAME: its path is remembered as that of a regular file */
	struct file_changes_was was;
};

/* The cache is borrowed; NULL: nothing is remembered. */
int file_changes_new(struct file_cache *cache, struct file_changes **ret, struct err *err)
    __attribute__((warn_unused_result));
/* Nothing is taken to be as it was: what is remembered is only compared with. */
void file_changes_disbelieve(struct file_changes *m);
void file_changes_on_gone(struct file_changes *m, file_changes_gone_fn *fn, void *arg);
void file_changes_free(struct file_changes *m);
int file_changes_item(struct file_changes *m, const struct walk_item *it, struct file_changes_result *ret,
    struct err *err) __attribute__((warn_unused_result));
/* The walk is over: what is still held back (kind and block mean nothing). */
int file_changes_end(struct file_changes *m, struct file_changes_result *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
