/* age_tool: a program is given bytes and gives bytes, in bounded room and bounded time, whatever it does. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "format/medium/period.h"
#include "read/vault/age_tool.h"

static struct buf out;
static struct err err;

static int run(const char *script, int limit_s, const void *p, size_t n)
{
	char *argv[] = {"sh", "-c", (char *)script, NULL};

	buf_free(&out);
	buf_init(&out, PERIOD_FILE_MAX);
	err = (struct err)ERR_INIT;
	return age_tool_run(argv, limit_s, p, n, &out, &err);
}

static void bytes_pass_through(void **state)
{
	static char big[PERIOD_FILE_MAX + 1];
	(void)state;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31 >> 3);
	assert_int_equal(run("cat", 10, big, PERIOD_FILE_MAX), 0); /* more than a pipe usually has room for */
	assert_int_equal(out.n, PERIOD_FILE_MAX);
	assert_memory_equal(out.p, big, out.n);
	assert_int_equal(run("cat; echo x", 10, big, PERIOD_FILE_MAX), -1);
	assert_int_equal(out.n, 0);
	assert_int_equal(run("cat", 10, big, sizeof(big)), -1);
	assert_int_equal(run("cat", 10, "", 0), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(run("exec 0<&-; echo y", 10, big, PERIOD_FILE_MAX), 0); /* it reads nothing */
}

static void what_fails_is_said(void **state)
{
	char *nothing[] = {"age-that-is-not-there", NULL};
	(void)state;

	assert_int_equal(run("echo secret; exit 3", 10, "", 0), -1);
	assert_string_equal(err.code, "E-AGE-11");
	assert_non_null(strstr(err.msg, "3"));
	assert_int_equal(out.n, 0);
	assert_null(memmem(out.p, out.cap, "secret", 6)); /* what came of it is wiped */
	assert_int_equal(run("kill -9 $$", 10, "", 0), -1);
	assert_non_null(strstr(err.msg, "9"));
	assert_int_equal(
	    run("echo 'age: error: no identity matched any of the recipients' >&2; exit 1", 10, "", 0),
	    AGE_NO_MATCH);
	assert_int_equal(
	    run("echo 'age: error: no identity matched any of the recipients' >&2", 10, "", 0), 0);
	assert_int_equal(age_tool_run(nothing, 10, "", 0, &out, &err), -1);
	assert_string_equal(err.code, "E-AGE-10");
}

static void nothing_goes_on_for_ever(void **state)
{
	static const char *const scripts[] = {
	    "sleep 60", "cat /dev/zero", "exec >&-; sleep 60", "sleep 60 & exit 0", "cat /dev/zero >&2"};
	(void)state;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		time_t begun = time(NULL);

		assert_int_equal(run(scripts[i], 1, "", 0), -1);
		assert_string_equal(err.code, "E-AGE-11");
		assert_true(time(NULL) - begun < 10);
	}
}

static void its_words_are_passed_on_in_bounds(void **state)
{
	char path[] = "/tmp/age-tool.XXXXXX", said[65536];
	int file = mkstemp(path), was = dup(2);
	ssize_t n;
	(void)state;

	assert_true(file >= 0);
	unlink(path);
	dup2(file, 2);
	assert_int_equal(
	    run("printf 'touch it\\033[31m\\nage: report unexpected or unhelpful errors at x\\nlast' >&2", 10,
		"", 0),
	    0);
	n = pread(file, said, sizeof(said), 0);
	assert_int_equal(run("head -c 1000000 /dev/zero | tr '\\0' x >&2", 10, "", 0), 0);
	dup2(was, 2);
	close(was);
	assert_string_equal((said[n] = '\0', said), "touch it?[31m\nlast");
	assert_true(pread(file, said, sizeof(said), 0) < 10000);
	close(file);
}

static int cleanup(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_pass_through),
	    cmocka_unit_test(what_fails_is_said), cmocka_unit_test(nothing_goes_on_for_ever),
	    cmocka_unit_test(its_words_are_passed_on_in_bounds)};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, cleanup);
}
