/* place: a recovery begins in an empty folder only, and knows its own again. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define scratch_dirfd of_the_test /* both headers have one */
#include "unit.h"
#include "scratch.h"
#undef scratch_dirfd

#include "../../restore/extract/scratch.h"
#include "base/err.h"
#include "restore/app/app.h"
#include "restore/recover/place.h"

static void opens(const char *name, bool begun)
{
	struct app app = {.to = in_scratch(name)};
	struct err err = ERR_INIT;
	struct scratch *s = NULL;
	bool was = !begun;

	if (place_open(&app, &s, &was, &err))
		fail_msg("%s: %s: %s", name, err.code, err.msg);
	assert_int_equal(was, begun);
	scratch_free(s);
}

static void refuses(const char *name, const char *code)
{
	struct app app = {.to = in_scratch(name)};
	struct err err = ERR_INIT;
	struct scratch *s = NULL;
	bool was;

	assert_int_equal(place_open(&app, &s, &was, &err), -1);
	assert_string_equal(err.code, code);
	assert_null(s); /* nothing that could be taken away again */
}

static void only_empty_or_its_own(void **state)
{
	(void)state;
	opens("new", false);
	opens("new", false); /* what died before its first state was there */
	assert_int_equal(sh("rmdir %s/new/data/tmp", scratch), 0);
	opens("new", false); /* or even earlier */
	assert_int_equal(sh("touch %s/new/data/x", scratch), 0);
	refuses("new", "E-RECOVER-01");
	assert_int_equal(sh("rm %s/new/data/x; touch %s/new/data/tmp/x", scratch, scratch), 0);
	refuses("new", "E-RECOVER-01");
	assert_int_equal(sh("rm %s/new/data/tmp/x; mkdir %s/other; ln -s ../other %s/other/data; mkdir "
			    "%s/file; touch %s/file/data",
			     scratch, scratch, scratch, scratch, scratch),
	    0);
	refuses("other", "E-RECOVER-01");
	refuses("file", "E-RECOVER-01");
	assert_int_equal(sh("touch %s/new/.recovery.state.json.tmp", scratch), 0);
	opens("new", false);
	assert_int_equal(sh("touch %s/new/recovery.state.json %s/new/data/x", scratch, scratch), 0);
	opens("new", true);
	assert_int_equal(sh("chmod 777 %s/new", scratch), 0);
	refuses("new", "E-DRILL-01");
	assert_int_equal(sh("chmod 755 %s/new", scratch), 0);
}

static void one_at_a_time(void **state)
{
	int fd = open(in_scratch("new"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	refuses("new", "E-RECOVER-02");
	close(fd);
	opens("new", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_empty_or_its_own), cmocka_unit_test(one_at_a_time)};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
