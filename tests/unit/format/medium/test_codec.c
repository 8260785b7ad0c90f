/* codec: LZ4 and zstd frames that the stock tools read and write; nothing else, nothing longer, nothing
 * shorter. */
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#define LZ4F_STATIC_LINKING_ONLY /* its error numbers */
#include <lz4frame.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "unit.h"
#include "base/err.h"
#include "format/medium/codec.h"
#include "scratch.h"

/* The libraries, when they find no memory for a frame. */
static bool no_memory;

size_t LZ4F_decompress(
    LZ4F_dctx *d, void *dst, size_t *dst_n, const void *src, size_t *src_n, const LZ4F_decompressOptions_t *o)
{
	static size_t (*real)(
	    LZ4F_dctx *, void *, size_t *, const void *, size_t *, const LZ4F_decompressOptions_t *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "LZ4F_decompress");
	return no_memory ? (size_t)-LZ4F_ERROR_allocation_failed : real(d, dst, dst_n, src, src_n, o);
}

size_t ZSTD_decompressDCtx(ZSTD_DCtx *d, void *dst, size_t room, const void *src, size_t n)
{
	static size_t (*real)(ZSTD_DCtx *, void *, size_t, const void *, size_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ZSTD_decompressDCtx");
	return no_memory ? (size_t)-ZSTD_error_memory_allocation : real(d, dst, room, src, n);
}

static struct codec *codec;
static uint8_t *raw, *back;

static int setup(void **state)
{
	codec = codec_new();
	raw = malloc(CODEC_RAW_MAX);
	back = malloc(CODEC_RAW_MAX);
	return !codec || !raw || !back || scratch_setup(state);
}

static int teardown(void **state)
{
	codec_free(codec);
	codec_free(NULL);
	free(raw);
	free(back);
	return scratch_teardown(state);
}

static const size_t sizes[] = {1, 2, 11, 12, 13, 255, 4095, 65535, 65536, 65537, 262143, 262144, 262145,
    (1 << 20) - 1, 1 << 20, (4 << 20) - 1, 4 << 20};
#define N_SIZES (sizeof(sizes) / sizeof(*sizes))

/* 0 zeros, 1 noise, 2 a pattern, 3 half a pattern and half noise, 4 noise of few different bytes */
static void fill(size_t n, int kind)
{
	if (kind == 0)
		memset(raw, 0, n);
	else if (kind == 1)
		noise(raw, n, n);
	else
		for (size_t i = 0; i < n; i++)
			raw[i] = (uint8_t)(i / 7 % 251 ^ i % 13);
	if (kind == 3)
		noise(raw + n / 2, n - n / 2, n);
	if (kind == 4) {
		noise(raw, n, n);
		for (size_t i = 0; i < n; i++)
			raw[i] = "0123456789abcdef"[raw[i] & 15];
	}
}

/* An exact copy on the heap, so that reading one byte too far is seen by the sanitizer. */
static int unpack(const void *frame, size_t stored, size_t rawlen, struct err *err)
{
	uint8_t *in = malloc(stored ? stored : 1), *out = malloc(rawlen ? rawlen : 1);
	int r;

	assert_true(in && out);
	memcpy(in, frame, stored);
	r = codec_unpack(codec, in, stored, out, rawlen, err);
	if (!r)
		memcpy(back, out, rawlen);
	free(in);
	free(out);
	return r;
}

static void refused(const void *frame, size_t stored, size_t rawlen)
{
	struct err err = ERR_INIT;

	assert_int_equal(unpack(frame, stored, rawlen, &err), -1);
	assert_string_equal(err.code, "E-CODEC-01");
	assert_true(strlen(err.msg) > 10);
}

static void every_size_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SIZES; i++)
		for (int kind = 0; kind < 10; kind++) {
			BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));
			size_t n = sizes[i];

			fill(n, kind % 5);
			assert_int_equal(
			    codec_pack(codec, kind / 5 ? CODEC_ZSTD : CODEC_LZ4, raw, n, &frame, NULL), 0);
			assert_true(frame.n <= codec_bound(n) && frame.n <= n + 23);
			memset(back, 0x55, n);
			assert_int_equal(unpack(frame.p, frame.n, n, NULL), 0);
			assert_memory_equal(back, raw, n);
			refused(frame.p, frame.n, n - 1);
			refused(frame.p, frame.n, n + 1);
			refused(frame.p, frame.n, 0);
		}
}

/* Whatever a codec did before. */
static void the_same_bytes_give_the_same_frame_behind_what_is_there(void **state)
{
	(void)state;
	for (int kind = 0; kind < 10; kind++) {
		enum codec_kind k = kind / 5 ? CODEC_ZSTD : CODEC_LZ4;
		struct codec *other = codec_new();
		BUF_AUTO a = BUF_INIT(8 << 20);
		BUF_AUTO b = BUF_INIT(8 << 20);

		fill(1 << 20, kind % 5);
		assert_int_equal(buf_puts(&a, "front", NULL), 0);
		assert_int_equal(codec_pack(codec, k, raw, 1 << 20, &a, NULL), 0);
		assert_int_equal(codec_pack(other, k, raw, 1 << 20, &b, NULL), 0);
		assert_int_equal(a.n, b.n + 5);
		assert_memory_equal(a.p, "front", 5);
		assert_memory_equal(a.p + 5, b.p, b.n);
		codec_free(other);
	}
}

static size_t stored_as(enum codec_kind kind, size_t n, bool *ret_zstd)
{
	BUF_AUTO frame = BUF_INIT(8 << 20);

	assert_int_equal(codec_pack(codec, kind, raw, n, &frame, NULL), 0);
	*ret_zstd = codec_kind_of(frame.p, frame.n) == CODEC_ZSTD;
	return frame.n;
}

/* What gains nothing is kept as it is, and for that no zstd is needed; half a chunk is worth compressing. */
static void what_gains_nothing_is_kept_as_it_is(void **state)
{
	static const size_t n = 1 << 20;
	bool is_zstd;

	(void)state;
	fill(n, 1);
	assert_int_equal(stored_as(CODEC_LZ4, n, &is_zstd), n + 23);
	assert_int_equal(stored_as(CODEC_ZSTD, n, &is_zstd), n + 23);
	assert_false(is_zstd);
	fill(n, 3);
	assert_in_range(stored_as(CODEC_LZ4, n, &is_zstd), n / 2, n / 2 + n / 20);
	assert_in_range(stored_as(CODEC_ZSTD, n, &is_zstd), n / 2, n / 2 + n / 20);
	assert_true(is_zstd);
	/* no byte sequence comes again, but half of the bits are always the same: only zstd can use that */
	fill(n, 4);
	assert_true(stored_as(CODEC_LZ4, n, &is_zstd) > n - n / 8);
	assert_false(is_zstd);
	assert_in_range(stored_as(CODEC_ZSTD, n, &is_zstd), n / 2, n / 2 + n / 20);
	assert_true(is_zstd);
}

/* Wherever in a chunk of noise a sixth can be compressed, it is seen. */
static void a_sixth_that_can_be_compressed_is_seen(void **state)
{
	static const size_t n = 1 << 20;
	bool is_zstd;

	(void)state;
	for (size_t at = 0; at <= n - n / 6; at += n / 32) {
		fill(n, 1);
		memset(raw + at, 'x', n / 6);
		assert_true(stored_as(CODEC_LZ4, n, &is_zstd) < n - n / 8);
		assert_true(stored_as(CODEC_ZSTD, n, &is_zstd) < n - n / 8);
	}
}

static void no_room_is_an_error_not_a_cut_frame(void **state)
{
	BUF_AUTO small = BUF_INIT(1000 + 22);

	(void)state;
	fill(1000, 1);
	assert_int_equal(codec_pack(codec, CODEC_LZ4, raw, 1000, &small, NULL), -1);
	assert_int_equal(small.n, 0);
}

static void stock_lz4_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SIZES; i += 2) {
		BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));

		fill(sizes[i], 2);
		assert_int_equal(codec_pack(codec, CODEC_LZ4, raw, sizes[i], &frame, NULL), 0);
		put_file("frame.lz4", frame.p, frame.n);
		put_file("want", raw, sizes[i]);
		assert_int_equal(sh("lz4 -d -q -f frame.lz4 got && cmp want got"), 0);
	}
	assert_int_equal(sh("lz4 --list frame.lz4 >list 2>/dev/null && grep -q '4.00M' list"),
	    0); /* the size stands in it */
}

static void stock_zstd_reads_them(void **state)
{
	(void)state;
	for (size_t i = 5; i < N_SIZES; i += 2) {
		BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));

		fill(sizes[i], 2);
		assert_int_equal(codec_pack(codec, CODEC_ZSTD, raw, sizes[i], &frame, NULL), 0);
		assert_int_equal(codec_kind_of(frame.p, frame.n), CODEC_ZSTD);
		put_file("frame.zst", frame.p, frame.n);
		put_file("want", raw, sizes[i]);
		assert_int_equal(sh("zstd -d -q -f frame.zst -o got && cmp want got"), 0);
	}
	assert_int_equal(sh("zstd -lv frame.zst 2>&1 | grep -q 'Decompressed Size: 4.00 MiB'"), 0);
	assert_int_equal(sh("zstd -lv frame.zst 2>&1 | grep -q 'Check: None'"), 0);
	/* a chunk that is kept as it is: lz4 reads it */
	for (size_t i = 0; i < N_SIZES; i += 2) {
		BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));

		fill(sizes[i], 1);
		assert_int_equal(codec_pack(codec, CODEC_ZSTD, raw, sizes[i], &frame, NULL), 0);
		put_file("frame.lz4", frame.p, frame.n);
		put_file("want", raw, sizes[i]);
		assert_int_equal(sh("lz4 -d -q -f frame.lz4 got && cmp want got"), 0);
	}
}

static void frames_of_stock_zstd_are_read(void **state)
{
	static const char *const options[] = {
	    "-1", "-19", "--check", "--no-check", "--fast=5", "--ultra -22 --long=27"};

	(void)state;
	fill(700000, 3);
	put_file("in", raw, 700000);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		BUF_AUTO frame = BUF_INIT(2 << 20);

		assert_int_equal(sh("zstd -q -f %s in -o out.zst", options[i]), 0);
		get_file("out.zst", &frame);
		assert_int_equal(unpack(frame.p, frame.n, 700000, NULL), 0);
		assert_memory_equal(back, raw, 700000);
		refused(frame.p, frame.n, 699999);
		refused(frame.p, frame.n, 700001);
		refused(frame.p, frame.n - 1, 700000);
	}
}

/* Nothing is decoded of a frame that keeps its size to itself, or wants a dictionary. */
static void other_frames_of_zstd_are_refused(void **state)
{
	static const char *const commands[] = {"zstd -q -c <in", "zstd -q -c --no-content-size in",
	    "zstd -q -c -D dict in", "zstd -q -c --format=lzma in", "zstd -q -c --long=31 --ultra -22 <in"};

	(void)state;
	fill(300000, 2);
	put_file("in", raw, 300000);
	assert_int_equal(sh("for i in $(seq 300); do seq $i 3 400 >s.$i; done; zstd -q --train s.* -o dict "
			    "--maxdict=4096"),
	    0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		BUF_AUTO frame = BUF_INIT(2 << 20);

		assert_int_equal(sh("%s >out", commands[i]), 0);
		get_file("out", &frame);
		refused(frame.p, frame.n, 300000);
	}
}

/* Frames of another writer, in all the forms that the format knows. */
static void frames_of_stock_lz4_are_read(void **state)
{
	static const char *const options[] = {
	    "-1", "-9", "--no-frame-crc", "--content-size", "-B4", "-BD -B5", "-BX", "-B7 -BX -9"};

	(void)state;
	fill(700000, 2);
	put_file("in", raw, 700000);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		BUF_AUTO frame = BUF_INIT(2 << 20);

		assert_int_equal(sh("lz4 -z -q -f %s in out.lz4", options[i]), 0);
		get_file("out.lz4", &frame);
		assert_int_equal(unpack(frame.p, frame.n, 700000, NULL), 0);
		assert_memory_equal(back, raw, 700000);
		refused(frame.p, frame.n, 699999);
		refused(frame.p, frame.n, 700001);
		refused(frame.p, frame.n - 1, 700000);
	}
}

static void cut_anywhere_it_is_refused(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		BUF_AUTO frame = BUF_INIT(8 << 20);

		fill(3000, 2);
		assert_int_equal(
		    codec_pack(codec, kind ? CODEC_ZSTD : CODEC_LZ4, raw, 3000, &frame, NULL), 0);
		assert_int_equal(codec_kind_of(frame.p, frame.n), kind);
		for (size_t n = 0; n < frame.n; n++)
			refused(frame.p, n, 3000);
		assert_int_equal(unpack(frame.p, frame.n, 3000, NULL), 0);
	}
}

/* A flipped bit is refused, or (there is no checksum in a frame: the age segment around it has one) gives
 * exactly as many bytes as announced.  Never more, never a crash. */
static void every_flipped_bit_is_survived(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		BUF_AUTO frame = BUF_INIT(8 << 20);
		size_t head = kind ? 4 : 15; /* all of LZ4's header has a checksum; the magic number */

		fill(500, 2);
		assert_int_equal(codec_pack(codec, kind ? CODEC_ZSTD : CODEC_LZ4, raw, 500, &frame, NULL), 0);
		for (size_t bit = 0; bit < frame.n * 8; bit++) {
			frame.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (bit < head * 8 || unpack(frame.p, frame.n, 500, NULL))
				refused(frame.p, frame.n, 500);
			frame.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		/* and the codec still works */
		assert_int_equal(unpack(frame.p, frame.n, 500, NULL), 0);
		assert_memory_equal(back, raw, 500);
	}
}

static void check_what_follows(enum codec_kind kind)
{
	static const char skippable[] = "\x50\x2a\x4d\x18\x04\0\0\0abcd";
	BUF_AUTO two = BUF_INIT(8 << 20);
	BUF_AUTO skip_ = BUF_INIT(8 << 20);
	struct err err = ERR_INIT;
	size_t one;

	fill(2000, 2);
	assert_int_equal(codec_pack(codec, kind, raw, 1000, &two, NULL), 0);
	one = two.n;
	assert_int_equal(codec_pack(codec, kind, raw + 1000, 1000, &two, NULL), 0);
	refused(two.p, two.n, 1000);
	refused(two.p, two.n, 2000);
	two.p[one] = 0;
	refused(two.p, one + 1, 1000);
	assert_int_equal(unpack(two.p, one + 1, 1000, &err), -1);
	assert_null(
	    strstr(err.msg, "holds 1000 bytes where 1000 were announced")); /* which would explain nothing */
	assert_int_equal(buf_append(&skip_, skippable, 12, NULL), 0);
	refused(skip_.p, skip_.n, 4);
	assert_int_equal(buf_append(&skip_, two.p, one, NULL), 0);
	refused(skip_.p, skip_.n, 1000);
	two.n = one;
	assert_int_equal(buf_append(&two, skippable, 12, NULL), 0);
	refused(two.p, two.n, 1000);
}

static void what_follows_a_frame_is_refused(void **state)
{
	(void)state;
	check_what_follows(CODEC_LZ4);
	check_what_follows(CODEC_ZSTD);
	refused("", 0, 1);
	refused("", 0, 0);
}

/* Frames of 4 MiB of zeros a block of 4 bytes, whose header announces anything. */
static void a_zstd_bomb_is_refused(void **state)
{
	/* magic; content size in 8 bytes, single segment or with a window of 2^41 bytes */
	static const uint8_t journal_copies[][6] = {
	    {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0}, {0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0xf8}};
	static const uint64_t says[] = {0, 1, 4 << 20, 64 << 20, UINT64_MAX - 2, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		BUF_AUTO bomb = BUF_INIT(1 << 20);
		uint64_t n = says[i / 2];

		assert_int_equal(buf_append(&bomb, journal_copies[i % 2], i % 2 ? 6 : 5, NULL), 0);
		assert_int_equal(buf_append(&bomb, &n, 8, NULL), 0);
		for (int k = 0; k < 1024; k++) /* run-length blocks of 128 KiB */
			assert_int_equal(
			    buf_append(&bomb, k == 1023 ? "\x03\x00\x10\0" : "\x02\x00\x10\0", 4, NULL), 0);
		refused(bomb.p, bomb.n, CODEC_RAW_MAX);
		refused(bomb.p, bomb.n, 1);
		refused(bomb.p, bomb.n, 0);
	}
}

/* Header with a content size of `says`, then `blocks` blocks of 4 MiB of zeros in few bytes each. */
static void make_bomb(struct buf *out, uint64_t says, int blocks)
{
	LZ4F_preferences_t p = LZ4F_INIT_PREFERENCES;
	LZ4F_cctx *c;
	size_t r;

	p.frameInfo.blockSizeID = LZ4F_max4MB;
	p.frameInfo.blockMode = LZ4F_blockIndependent;
	p.frameInfo.contentSize = says;
	memset(raw, 0, CODEC_RAW_MAX);
	assert_false(LZ4F_isError(LZ4F_createCompressionContext(&c, LZ4F_VERSION)));
	assert_int_equal(
	    buf_reserve(out, (size_t)blocks * 65536 + LZ4F_compressBound(CODEC_RAW_MAX, &p) * 2, NULL), 0);
	r = LZ4F_compressBegin(c, out->p, out->cap, &p);
	assert_false(LZ4F_isError(r));
	out->n = r;
	for (int i = 0; i < blocks; i++) {
		r = LZ4F_compressUpdate(c, out->p + out->n, out->cap - out->n, raw, CODEC_RAW_MAX, NULL);
		assert_false(LZ4F_isError(r));
		out->n += r;
	}
	r = LZ4F_flush(c, out->p + out->n, out->cap - out->n, NULL);
	assert_false(LZ4F_isError(r));
	out->n += r;
	assert_int_equal(buf_append(out, "\0\0\0\0", 4, NULL), 0);
	LZ4F_freeCompressionContext(c);
}

static void a_bomb_is_refused(void **state)
{
	static const uint64_t says[] = {0, 1, 4 << 20, 64 << 20, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++) {
		BUF_AUTO bomb = BUF_INIT(32 << 20);

		make_bomb(&bomb, says[i], 16);
		refused(bomb.p, bomb.n, CODEC_RAW_MAX);
		refused(bomb.p, bomb.n, 1);
		refused(bomb.p, bomb.n, 0);
	}
}

/* memory:verify:alloc:21753:ENOMEM: it was recorded as damage of a medium that is well */
static void no_memory_is_no_damage(void **state)
{
	struct err err = ERR_INIT;
	uint8_t zstd[5000];
	struct buf lz4;
	size_t n;

	(void)state;
	fill(4095, 2);
	buf_init(&lz4, CODEC_RAW_MAX);
	assert_int_equal(codec_pack(codec, CODEC_LZ4, raw, 4095, &lz4, NULL), 0);
	n = ZSTD_compress(zstd, sizeof(zstd), raw, 4095, 1);
	assert_false(ZSTD_isError(n));
	no_memory = true;
	assert_int_not_equal(unpack(lz4.p, lz4.n, 4095, &err), 0);
	assert_string_equal(err.code, "E-MEM-01");
	err = (struct err)ERR_INIT;
	assert_int_not_equal(unpack(zstd, n, 4095, &err), 0);
	assert_string_equal(err.code, "E-MEM-01");
	no_memory = false;
	assert_int_equal(unpack(lz4.p, lz4.n, 4095, &err), 0);
	assert_int_equal(unpack(zstd, n, 4095, &err), 0);
	buf_free(&lz4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_memory_is_no_damage),
	    cmocka_unit_test(every_size_comes_back),
	    cmocka_unit_test(the_same_bytes_give_the_same_frame_behind_what_is_there),
	    cmocka_unit_test(no_room_is_an_error_not_a_cut_frame),
	    cmocka_unit_test(stock_lz4_reads_them),
	    cmocka_unit_test(frames_of_stock_lz4_are_read),
	    cmocka_unit_test(cut_anywhere_it_is_refused),
	    cmocka_unit_test(every_flipped_bit_is_survived),
	    cmocka_unit_test(what_follows_a_frame_is_refused),
	    cmocka_unit_test(a_bomb_is_refused),
	    cmocka_unit_test(a_zstd_bomb_is_refused),
	    cmocka_unit_test(what_gains_nothing_is_kept_as_it_is),
	    cmocka_unit_test(a_sixth_that_can_be_compressed_is_seen),
	    cmocka_unit_test(stock_zstd_reads_them),
	    cmocka_unit_test(frames_of_stock_zstd_are_read),
	    cmocka_unit_test(other_frames_of_zstd_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
