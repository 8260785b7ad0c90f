/* clockskew: which clock has jumped, and how far. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "read/ledger/clockskew.h"

#define S   1000000000LL
#define DAY ((int64_t)86400)
#define T0  1795226400LL

static void jumps_are_told_from_time_that_passed(void **state)
{
	static const struct {
		const char *boot;
		int64_t wall_s, mono_s, longest_s; /* passed since */
		const char *source;
		int64_t seconds;
	} cases[] = {
	    {"a", 0, 0, DAY, NULL, 0}, {"a", DAY, DAY, DAY, NULL, 0},
	    {"a", 400 * DAY, 400 * DAY, DAY, NULL, 0}, /* it ran for a year, and bkp did not */
	    {"a", DAY + 600, DAY, DAY, NULL, 0}, {"a", DAY + 601, DAY, DAY, "monotonic", 601},
	    {"a", DAY - 600, DAY, DAY, NULL, 0}, {"a", DAY - 601, DAY, DAY, "monotonic", -601},
	    {"a", 5000 * DAY, 60, DAY, "monotonic", 5000 * DAY - 60}, {"b", 45 * DAY, 5, DAY, NULL, 0},
	    {"b", 45 * DAY + 1, 5, DAY, "journal", 45 * DAY + 1}, {"b", 90 * DAY, 5, 30 * DAY, NULL, 0},
	    {"b", 90 * DAY + 1, 5, 30 * DAY, "journal", 90 * DAY + 1}, {"b", -600, 5, DAY, NULL, 0},
	    {"b", -601, 5, DAY, "journal", -601},
	    {"", 46 * DAY, 5, DAY, "journal", 46 * DAY}, /* it cannot be told whether it was started anew */
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct clock_stamp before = {T0 * S, 777 * S, "a", true},
				   now = {(T0 + cases[i].wall_s) * S, (777 + cases[i].mono_s) * S, "", true};
		struct clockskew j;

		snprintf(now.boot_id, sizeof(now.boot_id), "%s", cases[i].boot);
		clockskew_judge(&before, &now, cases[i].longest_s, &j);
		if (!j.source != !cases[i].source || (j.source && strcmp(j.source, cases[i].source) != 0) ||
		    j.seconds != cases[i].seconds)
			fail_msg("case %zu: %s %jd", i, j.source ? j.source : "none", (intmax_t)j.seconds);
	}
}

/* The ends of what can be said. */
static void extremes_do_not_overflow(void **state)
{
	static const int64_t walls[] = {INT64_MIN, -1, 0, T0 * S, INT64_MAX};
	struct clockskew j;
	(void)state;

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 5; k++)
			for (int boot = 0; boot < 2; boot++) {
				struct clock_stamp before = {walls[i], 0, "a", true},
						   now = {walls[k], INT64_MAX, "a", true};

				now.boot_id[0] += (char)boot;
				clockskew_judge(&before, &now, INT64_MAX / S, &j);
			}
}

static struct clock_stamp at(const char *boot, int64_t day, int64_t up_s)
{
	struct clock_stamp t = {(T0 + day * DAY) * S, up_s * S, "", true};

	snprintf(t.boot_id, sizeof(t.boot_id), "%s", boot);
	return t;
}

/* Records of commands that do not watch hide nothing; the word of a jump is said once. */
static void what_nobody_has_said_is_kept(void **state)
{
	const struct clock_stamp monday = at("a", 0, 100), years = at("a", 2000, 200),
				 more = at("a", 2001, 300), back = at("a", 0, 400), boot = at("b", 60, 3600),
				 hour = at("b", 60, 0), boot2 = at("c", 200, 5);
	struct clockskew_track t = {0};
	(void)state;

	clockskew_follow(&t, &monday, &years, false);
	assert_int_equal(t.slip_s, 2000 * DAY - 100);
	clockskew_follow(&t, &years, &more, false);
	assert_int_equal(t.slip_s, 2000 * DAY - 100); /* the widest */
	clockskew_follow(&t, &more, &back, false);
	assert_int_equal(t.slip_s, 2000 * DAY - 100); /* that it came back is no excuse */
	assert_int_equal(t.slip_before.wall_ns, monday.wall_ns);
	clockskew_follow(&t, &back, &back, true);
	assert_int_equal(t.slip_after.wall_ns, 0);
	/* a long absence is a jump to some policies only, an hour within a boot to all */
	clockskew_follow(&t, &back, &boot, false);
	assert_int_equal(t.slip_s, 60 * DAY);
	clockskew_follow(&t, &boot, &hour, false);
	assert_int_equal(t.slip_s, 3600);
	clockskew_follow(&t, &hour, &boot2, false);
	assert_int_equal(t.slip_s, 3600);
}

/* 2000-01-01 after each start, until the time server answers. */
static void a_computer_without_a_battery(void **state)
{
	const struct clock_stamp evening = at("a", 0, 40000), start = at("b", -9000, 60),
				 start2 = at("c", -9000, 60), right = at("c", 3, 200),
				 later = at("c", 200, 300), early = at("c", -8000, 200);
	struct clockskew_track t = {0};
	struct clockskew k;
	(void)state;

	clockskew_follow(&t, &evening, &start, false);
	assert_int_equal(t.credible.wall_ns, evening.wall_ns);
	clockskew_follow(&t, &start, &start2, false);
	clockskew_judge_from(&t, &start2, &right, DAY, &k);
	assert_null(k.source);
	/* but no further than a computer stays off */
	clockskew_judge_from(&t, &start2, &later, DAY, &k);
	assert_string_equal(k.source, "monotonic");
	clockskew_judge_from(&t, &start2, &early, DAY, &k);
	assert_null(k.source); /* still before what was: nothing is won by it */
	clockskew_follow(&t, &start2, &right, false);
	assert_int_equal(t.slip_after.wall_ns, 0);
	assert_int_equal(t.credible.wall_ns, 0);
	clockskew_judge_from(&t, &right, &later, DAY, &k);
	assert_string_equal(k.source, "monotonic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jumps_are_told_from_time_that_passed),
	    cmocka_unit_test(extremes_do_not_overflow),
	    cmocka_unit_test(what_nobody_has_said_is_kept),
	    cmocka_unit_test(a_computer_without_a_battery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
