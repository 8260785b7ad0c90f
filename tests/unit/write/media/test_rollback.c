/* rollback: what a copy of the journal that knows less than it was given says of the disk it lies on. */
#include "unit.h"
#include "scratch.h"
#include "scribe.h"

#include "read/store/store.h"
#include "write/media/rollback.h"

static void rotated(struct scribe *s, int turn, struct err *err)
{
	assert_int_equal(
	    put(s, "rotated",
		json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b, s:i, s:i, s:i, s:i}", "medium", RDX,
		    "operator", "A", "place", "B", "generations", 1, "newest", 1, "copied", 0, "bytes",
		    100 << 20, "unfrozen", 0, "complete", 1, "turn", turn, "write_ms", 1000, "read_bytes",
		    turn == 2 ? 5 : 100 << 20, "read_ms", turn == 2 ? 1 : 500),
		err),
	    0);
}

static uint64_t heads(struct scribe *s, struct err *err)
{
	uint64_t upto = ledger_seq(s->ledger);

	assert_int_equal(
	    put(s, "heads", json_pack("{s:i, s:s, s:[s]}", "upto", (int)upto, "sha256", HASH, "media", RDX),
		err),
	    0);
	return upto;
}

static void bring(struct scribe *s, const char *event, int generation, struct err *err)
{
	assert_int_equal(put(s, event,
			     json_pack("{s:s, s:[{s:s, s:i, s:i, s:i}]}", "medium", RDX, "generations",
				 "dataset", "emr", "generation", generation, "files", 1, "bytes", 1),
			     err),
	    0);
}

/* Two rotations: emr@1, then emr@2; the disk holds what `there` names. */
static void two_turns(struct scribe *s, uint64_t ret_mark[2], struct err *err)
{
	ready(s);
	for (int turn = 1; turn <= 2; turn++) {
		assert_int_equal(put(s, "begin", begin(turn), err), 0);
		assert_int_equal(put(s, "committed", committed("emr", turn), err), 0);
		bring(s, "copied", turn, err);
		bring(s, "verified", turn, err);
		rotated(s, turn, err);
		ret_mark[turn - 1] = heads(s, err);
	}
}

static bool is_former(
    struct scribe *s, const char *folder, uint64_t lines, uint64_t *ret_turn, struct err *ret)
{
	STORE_AUTO disk = {0};

	assert_int_equal(store_open_place(in_scratch(folder), &disk, NULL), 0);
	*ret = (struct err)ERR_INIT;
	return rollback_look(s->ledger, ledger_medium_by_uuid(s->ledger, RDX), &disk, lines, ret_turn, ret);
}

static void a_former_day_is_told_from_a_journal_that_was_cut(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	uint64_t mark[2], turn = 99;
	const struct ledger_medium *lm;

	(void)state;
	two_turns(&s, mark, &err);
	lm = ledger_medium_by_uuid(s.ledger, RDX);
	assert_int_equal(
	    sh("mkdir -p whole/datasets/emr/generations/000001 whole/datasets/emr/generations/000002 "
	       "less/datasets/emr/generations/000001 none"),
	    0);
	/* all is there: only an exact former end is a former day */
	assert_true(is_former(&s, "whole", mark[0], &turn, &err));
	assert_int_equal(turn, 1);
	assert_string_equal(err.code, "E-ROTATE-20");
	assert_non_null(strstr(err.msg, "after rotation 1"));
	assert_non_null(strstr(err.hint, "--accept-rollback"));
	assert_false(is_former(&s, "whole", mark[0] - 1, &turn, &err));
	assert_false(is_former(&s, "whole", mark[0] + 1, &turn, &err));
	assert_false(is_former(&s, "whole", 0, &turn, &err));
	/* something is gone with it: two signs */
	assert_true(is_former(&s, "less", mark[0] + 1, &turn, &err));
	assert_int_equal(turn, 1);
	assert_non_null(strstr(err.msg, "1 generations that were verified on it are gone"));
	assert_non_null(strstr(err.msg, "emr@2"));
	assert_true(is_former(&s, "none", 0, &turn, &err));
	assert_int_equal(turn, 0);
	assert_true(rollback_turn(lm, mark[1]) == 2 && rollback_turn(lm, mark[0]) == 1);
	assert_true(rollback_turn(lm, mark[1] - 1) == UINT64_MAX && rollback_turn(lm, 0) == UINT64_MAX);
	end(&s);
}

/* What a rotation measured is kept, unless it was too little to say anything. */
static void turns_are_counted_and_their_pace_is_kept(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	uint64_t mark[2];
	const struct ledger_medium *lm;

	(void)state;
	two_turns(&s, mark, &err);
	lm = ledger_medium_by_uuid(s.ledger, RDX);
	assert_true(lm->turns == 2 && lm->n_marks == 2 && lm->copy_seq == mark[1]);
	assert_true(lm->wrote.bytes == 100u << 20 && lm->wrote.ms == 1000);
	assert_true(lm->read.bytes == 100u << 20 && lm->read.ms == 500);
	/* the next one is the third, not the second or the fourth */
	for (int turn = 2; turn <= 4; turn += 2) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b, s:i}", "medium", RDX,
		    "operator", "A", "place", "B", "generations", 1, "newest", 1, "copied", 0, "bytes", 0,
		    "unfrozen", 0, "complete", 1, "turn", turn);

		assert_int_equal(ledger_accepts(s.ledger, "rotated", o, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-02");
		json_decref(o);
	}
	end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_former_day_is_told_from_a_journal_that_was_cut),
	    cmocka_unit_test(turns_are_counted_and_their_pace_is_kept),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
