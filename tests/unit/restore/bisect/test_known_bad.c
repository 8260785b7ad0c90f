/* known_bad: lists as sha256sum and as people write them; a line that is none is named by its number. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "base/text.h"
#include "restore/bisect/known_bad.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static char got[4096];

static int take(void *arg, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	char hex[DIGEST_HEX];

	(void)arg;
	(void)err;
	snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", digest_hex(sha256, DIGEST_LEN, hex));
	return 0;
}

static void takes(const char *list, const char *want)
{
	struct err err = ERR_INIT;

	*got = '\0';
	if (known_bad_each(list, strlen(list), take, NULL, &err))
		fail_msg("%s: %s %s", list, err.code, err.msg);
	assert_string_equal(got, want);
}

static void lists_are_taken_as_they_come(void **state)
{
	(void)state;
	takes(A "  evil.exe\n" B " *bin\n", A " " B " ");
	takes(A, A " ");
	takes("# of the police\n\n" A "\r\n\t\n", A " ");
	takes("\xef\xbb\xbf" A "\n", A " ");
	takes("\\" A "  name\\nwith\\nlines\n", A " ");
	takes("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF,Win.Trojan.X\n", A " ");
	takes(A "  \xff\xfe\x01\n", A " ");
}

static void refuses(const char *list, size_t n, const char *words)
{
	struct err err = ERR_INIT;

	*got = '\0';
	assert_int_equal(known_bad_each(list, n, take, NULL, &err), -1);
	assert_string_equal(err.code, "E-BISECT-01");
	assert_int_equal(err.kind, ERR_USAGE);
	if (!strstr(err.msg, words))
		fail_msg("'%s' lacks '%s'", err.msg, words);
}

static void a_line_that_is_none_is_named(void **state)
{
	static const char nul[] = A "\n\0" A "\n";
	(void)state;

	text_set_lang(TEXT_EN);
	refuses("", 0, "there is no SHA-256");
	refuses("# only words\n\n", 14, "there is no SHA-256");
	refuses(A "\nd41d8cd98f00b204e9800998ecf8427e  x\n", 100, "line 2 is MD5");
	refuses("da39a3ee5e6b4b0d3255bfef95601890afd80709\n", 41, "line 1 is SHA-1");
	refuses(A "\n\n" A "0\n", 2 * 64 + 4, "line 3 does not begin with a SHA-256");
	refuses("x" A "\n", 66, "line 1 does not begin");
	refuses(A "x\n", 66, "line 1 does not begin");
	refuses(" " A "\n", 66, "line 1 does not begin");
	refuses("\\", 1, "line 1 does not begin");
	refuses(nul, sizeof(nul) - 1, "line 2 does not begin");
	/* every length up to a whole line */
	for (size_t n = 1; n < 64; n++)
		refuses(A, n, "line 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_are_taken_as_they_come), cmocka_unit_test(a_line_that_is_none_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
