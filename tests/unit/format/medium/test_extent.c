/* extent: what is written comes back, runs are merged, everything malformed is refused with its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/medium/extent.h"
#include "lib/runs.h"

static int parse_all(const char *s, struct err *err)
{
	return extent_check(s, strlen(s), NULL, NULL, NULL, err);
}

static uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Where byte `at` of the file is, said by a list of single-chunk runs: the model the text is compared with.
 */
struct piece {
	struct extent_run run;
	bool whole;
};

static size_t make_pieces(struct piece *p, size_t max, uint64_t *seed)
{
	size_t n = 1 + rnd(seed) % max;
	uint32_t chunk = 0, offset = 0, size = 1 + (uint32_t)(rnd(seed) % 5000);
	uint64_t archive = rnd(seed) % 3;

	for (size_t i = 0; i < n; i++) {
		uint32_t len = 1 + (uint32_t)(rnd(seed) % 3000);

		if (rnd(seed) % 8 == 0) {
			p[i] = (struct piece){{.kind = EXTENT_HOLE, .length = len}, false};
			continue;
		}
		if (rnd(seed) % 5 == 0) { /* somewhere else altogether */
			archive = rnd(seed) % 3;
			chunk = (uint32_t)(rnd(seed) % 4);
			size = 1 + (uint32_t)(rnd(seed) % 5000);
			offset = (uint32_t)(rnd(seed) % size);
		}
		if (len > size - offset)
			len = size - offset;
		p[i] =
		    (struct piece){{EXTENT_DATA, archive, chunk, offset, len, {0}}, !offset && len == size};
		for (size_t k = 0; k < DIGEST_LEN; k++) /* its id */
			p[i].run.digest[k] = (uint8_t)rnd(seed);
		offset += len;
		if (offset == size) {
			chunk++;
			offset = 0;
			size = 1 + (uint32_t)(rnd(seed) % 5000);
		}
	}
	return n;
}

/* Walks the text and the pieces side by side; a run that spans chunks goes on where the pieces' chunks end.
 */
static void assert_same_bytes(const char *s, size_t n, const struct piece *p, size_t pieces)
{
	struct extent_run run = {.kind = EXTENT_HOLE};
	crypto_hash_sha256_state ids;
	uint8_t digest[DIGEST_LEN];
	uint64_t size, sum = 0, left = 0;
	uint32_t chunk = 0;
	uint64_t offset = 0;
	size_t pos;
	struct err err = ERR_INIT;

	assert_int_equal(extent_parse_size(s, n, &pos, &size, &err), 0);
	for (size_t i = 0; i < pieces; i++) {
		uint64_t len = p[i].run.length;

		sum += len;
		if (!left) {
			assert_int_equal(extent_parse_run(s, n, &pos, &run, &err), 0);
			left = run.length;
			chunk = run.chunk;
			offset = run.offset;
			crypto_hash_sha256_init(&ids);
		}
		assert_int_equal(run.kind, p[i].run.kind);
		assert_true(left >= len);
		left -= len;
		if (run.kind == EXTENT_HOLE)
			continue;
		assert_int_equal(run.archive, p[i].run.archive);
		assert_int_equal(chunk, p[i].run.chunk);
		assert_int_equal(offset, p[i].run.offset);
		offset += len;
		if (p[i].whole) {
			chunk++;
			offset = 0;
		}
		crypto_hash_sha256_update(&ids, p[i].run.digest, DIGEST_LEN);
		if (!left) {
			crypto_hash_sha256_final(&ids, digest);
			assert_memory_equal(digest, run.digest, DIGEST_LEN);
		}
	}
	assert_int_equal(left, 0);
	assert_int_equal(sum, size);
	assert_int_equal(extent_parse_run(s, n, &pos, &run, &err), EXTENT_END);
	assert_int_equal(extent_check(s, n, NULL, NULL, NULL, &err), 0);
}

static void random_lists_come_back(void **state)
{
	uint64_t seed = 88172645463325252ull;
	struct piece p[60];
	(void)state;

	for (int round = 0; round < 20000; round++) {
		BUF_AUTO runs = BUF_INIT(1 << 20);
		BUF_AUTO s = BUF_INIT(1 << 20);
		struct extent_writer w;
		struct err err = ERR_INIT;
		size_t n = make_pieces(p, 60, &seed);

		extent_begin(&w);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(extent_add(&w, &p[i].run, p[i].whole, &runs, &err), 0);
		assert_int_equal(extent_end(&w, &runs, &err), 0);
		assert_int_equal(buf_printf(&s, &err, "%llu", (unsigned long long)w.size), 0);
		assert_int_equal(buf_append(&s, runs.p, runs.n, &err), 0);
		assert_same_bytes((char *)s.p, s.n, p, n);
	}
}

static void write(const struct piece *p, size_t n, char out[1024])
{
	BUF_AUTO runs = BUF_INIT(1000);
	struct extent_writer w;
	struct err err = ERR_INIT;

	extent_begin(&w);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(extent_add(&w, &p[i].run, p[i].whole, &runs, &err), 0);
	assert_int_equal(extent_end(&w, &runs, &err), 0);
	snprintf(
	    out, 1024, "%llu%.*s", (unsigned long long)w.size, (int)runs.n, runs.p ? (char *)runs.p : "");
}

/* Of a run the test writes down: its pieces' ids are their chunk's number, 32 times. */
static void expected(const void *arg, struct extent_run *run)
{
	size_t pieces = arg && run->archive == 7 && run->length == 13 ? 3 : 1;
	crypto_hash_sha256_state ids;

	crypto_hash_sha256_init(&ids);
	for (size_t i = 0; i < pieces; i++) {
		uint8_t id[DIGEST_LEN];

		memset(id, (int)(run->chunk + i), DIGEST_LEN);
		crypto_hash_sha256_update(&ids, id, DIGEST_LEN);
	}
	crypto_hash_sha256_final(&ids, run->digest);
}

#define ID3                                                                                                  \
	{                                                                                                    \
		3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, \
		    3                                                                                        \
	}
#define ID4                                                                                                  \
	{                                                                                                    \
		4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, \
		    4                                                                                        \
	}
#define ID5                                                                                                  \
	{                                                                                                    \
		5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, \
		    5                                                                                        \
	}
#define ID2                                                                                                  \
	{                                                                                                    \
		2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, \
		    2                                                                                        \
	}

static void only_whole_chunks_that_follow_each_other_are_one_run(void **state)
{
	static const struct piece slices[] = {
	    {{EXTENT_DATA, 7, 3, 10, 5, ID3}, false}, {{EXTENT_DATA, 7, 3, 15, 6, ID3}, false}};
	static const struct piece whole[] = {{{EXTENT_DATA, 7, 3, 0, 5, ID3}, true},
	    {{EXTENT_DATA, 7, 4, 0, 6, ID4}, true}, {{EXTENT_DATA, 7, 5, 0, 2, ID5}, true},
	    {{EXTENT_DATA, 7, 5, 1, 1, ID5}, false}};
	static const struct piece apart[] = {{{EXTENT_DATA, 7, 3, 10, 5, ID3}, false},
	    {{EXTENT_DATA, 7, 4, 0, 6, ID4}, true}, {{EXTENT_DATA, 8, 5, 0, 1, ID5}, true},
	    {{EXTENT_DATA, 8, 3, 0, 1, ID3}, true}, {{EXTENT_DATA, 8, 4, 0, 1, ID4}, false}};
	static const struct piece holes[] = {{{.kind = EXTENT_HOLE, .length = 5}, false},
	    {{.kind = EXTENT_HOLE, .length = 6}, false}, {{EXTENT_INDIRECT, 1, 2, 3, 4, ID2}, false}};
	char s[1024];
	(void)state;

	write(slices, 2, s);
	assert_string_equal(s, runs_with("11 7:3:10:5 7:3:15:6", expected, NULL));
	write(whole, 4, s);
	assert_string_equal(s, runs_with("14 7:3:0:13 7:5:1:1", expected, whole));
	write(apart, 5, s);
	assert_string_equal(s, runs_with("14 7:3:10:5 7:4:0:6 8:5:0:1 8:3:0:1 8:4:0:1", expected, NULL));
	write(holes, 3, s);
	assert_string_equal(s, runs_with("11 h:11 @1:2:3:4", expected, NULL));
	write(NULL, 0, s);
	assert_string_equal(s, "0");
}

/* Without a digest, with half a one, with capitals, with something behind it. */
static void a_run_without_its_digest_is_refused(void **state)
{
	char s[200];
	(void)state;

	for (int i = 0; i < 5; i++) {
		struct err err = ERR_INIT;

		snprintf(s, sizeof(s), "%s", runs_of("5 1:2:3:5"));
		assert_int_equal(parse_all(s, &err), 0);
		if (i < 2)
			s[i ? 40 : 9] = '\0';
		else if (i < 4)
			s[20] = i == 2 ? 'A' : 'g';
		else
			memcpy(s + strlen(s), "0", 2);
		assert_int_equal(parse_all(s, &err), -1);
		assert_string_equal(err.code, "E-EXTENT-01");
	}
}

static void the_largest_numbers_are_taken(void **state)
{
	static const char *good[] = {"0", "1 0:0:0:1", "1048600 7:0:0:1048576 h:24",
	    "9223372036854775807 h:9223372036854775807", "1 9223372036854775807:4294967295:4194303:1",
	    "5 1:2:3:4 @1:2:3:268435456", "5 @0:0:0:1"};
	struct err err = ERR_INIT;
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (parse_all(runs_of(good[i]), &err))
			fail_msg("'%s' refused: %s", good[i], err.msg);
}

static void malformed_lists_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *s;
		const char *at;
	} bad[] = {{"", "byte 0"}, {" ", "byte 0"}, {"x", "byte 0"}, {"-1", "byte 0"}, {"+1 h:1", "byte 0"},
	    {"01 h:1", "byte 0"}, {"9223372036854775808", "byte 0"}, {"99999999999999999999999", "byte 0"},
	    {"1h:1", "byte 1"}, {"0 ", "byte 2"}, {"1\th:1", "byte 1"}, {"1  h:1", "byte 2"},
	    {"1 h", "byte 2"}, {"1 h:", "byte 4"}, {"1 h:0", "byte 4"}, {"1 h:01", "byte 4"},
	    {"1 h:1 ", "byte 6"}, {"1 h:1x", "byte 5"}, {"1 h:9223372036854775808", "byte 4"},
	    {"1 H:1", "byte 2"}, {"1 1:2:3", "byte 7"}, {"1 1:2:3:", "byte 8"}, {"1 1:2:3:0", "byte 8"},
	    {"1 :2:3:1", "byte 2"}, {"1 1::3:1", "byte 4"}, {"1 1:2:3:1:1", "byte 10"},
	    {"1 00:2:3:1", "byte 2"}, {"1 9223372036854775808:0:0:1", "byte 2"},
	    {"1 1:4294967296:0:1", "byte 4"}, {"1 1:0:4194304:1", "byte 6"}, {"5 @1:2:3:4 h:1", "byte 75"},
	    {"5 @1:2:3:268435457", "byte 9"}, {"5 @@1:2:3:4", "byte 3"}, {"1 h:1\n", "byte 5"}};
	static const char *sums[] = {"0 h:1", "1", "1 h:2", "2 h:1", "3 h:1 1:1:1:1", "2 h:1 h:1 h:1",
	    "5 h:5 @1:1:1:1", "5 h:6 @1:1:1:1", "1 h:9223372036854775807 h:9223372036854775807 h:3"};
	struct extent_run run;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_INIT;

		if (parse_all(runs_of(bad[i].s), &err) != -1 || strcmp(err.code, "E-EXTENT-01") ||
		    !strstr(err.msg, bad[i].at))
			fail_msg("'%s' gives %s %s, not %s", bad[i].s, err.code, err.msg, bad[i].at);
	}
	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		struct err err = ERR_INIT;

		if (parse_all(runs_of(sums[i]), &err) != -1 || strcmp(err.code, "E-EXTENT-02"))
			fail_msg("'%s' gives %s %s", sums[i], err.code, err.msg);
	}
	assert_int_equal(
	    extent_parse_data_run(runs_of("1:2:3:4"), strlen(runs_of("1:2:3:4")), &run, NULL), 0);
	assert_int_equal(run.chunk, 2);
	assert_int_equal(
	    extent_parse_data_run(runs_of("1:2:3:4 "), strlen(runs_of("1:2:3:4 ")), &run, NULL), -1);
	assert_int_equal(extent_parse_data_run(runs_of("h:4"), strlen(runs_of("h:4")), &run, NULL), -1);
	assert_int_equal(
	    extent_parse_data_run(runs_of("@1:2:3:4"), strlen(runs_of("@1:2:3:4")), &run, NULL), -1);
	/* the length counts, not a NUL behind the text */
	assert_int_equal(extent_parse_data_run(runs_of("1:2:3:4"), 7 + 1 + 2 * DIGEST_LEN, &run, NULL), 0);
	assert_int_equal(run.length, 4);
}

static void a_list_behind_an_at_sign_begins_with_a_run(void **state)
{
	const char *s[] = {runs_of("h:1 1:2:3:4"), runs_of(" h:1 1:2:3:4")};
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct extent_run run;
		size_t pos = 0;

		assert_int_equal(extent_parse_run(s[i], strlen(s[i]), &pos, &run, NULL), 0);
		assert_int_equal(run.kind, EXTENT_HOLE);
		assert_int_equal(extent_parse_run(s[i], strlen(s[i]), &pos, &run, NULL), 0);
		assert_int_equal(run.length, 4);
		assert_int_equal(extent_parse_run(s[i], strlen(s[i]), &pos, &run, NULL), EXTENT_END);
	}
}

static void impossible_runs_are_not_written(void **state)
{
	static const struct extent_run bad[] = {{EXTENT_DATA, 1, 1, 0, 0, {0}},
	    {EXTENT_DATA, 1, 1, 1, EXTENT_CHUNK_MAX, {0}}, {EXTENT_DATA, 1, 1, EXTENT_CHUNK_MAX, 1, {0}},
	    {EXTENT_HOLE, 0, 0, 0, 1ull << 63, {0}},
	    {EXTENT_INDIRECT, 0, 0, 0, EXTENT_INDIRECT_MAX + 1, {0}}};
	struct extent_writer w;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		BUF_AUTO runs = BUF_INIT(100);

		extent_begin(&w);
		assert_int_equal(extent_add(&w, &bad[i], false, &runs, NULL), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_lists_come_back),
	    cmocka_unit_test(only_whole_chunks_that_follow_each_other_are_one_run),
	    cmocka_unit_test(a_run_without_its_digest_is_refused),
	    cmocka_unit_test(the_largest_numbers_are_taken),
	    cmocka_unit_test(malformed_lists_are_refused_with_their_place),
	    cmocka_unit_test(a_list_behind_an_at_sign_begins_with_a_run),
	    cmocka_unit_test(impossible_runs_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
