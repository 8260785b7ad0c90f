/* extent_r: the bytes of a file, in order, from its extents (docs/format.md, section 6).
 *
 * Pull: extent_r_open → extent_r_next until EXTENT_R_END → extent_r_close; a piece lies in one chunk, or is a
 * hole, and says where it is, so that whoever reads ahead can fetch and decode chunks elsewhere.  Push:
 * extent_r_each does all of it.  The text that '@' points to is read chunk by chunk; memory does not grow
 * with the file.  One thread at a time per handle.
 *
 * A missing or wrong chunk is an error that names it; nothing is ever replaced by zeros.  Nothing of a run is
 * given out before its digest was compared with the ids of its pieces (of whole chunks without reading them),
 * and arc_r compares each chunk with its id: so every byte, also of a range, is one that was captured for
 * this file. That the lengths add up, and the SHA-256 of a whole file, is known at the end only.
 *
 * Errors: E-EXTENT-01, E-EXTENT-02 (extent.h), E-EXTENT-11 a run begins after the end of its chunk,
 * E-EXTENT-12 '@' in a wrong place or too long, E-EXTENT-13 a run is not what was captured, E-EXTENT-14 the
 * content's SHA-256 is not the one that was captured; and those of arc_r.
 */
#ifndef BKP_READ_VAULT_EXTENT_R_H
#define BKP_READ_VAULT_EXTENT_R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arc_r;
struct err;

struct extent_r_piece {
	uint64_t at;	 /* offset in the file */
	uint64_t length; /* ≥ 1 */
	bool hole;
	uint64_t archive; /* unless hole: length bytes from `offset` of this chunk, all of them inside it */
	uint32_t chunk;
	uint32_t offset;
};

struct extent_r;
/* `text` is borrowed until extent_r_close(). */
int extent_r_open(struct arc_r *a, const char *text, size_t n, struct extent_r **ret, struct err *err)
    __attribute__((warn_unused_result));
#define EXTENT_R_END 1
int extent_r_next(struct extent_r *x, struct extent_r_piece *ret, struct err *err)
    __attribute__((warn_unused_result));
void extent_r_close(struct extent_r *x);
/* From here on runs are not proven: for looking ahead, when no byte is used. */
void extent_r_peek(struct extent_r *x);

/* p NULL: a hole.  Non-zero stops and is returned.  Where `a` has helpers (arc_r.h) the chunks that come next
 * are decoded meanwhile. */
typedef int extent_r_fn(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err);
int extent_r_each(struct arc_r *a, const char *text, size_t n, extent_r_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* The whole content of an entry, with its SHA-256 (catalog.h; NULL: it has none) compared at the end. */
int extent_r_file(struct arc_r *a, const char *text, size_t n, const uint8_t *sha256, extent_r_fn *fn,
    void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
