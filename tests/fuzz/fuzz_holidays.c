/* Any bytes as a list of holidays: a fault names its line, and what is taken answers for any day. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/policy/holidays.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct holidays *h = NULL;
	struct err err = ERR_INIT;

	if (holidays_parse("list", (const char *)data, n, &h, &err)) {
		MUST(!h && !strncmp(err.msg, "list:", 5) && err.hint[0] && !strcmp(err.code, "E-POLICY-47"));
		return 0;
	}
	for (int32_t day = 18000; day < 24000; day += 7) {
		int32_t to = holidays_working(h, day);

		MUST(to >= day && to < day + HOLIDAYS_LOOK);
		MUST(to == day || !holidays_on(h, to));
		MUST(!holidays_listed(h, day) || holidays_known(h) >= day);
	}
	holidays_free(h);
	return 0;
}
