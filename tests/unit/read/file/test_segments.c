/* segments: a row of files read as one; every row that is none is told from one that is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "format/journal/journal.h"
#include "read/file/lines.h"
#include "read/file/segments.h"
#include "read/store/store_dir.h"
#include "scratch.h"

static void names(void **state)
{
	static const char *const none[] = {"000000.jsonl", "1.jsonl", "00001.jsonl", "0000001.jsonl",
	    "1000000.jsonl", "000001.json", "000001.jsonlx", "journal.jsonl", "", "+00001.jsonl",
	    " 00001.jsonl", "00000a.jsonl"};
	char name[JOURNAL_NAME];

	(void)state;
	assert_string_equal(journal_segment_name(1, name), "000001.jsonl");
	assert_string_equal(journal_segment_name(JOURNAL_SEGMENTS, name), "999999.jsonl");
	assert_int_equal(journal_segment_number("000042.jsonl"), 42);
	assert_int_equal(journal_segment_number("999999.jsonl"), JOURNAL_SEGMENTS);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(journal_segment_number(none[i]), 0);
}

/* After `script` in the folder "j/journal", which is made anew with 1 to 5 lines in three segments. */
static int opened(const char *script, struct store_file *ret, struct err *err)
{
	STORE_AUTO folder = {0};

	assert_int_equal(
	    sh("rm -rf j && mkdir -p j/journal && cd j/journal && printf '1\\n2\\n' >000001.jsonl && "
	       "printf '3\\n' >000002.jsonl && printf '4\\n5\\n' >000003.jsonl && (%s)",
		script),
	    0);
	assert_int_equal(store_dir_open(in_scratch("j"), &folder, NULL), 0);
	return segments_open(&folder, ret, err);
}

static int collect(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	char *seen = arg;

	(void)ahead;
	(void)err;
	strncat(seen, (const char *)line, n < 30 ? n : 30);
	return 0;
}

/* What is read of it, "12345", and "" or the fault's code behind it. */
static const char *reads(const char *script, bool *ret_torn)
{
	static char seen[400];
	STORE_FILE_AUTO f = {0};
	struct err err = ERR_INIT;

	seen[0] = '\0';
	*ret_torn = false;
	if (opened(script, &f, &err) || lines_each(&f, collect, seen, ret_torn, &err))
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s", err.code);
	return seen;
}

static void a_row_is_read_as_one(void **state)
{
	STORE_FILE_AUTO f = {0};
	struct err err = ERR_INIT;
	char all[32];
	bool torn;

	(void)state;
	assert_string_equal(reads(":", &torn), "12345");
	assert_false(torn);
	assert_string_equal(reads("printf 6 >>000003.jsonl", &torn), "12345");
	assert_true(torn);
	assert_string_equal(
	    reads(
		"cp 000001.jsonl damaged-7-000001; mkfifo x; echo 9 >journal.jsonl; echo 9 >4.jsonl", &torn),
	    "12345");
	assert_string_equal(reads(": >000004.jsonl", &torn), "12345"); /* begun, and nothing in it yet */
	assert_int_equal(opened(":", &f, &err), 0);
	assert_int_equal(f.size, 10);
	assert_int_equal(segments_count(&f), 3);
	for (int64_t at = 0; at <= 10; at++)
		for (size_t n = 0; n <= 12; n++) {
			size_t want = at + (int64_t)n > 10 ? (size_t)(10 - at) : n;

			assert_int_equal(store_read_full(&f, all, n, at), want);
			assert_memory_equal(all, &"1\n2\n3\n4\n5\n"[at], want);
		}
	assert_int_equal(segments_at(&f, 0), 1);
	assert_int_equal(segments_at(&f, 3), 1);
	assert_int_equal(segments_at(&f, 4), 2);
	assert_int_equal(segments_at(&f, 6), 3);
	assert_int_equal(segments_at(&f, 99), 3);
	assert_int_equal(segments_start(&f, 3), 6);
	assert_int_equal(segments_start(&f, 4), 10);
	/* the last one grows while it is read; a closed one that shrinks is no end */
	assert_int_equal(sh("printf '6\\n' >>j/journal/000003.jsonl"), 0);
	assert_int_equal(store_read_full(&f, all, 12, 0), 12);
	assert_int_equal(sh(": >j/journal/000002.jsonl"), 0);
	assert_int_equal(store_read_full(&f, all, 12, 0), -1);
}

static void what_is_no_row_ends_with_its_fault(void **state)
{
	static const struct {
		const char *script, *reads;
	} all[] = {
	    {"rm 000001.jsonl", "E-JOURNAL-11"},
	    {"rm 000002.jsonl", "12E-JOURNAL-11"},
	    {"rm 000002.jsonl; mkdir 000002.jsonl", "12E-IO-01"},
	    {"rm 000002.jsonl; mkfifo 000002.jsonl", "12E-IO-01"},
	    {"rm 000001.jsonl; ln -s 000002.jsonl 000001.jsonl", "E-IO-01"},
	    {"printf x >>000002.jsonl", "123E-JOURNAL-11"}, /* torn, and not the last */
	    {": >000002.jsonl", "12E-JOURNAL-11"},
	    {"echo 9 >000005.jsonl", "12345E-JOURNAL-11"},
	    {"echo 9 >999999.jsonl", "12345E-JOURNAL-11"},
	};
	bool torn;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_string_equal(reads(all[i].script, &torn), all[i].reads);
}

static int count(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err)
{
	(void)line;
	(void)n;
	(void)ahead;
	(void)err;
	++*(size_t *)arg;
	return 0;
}

/* The bound, to the byte; the lines of what is longer are shown before that is said. */
static void one_that_is_too_long(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		STORE_FILE_AUTO f = {0};
		struct err err = ERR_INIT;
		char script[100];
		size_t lines = 0;
		bool torn;

		snprintf(script, sizeof(script), "yes | head -c %zu >000002.jsonl",
		    JOURNAL_SEGMENT_MAX + 2 * more);
		assert_int_equal(opened(script, &f, &err), 0);
		assert_int_equal(lines_each(&f, count, &lines, &torn, &err), more ? -1 : 0);
		assert_string_equal(err.code, more ? "E-JOURNAL-11" : "");
		assert_int_equal(lines, 2 + JOURNAL_SEGMENT_MAX / 2 + (more ? 1 : 2));
	}
}

/* Where a person names it: the folder with it, the folder of the segments, all lines in one file. */
static void a_path_of_a_person(void **state)
{
	static const char *const paths[] = {"j", "j/journal", "all", "link"};
	STORE_FILE_AUTO first = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(opened("cat *.jsonl >../../all; ln -s j ../../link", &first, &err), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		STORE_FILE_AUTO f = {0};
		char seen[100] = "";
		bool torn;

		assert_int_equal(segments_open_path(in_scratch(paths[i]), &f, &err), 0);
		assert_int_equal(lines_each(&f, collect, seen, &torn, &err), 0);
		assert_string_equal(seen, "12345");
		assert_int_equal(segments_count(&f), strcmp(paths[i], "all") ? 3 : 0);
	}
	assert_int_equal(sh("mkdir empty"), 0);
	assert_int_equal(segments_open_path(in_scratch("empty"), &first, &err), STORE_ABSENT);
	assert_string_equal(err.code, "E-LEDGER-03");
	assert_int_equal(segments_open_path(in_scratch("nowhere"), &first, &err), STORE_ABSENT);
	assert_string_equal(err.code, "E-IO-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(a_row_is_read_as_one),
	    cmocka_unit_test(what_is_no_row_ends_with_its_fault),
	    cmocka_unit_test(one_that_is_too_long),
	    cmocka_unit_test(a_path_of_a_person),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
