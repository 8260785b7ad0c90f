/* approval: what people sign, with stock minisign; and what the ledger makes of it. */
#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "format/journal/approval.h"
#include "scribe.h"

static json_t *terms(int generations, const char *approver)
{
	json_t *o = json_pack("{s:[{s:s, s:i, s:i, s:i, s:i, s:i, s:i}], s:[]}", "datasets", "name", "emr",
	    "generations", generations, "protect_s", 86400, "daily", 7, "weekly", 0, "monthly", 0, "yearly",
	    0, "approvers");

	if (approver)
		json_array_append_new(json_object_get(o, "approvers"), json_string(approver));
	return o;
}

static const char *key_of(const char *name)
{
	static char keys[4][MINISIG_KEY_TEXT];
	static int turn;
	char *k = keys[turn++ % 4];
	BUF_AUTO b = BUF_INIT(4096);
	struct minisig_public pub;
	struct err err = ERR_INIT;
	char file[64];

	snprintf(file, sizeof(file), "%s.pub", name);
	get_file(file, &b);
	assert_int_equal(minisig_public_file_parse((char *)b.p, b.n, &pub, &err), 0);
	return minisig_public_format(&pub, k);
}

/* Signs with stock minisign. */
static void sign(const char *name, const struct buf *text, const char *options, struct buf *sig)
{
	put_file("text", text->p, text->n);
	assert_int_equal(
	    sh("rm -f text.minisig && minisign -S %s -s %s.key -m text >/dev/null", options, name), 0);
	sig->n = 0;
	get_file("text.minisig", sig);
}

static int setup(void **state)
{
	return sodium_init() < 0 || scratch_setup(state) ||
	       sh("for k in boss thief; do minisign -G -W -p $k.pub -s $k.key >/dev/null || exit 1; done");
}

static void texts_are_what_the_format_says(void **state)
{
	const struct approval_record r = {7, {0xab}};
	BUF_AUTO b = BUF_INIT(APPROVAL_TEXT_MAX);
	json_t *o = terms(5, "RWx");
	struct err err = ERR_INIT;
	(void)state;

	json_object_set_new(json_array_get(json_object_get(o, "datasets"), 0), "name", json_string("電 x\n"));
	assert_int_equal(approval_agreement(REPO, &r, o, &b, &err), 0);
	assert_int_equal(buf_terminate(&b, &err), 0);
	assert_string_equal((char *)b.p,
	    "bkp:1 kind=agreement\nrepository " REPO
	    "\nafter 7 ab00000000000000000000000000000000000000000000000000000000000000\n"
	    "dataset %E9%9B%BB%20x%0A generations=5 protect_s=86400 daily=7 weekly=0 monthly=0 yearly=0\n"
	    "approver RWx\n");
	b.n = 0;
	assert_int_equal(approval_clock(REPO, &r, "Sato", "a\nreason x", &b, &err), 0);
	assert_int_equal(buf_terminate(&b, &err), 0);
	assert_string_equal((char *)b.p,
	    "bkp:1 kind=clock\nrepository " REPO
	    "\njump 7 ab00000000000000000000000000000000000000000000000000000000000000\n"
	    "operator Sato\nreason a%0Areason%20x\n");
	json_decref(o);
}

static void plan_text(struct buf *b)
{
	const struct approval_record r = {7, {0xab}};
	struct err err = ERR_INIT;

	assert_int_equal(approval_plan_begin(REPO, &r, b, &err) ||
			     approval_plan_medium(NAS, "n a s", b, &err) ||
			     approval_plan_generation("emr", 1, GEN, b, &err) ||
			     approval_plan_note("理由\ngeneration emr@9", b, &err) ||
			     approval_plan_generation("emr", 12, GEN, b, &err) ||
			     approval_plan_generation("documents", 3, GEN, b, &err) ||
			     approval_plan_medium(RDX, "RDX-01", b, &err) ||
			     approval_plan_generation("emr", 1, GEN, b, &err),
	    0);
}

static void a_plan_comes_back_as_it_was(void **state)
{
	BUF_AUTO b = BUF_INIT(APPROVAL_TEXT_MAX);
	struct approval_plan *p = NULL;
	struct err err = ERR_INIT;
	(void)state;

	plan_text(&b);
	assert_non_null(memmem(
	    b.p, b.n, "\ngeneration documents@3 " GEN "\n", strlen("\ngeneration documents@3 " GEN "\n")));
	assert_int_equal(approval_plan_parse((char *)b.p, b.n, &p, &err), 0);
	assert_string_equal(p->repository, REPO);
	assert_true(p->head.seq == 7 && p->head.sha256[0] == 0xab && p->n == 4);
	assert_true(approval_plan_has(p, NAS, "emr", 1) && approval_plan_has(p, NAS, "emr", 12) &&
		    approval_plan_has(p, NAS, "documents", 3) && approval_plan_has(p, RDX, "emr", 1));
	assert_false(approval_plan_has(p, RDX, "emr", 12) || approval_plan_has(p, NAS, "emr", 9) ||
		     approval_plan_has(p, NAS, "emr", 2));
	/* the same number of another data set is another generation */
	assert_false(approval_plan_has(p, NAS, "documents", 1) || approval_plan_has(p, NAS, "emr", 3) ||
		     approval_plan_has(p, NAS, "em", 1));
	approval_plan_free(p);
}

/* Every shorter plan that does not end at a line, and every changed byte in what counts, is refused or says
 * what it says. */
static void malformed_plans_are_refused(void **state)
{
	static const char *const bad[] = {"", "\n", "bkp:1 kind=agreement\n", "bkp:1 kind=expiry\n",
	    "bkp:1 kind=expiry\nrepository x\n", "generation emr@1 " GEN "\n"};
#define ON "medium " NAS " n\n"
	static const char *const tails[] = {"generation emr@1 " GEN "\n" /* no medium */, "medium " NAS "\n",
	    "medium x y\n", ON "generation emr@0 " GEN "\n", ON "generation emr@01 " GEN "\n",
	    ON "generation emr@2 " GEN "\ngeneration emr@2 " GEN "\n", ON "generation emr@2 " GEN " x\n",
	    ON "generation emr@99999999999999999999 " GEN "\n", "\n", " \n", "else\n",
	    ON "generation emr@2 " GEN,
	    /* of a run, of no data set, of names that are none */
	    ON "generation 2 " GEN "\n", ON "generation @2 " GEN "\n", ON "generation latest@2 " GEN "\n",
	    ON "generation ../emr@2 " GEN "\n", ON "generation EMR@2 " GEN "\n",
	    ON "generation emr@latest " GEN "\n", ON "generation emr@2@2 " GEN "\n",
	    ON "generation a23456789012345678901234567890123@2 " GEN "\n",
	    /* a data set descends, or comes a second time */
	    ON "generation emr@3 " GEN "\ngeneration emr@2 " GEN "\n",
	    ON "generation emr@2 " GEN "\ngeneration documents@2 " GEN "\ngeneration emr@3 " GEN "\n"};
#undef ON
	BUF_AUTO b = BUF_INIT(APPROVAL_TEXT_MAX);
	struct approval_plan *p = NULL;
	struct err err = ERR_INIT;
	size_t head;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(approval_plan_parse(bad[i], strlen(bad[i]), &p, &err), -1);
	plan_text(&b);
	for (size_t n = 0; n < b.n; n++)
		if (!n || b.p[n - 1] != '\n')
			assert_int_equal(approval_plan_parse((char *)b.p, n, &p, &err), -1);
	head = (size_t)((uint8_t *)memmem(b.p, b.n, "medium", 6) - b.p);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		b.n = head;
		assert_int_equal(buf_puts(&b, tails[i], &err), 0);
		if (!approval_plan_parse((char *)b.p, b.n, &p, &err))
			fail_msg("accepted: %s", tails[i]);
		assert_string_equal(err.code, "E-APPROVAL-01");
	}
}

static void stock_signatures_of_both_kinds_are_taken(void **state)
{
	static const char *const kinds[] = {"-l", "-H"};
	BUF_AUTO text = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	struct minisig_public keys[2];
	struct err err = ERR_INIT;
	size_t which = 9;
	(void)state;

	plan_text(&text);
	assert_int_equal(minisig_public_parse(key_of("thief"), &keys[0], &err) ||
			     minisig_public_parse(key_of("boss"), &keys[1], &err),
	    0);
	for (size_t i = 0; i < 2; i++) {
		sign("boss", &text, kinds[i], &sig);
		assert_int_equal(
		    approval_verify(keys, 2, text.p, text.n, (char *)sig.p, sig.n, &which, &err), 0);
		assert_int_equal(which, 1);
		assert_int_equal(
		    approval_verify(keys, 1, text.p, text.n, (char *)sig.p, sig.n, &which, &err), -1);
		assert_string_equal(err.code, "E-APPROVAL-02");
		text.p[30] ^= 1;
		assert_int_equal(
		    approval_verify(keys, 2, text.p, text.n, (char *)sig.p, sig.n, &which, &err), -1);
		assert_string_equal(err.code, "E-SIG-03");
		text.p[30] ^= 1;
		/* elsewhere only the pure kind is */
		assert_int_equal(minisig_verify(&keys[1], text.p, text.n, (char *)sig.p, sig.n, NULL, &err),
		    i == 0 ? 0 : -1);
	}
	assert_int_equal(approval_verify(keys, 0, text.p, text.n, (char *)sig.p, sig.n, &which, &err), -1);
	assert_int_equal(approval_verify(keys, 2, text.p, text.n, "x", 1, &which, &err), -1);
}

/* ---- what the ledger makes of it ---- */

static json_t *with_approval(json_t *o, const struct minisig_secret *by, const struct scribe *s)
{
	const struct approval_record after = ledger_agreed_at(s->ledger);
	BUF_AUTO text = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	struct err err = ERR_INIT;

	assert_int_equal(approval_agreement(REPO, &after, o, &text, &err) ||
			     minisig_sign(by, text.p, text.n, "test", &sig, &err),
	    0);
	json_object_set_new(o, "approval", json_stringn((char *)sig.p, sig.n));
	return o;
}

static void less_than_agreed_needs_the_root_key(void **state)
{
	static const char *const lower[] = {"generations", "protect_s", "daily"};
	struct minisig_secret thief;
	uint8_t seed[32] = {9};
	struct err err = ERR_INIT;
	json_t *o, *once;
	struct scribe s;
	(void)state;

	minisig_from_seed(seed, &thief);
	for (size_t i = 0; i < 5; i++) {
		ready(&s);
		assert_int_equal(ledger_agreed_at(s.ledger).seq, 0);
		assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
		assert_int_equal(ledger_agreed_at(s.ledger).seq, 4);
		o = terms(5, NULL);
		if (i < 3)
			json_object_set_new(
			    json_array_get(json_object_get(o, "datasets"), 0), lower[i], json_integer(1));
		else if (i == 3)
			json_array_clear(json_object_get(o, "datasets"));
		else
			json_object_set_new(o, "datasets", json_array()), o = with_approval(o, &thief, &s);
		assert_int_equal(put(&s, "agreed", o, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-02");
		end(&s);
	}
	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
	assert_int_equal(put(&s, "agreed", terms(9, NULL), &err), 0); /* more: nobody is asked */
	once = json_deep_copy(o = with_approval(terms(1, NULL), &s.sec, &s));
	assert_int_equal(put(&s, "agreed", o, &err), 0);
	assert_int_equal(ledger_agreed(s.ledger, "emr")->generations, 1);
	assert_int_equal(put(&s, "agreed", terms(9, NULL), &err), 0);
	assert_int_equal(put(&s, "agreed", once, &err), -1); /* that approval was for another day */
	end(&s);
}

static void the_first_approver_is_more_any_other_change_is_less(void **state)
{
	char boss[MINISIG_KEY_TEXT], thief[MINISIG_KEY_TEXT];
	struct err err = ERR_INIT;
	struct scribe s;
	json_t *both;
	(void)state;

	snprintf(boss, sizeof(boss), "%s", key_of("boss"));
	snprintf(thief, sizeof(thief), "%s", key_of("thief"));
	for (int i = 0; i < 4; i++) {
		ready(&s);
		assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
		assert_int_equal(put(&s, "agreed", terms(5, boss), &err), 0);
		assert_int_equal(put(&s, "agreed", terms(6, boss), &err), 0);
		both = terms(6, boss);
		json_array_append_new(
		    json_object_get(both, "approvers"), json_string(i == 3 ? "RWnonsense" : thief));
		assert_int_equal(put(&s, "agreed",
				     i == 0   ? terms(6, thief)
				     : i == 1 ? terms(6, NULL)
					      : json_incref(both),
				     &err),
		    -1);
		json_decref(both);
		end(&s);
	}
}

/* From epoch 2 on a key signs that can be stolen from the host; the root key's word is needed. */
static void the_first_approver_needs_the_root_key(void **state)
{
	struct minisig_secret root, next;
	char key[MINISIG_KEY_TEXT];
	uint8_t seed[32] = {11};
	struct err err = ERR_INIT;
	struct scribe s;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
	minisig_from_seed(seed, &next);
	assert_int_equal(
	    put(&s, "epoch", json_pack("{s:i, s:s}", "next", 2, "key", minisig_public_format(&next.pub, key)),
		&err),
	    0);
	root = s.sec;
	s.sec = next;
	assert_int_equal(put(&s, "agreed", terms(5, key_of("thief")), &err), -1);
	assert_string_equal(err.code, "E-LEDGER-02");
	end(&s);

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
	assert_int_equal(put(&s, "epoch", json_pack("{s:i, s:s}", "next", 2, "key", key), &err), 0);
	s.sec = next;
	assert_int_equal(put(&s, "agreed", with_approval(terms(5, key_of("boss")), &next, &s), &err), -1);
	end(&s);

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(5, NULL), &err), 0);
	assert_int_equal(put(&s, "epoch", json_pack("{s:i, s:s}", "next", 2, "key", key), &err), 0);
	s.sec = next;
	assert_int_equal(put(&s, "agreed", with_approval(terms(5, key_of("boss")), &root, &s), &err), 0);
	assert_int_equal(ledger_approvers(s.ledger), 1);
	end(&s);
}

static json_t *expiry(const char *dataset, int n, const char *plan, const char *by)
{
	json_t *o = copy_of(dataset, n, NAS);

	if (plan)
		json_object_set_new(o, "plan", json_string(plan));
	if (by)
		json_object_set_new(o, "approver", json_string(by));
	return o;
}

static void generations(struct scribe *s, int n)
{
	struct err err = ERR_INIT;

	for (int i = 1; i <= n; i++) {
		assert_int_equal(put(s, "begin", begin(i), &err), 0);
		assert_int_equal(put(s, "committed", committed("emr", i), &err), 0);
		assert_int_equal(put(s, "committed", committed("documents", i), &err), 0);
		assert_int_equal(put(s, "verified", on_medium("emr", i, NAS), &err), 0);
	}
}

static void no_expiry_below_the_floor_nor_without_the_approver(void **state)
{
	BUF_AUTO plan = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	const char *boss = key_of("boss");
	char hex[DIGEST_HEX];
	uint8_t sha256[DIGEST_LEN];
	struct err err = ERR_INIT;
	struct scribe s;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(2, boss), &err), 0);
	generations(&s, 4);
	plan_text(&plan);
	assert_int_equal(put(&s, "expired", expiry("emr", 1, NULL, NULL), &err), -1);
	end(&s);
	for (int i = 0; i < 6; i++) {
		ready(&s);
		assert_int_equal(put(&s, "agreed", terms(2, boss), &err), 0);
		generations(&s, 4);
		sign(i == 1 ? "thief" : "boss", &plan, "-H", &sig);
		digest_sha256(plan.p, plan.n, sha256);
		digest_hex(sha256, DIGEST_LEN, hex);
		assert_int_equal(put(&s, "expiry-approved",
				     json_pack("{s:s%, s:s%, s:s}", "plan", plan.p, plan.n, "signature",
					 sig.p, sig.n, "approver", i == 2 ? key_of("thief") : boss),
				     &err),
		    i == 1 || i == 2 ? -1 : 0);
		if (i == 0) /* it stands in the plan */
			assert_int_equal(put(&s, "expired", expiry("emr", 1, hex, boss), &err), 0);
		if (i == 3) /* it does not, although the floor would allow it */
			assert_int_equal(put(&s, "expired", expiry("emr", 2, hex, boss), &err), -1);
		if (i ==
		    3) { /* the same run's other data set stands in no plan either; nothing was agreed of it */
			assert_int_equal(put(&s, "expired", expiry("documents", 1, hex, boss), &err), -1);
			assert_non_null(strstr(err.msg, "no approver"));
		}
		if (i == 4) /* another plan */
			assert_int_equal(put(&s, "expired", expiry("emr", 1, HASH, boss), &err), -1);
		if (i == 5) {
			/* approved, and yet a damaged one counts for nothing any more */
			assert_int_equal(put(&s, "verify-failed", copy_of("emr", 4, NAS), &err), 0);
			assert_int_equal(put(&s, "verify-failed", copy_of("emr", 3, NAS), &err), 0);
			assert_int_equal(put(&s, "expired", expiry("emr", 1, hex, boss), &err), -1);
		}
		end(&s);
	}
}

/* What was verified of another data set, however much and however new, covers nothing. */
static void a_data_set_is_covered_by_its_own_generations(void **state)
{
	struct err err = ERR_INIT;
	struct scribe s;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(2, NULL), &err), 0); /* of emr */
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(put(&s, "begin", begin(i), &err), 0);
		if (i <= 2)
			assert_int_equal(put(&s, "committed", committed("emr", i), &err), 0);
		assert_int_equal(put(&s, "committed", committed("documents", i), &err), 0);
		assert_int_equal(put(&s, "verified", on_medium("documents", i, NAS), &err), 0);
	}
	assert_int_equal(put(&s, "verified", on_medium("emr", 2, NAS), &err), 0);
	assert_int_equal(put(&s, "expired", copy_of("emr", 1, NAS), &err), -1);
	assert_non_null(strstr(err.msg, "fewer newer generations"));
	end(&s);
}

static json_t *jump(int seconds)
{
	return json_pack(
	    "{s:s, s:s, s:s, s:i}", "source", "monotonic", "before", "a", "after", "b", "seconds", seconds);
}

static json_t *attested(void)
{
	return json_pack("{s:s, s:s}", "operator", "Sato", "reason", "watch");
}

static void a_latched_clock_lets_nothing_expire(void **state)
{
	struct err err = ERR_INIT;
	struct scribe s;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "agreed", terms(1, NULL), &err), 0);
	generations(&s, 4);
	assert_int_equal(put(&s, "clock-jump", jump(-9999), &err), 0);
	assert_true(!ledger_latch(s.ledger)->found_ns);
	assert_int_equal(put(&s, "expired", copy_of("emr", 1, NAS), &err), 0); /* back: nothing is latched */
	assert_int_equal(put(&s, "clock-jump", jump(9999), &err), 0);
	assert_int_equal(put(&s, "clock-jump", jump(-9999), &err), 0); /* and back again opens nothing */
	assert_true(ledger_latch(s.ledger)->found_ns && ledger_latch(s.ledger)->seconds == 9999);
	assert_int_equal(put(&s, "clock-attested", attested(), &err), 0);
	assert_true(!ledger_latch(s.ledger)->found_ns);
	assert_int_equal(put(&s, "expired", copy_of("emr", 2, NAS), &err), 0);
	assert_int_equal(put(&s, "clock-jump", jump(9999), &err), 0);
	assert_int_equal(put(&s, "expired", copy_of("emr", 3, NAS), &err), -1);
	assert_string_equal(err.code, "E-LEDGER-02");
	end(&s);
	ready(&s);
	assert_int_equal(put(&s, "clock-attested", attested(), &err), -1); /* of nothing */
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_what_the_format_says),
	    cmocka_unit_test(a_plan_comes_back_as_it_was),
	    cmocka_unit_test(malformed_plans_are_refused),
	    cmocka_unit_test(stock_signatures_of_both_kinds_are_taken),
	    cmocka_unit_test(less_than_agreed_needs_the_root_key),
	    cmocka_unit_test(the_first_approver_is_more_any_other_change_is_less),
	    cmocka_unit_test(the_first_approver_needs_the_root_key),
	    cmocka_unit_test(no_expiry_below_the_floor_nor_without_the_approver),
	    cmocka_unit_test(a_data_set_is_covered_by_its_own_generations),
	    cmocka_unit_test(a_latched_clock_lets_nothing_expire),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
