/* plan: which paths and globs select which entries. */
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "restore/extract/plan.h"

static void globs(void **state)
{
	static const struct {
		const char *glob, *name;
		bool want;
	} t[] = {
	    {"*.pdf", "a.pdf", true},
	    {"*.pdf", "a/b.pdf", false},
	    {"**.pdf", "a/b.pdf", true},
	    {"a/**", "a/b/c", true},
	    {"a/**/z", "a/z", true},
	    {"a/**/z", "a/b/c/z", true},
	    {"a/**/z", "a/bz", false},
	    {"**/z", "z", true},
	    {"**/z", "a/z", true},
	    {"**/z", "az", false},
	    {"**/a*/b", "x/ab/c/ab/b", true},
	    {"?", "\xe6\x82\xa3", true},   /* 患 */
	    {"??", "\xe6\x82\xa3", false}, /* one character, not three */
	    {"??", "\x8a\xb3", true},	   /* the same in CP932: bytes */
	    {"a?c", "a/c", false},
	    {"[a-c]x", "bx", true},
	    {"[!a-c]x", "bx", false},
	    {"[]]", "]", true},
	    {"[a", "[a", true}, /* not closed: itself */
	    {"[a/]b", "/b", false},
	    {"\\*", "*", true},
	    {"\\*", "x", false},
	    {"a*b*c", "a-b-b-c", true},
	    {"a*b/c", "abxb/c", true},
	    {"", "", true},
	    {"*", "", true},
	    {"**", "a/b", true},
	    {"x**y**z", "x1y2z3z", true},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		if (plan_glob(t[i].glob, t[i].name) != t[i].want)
			fail_msg(
			    "'%s' on '%s' should %smatch", t[i].glob, t[i].name, t[i].want ? "" : "not ");
}

static void a_hostile_glob_does_not_hang(void **state)
{
	char glob[2001], name[4001];
	(void)state;

	for (size_t i = 0; i < 2000; i++)
		glob[i] = i % 2 ? 'a' : '*';
	glob[2000] = '\0';
	memset(name, 'a', 4000);
	name[3999] = 'b';
	name[4000] = '\0';
	assert_false(plan_glob(glob, name));
	for (size_t i = 0; i + 4 <= 2000; i += 4)
		memcpy(glob + i, "**/a", 4);
	for (size_t i = 0; i < 4000; i += 2)
		name[i] = '/';
	assert_false(plan_glob(glob, name));
}

static void nothing_given_selects_everything(void **state)
{
	struct err err = ERR_INIT;
	struct plan *p;
	(void)state;

	assert_int_equal(plan_new(NULL, 0, &p, &err), 0);
	assert_true(plan_match(p, "a"));
	assert_null(plan_first(p));
	assert_false(plan_beyond(p, "\xff"));
	plan_free(p);
}

static void a_path_selects_itself_and_what_is_below(void **state)
{
	char *given[] = {"/srv/a[1]/", "srv/b*c", "x/y"};
	struct err err = ERR_INIT;
	struct plan *p;
	size_t i = 0;
	(void)state;

	assert_int_equal(plan_new(given, 3, &p, &err), 0);
	assert_true(plan_select(p, "srv/a[1]"));
	assert_true(plan_match(p, "srv/a[1]/deep/file"));
	assert_true(plan_match(p, "srv/a1"));
	assert_false(plan_match(p, "srv"));
	assert_false(plan_match(p, "srv/a[1]x"));
	assert_true(plan_select(p, "srv/b-c/below"));
	assert_string_equal(plan_unmatched(p, &i), "x/y");
	assert_null(plan_unmatched(p, &i));
	assert_string_equal(plan_first(p), "srv");
	assert_false(plan_beyond(p, "x/y"));
	assert_false(plan_beyond(p, "x/y/z"));
	assert_true(plan_beyond(p, "x/y0"));
	plan_free(p);
}

static void a_glob_without_a_slash_is_about_names(void **state)
{
	char *given[] = {"*.dcm"};
	struct err err = ERR_INIT;
	struct plan *p;
	(void)state;

	assert_int_equal(plan_new(given, 1, &p, &err), 0);
	assert_true(plan_match(p, "a/b/c.dcm"));
	assert_true(plan_match(p, "c.dcm/inside"));
	assert_false(plan_match(p, "a/dcm"));
	plan_free(p);
	given[0] = "/*.dcm"; /* from the top */
	assert_int_equal(plan_new(given, 1, &p, &err), 0);
	assert_false(plan_match(p, "a/c.dcm"));
	assert_true(plan_match(p, "c.dcm"));
	plan_free(p);
}

static void what_lies_between_is_passed_over(void **state)
{
	char *given[] = {"/d/x", "b/c", "f/g*/h"};
	struct plan *p = NULL;
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(plan_new(given, 3, &p, &err), 0);
	assert_string_equal(plan_next(p, "a"), "b/c");
	assert_string_equal(plan_next(p, "b"), "b/c");
	assert_null(plan_next(p, "b/c"));
	assert_null(plan_next(p, "b/c/d/e"));
	assert_string_equal(plan_next(p, "b/c."), "d/x"); /* not below b/c */
	assert_string_equal(plan_next(p, "d/x.y"), "f");
	assert_null(plan_next(p, "f/a")); /* below the glob's prefix anything may match */
	assert_null(plan_next(p, "g"));	  /* nothing behind */
	plan_free(p);
	given[0] = "*.dcm";
	assert_int_equal(plan_new(given, 3, &p, &err), 0);
	assert_null(plan_next(p, "a"));
	plan_free(p);
	assert_int_equal(plan_new(NULL, 0, &p, &err), 0);
	assert_null(plan_next(p, "a"));
	plan_free(p);
}

static void what_is_excluded_is_not_selected_whatever_selects_it(void **state)
{
	char *given[] = {"srv", "var/log"};
	const char *excluded[] = {"*.tmp", "/srv/old/"}, *bad[] = {"*.tmp", "a//b"};
	struct err err = ERR_INIT;
	struct plan *p;
	size_t i = 0;
	(void)state;

	assert_int_equal(plan_new(given, 2, &p, &err), 0);
	assert_int_equal(plan_exclude(p, excluded, 2, &err), 0);
	assert_true(plan_select(p, "srv/a"));
	assert_false(plan_match(p, "srv/a/b.tmp"));
	assert_false(plan_match(p, "srv/b.tmp/inside"));
	assert_false(plan_match(p, "srv/old"));
	assert_false(plan_match(p, "srv/old/x"));
	assert_true(plan_match(p, "srv/older"));
	/* it was asked for and is there: nobody is told that nothing is called so */
	assert_false(plan_select(p, "var/log/x.tmp"));
	assert_null(plan_unmatched(p, &i));
	plan_free(p);
	assert_int_equal(plan_new(NULL, 0, &p, &err), 0);
	assert_int_equal(plan_exclude(p, bad, 2, &err), -1);
	assert_string_equal(err.code, "E-PLAN-01");
	plan_free(p);
}

static void impossible_patterns_are_refused(void **state)
{
	char *bad[] = {"", "..", "a/../b", "a//b", "./a"};
	struct err err = ERR_INIT;
	struct plan *p;
	(void)state;

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(plan_new(&bad[i], 1, &p, &err), -1);
		assert_string_equal(err.code, "E-PLAN-01");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(globs),
	    cmocka_unit_test(a_hostile_glob_does_not_hang),
	    cmocka_unit_test(nothing_given_selects_everything),
	    cmocka_unit_test(a_path_selects_itself_and_what_is_below),
	    cmocka_unit_test(a_glob_without_a_slash_is_about_names),
	    cmocka_unit_test(what_lies_between_is_passed_over),
	    cmocka_unit_test(what_is_excluded_is_not_selected_whatever_selects_it),
	    cmocka_unit_test(impossible_patterns_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
