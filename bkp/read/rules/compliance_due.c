/* compliance_due: when a data set is due, and whether a run was missed; see compliance.h.
 *
 * Due is from the slot on.  Missed is later: a run has had its time (settled_slot), and since that slot no
 * generation that was to hold the data set was even begun.
 */
#include "format/policy/policy.h"
#include "read/rules/compliance_private.h"
#include "read/rules/slots.h"

#define GRACE_S 3600LL /* a run takes its time, and several wait for one another */

bool compliance_ran_since(const struct compliance_view *v, int64_t ns)
{
	return v->s->run && v->s->run->ended_ns >= ns;
}

/* Begun and not ended: it is running, or it died and the next one finds out. */
static bool is_begun(const struct compliance_view *v, const struct compliance_dataset *d, int64_t slot_ns)
{
	const struct ledger_generation *g = d->tried ? ledger_generation_by_number(v->l, d->tried) : NULL;

	return g && g->begun_ns >= slot_ns;
}

/* The newest slot that a run has had the time to serve. */
static int64_t settled_slot(const struct compliance_view *v, const struct policy_dataset *p, int64_t slot_ns)
{
	int64_t grace_s = p->every.s / 4 < GRACE_S ? p->every.s / 4 : GRACE_S;

	/* a clock may be set to the end of time */
	if (compliance_age_s(v, slot_ns) > grace_s || slot_ns == INT64_MIN)
		return slot_ns;
	return slots_before(v->policy, p, slot_ns - 1);
}

void compliance_due_fill(const struct compliance_view *v, struct compliance_dataset *d)
{
	const struct policy_dataset *p = d->policy;
	struct slots slots;
	int64_t slot_ns;

	slots_look(v->policy, p, v->l, v->s->now_ns, &slots);
	d->due = slots.due;
	d->due_ns = slots.due ? slots.slot_ns : slots.next_ns;
	slot_ns = settled_slot(v, p, slots.slot_ns);
	/* where the policy states no time, none was promised; before there was a repository there was no run
	 * to miss */
	if (slots.due && (p->at >= 0 || v->policy->schedule_at >= 0) && slot_ns >= ledger_created_ns(v->l) &&
	    !is_begun(v, d, slot_ns))
		d->missed_ns = slot_ns;
}
