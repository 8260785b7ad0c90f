/* compliance_next_medium: what to do with one medium; see compliance.h.
 *
 * Each function looks at one kind of urgency and says at most one sentence about the medium, but for
 * compliance_next_other(), which may say two.  Sight is what was seen just now, the ledger what was recorded
 * last; where sight is unknown the record counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/compliance_private.h"

#define SHOW	 192
#define SENTENCE 768

void compliance_next_damaged(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct ledger_generation *g = NULL;
	char newest[GENERATION_LABEL];
	const char *label;

	if (!m->damaged)
		return;
	label = m->ledger->label;
	for (size_t i = ledger_generations(n->v->l); i-- && !g;) {
		const struct ledger_copy *c = ledger_copy_in(ledger_generation(n->v->l, i), m->ledger->uuid);

		if (c && c->damaged_ns)
			g = ledger_generation(n->v->l, i);
	}
	if (!g)
		return;
	generation_label(g->dataset, g->number, newest);
	if (m->damaged == 1)
		compliance_say(n,
		    text("generation %s on '%s' is damaged: it does not count; attach the other media too, "
			 "run "
			 "'bkp repair %s', and look at the disk"),
		    newest, label, label);
	else
		compliance_say(n,
		    text("%ju generations on '%s' are damaged, the newest is %s: they do not count; "
			 "attach the other media too, run 'bkp repair %s', and look at the disk"),
		    m->damaged, label, newest, label);
}

/* The first data set of which the medium holds nothing that is recent enough. */
static const struct compliance_dataset *lacking_dataset(
    const struct compliance_next *n, const struct compliance_medium *m)
{
	for (size_t i = 0; i < n->v->s->n_datasets; i++) {
		const struct compliance_dataset *d = &n->v->s->datasets[i];

		if (d->newest && policy_medium_holds(m->policy, d->policy->name) &&
		    !compliance_fresh(n->v, m, d))
			return d;
	}
	return NULL;
}

static bool rotation_due(const struct compliance_next *n, const struct compliance_medium *m)
{
	/* without a generation there is nothing to fill it with */
	return m->policy->offline && m->ledger && ledger_last_committed(n->v->l, NULL) &&
	       (lacking_dataset(n, m) || m->overdue_swap);
}

/* Else it would be refused, see compliance_next_frozen(). */
static bool may_rotate(const struct compliance_next *n)
{
	return !n->v->policy->stop_while_suspect || !n->v->s->frozen[0];
}

/* Filled and still here: rotated since it was attached. */
static bool ready_to_leave(const struct compliance_medium *m)
{
	return m->ledger->rotated_ns && m->ledger->rotated_ns >= m->ledger->attach_ns;
}

void compliance_next_attached(struct compliance_next *n, const struct compliance_medium *m)
{
	char span[COMPLIANCE_SPAN], planned[POLICY_PLAN_TEXT], place[SHOW];
	const char *to;

	if (!m->policy->offline || !m->ledger || !m->attached || m->sight == COMPLIANCE_NOT_SEEN)
		return;
	/* it is brought up to date before it is taken away, see compliance_next_rotate() */
	if (m->sight == COMPLIANCE_SEEN && may_rotate(n) && rotation_due(n, m))
		return;
	if (n->v->s->frozen[0]) {
		compliance_say(n,
		    text("unmount %s and take it away now: generation %s is suspect, and ransomware reaches "
			 "what "
			 "is attached"),
		    m->policy->name, n->v->s->frozen);
		return;
	}
	to = *m->ledger->destination ? m->ledger->destination : m->ledger->place;
	if (m->overdue_attached)
		compliance_say(n,
		    text("unmount %s and take it away: it has been attached for %s, at most %s are planned"),
		    m->policy->name,
		    compliance_span(compliance_age_s(n->v, m->ledger->attach_ns), span, sizeof(span)),
		    policy_plan_duration(compliance_attach_s(m->policy), planned));
	else if (ready_to_leave(m))
		compliance_say(n,
		    text("%s is up to date: unmount it, take it to '%s', and record that with 'bkp medium "
			 "move %s "
			 "--operator NAME'"),
		    m->policy->name, *to ? path_show(to, place, sizeof(place)) : text("an unknown place"),
		    m->policy->name);
}

/* Somebody gave up the medium that had the name. */
static bool is_retired(const struct ledger *l, const char *label)
{
	for (size_t i = 0; i < ledger_media(l); i++)
		if (ledger_medium(l, i)->retired_ns && !strcmp(ledger_medium(l, i)->label, label))
			return true;
	return false;
}

void compliance_next_absent(struct compliance_next *n, const struct compliance_medium *m)
{
	const char *name = m->policy->name;
	char path[SHOW];

	if (!m->ledger && is_retired(n->v->l, name))
		compliance_say(n,
		    text("medium '%s' was retired, but the policy still names it: take it out of the policy; "
			 "a new disk "
			 "that takes its place is registered with 'bkp medium add %s'"),
		    name, name);
	else if (!m->ledger)
		compliance_say(n,
		    m->policy->path ? text("register medium '%s': bkp medium add %s")
				    : text("register medium '%s': bkp medium add %s --path DIR"),
		    name, name);
	else if (!m->policy->offline && m->sight == COMPLIANCE_NOT_SEEN)
		compliance_say(n, text("medium '%s' is not at '%s': attach and mount it"), name,
		    path_show(m->policy->path, path, sizeof(path)));
	else if (n->v->sights && m->sight == COMPLIANCE_UNKNOWN)
		compliance_say(n,
		    text("it cannot be told whether '%s' is attached: look yourself, or run 'bkp status' as "
			 "root"),
		    name);
}

static void say_why(const struct compliance_next *n, const struct compliance_medium *m,
    const struct compliance_dataset *d, char *out, size_t size)
{
	char span[COMPLIANCE_SPAN], planned[POLICY_PLAN_TEXT];
	int64_t s = compliance_swap_s(m->policy);

	if (!m->ledger->rotated_ns)
		snprintf(out, size, "%s", text("it was never rotated"));
	else if (m->overdue_swap)
		snprintf(out, size, text("its last rotation was %s ago, planned every %s"),
		    compliance_span(compliance_age_s(n->v, m->ledger->rotated_ns), span, sizeof(span)),
		    policy_plan_duration(s, planned));
	else
		snprintf(out, size, text("it holds no recent verified generation of '%s'"), d->policy->name);
}

/* Whoever is told to attach a disk while something is suspect is told to look first (E-GUARD-01 says the same). */
static void say_rotate(struct compliance_next *n, const char *sentence)
{
	if (n->v->s->frozen[0])
		compliance_say(n,
		    text("look at '%s' first; only when nothing is harmed (it stays behind, the other data "
			 "sets "
			 "go): %s"),
		    n->v->s->frozen, sentence);
	else
		compliance_say(n, "%s", sentence);
}

void compliance_next_rotate(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct compliance_dataset *d;
	char why[SHOW], show[SHOW], sentence[SENTENCE];
	const char *place;

	if (!may_rotate(n) || !rotation_due(n, m))
		return;
	d = lacking_dataset(n, m);
	/* the same rotation would end as the last one did; and while something is suspect nothing makes room */
	if (d && m->ledger->full && n->v->s->frozen[0])
		return;
	if (d && m->ledger->full) {
		compliance_say(n,
		    text("'%s' was full at its last rotation and lacks a recent generation of '%s': make "
			 "room with 'bkp "
			 "expire --operator NAME --medium %s' and rotate it again, or register a larger disk "
			 "and rotate "
			 "that"),
		    m->policy->name, d->policy->name, m->policy->name);
		return;
	}
	say_why(n, m, d, why, sizeof(why));
	place = m->ledger->unplaced ? NULL : *m->ledger->place ? m->ledger->place : m->policy->place;
	if (m->sight == COMPLIANCE_SEEN)
		snprintf(sentence, sizeof(sentence), text("run 'bkp rotate %s --operator NAME': %s"),
		    m->policy->name, why);
	else if (place && *place)
		snprintf(sentence, sizeof(sentence),
		    text("attach %s (from '%s') and run 'bkp rotate %s --operator NAME': %s"),
		    m->policy->name, path_show(place, show, sizeof(show)), m->policy->name, why);
	else
		snprintf(sentence, sizeof(sentence),
		    text("attach %s and run 'bkp rotate %s --operator NAME': %s"), m->policy->name,
		    m->policy->name, why);
	say_rotate(n, sentence);
}

/* Every medium has one place and one custodian at any time. */
void compliance_next_whereabouts(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct ledger_medium *lm = m->ledger;

	if (!m->policy->offline || !lm || m->sight == COMPLIANCE_SEEN)
		return;
	if (m->sight == COMPLIANCE_NOT_SEEN && lm->attached)
		compliance_say(n,
		    text("%s is no longer attached: record where it is with 'bkp medium move %s --place "
			 "PLACE --operator "
			 "NAME'"),
		    m->policy->name, m->policy->name);
	else if (!lm->attached && *lm->destination)
		compliance_say(n,
		    text("%s was taken away, its arrival is not recorded: 'bkp medium move %s --operator "
			 "NAME' records "
			 "'%s'"),
		    m->policy->name, m->policy->name, lm->destination);
	else if (lm->unplaced)
		compliance_say(n,
		    text("%s was detached, and nobody recorded where it is now: 'bkp medium move %s --place "
			 "PLACE --operator "
			 "NAME'"),
		    m->policy->name, m->policy->name);
}

/* An online medium, not known to be away, that lacks what it should hold. */
void compliance_next_behind(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct compliance_dataset *d;
	const struct ledger_copy *c;
	const char *name = m->policy->name;
	char label[GENERATION_LABEL];

	if (m->policy->offline || !m->ledger || m->sight == COMPLIANCE_NOT_SEEN)
		return;
	d = lacking_dataset(n, m);
	if (!d)
		return;
	c = ledger_copy_in(ledger_generation_of(n->v->l, d->policy->name, d->newest), m->ledger->uuid);
	generation_label(d->policy->name, d->newest, label);
	if ((!c || !c->ok) && m->ledger->full)
		compliance_say(n,
		    text("'%s' is full and lacks generation %s: make room with 'bkp expire --operator NAME "
			 "--medium %s', "
			 "then 'bkp run --all'; or register a larger disk under a new name"),
		    name, label, name);
	else if (!c || !c->ok)
		compliance_say(n,
		    text("'%s' lacks generation %s: the next run that captures something brings it up to "
			 "date, now 'bkp run --all'"),
		    name, label);
	else if (!c->damaged_ns && !c->verified_ns)
		compliance_say(n,
		    text("generation %s on '%s' was not read back: run 'bkp verify --medium %s %s'"), label,
		    name, name, label);
}

/* What the policy calls it is not what was registered, or it is no disk of its own. */
void compliance_next_other(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct compliance_medium *twin = compliance_twin(n->v, m);
	const char *name = m->policy->name;

	if (!compliance_type_agrees(m))
		compliance_say(n,
		    text("'%s' is registered as '%s', but the policy says '%s': correct the policy; another "
			 "disk gets a name of its own"),
		    name, m->ledger->type, m->policy->type);
	if (twin)
		compliance_say(n,
		    text("'%s' and '%s' are on one file system (%s): they count as one copy; move one of "
			 "them to a disk of its own"),
		    twin->policy->name, name, m->ledger->store);
}
