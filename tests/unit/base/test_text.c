/* text: Japanese and English, compared with what gettext itself makes of ja.po. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "base/text.h"
#include "scratch.h"

static void english_until_told_otherwise(void **state)
{
	(void)state;
	assert_int_equal(text_lang(), TEXT_EN);
	assert_string_equal(text("out of memory"), "out of memory");
}

static void the_last_choice_counts(void **state)
{
	(void)state;
	text_set_lang(TEXT_JA);
	assert_string_equal(text("out of memory"), "メモリが足りません");
	text_set_lang(TEXT_EN);
	assert_string_equal(text("out of memory"), "out of memory");
	text_set_lang(TEXT_JA);
	assert_int_equal(text_lang(), TEXT_JA);
	text_set_lang(TEXT_EN);
}

/* Also not the header of the .mo file, whose msgid is empty. */
static void what_is_not_translated_stays_english(void **state)
{
	(void)state;
	text_set_lang(TEXT_JA);
	assert_string_equal(text("nobody ever translated this"), "nobody ever translated this");
	assert_string_equal(text(""), "");
	assert_string_equal(text("out of memor"), "out of memor");
	assert_string_equal(text("out of memory "), "out of memory ");
	assert_string_equal(text("\x01"), "\x01");
	assert_string_equal(text("~~~~~~\xff"), "~~~~~~\xff");
	text_set_lang(TEXT_EN);
}

static void languages_by_name(void **state)
{
	enum text_lang lang = TEXT_JA;
	static const char *const bad[] = {"", "JA", "jp", "ja ", "japanese", "en_US", "e", "english"};

	(void)state;
	assert_int_equal(text_parse_lang("en", &lang), 0);
	assert_int_equal(lang, TEXT_EN);
	assert_int_equal(text_parse_lang("ja", &lang), 0);
	assert_int_equal(lang, TEXT_JA);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(text_parse_lang(bad[i], &lang), -1);
		assert_int_equal(lang, TEXT_JA);
	}
}

/* Every message of ja.po, as Python's gettext reads it; NUL between and behind. */
static void every_translation_is_found(void **state)
{
	BUF_AUTO b = BUF_INIT((size_t)16 << 20);
	const char *p;
	int n = 0;

	(void)state;
	assert_int_equal(sh("msgfmt -o ja.mo %s/../bkp/po/ja.po && python3 -c \"import gettext,sys\n"
			    "t=gettext.GNUTranslations(open('ja.mo','rb'))\n"
			    "for k,v in t._catalog.items():\n"
			    "  if k: sys.stdout.buffer.write((k+chr(0)+v+chr(0)).encode())\" >pairs",
			     TEST_DATA),
	    0);
	get_file("pairs", &b);
	text_set_lang(TEXT_JA);
	for (p = (char *)b.p; p < (char *)b.p + b.n; n++) {
		const char *ja = p + strlen(p) + 1;

		assert_string_equal(text(p), ja);
		p = ja + strlen(ja) + 1;
	}
	text_set_lang(TEXT_EN);
	assert_true(n > 0);
}

/* A translation with other conversions than its original would read other arguments than it was given. */
static void translations_take_the_same_arguments(void **state)
{
	(void)state;
	assert_int_equal(sh("python3 - <<'EOF'\n"
			    "import gettext,re,sys\n"
			    "t=gettext.GNUTranslations(open('ja.mo','rb'))\n"
			    "spec=re.compile(r'%%(?:(\\d+)\\$)?[-+ "
			    "#0]*(?:\\d+|\\*)?(?:\\.(?:\\d+|\\*))?((?:hh|h|ll|l|z|j|t)?[a-zA-Z%%])')\n"
			    "def args(s):\n"
			    "  out,i={},0\n"
			    "  for m in spec.finditer(s):\n"
			    "    if m.group(2)=='%%': continue\n"
			    "    i+=1\n"
			    "    out[int(m.group(1) or i)]=m.group(2)\n"
			    "  return out\n"
			    "bad=[k for k,v in t._catalog.items() if k and args(k)!=args(v)]\n"
			    "print(*bad,sep='\\n') if bad else None\n"
			    "sys.exit(bool(bad))\n"
			    "EOF"),
	    0);
}

/* A message that is cut must not end in half a character: JSON and terminals refuse it. */
static void messages_are_cut_between_characters(void **state)
{
	struct err err = ERR_INIT;
	char long_text[3000];

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		size_t n = (size_t)shift;

		memset(long_text, 'x', n);
		while (n + 4 < sizeof(long_text)) {
			memcpy(long_text + n, "診", 3);
			n += 3;
		}
		long_text[n] = '\0';
		err_set(&err, "E-TEST-01", "%s", long_text);
		put_file("msg", err.msg, strlen(err.msg));
		assert_int_equal(sh("iconv -f UTF-8 -t UTF-8 msg >/dev/null 2>&1"), 0);
		assert_true(strlen(err.msg) >= sizeof(err.msg) - 4);
		err_wrap(&err, "%s", "外");
		put_file("msg", err.msg, strlen(err.msg));
		assert_int_equal(sh("iconv -f UTF-8 -t UTF-8 msg >/dev/null 2>&1"), 0);
		err_hint(&err, "%s", long_text);
		put_file("msg", err.hint, strlen(err.hint));
		assert_int_equal(sh("iconv -f UTF-8 -t UTF-8 msg >/dev/null 2>&1"), 0);
		err_sys(&err, "E-TEST-01", 5, "%s", long_text);
		put_file("msg", err.msg, strlen(err.msg));
		assert_int_equal(sh("iconv -f UTF-8 -t UTF-8 msg >/dev/null 2>&1"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(english_until_told_otherwise),
	    cmocka_unit_test(the_last_choice_counts),
	    cmocka_unit_test(what_is_not_translated_stays_english),
	    cmocka_unit_test(languages_by_name),
	    cmocka_unit_test(every_translation_is_found),
	    cmocka_unit_test(translations_take_the_same_arguments),
	    cmocka_unit_test(messages_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
