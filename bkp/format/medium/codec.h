/* codec: one chunk's compression: an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md)
 * or a Zstandard frame (RFC 8878); which one it is, the frame says itself by its magic number.
 *
 * Pure.  A frame carries its content size; the reader is told the raw length by the archive's INDEX and
 * accepts nothing longer or shorter, so a frame cannot become a bomb: nothing is allocated by what a frame
 * says. A chunk that gains nothing becomes an LZ4 frame of one uncompressed block, whatever kind was asked
 * for; that it gains nothing is found out on a few windows of it. Errors: E-CODEC-01 malformed frame or wrong
 * length.
 */
#ifndef BKP_FORMAT_MEDIUM_CODEC_H
#define BKP_FORMAT_MEDIUM_CODEC_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

#define CODEC_RAW_MAX ((size_t)4 << 20) /* the largest chunk */

/* What may be used for a chunk. */
enum codec_kind {
	CODEC_LZ4,
	CODEC_ZSTD, /* where it gains something */
	CODEC_KINDS,
};

struct codec;		       /* reusable contexts; one thread at a time */
struct codec *codec_new(void); /* NULL: out of memory */
void codec_free(struct codec *c);
/* Appends the frame of raw[0..n), 1 ≤ n ≤ CODEC_RAW_MAX, to `out`.  Deterministic. */
int codec_pack(
    struct codec *c, enum codec_kind kind, const void *raw, size_t n, struct buf *out, struct err *err);
/* Decodes a frame of `stored` bytes to exactly `rawlen` bytes at `raw`. */
int codec_unpack(
    struct codec *c, const void *frame, size_t stored, void *raw, size_t rawlen, struct err *err);
/* Room to reserve for the frame of n raw bytes. */
size_t codec_bound(size_t n);
/* What a frame is, by how it begins: CODEC_LZ4 also where it is none of the others. */
enum codec_kind codec_kind_of(const void *frame, size_t stored);
/* How the name of its entry in an archive ends: CODEC_SUFFIX bytes, ".lz4". */
#define CODEC_SUFFIX 4
const char *codec_suffix(enum codec_kind kind);

/* The same frame in parts: a chunk that gains nothing is not copied. */
#define CODEC_PARTS 3
struct codec_frame {
	struct codec_part {
		const void *p;
		size_t n;
	} part[CODEC_PARTS]; /* one behind the other are the frame; they lie in `raw` and `out` */
	size_t parts, n;     /* n: bytes of the frame */
};
/* As codec_pack(); what stood in `out` goes. */
int codec_pack_parts(struct codec *c, enum codec_kind kind, const void *raw, size_t n, struct buf *out,
    struct codec_frame *ret, struct err *err);

#endif
