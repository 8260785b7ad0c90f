/* compliance_next_medium: what to do with one medium; see compliance.h.
 *
 * Each function looks at one kind of urgency and says at most one sentence about the medium, but for
 * compliance_next_other(), which may say two.  Sight is what was seen just now, the ledger what was recorded
 * last; where sight is unknown the record counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/compliance_private.h"
#include "read/rules/turns.h"

#define SHOW	 448
#define SENTENCE 960

/* When the first of what is damaged on it was found. */
static int64_t damaged_since(const struct compliance_next *n, const struct compliance_medium *m)
{
	int64_t first = 0;

	for (size_t i = 0; i < ledger_generations(n->v->l); i++) {
		const struct ledger_copy *c = ledger_copy_in(ledger_generation(n->v->l, i), m->ledger->uuid);

		if (c && c->damaged_ns && (!first || c->damaged_ns < first))
			first = c->damaged_ns;
	}
	return first;
}

/* From when on it is attached for too long; 0: it is not. */
static int64_t exposed_since(const struct compliance_medium *m)
{
	return m->overdue_attached ? m->ledger->attach_ns + compliance_attach_s(m->policy) * SECOND_NS : 0;
}

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
	n->since_ns = damaged_since(n, m);
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

/* Is it the one of its pool that is due, and late; or here already, and not rotated since? */
static bool turn_due(const struct compliance_medium *m)
{
	const struct turns *t = m->turns;

	if (t->idle || !t->due || t->due->policy != m->policy)
		return false;
	return !t->newest || t->late ||
	       (m->sight == COMPLIANCE_SEEN &&
		   (t->today >= t->date || m->ledger->rotated_ns < m->ledger->attach_ns));
}

static bool rotation_due(const struct compliance_next *n, const struct compliance_medium *m)
{
	if (m->turns && m->ledger)
		return turn_due(m);
	/* without a generation there is nothing to fill it with */
	return m->policy->offline && m->ledger && ledger_last_committed(n->v->l, NULL) &&
	       (lacking_dataset(n, m) || m->overdue_swap);
}

/* Else it would be refused, see compliance_next_frozen(). */
static bool may_rotate(const struct compliance_next *n)
{
	return !n->v->policy->stop_while_suspect || !n->v->s->frozen[0];
}

/* Of a series of discs the newest disc. */
static const char *name_of(const struct compliance_medium *m)
{
	return m->ledger->label;
}

/* Filled and still here: rotated since it was attached. */
static bool ready_to_leave(const struct compliance_medium *m)
{
	return m->ledger->rotated_ns && m->ledger->rotated_ns >= m->ledger->attach_ns;
}

/* Two of a pool are never attached at once, and the wrong one not at all: whoever reaches this host reaches both. */
static bool say_out_of_turn(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct turns *t = m->turns;
	char place[SHOW];

	if (t && t->second && t->second->policy == m->policy)
		compliance_say(n,
		    text("two media of '%s' are attached at once: unmount %s and take it to '%s'"),
		    t->pool->name, m->policy->name, path_show(turns_home(t->second), place, sizeof(place)));
	else if (t && t->due && t->due->policy != m->policy && !ready_to_leave(m) && !m->overdue_attached)
		compliance_say(n,
		    text("%s is attached and not due: unmount it and take it away; the next one of '%s' is "
			 "%s"),
		    m->policy->name, t->pool->name, t->due->policy->name);
	else
		return false;
	return true;
}

void compliance_next_attached(struct compliance_next *n, const struct compliance_medium *m)
{
	char span[COMPLIANCE_SPAN], planned[POLICY_PLAN_TEXT], place[SHOW];
	const char *to;

	if (!m->policy->offline || !m->ledger || !m->attached || m->sight == COMPLIANCE_NOT_SEEN)
		return;
	if (m->sight == COMPLIANCE_SEEN && !n->v->s->frozen[0] && say_out_of_turn(n, m))
		return;
	/* it is brought up to date before it is taken away, see compliance_next_rotate() */
	if (m->sight == COMPLIANCE_SEEN && may_rotate(n) && rotation_due(n, m)) {
		n->since_ns = exposed_since(m);
		if (m->overdue_attached)
			compliance_say(n,
			    text("%s has been attached for %s, at most %s are planned: rotate it now and "
				 "take it "
				 "away"),
			    m->policy->name,
			    compliance_span(compliance_age_s(n->v, m->ledger->attach_ns), span, sizeof(span)),
			    policy_plan_duration(compliance_attach_s(m->policy), planned));
		return;
	}
	if (n->v->s->frozen[0]) {
		compliance_say(n,
		    text("unmount %s and take it away now: generation %s is suspect, and ransomware reaches "
			 "what "
			 "is attached"),
		    name_of(m), n->v->s->frozen);
		return;
	}
	to = *m->ledger->destination ? m->ledger->destination : m->ledger->place;
	n->since_ns = exposed_since(m);
	if (m->overdue_attached)
		compliance_say(n,
		    text("unmount %s and take it away: it has been attached for %s, at most %s are planned"),
		    name_of(m),
		    compliance_span(compliance_age_s(n->v, m->ledger->attach_ns), span, sizeof(span)),
		    policy_plan_duration(compliance_attach_s(m->policy), planned));
	else if (ready_to_leave(m))
		compliance_say(n,
		    text("%s is up to date: unmount it, take it to '%s', and record that with 'bkp medium "
			 "move %s "
			 "--operator NAME'"),
		    name_of(m), *to ? path_show(to, place, sizeof(place)) : text("an unknown place"),
		    name_of(m));
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

	if (m->lost)
		compliance_say(n,
		    text("medium '%s' was lost, but the policy still names it: take it out of the policy, or "
			 "record that "
			 "it is found with 'bkp medium found %s'"),
		    name, name);
	else if (!m->ledger && policy_medium_is_series(m->policy))
		compliance_say(n,
		    text("write the first disc of '%s': 'bkp disc write --to /dev/sr0 --series %s --operator "
			 "NAME'"),
		    name, name);
	else if (!m->ledger && is_retired(n->v->l, name))
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

static void say_turn(const struct turns *t, char *out, size_t size)
{
	char day[DAY_TEXT], span[TURNS_SPAN], names[TURNS_NAMES];

	day_format(t->date, day);
	turns_span(t, span);
	turns_names(t, names);
	if (!t->late)
		snprintf(out, size, text("its turn in '%s' is on %s"), t->pool->name, day);
	else if (!*names)
		snprintf(
		    out, size, text("its turn in '%s' was on %s, it is %s late"), t->pool->name, day, span);
	else
		snprintf(out, size, text("its turn in '%s' was on %s, it is %s late; to be told: %s"),
		    t->pool->name, day, span, names);
	width_whole(out);
}

static void say_why(const struct compliance_next *n, const struct compliance_medium *m,
    const struct compliance_dataset *d, char *out, size_t size)
{
	char span[COMPLIANCE_SPAN], planned[POLICY_PLAN_TEXT];
	int64_t s = compliance_swap_s(m->policy);

	if (m->turns && m->turns->newest)
		say_turn(m->turns, out, size);
	else if (!m->ledger->rotated_ns)
		snprintf(out, size, "%s", text("it was never rotated"));
	else if (m->overdue_swap)
		snprintf(out, size, text("its last rotation was %s ago, planned every %s"),
		    compliance_span(compliance_age_s(n->v, m->ledger->rotated_ns), span, sizeof(span)),
		    policy_plan_duration(s, planned));
	else
		snprintf(out, size, text("it holds no recent verified generation of '%s'"), d->policy->name);
}

/* Whoever is told to attach a disk while something is suspect is told to look first (E-GUARD-01 says the same). */
static void say_rotate(struct compliance_next *n, const struct compliance_medium *m, const char *sentence)
{
	n->since_ns = m->turns && m->turns->late
			  ? n->v->s->now_ns - m->turns->late * COMPLIANCE_DAY_S * SECOND_NS
		      : m->turns ? 0
		      : m->overdue_swap && m->ledger->rotated_ns
			  ? m->ledger->rotated_ns + compliance_swap_s(m->policy) * SECOND_NS
			  : 0;
	if (n->v->s->frozen[0])
		compliance_say(n,
		    text("look at '%s' first; only when nothing is harmed (it stays behind, the other data "
			 "sets "
			 "go): %s"),
		    n->v->s->frozen, sentence);
	else
		compliance_say(n, "%s", sentence);
}

/* Before the due one comes another must be away: else all are at one place. */
static void say_first(const struct turns *t, char *sentence, size_t size)
{
	char then[SENTENCE], show[SHOW];

	snprintf(then, sizeof(then), "%s", sentence);
	snprintf(sentence, size,
	    text("first take %s to '%s' and record that with 'bkp medium move %s --operator NAME': of '%s' "
		 "%u must be "
		 "away at any time; then %s"),
	    t->first->policy->name, path_show(turns_home(t->first), show, sizeof(show)),
	    t->first->policy->name, t->pool->name, t->pool->away_at_least, then);
	width_whole(sentence);
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
	if (policy_medium_is_series(m->policy)) {
		snprintf(sentence, sizeof(sentence),
		    text("put in a blank disc and run 'bkp disc write --to /dev/sr0 --series %s --operator "
			 "NAME': %s"),
		    m->policy->name, why);
		say_rotate(n, m, sentence);
		return;
	}
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
	if (m->turns && m->turns->first && m->sight != COMPLIANCE_SEEN)
		say_first(m->turns, sentence, sizeof(sentence));
	say_rotate(n, m, sentence);
}

/* Every medium has one place and one custodian at any time. */
void compliance_next_whereabouts(struct compliance_next *n, const struct compliance_medium *m)
{
	const struct ledger_medium *lm = m->ledger;
	char show[SHOW], home[SHOW];

	/* of one that a stock-take did not find compliance_next_ledger() says more */
	if (!m->policy->offline || !lm || m->sight == COMPLIANCE_SEEN || lm->missing_ns)
		return;
	n->since_ns = !lm->attached && (*lm->destination || lm->unplaced) ? lm->attach_ns : 0;
	if (m->sight == COMPLIANCE_NOT_SEEN && lm->attached)
		compliance_say(n,
		    text("%s is no longer attached: record where it is with 'bkp medium move %s --place "
			 "PLACE --operator "
			 "NAME'"),
		    name_of(m), name_of(m));
	else if (!lm->attached && *lm->destination)
		compliance_say(n,
		    text("%s was taken away, its arrival is not recorded: 'bkp medium move %s --operator "
			 "NAME' records "
			 "'%s'"),
		    name_of(m), name_of(m), lm->destination);
	else if (lm->unplaced)
		compliance_say(n,
		    text("%s was detached, and nobody recorded where it is now: 'bkp medium move %s --place "
			 "PLACE --operator "
			 "NAME'"),
		    name_of(m), name_of(m));
	else if (m->turns && m->turns->first && m->turns->first->policy == m->policy && !lm->attached &&
		 !m->turns->late)
		compliance_say(n,
		    text("%s is at '%s', which is not separate from the originals: take it to '%s' and "
			 "record that with "
			 "'bkp medium move %s --operator NAME' before the next turn of '%s'"),
		    m->policy->name, path_show(lm->place, show, sizeof(show)),
		    path_show(turns_home(m->turns->first), home, sizeof(home)), m->policy->name,
		    m->turns->pool->name);
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
