/* procedure: which generation `select` says, and what a gate and a target are once they are read. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/procedure/procedure.h"

static void words(void **state)
{
	static const char *const none[] = {"", "Latest", "latest ", "newest-not-suspects", "newest-before",
	    "newest-before ", "newest-before 2026-13-01", "newest-before 2026-02-29", "newest-before 3d",
	    "newest-before 2026-11-20 25:00"};
	struct procedure_select s;
	int64_t ns;

	(void)state;
	assert_true(procedure_select_parse("latest", &s) && s.kind == PROCEDURE_LATEST);
	assert_true(procedure_select_parse("newest-not-suspect", &s) && s.kind == PROCEDURE_NOT_SUSPECT);
	assert_true(procedure_select_parse("newest-before 2026-11-20", &s));
	assert_true(s.kind == PROCEDURE_BEFORE && s.day == 20261120 && s.before_ns == 0);
	assert_true(procedure_select_parse("newest-before 2026-11-20 06:00", &s));
	assert_int_equal(clock_parse_moment("2026-11-20 06:00", &ns), 0);
	assert_true(s.day == 0 && s.before_ns == ns);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (procedure_select_parse(none[i], &s))
			fail_msg("'%s' was taken", none[i]);
}

static void gates(void **state)
{
	static const char text[] =
	    "# t\n\n```procedure\ntarget: live\nvariables: [{name: live, type: path, value: /x}]\n```\n"
	    "```gate\n誰: a\n何を: b\nどのように: c\n合否条件: d\n予定分: 1\n役割: 責任者\n人数: 2\n確認文: "
	    "${live}\n```\n"
	    "```restore\n誰: a\n何を: b\nどのように: c\n合否条件: d\n予定分: 1\ndataset: emr\n復旧優先度: "
	    "2\n同時: true\n"
	    "select: newest-before ${live}\n```\n"
	    "```gate\n誰: a\n何を: b\nどのように: c\n合否条件: d\n予定分: 1\n役割: 課長\n```\n";
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	(void)state;
	if (procedure_parse("p.md", text, sizeof(text) - 1, &p, NULL, &err))
		fail_msg("%s: %s", err.code, err.msg);
	assert_string_equal(p->target, "live");
	assert_true(p->steps[0].kind == PROCEDURE_GATE && p->steps[0].people == 2);
	assert_string_equal(p->steps[0].role, "責任者");
	assert_string_equal(p->steps[0].statement, "${live}");
	assert_true(p->steps[1].priority == 2 && p->steps[1].parallel);
	assert_string_equal(p->steps[1].select, "newest-before ${live}");
	assert_true(p->steps[2].people == 1 && !p->steps[2].statement);
	procedure_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(gates)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
