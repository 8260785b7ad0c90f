/* catalog_r: the entries of one data set, streamed block by block (docs/format.md, section 7).
 *
 * catalog_r_open reads the block list (CATALOG_R_LIST_MAX bytes of text at most, held); then any of:
 * catalog_r_seek + catalog_r_next forwards, catalog_r_backwards, catalog_r_find, catalog_r_block.  Of each of
 * the first three one block at most is in memory; catalog_r_backwards also keeps the wanted entries of its
 * block.
 *
 * A block that is damaged does not end the catalog: catalog_r_next returns CATALOG_R_LOST once for it, with
 * the fault, and goes on with the next block.
 *
 * Errors: E-CATALOG-11 block list malformed (line named), E-CATALOG-12 a block does not agree with the list;
 * and those of catalog.h, extent_r and arc_r.
 */
#ifndef BKP_READ_VAULT_CATALOG_R_H
#define BKP_READ_VAULT_CATALOG_R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/medium/catalog.h"

struct arc_r;
struct err;
struct generation_dataset;

#define CATALOG_R_LIST_MAX ((size_t)256 << 20)

struct catalog_r;
int catalog_r_open(struct arc_r *a, const struct generation_dataset *ds, struct catalog_r **ret,
    struct err *err) __attribute__((warn_unused_result));
void catalog_r_close(struct catalog_r *c);
size_t catalog_r_blocks(const struct catalog_r *c);
uint64_t catalog_r_entries(const struct catalog_r *c); /* as the block list says */

/* The block that holds `path` if any does, or would hold it; 0 when it sorts before everything. */
size_t catalog_r_block_of(struct catalog_r *c, const char *path);
/* Appends the path of a block's first entry to `out`, NUL-terminated (not counted). */
int catalog_r_first_path(const struct catalog_r *c, size_t block, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* What a block says, as a key: the same of two generations exactly where the same entries stand in it, whichever archive it lies in. */
void catalog_r_block_key(const struct catalog_r *c, size_t block, uint8_t ret[DIGEST_LEN]);
/* From now on catalog_r_next() passes over blocks of which fn says so.  NULL: none. */
typedef bool catalog_r_skip_fn(void *arg, const uint8_t key[DIGEST_LEN]);
void catalog_r_skip(struct catalog_r *c, catalog_r_skip_fn *fn, void *arg);

/* Forward: from the start of `block` (≤ catalog_r_blocks). */
void catalog_r_seek(struct catalog_r *c, size_t block);
size_t catalog_r_at(const struct catalog_r *c); /* the block that was opened last */
/* 0, CATALOG_END, CATALOG_R_LOST (err says which block; its remaining entries are lost), -1 (give up). */
#define CATALOG_R_LOST 2
int catalog_r_next(struct catalog_r *c, struct catalog_item *ret, struct err *err)
    __attribute__((warn_unused_result));

/* One block by itself: fn for each entry until it returns non-zero, which is returned.  prev: the path before
 * its first entry, or NULL when the order is somebody else's business.  The handle is not changed, and arc_r
 * is the caller's: any number of threads may do this at a time, each with an arc_r of its own.  0,
 * CATALOG_R_LOST (err says which block; entries given out before stand), -1 of fn. */
typedef int catalog_r_block_fn(void *arg, const struct catalog_item *item, struct err *err);
int catalog_r_block(const struct catalog_r *c, struct arc_r *a, size_t block, const char *prev,
    catalog_r_block_fn *fn, void *arg, struct err *err) __attribute__((warn_unused_result));

/* Backwards from the end of block `last` to the start of block `first`: calls fn for each entry that `want`
 * wants (it is asked in forward order within a block), last first.  Damaged blocks are given to fn as a NULL
 * item with the fault in err, and passed over.  Items have no extents then.  A non-zero return of fn stops
 * and is returned. */
typedef int catalog_r_want_fn(void *arg, const struct catalog_item *item);
typedef int catalog_r_back_fn(void *arg, const struct catalog_item *item, struct err *err);
int catalog_r_backwards(struct catalog_r *c, size_t first, size_t last, catalog_r_want_fn *want,
    catalog_r_back_fn *fn, void *arg, struct err *err) __attribute__((warn_unused_result));

/* Binary search over the block list.  The item is valid until the next call. 0, CATALOG_R_ABSENT, -1. */
#define CATALOG_R_ABSENT 3
int catalog_r_find(struct catalog_r *c, const char *path, struct catalog_item *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
