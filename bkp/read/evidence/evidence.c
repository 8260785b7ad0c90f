/* evidence: see evidence.h.  One look_*() for each condition, in the order of its list; each says what it finds with fault(). */
#include "read/evidence/evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/drills/drills.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/turns.h"

#define DAY_S	  86400
#define JST_S	  (9 * 3600)
#define WINDOW	  90 /* days in which gaps are looked for */
#define GAP	  3  /* days */
#define DATES	  3
#define SWAP_DAYS 34 /* of a medium kept offline that does not say swap_every: as compliance.h */
#define SHOW	  200
#define NO_DATE	  INT32_MIN

struct judging {
	const struct policy *policy;
	const struct ledger *l;
	const struct compliance *s;
	struct evidence *e;
	bool failed; /* out of memory */
};

const char *evidence_word(enum evidence_condition c)
{
	static const char *const words[EVIDENCE_CONDITIONS] = {"dates", "fresh", "gap", "3-2-1", "offline",
	    "suspect", "procedure", "drill", "excluded", "contacts", "datasets"};

	return words[c];
}

const char *evidence_text(enum evidence_condition c)
{
	static const char *const words[EVIDENCE_CONDITIONS] = {TEXT_LATER("generations of three dates"),
	    TEXT_LATER("newest generation"), TEXT_LATER("no gaps"), "3-2-1",
	    TEXT_LATER("offline recovery point"), TEXT_LATER("nothing suspect"),
	    TEXT_LATER("approved procedure"), TEXT_LATER("drill"), TEXT_LATER("exclusions decided"),
	    TEXT_LATER("contacts"), TEXT_LATER("data sets that count")};

	return text(words[c]);
}

const char *evidence_target_word(enum evidence_target t)
{
	static const char *const words[] = {"none", "good", "missing", "past", "beyond"};

	return words[t];
}

/* ---- saying ---- */

/* what: the sentence; fault->next is the caller's to fill in with next(). */
static struct evidence_fault *fault(struct judging *j, enum evidence_condition c,
    const struct policy_dataset *d, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void next(struct evidence_fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static struct evidence_fault *fault(
    struct judging *j, enum evidence_condition c, const struct policy_dataset *d, const char *fmt, ...)
{
	struct evidence *e = j->e;
	struct evidence_fault *list = reallocarray(e->faults, e->n + 1, sizeof(*list)), *f;
	va_list ap;

	if (!list) {
		j->failed = true;
		return NULL;
	}
	e->faults = list;
	f = &list[e->n++];
	*f = (struct evidence_fault){.condition = c, .dataset = d};
	va_start(ap, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
	width_whole(f->what);
	return f;
}

static void next(struct evidence_fault *f, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	vsnprintf(f->next, sizeof(f->next), fmt, ap);
	va_end(ap);
	width_whole(f->next);
}

/* ---- generations ---- */

static void look_dates(struct judging *j, const struct compliance_dataset *d)
{
	const char *name = d->policy->name;

	if (d->generations.have < DATES)
		next(fault(j, EVIDENCE_DATES, d->policy, text("good, verified generations of %u of %d dates"),
			 d->generations.have, DATES),
		    text("let 'bkp run' go on, or run 'bkp run %s'"), name);
}

static void look_fresh(struct judging *j, const struct compliance_dataset *d)
{
	const int64_t every = d->policy->every.s, age = (j->s->now_ns - d->newest_ns) / SECOND_NS;
	char span[64], plan[POLICY_PLAN_TEXT];

	if (!d->newest)
		next(fault(j, EVIDENCE_FRESH, d->policy, "%s", text("there is no good, verified generation")),
		    text("run 'bkp run %s'"), d->policy->name);
	else if (age > every + every / 2)
		next(
		    fault(j, EVIDENCE_FRESH, d->policy,
			text("the newest good, verified generation is %s old, planned is one %s"),
			compliance_span(age, span, sizeof(span)), policy_plan_every(&d->policy->every, plan)),
		    text("run 'bkp run %s', and see why the schedule did not"), d->policy->name);
}

/* A date of it: whatever became of its copies since. */
static bool was_good(const struct judging *j, const struct ledger_generation *g, const char *name)
{
	return !strcmp(g->dataset, name) && g->proved && ledger_good(g) && !g->suspect &&
	       (g->state == LEDGER_EXPIRED || ledger_counts(j->l, g));
}

static int32_t gap_allowed(const struct policy_dataset *d)
{
	const int64_t half = (d->every.s * 3 / 2 + DAY_S - 1) / DAY_S;

	return half > GAP && half < INT32_MAX ? (int32_t)half : GAP;
}

/* The first gap that is too long. */
static void look_gap(struct judging *j, const struct compliance_dataset *d)
{
	const int32_t allowed = gap_allowed(d->policy), from = j->e->today - WINDOW;
	int32_t last = NO_DATE, day;
	char a[DAY_TEXT], b[DAY_TEXT];

	for (size_t i = 0; i <= ledger_generations(j->l); i++) {
		const struct ledger_generation *g =
		    i < ledger_generations(j->l) ? ledger_generation(j->l, i) : NULL;

		if (g && (!was_good(j, g, d->policy->name) || g->undated))
			continue;
		day = g ? day_of(g->begun_ns) : j->e->today;
		/* of a gap that began before the window what lies in it counts */
		if (last != NO_DATE && day - (last > from ? last : from) > allowed) {
			struct evidence_fault *f = fault(j, EVIDENCE_GAP, d->policy,
			    text("no good, verified generation between %s and %s (%d days, %d are allowed)"),
			    day_format(last, a), day_format(day, b), (int)(day - last), (int)allowed);

			if (g)
				next(f,
				    text("write down why, and let no night be missed: it is out of sight on "
					 "%s"),
				    day_format(day + WINDOW - allowed, a));
			else
				next(f, text("run 'bkp run %s', and see why the schedule did not"),
				    d->policy->name);
			return;
		}
		if (day > last)
			last = day;
	}
}

/* ---- copies ---- */

static void look_321(struct judging *j, const struct compliance_dataset *d)
{
	const struct compliance_rule *const rules[] = {&d->three, &d->two, &d->one};
	static const char *const names[] = {"3", "2", "1"};

	for (size_t i = 0; i < 3; i++)
		if (rules[i]->verdict != COMPLIANCE_MET) {
			next(fault(j, EVIDENCE_321, d->policy, text("3-2-1, the '%s': %s"), names[i],
				 rules[i]->why),
			    "%s", text("see 'bkp status', and do what it says about media"));
			return;
		}
}

/* When the first generation behind that one which counts was begun: since then the medium lacks something; 0: it does not. */
static int64_t behind_since(const struct judging *j, const struct ledger_generation *g)
{
	for (size_t i = 0; i < ledger_generations(j->l); i++) {
		const struct ledger_generation *o = ledger_generation(j->l, i);

		if (o->number > g->number && was_good(j, o, g->dataset))
			return o->begun_ns;
	}
	return 0;
}

/* Is the turn of the medium, which lacks something since then, not past? */
static bool is_in_turn(const struct judging *j, const struct policy_medium *m, int64_t since_ns)
{
	if (!since_ns)
		return true;
	if (m->pool)
		return j->e->today <= turns_next(m->pool, j->policy->holidays, day_of(since_ns), NULL) + 1;
	return (j->s->now_ns - since_ns) / SECOND_NS <=
	       (m->swap_every_s ? m->swap_every_s : SWAP_DAYS * (int64_t)DAY_S);
}

static bool is_within_target(
    const struct judging *j, const struct compliance_dataset *d, const struct ledger_generation *g)
{
	if (d->policy->offline_rpo_s)
		return (j->s->now_ns - g->begun_ns) / SECOND_NS <= d->policy->offline_rpo_s;
	for (size_t i = 0; i < j->s->n_media; i++) {
		const struct compliance_medium *m = &j->s->media[i];

		if (m->policy && m->policy->offline && m->ledger && m->kind == COMPLIANCE_REMOVED &&
		    ledger_sound_on(j->l, g, m->ledger->uuid) && is_in_turn(j, m->policy, behind_since(j, g)))
			return true;
	}
	return false;
}

static void look_offline(struct judging *j, const struct compliance_dataset *d)
{
	const struct ledger_generation *g =
	    d->offline ? ledger_generation_of(j->l, d->policy->name, d->offline) : NULL;
	char age[64], target[64];
	struct evidence_fault *f;

	if (g && is_within_target(j, d, g))
		return;
	compliance_span((j->s->now_ns - d->offline_ns) / SECOND_NS, age, sizeof(age));
	if (!g)
		f = fault(j, EVIDENCE_OFFLINE, d->policy, "%s",
		    text("no medium that is removed holds a good, verified generation"));
	else if (d->policy->offline_rpo_s)
		f = fault(j, EVIDENCE_OFFLINE, d->policy,
		    text("the newest generation on a medium that is removed is %s old, at most %s are "
			 "allowed"),
		    age, compliance_span(d->policy->offline_rpo_s, target, sizeof(target)));
	else
		f = fault(j, EVIDENCE_OFFLINE, d->policy,
		    text("the newest generation on a medium that is removed is %s old: its turn is past"),
		    age);
	next(f, "%s", text("bring the medium whose turn it is and run 'bkp rotate'"));
}

static void say_suspect(struct judging *j, const struct policy_dataset *d, const char *label)
{
	next(fault(j, EVIDENCE_SUSPECT, d, text("'%s' is suspect, and nobody has decided"), label),
	    text("look at it: then 'bkp accept %s' or 'bkp hold %s'"), label, label);
}

static void look_suspect(struct judging *j, const struct compliance_dataset *d)
{
	char label[GENERATION_LABEL];

	if (d->suspect)
		say_suspect(j, d->policy, generation_label(d->policy->name, d->suspect, label));
}

/* ---- bringing back ---- */

/* The name of the first that is in force and not approved; or NULL. */
static const char *unapproved(const struct ledger *l)
{
	const json_t *list = ledger_procedures(l);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);

		if (!ledger_approved(l, journal_text(o, "sha256")))
			return journal_text(o, "name");
	}
	return NULL;
}

static void look_procedure(struct judging *j, const struct compliance_dataset *d)
{
	const struct ledger_generation *from;
	const struct ledger_drill *last = ledger_drilled(j->l, d->policy->name, &from);
	const json_t *procedure = last ? json_object_get(last->record, "procedure") : NULL;
	const char *sha256 = journal_text(procedure, "sha256"), *name = unapproved(j->l);
	char show[SHOW];

	if (!json_array_size(ledger_procedures(j->l))) {
		next(
		    fault(j, EVIDENCE_PROCEDURE, d->policy, "%s", text("no recovery procedure is on record")),
		    "%s",
		    text("name it below 'procedures' in the policy, run 'bkp run', and approve it with 'bkp "
			 "agree "
			 "--procedure FILE --operator NAME'"));
		return;
	}
	if (last && ledger_procedure_is(j->l, sha256)) {
		if (ledger_approved(j->l, sha256))
			return;
		name = journal_text(procedure, "title");
	}
	if (name)
		next(fault(j, EVIDENCE_PROCEDURE, d->policy,
			 text("nobody has approved the recovery procedure '%s' as it stands"),
			 path_show(name, show, sizeof(show))),
		    "%s", text("let a manager read it, then 'bkp agree --procedure FILE --operator NAME'"));
}

static void look_drill(struct judging *j, const struct compliance_dataset *d)
{
	static const char *const reasons[] = {
	    [DRILLS_NEVER] = TEXT_LATER("nobody has rehearsed to bring it back yet"),
	    [DRILLS_FAILED] = TEXT_LATER("the last drill failed"),
	    [DRILLS_EDITED] =
		TEXT_LATER("the procedure was edited since its last drill: it is not proved as it stands"),
	    [DRILLS_VERSION] = TEXT_LATER("its software is of another version than in the last drill"),
	    [DRILLS_HOST] = TEXT_LATER("another computer captures it than in the last drill"),
	};
	struct evidence_fault *f = NULL;
	struct day today = day_split(j->e->today);
	struct drilled drill;
	char date[DAY_TEXT];

	drills_look(j->policy, j->l, d->policy, j->s->now_ns, &drill);
	if (drill.state != DRILLS_HOLD && drill.state != DRILLS_OLD)
		f = fault(j, EVIDENCE_DRILL, d->policy, "%s", text(reasons[drill.state]));
	else if (day_of(drill.last->at_ns) < day_from(today.year - 1, (int)today.month, (int)today.mday))
		f = fault(j, EVIDENCE_DRILL, d->policy,
		    text("the last drill was on %s, more than a year ago"),
		    day_format(day_of(drill.last->at_ns), date));
	else
		return;
	next(f, "%s",
	    text("rehearse it on a restore computer with 'bkp-restore drill', and bring its record here with "
		 "'bkp "
		 "journal import'"));
}

/* ---- the site ---- */

/* One that no data set above has told. */
static void look_frozen(struct judging *j)
{
	for (size_t i = 0; i < j->e->n; i++)
		if (j->e->faults[i].condition == EVIDENCE_SUSPECT)
			return;
	if (j->s->frozen[0])
		say_suspect(j, NULL, j->s->frozen);
}

static void look_excluded(struct judging *j)
{
	char show[SHOW];

	for (size_t i = 0; i < j->policy->n_excluded; i++)
		if (!policy_exclusion_is_decided(&j->policy->excluded[i], j->e->today))
			next(fault(j, EVIDENCE_EXCLUDED, NULL,
				 text("that '%s' is not captured is not decided, or was to be reviewed"),
				 path_show(j->policy->excluded[i].name, show, sizeof(show))),
			    "%s",
			    text("decide it, and write 'reason', 'decided_by', 'decided_on' and 'review_on' "
				 "below "
				 "'excluded' in the policy"));
}

static void look_contacts(struct judging *j)
{
	char show[SHOW];

	if (!j->policy->n_contacts)
		next(fault(j, EVIDENCE_CONTACTS, NULL, "%s", text("the policy names no contacts")), "%s",
		    text("write whom to call below 'contacts' in the policy"));
	for (size_t i = 0; i < j->policy->n_contacts; i++)
		if (policy_contact_is_stale(&j->policy->contacts[i], j->e->today))
			next(fault(j, EVIDENCE_CONTACTS, NULL,
				 text("contact '%s' was not confirmed within six months"),
				 path_show(j->policy->contacts[i].name, show, sizeof(show))),
			    "%s", text("call it, and write the day into 'confirmed_on'"));
}

/* ---- 目標日 ---- */

int32_t evidence_year_end(int64_t now_ns)
{
	const struct day d = day_split((int32_t)((now_ns / SECOND_NS + JST_S) / DAY_S));

	return day_from(d.month < 4 ? d.year : d.year + 1, 3, 31);
}

enum evidence_target evidence_target_is(int32_t target, int64_t now_ns)
{
	const int32_t today = (int32_t)((now_ns / SECOND_NS + JST_S) / DAY_S);

	return !target				    ? EVIDENCE_TARGET_MISSING
	       : target < today			    ? EVIDENCE_TARGET_PAST
	       : target > evidence_year_end(now_ns) ? EVIDENCE_TARGET_BEYOND
						    : EVIDENCE_TARGET_GOOD;
}

/* ---- all ---- */

static void judge_all(struct judging *j)
{
	static void (*const looks[])(struct judging *, const struct compliance_dataset *) = {look_dates,
	    look_fresh, look_gap, look_321, look_offline, look_suspect, look_procedure, look_drill};

	for (size_t i = 0; i < j->s->n_datasets; i++) {
		const struct compliance_dataset *d = &j->s->datasets[i];

		if (!policy_counts_for_evidence(j->policy, d->policy))
			continue;
		j->e->counted++;
		for (size_t k = 0; k < sizeof(looks) / sizeof(*looks); k++)
			looks[k](j, d);
	}
	look_frozen(j);
	look_excluded(j);
	look_contacts(j);
	if (!j->e->counted)
		next(fault(j, EVIDENCE_DATASETS, NULL, "%s", text("no data set has importance A or B")), "%s",
		    text("decide which data care depends on, and write 'importance: A' or 'B' at it"));
}

int evidence_judge(const struct policy *policy, const struct ledger *l, int64_t now_ns, struct evidence *ret,
    struct err *err)
{
	struct evidence e = {
	    .today = day_of(now_ns), .target = policy->checklist.target, .last = evidence_year_end(now_ns)};
	struct compliance *s = NULL;
	struct judging j = {policy, l, NULL, &e, false};

	if (compliance_new(policy, l, NULL, now_ns, &s, err))
		return -1;
	j.s = s;
	judge_all(&j);
	compliance_free(s);
	if (j.failed) {
		evidence_free(&e);
		return err_nomem(err);
	}
	e.yes = !e.n;
	e.target_is = e.yes ? EVIDENCE_TARGET_NONE : evidence_target_is(e.target, now_ns);
	*ret = e;
	return 0;
}

void evidence_free(struct evidence *e)
{
	free(e->faults);
	e->faults = NULL;
	e->n = 0;
}
