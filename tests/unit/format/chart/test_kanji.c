/* kanji: every character of CP932, EUC-JP and ISO-2022-JP as the C library's iconv has it; what is none is shown as bytes. */
#include <iconv.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/chart/kanji.h"

static const char *as_text(enum kanji_code code, const void *p, size_t n)
{
	static struct buf b = BUF_INIT(1 << 20);

	b.n = 0;
	assert_int_equal(kanji_text(code, p, n, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	return (const char *)b.p;
}

/* "" where iconv has none. */
static const char *as_iconv(iconv_t cd, const void *p, size_t n)
{
	static char out[16];
	char *in = (char *)(uintptr_t)p, *to = out;
	size_t left = sizeof(out) - 1;

	memset(out, 0, sizeof(out));
	iconv(cd, NULL, NULL, NULL, NULL);
	return iconv(cd, &in, &n, &to, &left) == (size_t)-1 ? "" : out;
}

/* Both are Unicode's, and differ in what a vendor meant by a few signs (WAVE DASH, MINUS SIGN …). */
static bool is_same_sign(const char *a, const char *b)
{
	static const char *const pairs[][2] = {{"〜", "～"}, {"~", "～"}, {"‖", "∥"}, {"−", "－"},
	    {"¢", "￠"}, {"£", "￡"}, {"¬", "￢"}, {"＼", "\\"}, {"—", "―"}, {"¦", "￤"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if ((!strcmp(a, pairs[i][0]) && !strcmp(b, pairs[i][1])) ||
		    (!strcmp(a, pairs[i][1]) && !strcmp(b, pairs[i][0])))
			return true;
	return !strcmp(a, b);
}

static size_t compare_all(
    enum kanji_code code, const char *name, const char *before, unsigned low, unsigned high)
{
	iconv_t cd = iconv_open("UTF-8", name);
	size_t n = 0;

	assert_true(cd != (iconv_t)-1);
	for (unsigned lead = low; lead <= high; lead++)
		for (unsigned trail = 0x21; trail <= 0xfe; trail++) {
			char in[16];
			int len = snprintf(in, sizeof(in), "%s%c%c", before, (int)lead, (int)trail);
			const char *want = as_iconv(cd, in, (size_t)len), *is;

			if (!*want || strlen(want) > 3) /* of two characters, or none */
				continue;
			is = as_text(code, in, (size_t)len);
			if (!is_same_sign(is, want))
				fail_msg("%s %02x%02x is %s, not %s", name, lead, trail, is, want);
			n++;
		}
	iconv_close(cd);
	return n;
}

static void as_the_c_library(void **state)
{
	(void)state;
	assert_true(compare_all(KANJI_CP932, "CP932", "", 0x81, 0xfc) > 7300);
	assert_true(compare_all(KANJI_EUC, "EUC-JP", "", 0xa1, 0xfe) > 6800);
	assert_true(compare_all(KANJI_EUC, "EUC-JP", "\x8f", 0xa1, 0xfe) > 6000);
	assert_true(compare_all(KANJI_ISO2022, "ISO-2022-JP", "\x1b$B", 0x21, 0x7e) > 6800);
	assert_true(compare_all(KANJI_ISO2022, "ISO-2022-JP-2", "\x1b$(D", 0x21, 0x7e) > 6000);
}

#define IS(code, in, want) assert_string_equal(as_text(code, in, sizeof(in) - 1), want)

static void what_is_shifted_ends(void **state)
{
	(void)state;
	IS(KANJI_ISO2022, "A\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "A山田^太郎");
	IS(KANJI_ISO2022, "\x1b$B;3ED\rPID|", "山田\rPID|");	     /* not shifted back at the line's end */
	IS(KANJI_ISO2022, "\x1b(I\x54\x4f\x40\x5e\x1b(J=", "ﾔﾏﾀﾞ="); /* JIS X 0201, 7 bit */
	IS(KANJI_ISO2022, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=", "ﾔﾏﾀﾞ^ﾀﾛｳ="); /* DICOM's ISO_IR 13 */
	IS(KANJI_ISO2022, "\x1b$BA\x1b(B", "\\101");			  /* half of one */
	IS(KANJI_ISO2022, "\x1b[31m", "\x1b[31m");
	IS(KANJI_UTF8, "\xe5\xb1\xb1\xff\xc0\x80", "山\\377\\300\\200");
	IS(KANJI_CP932, "\x8e\x52\x93\x63\x81", "山田\\201");
	IS(KANJI_EUC, "\xbb\xb3\xc5", "山\\305");
	IS(KANJI_ISO2022, "", "");
}

#define GUESS(in) kanji_guess(in, sizeof(in) - 1)

static void guesses(void **state)
{
	(void)state;
	assert_int_equal(GUESS("plain"), KANJI_UTF8);
	assert_int_equal(GUESS("山田"), KANJI_UTF8);
	assert_int_equal(GUESS("\x1b$B;3ED\x1b(B"), KANJI_ISO2022);
	assert_int_equal(GUESS("\x8e\x52\x93\x63"), KANJI_CP932);
	assert_int_equal(GUESS("\xbb\xb3\xc5\xc4"), KANJI_EUC);
	assert_int_equal(GUESS("\xff\xfe\x80"), KANJI_CP932);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_the_c_library),
	    cmocka_unit_test(what_is_shifted_ends),
	    cmocka_unit_test(guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
