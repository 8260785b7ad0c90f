/* journal_words: what an auditor reads of records about several data sets. */
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/text.h"
#include "cmd/show/journal_words.h"
#include "format/journal/journal.h"

static struct journal_record record_of(const char *event, json_t *members)
{
	assert_non_null(members);
	return (struct journal_record){.event = event, .json = members};
}

static void says(
    const char *event, json_t *members, const char *what, const char *generation, const char *outcome)
{
	struct journal_record r = record_of(event, members);
	char out[JOURNAL_WORDS];

	assert_string_equal(journal_words_what(&r, out), what);
	assert_string_equal(journal_words_generation(&r, out), generation);
	assert_string_equal(journal_words_outcome(&r, out), outcome);
	json_decref(members);
}

static void generations_are_named(void **state)
{
	(void)state;

	says("begin", json_pack("{s:i, s:[ss]}", "run", 42, "datasets", "emr", "lab"),
	    "run 42 was begun: emr; lab", "42", "");
	says("committed",
	    json_pack("{s:s, s:i, s:s, s:i, s:i, s:[{s:b}]}", "dataset", "emr", "generation", 42, "verdict",
		"good", "archive_bytes", 2048, "new_bytes", 1024, "media", "ok", 1),
	    "emr@42 is reported: archives of 2.0 KiB, 1.0 KiB of new data before compression", "emr@42",
	    "ok");
	says("committed",
	    json_pack("{s:s, s:i, s:s, s:i, s:i, s:[]}", "dataset", "emr", "generation", 42, "verdict",
		"partial", "archive_bytes", 0, "new_bytes", 0, "media"),
	    "emr@42 is reported: archives of 0 B, 0 B of new data before compression", "emr@42", "partial");
	says("failed",
	    json_pack("{s:i, s:s, s:[{s:s, s:s}]}", "run", 42, "reason", "", "datasets", "name", "lab",
		"reason", "the command gave nothing"),
	    "run 42 made no generation of: lab: the command gave nothing", "42", "failed");
	says("verified",
	    json_pack("{s:s, s:[{s:s, s:i}, {s:s, s:i}]}", "medium", "x", "generations", "dataset", "emr",
		"generation", 42, "dataset", "lab", "generation", 42),
	    "read back and compared, 2 generations: emr@42; lab@42", "emr@42; lab@42", "ok");
	says("verify-failed",
	    json_pack(
		"{s:s, s:i, s:s}", "dataset", "emr", "generation", 42, "reason", "bkp verify found damage"),
	    "emr@42 was found damaged: bkp verify found damage", "emr@42", "damaged");
	says("held", json_pack("{s:s, s:i, s:s}", "dataset", "emr", "generation", 42, "reason", "proof"),
	    "emr@42 is held from here on: proof", "emr@42", "");
	says("rotated", json_pack("{s:i, s:i, s:s}", "generations", 7, "newest", 42, "place", "safe"),
	    "the medium was brought up to date: 7 generations, newest 42; to be taken to 'safe'", "",
	    "incomplete");
}

static void many_are_counted(void **state)
{
	json_t *list = json_array(), *members = json_pack("{s:o}", "generations", list);
	struct journal_record r = record_of("copied", members);
	char out[JOURNAL_WORDS];
	(void)state;

	for (int i = 0; i < 200; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:i}", "dataset", "emr", "generation", 1000 + i));
	journal_words_what(&r, out);
	assert_non_null(strstr(out, "brought to the medium, 200 generations: emr@1000; emr@1001; "));
	assert_non_null(strstr(out, "(200 in all)"));
	json_decref(members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(generations_are_named),
	    cmocka_unit_test(many_are_counted),
	};

	text_set_lang(TEXT_EN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
