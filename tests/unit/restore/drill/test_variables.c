/* variables: a value is only ever a value; what is missing or unfit is refused with its line. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "restore/drill/variables.h"

static struct procedure_variable declared[] = {
    {.name = "database", .type = PROCEDURE_NAME, .mark = {7, 5}},
    {.name = "port", .type = PROCEDURE_NUMBER, .value = "54399", .mark = {8, 5}},
    {.name = "remark", .type = PROCEDURE_TEXT, .value = "-", .mark = {9, 5}},
    {.name = "folder", .type = PROCEDURE_PATH, .value = "/srv", .mark = {10, 5}},
};
static const struct procedure procedure = {
    .variables = declared, .n_variables = sizeof(declared) / sizeof(*declared)};

static struct variables *good(const char *const *settings, size_t n)
{
	struct variables *v = NULL;
	struct err err = ERR_INIT;

	if (variables_new(&procedure, "p.md", settings, n, &v, &err))
		fail_msg("%s: %s", err.code, err.msg);
	return v;
}

static void refused(const char *setting, const char *code, const char *begins)
{
	const char *settings[] = {"database=emr", setting};
	struct variables *v = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(variables_new(&procedure, "p.md", settings, 2, &v, &err), -1);
	assert_null(v);
	if (strcmp(err.code, code) != 0 || strncmp(err.msg, begins, strlen(begins)) != 0)
		fail_msg("%s: %s: %s", setting, err.code, err.msg);
	assert_null(strchr(err.msg, '\033'));
	assert_null(strchr(err.msg, '\n'));
}

static const char *of(char **environment, const char *name)
{
	size_t n = strlen(name);

	for (; *environment; environment++)
		if (!strncmp(*environment, name, n) && (*environment)[n] == '=')
			return *environment + n + 1;
	return NULL;
}

static void values_stay_values(void **state)
{
	static const char evil[] = "'\"`touch pwned`$(touch pwned);&|<>*?[]{}~!#%\\ ${database} $HOME 患者";
	const char *settings[] = {"database=emr_2", NULL};
	char *setting = malloc(sizeof(evil) + 10), *s;
	struct variables *v;
	char **e;

	(void)state;
	assert_non_null(setting);
	memcpy(setting, "remark=", 7);
	memcpy(setting + 7, evil, sizeof(evil));
	settings[1] = setting;
	v = good(settings, 2);
	assert_string_equal(variables_lookup(v, "remark"), evil);
	/* not replaced a second time */
	s = variables_expand(v, "<${remark}> $$ ${port}", NULL);
	assert_non_null(s);
	assert_int_equal(strncmp(s + 1, evil, sizeof(evil) - 1), 0);
	assert_string_equal(s + sizeof(evil), "> $ 54399");
	free(s);
	e = variables_environment(v, "/x/scratch", NULL, NULL);
	assert_non_null(e);
	assert_string_equal(of(e, "remark"), evil);
	assert_string_equal(of(e, "database"), "emr_2");
	variables_environment_free(e);
	variables_free(v);
	free(setting);
}

static void environment_is_made_from_nothing(void **state)
{
	const char *settings[] = {"database=emr"};
	struct variables *v = good(settings, 1);
	size_t n = 0;
	char **e;

	(void)state;
	assert_int_equal(setenv("LD_PRELOAD_TEST", "x", 1) | setenv("TZ", "Asia/Tokyo", 1), 0);
	assert_int_equal(variables_engine(v, "scratch", "/x/scratch", NULL), 0);
	assert_int_equal(variables_engine(v, "generation", "42", NULL), 0);
	assert_int_equal(variables_engine(v, "generation", "43", NULL), 0);
	e = variables_environment(v, "/x/scratch", NULL, NULL);
	assert_non_null(e);
	while (e[n])
		n++;
	assert_int_equal(n, 5 + 2 + 4);
	assert_string_equal(of(e, "PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	assert_string_equal(of(e, "HOME"), "/x/scratch");
	assert_string_equal(of(e, "TMPDIR"), "/x/scratch/tmp");
	assert_string_equal(of(e, "LANG"), "C.UTF-8");
	assert_string_equal(of(e, "TZ"), "Asia/Tokyo");
	assert_string_equal(of(e, "generation"), "43");
	assert_string_equal(of(e, "scratch"), "/x/scratch");
	assert_null(of(e, "medium"));
	variables_environment_free(e);
	variables_free(v);
}

static void refusals(void **state)
{
	struct variables *v = NULL;
	struct err err = ERR_INIT;

	(void)state;
	refused("pork=1", "E-DRILL-02", "p.md: ");
	refused("port", "E-DRILL-02", "'port'");
	refused("=1", "E-DRILL-02", "'=1'");
	refused("scratch=/etc", "E-DRILL-02", "p.md: ");
	refused("PATH=/tmp", "E-DRILL-02", "p.md: ");
	refused("x\033[2Jy\n=1", "E-DRILL-02", "p.md: ");
	refused("database=other", "E-DRILL-02", "p.md:7: ");
	refused("port=1; touch pwned", "E-PROC-20", "p.md:8: ");
	refused("port=", "E-PROC-20", "p.md:8: ");
	refused("remark=a\nb", "E-PROC-20", "p.md:9: ");
	refused("remark=\033[2J", "E-PROC-20", "p.md:9: ");
	refused("remark=\xff", "E-PROC-20", "p.md:9: ");
	refused("folder=etc", "E-PROC-20", "p.md:10: ");
	refused("folder=/srv/../etc", "E-PROC-20", "p.md:10: ");
	assert_int_equal(variables_new(&procedure, "p.md", NULL, 0, &v, &err), -1);
	assert_string_equal(err.code, "E-DRILL-03");
	assert_int_equal(strncmp(err.msg, "p.md:7: ", 8), 0);
	assert_non_null(strstr(err.hint, "--set database="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_stay_values),
	    cmocka_unit_test(environment_is_made_from_nothing),
	    cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
