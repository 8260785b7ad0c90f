/* scratch: what unit tests share: a folder of their own, stock tools, files as bytes.
 *
 * Included by tests that need it.  A failure here is a failed assertion of the test.
 */
#ifndef BKP_TESTS_SCRATCH_H
#define BKP_TESTS_SCRATCH_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"

#define UNUSED __attribute__((unused))

static char scratch[64]; /* the folder */

static UNUSED int scratch_setup(void **state)
{
	(void)state;
	snprintf(scratch, sizeof(scratch), "/tmp/bkp-unit.XXXXXX");
	return !mkdtemp(scratch);
}

/* The same in memory where there is such a place: fsync costs nothing there. */
static UNUSED int scratch_setup_memory(void **state)
{
	snprintf(scratch, sizeof(scratch), "/dev/shm/bkp-unit.XXXXXX");
	return mkdtemp(scratch) ? 0 : scratch_setup(state);
}

static UNUSED int scratch_teardown(void **state)
{
	char command[500];

	(void)state;
	snprintf(command, sizeof(command), "%s/lib/rmtree.sh %s", TEST_DATA, scratch);
	return system(command);
}

static UNUSED int scratch_folder; /* of the folder, for tests with these two */

static UNUSED int scratch_setup_open(void **state)
{
	if (sodium_init() < 0 || scratch_setup_memory(state))
		return -1;
	scratch_folder = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scratch_folder < 0;
}

static UNUSED int scratch_teardown_open(void **state)
{
	close(scratch_folder);
	return scratch_teardown(state);
}

/* "<scratch>/name" into a buffer of the caller's choice: there are four, used in turn. */
static UNUSED const char *in_scratch(const char *name)
{
	static char paths[4][4200];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", scratch, name);
	return p;
}

/* Runs a command line inside the scratch folder; its exit status. */
static UNUSED __attribute__((format(printf, 1, 2))) int sh(const char *fmt, ...)
{
	char line[8192];
	va_list ap;
	int n = snprintf(line, sizeof(line), "cd %s && ", scratch), status;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	fflush(stdout);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static UNUSED void put_file(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(in_scratch(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Appends the file to `out` (NUL behind it, not counted). */
static UNUSED void get_file(const char *name, struct buf *out)
{
	FILE *f = fopen(in_scratch(name), "rb");
	uint8_t block[65536];
	size_t n;

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)))
		assert_int_equal(buf_append(out, block, n, NULL), 0);
	fclose(f);
	assert_int_equal(buf_terminate(out, NULL), 0);
}

static UNUSED int scratch_dirfd(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Names in a folder of the scratch folder. */
static UNUSED int count_names(const char *name)
{
	return sh("exit $(ls -A %s | wc -l)", name);
}

/* Bytes that no compressor makes smaller, the same for the same seed. */
static UNUSED void noise(void *out, size_t n, uint64_t seed)
{
	uint8_t *p = out;
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 24);
	}
}

/* To be called first in a forked child, which must end with _exit and assert nothing: cmocka's handlers of
 * signals would go on with the tests in it. */
static UNUSED void in_child(void)
{
	static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
	const struct rlimit none = {0, 0};

	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		signal(deadly[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
}

static UNUSED mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(in_scratch(name), &st), 0);
	return st.st_mode & 07777;
}

#endif
