/* What commands give, as the guard looks at it: a broken or hostile dump.  The first byte says how it is cut into pieces: whatever
 * the pieces, the figures are the same, unless decompressing met its ceiling or damage.  Then the same bytes as what is remembered. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "format/dump/rows.h"
#include "format/dump/rows_past.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static void look(const uint8_t *p, size_t n, size_t step, struct rows_summary *ret)
{
	struct rows *r = NULL;

	MUST(!rows_new(&r, NULL));
	for (size_t at = 0; at < n; at += step) {
		/* a piece of its own: reading beyond it is found */
		size_t m = n - at < step ? n - at : step;
		uint8_t *piece = malloc(m);

		MUST(piece);
		memcpy(piece, p + at, m);
		rows_feed(r, piece, m);
		free(piece);
	}
	rows_end(r, ret);
	rows_free(r);
	MUST(ret->n >= ROWS_OWN && ret->n <= ROWS_TABLES);
	for (size_t i = 0; i < ret->n; i++) {
		const struct rows_table *t = &ret->tables[i];

		MUST(t->opaque <= 1000 && t->marked <= 1000 && t->peak <= 1000 && t->length < 64 * 1024);
		MUST(i < ROWS_OWN || t->rows);
		MUST(memchr(t->called, '\0', ROWS_NAME));
		for (const char *c = t->called; *c; c++)
			MUST((uint8_t)*c >= ' ' && *c != 0x7f);
	}
}

/* What was remembered of this, and the verdict; written and read again it is the same. */
static void remember(struct rows_past *past, const struct rows_summary *now)
{
	static struct rows_past again;
	struct rows_verdict v;
	struct buf b = BUF_INIT(ROWS_FILE_MAX);

	for (enum rows_trust trust = ROWS_DOUBTED; trust <= ROWS_ACCEPTED; trust++) {
		past->newest = *now;
		past->newest.generation = 7;
		rows_judge(&past->newest, &past->usual, trust, &v);
		MUST(memchr(v.say, '\0', ROWS_SAY) && !*v.say == !v.harmed);
		b.n = 0;
		MUST(!rows_past_format(past, &b, NULL));
		MUST(rows_past_parse(b.p, b.n, &again) && again.usual.n == past->usual.n);
		rows_past_take(past, trust);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t steps[] = {1, 7, 100, 511, 513, 5000};
	static struct rows_summary whole, pieces;
	static struct rows_past past;

	if (!n)
		return 0;
	look(data + 1, n - 1, n, &whole);
	look(data + 1, n - 1, steps[data[0] % 6], &pieces);
	MUST(whole.cut || pieces.cut || !memcmp(&whole, &pieces, sizeof(whole)));
	memset(&past, 0, sizeof(past));
	remember(&past, &whole);
	if (rows_past_parse(data + 1, n - 1, &past))
		remember(&past, &whole);
	return 0;
}
