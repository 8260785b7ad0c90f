/* codec: see codec.h. */
#include "format/codec.h"

#include <stdlib.h>

#include <lz4frame.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

struct codec {
	LZ4F_cctx *c;
	LZ4F_dctx *d;
};

static LZ4F_preferences_t preferences(size_t n)
{
	LZ4F_preferences_t p = LZ4F_INIT_PREFERENCES;

	p.frameInfo.blockSizeID = LZ4F_max4MB;
	p.frameInfo.blockMode = LZ4F_blockIndependent;
	p.frameInfo.contentSize = n;
	return p;
}

struct codec *codec_new(void)
{
	struct codec *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (LZ4F_isError(LZ4F_createCompressionContext(&c->c, LZ4F_VERSION)) ||
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
	free(c);
}

size_t codec_bound(size_t n)
{
	LZ4F_preferences_t p = preferences(n);

	return LZ4F_compressFrameBound(n, &p);
}

int codec_pack(struct codec *c, const void *raw, size_t n, struct buf *out, struct err *err)
{
	LZ4F_preferences_t p = preferences(n);
	size_t r;

	(void)c;
	if (buf_reserve(out, LZ4F_compressFrameBound(n, &p), err))
		return -1;
	r = LZ4F_compressFrame(out->p + out->n, out->cap - out->n, raw, n, &p);
	if (LZ4F_isError(r))
		return err_set(err, "E-CODEC-01", text("cannot compress: %s"), LZ4F_getErrorName(r));
	out->n += r;
	return 0;
}

int codec_unpack(struct codec *c, const void *frame, size_t stored, void *raw, size_t rawlen, struct err *err)
{
	const char *src = frame;
	size_t in = stored, done = 0, r = 1;
	char spare;

	LZ4F_resetDecompressionContext(c->d);
	while (in > 0 && r != 0) {
		size_t room = rawlen - done, taken = in;
		/* a frame that goes on behind rawlen shows itself by writing into `spare` */
		size_t made = room ? room : 1;

		r = LZ4F_decompress(c->d, room ? (char *)raw + done : &spare, &made, src, &taken, NULL);
		if (LZ4F_isError(r))
			return err_set(err, "E-CODEC-01", text("not a valid LZ4 frame: %s"), LZ4F_getErrorName(r));
		if (made > room || (!made && !taken))
			return err_set(err, "E-CODEC-01", text("an LZ4 frame holds more than the %zu bytes announced"), rawlen);
		done += made;
		src += taken;
		in -= taken;
	}
	if (r == 0 && in != 0)
		return err_set(err, "E-CODEC-01", text("%zu bytes follow an LZ4 frame"), in);
	if (r != 0 && stored)
		return err_set(err, "E-CODEC-01", "%s", text("an LZ4 frame is cut off"));
	if (r != 0 || done != rawlen)
		return err_set(err, "E-CODEC-01", text("an LZ4 frame holds %zu bytes where %zu were announced"), done, rawlen);
	return 0;
}
