/* age_aside: the process beside runs age where this one may not, and does nothing else for it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/medium/period.h"
#include "restore/app/age_aside.h"
#include "restore/app/confine.h"

#define A   "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
#define SSH "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"

static char dir[] = "/tmp/age-aside.XXXXXX", path[64];
static const char *const ids[] = {"one.txt", "two.txt"};

/* An `age` that says how it was called and gives back what it got. */
static int setup(void **state)
{
	FILE *f;
	(void)state;

	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/age", dir);
	f = fopen(path, "w");
	if (!f || fputs("#!/bin/sh\n[ \"$3\" != two.txt ] || exit 7\nprintf '%s|' \"$@\"\ncat\n", f) < 0 ||
	    fclose(f))
		return -1;
	if (chmod(path, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
	return setenv("PATH", path, 1);
}

static void asked(int (*how)(void *, const char *, const void *, size_t, struct buf *, struct err *),
    bool seal, const char *name, const char *want)
{
	BUF_AUTO out = BUF_INIT(PERIOD_FILE_MAX);
	struct age_aside *a = NULL;
	struct err err = ERR_INIT;
	int r;

	assert_int_equal(age_aside_start(ids, 2, seal, &a, &err), 0);
	r = how(a, name, "bytes", 5, &out, &err);
	age_aside_end(a);
	if (!want) {
		assert_int_equal(r, -1);
		assert_string_equal(err.code, "E-AGE-11");
		assert_int_equal(out.n, 0);
		return;
	}
	if (r)
		fail_msg("%s: %s", name, err.msg);
	assert_int_equal(out.n, strlen(want));
	assert_memory_equal(out.p, want, out.n);
}

static void it_does_what_it_may(void **state)
{
	(void)state;
	asked(age_aside_open, false, "one.txt", "-d|-i|one.txt|bytes");
	asked(age_aside_open, false, "two.txt", NULL); /* age failed */
	asked(age_aside_seal, true, SSH, "-r|" SSH "|bytes");
}

static void it_does_nothing_else(void **state)
{
	(void)state;
	asked(age_aside_open, true, "three.txt", NULL); /* that nobody named */
	asked(age_aside_open, true, "/etc/ssh/ssh_host_ed25519_key", NULL);
	asked(age_aside_seal, false, SSH, NULL);
	asked(age_aside_seal, true, A, NULL); /* our own */
	asked(age_aside_seal, true, SSH "+passphrase", NULL);
	asked(age_aside_seal, true, "age1../../x1qqqqqqqq", NULL);
}

/* In a process that may start nothing any more. */
static void it_is_not_confined(void **state)
{
	int status = -1;
	pid_t pid;
	(void)state;

	pid = fork();
	if (!pid) {
		BUF_AUTO out = BUF_INIT(PERIOD_FILE_MAX);
		struct age_aside *a = NULL;

		if (age_aside_start(ids, 2, false, &a, NULL))
			_exit(1);
		confine_thread(-1);
		for (int i = 0; i < 3; i++)
			if (age_aside_open(a, "one.txt", "bytes", 5, &out, NULL) ||
			    out.n != (size_t)(i + 1) * 19)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int cleanup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/age", dir);
	return unlink(path) || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(it_does_what_it_may),
	    cmocka_unit_test(it_does_nothing_else), cmocka_unit_test(it_is_not_confined)};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, setup, cleanup);
}
