/* suggest: see suggest.h. */
#include "base/show/suggest.h"

#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned char fold_case(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A' + 'a');
	return c == '-' ? '_' : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* What a Japanese keyboard gives for an ASCII character: full-width forms, and the many kinds of dashes.  0:
 * none. */
static char half_width(const char *s)
{
	static const char *const dashes[] = {"\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x93", "\xe2\x80\x94",
	    "\xe2\x80\x95", "\xe2\x88\x92", "\xe3\x83\xbc", "\xef\xbd\xb0"};
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] == 0xef && u[1] == 0xbc && u[2] >= 0x81 && u[2] <= 0xbf)
		return (char)(u[2] - 0x81 + '!');
	if (u[0] == 0xef && u[1] == 0xbd && u[2] >= 0x80 && u[2] <= 0x9e)
		return (char)(u[2] - 0x80 + '`');
	if (!strncmp(s, "\xe3\x80\x80", 3))
		return ' ';
	for (size_t i = 0; i < sizeof(dashes) / sizeof(*dashes); i++)
		if (!strncmp(s, dashes[i], 3))
			return '-';
	return 0;
}

/* The word in half-width, its length; SIZE_MAX when it is too long. */
static size_t narrow(const char *s, char out[SUGGEST_BYTES_MAX + 1])
{
	size_t n = 0;

	while (*s) {
		char c = half_width(s);

		if (n == SUGGEST_BYTES_MAX)
			return SIZE_MAX;
		out[n++] = c ? c : *s;
		s += c ? 3 : 1;
	}
	out[n] = '\0';
	return n;
}

unsigned suggest_distance(const char *word, const char *known)
{
	char a[SUGGEST_BYTES_MAX + 1], b[SUGGEST_BYTES_MAX + 1];
	size_t n = narrow(word, a), m = narrow(known, b), i, j;
	unsigned d[3][SUGGEST_BYTES_MAX + 1]; /* rows i-2, i-1 and i, in turn */

	if (n == SIZE_MAX || m == SIZE_MAX)
		return UINT_MAX;
	for (j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		unsigned *row = d[i % 3], *above = d[(i + 2) % 3], *second = d[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			unsigned same = fold_case(a[i - 1]) == fold_case(b[j - 1]) ? 0 : 1;

			row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + same);
			if (i > 1 && j > 1 && fold_case(a[i - 1]) == fold_case(b[j - 2]) &&
			    fold_case(a[i - 2]) == fold_case(b[j - 1]))
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return d[n % 3][m];
}

const char *suggest_word(const char *word, const char *const *known, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;
	size_t i;

	for (i = 0; i < n; i++) {
		size_t len = strlen(known[i]), own = strlen(word);
		size_t shorter = len < own ? len : own;
		unsigned limit = shorter <= 4 ? 1 : shorter <= 7 ? 2 : 3;
		unsigned d = suggest_distance(word, known[i]);

		if (d <= limit && d < best_distance && d < shorter) {
			best = known[i];
			best_distance = d;
		}
	}
	return best;
}

const char *suggest_option(const char *word, const struct option *known)
{
	const char *names[64];
	char plain[SUGGEST_BYTES_MAX + 2];
	size_t n = 0;

	if (strncmp(word, "--", 2) != 0)
		return NULL;
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (; n < sizeof(names) / sizeof(*names) && known[n].name; n++)
		names[n] = known[n].name;
	return suggest_word(plain, names, n);
}
