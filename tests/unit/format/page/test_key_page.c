/* key_page: pages of keys and media as independent parsers read them (tests/lib/page.py): what was given is there as text, and
 * nothing in them can act or fetch.  Scenario 52 reads the QR codes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/codex32.h"
#include "format/crypto/minisig.h"
#include "format/page/key_page.h"
#include "format/page/qr.h"
#include "scratch.h"

#define EVIL "<script>alert(1)</script> \"q\" 'a' & ]]> --> &lt;"

/* Lets both parsers check, returns what they read. */
static const char *read_page(const struct buf *html, struct buf *out)
{
	put_file("page.html", html->p, html->n);
	if (sh("python3 %s/lib/page.py page.html >page.txt 2>page.err", TEST_DATA)) {
		sh("cat page.err >&2");
		fail_msg("the page is not what parsers expect");
	}
	out->n = 0;
	get_file("page.txt", out);
	return (const char *)out->p;
}

static void has(const char *page, const char *what)
{
	if (!strstr(page, what))
		fail_msg("the page lacks '%s':\n%s", what, page);
}

static void split(struct codex32 *all)
{
	static const uint8_t key[32] = {1, 2, 3};
	uint8_t random[CODEX32_RANDOM] = {9, 8, 7};

	assert_int_equal(codex32_split(key, 2, 3, random, all, NULL), 0);
}

static void a_share_is_there_row_by_row(void **state)
{
	BUF_AUTO html = BUF_INIT(KEY_PAGE_MAX);
	BUF_AUTO out = BUF_INIT(KEY_PAGE_MAX);
	struct codex32 all[3], back;
	struct key_page_share page = {&all[1], 2, 3, "age1" EVIL, "2026-11-23"};
	char line[CODEX32_TEXT] = "", typed[CODEX32_TEXT];
	const char *text;
	(void)state;

	split(all);
	for (int lang = TEXT_EN; lang <= TEXT_JA; lang++) {
		html.n = 0;
		text_set_lang((enum text_lang)lang);
		assert_int_equal(key_page_share(&page, &html, NULL), 0);
		text = read_page(&html, &out);
		has(text, EVIL);
		has(text, all[1].id);
		has(text, lang == TEXT_JA ? "td: 'c'（2 枚目／全 3 枚）" : "td: 'c', number 2 of 3");
		has(text, lang == TEXT_JA ? "th: 封筒番号" : "th: Envelope number");
		*line = '\0';
		for (const char *at = text; (at = strstr(at, "pre: ")); at += 5)
			strncat(line, at + 5, strcspn(at + 5, "\n"));
		assert_true(codex32_tidy(line, typed));
		assert_int_equal(codex32_read(CODEX32_IDENTITY, typed, &back, NULL), 0);
		assert_memory_equal(back.symbol, all[1].symbol, back.n);
		assert_non_null(strstr((char *)html.p, "<svg class=\"qr\""));
	}
	text_set_lang(TEXT_EN);
}

static void the_root_key_is_there_in_groups(void **state)
{
	static const uint8_t seed[32] = {7};
	BUF_AUTO html = BUF_INIT(KEY_PAGE_MAX);
	BUF_AUTO out = BUF_INIT(KEY_PAGE_MAX);
	struct minisig_secret sec;
	struct key_page_root page = {EVIL, "0b5e", "2026-11-23", &sec.pub, NULL};
	char key[MINISIG_KEY_TEXT], row[KEY_PAGE_GROUPS];
	const char *text;
	(void)state;

	minisig_from_seed(seed, &sec);
	minisig_public_format(&sec.pub, key);
	assert_int_equal(key_page_root(&page, &html, NULL), 0);
	text = read_page(&html, &out);
	has(text, EVIL);
	for (size_t i = 0; i < strlen(key); i += KEY_PAGE_ROW)
		has(text, key_page_groups(key + i, strlen(key) - i, row));
	assert_int_equal(row[4], ' '); /* of four */
}

static void every_medium_has_its_row(void **state)
{
	static const struct key_page_medium media[] = {
	    {"rdx1", "hdd", EVIL, "u-1"}, {EVIL, "ssd", "<b>", "u-2"}, {"nas", "hdd", "", "u-3"}};
	BUF_AUTO html = BUF_INIT(KEY_PAGE_MAX);
	BUF_AUTO small = BUF_INIT(3000);
	BUF_AUTO out = BUF_INIT(KEY_PAGE_MAX);
	const char *text;
	(void)state;

	assert_int_equal(key_page_media("site", "0b5e", "2026-11-23", media, 3, &html, NULL), 0);
	text = read_page(&html, &out);
	has(text, "td: rdx1\\nu-1");
	has(text, EVIL "\\nu-2");
	has(text, "td: <b>");
	assert_int_equal(key_page_media("site", "0b5e", "2026-11-23", media, 3, &small, NULL), -1);
	assert_int_equal(small.n, 0);
}

static void what_is_too_long_for_a_code_is_said(void **state)
{
	BUF_AUTO out = BUF_INIT(KEY_PAGE_MAX);
	struct err err = ERR_INIT;
	char s[1000];
	(void)state;

	memset(s, 'x', sizeof(s));
	s[sizeof(s) - 1] = '\0';
	assert_int_equal(qr_svg(s, &out, &err), -1);
	assert_string_equal(err.code, "E-PAGE-01");
	s[200] = '\0';
	assert_int_equal(qr_svg(s, &out, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_share_is_there_row_by_row),
	    cmocka_unit_test(the_root_key_is_there_in_groups),
	    cmocka_unit_test(every_medium_has_its_row),
	    cmocka_unit_test(what_is_too_long_for_a_code_is_said),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
