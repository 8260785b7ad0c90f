/* notify: what the command is given, and that neither its failing nor its hanging does harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include "base/err.h"
#include "cmd/app/notify.h"
#include "scratch.h"

static const struct notify_message message = {
    .line = "7 of 8 good; $(touch hacked) 検査DB",
    .details = "bkp: E-RUN-03: data set 'lab' failed\n  → look\n",
    .command = "run",
    .locale = "C.UTF-8",
    .site = "さくら'\"診療所",
    .run = 12,
    .exit = 1,
};

static double seconds_of(const char *command, int64_t limit_s, int expect, struct err *err)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(notify_run(command, limit_s, &message, err), expect);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void it_is_given_all_there_is_to_say(void **state)
{
	struct err err = ERR_INIT;
	(void)state;

	setenv("BKP_LINE", "of somebody else", 1);
	assert_int_equal(
	    notify_run("exec 2>&1; [ \"$BKP_LINE\" = '7 of 8 good; $(touch hacked) 検査DB' ] || exit 3\n"
		       "[ \"$BKP_EXIT $BKP_COMMAND $BKP_RUN\" = '1 run 12' ] || exit 4\n"
		       "[ \"$BKP_SITE\" = \"さくら'\\\"診療所\" ] || exit 5\n"
		       "[ \"$(env | grep -c '^BKP_LINE=')\" = 1 ] || exit 6\n"
		       "[ \"$(cat | sed -n 1p)\" = \"$BKP_LINE\" ] || exit 7\n"
		       "[ ! -e hacked ] || exit 8",
		5, &message, &err),
	    0);
	/* the details stand behind an empty line; standard input can be read more than once over */
	assert_int_equal(notify_run("sed -n 3p | grep -q '^bkp: E-RUN-03: data set'", 5, &message, &err), 0);
	unsetenv("BKP_LINE");
}

static void no_run_is_an_empty_word(void **state)
{
	struct notify_message m = message;
	struct err err = ERR_INIT;
	(void)state;

	m.run = 0;
	m.details = NULL;
	assert_int_equal(notify_run("[ -z \"$BKP_RUN\" ] && [ \"$(wc -l)\" = 1 ]", 5, &m, &err), 0);
}

static void what_fails_says_why(void **state)
{
	struct err err = ERR_INIT;
	(void)state;

	seconds_of("echo ok; echo 'sendmail: 接続できません' >&2; exit 75", 5, -1, &err);
	assert_string_equal(err.code, "W-NOTIFY-01");
	assert_non_null(strstr(err.msg, "status 75"));
	assert_null(strstr(err.msg, "sendmail")); /* it is recorded, in the clear */
	assert_non_null(strstr(err.hint, "it said: ok sendmail: 接続できません"));
	assert_non_null(strstr(err.hint, "bkp notify --test"));
	seconds_of("kill -9 $$", 5, -1, &err);
	assert_non_null(strstr(err.msg, "signal 9"));
	seconds_of("/nonexistent/command", 5, -1, &err);
	assert_non_null(strstr(err.msg, "status 127"));
	seconds_of("yes | head -c 3000000 >&2; printf 'last \\033[2Jwords' >&2; exit 1", 20, -1, &err);
	assert_non_null(strstr(err.hint, "last  [2Jwords"));
}

static void what_hangs_is_ended_with_all_it_started(void **state)
{
	struct err err = ERR_INIT;
	const char *file = in_scratch("late");
	char command[4400];
	double s;
	(void)state;

	snprintf(command, sizeof(command), "(sleep 3; touch %s) & trap '' TERM; sleep 60", file);
	s = seconds_of(command, 1, -1, &err);
	assert_string_equal(err.code, "W-NOTIFY-01");
	assert_non_null(strstr(err.msg, "longer than 1 s"));
	assert_true(s > 0.9 && s < 3);
	sleep(3);
	assert_int_not_equal(access(file, F_OK), 0);
}

/* What was started in the background holds the output open: nobody waits for it. */
static void what_it_leaves_running_is_not_waited_for(void **state)
{
	struct err err = ERR_INIT;
	(void)state;

	assert_true(seconds_of("sleep 4 & exit 0", 30, 0, &err) < 2);
	/* and one that reads nothing and writes nothing */
	assert_true(seconds_of("exec <&- >&- 2>&-; exit 0", 30, 0, &err) < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_given_all_there_is_to_say),
	    cmocka_unit_test(no_run_is_an_empty_word),
	    cmocka_unit_test(what_fails_says_why),
	    cmocka_unit_test(what_hangs_is_ended_with_all_it_started),
	    cmocka_unit_test(what_it_leaves_running_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
