/* codec: one chunk's compression, an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
 *
 * Pure.  A frame carries its content size; the reader is told the raw length by the archive's INDEX and accepts nothing
 * longer or shorter, so a frame cannot become a bomb.
 * Errors: E-CODEC-01 malformed frame or wrong length.
 */
#ifndef BKP_FORMAT_CODEC_H
#define BKP_FORMAT_CODEC_H

#include <stddef.h>

struct buf;
struct err;

#define CODEC_RAW_MAX ((size_t)4 << 20) /* the largest chunk */

struct codec; /* reusable contexts; one thread at a time */
struct codec *codec_new(void); /* NULL: out of memory */
void codec_free(struct codec *c);
/* Appends the frame of raw[0..n), 1 ≤ n ≤ CODEC_RAW_MAX, to `out`. Deterministic. */
int codec_pack(struct codec *c, const void *raw, size_t n, struct buf *out, struct err *err);
/* Decodes a frame of `stored` bytes to exactly `rawlen` bytes at `raw`. */
int codec_unpack(struct codec *c, const void *frame, size_t stored, void *raw, size_t rawlen, struct err *err);
/* Room to reserve for the frame of n raw bytes. */
size_t codec_bound(size_t n);

#endif
