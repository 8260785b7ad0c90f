/* The plaintext of places.age as whoever holds the host's index key may say it: as it is, and behind a head that is right.  What is
 * taken is what would be written. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/medium/codec.h"
#include "format/medium/generation.h"
#include "write/index/places.h"

#define HEAD "bkp-places 1 3f1d6a52-0c6e-4d7b-9a55-0123456789ab emr 42\n"
#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static const struct generation_id id = {
    "3f1d6a52-0c6e-4d7b-9a55-0123456789ab", "emr", "11111111-2222-4333-8444-000000000042", 42};

struct taken {
	struct buf text;
	uint64_t n;
};

static int take(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err)
{
	char sha256[DIGEST_HEX], index[DIGEST_HEX], hex[2 * DEDUP_ID + 1];
	struct taken *t = arg;

	MUST(a->number && a->number < (uint64_t)1 << 40);
	MUST(!buf_printf(&t->text, err, "archive %" PRIu64 " %s %" PRIu64 " %s %" PRIu64 "\n", a->number,
	    digest_hex(a->sha256, DIGEST_LEN, sha256), a->size,
	    digest_hex(a->index_sha256, DIGEST_LEN, index), a->generation));
	for (size_t i = 0; i < n; i++) {
		const struct dedup_place *p = &entries[i].place;

		MUST(p->archive == a->number && p->length && p->length <= CODEC_RAW_MAX &&
		     p->offset <= CODEC_RAW_MAX - p->length);
		MUST(!buf_printf(&t->text, err, "%s %u %u %u %c\n", digest_hex(entries[i].id, DEDUP_ID, hex),
		    p->chunk, p->offset, p->length, p->whole ? 'w' : 's'));
	}
	t->n++;
	return 0;
}

static void read_it(const struct buf *plain)
{
	struct taken t = {BUF_INIT((size_t)4 << 20), 0};
	struct err err = ERR_INIT;

	MUST(!buf_puts(&t.text, HEAD, NULL));
	if (places_read(plain, &id, take, &t, &err)) {
		MUST(err.code[0]);
	} else {
		MUST(!buf_printf(&t.text, NULL, "end %" PRIu64 "\n", t.n));
		MUST(t.text.n == plain->n && !memcmp(t.text.p, plain->p, plain->n));
	}
	buf_free(&t.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	BUF_AUTO plain = BUF_INIT((size_t)4 << 20);

	if (buf_append(&plain, data, n, NULL))
		return 0;
	read_it(&plain);
	plain.n = 0;
	if (!buf_puts(&plain, HEAD, NULL) && !buf_append(&plain, data, n, NULL))
		read_it(&plain);
	return 0;
}
