/* disk: a folder comes in the order of a catalog, from each outermost path on, and no link is followed. */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "base/path.h"
#include "restore/look/disk.h"
#include "restore/look/version.h"

static unsigned count(struct disk *d, const char *begin, char *ret_last)
{
	struct err err = ERR_INIT;
	struct version v;
	unsigned n = 0;
	int r;

	assert_int_equal(disk_begin(d, begin, &err), 0);
	*ret_last = '\0';
	while ((r = disk_next(d, &v, &err)) > 0) {
		assert_true(path_within(v.e.path, begin));
		if (*ret_last)
			assert_true(path_compare(ret_last, v.e.path) < 0);
		snprintf(ret_last, 200, "%s", v.e.path);
		n++;
	}
	assert_int_equal(r, 0);
	return n;
}

static void comes_in_the_order_of_a_catalog(void **state)
{
	struct disk *d;
	char last[200];
	(void)state;

	sh("cd %s && mkdir -p top/a top/a.b top/z && touch top/a/1 top/a/2 top/a.b/3 'top/a b' && ln -s /etc "
	   "top/z/out && touch beside",
	    scratch);
	assert_int_equal(disk_open(scratch, &d, NULL), 0);
	assert_int_equal(count(d, "top", last), 9);
	assert_string_equal(last, "top/z/out"); /* and nothing of /etc */
	assert_int_equal(count(d, "top/a", last), 3);
	assert_int_equal(count(d, "beside", last), 1);
	assert_int_equal(count(d, "nothing/of/that", last), 0);
	disk_close(d);
}

/* Exit status for the parent: root reads everything. */
static int look_as_nobody(void)
{
	struct err err = ERR_INIT;
	unsigned n = 0, faults = 0;
	struct version v;
	struct disk *d;
	int r;

	if ((geteuid() == 0 && setresuid(65534, 65534, 65534)) || disk_open(scratch, &d, NULL) ||
	    disk_begin(d, "dark", &err))
		return 1;
	while ((r = disk_next(d, &v, &err))) {
		n += r > 0;
		faults += r < 0;
	}
	disk_close(d);
	return n == 4 && faults == 1 && !strcmp(err.code, "E-LOOK-04") ? 0 : 2;
}

static void what_cannot_be_read_is_told_and_the_rest_comes(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_int_equal(sh("mkdir -p dark/a dark/b && touch dark/b/1 && chmod 0 dark/a"), 0);
	pid = fork();
	if (pid == 0) {
		in_child();
		_exit(look_as_nobody());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_in_the_order_of_a_catalog),
	    cmocka_unit_test(what_cannot_be_read_is_told_and_the_rest_comes),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
