/* procedure_target: what a procedure says of its RTO, held against the policy; see procedure.h. */
#include <string.h>

#include "format/policy/policy.h"
#include "format/procedure/procedure.h"

int64_t procedure_other_rto(
    const struct procedure *p, const struct policy *policy, const struct policy_dataset **ret)
{
	const struct policy_dataset *of = NULL;
	int64_t least = 0;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct procedure_step *s = &p->steps[i];
		const struct policy_dataset *d =
		    s->kind == PROCEDURE_RESTORE ? policy_find_dataset(policy, s->dataset) : NULL;

		if (!d || policy_stricter(least, d->rto_s) == least)
			continue;
		least = d->rto_s;
		of = d;
	}
	if (!p->rto_s || !least || p->rto_s == least)
		return 0;
	*ret = of;
	return least;
}
