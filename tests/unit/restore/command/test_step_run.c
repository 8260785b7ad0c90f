/* step_run: a step's command gets exactly the environment it is given, cannot block us, and is ended with all
 * it started when its time is over. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "restore/app/interrupt.h"
#include "restore/command/step_run.h"

static char *const plain[] = {
    "PATH=/usr/bin:/bin", "a=$(touch pwned)", "b=`touch pwned`; touch pwned", "c=\"'\n\\ $HOME", NULL};
static struct step_run_result result;

static double run_for(const char *command, int64_t limit_s, size_t value_max, struct interrupt *interrupt)
{
	struct step_run_request q = {command, plain, scratch_dirfd(), limit_s, value_max, interrupt, NULL};
	struct timespec from, to;
	struct err err = ERR_INIT;

	step_run_free(&result);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (step_run(&q, &result, &err))
		fail_msg("%s: %s", err.code, err.msg);
	clock_gettime(CLOCK_MONOTONIC, &to);
	close(q.folder);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void run(const char *command)
{
	run_for(command, 60, 4096, NULL);
}

static bool tail_has(const char *s)
{
	return memmem(result.tail, result.tail_n, s, strlen(s)) != NULL;
}

static void ends(void **state)
{
	(void)state;
	run("echo out; echo err >&2");
	assert_int_equal(result.end, STEP_RUN_EXITED);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.value, "out\n");
	assert_true(tail_has("out") && tail_has("err"));
	run("exit 3");
	assert_int_equal(result.status, 3);
	run("kill -9 $$");
	assert_int_equal(result.end, STEP_RUN_SIGNALLED);
	assert_int_equal(result.status, 9);
}

static void stops_at_the_first_fault(void **state)
{
	(void)state;
	run("false; echo not reached");
	assert_int_equal(result.status, 1);
	assert_int_equal(result.value_n, 0);
	run("echo $not_set_at_all; echo not reached");
	assert_int_not_equal(result.status, 0);
	assert_int_equal(result.value_n, 0);
}

static void environment_is_what_was_given(void **state)
{
	(void)state;
	assert_int_equal(setenv("BKP_TEST_SECRET", "x", 1), 0);
	run("unset PWD OLDPWD _ 2>/dev/null || :; env -0 | sort -z | tr '\\0' '|'");
	assert_string_equal(result.value,
	    "PATH=/usr/bin:/bin|a=$(touch pwned)|b=`touch pwned`; touch pwned|c=\"'\n\\ $HOME|");
}

static void values_are_never_shell(void **state)
{
	(void)state;
	run("printf '%s|%s|%s' \"$a\" \"$b\" \"$c\"; echo $a $b >/dev/null");
	assert_string_equal(result.value, "$(touch pwned)|`touch pwned`; touch pwned|\"'\n\\ $HOME");
	assert_int_equal(access(in_scratch("pwned"), F_OK), -1);
}

static void nobody_to_ask(void **state)
{
	(void)state;
	run("[ \"$(cat)\" = '' ]; if (: </dev/tty) 2>/dev/null; then exit 9; fi; pwd");
	assert_int_equal(result.status, 0);
	assert_true(!strncmp(result.value, scratch, strlen(scratch)));
}

static void signals_are_as_usual(void **state)
{
	struct interrupt *i;

	(void)state;
	assert_int_equal(interrupt_hold(&i, NULL), 0);
	run_for("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '[:space:]'; (yes | head -n 1) >/dev/null",
	    60, 4096, i);
	assert_string_equal(result.value, "SigBlk:0000000000000000SigIgn:0000000000000000");
	interrupt_release(i);
}

static void large_output_does_not_block(void **state)
{
	(void)state;
	run_for("head -c 20000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b >&2; echo; "
		"echo last; echo last >&2",
	    60, 4096, NULL);
	assert_int_equal(result.status, 0);
	assert_int_equal(result.value_n, 4096);
	assert_true(result.value_over);
	assert_int_equal(result.tail_n, STEP_RUN_TAIL);
	assert_true(tail_has("last"));
	run_for("printf 1234", 60, 4, NULL);
	assert_false(result.value_over);
	assert_string_equal(result.value, "1234");
	run_for("printf 12345", 60, 4, NULL);
	assert_true(result.value_over);
}

static void a_server_lives_on(void **state)
{
	(void)state;
	/* it holds our pipes open, too */
	assert_true(run_for("sleep 30 & echo $! >pid; echo started", 60, 4096, NULL) < 5);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.value, "started\n");
	assert_int_equal(sh("kill -0 $(cat pid)"), 0);
	assert_int_equal(sh("kill $(cat pid)"), 0);
}

static void time_is_limited(void **state)
{
	double s;

	(void)state;
	s = run_for("sleep 31.4159 & sleep 31.4159; echo not reached", 1, 4096, NULL);
	assert_int_equal(result.end, STEP_RUN_LIMIT);
	assert_true(s >= 1 && s < 4);
	assert_int_equal(result.value_n, 0);
	/* everything that it started is ended */
	assert_int_not_equal(sh("pgrep -f 'sleep 31[.]4159' >/dev/null"), 0);
	/* one that will not hear */
	s = run_for("trap '' TERM; echo deaf; while :; do sleep 0.1; done", 1, 4096, NULL);
	assert_int_equal(result.end, STEP_RUN_LIMIT);
	assert_true(s >= 1 + STEP_RUN_GRACE && s < 5 + STEP_RUN_GRACE);
	assert_string_equal(result.value, "deaf\n");
	/* one that clears up when told */
	run_for("trap 'echo cleared; exit 7' TERM; while :; do sleep 0.1; done", 1, 4096, NULL);
	assert_string_equal(result.value, "cleared\n");
	assert_int_equal(result.end, STEP_RUN_LIMIT);
}

static void is_interrupted(void **state)
{
	struct interrupt *i;
	pid_t pid;

	(void)state;
	assert_int_equal(interrupt_hold(&i, NULL), 0);
	pid = fork();
	if (pid == 0) {
		in_child();
		usleep(300000);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	assert_true(run_for("sleep 30", 60, 4096, i) < 5);
	assert_int_equal(result.end, STEP_RUN_INTERRUPTED);
	assert_int_equal(interrupt_count(i), 1);
	waitpid(pid, NULL, 0);
	/* an earlier one does not end a later command */
	run_for("echo goes on", 60, 4096, i);
	assert_string_equal(result.value, "goes on\n");
	interrupt_release(i);
}

static void cannot_start(void **state)
{
	struct step_run_request q = {NULL, plain, scratch_dirfd(), 60, 4096, NULL, NULL};
	char *huge = malloc(200001);
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(huge);
	memset(huge, ' ', 200000); /* more than the kernel takes as one argument */
	huge[200000] = '\0';
	q.command = huge;
	step_run_free(&result);
	assert_int_equal(step_run(&q, &result, &err), -1);
	assert_string_equal(err.code, "E-DRILL-12");
	free(huge);
	close(q.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends),
	    cmocka_unit_test(stops_at_the_first_fault),
	    cmocka_unit_test(environment_is_what_was_given),
	    cmocka_unit_test(values_are_never_shell),
	    cmocka_unit_test(nobody_to_ask),
	    cmocka_unit_test(signals_are_as_usual),
	    cmocka_unit_test(large_output_does_not_block),
	    cmocka_unit_test(a_server_lives_on),
	    cmocka_unit_test(time_is_limited),
	    cmocka_unit_test(is_interrupted),
	    cmocka_unit_test(cannot_start),
	};
	int r = cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);

	step_run_free(&result);
	return r;
}
