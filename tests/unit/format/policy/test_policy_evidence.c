/* policy_evidence: what stands in papers alone: every key read, its words in both languages, what is too old and on which day, the plan,
 * what a change of it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/day.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "format/policy/policy_diff.h"
#include "format/policy/policy_plan.h"

static struct config_problems problems;

static struct policy *good(const char *yaml)
{
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_parse("p.yaml", yaml, strlen(yaml), &policy, &problems, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	return policy;
}

#define HEAD "site: {name: さくら, language: en}\nmedia: [{name: m, type: hdd, path: /m}]\n"
#define ONE  HEAD "datasets: [{name: a, paths: [/a]}]\n"

static const char all_keys[] =
    HEAD "datasets:\n"
	 "  - {name: emr, paths: [/e], importance: A, owner: 医事課, responsibility: ベンダ, "
	 "retention_years: 5, source_host: emr01}\n"
	 "  - {name: docs, paths: [/d], importance: B, responsibility: hospital}\n"
	 "  - {name: logs, paths: [/l], importance: C}\n"
	 "  - {name: misc, paths: [/x]}\n"
	 "excluded:\n"
	 "  - {name: 検査DB, where: 検査室, reason: 電子カルテに同じ値がある, decided_by: 病院長, "
	 "decided_on: 2026-04-01, review_on: 2027-03-31}\n"
	 "external:\n"
	 "  - {name: 予約, vendor: 予約社, what: 予約の表, how_often: 毎日, generations: 7, method: "
	 "クラウド, place: 国内,"
	 " contract: SLA 3条, confirmed_on: 2026-05-06}\n"
	 "contacts:\n"
	 "  - {kind: 医療情報システム事業者, name: 電カル社, person: 担当, tel: 内線 12, mail: a@example.jp, "
	 "hours: 平日, confirmed_on: 2026-08-31}\n"
	 "  - {kind: police, name: 県警}\n"
	 "assets:\n"
	 "  - {name: サーバ, model: X1, maker: 社, serial: S9, bought_on: 2020-01-02, support_until: "
	 "2027-01-31, place: 室, network: 10.0.0.1,"
	 " users: 情報課, os: Debian 12, system: 電子カルテ, use: 記録, data: 診療録, license: L1}\n"
	 "checklist:\n"
	 "  edition: R7\n"
	 "  target: 2027-03-31\n"
	 "  self:\n"
	 "    - {item: 2-④, answer: はい, on: 2026-06-01, by: 課長, why: 台帳で, document: 台帳, target: "
	 "2026-12-31}\n"
	 "    - {item: 2-5, answer: no}\n";

static void every_key_is_read(void **state)
{
	POLICY_AUTO p = good(all_keys);
	const struct policy_dataset *d = p->datasets;
	char date[DAY_TEXT];
	(void)state;

	assert_int_equal(problems.n, 0);
	assert_true(d[0].importance == POLICY_IMPORTANCE_A && d[1].importance == POLICY_IMPORTANCE_B &&
		    d[2].importance == POLICY_IMPORTANCE_C && !d[3].importance);
	assert_string_equal(d[0].owner, "医事課");
	assert_string_equal(d[0].source_host, "emr01");
	assert_true(d[0].responsibility == POLICY_RESPONSIBLE_VENDOR && d[0].retention_years == 5);
	assert_true(
	    d[1].responsibility == POLICY_RESPONSIBLE_HOSPITAL && !d[1].retention_years && !d[1].owner);
	assert_true(p->n_excluded == 1 && p->n_external == 1 && p->n_contacts == 2 && p->n_assets == 1);
	assert_string_equal(p->excluded[0].where, "検査室");
	assert_string_equal(day_format(p->excluded[0].review_on, date), "2027-03-31");
	assert_true(p->external[0].generations == 7 && !strcmp(p->external[0].contract, "SLA 3条"));
	assert_true(
	    p->contacts[0].kind == POLICY_CONTACT_VENDOR && p->contacts[1].kind == POLICY_CONTACT_POLICE);
	assert_true(!p->contacts[1].tel && !p->contacts[1].confirmed_on && p->contacts[1].mark.line == 14);
	assert_string_equal(policy_contact_words[POLICY_CONTACT_EXPERT], "外部有識者(任意)");
	assert_string_equal(policy_contact_words[POLICY_CONTACT_PREFECTURE], "各都道府県衛生主管部（局）");
	assert_string_equal(p->assets[0].license, "L1");
	assert_string_equal(day_format(p->assets[0].support_until, date), "2027-01-31");
	assert_string_equal(p->checklist.edition, "R7");
	assert_int_equal(p->checklist.target, day_from(2027, 3, 31));
	assert_int_equal(p->checklist.n_self, 2);
	assert_true(p->checklist.self[0].answer == POLICY_ANSWER_YES &&
		    p->checklist.self[1].answer == POLICY_ANSWER_NO);
}

/* The words are in both languages, and each kind has both. */
static void words_match(void **state)
{
	(void)state;
	for (unsigned k = 0; k < POLICY_CONTACT_KINDS; k++)
		for (int also = 0; also < 2 && k; also++) {
			char yaml[512];

			snprintf(yaml, sizeof(yaml), ONE "contacts: [{name: x, kind: \"%s\"}]\n",
			    also ? policy_contact_also[k] : policy_contact_words[k]);
			POLICY_AUTO p = good(yaml);
			assert_int_equal(p->contacts[0].kind, k);
			text_set_lang(TEXT_JA);
			assert_string_equal(policy_contact_text(k), policy_contact_words[k]);
			text_set_lang(TEXT_EN);
		}
	assert_null(policy_contact_words[POLICY_CONTACT_KINDS]);
}

static void silence_is_sensible(void **state)
{
	POLICY_AUTO p = good(ONE);
	POLICY_AUTO q = good(all_keys);
	(void)state;

	assert_true(
	    !p->n_excluded && !p->n_external && !p->n_contacts && !p->n_assets && !p->checklist.edition);
	assert_false(policy_has_importance(p));
	assert_true(policy_counts_for_evidence(p, &p->datasets[0])); /* nothing is said: all of them count */
	assert_true(policy_has_importance(q));
	assert_true(
	    policy_counts_for_evidence(q, &q->datasets[0]) && policy_counts_for_evidence(q, &q->datasets[1]));
	assert_false(
	    policy_counts_for_evidence(q, &q->datasets[2]) || policy_counts_for_evidence(q, &q->datasets[3]));
	policy_evidence_check(p, day_from(2026, 11, 24), &problems);
	assert_int_equal(problems.n_errors, 0);
}

static void contacts_grow_old(void **state)
{
	struct policy_contact c = {.confirmed_on = day_from(2026, 5, 24)};
	(void)state;

	assert_false(policy_contact_is_stale(&c, day_from(2026, 5, 24)));
	assert_false(policy_contact_is_stale(&c, day_from(2026, 11, 24)));
	assert_true(policy_contact_is_stale(&c, day_from(2026, 11, 25)));
	c.confirmed_on = day_from(2026, 8, 31); /* no 31 February: 3 March */
	assert_false(policy_contact_is_stale(&c, day_from(2027, 3, 3)));
	assert_true(policy_contact_is_stale(&c, day_from(2027, 3, 4)));
	c.confirmed_on = 0;
	assert_true(policy_contact_is_stale(&c, 1));
}

static void exclusions_are_decided_or_not(void **state)
{
	char reason[] = "r", who[] = "w";
	const int32_t today = day_from(2026, 11, 24);
	struct policy_excluded x = {.reason = reason, .decided_by = who, .decided_on = today};
	(void)state;

	assert_true(policy_exclusion_is_decided(&x, today));
	assert_false(policy_exclusion_is_decided(&x, today - 1)); /* as of the day before it was not */
	x.review_on = today + 5;
	assert_true(policy_exclusion_is_decided(&x, today + 5));
	assert_false(policy_exclusion_is_decided(&x, today + 6));
	x.reason = NULL;
	assert_false(policy_exclusion_is_decided(&x, today));
	x.reason = reason;
	x.decided_by = NULL;
	assert_false(policy_exclusion_is_decided(&x, today));
	x.decided_by = who;
	x.decided_on = 0;
	assert_false(policy_exclusion_is_decided(&x, today));
}

static void what_is_too_old_is_told_at_its_line(void **state)
{
	POLICY_AUTO p = good(all_keys);
	(void)state;

	policy_evidence_check(p, day_from(2026, 9, 1), &problems);
	assert_int_equal(problems.n, 1); /* the police were never asked */
	assert_string_equal(problems.item[0].code, "E-POLICY-51");
	assert_true(problems.item[0].severity == CONFIG_WARNING && problems.item[0].mark.line == 14);
	assert_non_null(strstr(problems.item[0].msg, "'県警' has never been confirmed"));
	memset(&problems, 0, sizeof(problems));
	policy_evidence_check(p, day_from(2027, 4, 1), &problems);
	assert_int_equal(problems.n, 3);
	assert_string_equal(problems.item[0].code, "E-POLICY-50");
	assert_int_equal(problems.item[0].mark.line, 9);
	assert_non_null(strstr(problems.item[0].msg, "to be reviewed on 2027-03-31"));
	assert_non_null(strstr(problems.item[1].msg, "last confirmed on 2026-08-31"));
	assert_int_equal(problems.n_errors, 0);
	POLICY_AUTO open = good(ONE "excluded: [{name: 検査DB}]\n");
	policy_evidence_check(open, day_from(2026, 9, 1), &problems);
	assert_non_null(strstr(problems.item[0].msg, "the exclusion of '検査DB' is not decided"));
}

static void the_plan_has_all_of_it(void **state)
{
	static const char *const words[] = {"What is not captured, by decision", "検査DB",
	    "電子カルテに同じ値がある", "2027-03-31", "What others back up", "予約社", "SLA 3条",
	    "Whom to call", "内線 12", "2026-08-31", "police of the prefecture", "Equipment", "サーバ",
	    "Checklist R7, to be met by 2027-03-31", "2-④", "台帳で", "importance", "owned by", "医事課",
	    "the vendor", "emr01", "5 years"};
	POLICY_AUTO p = good(all_keys);
	POLICY_AUTO silent = good(ONE);
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	(void)state;

	text_set_lang(TEXT_EN);
	assert_int_equal(policy_plan_render(p, 400, &out, &err), 0);
	assert_int_equal(buf_terminate(&out, &err), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strstr((char *)out.p, words[i]))
			fail_msg("not in the plan: '%s'\n%s", words[i], (char *)out.p);
	buf_free(&out);
	assert_int_equal(policy_plan_evidence(silent, 80, &out, &err), 0);
	assert_int_equal(out.n, 0);
}

static void changes_are_told(void **state)
{
	POLICY_AUTO a = good(all_keys);
	POLICY_AUTO b = good(ONE);
	struct policy_diff *d = NULL;
	struct err err = ERR_INIT;
	bool importance = false, contact = false, self = false;
	(void)state;

	assert_int_equal(policy_diff_new(a, a, &d, &err), 0);
	assert_int_equal(d->n, 0);
	policy_diff_free(d);
	assert_int_equal(policy_diff_new(b, a, &d, &err), 0);
	for (size_t i = 0; i < d->n; i++) {
		contact |= !strcmp(d->item[i].key, "contacts/県警") && d->item[i].kind == POLICY_DIFF_ADDED;
		self |= !strcmp(d->item[i].key, "checklist/self/2-④");
	}
	assert_true(contact && self);
	policy_diff_free(d);
	POLICY_AUTO c = good(HEAD "datasets: [{name: a, paths: [/a], importance: A}]\n");
	POLICY_AUTO e = good(HEAD "datasets: [{name: a, paths: [/a], importance: C}]\n");
	assert_int_equal(policy_diff_new(c, e, &d, &err), 0);
	importance = d->n == 1 && d->item[0].moved > 0 && d->item[0].plain && !strcmp(d->item[0].from, "A");
	policy_diff_free(d);
	assert_true(importance);
	assert_int_equal(policy_diff_new(b, c, &d, &err), 0);
	assert_true(d->n == 1 && d->item[0].kind == POLICY_DIFF_ADDED && !d->item[0].from);
	policy_diff_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_is_read),
	    cmocka_unit_test(words_match),
	    cmocka_unit_test(silence_is_sensible),
	    cmocka_unit_test(contacts_grow_old),
	    cmocka_unit_test(exclusions_are_decided_or_not),
	    cmocka_unit_test(what_is_too_old_is_told_at_its_line),
	    cmocka_unit_test(the_plan_has_all_of_it),
	    cmocka_unit_test(changes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
