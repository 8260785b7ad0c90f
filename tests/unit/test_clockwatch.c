/* clockwatch: which clock has jumped, and how far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "write/clockwatch.h"

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
		struct clockwatch_jump j;

		snprintf(now.boot_id, sizeof(now.boot_id), "%s", cases[i].boot);
		clockwatch_judge(&before, &now, cases[i].longest_s, &j);
		if (!j.source != !cases[i].source || (j.source && strcmp(j.source, cases[i].source) != 0) ||
		    j.seconds != cases[i].seconds)
			fail_msg("case %zu: %s %jd", i, j.source ? j.source : "none", (intmax_t)j.seconds);
	}
}

/* The ends of what can be said. */
static void extremes_do_not_overflow(void **state)
{
	static const int64_t walls[] = {INT64_MIN, -1, 0, T0 * S, INT64_MAX};
	struct clockwatch_jump j;
	(void)state;

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 5; k++)
			for (int boot = 0; boot < 2; boot++) {
				struct clock_stamp before = {walls[i], 0, "a", true},
						   now = {walls[k], INT64_MAX, "a", true};

				now.boot_id[0] += (char)boot;
				clockwatch_judge(&before, &now, INT64_MAX / S, &j);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jumps_are_told_from_time_that_passed),
	    cmocka_unit_test(extremes_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
