/* fuzz: what stands below keys/ on a medium: a period's revision, its approver, whom a person's file is for.  What is taken can be written,
 * and is then the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/medium/period_signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void revision(const char *p, size_t n)
{
	BUF_AUTO a = BUF_INIT(4 * PERIOD_FILE_MAX);
	BUF_AUTO b = BUF_INIT(4 * PERIOD_FILE_MAX);
	struct period *one, *again;
	struct err err = ERR_INIT;

	if (period_parse(p, n, &one, &err)) {
		if (!err.code[0] || !err.msg[0])
			abort();
		return;
	}
	if (period_format(one, &a, &err) || period_parse((const char *)a.p, a.n, &again, &err) ||
	    period_format(again, &b, &err) || a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
		abort();
	period_free(one);
	period_free(again);
}

static void approver(const char *p, size_t n)
{
	struct period_approver a = {.name = ""};
	BUF_AUTO b = BUF_INIT(PERIOD_FILE_MAX);
	struct err err = ERR_INIT;

	if (!period_approver_parse(p, n, &a, &err) && period_approver_format(&a, &b, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	revision((const char *)p, n);
	approver((const char *)p, n);
	return 0;
}
