/* codec: see codec.h.
 *
 * Writing a chunk: is_noise() tries eight windows of 8 KiB; when none shrinks, the chunk is stored as it is.  Else zstd_level()
 * tries two windows of 32 KiB and chooses between a dense and a quick level, and the whole is compressed.  A result that saves
 * less than 1/256 is stored as it is, too.  A stored frame is a head and a tail around the caller's bytes: they are not copied.
 *
 * Reading: the caller gives the raw length; a frame must fill exactly that.  zstd decodes straight into `raw` without a window
 * of its own.  A context that stopped within an LZ4 frame is made new (fresh_lz4()).
 *
 * Another compression: a kind in enum codec_kind, its branch in compress_frame() and codec_unpack(), its magic number in
 * codec_kind_of(), the ending of names in codec_suffix(), and the policy's word (policy_schema.c). */
#include "format/medium/codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4frame.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* Measured on the tree of tests/bench (MB stored, CPU seconds): lz4 1192, 1.43; zstd -5 1008, 1.26; 1
 * 974, 2.2; 3 984, 2.5; 5 982, 6.7.  Where -5 does as well as 1 (long repeats beside noise) it takes a third
 * of the time. */
#define ZSTD_DENSE 1
#define ZSTD_QUICK (-5)
#define CHOICES	   2
#define CHOICE	   ((size_t)32 << 10) /* the two are tried on so much, so many times */

/* Looked at to see whether a chunk gains at all.  Eight, because a chunk may be half image and half noise. */
#define PROBES	  8
#define PROBE	  ((size_t)8 << 10)
#define PROBE_MIN ((size_t)128 << 10) /* smaller chunks are simply compressed */

#define STORED_HEAD                                                                                          \
	19 /* magic number, flags, block size, content size, checksum; length of the only block  \
			*/
#define STORED_TAIL  4
#define NOT_ENCODED  UINT32_C(0x80000000)
#define ZSTD_MAGIC_N 4

struct codec {
	LZ4F_cctx *c;
	LZ4F_dctx *d;
	/* made when first needed: a reader or writer of LZ4 alone has no use for them */
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	bool midway; /* d stopped within a frame */
	void *lz4;   /* state for probing */
};

static LZ4F_preferences_t preferences(size_t n)
{
	LZ4F_preferences_t p = LZ4F_INIT_PREFERENCES;

	p.frameInfo.blockSizeID = LZ4F_max4MB;
	p.frameInfo.blockMode = LZ4F_blockIndependent;
	p.frameInfo.contentSize = n;
	p.autoFlush = 1; /* spares it a buffer of a block's size */
	return p;
}

struct codec *codec_new(void)
{
	struct codec *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->lz4 = malloc((size_t)LZ4_sizeofState());
	if (!c->lz4 || LZ4F_isError(LZ4F_createCompressionContext(&c->c, LZ4F_VERSION)) ||
	    LZ4F_isError(LZ4F_createDecompressionContext(&c->d, LZ4F_VERSION))) {
		codec_free(c);
		return NULL;
	}
	return c;
}

void codec_free(struct codec *c)
{
	if (!c)
		return;
	LZ4F_freeCompressionContext(c->c);
	LZ4F_freeDecompressionContext(c->d);
	ZSTD_freeCCtx(c->zc);
	ZSTD_freeDCtx(c->zd);
	free(c->lz4);
	free(c);
}

size_t codec_bound(size_t n)
{
	LZ4F_preferences_t p = preferences(n);
	size_t lz4 = LZ4F_compressFrameBound(n, &p), zstd = ZSTD_compressBound(n);

	return lz4 > zstd ? lz4 : zstd;
}

enum codec_kind codec_kind_of(const void *frame, size_t stored)
{
	static const uint8_t magic[ZSTD_MAGIC_N] = {0x28, 0xb5, 0x2f, 0xfd};

	return stored >= sizeof(magic) && !memcmp(frame, magic, sizeof(magic)) ? CODEC_ZSTD : CODEC_LZ4;
}

const char *codec_suffix(enum codec_kind kind)
{
	static const char suffixes[CODEC_KINDS][CODEC_SUFFIX + 1] = {".lz4", ".zst"};

	return suffixes[kind];
}

/* ---- writing ---- */

/* Compresses n bytes into cap bytes at dst; 0: they do not fit there, or it failed. */
static size_t zstd_compress(struct codec *c, int level, const void *p, size_t n, void *dst, size_t cap)
{
	size_t r;

	if (ZSTD_isError(ZSTD_CCtx_setParameter(c->zc, ZSTD_c_compressionLevel, level)))
		return 0;
	r = ZSTD_compress2(c->zc, dst, cap, p, n);
	return ZSTD_isError(r) ? 0 : r;
}

/* Window number i of m, `size` bytes each, of which the first and the last lie at the ends. */
static const uint8_t *probe_window(const void *raw, size_t n, size_t size, size_t i, size_t m)
{
	return (const uint8_t *)raw + (n - size) / (m - 1) * i;
}

/* Does no window become smaller?  The first that does ends it, so that data that can be compressed costs next
 * to nothing here. */
static bool is_noise(struct codec *c, enum codec_kind kind, const void *raw, size_t n, void *scratch)
{
	const size_t small = PROBE - PROBE / 32;

	if (n < PROBE_MIN)
		return false;
	for (size_t i = 0; i < PROBES; i++) {
		const uint8_t *p = probe_window(raw, n, PROBE, i, PROBES);

		if (kind == CODEC_LZ4 ? LZ4_compress_fast_extState(
					    c->lz4, (const char *)p, scratch, (int)PROBE, (int)small, 1) > 0
				      : zstd_compress(c, ZSTD_DENSE, p, PROBE, scratch, small) > 0)
			return false;
	}
	return true;
}

static int zstd_level(struct codec *c, const void *raw, size_t n, void *scratch, size_t cap)
{
	size_t dense = 0, quick = 0;

	if (n < 2 * CHOICES * CHOICE)
		return ZSTD_DENSE;
	for (size_t i = 0; i < CHOICES; i++) {
		const uint8_t *p = probe_window(raw, n, CHOICE, i, CHOICES);

		dense += zstd_compress(c, ZSTD_DENSE, p, CHOICE, scratch, cap);
		quick += zstd_compress(c, ZSTD_QUICK, p, CHOICE, scratch, cap);
	}
	return quick <= dense + dense / 50 ? ZSTD_QUICK : ZSTD_DENSE;
}

static int cannot_compress(struct err *err, const char *why)
{
	return err_set(err, "E-CODEC-01", text("cannot compress: %s"), why);
}

/* The whole frame into the empty `out`, which has room. */
static int compress_frame(
    struct codec *c, enum codec_kind kind, const void *raw, size_t n, struct buf *out, struct err *err)
{
	size_t cap = out->cap;

	out->n = 0;
	if (kind == CODEC_ZSTD) {
		int level = zstd_level(c, raw, n, out->p, cap);

		out->n = zstd_compress(c, level, raw, n, out->p, cap);
		if (!out->n)
			return cannot_compress(err, "zstd");
	} else {
		LZ4F_preferences_t p = preferences(n);
		size_t r = LZ4F_compressFrame(out->p, cap, raw, n, &p);

		if (LZ4F_isError(r))
			return cannot_compress(err, LZ4F_getErrorName(r));
		out->n = r;
	}
	return 0;
}

/* Head and tail of the frame that holds raw as it is; all of its block lies between them. */
static int stored_frame(
    struct codec *c, const void *raw, size_t n, struct buf *out, struct codec_frame *ret, struct err *err)
{
	LZ4F_preferences_t p = preferences(n);
	uint32_t length = NOT_ENCODED | (uint32_t)n;
	size_t r = LZ4F_compressBegin(c->c, out->p, out->cap, &p);

	if (LZ4F_isError(r) || r != STORED_HEAD - 4)
		return cannot_compress(err, LZ4F_isError(r) ? LZ4F_getErrorName(r) : "lz4");
	for (size_t i = 0; i < 4; i++)
		out->p[r + i] = (uint8_t)(length >> 8 * i);
	memset(out->p + STORED_HEAD, 0, STORED_TAIL); /* the end mark */
	out->n = STORED_HEAD + STORED_TAIL;
	*ret = (struct codec_frame){{{out->p, STORED_HEAD}, {raw, n}, {out->p + STORED_HEAD, STORED_TAIL}}, 3,
	    n + STORED_HEAD + STORED_TAIL};
	return 0;
}

int codec_pack_parts(struct codec *c, enum codec_kind kind, const void *raw, size_t n, struct buf *out,
    struct codec_frame *ret, struct err *err)
{
	out->n = 0;
	if (buf_reserve(out, codec_bound(n), err))
		return -1;
	if (kind == CODEC_ZSTD && !c->zc && !(c->zc = ZSTD_createCCtx()))
		return err_nomem(err);
	if (!is_noise(c, kind, raw, n, out->p)) {
		if (compress_frame(c, kind, raw, n, out, err))
			return -1;
		if (out->n < n - n / 256) {
			*ret = (struct codec_frame){{{out->p, out->n}}, 1, out->n};
			return 0;
		}
	}
	return stored_frame(c, raw, n, out, ret, err);
}

int codec_pack(
    struct codec *c, enum codec_kind kind, const void *raw, size_t n, struct buf *out, struct err *err)
{
	struct codec_frame f;
	size_t before = out->n;
	BUF_AUTO own = BUF_INIT(codec_bound(CODEC_RAW_MAX));

	if (codec_pack_parts(c, kind, raw, n, &own, &f, err) || buf_reserve(out, f.n, err))
		return -1;
	for (size_t i = 0; i < f.parts; i++)
		if (buf_append(out, f.part[i].p, f.part[i].n, err)) {
			out->n = before;
			return -1;
		}
	return 0;
}

/* ---- reading ---- */

static int fresh_lz4(struct codec *c)
{
	if (!c->midway)
		return 0;
	LZ4F_freeDecompressionContext(c->d);
	c->d = NULL;
	if (LZ4F_isError(LZ4F_createDecompressionContext(&c->d, LZ4F_VERSION)))
		return -1;
	c->midway = false;
	return 0;
}

/* What this host has no memory for says nothing of the frame. */
static int refuse_lz4(const char *name, struct err *err)
{
	if (!strcmp(name, "ERROR_allocation_failed"))
		return err_nomem(err);
	return err_set(err, "E-CODEC-01", text("not a valid LZ4 frame: %s"), name);
}

static int unpack_lz4(
    struct codec *c, const void *frame, size_t size, void *raw, size_t rawlen, struct err *err)
{
	const char *src = frame;
	size_t in = size, done = 0, r = 1;
	char spare;

	/* a reset (1.9.4) leaves behind what a frame that ended too early had announced */
	if (fresh_lz4(c))
		return err_nomem(err);
	c->midway = true;
	while (in > 0 && r != 0) {
		size_t room = rawlen - done, taken = in;
		/* a frame that goes on behind rawlen shows itself by writing into `spare` */
		size_t made = room ? room : 1;

		r = LZ4F_decompress(c->d, room ? (char *)raw + done : &spare, &made, src, &taken, NULL);
		if (LZ4F_isError(r))
			return refuse_lz4(LZ4F_getErrorName(r), err);
		if (made > room || (!made && !taken))
			return err_set(err, "E-CODEC-01",
			    text("an LZ4 frame holds more than the %zu bytes announced"), rawlen);
		done += made;
		src += taken;
		in -= taken;
	}
	if (r == 0 && in != 0)
		return err_set(err, "E-CODEC-01", text("%zu bytes follow an LZ4 frame"), in);
	if (r != 0 && size)
		return err_set(err, "E-CODEC-01", "%s", text("an LZ4 frame is cut off"));
	if (r != 0 || done != rawlen)
		return err_set(err, "E-CODEC-01",
		    text("an LZ4 frame holds %zu bytes where %zu were announced"), done, rawlen);
	c->midway = false;
	return 0;
}

/* At once and straight to its place, so that no window is allocated, whatever size the frame asks for. */
static int unpack_zstd(
    struct codec *c, const void *frame, size_t size, void *raw, size_t rawlen, struct err *err)
{
	unsigned long long says = ZSTD_getFrameContentSize(frame, size);
	size_t r;

	if (says == ZSTD_CONTENTSIZE_ERROR || says == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(err, "E-CODEC-01", "%s", text("a zstd frame does not say how much it holds"));
	if (says != rawlen)
		return err_set(err, "E-CODEC-01",
		    text("a zstd frame holds %ju bytes where %zu were announced"), (uintmax_t)says, rawlen);
	r = ZSTD_findFrameCompressedSize(frame, size);
	if (!ZSTD_isError(r) && r != size)
		return err_set(err, "E-CODEC-01", text("%zu bytes follow a zstd frame"), size - r);
	if (!c->zd && !(c->zd = ZSTD_createDCtx()))
		return err_nomem(err);
	if (!ZSTD_isError(r))
		r = ZSTD_decompressDCtx(c->zd, raw, rawlen, frame, size);
	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return err_nomem(err);
	if (ZSTD_isError(r))
		return err_set(err, "E-CODEC-01", text("not a valid zstd frame: %s"), ZSTD_getErrorName(r));
	if (r != rawlen)
		return err_set(err, "E-CODEC-01",
		    text("a zstd frame holds %ju bytes where %zu were announced"), (uintmax_t)r, rawlen);
	return 0;
}

int codec_unpack(struct codec *c, const void *frame, size_t size, void *raw, size_t rawlen, struct err *err)
{
	return codec_kind_of(frame, size) == CODEC_ZSTD ? unpack_zstd(c, frame, size, raw, rawlen, err)
							: unpack_lz4(c, frame, size, raw, rawlen, err);
}
