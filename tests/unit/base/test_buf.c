/* buf: the ceiling holds, and nothing is written when it would not. */
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"

static void bytes_come_out_as_they_went_in(void **state)
{
	BUF_AUTO b = BUF_INIT(100000);
	struct err err = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t c = (uint8_t)i;

		assert_int_equal(buf_append(&b, &c, 1, &err), 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(b.p[i], (uint8_t)i);
	assert_int_equal(b.n, 1000);
	assert_int_equal(buf_append(&b, NULL, 0, &err), 0);
	assert_int_equal(b.n, 1000);
	assert_string_equal(err.code, "");
}

static void the_ceiling_is_exact(void **state)
{
	BUF_AUTO b = BUF_INIT(10);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_append(&b, "0123456789", 10, &err), 0);
	assert_int_equal(buf_append(&b, "x", 1, &err), -1);
	assert_string_equal(err.code, "E-MEM-02");
	assert_non_null(strstr(err.msg, "more than 10 bytes"));
	assert_int_equal(b.n, 10);
	assert_memory_equal(b.p, "0123456789", 10);
	buf_consume(&b, 4);
	assert_int_equal(buf_append(&b, "abcd", 4, &err), 0);
	assert_int_equal(buf_append(&b, "x", 1, &err), -1);
	assert_memory_equal(b.p, "456789abcd", 10);
}

static void a_length_that_wraps_around_is_refused(void **state)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);

	(void)state;
	assert_int_equal(buf_append(&b, "0123", 4, NULL), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, NULL), -1);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 3, NULL), -1);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2, NULL), -1);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "0123", 4);
}

static void printf_fills_to_the_last_byte_and_says_the_true_ceiling(void **state)
{
	BUF_AUTO b = BUF_INIT(10);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_printf(&b, &err, "%s", "0123456789"), 0);
	assert_int_equal(b.n, 10);
	assert_int_equal(buf_terminate(&b, &err), 0);
	assert_string_equal((char *)b.p, "0123456789");
	assert_int_equal(b.max, 10);
	b.n = 0;
	assert_int_equal(buf_printf(&b, &err, "%s", "0123456789a"), -1);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.max, 10);
	assert_non_null(strstr(err.msg, "more than 10 bytes"));
}

static void nothing_is_nothing(void **state)
{
	BUF_AUTO b = BUF_INIT(0);

	(void)state;
	assert_int_equal(buf_append(&b, "", 0, NULL), 0);
	buf_consume(&b, 0);
	assert_int_equal(buf_puts(&b, "", NULL), 0);
	assert_int_equal(buf_printf(&b, NULL, "%s", ""), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	assert_string_equal((char *)b.p, "");
	assert_int_equal(buf_append(&b, "x", 1, NULL), -1);
}

static void an_empty_buffer_can_be_consumed(void **state)
{
	BUF_AUTO b = BUF_INIT(10);

	(void)state;
	buf_consume(&b, 0); /* p is NULL */
	assert_int_equal(buf_puts(&b, "abc", NULL), 0);
	buf_consume(&b, 3);
	assert_int_equal(b.n, 0);
}

static void freed_it_begins_anew(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_int_equal(buf_puts(&b, "abc", NULL), 0);
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_puts(&b, "0123456789", NULL), 0);
	assert_int_equal(buf_puts(&b, "x", NULL), -1);
	buf_free(&b);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_come_out_as_they_went_in),
	    cmocka_unit_test(the_ceiling_is_exact),
	    cmocka_unit_test(a_length_that_wraps_around_is_refused),
	    cmocka_unit_test(printf_fills_to_the_last_byte_and_says_the_true_ceiling),
	    cmocka_unit_test(nothing_is_nothing),
	    cmocka_unit_test(an_empty_buffer_can_be_consumed),
	    cmocka_unit_test(freed_it_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
