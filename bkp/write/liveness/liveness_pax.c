/* liveness_pax: finds the extents in a catalog block as it is stored; see liveness_private.h.
 *
 * Our own writer made the block a moment ago; what does not look as expected is passed over: this is a
 * statistic. */
#include "write/liveness/liveness_private.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 512
#define KEY   "SCHILY.xattr.bkp.extents="

/* "<length> <key>=<value>\n", one after the other. */
static void each_record(const char *p, size_t n, liveness_text_fn *fn, void *arg)
{
	const size_t key = sizeof(KEY) - 1;

	while (n) {
		const char *space = memchr(p, ' ', n < 20 ? n : 20);
		size_t length = space ? strtoull(p, NULL, 10) : 0, skip;

		if (!length || length > n || p[length - 1] != '\n')
			return;
		skip = (size_t)(space + 1 - p);
		if (length > skip + key && !memcmp(space + 1, KEY, key))
			fn(arg, space + 1 + key, length - skip - key - 1);
		p += length;
		n -= length;
	}
}

void liveness_each_extents(const void *block, size_t n, liveness_text_fn *fn, void *arg)
{
	const char *p = block;

	while (n >= BLOCK && *p) {
		char digits[13] = "";
		size_t size, room;

		memcpy(digits, p + 124, 12);
		size = strtoull(digits, NULL, 8);
		room = (size + BLOCK - 1) / BLOCK * BLOCK;
		if (size > n || room > n - BLOCK)
			return;
		if (p[156] == 'x')
			each_record(p + BLOCK, size, fn, arg);
		p += BLOCK + room;
		n -= BLOCK + room;
	}
}
