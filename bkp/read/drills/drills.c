/* drills: see drills.h. */
#include "read/drills/drills.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

/* The year that item 3-② asks for, and the operating rules print. */
#define DRILL_EVERY_S (365 * (int64_t)86400)

const char *drills_word(enum drills_state s)
{
	static const char *const words[] = {
	    "holds", "never", "overdue", "failed", "procedure-edited", "source-updated", "host-changed"};

	return words[s];
}

static int64_t every_s(const struct policy *policy)
{
	return policy->drill_every_s ? policy->drill_every_s : policy->n_procedures ? DRILL_EVERY_S : 0;
}

static bool is_another(const char *was, const char *is)
{
	return *was && *is && strcmp(was, is) != 0;
}

/* What holds no longer whatever the time. */
static enum drills_state state_of(
    const struct ledger *l, const struct drilled *d, const struct ledger_generation *newest)
{
	const json_t *procedure = json_object_get(d->last->record, "procedure");

	if (json_array_size(ledger_procedures(l)) &&
	    !ledger_procedure_is(l, journal_text(procedure, "sha256")))
		return DRILLS_EDITED;
	if (newest && is_another(d->from->version, newest->version))
		return DRILLS_VERSION;
	if (newest && is_another(d->from->host, newest->host))
		return DRILLS_HOST;
	return DRILLS_HOLD;
}

/* The last that was captured, whatever it is worth: its software is what would have to be brought back. */
static const struct ledger_generation *newest_of(const struct ledger *l, const char *dataset)
{
	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->state == LEDGER_COMMITTED && !strcmp(g->dataset, dataset))
			return g;
	}
	return NULL;
}

int64_t drills_target(const struct policy *policy, const json_t *record, bool rpo)
{
	const json_t *sets = json_object_get(record, "datasets");
	int64_t least = 0;

	for (size_t i = 0; i < json_array_size(sets); i++) {
		const char *name = journal_text(json_array_get(sets, i), "dataset");
		const struct policy_dataset *d = policy_find_dataset(policy, name);

		if (d)
			least = policy_stricter(least, rpo ? d->rpo_s : d->rto_s);
	}
	return least;
}

static int64_t took_s(const struct ledger_drill *d)
{
	return json_integer_value(json_object_get(d->record, "recovery_s"));
}

static void find_range(const struct ledger *l, const char *dataset, struct drilled *d)
{
	for (size_t i = 0; i < ledger_drills(l); i++) {
		const struct ledger_drill *one = ledger_drill(l, i);

		if (!one->proves || !ledger_drill_restored(l, one, dataset, false))
			continue;
		d->least_s = d->n && d->least_s < took_s(one) ? d->least_s : took_s(one);
		d->most_s = d->most_s > took_s(one) ? d->most_s : took_s(one);
		d->n++;
	}
}

void drills_look(const struct policy *policy, const struct ledger *l, const struct policy_dataset *d,
    int64_t now_ns, struct drilled *ret)
{
	const struct ledger_generation *newest = newest_of(l, d->name);
	const int64_t every = every_s(policy);

	int64_t own;
	const struct ledger_drill *failed = ledger_drilled_in_vain(l, d->name);

	*ret = (struct drilled){.state = DRILLS_NEVER, .took_s = -1};
	ret->last = ledger_drilled(l, d->name, &ret->from);
	if (ret->last) {
		ret->took_s = took_s(ret->last);
		ret->too_slow = d->rto_s && ret->took_s > d->rto_s;
		ret->state = state_of(l, ret, newest);
		ret->target_s = drills_target(policy, ret->last->record, false);
		find_range(l, d->name, ret);
		own = json_integer_value(json_object_get(ret->last->record, "procedure_rto_s"));
		if (ret->state != DRILLS_EDITED && ret->target_s && own != ret->target_s)
			ret->other_rto_s = own;
	}
	if (failed && (!ret->last || failed->at_ns > ret->last->at_ns))
		ret->state = DRILLS_FAILED;
	if (!every || !newest)
		return;
	ret->due_ns =
	    ret->last ? ret->last->at_ns + every * SECOND_NS : ledger_created_ns(l) + every / 4 * SECOND_NS;
	if (ret->state == DRILLS_HOLD && now_ns >= ret->due_ns)
		ret->state = DRILLS_OLD;
	ret->due = ret->state == DRILLS_NEVER ? now_ns >= ret->due_ns : ret->state != DRILLS_HOLD;
}
