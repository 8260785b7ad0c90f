/* summary: the one line tells the truth, in 200 whole characters, and never more than one line. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/rotate/rotate.h"
#include "write/run/run.h"

#define SETS  8
#define MEDIA 2

struct run_world {
	struct run_result r;
	struct run_dataset sets[SETS];
	struct run_copy copies[SETS][MEDIA];
	struct run_medium media[MEDIA];
	char line[SUMMARY_LINE];
};

static void all_well(struct run_world *w)
{
	static char *const names[SETS] = {"emr", "lab", "rece", "docs", "pacs", "ssmix", "mail", "conf"};

	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < SETS; i++) {
		w->sets[i] = (struct run_dataset){.d = {.name = names[i], .verdict = GENERATION_GOOD},
		    .committed = true,
		    .copies = w->copies[i]};
		for (size_t m = 0; m < MEDIA; m++)
			w->copies[i][m] = (struct run_copy){.wanted = true, .ok = true, .verified = true};
	}
	w->media[0] = (struct run_medium){.label = "nas", .ok = true, .verified = true};
	w->media[1] = (struct run_medium){.label = "ssd", .ok = true, .verified = true};
	w->r = (struct run_result){
	    .run = 12, .datasets = w->sets, .n_datasets = SETS, .media = w->media, .n_media = MEDIA};
}

static size_t characters(const char *s)
{
	size_t n = 0, at = 0, len = strlen(s);
	uint32_t cp;

	while (at < len) {
		at += width_decode(s + at, len - at, &cp);
		assert_int_not_equal(cp, UINT32_MAX);
		assert_true(cp >= ' ');
		n++;
	}
	return n;
}

static const char *line_of(struct run_world *w)
{
	summary_run(&w->r, NULL, NULL, true, w->line);
	assert_true(characters(w->line) <= SUMMARY_CHARS);
	print_message("%s\n", w->line);
	return w->line;
}

static void each_fault_is_said(void **state)
{
	struct run_world w;
	(void)state;

	all_well(&w);
	assert_string_equal(line_of(&w), "8 of 8 good");
	w.sets[1].d.verdict = GENERATION_FAILED;
	w.sets[1].d.reason = "the command gave nothing";
	w.sets[1].d.title = "検査DB";
	assert_string_equal(line_of(&w), "7 of 8 good, 1 warning: 検査DB failed (the command gave nothing)");
	w.media[1].ok = w.media[1].verified = false;
	snprintf(w.media[1].why.msg, sizeof(w.media[1].why.msg), "no space left");
	assert_string_equal(line_of(&w), "7 of 8 good, 2 warnings: 検査DB failed (the command gave nothing); "
					 "medium ssd not written (no space left)");

	all_well(&w);
	w.sets[0].d.verdict = GENERATION_PARTIAL;
	w.sets[0].d.unreadable = 3;
	assert_string_equal(line_of(&w),
	    "7 of 8 good, 1 stored in part, 1 warning: emr partial (3 unreadable, 0 changed while read)");
	w.sets[0].d.unreadable = 0;
	w.sets[0].d.reason = "the probe failed";
	assert_string_equal(
	    line_of(&w), "7 of 8 good, 1 stored in part, 1 warning: emr partial (the probe failed)");

	all_well(&w);
	w.sets[4].d.guard.suspect = true;
	w.sets[4].d.suspicion = "97 % of the files changed";
	assert_string_equal(line_of(&w), "7 of 8 good, 1 warning: pacs suspect (97 % of the files changed)");

	all_well(&w);
	w.media[0].verified = false;
	assert_string_equal(
	    line_of(&w), "8 of 8 good, 1 warning: medium nas not read back (no reason is on record)");

	/* a small disk: what does not fit is named */
	all_well(&w);
	w.media[1].ok = w.copies[4][1].ok = w.copies[5][1].ok = false;
	w.copies[6][1].wanted = w.copies[6][1].ok = false;
	snprintf(w.media[1].why.msg, sizeof(w.media[1].why.msg), "no space left");
	assert_string_equal(
	    line_of(&w), "8 of 8 good, 1 warning: medium ssd lacks pacs, ssmix (no space left)");

	all_well(&w);
	err_set(&w.r.slow, "W-CAPTURE-01", "x");
	assert_string_equal(
	    line_of(&w), "8 of 8 good, 1 warning: the next run will have to read all files again");
	err_set(&w.r.missing, "E-DOCS-01", "procedure 'a.md' is not valid");
	assert_non_null(strstr(line_of(&w), "procedure 'a.md' is not valid"));
}

static void a_jump_of_the_clock_is_said(void **state)
{
	struct ledger_latch latch = {.found_ns = 1, .seconds = 40 * 86400};
	struct run_world w;
	(void)state;

	all_well(&w);
	summary_run(&w.r, NULL, &latch, true, w.line);
	assert_string_equal(w.line, "8 of 8 good, 1 warning: the clock jumped by 40 days");
	latch.found_ns = 0;
	summary_run(&w.r, NULL, &latch, true, w.line);
	assert_string_equal(w.line, "8 of 8 good");
}

/* Everything fails at once, with reasons as long as reasons get, in Japanese, with bytes that are none. */
static void it_stays_one_line_of_200_characters(void **state)
{
	static char reason[4000];
	struct run_world w;
	(void)state;

	for (size_t i = 0; i + 3 < sizeof(reason); i += 3)
		memcpy(reason + i, "あ", 3);
	memcpy(reason + 30, "\xff\n\033[2J", 6);
	for (size_t bad = 1; bad <= SETS; bad++) {
		all_well(&w);
		for (size_t i = 0; i < bad; i++) {
			w.sets[i].d.verdict = GENERATION_FAILED;
			w.sets[i].d.reason = reason;
			w.sets[i].d.title = reason;
		}
		w.media[0].ok = bad < 5;
		memcpy(w.media[0].why.msg, reason, sizeof(w.media[0].why.msg) - 1);
		line_of(&w);
		assert_non_null(strstr(w.line, "…"));
		assert_null(strchr(w.line, '\n'));
	}
	assert_non_null(strstr(w.line, "0 of 8 good, 9 warnings: "));
	assert_non_null(strstr(w.line, "; and 6 more"));
}

static void a_run_that_came_to_nothing(void **state)
{
	struct run_world w;
	struct err err = ERR_INIT;
	(void)state;

	all_well(&w);
	err_set(&err, "E-RUN-02", "the policy declares no online medium");
	/* what has a generation has it, whatever ended the run */
	summary_run(&w.r, &err, NULL, true, w.line);
	assert_string_equal(w.line, "8 of 8 good, 1 warning: the policy declares no online medium");
	for (size_t i = 0; i < w.r.n_datasets; i++)
		w.sets[i].committed = false;
	summary_run(&w.r, &err, NULL, true, w.line);
	assert_string_equal(w.line, "nothing was captured: the policy declares no online medium");
}

static void it_is_cut_between_characters(void **state)
{
	char s[64];
	(void)state;

	snprintf(s, sizeof(s), "検査データベース");
	assert_string_equal(summary_cut(s, 8), "検査データベース");
	assert_string_equal(summary_cut(s, 4), "検査デ…");
	snprintf(s, sizeof(s), "abcd");
	assert_string_equal(summary_cut(s, 4), "abcd");
	assert_string_equal(summary_cut(s, 1), "…");
}

static void rotations(void **state)
{
	struct policy_medium m = {.name = "RDX-01"};
	struct rotate_result r = {
	    .medium = &m, .place = "別棟 保管庫B", .generations = 9, .newest = 12, .current = true};
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	(void)state;

	assert_string_equal(summary_rotation(&r, NULL, line),
	    "RDX-01 is complete: 9 generations, the newest of run 12; take it to '別棟 保管庫B'");
	r.refill.lost = 2;
	assert_string_equal(summary_rotation(&r, NULL, line),
	    "RDX-01 is complete again: files of 2 generations had vanished from it");
	r.refill.missing = 3;
	assert_string_equal(summary_rotation(&r, NULL, line),
	    "RDX-01 holds the newest generations (run 12), but 3 others are not on it");
	r.current = false;
	assert_string_equal(
	    summary_rotation(&r, NULL, line), "RDX-01 does not hold the newest generation of every data set");
	strcpy(r.refill.left_out, "images@42");
	assert_string_equal(summary_rotation(&r, NULL, line),
	    "RDX-01 does not hold the newest generation of every data set: without images@42");
	r.damaged = 1;
	assert_non_null(strstr(summary_rotation(&r, NULL, line), "damaged"));
	err_set(&err, "E-ROTATE-02", "no medium kept offline is attached");
	r.medium = NULL;
	assert_string_equal(
	    summary_rotation(&r, &err, line), "not rotated: no medium kept offline is attached");
}

static void how_things_stand(void **state)
{
	struct policy_dataset p = {.name = "emr"};
	struct compliance_dataset d[2] = {{.policy = &p}, {.policy = &p}};
	char *next[2] = {"attach RDX-01", "something"};
	struct compliance s = {.datasets = d, .n_datasets = 2};
	char line[SUMMARY_LINE];
	(void)state;

	assert_string_equal(summary_compliance(&s, line), "2 of 2 data sets as they should be");
	d[1].one.verdict = COMPLIANCE_ATTENTION;
	s.next = next;
	s.n_next = 2;
	assert_string_equal(summary_compliance(&s, line),
	    "1 of 2 data sets as they should be, 2 things to do: attach RDX-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_fault_is_said),
	    cmocka_unit_test(a_jump_of_the_clock_is_said),
	    cmocka_unit_test(it_stays_one_line_of_200_characters),
	    cmocka_unit_test(a_run_that_came_to_nothing),
	    cmocka_unit_test(it_is_cut_between_characters),
	    cmocka_unit_test(rotations),
	    cmocka_unit_test(how_things_stand),
	};

	text_set_lang(TEXT_EN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
