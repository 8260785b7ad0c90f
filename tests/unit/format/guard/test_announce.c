/* announce: what an announced change explains, and what none does; guard: what was announced is no habit and is not summed up. */
#include <string.h>

#include "unit.h"
#include "format/guard/announce.h"
#include "format/guard/guard.h"

static void words_are_those_of_the_format(void **state)
{
	static const char *const wrong[] = {
	    "", ",", "changed,", ",changed", "change", "changed deleted", "Changed", "all", "harm", "canary"};
	(void)state;

	assert_int_equal(announce_parse("changed"), GUARD_E_CHANGED);
	assert_int_equal(announce_parse("changed,deleted,renamed,new-kinds"), GUARD_E_DEFAULT);
	assert_int_equal(announce_parse("encrypted,changed,changed"), GUARD_E_ENCRYPTED | GUARD_E_CHANGED);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (announce_parse(wrong[i]))
			fail_msg("'%s' is taken", wrong[i]);
}

static void harm_is_never_explained(void **state)
{
	const uint32_t never = GUARD_R_HARM | GUARD_R_CANARY | GUARD_R_ROWS | GUARD_R_STILL;
	(void)state;

	assert_int_equal(announce_explains(GUARD_E_DEFAULT),
	    GUARD_R_CHANGED | GUARD_R_DELETED | GUARD_R_RENAMED | GUARD_R_NEWKIND);
	assert_int_equal(announce_explains(GUARD_E_ENCRYPTED), GUARD_R_SEALED | GUARD_R_DENSE);
	assert_int_equal(announce_explains(~(uint32_t)0) & never, 0);
}

static void each_reason_has_a_word(void **state)
{
	uint32_t all = 0, one;
	const char *word;
	(void)state;

	for (unsigned i = 0; (word = announce_reason_nth(i, &one)); i++) {
		assert_int_equal(announce_reason(word), one);
		assert_int_equal(all & one, 0);
		all |= one;
	}
	assert_int_equal(all, (GUARD_R_STILL << 1) - 1);
	assert_int_equal(announce_reason("of a later version"), 0);
	assert_int_equal(announce_reason(NULL), 0);
}

/* 1,000 files of which nearly all are deleted, behind twenty nights of which so many were like that, announced or accepted. */
static bool raised(size_t former, uint32_t noticed, struct guard *now)
{
	struct guard history[20];
	char why[GUARD_WHY];

	memset(history, 0, sizeof(history));
	for (size_t i = 0; i < 20; i++) {
		history[i].measured = true;
		history[i].before = 1000;
		history[i].deleted = i < former ? 900 : 2;
		history[i].noticed = i < former ? noticed : 0;
	}
	memset(now, 0, sizeof(*now));
	now->measured = true;
	now->before = 1000;
	now->deleted = 900;
	guard_judge(now, history, 20, 1, why);
	return now->suspect;
}

static void what_was_announced_is_no_habit(void **state)
{
	struct guard now;
	(void)state;

	assert_true(raised(0, 0, &now));
	assert_int_equal(now.reasons, GUARD_R_DELETED);
	assert_false(raised(3, 0, &now)); /* accepted thrice */
	assert_int_equal(now.reasons, 0);
	assert_true(raised(3, GUARD_R_DELETED, &now));
	assert_false(raised(3, GUARD_R_CHANGED, &now)); /* it was something else that was announced */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_those_of_the_format),
	    cmocka_unit_test(harm_is_never_explained),
	    cmocka_unit_test(each_reason_has_a_word),
	    cmocka_unit_test(what_was_announced_is_no_habit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
