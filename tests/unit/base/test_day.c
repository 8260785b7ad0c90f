/* day: dates as numbers, against the C library's own calendar. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/text.h"

static void every_day_is_what_the_library_says(void **state)
{
	char text[DAY_TEXT], other[DAY_TEXT];
	(void)state;

	for (int32_t d = day_from(1900, 1, 1); d <= day_from(2199, 12, 31); d++) {
		time_t t = (time_t)d * 86400;
		struct tm tm;
		int32_t back = 0;

		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(other, sizeof(other), "%Y-%m-%d", &tm) == 10);
		assert_string_equal(day_format(d, text), other);
		assert_int_equal(day_parse(text, 10, &back), 0);
		assert_int_equal(back, d);
		assert_int_equal(day_split(d).weekday, tm.tm_wday);
	}
	assert_int_equal(day_from(2026, 14, 1), day_from(2027, 2, 1));
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const bad[] = {"2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00",
	    "2026-01-32", "2026-1-1", "26-01-01", "2026/01/01", " 2026-01-0", "2026-01-0x", "+026-01-01",
	    "1899-12-31", "2200-01-01", "２０２６"};
	int32_t day = 77;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!day_parse(bad[i], strlen(bad[i]), &day))
			fail_msg("'%s' is taken for a date", bad[i]);
	assert_int_equal(day_parse("2026-01-01", 9, &day), -1);
	assert_int_equal(day, 77);
	assert_int_equal(day_parse("2028-02-29..x", 13, &day), 0);
}

static void a_day_is_that_on_the_wall(void **state)
{
	(void)state;

	/* 2026-11-21 23:30 UTC is the 22nd in Tokyo */
	assert_int_equal(day_of(INT64_C(1795303800) * SECOND_NS), day_from(2026, 11, 22));
	assert_int_equal(
	    day_of(INT64_C(1795303800) * SECOND_NS - 9 * 3600 * SECOND_NS), day_from(2026, 11, 21));
}

static void paper_has_both_years(void **state)
{
	char text[CLOCK_DATE];
	(void)state;

	text_set_lang(TEXT_JA);
	assert_string_equal(day_format_paper(day_from(2026, 11, 23), text), "令和8年（2026年）11月23日");
	assert_string_equal(day_format_paper(day_from(2019, 5, 1), text), "令和元年（2019年）5月1日");
	assert_string_equal(day_weekday(1), "月");
	text_set_lang(TEXT_EN);
	assert_string_equal(day_format_paper(day_from(2026, 11, 23), text), "2026-11-23");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_day_is_what_the_library_says),
	    cmocka_unit_test(what_is_no_date_is_refused),
	    cmocka_unit_test(a_day_is_that_on_the_wall),
	    cmocka_unit_test(paper_has_both_years),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
