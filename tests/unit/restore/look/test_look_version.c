/* version: what is the same, and what differs, of an entry at two times. */
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "unit.h"

#include "format/medium/catalog.h"
#include "restore/look/version.h"

static uint8_t one[DIGEST_LEN] = {1}, two[DIGEST_LEN] = {2};

static struct archive_entry *a_file(void)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_mode(e, AE_IFREG | 0640);
	archive_entry_set_mtime(e, 1000, 7);
	archive_entry_copy_uname(e, "root");
	return e;
}

static struct version of(struct archive_entry *e, const uint8_t *sha256, const char *extents)
{
	struct catalog_item item = {.entry = e,
	    .path = "a/b",
	    .sha256 = sha256,
	    .extents = extents,
	    .extents_len = strlen(extents),
	    .size = 5};
	struct version v;

	assert_int_equal(version_of(&item, &v, NULL), 0);
	return v;
}

static void where_its_bytes_lie_is_no_difference(void **state)
{
	struct archive_entry *e = a_file(), *f = a_file();
	struct version a = of(e, one, "5 1:0:0:5:x"), b = of(f, one, "5 9:3:0:5:x");
	(void)state;

	assert_int_equal(version_differs(&a, &b), 0);
	b = of(f, two, "5 1:0:0:5:x");
	assert_int_equal(version_differs(&a, &b), VERSION_CONTENT);
	archive_entry_free(e);
	archive_entry_free(f);
}

static void each_part_is_told(void **state)
{
	struct archive_entry *e = a_file(), *f = a_file();
	struct version a = of(e, one, "5"), b;
	(void)state;

	archive_entry_set_mtime(f, 1000, 8);
	b = of(f, one, "5");
	assert_int_equal(version_differs(&a, &b), VERSION_TIME);
	archive_entry_set_perm(f, 0600);
	archive_entry_set_uid(f, 5);
	b = of(f, one, "5");
	assert_int_equal(version_differs(&a, &b), VERSION_TIME | VERSION_MODE | VERSION_OWNER);
	archive_entry_xattr_add_entry(f, "user.x", "1", 1);
	b = of(f, one, "5");
	assert_int_equal(
	    version_differs(&a, &b), VERSION_TIME | VERSION_MODE | VERSION_OWNER | VERSION_ATTRIBUTES);
	archive_entry_free(e);
	archive_entry_free(f);
}

static void a_further_name_of_a_link_has_its_target(void **state)
{
	struct archive_entry *e = a_file();
	struct catalog_item item = {.entry = e, .path = "z", .special = "symlink where it leads"};
	struct version v;
	(void)state;

	archive_entry_copy_hardlink(e, "a");
	assert_int_equal(version_of(&item, &v, NULL), 0);
	assert_int_equal(v.kind, 'l');
	assert_string_equal(v.target, "where it leads");
	assert_string_equal(v.e.link, "a");
	archive_entry_free(e);
}

static void a_copy_outlives_what_it_was_taken_from(void **state)
{
	struct archive_entry *e = a_file();
	struct version v = of(e, one, "5"), *copy;
	size_t bytes = 10;
	(void)state;

	copy = version_copy(&v, &bytes);
	assert_non_null(copy);
	assert_true(bytes > 10 + sizeof(v));
	archive_entry_free(e);
	assert_string_equal(copy->e.path, "a/b");
	assert_string_equal(copy->e.user, "root");
	assert_null(copy->e.link);
	assert_memory_equal(copy->content, one, DIGEST_LEN);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_its_bytes_lie_is_no_difference),
	    cmocka_unit_test(each_part_is_told),
	    cmocka_unit_test(a_further_name_of_a_link_has_its_target),
	    cmocka_unit_test(a_copy_outlives_what_it_was_taken_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
