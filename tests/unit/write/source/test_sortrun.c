/* sortrun: the order is path_compare()'s, whatever does not fit into memory. */
#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "base/path.h"
#include "write/source/sortrun.h"

static int folder(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* n records with names from a small set, so that many are the same; each carries its number. */
static void sorts(size_t n, unsigned names, size_t memory)
{
	struct sortrun *s = NULL;
	int dir = folder(), r;
	char last[64] = "";
	uint64_t last_number = 0;
	uint8_t *seen = calloc(1, n);
	const char *path;
	const void *data;
	size_t got = 0, length;

	assert_non_null(seen);
	assert_int_equal(sortrun_new(dir, memory, &s, NULL), 0);
	for (uint64_t i = 0; i < n; i++) {
		char name[64];
		unsigned x = (unsigned)(i * 2654435761u) % names;

		snprintf(name, sizeof(name), x % 3 ? "f%u/%u" : "f%u!%u", x % 7, x);
		assert_int_equal(sortrun_add(s, name, &i, sizeof(i), NULL), 0);
	}
	assert_int_equal(sortrun_sort(s, NULL), 0);
	while (!(r = sortrun_next(s, &path, &data, &length, NULL))) {
		uint64_t number;
		int order = path_compare(last, path);

		assert_int_equal(length, sizeof(number));
		memcpy(&number, data, sizeof(number));
		assert_true(number < n && !seen[number]);
		seen[number] = 1;
		assert_true(order < 0 || (!got && !*last) || (!order && last_number < number));
		snprintf(last, sizeof(last), "%s", path);
		last_number = number;
		got++;
	}
	assert_int_equal(r, SORTRUN_END);
	assert_int_equal(got, n);
	sortrun_free(s);
	free(seen);
	close(dir);
	assert_int_equal(sh("[ -z \"$(ls)\" ]"), 0); /* nothing has a name */
}

static void test_order(void **state)
{
	(void)state;
	sorts(0, 10, 1 << 20);
	sorts(1, 10, 1 << 20);
	sorts(1000, 300, 1 << 20); /* in memory */
	sorts(1000, 300, 1);	   /* every record a run: two levels of merging */
	sorts(10000, 300, 2000);   /* several levels */
	sorts(100000, 100000, 100000);
}

static void test_large_records(void **state)
{
	size_t n = SORTRUN_PATH_MAX - 1, length;
	char *path = malloc(n + 1);
	char *data = calloc(1, SORTRUN_DATA_MAX);
	struct sortrun *s = NULL;
	struct err err = ERR_INIT;
	const char *got;
	const void *bytes;
	int dir = folder();

	(void)state;
	assert_non_null(path);
	memset(path, 'x', n);
	path[n] = '\0';
	assert_int_equal(sortrun_new(dir, 100000, &s, NULL), 0);
	for (char i = 9; i > 0; i--) {
		path[n - 1] = (char)('0' + i);
		assert_int_equal(sortrun_add(s, path, data, SORTRUN_DATA_MAX, &err), 0);
		assert_int_equal(sortrun_add(s, "short", "y", 1, &err), 0);
	}
	assert_int_equal(sortrun_add(s, path, data, SORTRUN_DATA_MAX + 1, &err), -1);
	assert_int_equal(sortrun_sort(s, &err), 0);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(sortrun_next(s, &got, &bytes, &length, &err), 0);
		assert_string_equal(got, "short");
	}
	for (char i = 1; i < 10; i++) {
		assert_int_equal(sortrun_next(s, &got, &bytes, &length, &err), 0);
		assert_int_equal(strlen(got), n);
		assert_int_equal(got[n - 1], '0' + i);
		assert_int_equal(length, SORTRUN_DATA_MAX);
	}
	assert_int_equal(sortrun_next(s, &got, &bytes, &length, &err), SORTRUN_END);
	sortrun_free(s);
	free(path);
	free(data);
	close(dir);
}

/* Where there is no room, that is said. */
static void test_no_room(void **state)
{
	struct rlimit old, tiny;
	struct sortrun *s = NULL;
	struct err err = ERR_INIT;
	int dir = folder(), r = 0;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	tiny = (struct rlimit){100000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &tiny);
	assert_int_equal(sortrun_new(dir, 1 << 20, &s, NULL), 0);
	for (int i = 0; i < 100000 && !r; i++)
		r = sortrun_add(s, "some/path/that/is/not/very/short", &i, sizeof(i), &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(r, -1);
	assert_string_equal(err.code, "E-SORT-01");
	sortrun_free(s);
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_large_records),
	    cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
