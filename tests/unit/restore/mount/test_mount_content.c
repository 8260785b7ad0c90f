/* content: any part of a file, in any order; and what is not what was captured is not given out at the end. */
#include <string.h>

#include "unit.h"
#include "lib/fixture.h"
#include "read/vault/arc_r.h"
#include "restore/mount/blocks.h"
#include "restore/mount/content.h"

#define CHUNKS 8
#define PART   5000
#define HOLE   7000
#define SIZE   (CHUNKS * PART + HOLE)

static struct fixture fx;
static uint8_t whole[SIZE];
static char extents[2000];

static int setup(void **state)
{
	char runs[400];
	(void)state;

	fixture_open(&fx);
	fixture_archive(&fx, 7);
	randombytes_buf(whole, sizeof(whole));
	memset(whole + 3 * PART, 0, HOLE);
	for (size_t i = 0; i < CHUNKS; i++)
		fixture_chunk(&fx, whole + i * PART + (i < 3 ? 0 : HOLE), PART);
	snprintf(runs, sizeof(runs), "%d 7:0:0:%d h:%d 7:3:0:%d", SIZE, 3 * PART, HOLE, (CHUNKS - 3) * PART);
	snprintf(extents, sizeof(extents), "%s", fixture_runs(&fx, runs));
	fixture_seal(&fx);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static struct content *opened(const uint8_t *sha256)
{
	struct blocks_entry e = {
	    .extents = extents, .extents_len = strlen(extents), .sha256 = sha256, .st = {.st_size = SIZE}};
	struct content *c;

	assert_int_equal(content_open(&e, &c, NULL), 0);
	return c;
}

static void reads_any_part_in_any_order(void **state)
{
	struct err err = ERR_INIT;
	uint8_t got[SIZE], sha[DIGEST_LEN];
	struct content *c;
	struct arc_r *a;
	size_t n;
	(void)state;

	digest_sha256(whole, SIZE, sha);
	c = opened(sha);
	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, NULL, &a, &err), 0);
	arc_r_helpers(a, 2);
	for (unsigned i = 0, at = 1; i < 400; i++, at = (at * 7919 + 13) % (SIZE + 100)) {
		size_t want = at * 31 % 12000 + 1;

		if (i % 50 == 49)
			content_pause(c);
		if (content_read(c, a, at, got, want, &n, &err))
			fail_msg("%s %s", err.code, err.msg);
		assert_int_equal(n, at >= SIZE ? 0 : want < SIZE - at ? want : SIZE - at);
		assert_memory_equal(got, whole + (at < SIZE ? at : 0), n);
	}
	content_close(c);
	arc_r_free(a);
}

/* In order from the beginning to the end: the last read tells. */
static int read_in_order(struct content *c, struct err *err)
{
	uint8_t got[SIZE];
	struct arc_r *a;
	size_t n;
	int r = 0;

	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, NULL, &a, err), 0);
	for (size_t at = 0; at < SIZE && !r; at += n)
		r = content_read(c, a, at, got, 4096, &n, err);
	content_pause(c);
	arc_r_free(a);
	return r;
}

static void another_sha256_is_an_error_at_the_end(void **state)
{
	uint8_t sha[DIGEST_LEN];
	struct err err = ERR_INIT;
	struct content *c;
	(void)state;

	digest_sha256(whole, SIZE, sha);
	c = opened(sha);
	assert_int_equal(read_in_order(c, &err), 0);
	content_close(c);
	sha[0] ^= 1;
	c = opened(sha);
	assert_int_equal(read_in_order(c, &err), -1);
	assert_string_equal(err.code, "E-EXTENT-14");
	content_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_any_part_in_any_order),
	    cmocka_unit_test(another_sha256_is_an_error_at_the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
