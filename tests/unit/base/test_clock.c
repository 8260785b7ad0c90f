/* clock: times as text, compared with date(1); times that no clock of ours can hold are refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include "base/clock.h"
#include "base/text.h"
#include "scratch.h"

#define NS 1000000000LL

static int64_t parse(const char *s)
{
	int64_t ns = 4711;

	return clock_parse(s, &ns) ? -4711 : ns;
}

static void refused(const char *s)
{
	int64_t ns = 4711;

	if (!clock_parse(s, &ns))
		fail_msg("accepted: %s", s);
	assert_int_equal(ns, 4711);
}

static void known_times(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_format(0, out), "1970-01-01T00:00:00Z");
	assert_int_equal(parse("1970-01-01T00:00:00Z"), 0);
	assert_string_equal(clock_format(1795226400 * NS, out), "2026-11-21T02:00:00Z");
	assert_int_equal(parse("2026-11-21T02:00:00Z"), 1795226400 * NS);
	assert_string_equal(clock_format(1795226400 * NS + 999999999, out), "2026-11-21T02:00:00Z");
	assert_int_equal(parse("2028-02-29T23:59:59Z"), 1835481599 * NS);
	assert_int_equal(parse("2000-02-29T00:00:00Z"), 951782400 * NS);
	assert_int_equal(parse("2106-02-07T06:28:16Z"), 4294967296 * NS);
}

/* A second before 1970 has begun is the second before, not 1970. */
static void times_before_1970_are_rounded_down(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_format(-1, out), "1969-12-31T23:59:59Z");
	assert_string_equal(clock_format(-NS, out), "1969-12-31T23:59:59Z");
	assert_string_equal(clock_format(-NS - 1, out), "1969-12-31T23:59:58Z");
	assert_int_equal(parse("1969-12-31T23:59:59Z"), -NS);
	assert_int_equal(parse("1901-12-13T20:45:52Z"), -2147483648LL * NS);
}

static void text_and_back_over_all_years(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	for (int64_t t = -9223372036; t <= 9223372036; t += 86400 * 11 + 3607) {
		assert_int_equal(parse(clock_format(t * NS, out)), t * NS);
		assert_int_equal(strlen(out), 20);
	}
}

static void as_date_says(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	char out[CLOCK_TEXT], *line, *rest;
	int64_t t = 1;

	(void)state;
	assert_int_equal(sh("for i in 1 2 3 4 5 6 7 8 9; do echo @$((i * i * 91234567)); done | "
			    "date -u -f - +%%Y-%%m-%%dT%%H:%%M:%%SZ >dates"),
	    0);
	get_file("dates", &b);
	for (line = strtok_r((char *)b.p, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), t++) {
		assert_string_equal(clock_format(t * t * 91234567 * NS, out), line);
		assert_int_equal(parse(line), t * t * 91234567 * NS);
	}
	assert_int_equal(t, 10);
}

static void anything_else_is_no_time(void **state)
{
	static const char *const bad[] = {"", "Z", "2026-11-21", "2026-11-21T02:00:00",
	    "2026-11-21T02:00:00z", "2026-11-21 02:00:00Z", "2026-11-21T02:00:00+", "2026-11-21T02:00:0Z",
	    "2026-11-21T02:00:00ZZ", " 026-11-21T02:00:00Z", "2026- 1-21T02:00:00Z", "2026-11- 1T02:00:00Z",
	    "2026-11-21T 2:00:00Z", "+026-11-21T02:00:00Z", "-026-11-21T02:00:00Z", "2026-13-21T02:00:00Z",
	    "2026-00-21T02:00:00Z", "2026-02-29T02:00:00Z", "2026-11-31T02:00:00Z", "2026-11-00T02:00:00Z",
	    "2026-11-21T24:00:00Z", "2026-11-21T02:60:00Z", "2026-11-21T02:00:60Z", "2026-11-21T02:00:61Z",
	    "2026-1-021T02:00:00Z", "2026-11-21T02:00:00Z ", "２026-11-21T02:00:Z", "2026-11-21T02:00:00.5Z",
	    "20261-11-1T02:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(bad[i]);
}

/* They can stand in a hostile manifest: 64 bits of nanoseconds end in 1677 and 2262. */
static void years_that_nanoseconds_cannot_hold_are_refused(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	refused("9999-12-31T23:59:59Z");
	refused("2262-04-11T23:47:17Z");
	refused("2263-01-01T00:00:00Z");
	refused("1677-09-21T00:12:42Z");
	refused("1000-01-01T00:00:00Z");
	refused("0001-01-01T00:00:00Z");
	refused("0000-01-01T00:00:00Z");
	assert_int_equal(parse("2262-04-11T23:47:16Z"), 9223372036 * NS);
	assert_int_equal(parse("1677-09-21T00:12:44Z"), -9223372036 * NS);
	assert_string_equal(clock_format(INT64_MAX, out), "2262-04-11T23:47:16Z");
	assert_string_equal(clock_format(INT64_MIN, out), "1677-09-21T00:12:43Z");
	assert_string_equal(clock_format(INT64_MIN + 1, out), "1677-09-21T00:12:43Z");
	clock_format_local(INT64_MIN, out);
}

static void local_time_is_the_persons(void **state)
{
	char out[CLOCK_TEXT];

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_string_equal(clock_format_local(1795226400 * NS, out), "2026-11-21 11:00");
	assert_string_equal(clock_format(1795226400 * NS, out), "2026-11-21T02:00:00Z");
	assert_int_equal(parse("2026-11-21T02:00:00Z"), 1795226400 * NS);
	setenv("TZ", "America/New_York", 1);
	tzset();
	assert_string_equal(clock_format_local(1795226400 * NS, out), "2026-11-20 21:00");
	assert_int_equal(parse("2026-07-01T02:00:00Z"), 1782871200 * NS);
	unsetenv("TZ");
	tzset();
}

/* The eras change on their days, in the person's own time. */
static void dates_for_paper(void **state)
{
	static const struct {
		int64_t s;
		const char *ja, *en;
	} known[] = {
	    {1795226400, "令和8年（2026年）11月21日 11:00", "2026-11-21 11:00"},
	    {1556636400, "令和元年（2019年）5月1日 00:00", "2019-05-01 00:00"},
	    {1556636399, "平成31年（2019年）4月30日 23:59", "2019-04-30 23:59"},
	    {600188400, "平成元年（1989年）1月8日 00:00", "1989-01-08 00:00"},
	    {600188399, "1989年1月7日 23:59", "1989-01-07 23:59"},
	    {1577804400, "令和2年（2020年）1月1日 00:00", "2020-01-01 00:00"},
	    {0, "1970年1月1日 09:00", "1970-01-01 09:00"},
	};
	char out[CLOCK_DATE];

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		text_set_lang(TEXT_JA);
		assert_string_equal(clock_format_date(known[i].s * NS, out), known[i].ja);
		text_set_lang(TEXT_EN);
		assert_string_equal(clock_format_date(known[i].s * NS, out), known[i].en);
	}
	text_set_lang(TEXT_JA);
	clock_format_date(INT64_MIN, out);
	clock_format_date(INT64_MAX, out);
	text_set_lang(TEXT_EN);
	unsetenv("TZ");
	tzset();
}

static void now_is_now(void **state)
{
	struct clock_stamp a, b;
	BUF_AUTO id = BUF_INIT(1000);

	(void)state;
	clock_now(&a);
	usleep(2000);
	clock_now(&b);
	assert_true(llabs(a.wall_ns / NS - (int64_t)time(NULL)) <= 2);
	assert_true(b.mono_ns - a.mono_ns >= 2000000);
	assert_true(b.mono_ns - a.mono_ns < 10 * NS);
	assert_string_equal(a.boot_id, b.boot_id);
	assert_int_equal(sh("cat /proc/sys/kernel/random/boot_id >id"), 0);
	get_file("id", &id);
	id.p[strcspn((char *)id.p, "\n")] = '\0';
	assert_string_equal(a.boot_id, (char *)id.p);
	assert_int_equal(strlen(a.boot_id), 36);
}

static void spans(void **state)
{
	char out[CLOCK_SPAN];
	(void)state;

	text_set_lang(TEXT_EN);
	assert_string_equal(clock_format_span(0, out), "0.0 s");
	assert_string_equal(clock_format_span(-5, out), "0.0 s"); /* a clock that went back */
	assert_string_equal(clock_format_span((double)NAN, out), "0.0 s");
	assert_string_equal(clock_format_span(9.94, out), "9.9 s");
	assert_string_equal(clock_format_span(59.99, out), "59 s");
	assert_string_equal(clock_format_span(3599, out), "59 min 59 s");
	assert_string_equal(clock_format_span(360000, out), "100 h 0 min");
	clock_format_span(1e300, out);
}

static void days_are_days(void **state)
{
	static const char *const wrong[] = {"", "2026-02-30", "2026-13-01", "2026-1-1", "2026-11-21x",
	    "26-11-21", "1960-01-01", "9999-01-01"};
	char text[CLOCK_DATE];
	int64_t ns = 7;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_true(clock_parse_day(wrong[i], &ns) && ns == 7);
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_int_equal(clock_parse_day("2028-02-29", &ns), 0);
	assert_string_equal(clock_format(ns, text), "2028-02-29T03:00:00Z");
	text_set_lang(TEXT_JA);
	assert_string_equal(clock_format_day(ns, text), "令和10年（2028年）2月29日");
	text_set_lang(TEXT_EN);
	assert_string_equal(clock_format_day(ns, text), "2028-02-29");
	unsetenv("TZ");
	tzset();
}

/* In seconds since 1970; -4711: refused. */
static int64_t moment(const char *s)
{
	int64_t ns = 0;

	return clock_parse_moment(s, &ns) ? -4711 : ns / SECOND_NS;
}

static void moments_as_people_write_them(void **state)
{
	static const char *const none[] = {"", "2026", "2026-11-31", "2026-13-01", "2026-1-2", "2026-11-20 ",
	    "2026-11-20  9:00", "2026-11-20 24:00", "2026-11-20 09:60", "2026-11-20T09:00",
	    "2026-11-20T09:00:00", "2026-11-20T09:00:60Z", "2026-11-20T09:00:00+9:00",
	    "2026-11-20T09:00:00+24:00", "2026-11-20T09:00:00z", "2026-11-20 09:00:00", "20261120", "now",
	    "2026-02-29", "9999-01-01", "2026-11-20T09:00:00+09:00 "};
	(void)state;

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	/* date -d … +%s */
	assert_int_equal(moment("2026-11-20"), 1795186799);
	assert_int_equal(moment("2026-11-20 14:00"), 1795150800);
	assert_int_equal(moment("2026-11-20T14:00:00+09:00"), 1795150800);
	assert_int_equal(moment("2026-11-20T05:00:00Z"), 1795150800);
	assert_int_equal(moment("2026-11-19T21:30:00-07:30"), 1795150800);
	assert_int_equal(moment("2024-02-29"), 1709218799);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (moment(none[i]) != -4711)
			fail_msg("'%s' was taken", none[i]);
	/* a day of 25 hours, and a time that does not come */
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(moment("2026-10-25") - moment("2026-10-24"), 25 * 3600);
	assert_true(moment("2026-03-29 02:30") != -4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spans),
	    cmocka_unit_test(known_times),
	    cmocka_unit_test(times_before_1970_are_rounded_down),
	    cmocka_unit_test(text_and_back_over_all_years),
	    cmocka_unit_test(as_date_says),
	    cmocka_unit_test(anything_else_is_no_time),
	    cmocka_unit_test(years_that_nanoseconds_cannot_hold_are_refused),
	    cmocka_unit_test(local_time_is_the_persons),
	    cmocka_unit_test(dates_for_paper),
	    cmocka_unit_test(days_are_days),
	    cmocka_unit_test(moments_as_people_write_them),
	    cmocka_unit_test(now_is_now),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
