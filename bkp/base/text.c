/* text: looks messages up in a GNU .mo image that is linked into the program.
 *
 * The image is made by msgfmt from bkp/po/ja.po at build time and is part of the program text, so it is trusted;
 * the .mo layout is documented in the gettext manual, "The Format of GNU MO Files". */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#include "base/text_ja.h" /* generated: text_ja_mo[], text_ja_mo_len */

static enum text_lang current = TEXT_EN;

void text_set_lang(enum text_lang lang)
{
	current = lang;
}

enum text_lang text_lang(void)
{
	return current;
}

int text_parse_lang(const char *s, enum text_lang *ret_lang)
{
	if (!strcmp(s, "ja"))
		*ret_lang = TEXT_JA;
	else if (!strcmp(s, "en"))
		*ret_lang = TEXT_EN;
	else
		return -1;
	return 0;
}

static uint32_t word(size_t off)
{
	uint32_t v;

	memcpy(&v, text_ja_mo + off, sizeof(v));
	return v;
}

static const char *string_at(uint32_t table, uint32_t i)
{
	return (const char *)text_ja_mo + word(table + 8 * (size_t)i + 4);
}

const char *text(const char *msgid)
{
	uint32_t lo = 0, hi, originals, translations;

	if (current != TEXT_JA || text_ja_mo_len < 28 || !*msgid)
		return msgid;
	hi = word(8);
	originals = word(12);
	translations = word(16);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(msgid, string_at(originals, mid));

		if (c == 0)
			return string_at(translations, mid);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return msgid;
}
