/* drill, record: verdicts, comparison of values, and a record that is JSON whatever was found. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "restore/drill/drill.h"
#include "restore/drill/record.h"

static struct procedure_step steps[] = {
    {.kind = PROCEDURE_RESTORE, .number = 1, .line = 3, .id = "1", .minutes = 10},
    {.kind = PROCEDURE_CHECK, .number = 2, .line = 9, .id = "c", .minutes = 0},
    {.kind = PROCEDURE_RUN, .number = 3, .line = 15, .id = "3", .minutes = 1, .always = true},
};
static struct procedure procedure = {
    .title = "t", .steps = steps, .n_steps = 3, .rto_s = 3600, .rpo_s = 86400, .minutes = 11};

/* Two generations, of which the oldest decides how much would be lost. */
static void give_generations(struct drill *d)
{
	d->generation = calloc(2, sizeof(*d->generation));
	assert_non_null(d->generation);
	d->generation[0] = (struct drill_generation){
	    .dataset = "emr", .number = 42, .label = "emr@42", .begun_ns = 9000000000, .vouched = true};
	d->generation[1] = (struct drill_generation){.dataset = "documents",
	    .number = 41,
	    .label = "documents@41",
	    .begun_ns = 1000000000,
	    .vouched = true};
	d->n_generations = 2;
	d->step[0].from = &d->generation[1];
}

static struct drill *made(void)
{
	struct drill *d;
	size_t i;

	assert_int_equal(drill_new(&procedure, "p.md", &d, NULL), 0);
	for (i = 0; i < 3; i++)
		drill_step_done(&d->step[i], true);
	return d;
}

static void verdicts(void **state)
{
	struct drill *d = made();

	(void)state;
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_PASSED);
	assert_int_equal(drill_exit(d), 0);
	d->step[0].attention = true;
	assert_int_equal(drill_exit(d), 1);
	d->step[0].attention = false;
	d->erased.done = true;
	assert_int_equal(drill_exit(d), 1); /* patients' data were left */
	d->erased.ok = true;
	assert_int_equal(drill_exit(d), 0);
	give_generations(d);
	assert_int_equal(drill_exit(d), 0);
	d->generation[1].vouched = false;
	assert_int_equal(drill_exit(d), 1); /* nothing but its signature says that it is genuine */
	d->generation[1].vouched = true;
	d->recovery_s = 3601;
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_LATE);
	assert_int_equal(drill_exit(d), 1);
	d->recovery_s = 3600;
	d->step[0].seconds = 601;
	drill_step_done(&d->step[0], true);
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_LATE);
	drill_step_done(&d->step[2], false);
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_FAILED);
	assert_int_equal(drill_exit(d), 2);
	drill_free(d);

	d = made();
	d->step[2].mark = PROCEDURE_MARK_NONE;
	drill_judge(d);
	assert_int_equal(d->step[2].mark, PROCEDURE_MARK_NOT_DONE);
	assert_int_equal(d->verdict, PROCEDURE_MARK_FAILED);
	drill_free(d);
	d = made();
	d->step[1].not_asked = true;
	drill_step_done(&d->step[1], true);
	drill_judge(d);
	assert_int_equal(d->step[1].mark, PROCEDURE_MARK_NOT_ASKED);
	assert_int_equal(d->verdict, PROCEDURE_MARK_PARTIAL); /* a sample, and no full drill */
	assert_int_equal(drill_exit(d), 0);
	d->recovery_s = 3601;
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_PARTIAL);
	assert_int_equal(drill_exit(d), 1);
	drill_step_done(&d->step[2], false);
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_FAILED);
	drill_free(d);
	d = made();
	d->rto_s = 4000; /* the policy's, whatever the procedure says */
	d->recovery_s = 3601;
	assert_false(drill_over_rto(d));
	d->rto_s = 3000;
	assert_true(drill_over_rto(d));
	drill_free(d);
	d = made();
	d->interrupted = true;
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_FAILED);
	drill_free(d);
}

static void a_plan_is_in_minutes(void **state)
{
	struct drill *d = made();

	(void)state;
	d->step[0].seconds = 600.9;
	assert_false(drill_is_late(&d->step[0]));
	d->step[0].seconds = 601;
	assert_true(drill_is_late(&d->step[0]));
	d->step[1].seconds = 0.9;
	assert_false(drill_is_late(&d->step[1]));
	d->step[1].seconds = 1;
	assert_true(drill_is_late(&d->step[1]));
	drill_free(d);
}

static void values_are_compared(void **state)
{
	(void)state;
	assert_true(drill_same("12345", "12345\n", 6));
	assert_true(drill_same("12345\n", "12345\n\n", 7));
	assert_true(drill_same("", "\n", 1));
	assert_true(drill_same("患者", "患者", strlen("患者")));
	assert_false(drill_same("12345", "12346\n", 6));
	assert_false(drill_same("12345", " 12345", 6));
	assert_false(drill_same("12345", "12345 ", 6));
	assert_false(drill_same("12345", "1234", 4));
	assert_false(drill_same("a", "a\0", 2)); /* a NUL counts */
	assert_false(drill_same("", "x", 1));
	assert_false(drill_same("a\r", "a", 1));
}

static void text_is_made_safe(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} cases[] = {{"plain 患者\n\t", 14, "plain 患者\n\t"}, {"\x82\xb1", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\033[2J", 4, "\xef\xbf\xbd[2J"},
	    {"a\0b", 3,
		"a\xef\xbf\xbd"
		"b"},
	    {"\xe6\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd"}, {"", 0, ""}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *s = drill_safe(cases[i].in, cases[i].n);

		assert_non_null(s);
		assert_string_equal(s, cases[i].out);
		free(s);
	}
}

static void record_is_json(void **state)
{
	struct drill *d = made();
	struct buf out = BUF_INIT((size_t)1 << 20);
	json_t *o, *s;

	(void)state;
	d->step[1].found = drill_safe("\xff\033", 2);
	d->step[1].expected = strdup("\xff quote \" and \\ \n");
	d->step[1].exit_status = 0;
	err_set(&d->step[1].why, "E-DRILL-16", "expected '%s'", "\xff");
	drill_step_done(&d->step[1], false);
	d->step[2].mark = PROCEDURE_MARK_NONE;
	d->site = strdup("テスト\xff");
	give_generations(d);
	d->begun_ns = d->generation[1].begun_ns + INT64_C(86401000000000);
	drill_judge(d);
	assert_int_equal(record_format(d, &out, NULL), 0);
	o = json_loadb((char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "failed");
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "bkp-drill");
	assert_true(json_is_null(json_object_get(o, "root_key")));
	assert_true(json_is_false(json_object_get(json_object_get(o, "rpo"), "met")));
	assert_true(json_is_true(json_object_get(json_object_get(o, "rto"), "met")));
	s = json_array_get(json_object_get(o, "generations"), 1);
	assert_string_equal(json_string_value(json_object_get(s, "dataset")), "documents");
	assert_int_equal(json_integer_value(json_object_get(s, "generation")), 41);
	s = json_object_get(json_array_get(json_object_get(o, "steps"), 0), "restore");
	assert_int_equal(json_integer_value(json_object_get(s, "generation")), 41);
	s = json_array_get(json_object_get(o, "steps"), 1);
	assert_string_equal(json_string_value(json_object_get(s, "mark")), "failed");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(s, "fault"), "code")), "E-DRILL-16");
	assert_true(json_is_string(json_object_get(json_object_get(s, "check"), "expected")));
	s = json_array_get(json_object_get(o, "steps"), 2);
	assert_string_equal(json_string_value(json_object_get(s, "mark")), "not-done");
	assert_true(json_is_null(json_object_get(s, "begun")));
	json_decref(o);
	buf_free(&out);
	drill_free(d);
}

static void without_a_generation_nothing_is_said_of_loss(void **state)
{
	struct drill *d = made();

	(void)state;
	d->begun_ns = 1;
	assert_true(drill_rpo(d) < 0);
	give_generations(d);
	d->begun_ns = INT64_C(11000000000);
	assert_true(drill_rpo(d) == 10);
	drill_free(d);
}

static void order_is_by_priority_and_together_where_it_says_so(void **state)
{
	static struct procedure_step many[] = {
	    {.kind = PROCEDURE_RESTORE, .id = "a", .priority = 3, .parallel = true},
	    {.kind = PROCEDURE_RESTORE, .id = "b"},
	    {.kind = PROCEDURE_RESTORE, .id = "c", .priority = 1, .parallel = true},
	    {.kind = PROCEDURE_RESTORE, .id = "d", .priority = 3, .parallel = true},
	    {.kind = PROCEDURE_RUN, .id = "e"},
	    {.kind = PROCEDURE_RESTORE, .id = "f", .priority = 1},
	};
	static const struct procedure p = {.title = "t", .steps = many, .n_steps = 6};
	struct drill_generation g[2] = {{.number = 1}, {.number = 2}};
	const char *want = "cadbef";
	struct drill *d;

	(void)state;
	assert_int_equal(drill_new(&p, "p.md", &d, NULL), 0);
	for (size_t i = 0; i < 6; i++)
		d->step[i].from = &g[i % 2]; /* c has that of a, d another */
	drill_order(d);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(d->order[i]->is->id[0], want[i]);
	assert_int_equal(drill_together(d, 0), 1); /* one generation is one thread's */
	assert_int_equal(drill_together(d, 1), 2);
	assert_int_equal(drill_together(d, 3), 1);
	assert_int_equal(drill_together(d, 5), 1);
	drill_free(d);
}

static void what_was_skipped_does_not_pass(void **state)
{
	struct drill *d = made();

	(void)state;
	d->recovery = true;
	drill_judge(d);
	assert_string_equal(drill_verdict_text(d), "recovered");
	d->step[1].mark = PROCEDURE_MARK_SKIPPED;
	drill_judge(d);
	assert_int_equal(d->verdict, PROCEDURE_MARK_FAILED);
	assert_true(drill_complete(d));
	assert_string_equal(drill_verdict_text(d), "recovered, but steps were skipped");
	d->step[2].mark = PROCEDURE_MARK_FAILED;
	assert_false(drill_complete(d));
	assert_string_equal(drill_verdict_text(d), "NOT RECOVERED");
	assert_string_equal(drill_decision_word('g'), "older");
	drill_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(a_plan_is_in_minutes),
	    cmocka_unit_test(values_are_compared),
	    cmocka_unit_test(text_is_made_safe),
	    cmocka_unit_test(record_is_json),
	    cmocka_unit_test(order_is_by_priority_and_together_where_it_says_so),
	    cmocka_unit_test(what_was_skipped_does_not_pass),
	    cmocka_unit_test(without_a_generation_nothing_is_said_of_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
