/* listing: three orders, what is empty last, and the ceiling. */
#include <stdlib.h>

#include "unit.h"
#include "base/err.h"
#include "restore/view/listing.h"

static void orders(void **state)
{
	static const char *const all[][LISTING_COLUMNS] = {
	    {"3", "高橋", "タカハシ", NULL, "20261101"},
	    {"1", "佐藤", "サトウ", NULL, "20261103"},
	    {"2", "伊藤", "イトウ", NULL, NULL},
	    {"", "無名", NULL, NULL, "20261102"},
	};
	static const uint32_t want[LISTING_ORDERS][4] = {{1, 2, 0, 3}, {2, 1, 0, 3}, {1, 3, 0, 2}};
	struct listing *r = listing_new();
	size_t row;
	(void)state;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(listing_add(r, all[i], (uint32_t)i, &row, NULL), 0);
	for (int o = 0; o < LISTING_ORDERS; o++) {
		uint32_t *is;

		assert_int_equal(listing_sorted(r, (enum listing_order)o, &is, NULL), 0);
		assert_memory_equal(is, want[o], sizeof(want[o]));
		free(is);
	}
	assert_string_equal(listing_text(r, 2, LISTING_DATE), "");
	listing_counted(r, 3);
	assert_int_equal(listing_count(r, 3), 4);
	listing_free(r);
}

static void no_more_than_fit(void **state)
{
	const char *const row[LISTING_COLUMNS] = {"same", "same", NULL};
	struct listing *r = listing_new();
	(void)state;

	for (size_t i = 0; i < LISTING_MAX; i++)
		assert_int_equal(listing_add(r, row, 1, NULL, NULL), 0);
	assert_int_equal(listing_add(r, row, 1, NULL, NULL), LISTING_FULL);
	assert_int_equal(listing_n(r), LISTING_MAX);
	assert_int_equal(listing_left_out(r), 1);
	listing_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(orders), cmocka_unit_test(no_more_than_fit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
