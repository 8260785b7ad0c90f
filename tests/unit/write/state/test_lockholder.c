/* lockholder: the process that holds a lock is named, and nobody when it is free. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "base/clock.h"
#include "write/state/lockholder.h"

static void the_holder_is_named(void **state)
{
	char path[] = "/tmp/bkp-lock.XXXXXX", go[1];
	struct lockholder h = {.pid = -7};
	int fd = mkstemp(path), pipes[2];
	struct clock_stamp now;
	pid_t pid;

	(void)state;
	assert_true(fd >= 0 && !pipe(pipes));
	assert_int_equal(lockholder_find(fd, &h), -1);
	assert_int_equal(h.pid, -7);
	pid = fork();
	if (!pid) {
		int own = open(path, O_RDWR | O_CLOEXEC);

		close(fd);
		_exit(flock(own, LOCK_EX) || write(pipes[1], "x", 1) != 1 || pause());
	}
	assert_int_equal(read(pipes[0], go, 1), 1);
	if (access("/proc/locks", R_OK))
		print_message("[  SKIPPED ] this system has no /proc/locks\n");
	else {
		assert_int_equal(lockholder_find(fd, &h), 0);
		assert_int_equal(h.pid, pid);
		assert_non_null(strstr(h.command, "test_lockholder"));
		clock_now(&now);
		assert_true(h.since_ns <= now.wall_ns && h.since_ns > now.wall_ns - INT64_C(60000000000));
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(lockholder_find(fd, &h), -1);
	assert_int_equal(lockholder_find(-1, &h), -1);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_holder_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
