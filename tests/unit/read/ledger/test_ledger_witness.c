/* ledger_witness: the hash of every record, and who stands for how much of them. */
#include "scribe.h"

#include "base/clock.h"
#include "format/journal/approval.h"

struct witness {
	struct minisig_secret sec;
	char key[MINISIG_KEY_TEXT];
};

static void become(struct witness *w, uint8_t seed)
{
	const uint8_t all[32] = {seed};

	minisig_from_seed(all, &w->sec);
	minisig_public_format(&w->sec.pub, w->key);
}

/* The record of a countersignature up to `upto`, as `by` signs it over what stands in `statement` (NULL: what is true). */
static json_t *countersigned(
    const struct scribe *s, const struct witness *by, uint64_t upto, const char *statement)
{
	BUF_AUTO text = BUF_INIT(4096);
	BUF_AUTO sig = BUF_INIT(4096);
	struct err err = ERR_INIT;

	if (statement)
		assert_int_equal(buf_puts(&text, statement, &err), 0);
	else
		assert_int_equal(ledger_head_statement(s->ledger, upto, &text, &err), 0);
	assert_int_equal(minisig_sign(&by->sec, text.p, text.n, "a test", &sig, &err), 0);
	return json_pack("{s:I, s:s%, s:s%, s:s, s:s, s:b}", "upto", (json_int_t)upto, "statement",
	    (char *)text.p, text.n, "signature", (char *)sig.p, sig.n, "key", by->key, "name", "監査",
	    "known", 0);
}

static void every_record_has_its_hash(void **state)
{
	struct scribe s;
	uint64_t n = 0;
	size_t at = 0;
	(void)state;

	ready(&s);
	for (int i = 0; i < 600; i++) {
		struct err err = ERR_INIT;

		assert_int_equal(put(&s, "notified", json_pack("{s:b}", "ok", 1), &err), 0);
	}
	while (at < s.bytes.n) {
		const size_t len =
		    (size_t)((uint8_t *)memchr(s.bytes.p + at, '\n', s.bytes.n - at) - s.bytes.p) - at;
		const struct ledger_head *h = ledger_head_of(s.ledger, ++n);
		uint8_t want[DIGEST_LEN];

		digest_sha256(s.bytes.p + at, len, want);
		assert_memory_equal(h->sha256, want, DIGEST_LEN);
		assert_int_equal(h->at_ns, T0 + (int64_t)n * 60000000000);
		at += len + 1;
	}
	assert_int_equal(n, ledger_seq(s.ledger));
	assert_null(ledger_head_of(s.ledger, 0));
	assert_null(ledger_head_of(s.ledger, n + 1));
	end(&s);
}

static void who_reaches_furthest_is_told(void **state)
{
	struct witness a, b;
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	become(&a, 1);
	become(&b, 2);
	ready(&s);
	assert_null(ledger_countersigned(s.ledger));
	assert_int_equal(put(&s, "countersigned", countersigned(&s, &a, 2, NULL), &err), 0);
	assert_int_equal(put(&s, "countersigned", countersigned(&s, &b, 1, NULL), &err), 0);
	assert_int_equal(ledger_countersigned(s.ledger)->upto, 2);
	assert_string_equal(ledger_countersigned(s.ledger)->key, a.key);
	/* the same head by another, and a later one by the same */
	assert_int_equal(put(&s, "countersigned", countersigned(&s, &b, 2, NULL), &err), 0);
	assert_string_equal(ledger_countersigned(s.ledger)->key, b.key);
	assert_int_equal(
	    put(&s, "countersigned", countersigned(&s, &a, ledger_seq(s.ledger), NULL), &err), 0);
	assert_int_equal(ledger_countersigned(s.ledger)->upto, ledger_countersigned(s.ledger)->seq - 1);
	assert_int_equal(ledger_countersigns(s.ledger), 4);
	assert_string_equal(ledger_countersign(s.ledger, 1)->name, "監査");
	assert_non_null(ledger_countersigned_same(s.ledger, 1, b.key));
	assert_null(ledger_countersigned_same(s.ledger, 1, a.key));
	end(&s);
}

/* Is refused; o is taken. */
static void refused(struct scribe *s, json_t *o, const char *code)
{
	struct err err = ERR_INIT;

	assert_int_equal(ledger_accepts(s->ledger, "countersigned", o, &err), -1);
	assert_string_equal(err.code, code);
	json_decref(o);
}

static void what_was_not_signed_is_refused(void **state)
{
	struct witness a, b;
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	become(&a, 1);
	become(&b, 2);
	ready(&s);
	assert_int_equal(put(&s, "countersigned", countersigned(&s, &a, 2, NULL), &err), 0);
	refused(&s, countersigned(&s, &a, 2, NULL), "E-LEDGER-02"); /* twice */
	o = countersigned(&s, &a, 1, NULL);
	json_object_set_new(o, "upto", json_integer(3)); /* another record than was signed */
	refused(&s, o, "E-LEDGER-02");
	o = countersigned(&s, &a, 1, NULL);
	json_object_set_new(o, "key", json_string(b.key));
	refused(&s, o, "E-LEDGER-02");
	o = countersigned(&s, &a, 1,
	    "bkp:1 kind=head\nrepository " REPO "\nhead 1 " HASH "\nrecorded 2026-11-21T02:00:00Z\n");
	refused(&s, o, "E-LEDGER-02");
	for (uint64_t upto = ledger_seq(s.ledger) + 1; upto < ledger_seq(s.ledger) + 3; upto++)
		refused(&s, countersigned(&s, &a, upto, "x"), "E-LEDGER-02");
	refused(&s, countersigned(&s, &a, 0, "x"), "E-LEDGER-02");
	static const char *const members[] = {"upto", "statement", "signature", "key", "name", "known"};
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		o = countersigned(&s, &b, 1, NULL);
		json_object_del(o, members[i]);
		refused(&s, o, "E-LEDGER-01");
	}
	end(&s);
}

static void a_statement_says_one_head(void **state)
{
#define HEAD "bkp:1 kind=head\nrepository " REPO "\nhead 7 " HASH "\nrecorded 2026-11-21T02:00:00Z\n"
	static const char *const bad[] = {"", "\n", HEAD "x", HEAD "\n", "bkp:1 kind=head\n",
	    "bkp:2 kind=head\nrepository " REPO "\nhead 7 " HASH "\nrecorded 2026-11-21T02:00:00Z\n",
	    "bkp:1 kind=head\nrepository " REPO "\nhead 7 " HASH "\nrecorded 2026-13-21T02:00:00Z\n",
	    "bkp:1 kind=head\nrepository " REPO "\nhead 7 " HASH "a\nrecorded 2026-11-21T02:00:00Z\n",
	    "bkp:1 kind=head\nrepository " REPO "\nhead +7 " HASH "\nrecorded 2026-11-21T02:00:00Z\n",
	    "bkp:1 kind=head\r\nrepository " REPO "\r\nhead 7 " HASH "\r\nrecorded 2026-11-21T02:00:00Z\r\n"};
	struct approval_record head;
	char repository[JOURNAL_UUID];
	BUF_AUTO b = BUF_INIT(4096);
	struct err err = ERR_INIT;
	int64_t ns;
	(void)state;

	assert_int_equal(approval_head_parse(HEAD, strlen(HEAD), repository, &head, &err), 0);
	assert_string_equal(repository, REPO);
	assert_true(head.seq == 7 && head.sha256[31] == 0xaa);
	assert_int_equal(clock_parse("2026-11-21T02:00:00Z", &ns), 0);
	assert_int_equal(approval_head(REPO, &head, ns, &b, &err), 0);
	assert_true(b.n == strlen(HEAD) && !memcmp(b.p, HEAD, b.n));
	for (size_t n = 0; n < strlen(HEAD); n++)
		assert_int_equal(approval_head_parse(HEAD, n, repository, &head, NULL), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = (struct err)ERR_INIT;
		assert_int_equal(approval_head_parse(bad[i], strlen(bad[i]), repository, &head, &err), -1);
		assert_string_equal(err.code, "E-APPROVAL-03");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_record_has_its_hash),
	    cmocka_unit_test(who_reaches_furthest_is_told), cmocka_unit_test(what_was_not_signed_is_refused),
	    cmocka_unit_test(a_statement_says_one_head)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
