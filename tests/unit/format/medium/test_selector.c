/* selector: what a person may call a generation, and which one is meant where; python's calendar judges dates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/medium/selector.h"

#define DAY (86400 * SECOND_NS)

static void selectors_that_are_taken(void **state)
{
	static const struct {
		const char *text, *dataset;
		enum selector_kind kind;
		uint64_t number;
	} good[] = {
	    {"42", "", SELECTOR_NUMBER, 42},
	    {"1", "", SELECTOR_NUMBER, 1},
	    {"000042", "", SELECTOR_NUMBER, 42}, /* as the folder is called */
	    {"999999999999999999", "", SELECTOR_NUMBER, 999999999999999999},
	    {"emr@42", "emr", SELECTOR_NUMBER, 42},
	    {"emr@000042", "emr", SELECTOR_NUMBER, 42},
	    {"emr@latest", "emr", SELECTOR_LATEST, 0},
	    {"x-1@latest", "x-1", SELECTOR_LATEST, 0},
	    {"emr@2026-11-20", "emr", SELECTOR_DATE, 20261120},
	    {"emr@2024-02-29", "emr", SELECTOR_DATE, 20240229},
	    {"emr@2000-02-29", "emr", SELECTOR_DATE, 20000229},
	    {"emr@1970-01-01", "emr", SELECTOR_DATE, 19700101},
	    {"emr@9999-12-31", "emr", SELECTOR_DATE, 99991231},
	    {"emr@20261120", "emr", SELECTOR_NUMBER, 20261120},
	    {"emr@3d", "emr", SELECTOR_AGO, 3},
	    {"emr@99999d", "emr", SELECTOR_AGO, 99999},
	    {"abcdefghijklmnopqrstuvwxyz012345@1d", "abcdefghijklmnopqrstuvwxyz012345", SELECTOR_AGO, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct selector s;
		struct err err = ERR_INIT;

		if (selector_parse(good[i].text, &s, &err))
			fail_msg("refused: '%s': %s", good[i].text, err.msg);
		assert_string_equal(s.dataset, good[i].dataset);
		assert_int_equal(s.kind, good[i].kind);
		if (s.kind != SELECTOR_LATEST)
			assert_int_equal(s.number, good[i].number);
	}
}

static void selectors_that_are_refused(void **state)
{
	static const char *const bad[] = {"", "@", "emr", "emr@", "@42", "@latest", "0", "emr@0",
	    "emr@000000", "-1", "+1", "emr@-1", "emr@+1", "1.0", "0x2a", "1000000000000000000",
	    "18446744073709551658", " 42", "42 ", "emr@ 42", "emr @42", "emr@42@43", "emr@emr@42",
	    "emr@Latest", "emr@last", "emr@latestx", "latest@42", "latest@latest", "con@42", "nul@latest",
	    "lpt1@1d", "../x@42", "emr/@42", "EMR@42", "Emr@latest", "4@42", "42@emr", "emr_x@42",
	    "カルテ@42", "abcdefghijklmnopqrstuvwxyz0123456@42", "emr@2026-11-31", "emr@2026-00-01",
	    "emr@2026-13-01", "emr@2026-01-00", "emr@2026-01-32", "emr@2026-02-29", "emr@1900-02-29",
	    "emr@1969-12-31", "emr@2026-1-1", "emr@26-11-20", "emr@2026-11-20T02:00:00Z", "emr@2026/11/20",
	    "emr@2026-11-20 ", "emr@+026-11-20", "emr@d", "emr@0d", "emr@00000d", "emr@100000d", "emr@-3d",
	    "emr@3D", "emr@3d ", "emr@3days", "emr@3h", "emr@3 d", "d", "４２", "emr@\xff"};
	static const char *const nobodys[] = {"latest", "2026-11-20", "3d"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct selector s = {.number = 4711};
		struct err err = ERR_INIT;

		if (!selector_parse(bad[i], &s, &err))
			fail_msg("accepted: '%s'", bad[i]);
		assert_string_equal(err.code, "E-SELECT-01");
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.hint, "@2026-11-20"));
		assert_int_equal(s.number, 4711);
	}
	for (size_t i = 0; i < sizeof(nobodys) / sizeof(*nobodys); i++) {
		struct selector s;
		struct err err = ERR_INIT;

		if (!selector_parse(nobodys[i], &s, &err))
			fail_msg("accepted: '%s'", nobodys[i]);
		assert_string_equal(err.code, "E-SELECT-02");
		assert_non_null(strstr(err.hint, nobodys[i]));
	}
}

static struct selector of(const char *what)
{
	struct selector s;

	assert_int_equal(selector_parse(what, &s, NULL), 0);
	return s;
}

/* The same calendar as python's, in any zone; the host's own does not matter. */
static void dates_are_those_where_it_was_captured(void **state)
{
	static const int64_t times[] = {0, 1, 86399, 951782399, 951782400, 1795226400, 1795229999, 1795190399,
	    1795190400, 4102444799, 9223372035};
	static const int32_t offsets[] = {0, 32400, -12600, 50400, -43200, 86399, -86399};
	BUF_AUTO days = BUF_INIT(1 << 16);
	char what[64];
	size_t at = 0;

	(void)state;
	put_file("days.py", "", 0);
	for (size_t z = 0; z < 2; z++) {
		assert_int_equal(setenv("TZ", z ? "America/Los_Angeles" : "Asia/Tokyo", 1), 0);
		tzset();
		for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
			for (size_t k = 0; k < sizeof(offsets) / sizeof(*offsets); k++) {
				uint64_t day = 0;

				if (!z) { /* asked once */
					assert_int_equal(
					    sh("python3 -c 'import datetime as d; t=d.datetime(1970,1,1)+d."
					       "timedelta(seconds=%jd); print(t.strftime(\"%%Y%%m%%d\"))' "
					       ">>days",
						(intmax_t)times[i] + offsets[k]),
					    0);
					continue;
				}
				if (!days.n)
					get_file("days", &days);
				day = strtoull((char *)days.p + at, NULL, 10);
				at += 9;
				for (int d = -1; d <= 1; d++) {
					struct selector s = {
					    .kind = SELECTOR_DATE, .number = day + (uint64_t)d};
					bool fits = selector_fits(
					    &s, 1, times[i] * SECOND_NS + 999999999, offsets[k], 0);

					if (day >= 19700101 && fits != (d >= 0))
						fail_msg("%jd %d: %ju", (intmax_t)times[i], offsets[k],
						    (uintmax_t)day);
				}
			}
	}
	/* a night in Japan, on a rescue PC anywhere: 2026-11-21 01:30 +0900 is the 20th in London */
	snprintf(what, sizeof(what), "emr@2026-11-20");
	struct selector s = of(what);
	assert_false(selector_fits(&s, 1, INT64_C(1795192200) * SECOND_NS, 32400, 0));
	assert_true(selector_fits(&s, 1, INT64_C(1795192200) * SECOND_NS, 0, 0));
	assert_true(
	    selector_fits(&s, 1, INT64_C(1795186799) * SECOND_NS, 32400, 0)); /* 23:59:59 of the 20th */
	/* before 1970 is before every day, not after */
	assert_true(selector_fits(&s, 1, -1, 0, 0));
	assert_true(selector_fits(&s, 1, INT64_MIN, -86399, 0));
	unsetenv("TZ");
	tzset();
}

static void the_others_fit(void **state)
{
	const int64_t now = INT64_C(1795226400) * SECOND_NS;
	struct selector s = of("emr@42");

	(void)state;
	assert_true(selector_fits(&s, 42, 0, 0, now));
	assert_false(selector_fits(&s, 41, 0, 0, now));
	s = of("42");
	assert_true(selector_fits(&s, 42, 0, 0, now));
	s = of("emr@latest");
	assert_true(selector_fits(&s, 1, now + DAY, 0, now));
	s = of("emr@3d");
	assert_true(selector_fits(&s, 1, now - 3 * DAY, 32400, now));
	assert_false(selector_fits(&s, 1, now - 3 * DAY + 1, 32400, now));
	assert_false(selector_fits(&s, 1, now + DAY, 32400, now));
	s = of("emr@99999d");
	assert_false(selector_fits(&s, 1, 0, 0, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(selectors_that_are_taken),
	    cmocka_unit_test(selectors_that_are_refused),
	    cmocka_unit_test(dates_are_those_where_it_was_captured),
	    cmocka_unit_test(the_others_fit),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
