/* holds: see holds.h. */
#include "read/rules/holds.h"

#include <string.h>

#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

static bool is_newest(const struct ledger *l, const struct ledger_generation *g)
{
	for (size_t i = ledger_generations(l); i--;) {
		const struct ledger_generation *o = ledger_generation(l, i);

		if (o->number <= g->number)
			break;
		if (!strcmp(o->dataset, g->dataset) && ledger_counts(l, o))
			return false;
	}
	return ledger_counts(l, g);
}

static bool is_online(const struct policy *policy, const struct ledger *l, const struct ledger_generation *g)
{
	for (size_t i = 0; i < policy->n_media; i++) {
		const struct ledger_medium *lm =
		    policy->media[i].offline ? NULL : ledger_medium_by_label(l, policy->media[i].name);

		if (lm && ledger_copy_there(g, lm->uuid))
			return true;
	}
	return false;
}

static bool is_oldest(const struct policy *policy, const struct ledger *l, const struct ledger_generation *g)
{
	unsigned older = 0;

	if (!ledger_counts(l, g) || !is_online(policy, l, g))
		return false;
	for (size_t i = 0; i < ledger_generations(l) && older < HOLDS_OLDEST; i++) {
		const struct ledger_generation *o = ledger_generation(l, i);

		if (o->number >= g->number)
			break;
		older += !strcmp(o->dataset, g->dataset) && ledger_counts(l, o) && is_online(policy, l, o);
	}
	return older < HOLDS_OLDEST;
}

bool holds_wants(const struct policy *policy, const struct ledger *l, const struct policy_medium *m,
    const struct ledger_generation *g)
{
	if (!policy_medium_holds(m, g->dataset) || g->state != LEDGER_COMMITTED)
		return false;
	switch (m->pool ? m->pool->holds : POLICY_HOLDS_ALL) {
	case POLICY_HOLDS_NEWEST:
		return is_newest(l, g);
	case POLICY_HOLDS_OLDEST:
		return is_oldest(policy, l, g);
	default:
		return true;
	}
}

bool holds_complete(const struct policy *policy, const struct ledger *l, const struct policy_medium *m,
    const char *uuid, const char *dataset)
{
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);

		/* what expired there is not brought again */
		if (!strcmp(g->dataset, dataset) && holds_wants(policy, l, m, g) &&
		    (!c || (!c->expired_ns && (!c->ok || !c->verified_ns))))
			return false;
	}
	return true;
}
