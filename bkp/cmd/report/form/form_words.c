/* form_words: what several forms say in the same words; see form.h. */
#include "cmd/report/form/form.h"

#include <stdio.h>

#include "base/text.h"
#include "format/policy/policy.h"

const char *form_span_or(int64_t s, char out[FORM_TEXT])
{
	return s ? form_span(s, out) : text("(not stated)");
}
