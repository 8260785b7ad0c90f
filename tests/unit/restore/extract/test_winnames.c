/* winname, winnames: names as Windows can hold them; each another one, and which one it was can be read. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "base/err.h"
#include "restore/extract/namelist.h"
#include "restore/extract/winnames.h"

static void what_windows_cannot_hold_is_written_as_bytes(void **state)
{
	static const char *const t[][2] = {
	    {"報告.txt", "報告.txt"},
	    {"a:b", "a%3Ab"},
	    {"<>\"\\|?*", "%3C%3E%22%5C%7C%3F%2A"},
	    {"t\tb\x7f", "t%09b\x7f"},
	    {"x.", "x%2E"},
	    {"x..", "x.%2E"},
	    {"x ", "x%20"},
	    {"...", "..%2E"},
	    {". x", ". x"},
	    {"\x8a\xb3.txt", "%8A%B3.txt"}, /* CP932 */
	    {"\xed\xa0\x80", "%ED%A0%80"},  /* half of a pair */
	    {"100%", "100%"},
	    {"a%3Ab", "a%253Ab"},
	    {"a%3", "a%3"},
	    {"%~", "%25~"},
	    {"CON", "%43%4F%4E"},
	    {"con.txt", "%63on.txt"},
	    {"Con .tar.gz", "%43on .tar.gz"},
	    {"LPT9", "%4C%50%549"},
	    {"com0.x", "%63om0.x"},
	    {"COM²", "%43%4F%4D²"},
	    {"CONIN$", "%43%4F%4E%49%4E$"},
	    {"COM", "COM"},
	    {"COM10", "COM10"},
	    {"console", "console"},
	    {"a.con", "a.con"},
	};
	char out[WINNAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(
		    winname_map(t[i][0], strlen(t[i][0]), false, out), strcmp(t[i][0], t[i][1]) != 0);
		assert_string_equal(out, t[i][1]);
	}
}

static void names_that_get_too_long_are_cut_and_stay_different(void **state)
{
	char name[5000], out[WINNAME_SIZE], other[WINNAME_SIZE];

	(void)state;
	memset(name, ':', sizeof(name));
	memcpy(name + 250, ".docx", 5);
	assert_true(winname_map(name, 255, false, out));
	assert_true(strlen(out) <= WINNAME_MAX && !strcmp(out + strlen(out) - 5, ".docx"));
	assert_non_null(strstr(out, "%3A%~"));
	name[0] = ';';
	assert_true(winname_map(name, 255, false, other) && strcmp(out, other) != 0);
	assert_true(winname_map(name, sizeof(name), false, out) && strlen(out) <= WINNAME_MAX);
	name[sizeof(name) - 1] = '.';
	assert_true(winname_map(name, sizeof(name), false, other) && strcmp(out, other) != 0);
	memset(name, 'a', 255);
	assert_false(winname_map(name, 255, false, out));
}

static void check_map(const struct winnames *w, const char *path, const char *want)
{
	char out[WINNAME_SIZE];

	winnames_map(w, path, strlen(path), out);
	assert_string_equal(out, want);
}

static int count(void *arg, const char *from, const char *to, struct err *err)
{
	(void)err;
	assert_string_not_equal(from, to);
	strcat(arg, to);
	strcat(arg, "\n");
	return 0;
}

static void one_of_two_that_differ_in_case_gets_another_name(void **state)
{
	static const char *const paths[] = {"BKP-names-7.csv", "README", "ReadMe", "a/b/c", "a/b/C", "d",
	    "readme", "x:/CON", "x:/Con", "x:/con", "x:/y?", "ÀΣЖＡ", "àςжａ", "àσжａ"};
	char told[1000] = "";
	const char *before = "";
	struct err err = ERR_INIT;
	struct winnames *w = winnames_new();

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		assert_int_equal(winnames_add(w, paths[i], &err), 0);
	check_map(w, "README", "README");
	check_map(w, "ReadMe", "%52ead%4De");
	check_map(w, "readme", "%72eadme");
	check_map(w, "a/b/c", "c");
	check_map(w, "a/b/C", "%43");
	check_map(w, "a/b", "b");
	check_map(w, "BKP-names-7.csv", "%42%4B%50-names-7.csv");
	check_map(w, "a/BKP-names-7.csv", "BKP-names-7.csv");
	check_map(w, "x:/con", "%63on");
	check_map(w, "x:/Con", "%43on");
	check_map(w, "ÀΣЖＡ", "ÀΣЖＡ");
	check_map(w, "àςжａ", "%C3%A0%CF%82%D0%B6%EF%BD%81");
	check_map(w, "àσжａ", "%C3%A0%CF%83%D0%B6%EF%BD%81");
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); before = paths[i++])
		assert_int_equal(winnames_each(w, before, paths[i], count, told, &err), 0);
	assert_string_equal(told, "%42%4B%50-names-7.csv\n%52ead%4De\na/b/%43\n%72eadme\nx%3A\nx%3A/"
				  "%43%4F%4E\nx%3A/%43on\nx%3A/%63on\n"
				  "x%3A/y%3F\n%C3%A0%CF%82%D0%B6%EF%BD%81\n%C3%A0%CF%83%D0%B6%EF%BD%81\n");
	winnames_free(w);
}

static void a_list_that_cannot_be_written_is_an_error(void **state)
{
	char folder[] = "/tmp/winnames.XXXXXX";
	struct namelist l = {.quiet = true};
	struct err err = ERR_INIT;
	(void)state;

	assert_non_null(mkdtemp(folder));
	l.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(l.folder >= 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(namelist_add(&l, "docs", "a:b", "a%3Ab", &err), -1);
	assert_string_equal(err.code, "E-NAMES-01");
	close(l.folder);

	/* a disk that is full when the last of it goes there */
	l = (struct namelist){.folder = -1, .quiet = true, .n = 1, .to = fopen("/dev/full", "w")};
	assert_non_null(l.to);
	fputs("a row", l.to);
	assert_int_equal(namelist_end(&l, &err), -1);
	assert_string_equal(err.code, "E-NAMES-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_windows_cannot_hold_is_written_as_bytes),
	    cmocka_unit_test(names_that_get_too_long_are_cut_and_stay_different),
	    cmocka_unit_test(one_of_two_that_differ_in_case_gets_another_name),
	    cmocka_unit_test(a_list_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
