/* compliance_next: what to do next, most urgent first; see compliance.h.
 *
 * The order of the calls in compliance_next() is the urgency: the clock (no age shown means anything while it
 * is wrong), what ransomware may have done, runs that did not take place, damage, data sets that are not
 * captured, media that should be away, media to be rotated, and last what is only too little yet.  For each
 * urgency all media or data sets are gone through before the next one.  A function that would only
 * repeat an earlier sentence returns.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/compliance_private.h"

#define SENTENCE 1024
#define SHOW	 256

void compliance_say(struct compliance_next *n, const char *fmt, ...)
{
	struct compliance *s = n->v->s;
	char sentence[SENTENCE];
	char **list = reallocarray(s->next, s->n_next + 1, sizeof(*list));
	int64_t *since = list ? reallocarray(s->next_since, s->n_next + 1, sizeof(*since)) : NULL;
	va_list ap;

	s->next = list ? list : s->next;
	if (!since) {
		n->failed = true;
		return;
	}
	s->next_since = since;
	/* a clock that was ahead once is no reason to count from the future */
	since[s->n_next] = n->since_ns <= s->now_ns ? n->since_ns : 0;
	n->since_ns = 0;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	width_whole(sentence);
	list[s->n_next] = strdup(sentence);
	if (list[s->n_next])
		s->n_next++;
	else
		n->failed = true;
}

/* Ages say nothing when the clock is wrong, so that comes first. */
static void say_clock(struct compliance_next *n)
{
	const struct ledger *l = n->v->l;
	int64_t last = ledger_head_ns(l);
	char at[CLOCK_TEXT], now[CLOCK_TEXT];

	/* what the clock said before a person attested it is settled */
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->number > ledger_latch(l)->attested && g->begun_ns > last)
			last = g->begun_ns;
	}
	if (n->v->s->now_ns < last)
		compliance_say(n,
		    text("the clock says %s, but the journal has a record of %s: set the clock right; until "
			 "then "
			 "no age shown here can be relied on"),
		    clock_format_local(n->v->s->now_ns, now), clock_format_local(last, at));
}

/* ---- data sets ---- */

static void say_not_good(struct compliance_next *n, const struct ledger_generation *in)
{
	const char *name = in->dataset;
	const uint64_t number = in->number;
	char reason[SHOW];

	if (in->verdict == LEDGER_PARTIAL && (in->unreadable || in->changed))
		compliance_say(n,
		    text("data set '%s': generation %ju is partial (%ju unreadable, %ju changed while read): "
			 "put "
			 "that right, then run 'bkp run %s'"),
		    name, number, in->unreadable, in->changed, name);
	else if (in->verdict == LEDGER_PARTIAL)
		compliance_say(n,
		    text("data set '%s': generation %ju is partial: %s; put that right, then run 'bkp run "
			 "%s'"),
		    name, number,
		    path_show(
			*in->reason ? in->reason : text("no reason is on record"), reason, sizeof(reason)),
		    name);
	else
		compliance_say(n,
		    text("data set '%s': generation %ju failed: %s; put that right, then run 'bkp run %s'"),
		    name, number,
		    path_show(
			*in->reason ? in->reason : text("no reason is on record"), reason, sizeof(reason)),
		    name);
}

static void say_tried(struct compliance_next *n, const struct compliance_dataset *d)
{
	const struct ledger_generation *g = ledger_generation_of(n->v->l, d->policy->name, d->tried);
	const char *name = d->policy->name;
	bool damaged = false;
	char reason[SHOW], label[GENERATION_LABEL];

	for (size_t i = 0; i < g->n_copies; i++)
		damaged |= g->copies[i].damaged_ns != 0;
	if (g->state == LEDGER_COMMITTED && g->suspect && !g->held_ns)
		return; /* compliance_next_frozen() says it */
	if (g->state == LEDGER_COMMITTED && !g->suspect && ledger_good(g) && !ledger_counts(n->v->l, g))
		return; /* what was captured together with it does not count, of which it is said */
	if (g->state == LEDGER_COMMITTED && g->suspect)
		compliance_say(n,
		    text("data set '%s': generation %ju is held as suspect and does not count: put the cause "
			 "right, then run 'bkp run %s'"),
		    name, g->number, name);
	else if (g->state == LEDGER_COMMITTED && !ledger_good(g))
		say_not_good(n, g);
	else if (g->state == LEDGER_COMMITTED && damaged)
		compliance_say(n,
		    text("data set '%s': no copy of generation %ju is whole: attach all media and run 'bkp "
			 "repair'; "
			 "what it cannot mend 'bkp run --anchor' stores anew"),
		    name, g->number);
	else if (g->state == LEDGER_COMMITTED)
		compliance_say(n,
		    text("data set '%s': generation %ju was not read back yet: run 'bkp verify %s'"), name,
		    g->number, generation_label(name, g->number, label));
	else
		compliance_say(n,
		    text("data set '%s': generation %ju failed: %s; put that right, then run 'bkp run %s'"),
		    name, g->number,
		    path_show(g->state == LEDGER_ABANDONED || !strcmp(g->reason, "interrupted")
				  ? text("it was interrupted")
				  : g->reason,
			reason, sizeof(reason)),
		    name);
}

/* Begin of the first generation of it behind the newest that counts. */
static int64_t failing_since(const struct compliance_next *n, const struct compliance_dataset *d)
{
	const struct ledger *l = n->v->l;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->number > d->newest && !strcmp(g->dataset, d->policy->name))
			return g->begun_ns;
	}
	return 0;
}

static void say_dataset(struct compliance_next *n, const struct compliance_dataset *d)
{
	char age[COMPLIANCE_SPAN], every[POLICY_PLAN_TEXT];
	const char *name = d->policy->name;

	n->since_ns = d->tried_failed ? failing_since(n, d)
		      : d->newest     ? d->newest_ns + d->policy->every.s * SECOND_NS / 2 * 3
				      : 0;
	if (d->tried_failed)
		say_tried(n, d);
	else if (!d->tried)
		compliance_say(n, text("data set '%s' was never captured: run 'bkp run %s'"), name, name);
	else if (compliance_stale(n->v, d) && !d->missed_ns && !n->v->s->frozen[0])
		compliance_say(n,
		    text("data set '%s': its newest good, verified generation is %s old, planned %s: run "
			 "'bkp run %s', and "
			 "see why the schedule did not"),
		    name, compliance_span(compliance_age_s(n->v, d->newest_ns), age, sizeof(age)),
		    policy_plan_every(&d->policy->every, every), name);
}

/* Nothing is wrong, there is only too little yet. */
static void say_few(struct compliance_next *n, const struct compliance_dataset *d)
{
	if (d->tried && !d->tried_failed && d->newest && d->generations.have < d->generations.want)
		compliance_say(n,
		    text("data set '%s': let 'bkp run' go on: generations of %u more dates are needed"),
		    d->policy->name, d->generations.want - d->generations.have);
}

/* A data set that silently disappeared from the policy is a data set that nobody protects.  Said until a
 * run without it has taken place. */
static void say_dropped(struct compliance_next *n)
{
	const struct ledger_generation *last = ledger_last_committed(n->v->l, NULL);
	size_t first, count = last ? ledger_run(n->v->l, last->number, &first) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = ledger_generation(n->v->l, first + i)->dataset;

		if (!policy_find_dataset(n->v->policy, name))
			compliance_say(n,
			    text("data set '%s' stands in run %ju, but no longer in the policy: is that "
				 "meant?"),
			    name, last->number);
	}
}

/* ---- what the policy itself lacks ---- */

static void say_policy(struct compliance_next *n)
{
	const struct policy *p = n->v->policy;
	const struct compliance_medium *claims = NULL;
	unsigned technologies = 0, shown = 0;
	bool offline = false;
	char day[DAY_TEXT];

	for (size_t i = 0; i < p->n_media; i++) {
		const struct compliance_medium *m = &n->v->s->media[i];

		if (compliance_type_agrees(m))
			technologies |= 1u << compliance_technology(compliance_type(m));
		if (compliance_type_agrees(m) && compliance_type_shown(m))
			shown |= 1u << compliance_technology(compliance_type(m));
		else if (!claims && m->ledger)
			claims = m;
		offline |= p->media[i].offline;
	}
	if (p->n_media < 2)
		compliance_say(n, "%s",
		    text("the policy declares one medium only: declare a second one and register it with "
			 "'bkp medium add'"));
	if (__builtin_popcount(technologies) < 2)
		compliance_say(n,
		    text("all media are of one technology (%s): add a medium of another one (magnetic disk, "
			 "SSD, tape, "
			 "optical, object store)"),
		    policy_plan_technology(compliance_type(&n->v->s->media[0])));
	else if (claims && __builtin_popcount(shown) < 2)
		compliance_say(n,
		    text("that '%s' is %s is declared only, its device does not show it: two technologies "
			 "must be shown by "
			 "devices; see 'bkp medium show %s'"),
		    claims->policy->name, policy_plan_technology(compliance_type(claims)),
		    claims->policy->name);
	if (p->holidays_fault)
		compliance_say(n, text("the holidays are not known, and turns are judged without them: %s"),
		    p->holidays_fault->msg);
	else if (p->n_pools && holidays_known(p->holidays) > INT32_MIN &&
		 day_of(n->v->s->now_ns) > holidays_known(p->holidays))
		compliance_say(n, text("the holidays are listed until %s only: bring '%s' up to date"),
		    day_format(holidays_known(p->holidays), day), p->holidays_path);
	if (!offline)
		compliance_say(n, "%s",
		    text("no medium is kept offline: declare one with 'offline: true' and bring it up to "
			 "date with 'bkp rotate'"));
}

/* What no sentence above explains is still not met. */
static void say_rest(struct compliance_next *n)
{
	const struct compliance *s = n->v->s;

	for (size_t i = 0; i < s->n_datasets && s->overall != COMPLIANCE_MET; i++) {
		const struct compliance_dataset *d = &s->datasets[i];
		const struct compliance_rule *rules[] = {&d->generations, &d->three, &d->two, &d->one};

		for (size_t k = 0; k < 4; k++)
			if (rules[k]->verdict != COMPLIANCE_MET) {
				compliance_say(n, text("data set '%s': %s"), d->policy->name, rules[k]->why);
				break;
			}
	}
}

static void say_datasets(struct compliance_next *n)
{
	const struct compliance *s = n->v->s;
	size_t tried = 0;

	for (size_t i = 0; i < s->n_datasets; i++)
		tried += s->datasets[i].tried != 0;
	if (!tried && s->n_datasets > 1) {
		compliance_say(n, "%s", text("nothing was captured yet: run 'bkp run'"));
		return;
	}
	for (size_t i = 0; i < s->n_datasets; i++)
		say_dataset(n, &s->datasets[i]);
	n->since_ns = 0; /* of what was not said */
}

int compliance_next(const struct compliance_view *v, struct err *err)
{
	static compliance_medium_fn *const later[] = {compliance_next_rotate, compliance_next_whereabouts,
	    compliance_next_ledger, compliance_next_behind, compliance_next_other, compliance_next_unread};
	struct compliance_next n = {.v = v};
	struct compliance *s = v->s;
	bool begun;

	say_clock(&n);
	compliance_next_latch(&n);
	compliance_next_frozen(&n);
	compliance_next_missed(&n);
	for (size_t i = 0; i < s->n_media; i++)
		compliance_next_damaged(&n, &s->media[i]);
	/* a first run needs media to write to */
	begun = ledger_last_committed(v->l, NULL) != NULL;
	for (size_t i = 0; !begun && i < v->policy->n_media; i++)
		compliance_next_absent(&n, &s->media[i]);
	say_datasets(&n);
	compliance_next_failed(&n);
	compliance_next_untold(&n);
	for (size_t i = 0; i < v->policy->n_media; i++)
		compliance_next_attached(&n, &s->media[i]);
	for (size_t i = 0; begun && i < v->policy->n_media; i++)
		compliance_next_absent(&n, &s->media[i]);
	for (size_t k = 0; k < sizeof(later) / sizeof(*later); k++)
		for (size_t i = 0; i < v->policy->n_media; i++)
			later[k](&n, &s->media[i]);
	say_policy(&n);
	compliance_next_narrowed(&n);
	compliance_next_keys(&n);
	compliance_next_drills(&n);
	compliance_next_contacts(&n);
	compliance_next_regulation(&n);
	say_dropped(&n);
	for (size_t i = 0; i < s->n_datasets; i++)
		compliance_next_agreed(&n, &s->datasets[i]);
	for (size_t i = 0; i < s->n_datasets; i++)
		say_few(&n, &s->datasets[i]);
	if (!s->n_next)
		say_rest(&n);
	return n.failed ? err_nomem(err) : 0;
}
