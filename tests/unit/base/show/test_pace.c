/* pace: how far, how fast, how long still. */
#include <string.h>

#include "unit.h"
#include "base/show/pace.h"
#include "base/text.h"
#include "base/width.h"

#define S INT64_C(1000000000)

static char line[PACE_LINE];

static void sizes_have_three_digits_at_most(void **state)
{
	char s[PACE_SIZE];
	(void)state;

	assert_string_equal(pace_size(0, 1000, s), "0 B");
	assert_string_equal(pace_size(999, 1000, s), "999 B");
	assert_string_equal(pace_size(1500, 1000, s), "1.5 kB");
	assert_string_equal(pace_size(9960000, 1000, s), "10 MB");
	assert_string_equal(pace_size(1023, 1024, s), "1023 B");
	assert_string_equal(pace_size(1024, 1024, s), "1.0 KiB");
	assert_string_equal(pace_size(UINT64_MAX, 1024, s), "16 EiB");
	assert_string_equal(pace_size(UINT64_MAX, 1000, s), "18 EB");
}

static void percent_and_time_left_come_of_a_steady_pace(void **state)
{
	struct pace p;
	(void)state;

	pace_begin(&p, "1/3 capture docs", 1000000, 1000, 79, 0);
	assert_null(pace_step(&p, S / 10, 1, 1, NULL, line)); /* not four times a second */
	for (int64_t t = 1; t <= 10; t++)
		assert_ptr_equal(
		    pace_step(&p, t * S, (uint64_t)t * 25000, (uint64_t)t * 25000, NULL, line), line);
	assert_string_equal(line, "\r\033[K1/3 capture docs  250 kB / 1.0 MB  25 %  25 kB/s  0:00:30 left");
	/* never 100 before the end */
	assert_non_null(pace_step(&p, 40 * S, 999999, 999999, NULL, line));
	assert_non_null(strstr(line, "  99 %  "));
	assert_non_null(pace_step(&p, 41 * S, 1000000, 1000000, NULL, line));
	assert_non_null(strstr(line, "  100 %  "));
	assert_null(strstr(line, "left"));
}

/* 900 MB that an interrupted run had stored go by in a second; then 1 MB a second is stored. */
static void what_was_stored_before_is_no_speed(void **state)
{
	struct pace p;
	(void)state;

	pace_begin(&p, "docs", 1900000000, 1000, 79, 0);
	p.fresh_only = p.about = true;
	for (uint64_t t = 1; t <= 160; t++)
		assert_non_null(pace_step(
		    &p, (int64_t)t * S, 900000000 + (t - 1) * 1000000, (t - 1) * 1000000, NULL, line));
	assert_string_equal(line, "\r\033[Kdocs  1.1 GB / about 1.9 GB  55 %  994 kB/s new  0:14:00 left");
}

static void a_total_that_is_not_known_or_was_passed_gives_no_percent(void **state)
{
	struct pace p;
	(void)state;

	pace_begin(&p, "docs", 0, 1024, 79, 0);
	assert_non_null(pace_step(&p, 2 * S, 4096, 2048, NULL, line));
	assert_string_equal(line, "\r\033[Kdocs  4.0 KiB  1.0 KiB/s");
	pace_begin(&p, "docs", 4095, 1024, 79, 0);
	p.about = true;
	assert_non_null(pace_step(&p, 2 * S, 4096, 4096, NULL, line));
	assert_string_equal(line, "\r\033[Kdocs  4.0 KiB  2.0 KiB/s");
}

static void without_a_terminal_there_is_a_line_a_minute(void **state)
{
	struct pace p;
	unsigned lines = 0;
	(void)state;

	pace_begin(&p, "docs", 1800, 1024, 0, 0);
	for (int64_t t = 1; t <= 180; t++)
		lines += pace_step(&p, t * S, (uint64_t)t, (uint64_t)t, NULL, line) != NULL;
	assert_int_equal(lines, 3);
	assert_string_equal(line, "docs  180 B / 1.8 KiB  10 %  1 B/s  0:27:00 left\n");
}

static void it_fits_on_a_terminal(void **state)
{
	const char *const names[] = {
	    "1/3 capture docs", "1/9 取得 とても長い名前の対象データとても長い名前の対象データ"};
	struct pace p;
	(void)state;

	for (unsigned columns = 20; columns < PACE_COLUMNS + 1; columns++)
		for (size_t i = 0; i < 4; i++) {
			text_set_lang(i & 2 ? TEXT_JA : TEXT_EN);
			pace_begin(&p, names[i & 1], UINT64_C(900) << 40, 1024, columns, 0);
			p.about = p.fresh_only = true;
			assert_non_null(pace_step(&p, 1000 * S, UINT64_C(100) << 40, UINT64_C(100) << 40,
			    "患者/とても長い道/とても長い道/とても長い道/\x8a\xb3\n名前", line));
			assert_true(width_text(line + strlen("\r\033[K")) <= columns);
			assert_null(strchr(line, '\n'));
			if (columns == PACE_COLUMNS)
				assert_non_null(strstr(line, i & 2 ? "残り 2:13:20" : "2:13:20 left"));
		}
	text_set_lang(TEXT_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_have_three_digits_at_most),
	    cmocka_unit_test(percent_and_time_left_come_of_a_steady_pace),
	    cmocka_unit_test(what_was_stored_before_is_no_speed),
	    cmocka_unit_test(a_total_that_is_not_known_or_was_passed_gives_no_percent),
	    cmocka_unit_test(without_a_terminal_there_is_a_line_a_minute),
	    cmocka_unit_test(it_fits_on_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
