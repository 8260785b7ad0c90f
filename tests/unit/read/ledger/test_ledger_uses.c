/* ledger_uses: what slips, sign-offs and envelopes amount to. */
#include "scribe.h"

#include "base/clock.h"

#define DAY (INT64_C(86400) * SECOND_NS)

static json_t *drill(const char *dataset, int generation, const char *hash, int failed)
{
	return json_pack("{s:[{s:s, s:i, s:s}], s:i, s:[], s:i}", "opened", "dataset", dataset, "generation",
	    generation, "manifest_sha256", hash, "archives", 1, "failed", "failed_total", failed);
}

/* Takes found (or NULL). */
static json_t *use(int id, int64_t at, const char *signer, const char *envelope, json_t *found)
{
	char uuid[JOURNAL_UUID], time[CLOCK_TEXT];

	snprintf(uuid, sizeof(uuid), "%08d-3c5d-4f60-9a11-2f4b8c0d7e01", id);
	clock_format(at, time);
	return json_pack(
	    "{s:s, s:s, s:n, s:s, s:s, s:[], s:i, s:n, s:s, s:s, s:n, s:n, s:n, s:n, s:o?, s:s?, s:s, s:s?}",
	    "id", uuid, "begun", time, "finished", "command", "key drill", "what", "", "paths", "paths_total",
	    0, "to", "operator", "院長", "host", "pc", "medium", "label", "person", "exit", "drill", found,
	    "envelope", envelope, "slip_sha256", HASH, "signed_by", signer);
}

static json_t *envelope(const char *number, const char *action)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number", number, "action", action,
	    "operator", "院長", "person", "incho", "seal", action, "place", "金庫", "holder", "事務長");
}

static void must(struct scribe *s, const char *event, json_t *o)
{
	struct err err = ERR_INIT;

	if (put(s, event, o, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void refused(const char *event, json_t *o, const char *code)
{
	struct scribe s;
	struct err err = ERR_INIT;

	ready(&s);
	must(&s, "use", use(1, T0, NULL, NULL, NULL));
	must(&s, "envelope", envelope("A", "added"));
	assert_int_equal(put(&s, event, o, &err), -1);
	assert_string_equal(err.code, code);
	end(&s);
}

static void uses_are_counted_until_somebody_has_looked(void **state)
{
	struct scribe s;
	size_t declared;
	int64_t since;
	(void)state;

	ready(&s);
	must(&s, "use", use(1, T0 + DAY, NULL, NULL, NULL));
	must(&s, "use", use(2, T0, "院長", NULL, NULL));
	assert_int_equal(ledger_uses_new(s.ledger, &declared, &since), 2);
	assert_true(declared == 1 && since == 0);
	/* a clock that is ahead is not believed */
	assert_true(ledger_use(s.ledger, 0)->at_ns < T0 + DAY && ledger_use(s.ledger, 1)->at_ns == T0);
	must(&s, "uses-reviewed", json_pack("{s:i, s:i, s:s}", "uses", 2, "declared", 1, "operator", "院長"));
	assert_int_equal(ledger_uses_new(s.ledger, &declared, &since), 0);
	assert_true(declared == 0 && since > T0);
	must(&s, "use", use(3, T0, NULL, NULL, NULL));
	assert_int_equal(ledger_uses_new(s.ledger, &declared, &since), 1);
	assert_true(ledger_uses(s.ledger) == 3 && ledger_use(s.ledger, 0)->reviewed);
	end(&s);
}

static void a_drill_shows_what_was_opened(void **state)
{
	static const char other[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	struct scribe s;
	int64_t at;
	(void)state;

	ready(&s);
	for (int n = 1; n <= 3; n++) {
		must(&s, "begin", begin_of("emr", n));
		must(&s, "committed", committed("emr", n));
	}
	must(&s, "use", use(1, T0 + 1, NULL, NULL, drill("emr", 2, other, 0)));
	must(&s, "use", use(2, T0 + 2, NULL, NULL, drill("emr", 9, HASH, 0)));
	must(&s, "use", use(3, T0 + 3 * SECOND_NS, NULL, NULL, drill("emr", 3, HASH, 1)));
	assert_null(ledger_opened(s.ledger, "emr"));
	assert_int_equal(ledger_drill_failed(s.ledger, &at), 1);
	assert_int_equal(at, T0 + 3 * SECOND_NS);
	must(&s, "use", use(4, T0 + 4 * SECOND_NS, NULL, NULL, drill("emr", 2, HASH, 0)));
	assert_int_equal(ledger_opened(s.ledger, "emr")->generation, 2);
	assert_true(ledger_opened(s.ledger, "emr")->declared);
	assert_int_equal(ledger_drill_failed(s.ledger, &at), 0);
	must(&s, "use", use(5, T0, "院長", NULL, drill("emr", 2, HASH, 0)));
	assert_false(ledger_opened(s.ledger, "emr")->declared);
	/* an older one takes nothing back */
	must(&s, "use", use(6, T0, NULL, NULL, drill("emr", 1, HASH, 0)));
	assert_int_equal(ledger_opened(s.ledger, "emr")->generation, 2);
	assert_int_equal(
	    ledger_opened(s.ledger, "emr")->begun_ns, ledger_generation_of(s.ledger, "emr", 2)->begun_ns);
	end(&s);
}

static void envelopes_are_opened_and_sealed(void **state)
{
	const struct ledger_envelope *e;
	struct scribe s;
	(void)state;

	ready(&s);
	must(&s, "envelope", envelope("A", "added"));
	e = ledger_envelope_of(s.ledger, "A");
	assert_true(!e->open && !e->opened_ns && !e->drilled_ns && e->added_ns > T0);
	must(&s, "use", use(1, T0, NULL, "A", NULL)); /* before it was sealed */
	e = ledger_envelope_of(s.ledger, "A");
	assert_true(!e->open && e->opened_ns == T0 && !e->drilled_ns);
	must(&s, "use", use(2, T0 + DAY, NULL, "A", drill("emr", 1, HASH, 0)));
	e = ledger_envelope_of(s.ledger, "A");
	assert_true(e->open && e->drilled_ns == e->opened_ns && e->drilled_ns > T0);
	must(&s, "envelope", envelope("A", "sealed"));
	assert_string_equal(ledger_envelope_of(s.ledger, "A")->seal, "sealed");
	assert_false(ledger_envelope_of(s.ledger, "A")->open);
	must(&s, "envelope", envelope("A", "opened"));
	assert_true(ledger_envelope_of(s.ledger, "A")->open);
	must(&s, "envelope", envelope("A", "retired"));
	assert_null(ledger_envelope_of(s.ledger, "A"));
	must(&s, "envelope", envelope("A", "added"));
	assert_int_equal(ledger_envelopes(s.ledger), 2);
	end(&s);
}

static void contradictions_are_refused(void **state)
{
	json_t *o = use(2, T0, NULL, NULL, NULL);
	(void)state;

	refused("use", use(1, T0, "院長", NULL, NULL), "E-LEDGER-02"); /* that slip is on record */
	json_object_set_new(o, "exit", json_string("0"));
	refused("use", o, "E-LEDGER-01");
	o = use(2, T0, NULL, NULL, NULL);
	json_object_del(o, "slip_sha256");
	refused("use", o, "E-LEDGER-01");
	refused("uses-reviewed", json_pack("{s:i, s:i}", "uses", 1, "declared", 1), "E-LEDGER-01");
	refused("envelope", envelope("A", "added"), "E-LEDGER-02");
	refused("envelope", envelope("B", "opened"), "E-LEDGER-02");
	refused("envelope", envelope("A", "burnt"), "E-LEDGER-01");
	refused("envelope", envelope("A b", "added"), "E-LEDGER-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(uses_are_counted_until_somebody_has_looked),
	    cmocka_unit_test(a_drill_shows_what_was_opened),
	    cmocka_unit_test(envelopes_are_opened_and_sealed), cmocka_unit_test(contradictions_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
