/* fill: what is a place for a value and what is an ordinary character; values are not read again. */
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/fill.h"

static const struct fill_value values[] = {{"A", "one"}, {"AB", "@A@"}, {"EMPTY", ""}};

static void gives(const char *text, const char *want)
{
	BUF_AUTO out = BUF_INIT(200);

	assert_int_equal(fill_text(text, strlen(text), values, 3, NULL, &out, NULL), 0);
	assert_int_equal(buf_terminate(&out, NULL), 0);
	assert_string_equal(out.n ? (char *)out.p : "", want);
}

static void places_are_filled_once(void **state)
{
	(void)state;
	gives("", "");
	gives("x@A@y", "xoney");
	gives("@A@@AB@@EMPTY@", "one@A@");
	gives("@A@A@", "oneA@");
	gives("a@b.jp @ @@ @C@ @A", "a@b.jp @ @@ @C@ @A");
	gives("@@A@", "@one");
}

static int in_brackets(const struct fill_value *v, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "[%s]", v->value);
}

static void values_are_escaped_by_the_caller(void **state)
{
	BUF_AUTO out = BUF_INIT(200), small = BUF_INIT(3);

	(void)state;
	assert_int_equal(fill_text("<@A@>", 5, values, 1, in_brackets, &out, NULL), 0);
	assert_int_equal(out.n, 7);
	assert_memory_equal(out.p, "<[one]>", 7);
	assert_int_equal(fill_text("<@A@>", 5, values, 1, in_brackets, &small, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(places_are_filled_once),
	    cmocka_unit_test(values_are_escaped_by_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
