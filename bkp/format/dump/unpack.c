/* unpack: see unpack.h. */
#include "format/dump/unpack.h"

#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#define OUT ((size_t)64 << 10)

struct unpack {
	enum unpack_kind kind;
	bool ended, failed; /* a frame has; nothing more is looked at */
	z_stream z;
	LZ4F_dctx *lz4;
	ZSTD_DStream *zstd;
	uint8_t out[OUT];
};

enum unpack_kind unpack_kind_of(const uint8_t *p, size_t n)
{
	if (n > 1 && p[0] == 0x1f && p[1] == 0x8b)
		return UNPACK_ZLIB;
	if (n > 3 && !memcmp(p, "\x04\x22\x4d\x18", 4))
		return UNPACK_LZ4;
	return n > 3 && !memcmp(p, "\x28\xb5\x2f\xfd", 4) ? UNPACK_ZSTD : UNPACK_NONE;
}

struct unpack *unpack_new(enum unpack_kind kind)
{
	struct unpack *u = malloc(sizeof(*u));
	bool made;

	if (!u)
		return NULL;
	memset(u, 0, offsetof(struct unpack, out));
	u->kind = kind;
	if (kind == UNPACK_ZLIB)
		made = inflateInit2(&u->z, 32 + MAX_WBITS) == Z_OK;
	else if (kind == UNPACK_LZ4)
		made = !LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION));
	else
		made = (u->zstd = ZSTD_createDStream()) != NULL;
	if (made)
		return u;
	free(u);
	return NULL;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->kind == UNPACK_ZLIB)
		inflateEnd(&u->z);
	LZ4F_freeDecompressionContext(u->lz4);
	ZSTD_freeDStream(u->zstd);
	free(u);
}

/* Takes from *p … and fills u->out; bytes that it filled.  Nothing taken and nothing filled: it is stuck. */
static size_t take_zlib(struct unpack *u, const uint8_t **p, size_t *n)
{
	unsigned in = *n < UINT32_MAX ? (unsigned)*n : UINT32_MAX;
	int r;

	if (u->ended && inflateReset(&u->z) != Z_OK) /* the next member */
		u->failed = true;
	u->z.next_in = (uint8_t *)(uintptr_t)*p;
	u->z.avail_in = in;
	u->z.next_out = u->out;
	u->z.avail_out = OUT;
	r = inflate(&u->z, Z_NO_FLUSH);
	u->ended = r == Z_STREAM_END;
	u->failed |= !u->ended && r != Z_OK && r != Z_BUF_ERROR;
	*p += in - u->z.avail_in;
	*n -= in - u->z.avail_in;
	return OUT - u->z.avail_out;
}

static size_t take_lz4(struct unpack *u, const uint8_t **p, size_t *n)
{
	size_t in = *n, out = OUT;

	u->failed |= LZ4F_isError(LZ4F_decompress(u->lz4, u->out, &out, *p, &in, NULL));
	*p += u->failed ? 0 : in;
	*n -= u->failed ? 0 : in;
	return u->failed ? 0 : out;
}

static size_t take_zstd(struct unpack *u, const uint8_t **p, size_t *n)
{
	ZSTD_inBuffer in = {*p, *n, 0};
	ZSTD_outBuffer out = {u->out, OUT, 0};

	u->failed |= ZSTD_isError(ZSTD_decompressStream(u->zstd, &out, &in)) != 0;
	*p += in.pos;
	*n -= in.pos;
	return out.pos;
}

bool unpack_feed(struct unpack *u, const uint8_t *p, size_t n, unpack_fn *fn, void *arg)
{
	size_t out = OUT;

	/* a full buffer may not have been all of it */
	while (!u->failed && (n || out == OUT)) {
		size_t before = n;

		out = u->kind == UNPACK_ZLIB  ? take_zlib(u, &p, &n)
		      : u->kind == UNPACK_LZ4 ? take_lz4(u, &p, &n)
					      : take_zstd(u, &p, &n);
		if (out && !fn(arg, u->out, out))
			u->failed = true;
		if (!out && n == before)
			u->failed |= n != 0;
		if (!out && !n)
			break;
	}
	return !u->failed;
}
