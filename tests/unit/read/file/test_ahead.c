/* ahead: the bytes are those of the file, whoever reads them; it can be left off anywhere. spindle: what df
 * and lsblk say. */
#include <errno.h>
#include <sys/statfs.h>

#include "unit.h"
#include "scratch.h"

#include "read/file/ahead.h"
#include "read/store/rotational.h"
#include "read/store/store_dir.h"

static const size_t sizes[] = {0, 1, 4095, 4096, 65552, AHEAD_PART - 1, AHEAD_PART, AHEAD_PART + 1,
    3 * AHEAD_PART, 9 * AHEAD_PART + 12345};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static uint8_t *made[SIZES];

static int setup(void **state)
{
	if (scratch_setup(state)) /* on a disk: O_DIRECT, too */
		return -1;
	for (size_t i = 0; i < SIZES; i++) {
		char name[16];

		made[i] = malloc(sizes[i] + 1);
		noise(made[i], sizes[i], i);
		snprintf(name, sizeof(name), "f%zu", i);
		put_file(name, made[i], sizes[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < SIZES; i++)
		free(made[i]);
	return scratch_teardown(state);
}

static int open_made(size_t i)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "f%zu", i);
	fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Up to `most` parts, each of them overwritten after it was compared. */
static void read_made(struct ahead *a, size_t i, bool from_device, size_t most)
{
	int fd = open_made(i);
	struct store_file file = store_dir_file(fd);
	size_t at = 0;
	uint8_t *p;
	ssize_t n = 1;

	ahead_begin(a, &file, from_device);
	while (most-- && (n = ahead_next(a, &p)) > 0) {
		assert_true((size_t)n <= sizes[i] - at);
		assert_memory_equal(p, made[i] + at, (size_t)n);
		memset(p, 0, (size_t)n);
		at += (size_t)n;
	}
	ahead_end(a);
	assert_true(n > 0 || (n == 0 && at == sizes[i]));
	close(fd);
}

static void the_bytes_are_those_of_the_file(void **state)
{
	(void)state;
	for (int k = 0; k < 4; k++) {
		struct ahead *a = ahead_new(k & 1);

		assert_non_null(a);
		for (size_t i = 0; i < SIZES; i++)
			read_made(a, i, k & 2, SIZE_MAX);
		for (size_t i = SIZES; i-- > 0;)
			read_made(a, i, k & 2, SIZE_MAX);
		ahead_free(a);
	}
}

static void it_may_be_left_off_anywhere(void **state)
{
	(void)state;
	for (size_t most = 0; most < 12; most++) {
		struct ahead *a = ahead_new(true);

		for (size_t i = SIZES - 2; i < SIZES; i++)
			read_made(a, i, false, most);
		read_made(a, SIZES - 1, true, SIZE_MAX);
		read_made(a, SIZES - 1, true, most);
		ahead_free(a); /* also with parts that nobody took */
	}
}

static void what_cannot_be_read_says_why(void **state)
{
	struct ahead *a = ahead_new(true);
	int dir = scratch_dirfd();
	struct store_file file = store_dir_file(dir);
	uint8_t *p;

	(void)state;
	ahead_begin(a, &file, false);
	assert_int_equal(ahead_next(a, &p), -1);
	assert_int_equal(errno, EISDIR);
	ahead_end(a);
	read_made(a, SIZES - 1, false, SIZE_MAX);
	ahead_free(a);
	close(dir);
}

static void a_disk_that_turns_is_known(void **state)
{
	int fd = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = scratch_dirfd();
	struct statfs fs;

	(void)state;
	if (fd >= 0 && !fstatfs(fd, &fs) && fs.f_type == 0x01021994)
		assert_int_equal(rotational_of(fd), ROTATIONAL_MEMORY);
	if (fd >= 0)
		close(fd);
	/* what the kernel says, through lsblk: 0 and 1, or nothing where it is no disk */
	if (!sh("lsblk -dno ROTA $(findmnt -no SOURCE --target .) 2>/dev/null | tr -d ' \\n' >rota; test -s "
		"rota"))
		assert_int_equal(rotational_of(dir), sh("grep -q 1 rota") ? ROTATIONAL_NONE : ROTATIONAL_ONE);
	close(dir);
	/* what it is cannot be told: one reader */
	fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rotational_of(fd), ROTATIONAL_ONE);
	close(fd);
	assert_int_equal(rotational_of(-1), ROTATIONAL_ONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_bytes_are_those_of_the_file),
	    cmocka_unit_test(it_may_be_left_off_anywhere),
	    cmocka_unit_test(what_cannot_be_read_says_why),
	    cmocka_unit_test(a_disk_that_turns_is_known),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
