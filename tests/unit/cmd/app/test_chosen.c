/* chosen: generations as a person names them: each once, and what is not there is said and keeps nothing from the others. */
#include <string.h>

#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "scribe.h"

#define WORDS 8

/* Run 1 captured emr and not documents, run 2 both. */
static void set_up(struct scribe *s)
{
	struct err err = ERR_INIT;

	ready(s);
	assert_int_equal(put(s, "begin", begin(1), &err), 0);
	assert_int_equal(put(s, "committed", committed("emr", 1), &err), 0);
	assert_int_equal(put(s, "failed", failed("documents", 1, "the command gave nothing"), &err), 0);
	assert_int_equal(put(s, "begin", begin(2), &err), 0);
	assert_int_equal(put(s, "committed", committed("emr", 2), &err), 0);
	assert_int_equal(put(s, "committed", committed("documents", 2), &err), 0);
}

/* "emr@2 documents@2", in the order in which they were chosen. */
static void finds(const struct ledger *l, const char *typed, bool datasets, int code, const char *want)
{
	char words[200], found[400] = "", label[GENERATION_LABEL], *word[WORDS];
	struct chosen c;
	size_t n = 0;

	snprintf(words, sizeof(words), "%s", typed);
	for (char *p = strtok(words, " "); p; p = strtok(NULL, " "))
		word[n++] = p;
	assert_int_equal(chosen_parse(word, n, datasets, &c), APP_OK);
	assert_int_equal(chosen_find(l, false, &c), APP_OK);
	assert_int_equal(c.code, code);
	for (size_t i = 0; i < c.n; i++) {
		assert_true(chosen_has(&c, c.item[i].dataset, c.item[i].number));
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
		    generation_label(c.item[i].dataset, c.item[i].number, label));
	}
	assert_string_equal(found, want);
	chosen_free(&c);
}

static void each_way_of_naming_one(void **state)
{
	struct scribe s;
	(void)state;

	set_up(&s);
	finds(s.ledger, "emr@1", false, APP_OK, "emr@1");
	finds(s.ledger, "emr@latest documents@2", false, APP_OK, "emr@2 documents@2");
	finds(s.ledger, "emr@2099-01-01", false, APP_OK, "emr@2");
	finds(s.ledger, "2", false, APP_OK, "emr@2 documents@2");
	finds(s.ledger, "emr@2 2 emr@latest", false, APP_OK, "emr@2 documents@2");
	finds(s.ledger, "emr", true, APP_OK, "emr@1 emr@2");
	end(&s);
}

static void what_is_missing_is_said_and_the_others_are_found(void **state)
{
	struct scribe s;
	(void)state;

	set_up(&s);
	finds(s.ledger, "1", false, APP_ATTENTION, "emr@1");
	finds(s.ledger, "documents@1 emr@1", false, APP_FAILED, "emr@1");
	finds(s.ledger, "emr@9 emx@1 7 emr@2", false, APP_FAILED, "emr@2");
	finds(s.ledger, "lab", true, APP_FAILED, "");
	end(&s);
}

static void what_is_wrong_is_refused_before_anything_is_opened(void **state)
{
	static char *words[] = {"emr", "emr@", "@2", "emr@-1", "EMR@2", "latest", "0", "two"};
	struct chosen c;
	(void)state;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		assert_int_equal(chosen_parse(&words[i], 1, false, &c), APP_USAGE);
		assert_null(c.asked);
	}
	assert_int_equal(chosen_parse(&words[0], 1, true, &c), APP_OK);
	chosen_free(&c);
}

static void rows_that_are_shown(void **state)
{
	char *words[] = {"documents", "1", "emr@latest"};
	struct chosen c;
	struct scribe s;
	(void)state;

	set_up(&s);
	assert_int_equal(chosen_parse(words, 0, true, &c), APP_OK);
	assert_true(chosen_fits(&c, "emr", 1));
	chosen_free(&c);
	assert_int_equal(chosen_parse(words, 2, true, &c), APP_OK);
	chosen_resolve(s.ledger, &c);
	assert_true(chosen_fits(&c, "emr", 1));
	assert_true(chosen_fits(&c, "documents", 2));
	assert_false(chosen_fits(&c, "emr", 2));
	assert_true(c.asked[0].found);
	chosen_free(&c);
	assert_int_equal(chosen_parse(words + 2, 1, true, &c), APP_OK);
	chosen_resolve(s.ledger, &c);
	assert_false(chosen_fits(&c, "emr", 1));
	assert_true(chosen_fits(&c, "emr", 2));
	chosen_free(&c);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_way_of_naming_one),
	    cmocka_unit_test(what_is_missing_is_said_and_the_others_are_found),
	    cmocka_unit_test(what_is_wrong_is_refused_before_anything_is_opened),
	    cmocka_unit_test(rows_that_are_shown),
	};

	text_set_lang(TEXT_EN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
