/* chunker: same bytes, same cuts; lengths within bounds; a byte put in front moves few of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "format/medium/chunker.h"

#define SIZE ((size_t)192 << 20)
#define CUTS 1024

static const uint8_t seed_a[CHUNKER_SEED] = "test seed a", seed_b[CHUNKER_SEED] = "test seed b";

static uint8_t *random_bytes(size_t n)
{
	uint8_t *p = malloc(n);
	uint64_t x = 88172645463325252ull;

	for (size_t i = 0; i < n; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, 8);
	}
	return p;
}

/* Lines of a log as a hospital's system writes them: little variety, much repetition. */
static uint8_t *text_bytes(size_t n)
{
	uint8_t *p = malloc(n);
	uint32_t x = 1;
	size_t at = 0;

	while (at < n) {
		char line[120];
		int len;

		x = x * 1103515245 + 12345;
		len = snprintf(line, sizeof(line),
		    "2026-11-%02u %02u:%02u:%02u INFO patient=%06u dept=%u result=%s\n", x % 28 + 1,
		    x / 7 % 24, x / 11 % 60, x / 13 % 60, x / 3 % 1000000, x % 9, x % 5 ? "ok" : "retry");
		if ((size_t)len > n - at)
			len = (int)(n - at);
		memcpy(p + at, line, (size_t)len);
		at += (size_t)len;
	}
	return p;
}

static size_t cut_all(const struct chunker *c, const uint8_t *p, size_t n, size_t *ends)
{
	size_t count = 0;

	for (size_t at = 0; at < n; count++) {
		size_t len = chunker_cut(c, p + at, n - at);

		assert_true(len >= 1 && len <= n - at && len <= CHUNKER_MAX);
		assert_true(len >= CHUNKER_MIN || at + len == n);
		at += len;
		assert_true(count < CUTS);
		ends[count] = at;
	}
	return count;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *what, const uint8_t *p)
{
	struct chunker *c = chunker_new(seed_a);
	size_t ends[CUTS], lens[CUTS], n, at_max = 0;
	double begun = now(), took;

	n = cut_all(c, p, SIZE, ends);
	took = now() - begun;
	for (size_t i = 0; i < n; i++) {
		lens[i] = ends[i] - (i ? ends[i - 1] : 0);
		at_max += lens[i] == CHUNKER_MAX;
	}
	qsort(lens, n, sizeof(*lens), by_size);
	print_message("%s: %.0f MB/s, %zu chunks, KiB: mean %zu, 10%% %zu, 50%% %zu, 90%% %zu, largest %zu "
		      "(%zu at the limit)\n",
	    what, (double)SIZE / took / 1e6, n, SIZE / n / 1024, lens[n / 10] / 1024, lens[n / 2] / 1024,
	    lens[n * 9 / 10] / 1024, lens[n - 1] / 1024, at_max);
	assert_true(SIZE / n > CHUNKER_AVG * 3 / 4 && SIZE / n < CHUNKER_AVG * 3 / 2);
	chunker_free(c);
}

static void lengths_gather_around_the_average(void **state)
{
	uint8_t *random = random_bytes(SIZE), *log = text_bytes(SIZE);
	(void)state;

	measure("random", random);
	measure("text", log);
	free(random);
	free(log);
}

/* The definition, without any of the tricks. */
static size_t plain_cut(const uint64_t *gear, const uint8_t *p, size_t n)
{
	uint64_t h = 0;

	n = n < CHUNKER_MAX ? n : CHUNKER_MAX;
	for (size_t i = CHUNKER_MIN; i < n; i++) {
		h = (h << 1) + gear[p[i]];
		if (!(h >> (i < CHUNKER_AVG - CHUNKER_AVG / 8 ? 42 : 46)))
			return i + 1;
	}
	return n;
}

/* The same cuts, however few bytes there are at a time. */
static void piece_by_piece(void **state)
{
	static const size_t steps[] = {1 << 19, 4096, 100003, 262144, 3000000};
	uint8_t *p = random_bytes(SIZE / 4);
	struct chunker *c = chunker_new(seed_a);
	(void)state;

	for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++)
		for (size_t at = 0, round = 0; at < SIZE / 4; round++) {
			/* ends at all kinds of places */
			size_t left = SIZE / 4 - at, n = 0, len = 0,
			       end = round % 3		     ? left
				     : left < 200000 * round ? left
							     : 200000 * round + 1;
			struct chunker_state state_ = {0, 0};

			while (!len) {
				n = end - n < steps[s] ? end : n + steps[s];
				len = chunker_more(c, &state_, p + at, n, n == end);
			}
			assert_int_equal(len, chunker_cut(c, p + at, end));
			at += len;
		}
	free(p);
	chunker_free(c);
}

static void the_fast_way_cuts_where_the_definition_does(void **state)
{
	uint8_t *p = random_bytes(SIZE / 4);
	struct chunker *c = chunker_new(seed_a);
	(void)state;

	/* struct chunker is its table */
	for (size_t at = 0, round = 0; at < SIZE / 4; round++) {
		size_t n = round % 3 ? SIZE / 4 - at : 1 + (SIZE / 4 - at) * 7 % 3000000 % (SIZE / 4 - at);
		size_t len = chunker_cut(c, p + at, n);

		assert_int_equal(len, plain_cut((const uint64_t *)(const void *)c, p + at, n));
		at += len;
	}
	free(p);
	chunker_free(c);
}

static void same_bytes_same_cuts(void **state)
{
	uint8_t *p = random_bytes(SIZE / 4);
	struct chunker *a = chunker_new(seed_a), *again = chunker_new(seed_a), *b = chunker_new(seed_b);
	size_t x[CUTS], y[CUTS], n = cut_all(a, p, SIZE / 4, x), same = 0, m;
	(void)state;

	assert_int_equal(cut_all(again, p, SIZE / 4, y), n);
	assert_memory_equal(x, y, n * sizeof(*x));
	/* pinned: a change here would store everything again after an upgrade */
	assert_int_equal(x[0], 1064033);
	assert_int_equal(x[1], 2020621);
	/* handed in with just CHUNKER_MAX bytes of view, the cuts are the same */
	for (size_t i = 0, at = 0; i < n; at = x[i++])
		assert_int_equal(
		    chunker_cut(a, p + at, SIZE / 4 - at < CHUNKER_MAX ? SIZE / 4 - at : CHUNKER_MAX),
		    x[i] - at);
	m = cut_all(b, p, SIZE / 4, y);
	for (size_t i = 0; i + 1 < n; i++)
		for (size_t j = 0; j + 1 < m; j++)
			same += x[i] == y[j];
	assert_int_equal(same, 0); /* another secret cuts elsewhere */
	free(p);
	chunker_free(a);
	chunker_free(again);
	chunker_free(b);
}

static void a_byte_in_front_moves_few_cuts(void **state)
{
	uint8_t *p = random_bytes(SIZE / 2);
	struct chunker *c = chunker_new(seed_a);
	size_t x[CUTS], y[CUTS], n, m, same = 0;
	(void)state;

	n = cut_all(c, p + 1, SIZE / 2 - 1, x);
	m = cut_all(c, p, SIZE / 2, y);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			same += x[i] + 1 == y[j];
	print_message("%zu of %zu cuts stay where they were\n", same, n);
	assert_true(n - same <= 5);
	free(p);
	chunker_free(c);
}

static void zeros_and_tiny_pieces(void **state)
{
	uint8_t *p = calloc(1, (size_t)9 << 20);
	struct chunker *c = chunker_new(seed_a);
	(void)state;

	for (size_t n = 1; n <= CHUNKER_MIN; n = n * 3 + 1)
		assert_int_equal(chunker_cut(c, p, n), n);
	assert_int_equal(chunker_cut(c, p, CHUNKER_MIN), CHUNKER_MIN);
	assert_int_equal(
	    chunker_cut(c, p, (size_t)9 << 20), CHUNKER_MAX); /* no cut to be found in sameness */
	free(p);
	chunker_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lengths_gather_around_the_average),
	    cmocka_unit_test(the_fast_way_cuts_where_the_definition_does),
	    cmocka_unit_test(piece_by_piece),
	    cmocka_unit_test(same_bytes_same_cuts),
	    cmocka_unit_test(a_byte_in_front_moves_few_cuts),
	    cmocka_unit_test(zeros_and_tiny_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
