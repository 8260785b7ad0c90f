/* wrap, table: what people read fits a terminal of 80 columns, in Japanese, too. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/show/wrap.h"
#include "base/width.h"

static const char *wrapped(struct buf *b, const char *s, unsigned columns, unsigned at, unsigned indent)
{
	b->n = 0;
	assert_int_equal(wrap_text(s, columns, at, indent, b, NULL), 0);
	assert_int_equal(buf_terminate(b, NULL), 0);
	return (const char *)b->p;
}

static void words_are_not_cut(void **state)
{
	BUF_AUTO b = BUF_INIT(4096);
	(void)state;

	assert_string_equal(wrapped(&b, "one two three", 8, 0, 0), "one two\nthree");
	assert_string_equal(wrapped(&b, "one two three", 7, 0, 2), "one two\n  three");
	assert_string_equal(wrapped(&b, "one two three", 80, 0, 2), "one two three");
	assert_string_equal(
	    wrapped(&b, "see /srv/a/very/long/path now", 8, 0, 1), "see\n /srv/a/very/long/path\n now");
	assert_string_equal(wrapped(&b, "/srv/a/very/long/path", 8, 0, 1), "/srv/a/very/long/path");
	/* what does not fit behind what stands there goes on the next line */
	assert_string_equal(wrapped(&b, "stands there", 12, 10, 2), "\n  stands\n  there");
	assert_string_equal(wrapped(&b, "a\nb  c", 12, 0, 2), "a\n  b  c");
	assert_string_equal(wrapped(&b, "", 12, 0, 2), "");
}

static void japanese_is_cut_between_characters(void **state)
{
	BUF_AUTO b = BUF_INIT(4096);
	(void)state;

	assert_string_equal(wrapped(&b, "媒体を取り外す", 6, 0, 0), "媒体を\n取り外\nす");
	/* not before what closes, nor behind what opens */
	assert_string_equal(wrapped(&b, "媒体です。次", 8, 0, 0), "媒体で\nす。次");
	assert_string_equal(wrapped(&b, "今「媒体」を", 5, 0, 0), "今\n「媒\n体」\nを");
	assert_string_equal(wrapped(&b, "媒体 RDX-01 です", 10, 0, 0), "媒体\nRDX-01 で\nす");
}

static size_t widest_line(char *s)
{
	size_t widest = 0;

	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		if (width_text(line) > widest)
			widest = width_text(line);
		assert_true(line[strlen(line) - 1] != ' ');
	}
	return widest;
}

static void a_wide_table_is_folded(void **state)
{
	static const char *const rows[][4] = {{"DATA SET", "BEGUN", "STATE", "MEDIA"},
	    {"emr", "2026-11-20 02:00", "good",
		"nas, usb, 別棟の棚にある媒体, cabinet, and one that is far away"},
	    {"documents", "2026-11-20 02:00", "", "-"}};
	BUF_AUTO b = BUF_INIT(4096);
	struct table *t = table_new(4);
	(void)state;

	for (size_t i = 0; i < 12; i++)
		table_cell(t, "%s", rows[i / 4][i % 4]);
	assert_int_equal(table_fit(t, 2, 80, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	/* the last cell is broken below itself */
	assert_non_null(strstr((char *)b.p, "  emr        2026-11-20 02:00  good   nas, usb, "));
	assert_true(widest_line((char *)b.p) <= 80);
	b.n = 0;
	assert_int_equal(table_fit(t, 2, 40, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	/* columns that do not fit go on below, all rows alike */
	assert_non_null(strstr((char *)b.p, "  DATA SET   BEGUN             STATE\n      MEDIA\n"));
	assert_non_null(strstr((char *)b.p, "\n  documents  2026-11-20 02:00\n      -\n"));
	assert_true(widest_line((char *)b.p) <= 40);
	b.n = 0;
	assert_int_equal(table_render(t, 0, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	assert_non_null(strstr((char *)b.p, "\ndocuments  2026-11-20 02:00         -\n"));
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_not_cut),
	    cmocka_unit_test(japanese_is_cut_between_characters),
	    cmocka_unit_test(a_wide_table_is_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
