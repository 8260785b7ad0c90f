/* watchdog: a signal that asks for an end reaches the process that works, also in the moment in which it is
 * made. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "cmd/app/watchdog.h"

static enum { NOBODY, PARENT, CHILD } struck;

/* fork() calls these before it returns. */
static void in_parent(void)
{
	if (struck == PARENT)
		kill(getpid(), SIGTERM);
}

static void in_child(void)
{
	if (struck == CHILD)
		kill(getpid(), SIGTERM);
}

/* What the working process comes to, as its parent learns it.  It would wait two seconds for its end. */
static int watched(void)
{
	int status = 0;
	pid_t pid = fork(); /* handlers and masks stay in there */

	assert_true(pid >= 0);
	if (!pid) {
		pthread_atfork(NULL, in_parent, in_child);
		if (!watchdog_watch(&status)) {
			sleep(struck == NOBODY ? 0 : 2);
			_exit(7);
		}
		_exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void its_end_is_learned(void **state)
{
	(void)state;
	struck = NOBODY;
	assert_int_equal(watched(), 7);
}

static void a_signal_to_the_parent_is_passed_on_from_the_first_moment(void **state)
{
	(void)state;
	struck = PARENT;
	assert_int_equal(watched(), 100 + SIGTERM);
}

static void a_signal_to_the_child_ends_it_from_the_first_moment(void **state)
{
	(void)state;
	struck = CHILD;
	assert_int_equal(watched(), 100 + SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(its_end_is_learned),
	    cmocka_unit_test(a_signal_to_the_parent_is_passed_on_from_the_first_moment),
	    cmocka_unit_test(a_signal_to_the_child_ends_it_from_the_first_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
