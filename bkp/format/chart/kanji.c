/* kanji: see kanji.h.
 *
 * A character is looked for at the front of what is left (take_*): its code point and how many bytes it has, or nothing. */
#include "format/chart/kanji.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/width.h"
#include "format/kanji_table.h"

#define CELLS	   94
#define ROWS	   120
#define KATAKANA   0xff61 /* half-width, of 0xa1 */
#define LAST_ASCII 0x7f

/* What is invoked: a set of ISO-2022. */
enum set { SET_ASCII, SET_KATAKANA, SET_0208, SET_0212 };

struct from {
	enum kanji_code code;
	enum set g0, g1; /* of ISO-2022 */
};

static uint32_t of_0208(unsigned row, unsigned cell)
{
	return row >= 1 && row <= ROWS && cell >= 1 && cell <= CELLS
		   ? kanji_0208[(row - 1) * CELLS + cell - 1]
		   : 0;
}

static uint32_t of_0212(unsigned row, unsigned cell)
{
	return row >= 1 && row <= CELLS && cell >= 1 && cell <= CELLS
		   ? kanji_0212[(row - 1) * CELLS + cell - 1]
		   : 0;
}

static size_t take_cp932(const uint8_t *p, size_t n, uint32_t *ret)
{
	unsigned lead = p[0], trail = n > 1 ? p[1] : 0, row;

	if (lead >= 0xa1 && lead <= 0xdf) {
		*ret = KATAKANA + lead - 0xa1;
		return 1;
	}
	if (lead < 0x81 || lead > 0xfc || lead == 0xa0 || trail < 0x40 || trail == 0x7f || trail > 0xfc)
		return 0;
	row = (lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 2 + 1;
	*ret = trail >= 0x9f ? of_0208(row + 1, trail - 0x9e) : of_0208(row, trail - 0x3f - (trail > 0x7f));
	return *ret ? 2 : 0;
}

static size_t take_euc(const uint8_t *p, size_t n, uint32_t *ret)
{
	*ret = 0;
	if (n > 1 && p[0] == 0x8e && p[1] >= 0xa1 && p[1] <= 0xdf)
		*ret = KATAKANA + p[1] - 0xa1;
	else if (n > 2 && p[0] == 0x8f && p[1] > 0xa0 && p[2] > 0xa0)
		*ret = of_0212(p[1] - 0xa0u, p[2] - 0xa0u);
	else if (n > 1 && p[0] > 0xa0 && p[1] > 0xa0)
		*ret = of_0208(p[0] - 0xa0u, p[1] - 0xa0u);
	return !*ret ? 0 : p[0] == 0x8f ? 3 : 2;
}

static size_t take_set(enum set set, const uint8_t *p, size_t n, uint32_t *ret)
{
	unsigned c = p[0] & 0x7f, d = n > 1 ? p[1] & 0x7f : 0;

	*ret = 0;
	if (n > 1 && (p[0] ^ p[1]) & 0x80)
		d = 0; /* one half of a character in each set */
	if (set == SET_ASCII)
		*ret = p[0] <= LAST_ASCII ? p[0] : 0;
	else if (set == SET_KATAKANA)
		*ret = c >= 0x21 && c <= 0x5f ? KATAKANA + c - 0x21 : 0;
	else if (c > 0x20 && d > 0x20)
		*ret = (set == SET_0208 ? of_0208 : of_0212)(c - 0x20, d - 0x20);
	return !*ret ? 0 : set == SET_0208 || set == SET_0212 ? 2 : 1;
}

/* An escape sequence that is known, and its length; 0: it is not. */
static size_t take_escape(struct from *f, const uint8_t *p, size_t n)
{
	static const struct {
		const char *bytes;
		bool g1;
		enum set set;
	} known[] = {
	    {"(B", false, SET_ASCII},
	    {"(J", false, SET_ASCII},
	    {"(I", false, SET_KATAKANA},
	    {")I", true, SET_KATAKANA},
	    {"$@", false, SET_0208},
	    {"$B", false, SET_0208},
	    {"$(D", false, SET_0212},
	    {"$)B", true, SET_0208},
	    {"$)D", true, SET_0212},
	    {")B", true, SET_ASCII},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i].bytes);

		if (n > len && !memcmp(p + 1, known[i].bytes, len)) {
			*(known[i].g1 ? &f->g1 : &f->g0) = known[i].set;
			return len + 1;
		}
	}
	return 0;
}

static size_t take_iso2022(struct from *f, const uint8_t *p, size_t n, uint32_t *ret)
{
	if (p[0] == '\r' || p[0] == '\n')
		f->g0 = SET_ASCII;
	if (p[0] <= 0x20 || p[0] == LAST_ASCII) {
		*ret = p[0];
		return 1;
	}
	return take_set(p[0] & 0x80 ? f->g1 : f->g0, p, n, ret);
}

static size_t take_char(struct from *f, const uint8_t *p, size_t n, uint32_t *ret)
{
	size_t len;

	switch (f->code) {
	case KANJI_ISO2022:
		return take_iso2022(f, p, n, ret);
	case KANJI_UTF8:
		len = width_decode((const char *)p, n, ret);
		return *ret == UINT32_MAX ? 0 : len;
	default:
		*ret = p[0];
		if (p[0] <= LAST_ASCII)
			return 1;
		return f->code == KANJI_EUC ? take_euc(p, n, ret) : take_cp932(p, n, ret);
	}
}

static int put_char(uint32_t cp, struct buf *out, struct err *err)
{
	char s[4];
	size_t n = 0;

	if (cp < 0x80) {
		s[n++] = (char)cp;
	} else if (cp < 0x800) {
		s[n++] = (char)(0xc0 | cp >> 6);
	} else if (cp < 0x10000) {
		s[n++] = (char)(0xe0 | cp >> 12);
		s[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | cp >> 18);
		s[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	}
	if (cp >= 0x80)
		s[n++] = (char)(0x80 | (cp & 0x3f));
	return buf_append(out, s, n, err);
}

int kanji_text(enum kanji_code code, const void *bytes, size_t n, struct buf *out, struct err *err)
{
	struct from f = {code, SET_ASCII, SET_KATAKANA};
	const uint8_t *p = bytes, *end = p + n;
	uint32_t cp;

	while (p < end) {
		size_t left = (size_t)(end - p),
		       len = code == KANJI_ISO2022 && *p == 0x1b ? take_escape(&f, p, left) : 0;

		if (!len) {
			len = take_char(&f, p, left, &cp);
			if (len ? put_char(cp, out, err) : buf_printf(out, err, "\\%03o", *p))
				return -1;
		}
		p += len ? len : 1;
	}
	return 0;
}

/* Is all of it valid there?  *ret_full: characters of two bytes. */
static bool is_all(enum kanji_code code, const uint8_t *p, size_t n, size_t *ret_full)
{
	struct from f = {code, SET_ASCII, SET_KATAKANA};
	uint32_t cp;

	*ret_full = 0;
	while (n) {
		size_t len = take_char(&f, p, n, &cp);

		if (!len)
			return false;
		*ret_full += len > 1;
		p += len;
		n -= len;
	}
	return true;
}

enum kanji_code kanji_guess(const void *p, size_t n)
{
	size_t full, euc_full;

	if (memchr(p, 0x1b, n))
		return KANJI_ISO2022;
	if (is_all(KANJI_UTF8, p, n, &full))
		return KANJI_UTF8;
	if (!is_all(KANJI_CP932, p, n, &full))
		return is_all(KANJI_EUC, p, n, &euc_full) ? KANJI_EUC : KANJI_CP932;
	return !full && is_all(KANJI_EUC, p, n, &euc_full) && euc_full ? KANJI_EUC : KANJI_CP932;
}
