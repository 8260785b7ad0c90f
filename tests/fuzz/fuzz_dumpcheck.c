/* What commands give, as a broken or hostile one gives it.  The first byte is the kind and how it is cut into
 * pieces: whatever the pieces, the answer is the same; nothing that was taken for whole is so without its
 * end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/policy/policy.h"
#include "write/expect/dumpcheck.h"
#include "mend.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static int check(unsigned kind, const uint8_t *p, size_t n, size_t step, struct err *err)
{
	struct dumpcheck *d = NULL;
	int r;

	MUST(!dumpcheck_new(kind, &d, NULL));
	for (size_t at = 0; at < n; at += step) {
		/* a piece of its own: reading beyond it is found */
		size_t m = n - at < step ? n - at : step;
		uint8_t *piece = malloc(m);

		MUST(piece);
		memcpy(piece, p + at, m);
		dumpcheck_feed(d, piece, m);
		free(piece);
	}
	r = dumpcheck_end(d, err);
	dumpcheck_free(d);
	return r;
}

static void judge(unsigned kind, const uint8_t *p, size_t n, size_t step)
{
	struct err whole = ERR_INIT, pieces = ERR_INIT;
	int r = check(kind, p, n, n ? n : 1, &whole);

	MUST(check(kind, p, n, step, &pieces) == r);
	MUST(!strcmp(whole.code, pieces.code));
	MUST(!r || (whole.code[0] && whole.msg[0] && whole.hint[0]));
	MUST(r >= 0 || !strncmp(whole.code, "E-EXPECT-", 9));
	MUST(n || r < 0);
	/* of what is taken for whole, and says itself where it ends, nothing less is */
	if (!r && n > 1 && (kind == POLICY_CONTENT_PGDUMP || (kind == POLICY_CONTENT_GZIP && p[n - 1])))
		MUST(check(kind, p, n - 1, n, NULL) == -1);
	if (!r && kind == POLICY_CONTENT_TAR && n > 512)
		MUST(n >= 1024);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const unsigned kinds[] = {POLICY_CONTENT_PGDUMP, POLICY_CONTENT_PGDUMPALL,
	    POLICY_CONTENT_MYSQLDUMP, POLICY_CONTENT_GZIP, POLICY_CONTENT_ZIP, POLICY_CONTENT_TAR};
	static const size_t steps[] = {1, 7, 100, 511, 513, 5000};
	unsigned kind;
	uint8_t *copy;

	if (!n)
		return 0;
	kind = kinds[data[0] % 6];
	judge(kind, data + 1, n - 1, steps[data[0] / 6 % 6]);
	if (kind != POLICY_CONTENT_TAR || n > 1 << 16)
		return 0;
	copy = calloc(1, (n + 511) / 512 * 512 + 1024);
	MUST(copy);
	memcpy(copy, data + 1, n - 1);
	mend(copy, (n + 511) / 512 * 512 + 1024);
	judge(kind, copy, (n + 511) / 512 * 512 + 1024, steps[data[0] / 6 % 6]);
	free(copy);
	return 0;
}
