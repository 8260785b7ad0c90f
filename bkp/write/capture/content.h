/* content: the bytes of a file, stream or text into archives, and the extents that say where they are.
 *
 * content_new → { content_begin → content_data | content_chunk | content_hole … → content_end } |
 * content_text … → content_free.  Nothing grows with the file except the text of its extents, which is stored
 * away when it is long (format.md, section 6).
 *
 * Errors (-1) are those of pack: the capture cannot go on.
 */
#ifndef BKP_WRITE_CAPTURE_CONTENT_H
#define BKP_WRITE_CAPTURE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "write/pack/pack.h"

struct buf;
struct chunker;
struct err;
struct queue;
struct queue_event;

struct content;
int content_new(struct pack *pack, const struct chunker *chunker, struct content **ret, struct err *err);
void content_free(struct content *c);

void content_begin(struct content *c);
/* The current event of f, one of those that reader.h adds between an item and QUEUE_DONE.  QUEUE_RESTART begins
 * once more. */
int content_take(struct content *c, struct queue *f, const struct queue_event *e, struct err *err);
/* SHA-256 of the whole content as it was read, holes as zeros. */
struct content_sha256 {
	bool has; /* false: more than EXTENT_HOLES_MAX bytes are holes */
	uint8_t of[DIGEST_LEN];
};
/* extents gets "<size>[ run]…"; *ret_size may be NULL. */
int content_end(struct content *c, struct buf *extents, uint64_t *ret_size, struct content_sha256 *ret_sha256,
    struct err *err);

/* A text held in memory, into the catalog stream. */
int content_text(struct content *c, const void *p, size_t n, struct buf *extents, struct err *err);

#endif
