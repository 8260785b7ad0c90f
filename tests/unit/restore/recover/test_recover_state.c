/* state: what was done is known again after the program has gone, and nothing is taken for it that is another's. */
#include <stdlib.h>
#include <string.h>

#define scratch_dirfd of_the_test /* both headers have one */
#include "unit.h"
#include "scratch.h"
#undef scratch_dirfd

#include "../../restore/extract/scratch.h"
#include "base/err.h"
#include "restore/drill/drill.h"
#include "restore/drill/variables.h"
#include "restore/recover/recovery.h"
#include "restore/recover/state.h"

static struct procedure_step steps[] = {
    {.kind = PROCEDURE_GATE, .number = 1, .line = 3, .id = "gate", .role = "r", .people = 2},
    {.kind = PROCEDURE_RESTORE, .number = 2, .line = 9, .id = "data"},
    {.kind = PROCEDURE_CHECK, .number = 3, .line = 15, .id = "count"},
};
static struct procedure procedure = {.title = "t", .steps = steps, .n_steps = 3};
static struct drill_generation generation = {.dataset = "emr", .number = 42, .label = "emr@42"};

static void begin(struct recovery *r)
{
	memset(r, 0, sizeof(*r));
	r->s.procedure = &procedure;
	assert_int_equal(drill_new(&procedure, "p.md", &r->s.d, NULL), 0);
	r->s.d->step[1].from = &generation;
	assert_int_equal(variables_new(&procedure, "p.md", NULL, 0, &r->s.variables, NULL), 0);
	assert_int_equal(scratch_open(in_scratch("rec"), "data", &r->s.scratch, NULL), 0);
	r->s.d->repository = strdup("3d5f0f0e-0000-4000-8000-000000000001");
	r->running = calloc(4, sizeof(*r->running));
}

static void end(struct recovery *r)
{
	scratch_free(r->s.scratch);
	drill_free(r->s.d);
	variables_free(r->s.variables);
	free(r->running);
	free(r->confirmed);
}

static void save(struct recovery *r, bool finished)
{
	struct err err = ERR_INIT;

	if (state_save(r, finished, &err))
		fail_msg("%s: %s", err.code, err.msg);
}

static void refused(struct recovery *r, const char *code)
{
	struct err err = ERR_INIT;

	assert_int_equal(state_load(r, &err), -1);
	assert_string_equal(err.code, code);
}

static void comes_back(void **state)
{
	struct recovery a, b;
	struct drill_step *s;
	struct err err = ERR_INIT;

	(void)state;
	begin(&a);
	strcpy(a.id, "0123456789abcdef");
	a.confirmed = strdup("emr@42");
	a.s.d->begun_ns = INT64_C(1700000000000000000);
	s = a.s.d->step;
	s[0].signer = calloc(1, sizeof(*s[0].signer));
	s[0].signer[0] =
	    (struct drill_signer){strdup("院長"), strdup("票 \"3\""), INT64_C(1700000001000000000)};
	s[0].n_signers = 1;
	s[0].mark = PROCEDURE_MARK_PASSED;
	s[1].from = s[2].from = &generation;
	s[1].mark = PROCEDURE_MARK_LATE;
	s[1].bytes = 12345;
	s[1].count[OUTCOME_FILE] = 7;
	s[1].tries = 2;
	s[1].seconds = 1.5;
	a.running[2] = true;
	s[2].decision = calloc(1, sizeof(*s[2].decision));
	s[2].decision[0] = (struct drill_decision){'g', strdup("佐藤"), strdup("違う"), 0, "E-DRILL-16"};
	s[2].n_decisions = 1;
	save(&a, false);
	begin(&b);
	if (state_load(&b, &err))
		fail_msg("%s: %s", err.code, err.msg);
	assert_string_equal(b.id, a.id);
	assert_string_equal(b.confirmed, "emr@42");
	assert_true(b.s.d->begun_ns == a.s.d->begun_ns && b.s.d->resumed == 1);
	s = b.s.d->step;
	assert_int_equal(s[0].n_signers, 1);
	assert_string_equal(s[0].signer[0].by, "院長");
	assert_string_equal(s[0].signer[0].evidence, "票 \"3\"");
	assert_true(s[0].mark == PROCEDURE_MARK_PASSED && s[1].mark == PROCEDURE_MARK_LATE &&
		    s[2].mark == PROCEDURE_MARK_NONE);
	assert_true(s[1].wanted == 42 && s[2].wanted == 42 && s[0].wanted == 0);
	assert_true(s[1].bytes == 12345 && s[1].count[OUTCOME_FILE] == 7 && s[1].tries == 2);
	assert_true(!b.running[0] && !b.running[1] && b.running[2]);
	assert_true(s[2].n_decisions == 1 && s[2].decision[0].choice == 'g');
	assert_string_equal(s[2].decision[0].fault, "E-DRILL-16");
	end(&b);
	end(&a);
}

static void of_another_it_is_refused(void **state)
{
	struct recovery r;

	(void)state;
	begin(&r);
	procedure.sha256[0] ^= 1;
	refused(&r, "E-RECOVER-06");
	procedure.sha256[0] ^= 1;
	r.s.d->repository[0] = '4';
	refused(&r, "E-RECOVER-06");
	r.s.d->repository[0] = '3';
	strcpy(r.id, "0123456789abcdef");
	save(&r, true);
	refused(&r, "E-RECOVER-06");
	put_file("rec/recovery.state.json", "{\"kind\":\"bkp-recovery-state\"", 28);
	refused(&r, "E-RECOVER-05");
	put_file("rec/recovery.state.json", "[]", 2);
	refused(&r, "E-RECOVER-05");
	put_file("rec/recovery.state.json", "", 0);
	refused(&r, "E-RECOVER-05");
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back), cmocka_unit_test(of_another_it_is_refused)};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
