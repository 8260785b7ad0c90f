/* run_report: a run's result, data set by data set: what failed is never among what looks well, and says why. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/show/captured.h"
#include "cmd/show/run_report.h"
#include "write/run/run.h"

#define SETS  3
#define MEDIA 2

struct world {
	struct run_result r;
	struct run_dataset sets[SETS];
	struct run_copy copies[SETS][MEDIA];
	struct run_medium media[MEDIA];
	struct captured out;
};

static struct world w;

static void all_well(void)
{
	static char *const names[SETS] = {"emr", "documents", "images-of-the-department-of-radio"};

	memset(&w, 0, sizeof(w));
	for (size_t i = 0; i < SETS; i++) {
		w.sets[i] = (struct run_dataset){.d = {.name = names[i],
						     .verdict = GENERATION_GOOD,
						     .entries = 123456,
						     .bytes = UINT64_C(5) << 40},
		    .committed = true,
		    .archives = 1234,
		    .archive_bytes = UINT64_C(3) << 40,
		    .new_archives = 12,
		    .copies = w.copies[i]};
		for (size_t m = 0; m < MEDIA; m++)
			w.copies[i][m] = (struct run_copy){.wanted = true, .ok = true, .verified = true};
	}
	w.media[0] = (struct run_medium){.label = "nas", .ok = true, .verified = true, .written = 1 << 20};
	w.media[1] = (struct run_medium){.label = "usb", .ok = true, .verified = true, .written = 1 << 20};
	w.r = (struct run_result){
	    .run = 42, .datasets = w.sets, .n_datasets = SETS, .media = w.media, .n_media = MEDIA};
}

static void one_fails(void)
{
	all_well();
	w.sets[1].committed = false;
	w.sets[1].d.verdict = GENERATION_FAILED;
	w.sets[1].d.reason =
	    "the command gave nothing, and it said at some length that nobody answers at that address";
	memset(w.copies[1], 0, sizeof(w.copies[1]));
	w.copies[2][1] = (struct run_copy){.wanted = true};
	w.media[1].ok = w.media[1].verified = false;
	err_set(&w.media[1].why, "E-IO-01", "no room is left");
	w.media[1].why.errnum = 28;
}

static const char *summary(void)
{
	captured_begin(&w.out);
	run_report_summary(&w.r);
	captured_end(&w.out);
	captured_lines(w.out.text);
	return w.out.text;
}

static void each_data_set_is_told(void **state)
{
	const char *t;
	(void)state;

	all_well();
	assert_int_equal(run_report_exit(&w.r), APP_OK);
	t = summary();
	assert_non_null(strstr(t, "run 42\n"));
	assert_non_null(strstr(t, "\n  emr@42 "));
	assert_non_null(strstr(t, "\n  medium usb: 1.0 MiB written, read back and equal\n"));
	one_fails();
	assert_int_equal(run_report_exit(&w.r), APP_ATTENTION);
	t = summary();
	assert_non_null(strstr(t, "\n  documents@42 "));
	assert_non_null(strstr(t, "failed"));
	assert_non_null(strstr(t, "the command gave nothing"));
	t = strstr(t, "NOT on it:");
	assert_non_null(t);
	assert_non_null(strstr(t, "images-of-the-department-of-radio"));
	text_set_lang(TEXT_JA);
	assert_non_null(strstr(summary(), "失敗"));
	text_set_lang(TEXT_EN);
}

static void faults_name_the_generation(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	(void)state;

	one_fails();
	w.sets[0].d.verdict = GENERATION_PARTIAL;
	w.sets[0].d.reason = "the probe failed";
	w.sets[2].d.guard.suspect = true;
	w.sets[2].d.suspicion = "97 % of the files changed";
	run_report_faults(&w.r, NULL, f);
	fclose(f);
	assert_non_null(strstr(text, "E-RUN-03: data set 'documents' failed: the command gave nothing"));
	assert_non_null(strstr(text, "'bkp run documents'"));
	assert_non_null(strstr(text, "'bkp accept emr@42 "));
	assert_non_null(strstr(text, "'bkp hold images-of-the-department-of-radio@42 "));
	assert_non_null(strstr(text, "not on it: images-of-the-department-of-radio"));
	free(text);
}

static void programs_get_the_same(void **state)
{
	json_t *o, *set;
	(void)state;

	one_fails();
	captured_begin(&w.out);
	run_report_json(&w.r, NULL, "the line");
	o = json_loads(captured_end(&w.out), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(o, "run")), 42);
	set = json_array_get(json_object_get(o, "datasets"), 1);
	assert_string_equal(json_string_value(json_object_get(set, "dataset")), "documents");
	assert_true(json_is_null(json_object_get(set, "generation")));
	assert_int_equal(json_array_size(json_object_get(set, "media")), 0);
	set = json_array_get(json_object_get(o, "datasets"), 2);
	assert_int_equal(json_integer_value(json_object_get(set, "generation")), 42);
	assert_int_equal(json_integer_value(json_object_get(set, "archives")), 1234);
	assert_true(json_is_false(json_object_get(json_array_get(json_object_get(set, "media"), 1), "ok")));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_data_set_is_told),
	    cmocka_unit_test(faults_name_the_generation),
	    cmocka_unit_test(programs_get_the_same),
	};

	text_set_lang(TEXT_EN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
