/* journal: a line, as it is and signed by the right key (only signed text reaches the JSON parser), through
 * the ledger's fold.  In the input "@PREV@" stands for the hash of the line before. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPO "11111111-2222-4333-8444-555555555555"

static void first_line(const struct minisig_secret *sec, struct buf *out)
{
	struct journal_frame frame = {.seq = 1, .version = "0", .by = "root", .repository = REPO, .epoch = 1};
	char key[MINISIG_KEY_TEXT];
	json_t *m = json_pack("{s:s, s:s, s:s, s:s}", "site", "clinic", "root_key",
	    minisig_public_format(&sec->pub, key), "recipient",
	    "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq", "period_sha256",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

	if (journal_build(&frame, "init", m, sec, out, NULL))
		abort();
	json_decref(m);
}

/* data with the hash put in, and a signature that is right. */
static int signed_line(
    const struct minisig_secret *sec, const uint8_t *data, size_t size, const uint8_t *head, struct buf *out)
{
	const uint8_t *at = memmem(data, size, "@PREV@", 6);
	size_t before = at ? (size_t)(at - data) : size;
	char hex[DIGEST_HEX];
	uint8_t sig[64];

	if (buf_append(out, data, before, NULL) ||
	    (at && (buf_puts(out, digest_hex(head, DIGEST_LEN, hex), NULL) ||
		       buf_append(out, at + 6, size - before - 6, NULL))) ||
	    buf_puts(out, "}", NULL))
		return -1;
	minisig_raw_sign(sec, out->p, out->n, sig);
	out->n--;
	return buf_puts(out, ",\"sig\":\"", NULL) || minisig_b64_encode(sig, sizeof(sig), out, NULL) ||
	       buf_puts(out, "\"}", NULL);
}

/* With lines looked at ahead: nothing vouches for what nobody signed. */
static void ahead(const struct minisig_secret *sec, const struct buf *init, const uint8_t *data, size_t size)
{
	BUF_AUTO all = BUF_INIT((size_t)4 << 20);
	struct journal_check *c;
	struct journal_record r;
	const uint8_t *p, *end;

	if (buf_append(&all, init->p, init->n, NULL) || buf_append(&all, "\n", 1, NULL) ||
	    buf_append(&all, data, size, NULL) || buf_append(&all, "\n", 1, NULL) ||
	    journal_check_new(&sec->pub, NULL, &c, NULL))
		return;
	for (p = all.p; (end = memchr(p, '\n', all.n - (size_t)(p - all.p))); p = end + 1) {
		journal_check_vouch(c, p, all.n - (size_t)(p - all.p));
		if (journal_check_line(c, p, (size_t)(end - p), &r, NULL))
			break;
		journal_record_clear(&r);
	}
	if (journal_check_seq(c) != 1)
		abort();
	journal_check_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = {9};
	BUF_AUTO init = BUF_INIT(65536);
	BUF_AUTO line = BUF_INIT((size_t)2 << 20);
	struct minisig_secret sec;
	struct ledger *l = NULL;
	struct err err = ERR_INIT;

	minisig_from_seed(seed, &sec);
	first_line(&sec, &init);
	if (ledger_new(&sec.pub, &l, &err) || ledger_take(l, init.p, init.n, &err))
		abort();
	if (!ledger_take(l, data, size, &err))
		abort(); /* nobody signs by luck */
	if (!err.code[0] || !err.msg[0])
		abort();
	ahead(&sec, &init, data, size);
	if (!signed_line(&sec, data, size, ledger_head(l), &line) && !ledger_take(l, line.p, line.n, &err)) {
		if (ledger_seq(l) != 2)
			abort();
		(void)ledger_last_committed(l, NULL);
		(void)ledger_next_archive(l, "emr");
		(void)ledger_next_run(l);
		/* the same line again is out of order */
		if (!ledger_take(l, line.p, line.n, &err))
			abort();
	}
	ledger_free(l);
	return 0;
}
