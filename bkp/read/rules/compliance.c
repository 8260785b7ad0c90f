/* compliance: words, media, and the order of the work; see compliance.h.
 *
 * The order in compliance_new() matters: media first (fill_media), because verdicts on data sets ask which
 * media are there; then data sets; then the worst of their verdicts; then the sentences, which ask all of
 * that.
 *
 * Media that lie on one store (file system or share) are lost together.  compliance_twin() names the one that
 * stands for all of them; it is the same whichever of them is asked, and whatever they hold, so that damage
 * to one does not change who stands for the others.
 */
#include "read/rules/compliance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "read/rules/compliance_private.h"
#include "read/rules/holds.h"
#include "read/rules/turns.h"

const char *compliance_verdict_word(enum compliance_verdict v)
{
	static const char *const words[] = {"met", "attention", "missing"};

	return words[v];
}

enum compliance_technology compliance_technology(const char *type)
{
	static const struct {
		const char *type;
		enum compliance_technology t;
	} table[] = {{"ssd", COMPLIANCE_SSD}, {"tape", COMPLIANCE_TAPE}, {"optical", COMPLIANCE_OPTICAL},
	    {"object", COMPLIANCE_OBJECT}};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].type, type))
			return table[i].t;
	/* hdd and rdx; a type of a later version is not taken for a further technology */
	return COMPLIANCE_MAGNETIC;
}

const char *compliance_technology_word(enum compliance_technology t)
{
	static const char *const words[] = {"magnetic disk", "SSD", "tape", "optical disc", "object store"};

	return words[t];
}

const char *compliance_offline_word(enum compliance_offline o)
{
	static const char *const words[] = {NULL, "logically separated", "removed"};

	return words[o];
}

char *compliance_span(int64_t s, char *out, size_t size)
{
	int64_t minutes = s > 0 ? s / 60 : 0;

	if (minutes == 1)
		snprintf(out, size, "%s", text("1 minute"));
	else if (minutes < 120)
		snprintf(out, size, text("%jd minutes"), (intmax_t)minutes);
	else if (minutes < 48 * 60)
		snprintf(out, size, text("%jd hours"), (intmax_t)minutes / 60);
	else
		snprintf(out, size, text("%jd days"), (intmax_t)minutes / (24 * 60));
	width_whole(out);
	return out;
}

int64_t compliance_swap_s(const struct policy_medium *m)
{
	return m->swap_every_s ? m->swap_every_s : COMPLIANCE_SWAP_S;
}

int64_t compliance_attach_s(const struct policy_medium *m)
{
	return m->max_attached_s ? m->max_attached_s : COMPLIANCE_ATTACH_S;
}

/* ---- media ---- */

const char *compliance_type(const struct compliance_medium *m)
{
	return m->ledger ? m->ledger->type : m->policy->type;
}

bool compliance_type_agrees(const struct compliance_medium *m)
{
	return !m->ledger || !m->policy || !strcmp(m->ledger->type, m->policy->type);
}

bool compliance_type_shown(const struct compliance_medium *m)
{
	return m->ledger && *m->ledger->shows && strcmp(m->ledger->shows, "memory") != 0 &&
	       compliance_technology(m->ledger->shows) == compliance_technology(m->ledger->type);
}

/* Of media on one store the first that is kept online stands for all; if none is, the first. */
static bool leads_store(const struct compliance_medium *a, const struct compliance_medium *b)
{
	return a->policy->offline == b->policy->offline ? a < b : b->policy->offline;
}

const struct compliance_medium *compliance_twin(
    const struct compliance_view *v, const struct compliance_medium *m)
{
	const struct compliance_medium *first = m;

	if (!m->policy || !m->ledger || !*m->ledger->store)
		return NULL;
	for (size_t i = 0; i < v->policy->n_media; i++) {
		const struct compliance_medium *o = &v->s->media[i];

		if (o->ledger && !strcmp(o->ledger->store, m->ledger->store) && leads_store(o, first))
			first = o;
	}
	return first == m ? NULL : first;
}

static void count_copies(const struct compliance_view *v, struct compliance_medium *m)
{
	for (size_t i = 0; i < ledger_generations(v->l); i++) {
		const struct ledger_generation *g = ledger_generation(v->l, i);
		const struct ledger_copy *c = ledger_copy_in(g, m->ledger->uuid);

		if (g->state != LEDGER_COMMITTED)
			continue;
		m->missing += (!m->policy || holds_wants(v->policy, v->l, m->policy, g)) && !g->suspect &&
			      (!c || (!c->ok && !c->expired_ns));
		m->damaged += c && c->damaged_ns;
		if (!c || !c->ok || !c->verified_ns)
			continue;
		m->generations++;
		m->newest = g->number;
		m->newest_ns = g->begun_ns;
	}
}

/* Recorded as gone, and not seen. */
static enum compliance_offline kind_of_offline(const struct ledger_medium *lm)
{
	const bool told = !strcmp(lm->shows, "tape") && lm->moved_ns >= lm->attach_ns && !*lm->destination;

	return *lm->fs_uuid || told ? COMPLIANCE_REMOVED : COMPLIANCE_SEPARATED;
}

static void fill_medium(const struct compliance_view *v, struct compliance_medium *m)
{
	const struct ledger_medium *lm = m->ledger;
	bool offline = m->policy ? m->policy->offline : lm->offline;

	if (!lm)
		return;
	count_copies(v, m);
	m->attached =
	    m->sight == COMPLIANCE_SEEN || (lm->attached && (offline || m->sight == COMPLIANCE_UNKNOWN));
	if (offline && !m->attached && !lm->attached)
		m->kind = kind_of_offline(lm);
	room_look(v->l, m->policy, lm, &m->room);
	if (offline)
		m->exposed = exposure_in_month(
		    v->l, lm->uuid, m->sight == COMPLIANCE_SEEN, v->s->now_ns, v->s->now_ns);
	if (!m->policy || !offline)
		return;
	m->overdue_swap =
	    !lm->rotated_ns || compliance_age_s(v, lm->rotated_ns) > compliance_swap_s(m->policy);
	/* one that is recorded as detached and yet seen: since when is not known, so it is not overdue */
	m->overdue_attached = m->attached && lm->attached &&
			      compliance_age_s(v, lm->attach_ns) > compliance_attach_s(m->policy);
}

static bool is_of_policy(const struct compliance *s, size_t n_policy, const struct ledger_medium *lm)
{
	for (size_t i = 0; i < n_policy; i++)
		if (s->media[i].ledger == lm)
			return true;
	return false;
}

/* The newest disc of a series stands for it; the others are there beside it. */
static const struct ledger_medium *medium_for(const struct ledger *l, const struct policy_medium *pm)
{
	const struct ledger_medium *m = ledger_medium_by_label(l, pm->name);

	for (size_t i = ledger_media(l); !m && policy_medium_is_series(pm) && i-- > 0;)
		if (!ledger_medium(l, i)->retired_ns && policy_series_has(pm, ledger_medium(l, i)->label))
			m = ledger_medium(l, i);
	return m;
}

static int fill_media(const struct compliance_view *v, struct err *err)
{
	struct compliance *s = v->s;
	size_t n = v->policy->n_media;

	s->media = calloc(n + ledger_media(v->l) + 1, sizeof(*s->media));
	if (!s->media)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct compliance_medium *m = &s->media[i];

		m->policy = &v->policy->media[i];
		m->ledger = medium_for(v->l, m->policy);
		m->lost = m->ledger ? NULL : ledger_medium_known(v->l, m->policy->name);
		m->sight = v->sights ? v->sights[i] : COMPLIANCE_UNKNOWN;
		fill_medium(v, m);
	}
	s->n_media = n;
	for (size_t i = 0; i < ledger_media(v->l); i++) {
		struct compliance_medium *m = &s->media[s->n_media];

		const struct ledger_medium *lm = ledger_medium(v->l, i);

		if (lm->retired_ns || lm->lost_ns || is_of_policy(s, n, lm))
			continue;
		m->ledger = lm;
		m->policy = policy_medium_of(v->policy, lm->label);
		m->sight = COMPLIANCE_UNKNOWN;
		fill_medium(v, m);
		/* a disc that was written once is not written again, and lacks nothing */
		m->overdue_swap = false;
		m->missing = 0;
		s->n_media++;
	}
	return 0;
}

/* Media that take turns: of a pool only the one that is due is late. */
static int look_at_pools(const struct compliance_view *v, struct err *err)
{
	struct compliance *s = v->s;
	bool *attached = calloc(v->policy->n_media + 1, sizeof(*attached));
	int r = 0;

	s->pools = calloc(v->policy->n_pools + 1, sizeof(*s->pools));
	if (!s->pools || !attached)
		r = err_nomem(err);
	for (size_t i = 0; i < v->policy->n_media && !r; i++)
		attached[i] = s->media[i].attached && s->media[i].sight != COMPLIANCE_NOT_SEEN;
	for (; s->n_pools < v->policy->n_pools && !r; s->n_pools += !r)
		r = turns_look(v->policy, &v->policy->pools[s->n_pools], v->l, attached, s->now_ns,
		    &s->pools[s->n_pools], err);
	for (size_t i = 0; i < v->policy->n_media && !r; i++) {
		struct compliance_medium *m = &s->media[i];

		if (!m->policy->pool)
			continue;
		m->turns = &s->pools[m->policy->pool - v->policy->pools];
		m->overdue_swap = m->turns->late > 0 && m->turns->due && m->turns->due->policy == m->policy;
	}
	free(attached);
	return r;
}

/* ---- all of it ---- */

static void worsen_verdict(enum compliance_verdict *v, enum compliance_verdict other)
{
	if (other > *v)
		*v = other;
}

static void sum_up(struct compliance *s)
{
	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		worsen_verdict(&s->overall, d->generations.verdict);
		worsen_verdict(&s->overall, d->three.verdict);
		worsen_verdict(&s->overall, d->two.verdict);
		worsen_verdict(&s->overall, d->one.verdict);
		s->nothing |= !d->newest;
	}
}

int compliance_new(const struct policy *policy, const struct ledger *l, const enum compliance_sight *sights,
    int64_t now_ns, struct compliance **ret, struct err *err)
{
	struct compliance *s = calloc(1, sizeof(*s));
	struct compliance_view v = {.policy = policy, .l = l, .sights = sights, .s = s};
	int r;

	if (!s)
		return err_nomem(err);
	s->now_ns = now_ns;
	s->run = ledger_outcome(l, "run");
	s->rotation = ledger_outcome(l, "rotate");
	s->notified = ledger_notified(l);
	s->latch = ledger_latch(l);
	if (ledger_frozen_by(l))
		generation_label(ledger_frozen_by(l)->dataset, ledger_frozen_by(l)->number, s->frozen);
	s->datasets = calloc(policy->n_datasets + 1, sizeof(*s->datasets));
	r = s->datasets ? fill_media(&v, err) || look_at_pools(&v, err) ? -1 : 0 : err_nomem(err);
	for (size_t i = 0; i < policy->n_datasets && !r; i++) {
		r = compliance_dataset_fill(&v, &policy->datasets[i], &s->datasets[i], err);
		s->n_datasets = i + 1;
	}
	if (!r) {
		sum_up(s);
		r = compliance_next(&v, err);
	}
	if (r) {
		compliance_free(s);
		return -1;
	}
	/* what a person is asked to do is never "all well" */
	if (s->n_next)
		worsen_verdict(&s->overall, COMPLIANCE_ATTENTION);
	*ret = s;
	return 0;
}

void compliance_free(struct compliance *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_next; i++)
		free(s->next[i]);
	free(s->next);
	for (size_t i = 0; i < s->n_pools; i++)
		turns_free(&s->pools[i]);
	free(s->pools);
	free(s->next_since);
	free(s->media);
	free(s->datasets);
	free(s);
}
