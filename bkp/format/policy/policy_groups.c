/* policy_groups: data sets that are captured together, and the order of capture; see policy.h.
 *
 * One names another, whichever does: who is named by one of them belongs to all of them. */
#include <limits.h>
#include <string.h>

#include "format/policy/policy.h"
#include "format/policy/policy_rules.h"

static bool names(const struct policy_dataset *a, const struct policy_dataset *b)
{
	for (size_t i = 0; i < a->n_together; i++)
		if (a->together[i] && b->name && !strcmp(a->together[i], b->name))
			return true;
	return false;
}

static unsigned own_turn(const struct policy_dataset *d)
{
	return d->priority ? d->priority : UINT_MAX;
}

/* Each pair that is named becomes one: the earlier leader leads all, and the most urgent says when it is their turn. */
static void join(struct policy *p, const struct policy_dataset *a, const struct policy_dataset *b)
{
	const struct policy_dataset *first = a->leader < b->leader ? a->leader : b->leader;
	const struct policy_dataset *last = a->leader < b->leader ? b->leader : a->leader;
	unsigned turn = a->turn < b->turn ? a->turn : b->turn;

	for (size_t i = 0; i < p->n_datasets; i++) {
		struct policy_dataset *d = &p->datasets[i];

		if (d->leader != first && d->leader != last)
			continue;
		d->leader = first;
		d->turn = turn;
	}
}

void policy_groups(struct policy *p)
{
	for (size_t i = 0; i < p->n_datasets; i++) {
		p->datasets[i].leader = &p->datasets[i];
		p->datasets[i].turn = own_turn(&p->datasets[i]);
	}
	for (size_t i = 0; i < p->n_datasets; i++)
		for (size_t k = 0; k < p->n_datasets && p->datasets[i].n_together; k++)
			if (names(&p->datasets[i], &p->datasets[k]))
				join(p, &p->datasets[i], &p->datasets[k]);
}

static int compare(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

int policy_order(const struct policy_dataset *a, const struct policy_dataset *b)
{
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	return a->leader != b->leader ? compare(a->leader, b->leader) : compare(a, b);
}

bool policy_together(const struct policy_dataset *a, const struct policy_dataset *b)
{
	return a->leader == b->leader;
}
