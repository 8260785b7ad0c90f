/* fuzz: the record of a key's use, which anybody may bring.  What is taken can be written, and is then the same. */
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/use_slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char repository[JOURNAL_UUID], again[JOURNAL_UUID];
	BUF_AUTO b = BUF_INIT(2 * USE_SLIP_MAX);
	json_t *o, *back;
	struct err err = ERR_INIT;

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
