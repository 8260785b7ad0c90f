/* err, text: what a person reads is whole, and in the language chosen. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"

/* A reason goes into the journal and the manifest, as JSON. */
static void assert_utf8(const char *s)
{
	json_t *o = json_string(s);

	assert_non_null(o);
	json_decref(o);
}

static void a_message_that_is_cut_ends_with_a_whole_character(void **state)
{
	char path[2000];
	struct err err = ERR_INIT;
	(void)state;

	for (size_t shift = 0; shift < 3; shift++) {
		memset(path, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(path); i += 3)
			memcpy(path + i, "患", 4);
		err_set(&err, "E-IO-01", "cannot open '%s'", path);
		assert_utf8(err.msg);
		assert_true(strlen(err.msg) >= sizeof(err.msg) - 3);
		err_sys(&err, "E-IO-01", ENOENT, "%s", path);
		assert_utf8(err.msg);
		err_hint(&err, "look at '%s'", path);
		assert_utf8(err.hint);
		err_set(&err, "E-IO-01", "%.*s", 900, path);
		err_wrap(&err, "%.*s", 600, path);
		assert_true(strlen(err.msg) < sizeof(err.msg));
	}
}

static void only_what_was_cut_is_taken_off(void **state)
{
	char s[] = "カルテ", cut[] = "カル\xe3\x83", half[] = "\xe3", none[] = "";
	(void)state;

	width_whole(s);
	assert_string_equal(s, "カルテ");
	width_whole(cut);
	assert_string_equal(cut, "カル");
	width_whole(half);
	assert_string_equal(half, "");
	width_whole(none);
	assert_string_equal(none, "");
}

static void system_errors_are_spoken_in_both_languages(void **state)
{
	struct err err = ERR_INIT;
	(void)state;

	text_set_lang(TEXT_EN);
	/* our table repeats glibc's words: none may belong to another number */
	for (int e = 1; e < 134; e++)
		if (strerrordesc_np(e))
			assert_string_equal(text_errno(e), strerrordesc_np(e));
	assert_string_equal(text_errno(99999), "?");
	text_set_lang(TEXT_JA);
	err_sys(&err, "E-IO-02", ENOSPC, text("cannot write '%s'"), "/mnt/nas");
	assert_string_equal(err.msg, "'/mnt/nas' に書き込めません: デバイスに空き容量がありません");
	text_set_lang(TEXT_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_that_is_cut_ends_with_a_whole_character),
	    cmocka_unit_test(only_what_was_cut_is_taken_off),
	    cmocka_unit_test(system_errors_are_spoken_in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
