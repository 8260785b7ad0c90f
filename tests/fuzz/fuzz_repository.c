/* fuzz_repository: lines of a journal, with the key known and unknown; repository.json and its signature. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/journal.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"
#include "read/vault/repository.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct minisig_secret key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t seed[32] = {1};

	(void)argc, (void)argv;
	if (sodium_init() < 0)
		abort();
	minisig_from_seed(seed, &key);
	return 0;
}

/* Every line as it is.  What is accepted must be what the accessors say. */
static void as_it_is(const uint8_t *p, size_t n, const struct minisig_public *root)
{
	struct err err = ERR_INIT;
	struct ledger *l;
	const uint8_t *end;

	if (ledger_new(root, &l, &err))
		abort();
	for (; n && (end = memchr(p, '\n', n)); n -= (size_t)(end + 1 - p), p = end + 1) {
		uint64_t before = ledger_seq(l);

		if (ledger_take(l, p, (size_t)(end - p), &err)) {
			if (!err.code[0])
				abort();
			break;
		}
		if (ledger_seq(l) != before + 1)
			abort();
	}
	ledger_free(l);
}

/* The members of each line, properly framed and signed: what a person with the key could make readers
 * swallow. */
static void signed_members(const uint8_t *p, size_t n)
{
	struct err err = ERR_INIT;
	struct ledger *l;
	const uint8_t *end;

	if (ledger_new(NULL, &l, &err))
		abort();
	for (; n && (end = memchr(p, '\n', n)); n -= (size_t)(end + 1 - p), p = end + 1) {
		struct journal_frame f = {.seq = ledger_seq(l) + 1,
		    .version = "1",
		    .by = "x",
		    .repository = "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01",
		    .epoch = 1};
		BUF_AUTO line = BUF_INIT(JOURNAL_LINE_MAX);
		json_t *o = json_loadb((const char *)p, (size_t)(end - p), JSON_REJECT_DUPLICATES, NULL);
		const char *event = json_string_value(json_object_get(o, "event"));
		char word[80] = "";
		static const char *const frame[] = {"seq", "time", "boot", "mono_ns", "synced", "version",
		    "by", "repository", "event", "prev", "epoch", "sig"};
		int built, accepts;

		memcpy(f.prev, ledger_head(l), DIGEST_LEN);
		if (event)
			snprintf(word, sizeof(word), "%s", event);
		for (size_t i = 0; i < sizeof(frame) / sizeof(*frame); i++)
			json_object_del(o, frame[i]);
		accepts = ledger_accepts(l, word, o, &err);
		built = journal_build(&f, word, o, &key, &line, &err);
		json_decref(o);
		if (built || ledger_take(l, line.p, line.n, &err)) {
			/* what the ledger refuses after it was written must have been refused before */
			if (!built && !accepts && ledger_seq(l) == f.seq)
				abort();
			break;
		}
	}
	ledger_free(l);
}

static void repository(const uint8_t *p, size_t n)
{
	const uint8_t *end = memchr(p, '\n', n);
	struct repository *r;
	BUF_AUTO json = BUF_INIT(1 << 20);
	BUF_AUTO sig = BUF_INIT(1 << 20);

	if (!end || buf_append(&json, p, (size_t)(end + 1 - p), NULL) ||
	    buf_append(&sig, end + 1, n - (size_t)(end + 1 - p), NULL))
		return;
	if (!repository_parse(&json, &sig, NULL, &r, NULL))
		repository_free(r);
	if (!repository_parse(&json, &sig, &key.pub, &r, NULL))
		repository_free(r);
}

/* A list of keys: every line that is accepted adds exactly one. */
static void links(const uint8_t *p, size_t n)
{
	struct journal_check *c;
	const uint8_t *end;

	if (journal_check_new_links(&key.pub, "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01", &c, NULL))
		abort();
	for (; n && (end = memchr(p, '\n', n)); n -= (size_t)(end + 1 - p), p = end + 1) {
		struct journal_record r;
		size_t before, after;

		(void)journal_check_keys(c, &before);
		if (journal_check_line(c, p, (size_t)(end - p), &r, NULL))
			break;
		journal_record_clear(&r);
		if ((void)journal_check_keys(c, &after), after != before + 1)
			abort();
	}
	journal_check_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	links(data, size);
	as_it_is(data, size, NULL);
	as_it_is(data, size, &key.pub);
	signed_members(data, size);
	repository(data, size);
	return 0;
}
