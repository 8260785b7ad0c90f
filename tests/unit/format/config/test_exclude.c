/* exclude: what a pattern leaves out, and that no pattern can stall a run. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "base/err.h"
#include "format/config/exclude.h"

static char root1[] = "/srv/documents", root2[] = "/home";
static char *const roots[] = {root1, root2};

static bool out(const char *pattern, const char *path, bool is_dir)
{
	char *const patterns[] = {(char *)pattern};
	struct err err = ERR_INIT;
	struct exclude *x = exclude_new(patterns, 1, roots, 2, &err);
	bool r;

	assert_non_null(x);
	r = exclude_match(x, path, is_dir);
	exclude_free(x);
	return r;
}

enum { FILE_ = 0, DIR_ = 1 };
static const struct {
	const char *pattern, *path;
	int is_dir, out;
} meanings[] = {
    /* a bare name, at any depth below the root */
    {"*.tmp", "/srv/documents/a.tmp", FILE_, 1},
    {"*.tmp", "/srv/documents/x/y/.tmp", FILE_, 1},
    {"*.tmp", "/srv/documents/a.tmp/inside", FILE_, 1},
    {"*.tmp", "/srv/documents/a.tmpx", FILE_, 0},
    {"cache", "/srv/documents/cache", DIR_, 1},
    {"cache", "/srv/documents/a/cache/b/c", FILE_, 1},
    {"cache", "/srv/documents/caches", DIR_, 0},
    {"cache/", "/srv/documents/a/cache", DIR_, 1},
    {"cache/", "/srv/documents/a/cache", FILE_, 0},
    {"cache/", "/srv/documents/a/cache/b", FILE_, 1},
    {"srv", "/srv/documents/a", FILE_, 0}, /* components above the root do not count */
    {"documents", "/srv/documents", DIR_, 0},
    {"*", "/srv/documents", DIR_, 0},
    {"*", "/srv/documents/a", FILE_, 1},
    {"Thumbs.db", "/home/u/Thumbs.db", FILE_, 1},
    {"thumbs.db", "/home/u/Thumbs.db", FILE_, 0},
    /* absolute */
    {"/srv/documents/cache/", "/srv/documents/cache", DIR_, 1},
    {"/srv/documents/cache/", "/srv/documents/cache", FILE_, 0},
    {"/srv/documents/cache/", "/srv/documents/cache/a/b", FILE_, 1},
    {"/srv/documents/cache/", "/srv/documents/cache2", DIR_, 0},
    {"/srv/documents/cache/", "/srv/documents", DIR_, 0},
    {"/srv/documents/cache", "/srv/documents/cache", FILE_, 1},
    {"/srv/documents/cache", "/srv/documents/cache/x", FILE_, 1},
    {"/srv/documents/cache", "/srv/documents/a/cache", DIR_, 0},
    {"/home/*/.cache/", "/home/u/.cache", DIR_, 1},
    {"/home/*/.cache/", "/home/u/.cache/x/y", FILE_, 1},
    {"/home/*/.cache/", "/home/u/v/.cache", DIR_, 0},
    {"/home", "/home/u", DIR_, 1},
    {"/other", "/elsewhere/x", FILE_, 0},
    {"/other", "/other/x", FILE_, 1},
    /* relative with '/': from the root */
    {"scan/cache", "/srv/documents/scan/cache", DIR_, 1},
    {"scan/cache", "/srv/documents/scan/cache/a", FILE_, 1},
    {"scan/cache", "/srv/documents/a/scan/cache", DIR_, 0},
    {"scan/*.bak", "/home/scan/x.bak", FILE_, 1},
    {"scan/*.bak", "/home/scan/a/x.bak", FILE_, 0},
    {"scan/cache", "/elsewhere/scan/cache", DIR_, 0},
    /* ** */
    {"**/cache", "/srv/documents/cache", DIR_, 1},
    {"**/cache", "/srv/documents/a/b/cache", DIR_, 1},
    {"a/**/z", "/home/a/z", FILE_, 1},
    {"a/**/z", "/home/a/b/c/z", FILE_, 1},
    {"a/**/z", "/home/a/b/zz", FILE_, 0},
    {"a/**/b/**/c", "/home/a/b/x/b/y/c", FILE_, 1},
    {"a/**/b/x", "/home/a/b/b/x", FILE_, 1},
    {"a/**/b/**/c", "/home/a/c/x/b", FILE_, 0},
    {"a/**", "/home/a", DIR_, 0},
    {"a/**", "/home/a/b", FILE_, 1},
    {"a/**/", "/home/a/b", FILE_, 0},
    {"a/**/", "/home/a/b/c", FILE_, 1},
    {"/home/**/*.o", "/home/u/src/x.o", FILE_, 1},
    {"/home/**/*.o", "/home/x.o", FILE_, 1},
    {"x**y", "/home/xaay", FILE_, 1},
    {"x**y", "/home/xa/ay", FILE_, 0},
    /* ? [ ] \ */
    {"a?c", "/home/abc", FILE_, 1},
    {"a?c", "/home/a/c", FILE_, 0},
    {"???.txt", "/home/患.txt", FILE_, 1}, /* bytes */
    {"?.txt", "/home/患.txt", FILE_, 0},
    {"患*", "/home/患者", DIR_, 1},
    {"\x8a\xb3*", "/home/\x8a\xb3\x8e\xd2", DIR_, 1}, /* CP932 */
    {"[\x80-\xff]*", "/home/\x8a\xb3", FILE_, 1},
    {"[a-c]x", "/home/bx", FILE_, 1},
    {"[a-c]x", "/home/dx", FILE_, 0},
    {"[!a-c]x", "/home/dx", FILE_, 1},
    {"[^a-c]x", "/home/ax", FILE_, 0},
    {"[]]", "/home/]", FILE_, 1},
    {"[!]]", "/home/]", FILE_, 0},
    {"[a-]", "/home/-", FILE_, 1},
    {"[\\]]x", "/home/]x", FILE_, 1},
    {"[a\\-c]", "/home/b", FILE_, 0},
    {"\\*", "/home/*", FILE_, 1},
    {"\\*", "/home/a", FILE_, 0},
    {"a\\[b", "/home/a[b", FILE_, 1},
    {"*a*b*c", "/home/xaybzc", FILE_, 1},
    {"*a*b*c", "/home/xaybzcd", FILE_, 0},
    {"a*", "/home/a\nb", FILE_, 1},
};

static void patterns_mean_what_the_header_says(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (out(meanings[i].pattern, meanings[i].path, meanings[i].is_dir) != meanings[i].out)
			fail_msg("'%s' on '%s' (%s): expected %d", meanings[i].pattern, meanings[i].path,
			    meanings[i].is_dir ? "folder" : "file", meanings[i].out);
}

static void bad_patterns_are_named(void **state)
{
	char long_one[EXCLUDE_PATTERN_MAX + 2];
	static const struct {
		const char *pattern;
		enum exclude_fault fault;
	} t[] = {{"", EXCLUDE_EMPTY}, {"/", EXCLUDE_EMPTY}, {"a//b", EXCLUDE_COMPONENT},
	    {"//a", EXCLUDE_COMPONENT}, {"a//", EXCLUDE_COMPONENT}, {"./a", EXCLUDE_COMPONENT},
	    {"a/../b", EXCLUDE_COMPONENT}, {"..", EXCLUDE_COMPONENT}, {".", EXCLUDE_COMPONENT},
	    {"/a/.", EXCLUDE_COMPONENT}, {"[ab", EXCLUDE_BRACKET}, {"[a/b]", EXCLUDE_BRACKET},
	    {"x[", EXCLUDE_BRACKET}, {"[]", EXCLUDE_BRACKET}, {"[!]", EXCLUDE_BRACKET},
	    {"[a\\]", EXCLUDE_BRACKET}, {"a\\", EXCLUDE_BACKSLASH}, {"a\\/b", EXCLUDE_BACKSLASH},
	    {"...", EXCLUDE_GOOD}, {"a/", EXCLUDE_GOOD}, {"**", EXCLUDE_GOOD}, {"/**", EXCLUDE_GOOD},
	    {"]", EXCLUDE_GOOD}};
	struct err err = ERR_INIT;
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *const p[] = {(char *)t[i].pattern};

		if (exclude_check(t[i].pattern) != t[i].fault)
			fail_msg("'%s'", t[i].pattern);
		if (t[i].fault) {
			assert_null(exclude_new(p, 1, roots, 2, &err));
			assert_string_equal(err.code, "E-EXCLUDE-01");
		}
	}
	memset(long_one, 'a', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_int_equal(exclude_check(long_one), EXCLUDE_LONG);
	assert_false(exclude_match(NULL, "/a", false));
}

/* fnmatch(3) is the independent witness for one component; random strings over an alphabet that provokes. */
static void globs_agree_with_fnmatch(void **state)
{
	static const char pa[] = "ab*?[]-!a", sa[] = "ab]-";
	unsigned compared = 0, matched = 0;
	(void)state;

	srand(1);
	while (compared < 200000) {
		char pattern[12], name[16] = "/home/";
		size_t pn = 1 + (size_t)rand() % 8, sn = 1 + (size_t)rand() % 6;
		bool want;

		for (size_t i = 0; i < pn; i++)
			pattern[i] = pa[(size_t)rand() % (sizeof(pa) - 1)];
		pattern[pn] = '\0';
		for (size_t i = 0; i < sn; i++)
			name[6 + i] = sa[(size_t)rand() % (sizeof(sa) - 1)];
		name[6 + sn] = '\0';
		/* "**" alone is ours; fnmatch takes an unclosed '[' literally; reversed ranges are undefined
		 * in POSIX */
		if (exclude_check(pattern) || strstr(pattern, "]-") || strstr(pattern, "-[") ||
		    strstr(pattern, "b-a") || strstr(pattern, "a--") || strstr(pattern, "-!") ||
		    strchr(pattern, '-'))
			continue;
		want = fnmatch(pattern, name + 6, 0) == 0;
		compared++;
		matched += want;
		if (out(pattern, name, false) != want)
			fail_msg("'%s' on '%s': fnmatch says %d", pattern, name + 6, want);
	}
	print_message("%u patterns compared with fnmatch, %u matched\n", compared, matched);
}

static void no_pattern_is_slow(void **state)
{
	static char path[4096];
	char pattern[EXCLUDE_PATTERN_MAX + 1];
	clock_t t0 = clock();
	double s;
	(void)state;

	/* a*a*a*…b on aaaa…: exponential for a naive matcher */
	for (size_t i = 0; i < 1000; i++)
		pattern[i] = i % 2 ? '*' : 'a';
	memcpy(pattern + 1000, "b", 2);
	memset(path, 'a', sizeof(path) - 1);
	memcpy(path, "/home/", 6);
	assert_false(out(pattern, path, false));
	/* the same with folders: two stars, a, two stars, a, … b on a/a/a/… */
	for (size_t i = 0; i < 200; i++)
		memcpy(pattern + 5 * i, "**/a/", 5);
	memcpy(pattern + 1000, "b", 2);
	for (size_t i = 6; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '/' : 'a';
	path[sizeof(path) - 1] = '\0';
	assert_false(out(pattern, path, false));
	s = (double)(clock() - t0) / CLOCKS_PER_SEC;
	print_message("two hostile patterns on 4 KiB paths: %.4f s\n", s);
	assert_true(s < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_mean_what_the_header_says),
	    cmocka_unit_test(bad_patterns_are_named),
	    cmocka_unit_test(globs_agree_with_fnmatch),
	    cmocka_unit_test(no_pattern_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
