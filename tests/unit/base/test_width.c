/* width, near, table: what lines up on a terminal, and what a slip of the fingers was meant to be. */
#include <locale.h>
#include <wchar.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/show/suggest.h"
#include "base/show/table.h"
#include "base/width.h"

static void texts_have_the_width_a_terminal_gives_them(void **state)
{
	(void)state;
	assert_int_equal(width_text(""), 0);
	assert_int_equal(width_text("emr.dump"), 8);
	assert_int_equal(width_text("電子カルテ"), 10);
	assert_int_equal(width_text("ｶﾙﾃ"), 3);		   /* half-width kana */
	assert_int_equal(width_text("か\xe3\x82\x99"), 2); /* combining dakuten */
	assert_int_equal(width_text("＃１　"), 6);
	assert_int_equal(width_text("\x8a\xb3"), 2); /* not UTF-8: one a byte */
	assert_int_equal(width_text("\xe3\x81"), 2); /* cut short */
	assert_int_equal(width_text("→"), 1);
	assert_int_equal(width_text("𠮷"), 2);
}

/* The C library's own table is the independent witness. */
static void widths_agree_with_the_c_library(void **state)
{
	unsigned differ = 0, compared = 0;
	(void)state;

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (uint32_t cp = 0x20; cp < 0x30000; cp++) {
		int w = wcwidth((wchar_t)cp);

		if (w < 0)
			continue;
		compared++;
		differ += (unsigned)w != width_char(cp);
		if (cp < 0x300 || (cp >= 0x3000 && cp < 0x4dc0) || (cp >= 0x4e00 && cp < 0xa000) ||
		    (cp >= 0xff00 && cp < 0xfff0))
			assert_int_equal(w, width_char(cp));
	}
	setlocale(LC_CTYPE, "C");
	print_message("%u characters compared, %u differ\n", compared, differ);
	assert_true(compared > 100000);
	assert_true(differ < 20); /* Arabic prepended marks */
}

static void nearest_word(void **state)
{
	static const char *const known[] = {
	    "name", "paths", "path", "place", "generations", "rpo", "rto", "at"};
	static const struct {
		const char *word, *near;
	} t[] = {{"genrations", "generations"}, {"gneerations", "generations"},
	    {"Generations", "generations"}, {"plase", "place"}, {"nmae", "name"}, {"rp", "rpo"},
	    {"color", NULL}, {"", NULL}, {"x", NULL}, {"名前", NULL},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}};
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const char *near = suggest_word(t[i].word, known, 8);

		if (t[i].near)
			assert_string_equal(near, t[i].near);
		else
			assert_null(near);
	}
	assert_int_equal(suggest_distance("abcd", "acbd"), 1);
	assert_int_equal(suggest_distance("cross-mounts", "cross_mounts"), 0);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("", "abc"), 3);
	/* what a Japanese keyboard gives */
	assert_int_equal(suggest_distance("ＲＤＸ-０１", "RDX-01"), 0);
	assert_int_equal(suggest_distance("RDX−01", "RDX-01"), 0);  /* minus sign */
	assert_int_equal(suggest_distance("rdxー01", "RDX-01"), 0); /* long vowel */
	assert_int_equal(suggest_distance("事務長", "事務"), 3);
}

static void columns_line_up(void **state)
{
	struct table *t = table_new(3);
	BUF_AUTO out = BUF_INIT(1000);
	struct err err = ERR_INIT;
	(void)state;

	for (int i = 0; i < 2; i++) {
		table_cell(t, "%s", i ? "電子カルテ" : "emr");
		table_cell(t, "%s", i ? "" : "五");
		table_cell(t, "%d", i);
	}
	table_cell(t, "end");
	assert_int_equal(table_render(t, 2, &out, &err), 0);
	assert_int_equal(buf_terminate(&out, &err), 0);
	assert_string_equal((char *)out.p, "  emr         五  0\n"
					   "  電子カルテ      1\n"
					   "  end\n");
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_have_the_width_a_terminal_gives_them),
	    cmocka_unit_test(widths_agree_with_the_c_library),
	    cmocka_unit_test(nearest_word),
	    cmocka_unit_test(columns_line_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
