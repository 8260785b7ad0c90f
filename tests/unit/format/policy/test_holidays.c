/* holidays: what is read of a list, and what is refused with its line (scenario 43b has more of those). */
#include <string.h>

#include "unit.h"
#include "base/day.h"
#include "base/err.h"
#include "format/policy/holidays.h"

static struct holidays *read_list(const char *text)
{
	struct err err = ERR_INIT;
	struct holidays *h = NULL;

	if (holidays_parse("list", text, strlen(text), &h, &err))
		fail_msg("%s", err.msg);
	return h;
}

static void days_have_their_names(void **state)
{
	struct holidays *h =
	    read_list("\xef\xbb\xbf# list\r\n\r\nevery sun\r\nevery  Wednesday 休診 午後も\n"
		      "2026-11-23 勤労感謝の日\n 2026-12-29..2027-01-03\t年末年始  \n2027-01-11");
	(void)state;

	assert_string_equal(holidays_on(h, day_from(2026, 11, 23)), "勤労感謝の日");
	assert_string_equal(holidays_on(h, day_from(2026, 12, 29)), "年末年始");
	assert_string_equal(holidays_on(h, day_from(2027, 1, 3)), "年末年始");
	assert_null(holidays_on(h, day_from(2027, 1, 4)));
	assert_null(holidays_on(h, day_from(2026, 12, 28)));
	assert_string_equal(holidays_on(h, day_from(2027, 1, 11)), "holiday");
	assert_string_equal(holidays_on(h, day_from(2026, 11, 22)), "closed day");
	assert_string_equal(holidays_on(h, day_from(2026, 11, 25)), "休診 午後も");
	assert_null(holidays_listed(h, day_from(2026, 11, 25)));
	assert_int_equal(holidays_known(h), day_from(2027, 1, 11));
	assert_int_equal(holidays_working(h, day_from(2026, 11, 22)), day_from(2026, 11, 24));
	assert_int_equal(holidays_working(h, day_from(2026, 12, 29)), day_from(2027, 1, 4));
	assert_int_equal(holidays_working(h, day_from(2026, 12, 28)), day_from(2026, 12, 28));
	holidays_free(h);
	assert_null(holidays_on(NULL, 0));
	assert_int_equal(holidays_working(NULL, 9), 9);
	assert_int_equal(holidays_known(NULL), INT32_MIN);
}

static void where_every_day_is_closed_nothing_moves(void **state)
{
	struct holidays *h =
	    read_list("every sun\nevery mon\nevery tue\nevery wed\nevery thu\nevery fri\nevery sat\n");
	(void)state;

	assert_int_equal(holidays_working(h, 20000), 20000);
	assert_int_equal(holidays_known(h), INT32_MIN);
	holidays_free(h);
}

static void a_fault_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {{"x", "list:1: "}, {"\n\n2026-02-29 x", "list:3: "}, {"2026-01-01..", "list:1: "},
	    {"every", "list:1: "}, {"every  ", "list:1: "}, {"every x", "list:1: "}, {"every s", "list:1: "},
	    {"every sun\nevery Sunday", "list:2: "}, {"2026-01-01..2027-01-02", "list:1: "},
	    {"2026-01-01x", "list:1: "}, {"2026-01-01\r\r\n", "list:1:11: "}, {"a\0b", "list:1: "},
	    {"2026-01-01 \xe2\x80\xae", "list:1:12: "}};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_INIT;
		struct holidays *h = NULL;

		if (!holidays_parse("list", bad[i].text, strlen(bad[i].text), &h, &err))
			fail_msg("taken: %s", bad[i].text);
		assert_null(h);
		assert_string_equal(err.code, "E-POLICY-47");
		if (strncmp(err.msg, bad[i].says, strlen(bad[i].says)) != 0 || !err.hint[0])
			fail_msg("%s: %s (%s)", bad[i].text, err.msg, err.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_have_their_names),
	    cmocka_unit_test(where_every_day_is_closed_nothing_moves),
	    cmocka_unit_test(a_fault_is_said_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
