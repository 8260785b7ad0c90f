/* fuzz: the records of a key's use and of a drill, which anybody may bring.  What is taken of a use can be written, and is then the same; of a
 * drill it is what a record may hold. */
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/drill_slip.h"
#include "format/journal/use_slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void take_drill(const uint8_t *p, size_t n)
{
	char repository[JOURNAL_UUID];
	json_t *o;

	if (drill_slip_parse(p, n, repository, &o, NULL))
		return;
	if (drill_slip_wrong(o) || drill_slip_ns(o) == INT64_MIN)
		abort();
	(void)drill_slip_proves(o);
	json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char repository[JOURNAL_UUID], again[JOURNAL_UUID];
	BUF_AUTO b = BUF_INIT(2 * USE_SLIP_MAX);
	json_t *o, *back;
	struct err err = ERR_INIT;

	take_drill(p, n);
	if (use_slip_parse(p, n, repository, &o, &err))
		return 0;
	if (use_slip_format(repository, o, &b, &err) ||
	    (b.n <= USE_SLIP_MAX && (use_slip_parse(b.p, b.n, again, &back, &err) || !json_equal(o, back))))
		abort();
	if (b.n <= USE_SLIP_MAX)
		json_decref(back);
	json_decref(o);
	return 0;
}
