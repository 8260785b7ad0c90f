/* attest: answers given beforehand reach exactly the steps they name; everything else is an error with its
 * place. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "restore/drill/attest.h"

#define N 5

static struct procedure_step steps[N] = {
    {.kind = PROCEDURE_CONFIRM, .number = 1, .line = 10, .id = "label"},
    {.kind = PROCEDURE_RUN, .number = 2, .line = 20, .id = "server"},
    {.kind = PROCEDURE_CONFIRM, .number = 3, .line = 30, .id = "3"},
    {.kind = PROCEDURE_NOTE, .number = 4, .line = 40, .id = "4"},
    {.kind = PROCEDURE_GATE, .number = 5, .line = 50, .id = "hole", .people = 2},
};
static const struct procedure procedure = {.steps = steps, .n_steps = N};
static struct config_problems problems;

static struct attest *good(const char *s)
{
	struct attest *a = NULL;
	struct err err = ERR_INIT;

	if (attest_parse("a.yaml", s, strlen(s), &procedure, &a, &problems, &err))
		fail_msg("%s: %s", err.code, err.msg);
	assert_int_equal(problems.n_errors, 0);
	return a;
}

/* The first problem is of that code and begins so. */
static void bad(const char *s, size_t n, const char *code, const char *begins)
{
	struct attest *a = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(attest_parse("a.yaml", s, n, &procedure, &a, &problems, &err), -1);
	assert_null(a);
	if (strcmp(err.code, code) != 0 || strncmp(err.msg, begins, strlen(begins)) != 0)
		fail_msg("%s: %s; expected %s: %s…", err.code, err.msg, code, begins);
	/* without a list, the same */
	memset(&err, 0, sizeof(err));
	assert_int_equal(attest_parse("a.yaml", s, n, &procedure, &a, NULL, &err), -1);
	assert_string_equal(err.code, code);
}

static void answers(void **state)
{
	struct attest *a =
	    good("by: 事務長\nanswers:\n  - {step: label, answer: yes, note: 番号 \"一致\" $(id)}\n"
		 "  - {step: 3, answer: no, by: 山田}\n");

	(void)state;
	assert_true(a->answer[0].given && a->answer[0].yes);
	assert_string_equal(a->answer[0].by, "事務長");
	assert_string_equal(a->answer[0].note, "番号 \"一致\" $(id)");
	assert_int_equal(a->answer[0].line, 3);
	assert_false(a->answer[1].given);
	assert_true(a->answer[2].given && !a->answer[2].yes);
	assert_string_equal(a->answer[2].by, "山田");
	assert_null(a->answer[2].note);
	assert_int_equal(attest_missing(a, &procedure, 0), 4);
	attest_free(a);
	/* as Windows editors write it */
	a = good("\xef\xbb\xbf"
		 "answers:\r\n  - {step: \"3\", answer: はい, by: x}\r\n");
	assert_true(a->answer[2].yes);
	attest_free(a);
}

static void missing_ones_are_found(void **state)
{
	struct attest *a = good("by: x\nanswers: [{step: 3, answer: yes}]\n");

	(void)state;
	assert_int_equal(attest_missing(a, &procedure, 0), 0);
	assert_int_equal(attest_missing(a, &procedure, 1), 4);
	attest_free(a);
	assert_int_equal(attest_missing(NULL, &procedure, 0), 0);
	assert_int_equal(attest_missing(NULL, &procedure, 1), 2);
	assert_int_equal(attest_missing(NULL, &procedure, 3), 4);
}

#define BAD(s, code, begins) bad(s, strlen(s), code, begins)

static void wrong_steps(void **state)
{
	(void)state;
	BAD("by: x\nanswers:\n  - {step: label, answer: yes}\n  - {step: lable, answer: yes}\n", "E-DRILL-09",
	    "a.yaml:4:12: ");
	assert_non_null(strstr(problems.item[0].hint, "label"));
	BAD("by: x\nanswers: [{step: server, answer: yes}]\n", "E-DRILL-09", "a.yaml:2:18: ");
	assert_non_null(strstr(problems.item[0].msg, "line 20"));
	BAD("by: x\nanswers:\n- {step: 3, answer: yes}\n- {step: 3, answer: no}\n", "E-DRILL-09",
	    "a.yaml:4:10: ");
	assert_non_null(strstr(problems.item[0].msg, "line 3"));
}

static void wrong_values(void **state)
{
	(void)state;
	BAD("by: x\nanswers: [{step: 3, answer: maybe}]\n", "E-DRILL-08", "a.yaml:2:29: ");
	BAD("by: x\nanswers: [{step: 3}]\n", "E-DRILL-08", "a.yaml:2:");
	BAD("by: x\nanswers: [{answer: yes}]\n", "E-DRILL-08", "a.yaml:2:");
	BAD("answers: [{step: 3, answer: yes}]\n", "E-DRILL-08", "a.yaml:1:");
	BAD("by: [x]\nanswers: [{step: 3, answer: yes, by: y}]\n", "E-DRILL-08", "a.yaml:1:5: ");
	BAD("by: x\nanswers: [{step: 3, answer: yes, notes: y}]\n", "E-DRILL-08", "a.yaml:2:34: ");
	assert_non_null(strstr(problems.item[0].hint, "note"));
	BAD("by: x\nanswer: []\n", "E-DRILL-08", "a.yaml:1:1: ");
	BAD("by: x\nanswers: yes\n", "E-DRILL-08", "a.yaml:2:10: ");
	BAD("by: x\nanswers: [yes]\n", "E-DRILL-08", "a.yaml:2:11: ");
	BAD("- x\n", "E-DRILL-08", "a.yaml:1:1: ");
	BAD("# nothing\n", "E-DRILL-08", "a.yaml:1:1: ");
	BAD("by: \"x\\ny\"\nanswers: [{step: 3, answer: yes}]\n", "E-DRILL-08", "a.yaml:1:5: ");
}

static void no_text(void **state)
{
	static const char nul[] = "by: x\0\nanswers: []\n";
	char *huge = malloc(ATTEST_BYTES_MAX + 1);

	(void)state;
	BAD("", "E-DRILL-08", "a.yaml:1:1: ");
	bad(nul, sizeof(nul) - 1, "E-DRILL-08", "a.yaml:1:6: ");
	BAD("by: x\nanswers: \xff\n", "E-DRILL-08", "a.yaml:2:10: ");
	BAD("by: x\033[2J\nanswers: []\n", "E-DRILL-08", "a.yaml:1:6: ");
	assert_non_null(huge);
	memset(huge, ' ', ATTEST_BYTES_MAX + 1);
	bad(huge, ATTEST_BYTES_MAX + 1, "E-DRILL-08", "a.yaml:1:1: ");
	free(huge);
}

static void what_yaml_itself_has_wrong(void **state)
{
	(void)state;
	BAD("by: x\nanswers: [\n", "E-POLICY-03", "a.yaml:");
	BAD("by: &a x\nanswers: []\n", "E-POLICY-04", "a.yaml:1:");
	BAD("by: x\nby: y\nanswers: []\n", "E-POLICY-05", "a.yaml:2:");
}

static void a_gate_has_people(void **state)
{
	struct attest *a = good("by: 山田\nanswers:\n  - {step: hole, answer: yes, note: 票 1}\n"
				"  - {step: label, answer: yes}\n  - {step: 3, answer: yes}\n");

	(void)state;
	assert_int_equal(attest_missing(a, &procedure, 0), 4); /* one of two */
	attest_free(a);
	a = good("by: 山田\nanswers:\n  - {step: hole, answer: yes, note: 票 1}\n"
		 "  - {step: hole, answer: yes, by: 院長, note: 票 2}\n  - {step: label, answer: yes}\n"
		 "  - {step: 3, answer: yes}\n");
	assert_int_equal(attest_missing(a, &procedure, 0), N);
	assert_string_equal(a->answer[4].by, "山田");
	assert_string_equal(a->answer[4].more->by, "院長");
	assert_string_equal(a->answer[4].more->note, "票 2");
	attest_free(a);
	BAD("by: x\nanswers:\n  - {step: hole, answer: yes}\n", "E-DRILL-08", "a.yaml:3:");
	BAD("by: x\nanswers:\n  - {step: hole, answer: yes, note: a}\n  - {step: hole, answer: yes, note: "
	    "b}\n",
	    "E-DRILL-09", "a.yaml:4:");
	BAD("answers:\n  - {step: hole, answer: yes, note: a, by: x}\n  - {step: hole, answer: yes, note: b, "
	    "by: y}\n"
	    "  - {step: hole, answer: yes, note: b, by: z}\n",
	    "E-DRILL-09", "a.yaml:4:");
}

static void decisions_of_a_recovery(void **state)
{
	struct attest *a =
	    good("by: x\nconfirm: emr@42\nagain: はい\nanswers: []\ndecisions:\n"
		 "  - {step: server, choice: older}\n  - {step: 4, choice: skip, by: y, reason: 理由}\n");

	(void)state;
	assert_string_equal(a->confirm, "emr@42");
	assert_true(a->again);
	assert_int_equal(a->n_decisions, 2);
	assert_true(a->decision[0].step == 1 && a->decision[0].choice == 'g' && a->decision[1].choice == 's');
	assert_string_equal(a->decision[0].by, "x");
	assert_string_equal(a->decision[1].reason, "理由");
	attest_free(a);
	BAD("by: x\nanswers: []\nagain: perhaps\n", "E-DRILL-08", "a.yaml:3:");
	BAD("by: x\nanswers: []\ndecisions: [{step: server, choice: skip}]\n", "E-DRILL-08", "a.yaml:3:");
	BAD("by: x\nanswers: []\ndecisions: [{step: server, choice: maybe}]\n", "E-DRILL-08", "a.yaml:3:");
	BAD("by: x\nanswers: []\ndecisions: [{step: nobody, choice: retry}]\n", "E-DRILL-09", "a.yaml:3:");
	BAD("answers: []\ndecisions: [{step: server, choice: retry}]\n", "E-DRILL-08", "a.yaml:2:");
	BAD("by: x\nanswers: []\ndecisions: yes\n", "E-DRILL-08", "a.yaml:3:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(missing_ones_are_found),
	    cmocka_unit_test(wrong_steps),
	    cmocka_unit_test(wrong_values),
	    cmocka_unit_test(no_text),
	    cmocka_unit_test(a_gate_has_people),
	    cmocka_unit_test(decisions_of_a_recovery),
	    cmocka_unit_test(what_yaml_itself_has_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
