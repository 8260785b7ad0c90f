/* expect: each expectation at its border, the first that fails is told, and what does not apply does not. */
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "write/expect/expect.h"

#define DAY INT64_C(86400)
#define NOW (INT64_C(20000) * DAY * 1000000000)

static const struct expect_former none = {0, 0, 0};

static void is(const struct policy_dataset *d, uint64_t bytes, uint64_t entries, int64_t newest_ns,
    const struct expect_former *former, const char *code)
{
	struct expect_figures f = {bytes, entries, newest_ns};
	struct err err = ERR_INIT;
	int r = expect_judge(d, &f, former, NOW, &err);

	if (strcmp(err.code, code) != 0)
		fail_msg("'%s' %s instead of '%s'", err.code, err.msg, code);
	assert_int_equal(r, *code ? -1 : 0);
	assert_true(!*code || strstr(err.hint, "bkp accept"));
}

static void nothing_is_expected(void **state)
{
	struct policy_dataset d = {.shrink_alarm_pct = 0};
	struct expect_former much = {7, UINT64_MAX, UINT64_MAX};

	(void)state;
	is(&d, 0, 0, EXPECT_NO_FILE, &much, "");
}

static void sizes_and_numbers(void **state)
{
	struct policy_dataset d = {.min_bytes = 1000, .min_entries = 10};
	char line[] = "pg_dump";

	(void)state;
	is(&d, 1000, 10, NOW, &none, "");
	is(&d, 999, 10, NOW, &none, "W-EXPECT-02");
	is(&d, 1000, 9, NOW, &none, "W-EXPECT-03");
	d.command = line; /* one file has no number */
	is(&d, 1000, 1, NOW, &none, "");
	d.format = POLICY_TAR;
	is(&d, 1000, 9, NOW, &none, "W-EXPECT-03");
}

static void what_shrank(void **state)
{
	struct policy_dataset d = {.shrink_alarm_pct = 30};
	struct expect_former former = {7, 1000, 100}, empty = {7, 0, 0}, huge = {7, UINT64_MAX, 100};

	(void)state;
	is(&d, 700, 70, NOW, &former, "");
	is(&d, 699, 100, NOW, &former, "W-EXPECT-04");
	is(&d, 1000, 69, NOW, &former, "W-EXPECT-04");
	is(&d, 5000, 500, NOW, &former, "");
	is(&d, 0, 0, NOW, &none, ""); /* nothing to compare with */
	is(&d, 0, 0, NOW, &empty, "");
	is(&d, UINT64_MAX / 2, 100, NOW, &huge, "W-EXPECT-04");
	is(&d, UINT64_MAX, 100, NOW, &huge, "");
	d.shrink_alarm_pct = 99;
	is(&d, 10, 1, NOW, &former, "");
	is(&d, 9, 1, NOW, &former, "W-EXPECT-04");
}

static void what_has_stopped(void **state)
{
	struct policy_dataset d = {.max_age_s = 2 * DAY};
	char line[] = "pg_dump";

	(void)state;
	is(&d, 1, 1, NOW - 2 * DAY * 1000000000, &none, "");
	is(&d, 1, 1, NOW - (2 * DAY + 1) * 1000000000, &none, "W-EXPECT-05");
	is(&d, 1, 1, NOW + DAY * 1000000000, &none, "");
	is(&d, 1, 1, EXPECT_NO_FILE, &none, "W-EXPECT-05");
	is(&d, 1, 1, INT64_MIN + 1, &none, "W-EXPECT-05");
	is(&d, 1, 1, INT64_MAX, &none, "");
	d.max_age_s = INT64_C(100) * 365 * DAY; /* longer than there were computers */
	is(&d, 1, 1, 0, &none, "");
	d.command = line; /* its one file is always of now */
	is(&d, 1, 1, EXPECT_NO_FILE, &none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_expected),
	    cmocka_unit_test(sizes_and_numbers),
	    cmocka_unit_test(what_shrank),
	    cmocka_unit_test(what_has_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
