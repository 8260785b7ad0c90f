/* compliance_next_site: what to do about the clock, about what the guard found, about runs that were missed
 * or failed, about what was agreed; see compliance.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/drills/drills.h"
#include "read/drills/pace.h"
#include "read/rules/compliance_private.h"
#include "read/regulation/regulation.h"

#define SHOW 384

void compliance_next_latch(struct compliance_next *n)
{
	const struct ledger_latch *latch = n->v->s->latch;
	char span[COMPLIANCE_SPAN], found[CLOCK_TEXT];

	if (!latch->found_ns)
		return;
	compliance_span(latch->seconds, span, sizeof(span));
	clock_format_local(latch->found_ns, found);
	n->since_ns = latch->found_ns;
	compliance_say(n,
	    text(
		"the clock jumped forward by %s (found %s): nothing expires until somebody has looked at it: "
		"set it right, then 'bkp clock attest --operator NAME --reason TEXT'"),
	    span, found);
}

void compliance_next_frozen(struct compliance_next *n)
{
	const struct compliance *s = n->v->s;
	bool said = false;
	char why[SHOW], label[GENERATION_LABEL];

	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		if (!d->suspect)
			continue;
		said = true;
		generation_label(d->policy->name, d->suspect, label);
		n->since_ns = ledger_generation_of(n->v->l, d->policy->name, d->suspect)->begun_ns;
		compliance_say(n,
		    text("'%s' is suspect: %s; nothing expires and it is brought to no disk until you have "
			 "looked: then 'bkp accept %s --operator NAME --reason TEXT' if that is as it should "
			 "be, "
			 "else 'bkp hold %s --operator NAME --reason TEXT'"),
		    label,
		    path_show(d->suspicion && *d->suspicion ? d->suspicion : text("no reason is on record"),
			why, sizeof(why)),
		    label, label);
	}
	if (said || !s->frozen[0])
		return;
	/* the data set has left the policy since, which makes it no less suspect */
	compliance_say(n,
	    text(
		"'%s' is suspect, and the policy does not declare its data set any more; nothing expires and "
		"it is brought to no disk until you have looked: then 'bkp accept %s --operator NAME "
		"--reason "
		"TEXT' if that is as it should be, else 'bkp hold %s --operator NAME --reason TEXT'"),
	    s->frozen, s->frozen, s->frozen);
}

/* The data set that was missed first, of those that runs since then passed over or of the others; how many
 * more there are. */
static const struct compliance_dataset *missed_first(
    const struct compliance_next *n, bool passed_over, unsigned *ret_more)
{
	const struct compliance *s = n->v->s;
	const struct compliance_dataset *first = NULL;

	*ret_more = 0;
	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		if (!d->missed_ns || compliance_ran_since(n->v, d->missed_ns) != passed_over)
			continue;
		*ret_more += first != NULL;
		if (!first || d->missed_ns < first->missed_ns)
			first = d;
	}
	return first;
}

static void say_passed_over(struct compliance_next *n)
{
	unsigned more;
	const struct compliance_dataset *d = missed_first(n, true, &more);
	char at[CLOCK_TEXT];

	n->since_ns = d ? d->missed_ns : 0;
	if (d && more)
		compliance_say(n,
		    text("data set '%s' was due %s, and %u more, but no run since then captured them: run "
			 "'bkp run'"),
		    d->policy->name, clock_format_local(d->missed_ns, at), more);
	else if (d)
		compliance_say(n,
		    text("data set '%s' was due %s, but no run since then captured it: run 'bkp run %s'"),
		    d->policy->name, clock_format_local(d->missed_ns, at), d->policy->name);
}

void compliance_next_missed(struct compliance_next *n)
{
	unsigned more;
	const struct compliance_dataset *d = missed_first(n, false, &more);
	char at[CLOCK_TEXT], last[CLOCK_TEXT];

	if (d) {
		n->since_ns = d->missed_ns;
		clock_format_local(d->missed_ns, at);
		if (n->v->s->run)
			clock_format_local(n->v->s->run->ended_ns, last);
		else
			snprintf(last, sizeof(last), "%s", text("never"));
	}
	if (d && more)
		compliance_say(n,
		    text("the night run did not run: data set '%s' was due %s, and %u more (last run: %s): "
			 "see 'bkp "
			 "schedule show' and whether cron works, then run 'bkp run'"),
		    d->policy->name, at, more, last);
	else if (d)
		compliance_say(n,
		    text("the night run did not run: data set '%s' was due %s (last run: %s): see 'bkp "
			 "schedule show' "
			 "and whether cron works, then run 'bkp run'"),
		    d->policy->name, at, last);
	say_passed_over(n);
}

/* One that came to nothing, so that no data set tells of it. */
void compliance_next_failed(struct compliance_next *n)
{
	const struct compliance *s = n->v->s;
	char at[CLOCK_TEXT], line[SHOW];
	bool said = !s->run || s->run->exit < 2;

	for (size_t i = 0; i < s->n_datasets; i++)
		said |= s->datasets[i].tried_failed;
	if (said)
		return;
	n->since_ns = s->run->ended_ns;
	if (s->run->signal) {
		compliance_say(n,
		    text("the last run (%s) was ended early by a person or the system (signal %d): %s; the "
			 "next one goes "
			 "on from there"),
		    clock_format_local(s->run->ended_ns, at), s->run->signal,
		    path_show(s->run->line, line, sizeof(line)));
		return;
	}
	compliance_say(n, text("the last run (%s) failed: %s; put that right, then run 'bkp run'"),
	    clock_format_local(s->run->ended_ns, at), path_show(s->run->line, line, sizeof(line)));
}

void compliance_next_untold(struct compliance_next *n)
{
	const struct ledger_notified *t = n->v->s->notified;
	char at[CLOCK_TEXT], why[SHOW];

	/* nobody is to be told any more */
	if (!t->at_ns || t->ok || !n->v->policy->notify_command)
		return;
	n->since_ns = t->at_ns;
	compliance_say(n, text("%s: %s; put that right and try it with 'bkp notify --test'"),
	    clock_format_local(t->at_ns, at),
	    path_show(
		t->reason && *t->reason ? t->reason : text("no reason is on record"), why, sizeof(why)));
}

void compliance_next_narrowed(struct compliance_next *n)
{
	char since[CLOCK_TEXT], what[SHOW];
	const char *first;
	int64_t since_ns;
	const size_t k = ledger_narrowed(n->v->l, &first, &since_ns);

	n->since_ns = k ? since_ns : 0;
	if (k)
		compliance_say(n,
		    text("the policy was changed at %s so that less is captured or guarded (%s; changes of "
			 "this kind: %zu); "
			 "undone or not, nobody has accepted it: read 'bkp journal show', then 'bkp "
			 "accept --policy-change --operator NAME --reason TEXT'"),
		    clock_format_local(since_ns, since), path_show(first, what, sizeof(what)), k);
}

void compliance_next_agreed(struct compliance_next *n, const struct compliance_dataset *d)
{
	if (!d->less)
		return;
	if (d->policy->generations < d->agreed->generations)
		compliance_say(n,
		    text("data set '%s': the policy asks for %u generations, agreed are %ju: those hold; "
			 "correct the "
			 "policy, or lower it with 'bkp agree --operator NAME --root-key FILE'"),
		    d->policy->name, d->policy->generations, d->agreed->generations);
	else
		compliance_say(n,
		    text("data set '%s': the policy keeps less than was agreed: what was agreed holds; "
			 "correct the "
			 "policy, or lower it with 'bkp agree --operator NAME --root-key FILE'"),
		    d->policy->name);
}

/* A key that never opened anything is asked about sooner than one that did: after a quarter of the time. */
static int64_t drill_due_ns(const struct compliance_next *n, const struct compliance_dataset *d)
{
	const struct ledger_opened *o = ledger_opened(n->v->l, d->policy->name);
	const int64_t every = n->v->policy->key_drill_every_s;

	return o ? o->begun_ns + every * SECOND_NS : ledger_created_ns(n->v->l) + every / 4 * SECOND_NS;
}

/* The data sets of which nobody knows whether a key still opens them: one sentence for all. */
static void say_drill(struct compliance_next *n)
{
	const struct compliance *s = n->v->s;
	const struct compliance_dataset *first = NULL;
	const struct ledger_opened *o;
	char label[GENERATION_LABEL], at[CLOCK_TEXT];
	unsigned more = 0;

	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		if (!d->newest || drill_due_ns(n, d) > s->now_ns)
			continue;
		more += first != NULL;
		if (!first || drill_due_ns(n, d) < drill_due_ns(n, first))
			first = d;
	}
	o = first ? ledger_opened(n->v->l, first->policy->name) : NULL;
	if (o)
		compliance_say(n,
		    text("the newest generation of '%s' that a holder of a key has opened is %s, of %s (data "
			 "sets like that: %u): please try the key again with 'bkp-restore key drill', and "
			 "bring "
			 "its slip here with 'bkp key use --import'"),
		    first->policy->name, generation_label(first->policy->name, o->generation, label),
		    clock_format_local(o->begun_ns, at), more + 1);
	else if (first)
		compliance_say(n,
		    text("no holder of a key has opened '%s' yet (data sets like that: %u): please try the "
			 "key, with 'bkp-restore key drill', before it is needed, and bring its slip here "
			 "with "
			 "'bkp key use --import'"),
		    first->policy->name, more + 1);
}

bool compliance_envelope_overdue(const struct policy *policy, const struct ledger_envelope *e, int64_t now_ns)
{
	const int64_t last = e->drilled_ns > e->added_ns ? e->drilled_ns : e->added_ns;

	return !e->retired && now_ns - last > policy->key_drill_every_s * SECOND_NS;
}

void compliance_next_keys(struct compliance_next *n)
{
	const struct compliance_view *v = n->v;
	int64_t drill_ns;
	const uint64_t failed = ledger_drill_failed(v->l, &drill_ns);
	char at[CLOCK_TEXT], place[SHOW];

	if (failed)
		compliance_say(n,
		    text("in the key drill of %s %ju archives or generations did not open: look at this "
			 "computer, and see with 'bkp-restore key drill --since 0' what a key opens"),
		    clock_format_local(drill_ns, at), (uintmax_t)failed);
	say_drill(n);
	for (size_t i = 0; i < ledger_envelopes(v->l); i++) {
		const struct ledger_envelope *e = ledger_envelope(v->l, i);

		if (compliance_envelope_overdue(v->policy, e, v->s->now_ns))
			compliance_say(n,
			    text("nobody has tried the key in envelope %s (%s) for long: please do, with "
				 "'bkp-restore key drill --envelope %s', and seal it again"),
			    e->number, path_show(e->place, place, sizeof(place)), e->number);
	}
}

/* ---- rehearsing (drills.h): one sentence for each reason, and for all data sets of which it is to be said ---- */

static const char *const reasons[] = {
    [DRILLS_NEVER] = TEXT_LATER("nobody has rehearsed to bring it back yet"),
    [DRILLS_OLD] = TEXT_LATER("the last drill is too long ago"),
    [DRILLS_FAILED] = TEXT_LATER("the last drill failed"),
    [DRILLS_EDITED] =
	TEXT_LATER("the procedure was edited since its last drill: it is not proved as it stands"),
    [DRILLS_VERSION] = TEXT_LATER("its software is of another version than in the last drill"),
    [DRILLS_HOST] = TEXT_LATER("another computer captures it than in the last drill"),
};

static void say_state(struct compliance_next *n, enum drills_state state)
{
	const struct compliance *s = n->v->s;
	const char *first = NULL;
	unsigned all = 0;

	for (size_t i = 0; i < s->n_datasets; i++) {
		struct drilled d;

		drills_look(n->v->policy, n->v->l, s->datasets[i].policy, s->now_ns, &d);
		if (!d.due || d.state != state)
			continue;
		first = first ? first : s->datasets[i].policy->name;
		all++;
	}
	if (first)
		compliance_say(n,
		    text("data set '%s' (like that: %u): %s; rehearse it on a restore computer with "
			 "'bkp-restore "
			 "drill', and bring its record here with 'bkp journal import'"),
		    first, all, text(reasons[state]));
}

static void say_slow(struct compliance_next *n, const struct policy_dataset *p)
{
	char took[COMPLIANCE_SPAN], target[COMPLIANCE_SPAN];
	struct drilled d;

	drills_look(n->v->policy, n->v->l, p, n->v->s->now_ns, &d);
	if (d.too_slow)
		compliance_say(n,
		    text("to bring '%s' back took %s in the last drill, and may take %s ('rto' in the "
			 "policy): "
			 "see in "
			 "the drill's record what took so long, and rehearse again"),
		    p->name, compliance_span(d.took_s, took, sizeof(took)),
		    compliance_span(p->rto_s, target, sizeof(target)));
}

static void say_slower(struct compliance_next *n)
{
	struct pace *p = NULL;
	size_t all = 0;

	if (pace_list(n->v->l, &p, &all, NULL))
		n->failed = true;
	for (size_t i = 0; i < all; i++)
		if (p[i].newest && p[i].slower)
			compliance_say(n,
			    text("'%s' came back from '%s' at %.1f seconds per GB in the last drill, and at "
				 "%.1f before (median): look at that medium, its cable and the computer, and "
				 "see 'bkp report pace'"),
			    p[i].dataset, p[i].label, p[i].s_per_gb, p[i].former);
	free(p);
}

/* The policy's is what counts; who reads the paper does not know that. */
static void say_two_targets(struct compliance_next *n)
{
	char own[COMPLIANCE_SPAN], target[COMPLIANCE_SPAN];

	for (size_t i = 0; i < n->v->s->n_datasets; i++) {
		const struct policy_dataset *p = n->v->s->datasets[i].policy;
		struct drilled d;

		drills_look(n->v->policy, n->v->l, p, n->v->s->now_ns, &d);
		if (!d.other_rto_s)
			continue;
		compliance_say(n,
		    text("the procedure by which '%s' was brought back states an RTO of %s, and the policy "
			 "%s: write the policy's into the procedure"),
		    p->name, compliance_span(d.other_rto_s, own, sizeof(own)),
		    compliance_span(d.target_s, target, sizeof(target)));
		return;
	}
}

/* What is to be mended and was not by its day. */
static void say_findings(struct compliance_next *n)
{
	const struct ledger *l = n->v->l;
	const struct ledger_finding *first = NULL;
	unsigned all = 0;

	for (size_t i = 0; i < ledger_findings(l); i++) {
		const struct ledger_finding *f = ledger_finding(l, i);

		if (!ledger_finding_overdue(f, n->v->s->now_ns))
			continue;
		first = !first || strcmp(f->due, first->due) < 0 ? f : first;
		all++;
	}
	if (first)
		compliance_say(n,
		    text("finding %s '%s' (overdue: %u) was to be mended by %s, by %s: record what was done "
			 "with 'bkp finding measure', and "
			 "that it is mended with 'bkp finding close'"),
		    first->id, journal_text(first->raised, "text"), all, first->due,
		    journal_text(first->raised, "owner"));
}

void compliance_next_drills(struct compliance_next *n)
{
	say_findings(n);
	for (enum drills_state s = DRILLS_NEVER; s <= DRILLS_HOST; s++)
		say_state(n, s);
	for (size_t i = 0; i < n->v->s->n_datasets; i++)
		say_slow(n, n->v->s->datasets[i].policy);
	say_slower(n);
	say_two_targets(n);
}

/* ---- whom to call: one sentence for all ---- */

void compliance_next_contacts(struct compliance_next *n)
{
	const struct policy *p = n->v->policy;
	const struct policy_contact *first = NULL;
	unsigned stale = 0;
	char name[SHOW];

	for (size_t i = 0; i < p->n_contacts; i++) {
		if (!policy_contact_is_stale(&p->contacts[i], day_of(n->v->s->now_ns)))
			continue;
		first = first ? first : &p->contacts[i];
		stale++;
	}
	if (first)
		compliance_say(n,
		    text("contact '%s' (like that: %u) was not confirmed within six months: call it, and "
			 "write the "
			 "day into 'confirmed_on' of the policy"),
		    path_show(first->name, name, sizeof(name)), stale);
}

/* ---- operating rules that were approved, and are others now ---- */

void compliance_next_regulation(struct compliance_next *n)
{
	const json_t *approved = ledger_regulation(n->v->l);
	json_t *rows = json_array();

	if (approved && regulation_changes(n->v->policy, n->v->l, rows, NULL))
		n->failed = true;
	if (json_array_size(rows))
		compliance_say(n,
		    text("the operating rules, approved by %s, are others now (clauses: %zu; %s %s): print "
			 "them with 'bkp report regulation', and have them approved anew with 'bkp agree "
			 "--regulation'"),
		    journal_text(approved, "operator"), json_array_size(rows),
		    journal_text(json_array_get(rows, 0), "article"),
		    journal_text(json_array_get(rows, 0), "subject"));
	json_decref(rows);
}
