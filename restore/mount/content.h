/* content: the bytes of one open file, from any offset; fastest in order.
 *
 * content_open → content_read … → content_close.  Every byte is proven before it is given (extent_r.h).  Where all of a file was read in order
 * its SHA-256 is compared with the catalog's, and the last read fails where it is another.  While it is read in order the chunks that come
 * next are decoded ahead.  content_pause(): the archives are about to be let go of; the next read goes on by itself.  To go back costs a step
 * a chunk that lies before.
 *
 * Errors: those of extent_r and arc_r.
 */
#ifndef RESTORE_MOUNT_CONTENT_H
#define RESTORE_MOUNT_CONTENT_H

#include <stddef.h>
#include <stdint.h>

struct arc_r;
struct blocks_entry;
struct err;

struct content;
/* Of the entry, which has extents. */
int content_open(const struct blocks_entry *e, struct content **ret, struct err *err)
    __attribute__((warn_unused_result));
void content_close(struct content *c);
void content_pause(struct content *c);
/* n bytes from `at` on, fewer only at the end of the file: their number in *ret_n. */
int content_read(struct content *c, struct arc_r *a, uint64_t at, void *p, size_t n, size_t *ret_n,
    struct err *err) __attribute__((warn_unused_result));

#endif
