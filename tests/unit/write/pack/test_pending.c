/* pending: places in archives under way, up to the limit, also when the ids are as bad as they can be. */
#include <string.h>

#include "unit.h"
#include "format/crypto/digest.h"
#include "write/pack/pending.h"

static void id_of(uint32_t i, uint8_t id[DIGEST_LEN])
{
	digest_sha256(&i, sizeof(i), id);
}

static struct dedup_place place_of(uint32_t i)
{
	return (struct dedup_place){(uint64_t)i << 20, i, i / 2, i + 1, i % 2};
}

static bool same(const struct dedup_place *a, const struct dedup_place *b)
{
	return a->archive == b->archive && a->chunk == b->chunk && a->offset == b->offset &&
	       a->length == b->length && a->whole == b->whole;
}

static void as_many_as_promised_and_all_found(void **state)
{
	struct pending *p = pending_new();
	const struct dedup_entry *all;
	uint8_t id[DIGEST_LEN];
	size_t n;

	(void)state;
	assert_non_null(p);
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		struct dedup_place want = place_of(i), got;

		assert_false(pending_full(p));
		id_of(i, id);
		assert_false(pending_find(p, id, &got));
		pending_add(p, id, &want);
		assert_true(pending_find(p, id, &got));
	}
	assert_true(pending_full(p));
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		struct dedup_place want = place_of(i), got;

		id_of(i, id);
		assert_true(pending_find(p, id, &got));
		assert_true(same(&want, &got));
		id_of(i + PENDING_MAX, id);
		assert_false(pending_find(p, id, &got));
	}
	all = pending_entries(p, &n);
	assert_int_equal(n, PENDING_MAX);
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		struct dedup_place want = place_of(i);

		id_of(i, id);
		assert_memory_equal(all[i].id, id, DEDUP_ID);
		assert_true(same(&want, &all[i].place));
	}
	pending_free(p);
	pending_free(NULL);
}

static void cleared_it_knows_nothing_and_begins_anew(void **state)
{
	struct pending *p = pending_new();
	struct dedup_place pl = place_of(7), got = {0};
	uint8_t id[DIGEST_LEN];
	size_t n = 99;

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 100; i++) {
			id_of(i, id);
			assert_false(pending_find(p, id, &got));
			pending_add(p, id, &pl);
		}
		pending_entries(p, &n);
		assert_int_equal(n, 100);
		pending_clear(p);
		pending_entries(p, &n);
		assert_int_equal(n, 0);
	}
	pending_clear(p);
	pending_free(p);
}

/* All in one row, also over the end of the table; and ids that differ only in the last byte that counts. */
static void ids_that_collide(void **state)
{
	struct pending *p = pending_new();
	struct dedup_place got;
	uint8_t id[DIGEST_LEN];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct dedup_place want = place_of(i);

		memset(id, 0xff, sizeof(id));
		memcpy(id + 8, &i, sizeof(i));
		assert_false(pending_find(p, id, &got));
		pending_add(p, id, &want);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		struct dedup_place want = place_of(i);

		memset(id, 0xff, sizeof(id));
		memcpy(id + 8, &i, sizeof(i));
		assert_true(pending_find(p, id, &got));
		assert_true(same(&want, &got));
		id[DEDUP_ID - 1] ^= 1;
		assert_false(pending_find(p, id, &got));
	}
	memset(id, 0, sizeof(id));
	assert_false(pending_find(p, id, &got));
	pending_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_many_as_promised_and_all_found),
	    cmocka_unit_test(cleared_it_knows_nothing_and_begins_anew),
	    cmocka_unit_test(ids_that_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
