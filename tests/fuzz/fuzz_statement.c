/* fuzz: the statement on the journal's head that comes back from a witness.  What is taken can be written, and is then the same but for the time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char repository[JOURNAL_UUID];
	struct approval_record head;
	struct approval_plan *plan;
	BUF_AUTO b = BUF_INIT(4096);
	struct err err = ERR_INIT;
	size_t same;

	if (!approval_plan_parse((const char *)p, n, &plan, NULL))
		approval_plan_free(plan);
	if (approval_head_parse((const char *)p, n, repository, &head, &err))
		return 0;
	if (approval_head(repository, &head, 0, &b, &err) || b.n != n)
		abort();
	same = n - strlen("1970-01-01T00:00:00Z\n");
	if (memcmp(b.p, p, same) != 0)
		abort();
	return 0;
}
