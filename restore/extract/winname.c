/* winname: see winname.h. */
#include "restore/extract/winname.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/width.h"
#include "format/crypto/digest.h"

#define READ_MAX   1024 /* bytes of a name: no file system has longer ones, a catalog may say anything */
#define ENDING_MAX 20	/* ".docx": kept when a name is cut */
#define HASH_BYTES 16
#define CUT_MAX	   (WINNAME_MAX - ENDING_MAX - 2 - 2 * HASH_BYTES)

/* Small letters from..to, every step-th, and how far their capital is. */
static const struct {
	uint16_t from, to, step;
	int16_t capital;
} letters[] = {
    {'a', 'z', 1, -32},
    {0xe0, 0xf6, 1, -32},
    {0xf8, 0xfe, 1, -32},
    {0xff, 0xff, 1, 121},
    {0x101, 0x12f, 2, -1},
    {0x133, 0x137, 2, -1},
    {0x13a, 0x148, 2, -1},
    {0x14b, 0x177, 2, -1},
    {0x17a, 0x17e, 2, -1},
    {0x1ce, 0x1dc, 2, -1},
    {0x1df, 0x1ef, 2, -1},
    {0x1f9, 0x233, 2, -1},
    {0x3ac, 0x3ac, 1, -38},
    {0x3ad, 0x3af, 1, -37},
    {0x3b1, 0x3c1, 1, -32},
    {0x3c2, 0x3c2, 1, -31},
    {0x3c3, 0x3cb, 1, -32},
    {0x3cc, 0x3cc, 1, -64},
    {0x3cd, 0x3ce, 1, -63},
    {0x430, 0x44f, 1, -32},
    {0x450, 0x45f, 1, -80},
    {0x461, 0x481, 2, -1},
    {0x48b, 0x4bf, 2, -1},
    {0x4d1, 0x52f, 2, -1},
    {0x561, 0x586, 1, -48},
    {0x1e01, 0x1e95, 2, -1},
    {0x1ea1, 0x1eff, 2, -1},
    {0x2170, 0x217f, 1, -16},
    {0x24d0, 0x24e9, 1, -26},
    {0xff41, 0xff5a, 1, -32},
};

static uint32_t capital_of(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (cp >= letters[i].from && cp <= letters[i].to &&
		    !((cp - letters[i].from) % letters[i].step))
			return (uint32_t)((int32_t)cp + letters[i].capital);
	return cp;
}

static bool is_letter(uint32_t cp)
{
	for (size_t i = 0; cp <= 0xffff && i < sizeof(letters) / sizeof(*letters); i++)
		if (capital_of((uint32_t)((int32_t)cp - letters[i].capital)) == cp)
			return true;
	return cp <= 0xffff && capital_of(cp) != cp;
}

/* What stands before the first dot, without spaces at its end. */
static bool is_device(const char *name, size_t n)
{
	static const char *const whole[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
	static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"};
	const char *dot = memchr(name, '.', n);
	size_t base = dot ? (size_t)(dot - name) : n, i;

	while (base && name[base - 1] == ' ')
		base--;
	for (i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		if (base == strlen(whole[i]) && !strncasecmp(name, whole[i], base))
			return true;
	if (base < 4 || (strncasecmp(name, "COM", 3) != 0 && strncasecmp(name, "LPT", 3) != 0))
		return false;
	for (i = 0; i < sizeof(digits) / sizeof(*digits); i++)
		if (base == 3 + strlen(digits[i]) && !memcmp(name + 3, digits[i], base - 3))
			return true;
	return false;
}

static bool is_refused(const char *name, size_t n, size_t at, uint32_t cp)
{
	const unsigned char *next = (const unsigned char *)name + at + 1;

	if (cp == UINT32_MAX || cp < 0x20 || (cp < 0x80 && strchr("<>:\"\\|?*", (int)cp)))
		return true;
	if (at + 1 == n)
		return cp == '.' || cp == ' ';
	return cp == '%' && (*next == '~' || (at + 2 < n && isxdigit(next[0]) && isxdigit(next[1])));
}

static size_t put_escaped(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(to + 3 * i, 4, "%%%02X", (unsigned char)from[i]);
	return 3 * n;
}

/* The first `cut` bytes, a sum of the name, and its ending. */
static void put_cut(const char *name, size_t n, const char *all, size_t cut, char out[WINNAME_SIZE])
{
	const char *dot = n <= READ_MAX ? strrchr(all, '.') : NULL;
	char hex[2 * HASH_BYTES + 1];
	uint8_t sum[DIGEST_LEN];

	digest_sha256(name, n, sum);
	memcpy(out, all, cut);
	snprintf(out + cut, WINNAME_SIZE - cut, "%%~%s%s", digest_hex(sum, HASH_BYTES, hex),
	    dot && strlen(dot) <= ENDING_MAX ? dot : "");
}

bool winname_map(const char *name, size_t n, bool cased, char out[WINNAME_SIZE])
{
	size_t used = n < READ_MAX ? n : READ_MAX, at = 0, to = 0, cut = 0, len;
	char all[3 * READ_MAX + 1];
	bool first = true;

	cased = cased || is_device(name, n);
	for (; at < used; at += len) {
		uint32_t cp;
		bool letter;

		len = width_decode(name + at, used - at, &cp);
		letter = cased && is_letter(cp);
		if (is_refused(name, n, at, cp) || (letter && (first || cp < 'a' || cp > 'z'))) {
			to += put_escaped(all + to, name + at, len);
		} else {
			memcpy(all + to, name + at, len);
			to += len;
		}
		first = first && !letter;
		cut = to <= CUT_MAX ? to : cut;
	}
	all[to] = '\0';
	if (to > WINNAME_MAX || n > READ_MAX)
		put_cut(name, n, all, cut, out);
	else
		memcpy(out, all, to + 1);
	return to != n || memcmp(all, name, n) != 0;
}

void winname_fold(const char *name, char out[WINNAME_SIZE])
{
	size_t n = strlen(name), at = 0, to = 0;

	while (at < n) {
		uint32_t cp, big;
		size_t len = width_decode(name + at, n - at, &cp);

		big = cp == UINT32_MAX ? cp : capital_of(cp);
		if (big == cp) {
			memcpy(out + to, name + at, len);
		} else if (len == 1) {
			out[to] = (char)big;
		} else { /* a capital is as long as its letter */
			for (size_t i = len; i-- > 1; big >>= 6)
				out[to + i] = (char)(0x80 | (big & 0x3f));
			out[to] = (char)((len == 2 ? 0xc0 : 0xe0) | big);
		}
		to += len;
		at += len;
	}
	out[to] = '\0';
}
