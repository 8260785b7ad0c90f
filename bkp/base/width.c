/* width: see width.h. */
#include "base/width.h"

#include <stdbool.h>
#include <string.h>

#include "base/width_table.h"

/* Is cp in one of n ranges, which ascend and do not overlap? */
static bool in_ranges(const struct range *table, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cp > table[mid].last)
			lo = mid + 1;
		else if (cp < table[mid].first)
			hi = mid;
		else
			return true;
	}
	return false;
}

unsigned width_char(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return 0;
	if (cp < 0x300)
		return 1;
	if (in_ranges(none, sizeof(none) / sizeof(*none), cp))
		return 0;
	return in_ranges(wide, sizeof(wide) / sizeof(*wide), cp) ? 2 : 1;
}

size_t width_decode(const char *s, size_t n, uint32_t *ret_cp)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;
	uint32_t cp = len == 1 ? p[0] : len ? p[0] & (0xffu >> (len + 1)) : 0;
	size_t i;

	if (!len || len > n)
		goto invalid;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			goto invalid;
		cp = cp << 6 | (p[i] & 0x3fu);
	}
	if ((len == 3 && cp < 0x800) || (len == 4 && (cp < 0x10000 || cp > 0x10ffff)) ||
	    (cp >= 0xd800 && cp < 0xe000))
		goto invalid;
	*ret_cp = cp;
	return len;
invalid:
	*ret_cp = UINT32_MAX;
	return 1;
}

size_t width_text(const char *s)
{
	size_t n = strlen(s), columns = 0;
	uint32_t cp;

	while (n) {
		size_t len = width_decode(s, n, &cp);

		columns += cp == UINT32_MAX ? 1 : width_char(cp);
		s += len;
		n -= len;
	}
	return columns;
}

void width_whole(char *s)
{
	size_t n = strlen(s), back = 0;
	uint32_t cp;

	while (back < 3 && back < n && ((unsigned char)s[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < n && (width_decode(s + n - 1 - back, back + 1, &cp) != back + 1 || cp == UINT32_MAX))
		s[n - 1 - back] = '\0';
}

bool width_is_deceptive(uint32_t cp)
{
	static const uint32_t ranges[][2] = {{0xad, 0xad}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
	    {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0x1d173, 0x1d17a},
	    {0xe0000, 0xe007f}};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (cp >= ranges[i][0] && cp <= ranges[i][1])
			return true;
	return false;
}

bool width_has_deceptive(const char *s)
{
	size_t n = strlen(s);
	uint32_t cp;

	while (n) {
		size_t len = width_decode(s, n, &cp);

		if (width_is_deceptive(cp))
			return true;
		s += len;
		n -= len;
	}
	return false;
}
