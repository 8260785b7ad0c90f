/* csv: cells for spreadsheets. */
#include "unit.h"

#include <string.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/show/csv.h"

static void is(const char *text, const char *want)
{
	char *got = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&got, &n);

	assert_non_null(to);
	csv_cell(to, text, false);
	csv_cell(to, "end", true);
	fclose(to);
	if (strncmp(got, want, strlen(want)) != 0 || strcmp(got + strlen(want), ",\"end\"\r\n") != 0)
		fail_msg("%s", got);
	free(got);
}

static void a_cell_is_quoted_and_is_no_formula(void **state)
{
	(void)state;
	is("", "\"\"");
	is("RDX-01, \"A\"\n", "\"RDX-01, \"\"A\"\" \"");
	is("=1+1", "\"'=1+1\"");
	is("+1", "\"'+1\"");
	is("-1", "\"'-1\"");
	is("@x", "\"'@x\"");
	is(" \t=1", "\"'  =1\"");
	is("＝1", "\"'＝1\"");
	is("1=1", "\"1=1\"");
	is("金庫", "\"金庫\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_cell_is_quoted_and_is_no_formula)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
