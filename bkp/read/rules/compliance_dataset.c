/* compliance_dataset: what counts for one data set, and the four verdicts; see compliance.h.
 *
 * Two questions about a generation: does_count() (a sound copy on a declared medium) and would_count() (the
 * same, were its copies not damaged).  d->newest is the newest of the first, d->latest of the second; online
 * media must hold d->latest, so damage to the newest generation does not make media that hold an older one
 * look up to date.
 *
 * judge_copies() goes by stores, not by media: look_at_store() sums up all media on one, and the one that
 * stands for them (compliance_twin) is counted once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/compliance_private.h"
#include "read/rules/slots.h"
#include "read/rules/turns.h"

/* ---- what is due ---- */

/* when a data set is due, and whether a run was missed; see compliance.h.
 *
 * Due is from the slot on.  Missed is later: a run has had its time (settled_slot), and since that slot no
 * generation that was to hold the data set was even begun. */

#define GRACE_S 3600LL /* a run takes its time, and several wait for one another */

bool compliance_ran_since(const struct compliance_view *v, int64_t ns)
{
	return v->s->run && v->s->run->ended_ns >= ns;
}

/* Begun and not ended: it is running, or it died and the next one finds out. */
static bool is_begun(const struct compliance_view *v, const struct compliance_dataset *d, int64_t slot_ns)
{
	const struct ledger_generation *g =
	    d->tried ? ledger_generation_of(v->l, d->policy->name, d->tried) : NULL;

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

/* When it is due, and whether a run was missed. */
static void compliance_due_fill(const struct compliance_view *v, struct compliance_dataset *d)
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

/* ---- the rest ---- */

static bool is_sound(const struct ledger_copy *c)
{
	return c && c->ok && c->verified_ns && !c->damaged_ns;
}

/* A medium that the policy no longer declares is looked after by nobody, and perhaps gone. */
static bool is_declared(const struct compliance_view *v, const char *uuid)
{
	for (size_t i = 0; i < v->s->n_media; i++)
		if (v->s->media[i].policy && v->s->media[i].ledger &&
		    !strcmp(v->s->media[i].ledger->uuid, uuid))
			return true;
	return false;
}

static bool is_of(const struct ledger_generation *g, const char *dataset)
{
	return !strcmp(g->dataset, dataset);
}

static bool does_count(const struct compliance_view *v, const struct ledger_generation *g)
{
	if (!ledger_counts(v->l, g))
		return false;
	for (size_t i = 0; i < g->n_copies; i++)
		if (ledger_sound_on(v->l, g, g->copies[i].medium) && is_declared(v, g->copies[i].medium))
			return true;
	return false;
}

/* It counts, or nothing but damage keeps it from counting. */
static bool would_count(const struct compliance_view *v, const struct ledger_generation *g)
{
	if (!ledger_counts(v->l, g))
		return false;
	for (size_t i = 0; i < g->n_copies; i++)
		if (g->copies[i].ok && (g->copies[i].verified_ns || g->copies[i].damaged_ns) &&
		    is_declared(v, g->copies[i].medium))
			return true;
	return false;
}

/* The newest counting generation that is verified on that medium, or NULL. */
static const struct ledger_generation *newest_on(
    const struct compliance_view *v, const char *dataset, const char *uuid)
{
	for (size_t i = ledger_generations(v->l); i--;) {
		const struct ledger_generation *g = ledger_generation(v->l, i);

		if (is_of(g, dataset) && ledger_sound_on(v->l, g, uuid) && does_count(v, g))
			return g;
	}
	return NULL;
}

/* Did the last rotation of the medium bring the newest that there was then, or, where its pool holds the oldest ones, what it holds? */
static bool was_brought(
    const struct compliance_view *v, const struct compliance_medium *m, const struct ledger_generation *g)
{
	if (m->policy->pool->holds == POLICY_HOLDS_OLDEST)
		return true;
	for (size_t i = ledger_generations(v->l); i--;) {
		const struct ledger_generation *o = ledger_generation(v->l, i);

		if (is_of(o, g->dataset) && o->number > g->number && o->begun_ns < m->ledger->rotated_ns &&
		    o->ended_ns < m->ledger->rotated_ns && does_count(v, o))
			return false;
	}
	return g->begun_ns < m->ledger->rotated_ns;
}

/* Days behind the turn that would take the place of what is on the medium; 0: none. */
static int32_t turn_late(
    const struct compliance_view *v, const struct compliance_medium *m, const struct ledger_generation *g)
{
	int64_t since = was_brought(v, m, g) ? m->ledger->rotated_ns : g->begun_ns;
	int32_t date = turns_next(m->policy->pool, v->policy->holidays, day_of(since), NULL);

	return m->turns->today > date ? m->turns->today - date : 0;
}

/* Older than the rotation is planned, and so about to lapse? */
static bool is_lapsing(
    const struct compliance_view *v, const struct compliance_medium *m, const struct ledger_generation *g)
{
	return m->turns ? turn_late(v, m, g) > 0
			: compliance_age_s(v, g->begun_ns) > compliance_swap_s(m->policy);
}

bool compliance_fresh(
    const struct compliance_view *v, const struct compliance_medium *m, const struct compliance_dataset *d)
{
	const struct ledger_generation *g;

	if (!m->policy || !m->ledger)
		return false;
	g = newest_on(v, d->policy->name, m->ledger->uuid);
	if (!g)
		return false;
	if (m->turns)
		return m->ledger->rotated_ns && turn_late(v, m, g) <= 1;
	return m->policy->offline
		   ? compliance_age_s(v, g->begun_ns) <= compliance_swap_s(m->policy) + COMPLIANCE_DAY_S
		   : g->number == d->latest;
}

/* ---- 3世代 ---- */

static int compare_days(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The local date as one number: runs are counted as people call them, whatever the clocks' changes. */
static int local_day(int64_t ns)
{
	time_t t = (time_t)(ns / SECOND_NS);
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_year * 366 + tm.tm_yday : 0;
}

/* Distinct dates of counting generations, and the newest of them into d. */
static int count_dates(
    const struct compliance_view *v, struct compliance_dataset *d, unsigned *ret, struct err *err)
{
	size_t n = ledger_generations(v->l), k = 0;
	int *days = calloc(n + 1, sizeof(*days));
	unsigned dates = 0;

	if (!days)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct ledger_generation *g = ledger_generation(v->l, i);

		if (!is_of(g, d->policy->name) || !would_count(v, g))
			continue;
		d->latest = g->number;
		if (!does_count(v, g))
			continue;
		days[k++] = local_day(g->begun_ns);
		d->newest = g->number;
		d->newest_ns = g->begun_ns;
		for (size_t c = 0; c < g->n_copies; c++)
			/* what a clock that was ahead said is no time at which anybody looked */
			if (is_sound(&g->copies[c]) && g->copies[c].verified_ns > d->verified_ns &&
			    g->copies[c].verified_ns <= v->s->now_ns)
				d->verified_ns = g->copies[c].verified_ns;
	}
	qsort(days, k, sizeof(*days), compare_days);
	for (size_t i = 0; i < k; i++)
		dates += !i || days[i] != days[i - 1];
	free(days);
	*ret = dates;
	return 0;
}

/* Half an interval of grace: a run takes its time, and a run that is under way is not late. */
bool compliance_stale(const struct compliance_view *v, const struct compliance_dataset *d)
{
	int64_t every = d->policy->every.s;

	return d->newest && every > 0 && compliance_age_s(v, d->newest_ns) > every + every / 2;
}

static void set_rule(struct compliance_rule *r, unsigned have, unsigned want)
{
	r->have = have;
	r->want = want;
	r->verdict = have >= want ? COMPLIANCE_MET : have ? COMPLIANCE_ATTENTION : COMPLIANCE_MISSING;
}

/* What was agreed holds, whatever the policy says today. */
static unsigned wanted_dates(const struct compliance_dataset *d)
{
	return d->agreed && d->agreed->generations > d->policy->generations ? (unsigned)d->agreed->generations
									    : d->policy->generations;
}

static int judge_generations(const struct compliance_view *v, struct compliance_dataset *d, struct err *err)
{
	struct compliance_rule *r = &d->generations;
	char age[COMPLIANCE_SPAN];
	unsigned dates;

	if (count_dates(v, d, &dates, err))
		return -1;
	set_rule(r, dates, wanted_dates(d));
	if (!dates)
		snprintf(r->why, sizeof(r->why), "%s", text("there is no good, verified generation"));
	else if (compliance_stale(v, d)) {
		r->verdict = COMPLIANCE_ATTENTION;
		snprintf(r->why, sizeof(r->why), text("the newest good, verified generation is %s old"),
		    compliance_span(compliance_age_s(v, d->newest_ns), age, sizeof(age)));
	} else if (r->verdict != COMPLIANCE_MET)
		snprintf(r->why, sizeof(r->why), text("good, verified generations of %u of %u dates"), dates,
		    r->want);
	return 0;
}

/* ---- 3, 2, 1 ---- */

static void judge_three(struct compliance_dataset *d, unsigned copies)
{
	struct compliance_rule *r = &d->three;

	set_rule(r, copies ? copies + 1 : 0, 3); /* with the original */
	r->have = copies + 1;
	if (r->verdict != COMPLIANCE_MET)
		snprintf(r->why, sizeof(r->why),
		    text("%u media hold a verified copy that is recent enough; 2 are needed beside the "
			 "original"),
		    copies);
}

/* Bits of technologies: shown by devices, and claimed by the policy alone, as by `claims`, the first. */
struct technologies {
	unsigned shown, claimed;
	const struct compliance_medium *claims;
};

static void judge_two(struct compliance_dataset *d, const struct technologies *by)
{
	struct compliance_rule *r = &d->two;
	unsigned seen = by->shown | by->claimed, technologies = (unsigned)__builtin_popcount(seen), t = 0;
	unsigned shown = (unsigned)__builtin_popcount(by->shown);

	set_rule(r, technologies > shown ? (shown ? shown : 1) : technologies, 2);
	while (technologies == 1 && !(seen & 1u << t))
		t++;
	if (technologies > 1 && shown < 2)
		snprintf(r->why, sizeof(r->why),
		    text("devices show %u of 2 technologies: what '%s' is, is declared only"), shown,
		    by->claims->policy->name);
	else if (!technologies)
		snprintf(r->why, sizeof(r->why), "%s", text("no medium holds a verified copy"));
	else if (technologies == 1) {
		static const char *const types[] = {"hdd", "ssd", "tape", "optical", "object"};

		snprintf(r->why, sizeof(r->why), text("every copy is on one technology: %s"),
		    policy_plan_technology(types[t]));
	}
}

struct offline {
	unsigned detached; /* media that count, are removed, and at a separate place */
	const struct compliance_medium
	    *near; /* counts and is away, but not known to be at a separate place */
	const struct compliance_medium *separated; /* counts, but only its mount is known to be gone */
	unsigned lapsing;			   /* … whose copy is older than the rotation is planned */
	const struct compliance_medium *inside;	   /* counts, but is attached */
};

/* Where it is, as far as a person has recorded that; "": not since it was here last. */
static const char *recorded_place(const struct compliance_medium *m)
{
	return m->ledger->unplaced || *m->ledger->destination ? "" : m->ledger->place;
}

/* Why a medium that is away does not meet it. */
static void say_near(const struct compliance_medium *m, bool listed, char *out, size_t size)
{
	const char *place = recorded_place(m);
	char show[96];

	if (!listed)
		snprintf(out, size,
		    text("'%s' is away; whether at a separate place the policy does not say: list 'places', "
			 "with 'originals: true' and 'separate_from'"),
		    m->policy->name);
	else if (!*place)
		snprintf(
		    out, size, text("'%s' is away, and where it is now is not recorded"), m->policy->name);
	else
		snprintf(out, size,
		    text("'%s' is away, but by the policy its place '%s' is not separate from the originals"),
		    m->policy->name, path_show(place, show, sizeof(show)));
}

/* listed: the policy says which places there are. */
static void judge_one(struct compliance_dataset *d, const struct offline *o, bool listed)
{
	struct compliance_rule *r = &d->one;

	set_rule(r, o->detached, 1);
	if (o->detached && o->lapsing == o->detached) {
		r->verdict = COMPLIANCE_ATTENTION;
		snprintf(r->why, sizeof(r->why), "%s", text("the rotation of the offline copy is due"));
	} else if (!o->detached && o->near) {
		r->verdict = COMPLIANCE_ATTENTION;
		say_near(o->near, listed, r->why, sizeof(r->why));
	} else if (!o->detached && o->separated) {
		r->verdict = COMPLIANCE_ATTENTION;
		snprintf(r->why, sizeof(r->why),
		    text("'%s' is logically separated only, its mount is gone: what counts is a disk that is "
			 "removed"),
		    o->separated->policy->name);
	} else if (!o->detached && o->inside) {
		if (!o->inside->overdue_attached)
			r->verdict = COMPLIANCE_ATTENTION;
		snprintf(r->why, sizeof(r->why), text("'%s' is not recorded as detached"),
		    o->inside->policy->name);
	} else if (!o->detached)
		snprintf(r->why, sizeof(r->why), "%s",
		    text("no medium kept offline holds a verified copy that is recent enough"));
}

/* What the media on one file system are together: they are lost together. */
struct store {
	bool fresh;				/* one of them holds what makes it a copy */
	const struct compliance_medium *inside; /* one that is attached; or NULL */
	bool separated;				/* of one no more is known than that its mount is gone */
	const struct ledger_generation *newest;
};

static struct store look_at_store(const struct compliance_view *v, const struct compliance_medium *first,
    const struct compliance_dataset *d)
{
	struct store all = {0};

	for (size_t i = 0; i < v->s->n_media; i++) {
		const struct compliance_medium *m = &v->s->media[i];
		const struct ledger_generation *g;

		if (m != first && compliance_twin(v, m) != first)
			continue;
		/* what is attached is attached, whatever it is to hold */
		if (m->attached && (!all.inside || m->overdue_attached))
			all.inside = m;
		all.separated |= m->kind == COMPLIANCE_SEPARATED;
		if (!policy_medium_holds(m->policy, d->policy->name))
			continue;
		all.fresh |= compliance_fresh(v, m, d);
		g = newest_on(v, d->policy->name, m->ledger->uuid);
		if (g && (!all.newest || g->number > all.newest->number))
			all.newest = g;
	}
	return all;
}

static void count_offline(const struct compliance_view *v, const struct compliance_medium *m,
    const struct store *all, struct offline *o)
{
	if (!all->inside && all->separated) {
		o->separated = m;
	} else if (!all->inside && !policy_place_is_separate(v->policy, recorded_place(m))) {
		o->near = m;
	} else if (!all->inside) {
		o->detached++;
		o->lapsing += is_lapsing(v, m, all->newest);
	} else if (!o->inside || o->inside->overdue_attached) {
		o->inside = all->inside;
	}
}

static void judge_copies(const struct compliance_view *v, struct compliance_dataset *d)
{
	struct offline o = {0};
	struct technologies by = {0};
	unsigned copies = 0, doubtful = 0;

	for (size_t i = 0; i < v->s->n_media; i++) {
		const struct compliance_medium *m = &v->s->media[i];
		struct store all;

		if (!m->policy || !m->ledger || compliance_twin(v, m))
			continue;
		all = look_at_store(v, m, d);
		/* オフライン保証復旧点: whatever its age */
		if (all.newest && m->policy->offline && !all.inside && !all.separated &&
		    all.newest->number > d->offline) {
			d->offline = all.newest->number;
			d->offline_ns = all.newest->begun_ns;
		}
		if (!all.fresh)
			continue;
		copies++;
		*(!compliance_type_agrees(m)   ? &doubtful
		    : compliance_type_shown(m) ? &by.shown
					       : &by.claimed) |= 1u
								 << compliance_technology(compliance_type(m));
		if (!by.claims && !compliance_type_shown(m))
			by.claims = m;
		if (m->policy->offline)
			count_offline(v, m, &all, &o);
	}
	judge_three(d, copies);
	/* what policy and registration call differently is no further technology */
	if (!by.shown && !by.claimed)
		by.shown = doubtful & -doubtful;
	by.claimed &= ~by.shown;
	judge_two(d, &by);
	judge_one(d, &o, v->policy->n_places > 0);
}

/* ---- the last try ---- */

static void find_tried(const struct compliance_view *v, struct compliance_dataset *d)
{
	for (size_t i = ledger_generations(v->l); i-- && !d->tried;) {
		const struct ledger_generation *g = ledger_generation(v->l, i);

		if (!is_of(g, d->policy->name))
			continue;
		d->tried = g->number;
		/* begun and not ended: it is running, or the next run finds out */
		d->tried_failed = g->state != LEDGER_BEGUN && !does_count(v, g);
	}
}

/* ---- what the guard says, and what was agreed ---- */

static void find_suspect(const struct compliance_view *v, struct compliance_dataset *d)
{
	for (size_t i = ledger_generations(v->l); i-- && !d->suspect;) {
		const struct ledger_generation *g = ledger_generation(v->l, i);

		if (g->state != LEDGER_COMMITTED || g->held_ns || !g->suspect || !is_of(g, d->policy->name))
			continue;
		d->suspect = g->number;
		d->suspicion = g->suspicion;
	}
}

static bool less_than(const struct policy_dataset *p, const struct ledger_agreed *a)
{
	return a && (p->generations < a->generations || (uint64_t)p->protect_s < a->protect_s ||
			p->keep.daily < a->daily || p->keep.weekly < a->weekly ||
			p->keep.monthly < a->monthly || p->keep.yearly < a->yearly);
}

int compliance_dataset_fill(const struct compliance_view *v, const struct policy_dataset *pd,
    struct compliance_dataset *d, struct err *err)
{
	d->policy = pd;
	d->agreed = ledger_agreed(v->l, pd->name);
	d->less = less_than(pd, d->agreed);
	if (judge_generations(v, d, err))
		return -1;
	judge_copies(v, d);
	find_tried(v, d);
	find_suspect(v, d);
	compliance_due_fill(v, d);
	width_whole(d->generations.why);
	width_whole(d->three.why);
	width_whole(d->two.why);
	width_whole(d->one.why);
	return 0;
}
