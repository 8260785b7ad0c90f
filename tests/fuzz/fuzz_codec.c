/* A frame as a hostile medium may hold it: LZ4 or zstd.  The first three bytes are the raw length that INDEX
 * says. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/medium/codec.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

/* What came out can be packed and comes back. */
static void again(struct codec *c, enum codec_kind kind, const uint8_t *raw, size_t n)
{
	BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));
	uint8_t *back = malloc(n);

	MUST(back && !codec_pack(c, kind, raw, n, &frame, NULL));
	MUST(!codec_unpack(c, frame.p, frame.n, back, n, NULL) && !memcmp(raw, back, n));
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct codec *c = codec_new();
	struct err err = ERR_INIT;
	size_t rawlen;
	uint8_t *raw;

	if (n < 3 || !c) {
		codec_free(c);
		return 0;
	}
	rawlen = ((size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) & (CODEC_RAW_MAX - 1);
	raw = malloc(rawlen + 1);
	MUST(raw);
	if (codec_unpack(c, data + 3, n - 3, raw, rawlen, &err))
		MUST(err.code[0]);
	else if (rawlen) {
		again(c, CODEC_LZ4, raw, rawlen);
		again(c, CODEC_ZSTD, raw, rawlen);
	}
	free(raw);
	codec_free(c);
	return 0;
}
