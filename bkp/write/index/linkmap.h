/* linkmap: which inode of a data set has been seen under which path, so that the second name of a file
 * becomes a hard link.
 *
 * Only objects with several names are remembered, and forgotten again when all their names have been seen, so
 * an ordinary tree costs nothing.  Entries live in a scratch LMDB file, not in memory. Errors: E-LINK-01.
 */
#ifndef BKP_WRITE_INDEX_LINKMAP_H
#define BKP_WRITE_INDEX_LINKMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

struct linkmap;
/* path: scratch folder (made if absent, emptied). */
int linkmap_open(const char *path, struct linkmap **ret, struct err *err);
void linkmap_close(struct linkmap *m);

/* 1: seen before; ret_path and ret_extents get what was added (NUL-terminated, appended to empty buffers); 0:
 * not; -1. The count of names left goes down by one. */
int linkmap_find(struct linkmap *m, dev_t dev, ino_t ino, struct buf *ret_path, struct buf *ret_extents,
    unsigned *ret_flags, struct err *err);
/* Remembers an object with `names` further names to come. extents may be NULL: none. */
int linkmap_add(struct linkmap *m, dev_t dev, ino_t ino, uint64_t names, const char *path,
    const char *extents, size_t extents_len, unsigned flags, struct err *err);

#endif
