/* form_words: what several forms say in the same words; see form.h. */
#include "cmd/report/form/form.h"

#include <stdio.h>

#include "base/text.h"
#include "format/policy/policy.h"

char *form_people_of(const struct policy *p, unsigned role, char out[FORM_TEXT])
{
	*out = '\0';
	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].roles & role)
			form_join(out, FORM_TEXT, p->people[i].name);
	return out;
}

const char *form_span_or(int64_t s, char out[FORM_TEXT])
{
	return s ? form_span(s, out) : text("(not stated)");
}
