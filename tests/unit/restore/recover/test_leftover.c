/* leftover: what a command has left is ended, also what has left its group; what has another marker is not. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"
#include "restore/recover/leftover.h"

/* A shell that ignores SIGTERM or not, in a session of its own; returns when it runs. */
static pid_t start(const char *marker, const char *script)
{
	char *const argv[] = {"sh", "-c", (char *)script, NULL};
	char *const environment[] = {"PATH=/usr/bin:/bin", (char *)marker, NULL};
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		dup2(ready[1], 1);
		execve("/bin/sh", argv, environment);
		_exit(127);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void ends_its_own(void **state)
{
	pid_t mine = start("BKP_RECOVERY_STEP=abc/1", "echo; exec sleep 300"), stubborn, other, longer;
	int status;

	(void)state;
	stubborn = start("BKP_RECOVERY_STEP=abc/1", "trap '' TERM; echo; exec sleep 300");
	other = start("BKP_RECOVERY_STEP=abc/2", "echo; exec sleep 300");
	longer = start("BKP_RECOVERY_STEP=abc/11", "echo; exec sleep 300");
	assert_int_equal(signal(SIGCHLD, SIG_IGN) == SIG_ERR, 0); /* nobody waits for orphans */
	assert_int_equal(leftover_end("abc/1"), 2);
	assert_int_equal(kill(mine, 0), -1);
	assert_int_equal(kill(stubborn, 0), -1);
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(kill(longer, 0), 0);
	assert_int_equal(leftover_end("abc/1"), 0);
	kill(other, SIGKILL);
	kill(longer, SIGKILL);
	(void)waitpid(other, &status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ends_its_own)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
