/* path: order, safety, display and encoding of names of any bytes. */
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"

static void order_puts_a_folder_before_its_content(void **state)
{
	static const char *sorted[] = {"a", "a/b", "a/b/c", "a/z", "a!b", "a\xff", "b"};
	(void)state;

	for (size_t i = 0; i < 7; i++)
		for (size_t j = 0; j < 7; j++) {
			int c = path_compare(sorted[i], sorted[j]);
			assert_true(i < j ? c < 0 : i > j ? c > 0 : c == 0);
		}
}

static void entry_paths_cannot_leave(void **state)
{
	static const char *bad[] = {
	    "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", "./a", "a/."};
	static const char *good[] = {"a", "a/b", "...", "a/..b", ".a", "a..", "\n", "\xff/\x01"};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(path_is_entry(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(path_is_entry(good[i]));
}

static void within_is_by_component(void **state)
{
	(void)state;
	assert_true(path_within("/srv/a", "/srv"));
	assert_true(path_within("/srv", "/srv/"));
	assert_true(path_within("/srv", "/"));
	assert_false(path_within("/srvx", "/srv"));
	assert_false(path_within("/sr", "/srv"));
}

static void display_is_safe_on_a_terminal(void **state)
{
	char out[256];
	(void)state;

	assert_string_equal(
	    path_show("\xe6\x82\xa3\xe8\x80\x85.txt", out, sizeof(out)), "\xe6\x82\xa3\xe8\x80\x85.txt");
	assert_string_equal(path_show("a\nb\x1b[31m\\", out, sizeof(out)), "a\\012b\\033[31m\\\\");
	assert_string_equal(
	    path_show("\x8a\xb3\x8e\xd2", out, sizeof(out)), "\\212\\263\\216\\322"); /* CP932 */
	assert_string_equal(
	    path_show("\xe2\x80\xae", out, sizeof(out)), "\\342\\200\\256"); /* right-to-left override */
	assert_string_equal(path_show("0123456789", out, 8), "0123...");
	/* cut between characters: what is shown goes into JSON as well */
	assert_string_equal(path_show("a\xe6\x82\xa3\xe8\x80\x85.txt", out, 8), "a\xe6\x82\xa3...");
	assert_string_equal(path_show("a\xe6\x82\xa3\xe8\x80\x85.txt", out, 9), "a\xe6\x82\xa3...");
	assert_string_equal(path_show("a\xe6\x82\xa3\xe8\x80\x85.txt", out, 10), "a\xe6\x82\xa3...");
	assert_string_equal(
	    path_show("a\xe6\x82\xa3\xe8\x80\x85.txt", out, 11), "a\xe6\x82\xa3\xe8\x80\x85...");
	/* not seen, or turning what follows */
	assert_string_equal(path_show("a\xe2\x80\x8b"
				      "b",
				out, sizeof(out)),
	    "a\\342\\200\\213b");
	assert_string_equal(path_word("/mnt/\xe6\x82\xa3", out, sizeof(out)), "/mnt/\xe6\x82\xa3");
	assert_string_equal(path_word("", out, sizeof(out)), "''");
	assert_string_equal(path_word("a b", out, sizeof(out)), "'a b'");
	assert_string_equal(path_word("a'b;", out, sizeof(out)), "'a'\\''b;'");
	assert_string_equal(path_word("a\nb", out, sizeof(out)), "?");
}

static void encoding_goes_both_ways_and_refuses_the_rest(void **state)
{
	static const char *bad[] = {"%", "%4", "%zz", "%00", "a b", "%e3", "\xe3"};
	char every[256];
	BUF_AUTO e = BUF_INIT(4096);
	BUF_AUTO d = BUF_INIT(4096);
	struct err err = ERR_INIT;
	(void)state;

	for (int i = 1; i < 256; i++)
		every[i - 1] = (char)i;
	every[255] = '\0';
	assert_int_equal(path_encode(every, &e, &err), 0);
	assert_int_equal(path_decode((char *)e.p, e.n, &d, &err), 0);
	assert_string_equal((char *)d.p, every);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		BUF_AUTO x = BUF_INIT(64);
		assert_int_equal(path_decode(bad[i], strlen(bad[i]), &x, &err), -1);
		assert_string_equal(err.code, "E-PATH-01");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(order_puts_a_folder_before_its_content),
	    cmocka_unit_test(entry_paths_cannot_leave),
	    cmocka_unit_test(within_is_by_component),
	    cmocka_unit_test(display_is_safe_on_a_terminal),
	    cmocka_unit_test(encoding_goes_both_ways_and_refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
