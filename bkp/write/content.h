/* content: the bytes of a file, stream or text into chunks, and the extents that say where they are.
 *
 * content_new → content_file / content_stream / content_text … → content_free.  One window buffer of 8 MiB; nothing grows
 * with the file except the text of its extents, which is stored away when it is long (format.md, section 6).
 *
 * Errors (-1) are those of pack: the capture cannot go on.
 */
#ifndef BKP_WRITE_CONTENT_H
#define BKP_WRITE_CONTENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "write/pack.h"

struct buf;
struct chunker;
struct err;

struct content;
int content_new(struct pack *pack, const struct chunker *chunker, struct content **ret, struct err *err);
void content_free(struct content *c);

/* The regular file fd; *st is its fstat, taken before anything was read, and is brought up to date when the file is read
 * a second time.  extents gets "<size>[ run]…".  Holes stay holes.
 * CONTENT_CHANGED: it changed while it was read, also the second time: what the second reading gave is stored.
 * CONTENT_UNREADABLE: *ret_errno says why; nothing of it is referenced. */
#define CONTENT_CHANGED	   1
#define CONTENT_UNREADABLE 2
int content_file(struct content *c, int fd, struct stat *st, struct buf *extents, int *ret_errno, struct err *err);

/* A stream: `read` returns bytes, 0 at the end, -1 with errno (then CONTENT_UNREADABLE). */
typedef ssize_t content_read_fn(void *arg, void *p, size_t n);
int content_stream(struct content *c, content_read_fn *read, void *arg, struct buf *extents, uint64_t *ret_size,
    int *ret_errno, struct err *err);

/* A text held in memory, into the catalog stream. */
int content_text(struct content *c, const void *p, size_t n, struct buf *extents, struct err *err);

#endif
