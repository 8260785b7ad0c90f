/* standing_next: what to do next, most urgent first; see standing.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/standing_private.h"

#define SENTENCE 1024
#define SHOW	 256

void standing_say(struct standing_next *n, const char *fmt, ...)
{
	struct standing *s = n->v->s;
	char sentence[SENTENCE];
	char **list = reallocarray(s->next, s->n_next + 1, sizeof(*list));
	va_list ap;

	if (!list) {
		n->failed = true;
		return;
	}
	s->next = list;
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
static void say_clock(struct standing_next *n)
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
		standing_say(n,
		    text("the clock says %s, but the journal has a record of %s: set the clock right; until "
			 "then "
			 "no age shown here can be relied on"),
		    clock_format_local(n->v->s->now_ns, now), clock_format_local(last, at));
}

/* ---- data sets ---- */

static void say_not_good(
    struct standing_next *n, const char *name, uint64_t number, const struct ledger_dataset *in)
{
	char reason[SHOW];

	if (in->verdict == LEDGER_PARTIAL && (in->unreadable || in->changed))
		standing_say(n,
		    text("data set '%s': generation %ju is partial (%ju unreadable, %ju changed while read): "
			 "put "
			 "that right, then run 'bkp run %s'"),
		    name, number, in->unreadable, in->changed, name);
	else if (in->verdict == LEDGER_PARTIAL)
		standing_say(n,
		    text("data set '%s': generation %ju is partial: %s; put that right, then run 'bkp run "
			 "%s'"),
		    name, number,
		    path_show(
			*in->reason ? in->reason : text("no reason is on record"), reason, sizeof(reason)),
		    name);
	else
		standing_say(n,
		    text("data set '%s': generation %ju failed: %s; put that right, then run 'bkp run %s'"),
		    name, number,
		    path_show(
			*in->reason ? in->reason : text("no reason is on record"), reason, sizeof(reason)),
		    name);
}

static void say_tried(struct standing_next *n, const struct standing_dataset *d)
{
	const struct ledger_generation *g = ledger_generation_by_number(n->v->l, d->tried);
	const struct ledger_dataset *in = ledger_dataset_in(g, d->policy->name);
	const char *name = d->policy->name;
	bool damaged = false;
	char reason[SHOW];

	for (size_t i = 0; i < g->n_copies; i++)
		damaged |= g->copies[i].damaged_ns != 0;
	if (g->state == LEDGER_COMMITTED && g->suspect && !g->held_ns)
		return; /* standing_next_frozen() says it */
	if (g->state == LEDGER_COMMITTED && g->suspect)
		standing_say(n,
		    text("data set '%s': generation %ju is held as suspect and does not count: put the cause "
			 "right, then run 'bkp run %s'"),
		    name, g->number, name);
	else if (g->state == LEDGER_COMMITTED && !ledger_good(g, in))
		say_not_good(n, name, g->number, in);
	else if (g->state == LEDGER_COMMITTED && damaged)
		standing_say(n,
		    text("data set '%s': no copy of generation %ju is whole: attach all media and run 'bkp "
			 "repair'; "
			 "what it cannot mend 'bkp run --anchor' stores anew"),
		    name, g->number);
	else if (g->state == LEDGER_COMMITTED)
		standing_say(n,
		    text("data set '%s': generation %ju was not read back yet: run 'bkp verify --generation "
			 "%ju'"),
		    name, g->number, g->number);
	else
		standing_say(n,
		    text("data set '%s': generation %ju failed: %s; put that right, then run 'bkp run %s'"),
		    name, g->number,
		    path_show(*in->reason ? in->reason
			      : g->state == LEDGER_ABANDONED || !strcmp(g->reason, "interrupted")
				  ? text("it was interrupted")
				  : g->reason,
			reason, sizeof(reason)),
		    name);
}

static void say_dataset(struct standing_next *n, const struct standing_dataset *d)
{
	char age[STANDING_SPAN], every[POLICY_PLAN_TEXT];
	const char *name = d->policy->name;

	if (d->tried_failed)
		say_tried(n, d);
	else if (!d->tried)
		standing_say(n, text("data set '%s' was never captured: run 'bkp run %s'"), name, name);
	else if (standing_stale(n->v, d) && !d->missed_ns && !n->v->s->frozen)
		standing_say(n,
		    text("data set '%s': its newest good, verified generation is %s old, planned %s: run "
			 "'bkp run %s', and "
			 "see why the schedule did not"),
		    name, standing_span(standing_age_s(n->v, d->newest_ns), age, sizeof(age)),
		    policy_plan_every(&d->policy->every, every), name);
}

/* Nothing is wrong, there is only too little yet. */
static void say_few(struct standing_next *n, const struct standing_dataset *d)
{
	if (d->tried && !d->tried_failed && d->newest && d->generations.have < d->generations.want)
		standing_say(n,
		    text("data set '%s': let 'bkp run' go on: generations of %u more dates are needed"),
		    d->policy->name, d->generations.want - d->generations.have);
}

/* A data set that silently disappeared from the policy is a data set that nobody protects.  Said until a
 * generation without it has been made. */
static void say_dropped(struct standing_next *n)
{
	const struct ledger_generation *g = ledger_last_committed(n->v->l);

	for (size_t i = 0; g && i < g->n_datasets; i++)
		if (!policy_find_dataset(n->v->policy, g->datasets[i].name))
			standing_say(n,
			    text("data set '%s' stands in generation %ju, but no longer in the policy: is "
				 "that meant?"),
			    g->datasets[i].name, g->number);
}

/* ---- what the policy itself lacks ---- */

static void say_policy(struct standing_next *n)
{
	const struct policy *p = n->v->policy;
	const struct standing_medium *claims = NULL;
	unsigned technologies = 0, shown = 0;
	bool offline = false;

	for (size_t i = 0; i < p->n_media; i++) {
		const struct standing_medium *m = &n->v->s->media[i];

		if (standing_type_agrees(m))
			technologies |= 1u << standing_technology(standing_type(m));
		if (standing_type_agrees(m) && standing_type_shown(m))
			shown |= 1u << standing_technology(standing_type(m));
		else if (!claims && m->ledger)
			claims = m;
		offline |= p->media[i].offline;
	}
	if (p->n_media < 2)
		standing_say(n, "%s",
		    text("the policy declares one medium only: declare a second one and register it with "
			 "'bkp medium add'"));
	if (__builtin_popcount(technologies) < 2)
		standing_say(n,
		    text("all media are of one technology (%s): add a medium of another one (magnetic disk, "
			 "SSD, tape, "
			 "optical, object store)"),
		    policy_plan_technology(standing_type(&n->v->s->media[0])));
	else if (claims && __builtin_popcount(shown) < 2)
		standing_say(n,
		    text("that '%s' is %s is declared only, its device does not show it: two technologies "
			 "must be shown by "
			 "devices; see 'bkp medium show %s'"),
		    claims->policy->name, policy_plan_technology(standing_type(claims)),
		    claims->policy->name);
	if (!offline)
		standing_say(n, "%s",
		    text("no medium is kept offline: declare one with 'offline: true' and bring it up to "
			 "date with 'bkp rotate'"));
}

/* What no sentence above explains is still not met. */
static void say_rest(struct standing_next *n)
{
	const struct standing *s = n->v->s;

	for (size_t i = 0; i < s->n_datasets && s->overall != STANDING_MET; i++) {
		const struct standing_dataset *d = &s->datasets[i];
		const struct standing_rule *rules[] = {&d->generations, &d->three, &d->two, &d->one};

		for (size_t k = 0; k < 4; k++)
			if (rules[k]->verdict != STANDING_MET) {
				standing_say(n, text("data set '%s': %s"), d->policy->name, rules[k]->why);
				break;
			}
	}
}

static void say_datasets(struct standing_next *n)
{
	const struct standing *s = n->v->s;
	size_t tried = 0;

	for (size_t i = 0; i < s->n_datasets; i++)
		tried += s->datasets[i].tried != 0;
	if (!tried && s->n_datasets > 1) {
		standing_say(n, "%s", text("nothing was captured yet: run 'bkp run'"));
		return;
	}
	for (size_t i = 0; i < s->n_datasets; i++)
		say_dataset(n, &s->datasets[i]);
}

int standing_next(const struct standing_view *v, struct err *err)
{
	static standing_medium_fn *const later[] = {
	    standing_next_rotate, standing_next_whereabouts, standing_next_behind, standing_next_other};
	struct standing_next n = {.v = v};
	struct standing *s = v->s;
	bool begun;

	say_clock(&n);
	standing_next_latch(&n);
	standing_next_frozen(&n);
	standing_next_missed(&n);
	for (size_t i = 0; i < s->n_media; i++)
		standing_next_damaged(&n, &s->media[i]);
	/* a first run needs media to write to */
	begun = ledger_last_committed(v->l) != NULL;
	for (size_t i = 0; !begun && i < v->policy->n_media; i++)
		standing_next_absent(&n, &s->media[i]);
	say_datasets(&n);
	standing_next_failed(&n);
	standing_next_untold(&n);
	for (size_t i = 0; i < v->policy->n_media; i++)
		standing_next_attached(&n, &s->media[i]);
	for (size_t i = 0; begun && i < v->policy->n_media; i++)
		standing_next_absent(&n, &s->media[i]);
	for (size_t k = 0; k < sizeof(later) / sizeof(*later); k++)
		for (size_t i = 0; i < v->policy->n_media; i++)
			later[k](&n, &s->media[i]);
	say_policy(&n);
	standing_next_narrowed(&n);
	say_dropped(&n);
	for (size_t i = 0; i < s->n_datasets; i++)
		standing_next_agreed(&n, &s->datasets[i]);
	for (size_t i = 0; i < s->n_datasets; i++)
		say_few(&n, &s->datasets[i]);
	if (!s->n_next)
		say_rest(&n);
	return n.failed ? err_nomem(err) : 0;
}
