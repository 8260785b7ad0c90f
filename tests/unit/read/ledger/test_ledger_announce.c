/* ledger_announce: when an announced change is in force; ledger_canary: the canaries that bkp made. */
#include "scribe.h"

#include "base/clock.h"
#include "format/guard/announce.h"
#include "format/guard/guard.h"

#define DAY (INT64_C(86400) * SECOND_NS)

static json_t *announced(int number, int64_t from, int64_t until)
{
	char a[CLOCK_TEXT], b[CLOCK_TEXT];

	return json_pack("{s:i, s:s, s:[s], s:s, s:s, s:[s, s], s:s}", "number", number, "text",
	    "ソフトウェア更新", "datasets", "emr", "from", clock_format(from, a), "until",
	    clock_format(until, b), "expects", "changed", "deleted", "operator", "佐藤");
}

static json_t *with(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
	return o;
}

static json_t *placed(int number, const char *list)
{
	return json_pack("{s:s, s:[{s:i, s:s}, {s:i, s:s}], s:s, s:s}", "dataset", "emr", "canaries",
	    "number", number, "sha256", HASH, "number", number + 1, "sha256", HASH, "list_sha256", list,
	    "operator", "佐藤");
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
	must(&s, "announced", announced(1, T0, T0 + DAY));
	must(&s, "canary-placed", placed(1, HASH));
	assert_int_equal(put(&s, event, o, &err), -1);
	assert_string_equal(err.code, code);
	end(&s);
}

static bool in_force(const struct scribe *s, size_t i, const char *dataset, int64_t at)
{
	return ledger_announced(s->ledger, ledger_announcement(s->ledger, i), dataset, at);
}

static void it_is_in_force_for_its_time_and_its_data_sets(void **state)
{
	struct scribe s;
	(void)state;

	ready(&s);
	must(&s, "announced", announced(1, T0 + DAY, T0 + 3 * DAY));
	assert_int_equal(ledger_announcements(s.ledger), 1);
	assert_int_equal(ledger_announcement(s.ledger, 0)->expects, GUARD_E_CHANGED | GUARD_E_DELETED);
	assert_false(in_force(&s, 0, "emr", T0 + DAY - SECOND_NS));
	assert_true(in_force(&s, 0, "emr", T0 + DAY) && in_force(&s, 0, NULL, T0 + DAY));
	assert_false(in_force(&s, 0, "documents", T0 + 2 * DAY));
	assert_true(in_force(&s, 0, "emr", T0 + 3 * DAY - SECOND_NS));
	assert_false(in_force(&s, 0, "emr", T0 + 3 * DAY));
	must(&s, "announcement-ended", json_pack("{s:i, s:s}", "number", 1, "operator", "鈴木"));
	assert_false(in_force(&s, 0, "emr", T0 + 2 * DAY));
	assert_string_equal(ledger_announcement(s.ledger, 0)->ended_by, "鈴木");
	end(&s);
}

/* Whoever sets the clock back, or forward, does not bring one into force. */
static void the_clock_brings_none_back(void **state)
{
	struct scribe s;
	(void)state;

	ready(&s);
	must(&s, "announced", announced(1, T0, T0 + DAY));
	must(&s, "announced", announced(2, T0, T0 + 30 * DAY));
	s.at_ns = T0 + 2 * DAY;
	must(&s, "policy", json_pack("{s:s, s:i}", "sha256", HASH, "bytes", 1));
	assert_false(in_force(&s, 0, "emr", T0 + SECOND_NS));
	assert_true(in_force(&s, 1, "emr", T0 + 2 * DAY));
	must(&s, "clock-jump",
	    json_pack(
		"{s:s, s:s, s:s, s:i}", "source", "journal", "before", "x", "after", "y", "seconds", 900));
	assert_false(in_force(&s, 1, "emr", T0 + 2 * DAY));
	must(&s, "clock-attested", json_pack("{s:s}", "operator", "佐藤"));
	assert_true(in_force(&s, 1, "emr", T0 + 2 * DAY));
	assert_false(in_force(&s, 0, "emr", T0 + SECOND_NS));
	end(&s);
}

static void what_is_no_announcement_is_refused(void **state)
{
	char long_text[ANNOUNCE_TEXT + 1];
	(void)state;

	memset(long_text, 'x', ANNOUNCE_TEXT);
	long_text[ANNOUNCE_TEXT] = '\0';
	refused("announced", announced(1, T0, T0 + DAY), "E-LEDGER-02");
	refused("announced", announced(3, T0, T0 + DAY), "E-LEDGER-02");
	refused("announced", announced(2, T0, T0), "E-LEDGER-01");
	refused("announced", announced(2, T0, T0 + 33 * DAY), "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "from", json_string("today")), "E-LEDGER-01");
	refused(
	    "announced", with(announced(2, T0, T0 + DAY), "text", json_string("a\033[2J")), "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "text", json_string(long_text)), "E-LEDGER-01");
	refused(
	    "announced", with(announced(2, T0, T0 + DAY), "operator", json_string("a\nb")), "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "expects", json_array()), "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "expects", json_pack("[s]", "canary")),
	    "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "datasets", json_array()), "E-LEDGER-01");
	refused("announced", with(announced(2, T0, T0 + DAY), "datasets", json_pack("[s]", "../x")),
	    "E-LEDGER-01");
	refused("announcement-ended", json_pack("{s:i, s:s}", "number", 2, "operator", "x"), "E-LEDGER-02");
	refused("announcement-ended", json_pack("{s:i, s:s}", "number", 0, "operator", "x"), "E-LEDGER-02");
}

static json_t *with_guard(json_t *o, json_t *guard)
{
	json_object_set_new(o, "guard", guard);
	return o;
}

static void a_notice_is_no_suspicion_and_no_history(void **state)
{
	const struct ledger_generation *g;
	struct scribe s;
	(void)state;

	ready(&s);
	must(&s, "begin", begin(1));
	must(&s, "committed",
	    with_guard(
		committed("emr", 1), json_pack("{s:b, s:i, s:b, s:[s, s], s:{s:s, s:i}}", "measured", 1,
					 "deleted", 9, "suspect", 0, "reasons", "deleted", "changed",
					 "notice", "text", "9 of 9; announced", "announced", 1)));
	g = ledger_generation_of(s.ledger, "emr", 1);
	assert_string_equal(g->notice, "9 of 9; announced");
	assert_true(!g->suspect && ledger_counts(s.ledger, g));
	assert_int_equal(g->guard.reasons, GUARD_R_DELETED | GUARD_R_CHANGED);
	assert_int_equal(g->guard.noticed, g->guard.reasons);
	assert_null(ledger_frozen_by(s.ledger));
	end(&s);
}

static void canaries_are_known_by_number_until_they_are_given_up(void **state)
{
	const struct ledger_placed *p;
	struct scribe s;
	(void)state;

	ready(&s);
	assert_null(ledger_placed(s.ledger, "emr"));
	must(&s, "canary-placed", placed(1, HASH));
	must(&s, "canary-placed", placed(3, HASH));
	p = ledger_placed(s.ledger, "emr");
	assert_true(p->n == 4 && p->last == 4 && p->all[3].number == 4 && !p->all[3].given_up);
	assert_null(ledger_placed(s.ledger, "documents"));
	must(&s, "begin", begin(1));
	must(&s, "committed",
	    with_guard(committed("emr", 1),
		json_pack("{s:b, s:s, s:[i, i]}", "suspect", 1, "why", "2 canaries", "placed", 2, 99)));
	assert_false(ledger_placed_given_up(p, 2));
	must(&s, "accepted",
	    json_pack("{s:s, s:i, s:s, s:s}", "dataset", "emr", "generation", 1, "operator", "佐藤", "reason",
		"x"));
	p = ledger_placed(s.ledger, "emr");
	assert_true(
	    ledger_placed_given_up(p, 2) && !ledger_placed_given_up(p, 1) && !ledger_placed_given_up(p, 99));
	must(&s, "canary-removed",
	    json_pack("{s:s, s:s, s:s}", "dataset", "emr", "list_sha256", HASH, "operator", "佐藤"));
	p = ledger_placed(s.ledger, "emr");
	assert_true(p->n == 0 && p->removed == 2 && p->last == 4);
	must(&s, "canary-placed", placed(5, HASH));
	assert_false(ledger_placed(s.ledger, "emr")->all[0].given_up);
	end(&s);
}

static void what_is_no_canary_is_refused(void **state)
{
	json_t *many = json_array();
	(void)state;

	for (int i = 0; i < 63; i++)
		json_array_append_new(many, json_pack("{s:i, s:s}", "number", 10 + i, "sha256", HASH));
	refused("canary-placed", placed(2, HASH), "E-LEDGER-02"); /* 2 was given */
	refused("canary-placed", placed(3, "x"), "E-LEDGER-01");
	refused("canary-placed", with(placed(3, HASH), "dataset", json_string("../x")), "E-LEDGER-01");
	refused("canary-placed", with(placed(3, HASH), "canaries", json_array()), "E-LEDGER-01");
	refused("canary-placed", with(placed(3, HASH), "canaries", json_pack("[i]", 3)), "E-LEDGER-01");
	refused(
	    "canary-placed", with(placed(3, HASH), "canaries", many), "E-LEDGER-01"); /* 65 of the data set */
	refused("canary-removed",
	    json_pack("{s:s, s:s, s:s}", "dataset", "documents", "list_sha256", HASH, "operator", "x"),
	    "E-LEDGER-02");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_in_force_for_its_time_and_its_data_sets),
	    cmocka_unit_test(the_clock_brings_none_back),
	    cmocka_unit_test(what_is_no_announcement_is_refused),
	    cmocka_unit_test(a_notice_is_no_suspicion_and_no_history),
	    cmocka_unit_test(canaries_are_known_by_number_until_they_are_given_up),
	    cmocka_unit_test(what_is_no_canary_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
