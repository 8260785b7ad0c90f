/* probe: one value from a command, or none. */
#include <stdbool.h>
#include <time.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "write/expect/probe.h"
#include "write/source/command.h"

static void gives(const char *command, const char *want)
{
	struct command_config cfg = {.line = command};
	struct err err = ERR_INIT;
	char *value = NULL;

	if (probe_run(&cfg, &value, NULL, &err))
		fail_msg("%s: %s %s", command, err.code, err.msg);
	assert_string_equal(value, want);
	free(value);
}

static void refused(const char *command, const char *code, const char *words)
{
	struct command_config cfg = {.line = command};
	struct err err = ERR_INIT;
	char *value = (char *)"untouched";

	assert_int_equal(probe_run(&cfg, &value, NULL, &err), -1);
	assert_string_equal(value, "untouched");
	assert_string_equal(err.code, code);
	if (!strstr(err.msg, words))
		fail_msg("%s: %s", command, err.msg);
}

static void test_values(void **state)
{
	char big[4097];

	(void)state;
	gives("echo 5", "5");
	gives("printf '5\\n\\n\\n'", "5");
	gives("printf ' 5 '", " 5 "); /* only newlines at the end are taken off */
	gives("printf '\\n5'", "\n5");
	gives("printf '患者\\t12\\n外来\\t3\\n'", "患者\t12\n外来\t3");
	gives("echo loud >&2; echo 5", "5");
	gives("sleep 0.3; echo 5", "5");
	memset(big, 'x', 4096);
	big[4096] = '\0';
	gives("head -c 4096 /dev/zero | tr '\\0' x; printf '\\n\\n'", big);
}

static void test_refused(void **state)
{
	(void)state;
	refused("true", "E-PROBE-01", "nothing");
	refused("echo", "E-PROBE-01", "nothing");
	refused("yes | head -c 4097", "E-PROBE-02", "4096");
	refused("head -c 4097 /dev/zero | tr '\\0' x", "E-PROBE-02", "4096");
	refused("yes", "E-PROBE-02", "4096"); /* does not wait for its end */
	refused("printf 'a\\200b'", "E-PROBE-03", "UTF-8");
	refused("printf '\\303'", "E-PROBE-03", "UTF-8");
	refused("printf 'a\\000b'", "E-PROBE-03", "UTF-8");
	refused("printf 'a\\rb'", "E-PROBE-03", "control");
	refused("printf '\\302\\205'", "E-PROBE-03", "control"); /* C1 */
	refused("echo 5; echo no table >&2; false", "E-CMD-02", "status 1");
	refused("echo 5; kill -9 $$", "E-CMD-02", "signal 9");
	refused("/nonexistent/probe", "E-CMD-02", "127");
}

static void test_value_is_in_no_message(void **state)
{
	struct command_config cfg = {.line = "echo HIDDEN; exit 1"};
	struct err err = ERR_INIT;
	char *value;

	(void)state;
	assert_int_equal(probe_run(&cfg, &value, NULL, &err), -1);
	assert_null(strstr(err.msg, "HIDDEN"));
	cfg.line = "printf 'HIDDEN\\001'";
	assert_int_equal(probe_run(&cfg, &value, NULL, &err), -1);
	assert_null(strstr(err.msg, "HIDDEN"));
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

/* Whatever it does, the run goes on. */
static void test_it_does_not_hang(void **state)
{
	struct command_config cfg = {.line = "echo waiting for a lock >&2; sleep 60", .limit_s = 1};
	struct command_words said;
	char *value = NULL;
	struct err err = ERR_INIT;
	time_t begun = time(NULL);

	(void)state;
	assert_int_equal(probe_run(&cfg, &value, &said, &err), -1);
	assert_string_equal(err.code, "E-CMD-03");
	assert_null(strstr(err.msg, "waiting for a lock"));
	assert_string_equal(said.text, "waiting for a lock");
	cfg = (struct command_config){.line = "sleep 60", .stop = at_once};
	assert_int_equal(probe_run(&cfg, &value, &said, &err), -1);
	assert_string_equal(err.code, "E-CMD-02");
	assert_true(time(NULL) - begun < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_value_is_in_no_message),
	    cmocka_unit_test(test_it_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
