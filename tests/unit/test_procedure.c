/* procedure: what a document means.  What is refused is in test_procedure_bad.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/digest.h"
#include "format/procedure.h"
#include "scratch.h"

#define STEP "who: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n"

static struct procedure *parse(const char *s)
{
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	if (procedure_parse("p.md", s, strlen(s), &p, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	assert_non_null(p);
	return p;
}

static void the_ready_made_ones_are_good(void **state)
{
	static const char *const files[] = {"demo/procedure.md", "procedures/emr-postgresql.md"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		BUF_AUTO b = BUF_INIT(PROCEDURE_BYTES_MAX + 1);
		char name[4096];
		FILE *f;
		struct procedure *p;

		snprintf(name, sizeof(name), "%s/../policies/%s", TEST_DATA, files[i]);
		f = fopen(name, "rb");
		assert_non_null(f);
		assert_int_equal(buf_reserve(&b, PROCEDURE_BYTES_MAX, NULL), 0);
		b.n = fread(b.p, 1, PROCEDURE_BYTES_MAX, f);
		fclose(f);
		assert_int_equal(buf_terminate(&b, NULL), 0);
		p = parse((const char *)b.p);
		assert_true(p->n_steps >= 5 && p->n_contacts >= 1 && p->rto_s == 24 * 3600);
		assert_string_equal(p->source, (const char *)b.p);
		procedure_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_ready_made_ones_are_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
