/* The n-th allocation fails while a file that people wrote is read: that is told as such (a medium's lists are not signed anew then), never as
 * a fault of the file.  unit.cmake has our own allocations come here; the libraries' do not. */
#include <stdlib.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/policy/policy.h"
#include "format/procedure/procedure.h"

#include <fcntl.h>

static long left = -1; /* until one fails; -1: none does */

static bool is_refused(void)
{
	return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
	return is_refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return is_refused() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return is_refused() ? NULL : __real_strdup(s);
}

typedef int parse_fn(const char *p, size_t n, struct config_problems *problems, struct err *err);

static int parse_policy(const char *p, size_t n, struct config_problems *problems, struct err *err)
{
	struct policy *policy = NULL;
	int r = policy_parse("policy.yaml", p, n, &policy, problems, err);

	policy_free(policy);
	return r;
}

static int parse_procedure(const char *p, size_t n, struct config_problems *problems, struct err *err)
{
	struct procedure *procedure = NULL;
	int r = procedure_parse("drill.md", p, n, &procedure, problems, err);

	procedure_free(procedure);
	return r;
}

static void never_the_files_fault(const char *path, parse_fn *parse)
{
	static struct config_problems problems;
	BUF_AUTO b = BUF_INIT(1 << 20);
	long n = 0;

	assert_int_equal(io_read_file(AT_FDCWD, path, &b, NULL), 0);
	for (;; n++) {
		struct err err = ERR_INIT;
		int r;

		left = n;
		r = parse((const char *)b.p, b.n, &problems, &err);
		if (left >= 0) {
			left = -1;
			assert_int_equal(r, 0);
			break;
		}
		if (r && err.kind != ERR_MEMORY)
			fail_msg("%s: allocation %ld: %s: %s", path, n, err.code, err.msg);
		assert_int_equal(problems.n_errors, 0);
	}
	assert_true(n > 20);
	print_message("%s: %ld allocations\n", path, n);
}

static void of_a_policy(void **state)
{
	(void)state;
	never_the_files_fault(TEST_DATA "/../policies/hospital.yaml", parse_policy);
}

static void of_a_procedure(void **state)
{
	(void)state;
	never_the_files_fault(TEST_DATA "/../policies/procedures/emr-postgresql.md", parse_procedure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_a_policy),
	    cmocka_unit_test(of_a_procedure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
