/* runs: extent texts of tests, written without digests ("5 1:2:3:5 @1:2:3:4"), with them. */
#ifndef TESTS_RUNS_H
#define TESTS_RUNS_H

#include <stdio.h>
#include <string.h>

#include "format/crypto/digest.h"
#include "format/medium/extent.h"

typedef void runs_digest_fn(const void *arg, struct extent_run *run);

/* Every A:C:O:L becomes A:C:O:L:D, D as fn says (NULL: zeros).  Valid until the eighth call after it. */
static inline const char *runs_with(const char *s, runs_digest_fn *fn, const void *arg)
{
	static char out[8][16384];
	static unsigned turn;
	char *to = out[turn++ % 8], *at = to;

	while (*s) {
		size_t n = strcspn(s, " \n");
		struct extent_run run = {.kind = *s == '@' ? EXTENT_INDIRECT : EXTENT_DATA};
		unsigned long long archive, length;
		char hex[DIGEST_HEX];
		int used = 0;

		memcpy(at, s, n);
		at += n;
		if (sscanf(s + (*s == '@'), "%llu:%u:%u:%llu%n", &archive, &run.chunk, &run.offset, &length,
			&used) == 4 &&
		    (size_t)used + (*s == '@') == n) {
			run.archive = archive;
			run.length = length;
			if (fn)
				fn(arg, &run);
			at += sprintf(at, ":%s", digest_hex(run.digest, DIGEST_LEN, hex));
		}
		s += n;
		if (*s)
			*at++ = *s++;
	}
	*at = '\0';
	return to;
}

/* The SHA-256 of a content that no test looks at. */
static const uint8_t runs_sha256[DIGEST_LEN] = {0x5a};

static inline const char *runs_of(const char *s)
{
	return runs_with(s, NULL, NULL);
}

#endif
