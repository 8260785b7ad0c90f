/* near: see near.h. */
#include "base/near.h"

#include <limits.h>
#include <string.h>

static unsigned char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A' + 'a');
	return c == '-' ? '_' : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned near_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), i, j;
	unsigned d[3][NEAR_BYTES_MAX + 1]; /* rows i-2, i-1 and i, in turn */

	if (n > NEAR_BYTES_MAX || m > NEAR_BYTES_MAX)
		return UINT_MAX;
	for (j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		unsigned *row = d[i % 3], *above = d[(i + 2) % 3], *second = d[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			unsigned same = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;

			row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + same);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return d[n % 3][m];
}

const char *near_word(const char *word, const char *const *known, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;
	size_t i;

	for (i = 0; i < n; i++) {
		size_t len = strlen(known[i]), own = strlen(word);
		size_t shorter = len < own ? len : own;
		unsigned limit = shorter <= 4 ? 1 : shorter <= 7 ? 2 : 3;
		unsigned d = near_distance(word, known[i]);

		if (d <= limit && d < best_distance && d < shorter) {
			best = known[i];
			best_distance = d;
		}
	}
	return best;
}
