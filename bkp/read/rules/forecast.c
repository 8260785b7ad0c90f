/* forecast: see forecast.h.
 *
 * Items are what is judged: four rules of each data set, two questions about each medium of the policy.  step_days() goes day by day
 * and halves those in which an item lapses (find_times()); try_acts() looks for what prevents it. */
#include "read/rules/forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/slots.h"

#define DAY_NS	  (86400 * SECOND_NS)
#define MINUTE_NS (60 * SECOND_NS)
#define RULES	  4
#define QUESTIONS 2
#define RUN_UUID  "00000000-0000-4000-8000-000000000000"
#define NO_SHA256 "0000000000000000000000000000000000000000000000000000000000000000"

struct forecaster {
	const struct policy *policy;
	forecast_load_fn *load;
	void *arg;
	struct forecast *f;
	size_t n_items;
};

const char *forecast_word(enum forecast_what w)
{
	static const char *const words[] = {"generations", "three", "two", "one", "rotation", "attached"};

	return words[w];
}

/* ---- items ---- */

static bool is_rule(const struct forecaster *fc, size_t item)
{
	return item < fc->policy->n_datasets * RULES;
}

static enum forecast_what what_of(const struct forecaster *fc, size_t item)
{
	return is_rule(fc, item)
		   ? (enum forecast_what)(item % RULES)
		   : (enum forecast_what)(RULES + (item - fc->policy->n_datasets * RULES) % QUESTIONS);
}

static size_t owner_of(const struct forecaster *fc, size_t item)
{
	return is_rule(fc, item) ? item / RULES : (item - fc->policy->n_datasets * RULES) / QUESTIONS;
}

static const struct compliance_rule *rule_of(
    const struct forecaster *fc, const struct compliance *s, size_t item)
{
	const struct compliance_dataset *d = &s->datasets[owner_of(fc, item)];
	const struct compliance_rule *const rules[RULES] = {&d->generations, &d->three, &d->two, &d->one};

	return rules[item % RULES];
}

static enum compliance_verdict verdict_of(
    const struct forecaster *fc, const struct compliance *s, size_t item)
{
	const struct compliance_medium *m;

	if (is_rule(fc, item))
		return rule_of(fc, s, item)->verdict;
	m = &s->media[owner_of(fc, item)];
	return (what_of(fc, item) == FORECAST_ROTATION ? m->overdue_swap : m->overdue_attached)
		   ? COMPLIANCE_ATTENTION
		   : COMPLIANCE_MET;
}

/* ---- what is supposed ---- */

static json_t *generations_list(const char *dataset, uint64_t number)
{
	return json_pack("[{s:s, s:I, s:i, s:i}]", "dataset", dataset, "generation", (json_int_t)number,
	    "files", 0, "bytes", 0);
}

static int suppose_verified(
    struct ledger *l, const char *uuid, const char *dataset, uint64_t number, int64_t at_ns, struct err *err)
{
	return ledger_suppose(l, at_ns, "verified",
	    json_pack("{s:s, s:o}", "medium", uuid, "generations", generations_list(dataset, number)), err);
}

/* Of media kept online those that hold the newest generation that counts, and so will hold the next. */
static json_t *online_holders(
    const struct forecaster *fc, const struct ledger *l, const struct policy_dataset *d)
{
	const struct ledger_generation *newest = NULL;
	json_t *list = json_array();

	for (size_t i = ledger_generations(l); i-- && !newest;)
		if (!strcmp(ledger_generation(l, i)->dataset, d->name) &&
		    ledger_counts(l, ledger_generation(l, i)))
			newest = ledger_generation(l, i);
	for (size_t i = 0; newest && i < fc->policy->n_media; i++) {
		const struct policy_medium *m = &fc->policy->media[i];
		const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);

		if (!m->offline && lm && lm->attached && policy_medium_holds(m, d->name) &&
		    ledger_sound_on(l, newest, lm->uuid))
			json_array_append_new(
			    list, json_pack("{s:s, s:s, s:b, s:b, s:s}", "medium", lm->uuid, "label",
				      lm->label, "ok", 1, "frozen", 0, "reason", ""));
	}
	return list;
}

static int suppose_run(const struct forecaster *fc, struct ledger *l, const struct policy_dataset *d,
    int64_t slot_ns, struct err *err)
{
	const json_int_t run = (json_int_t)ledger_next_run(l);
	json_t *media = online_holders(fc, l, d);
	int r = 0;

	if (!json_array_size(media)) {
		json_decref(media);
		return 0;
	}
	r = ledger_suppose(l, slot_ns, "begin",
		json_pack("{s:I, s:s, s:[s]}", "run", run, "uuid", RUN_UUID, "datasets", d->name), err) ||
	    ledger_suppose(l, slot_ns, "committed",
		json_pack(
		    "{s:s, s:I, s:s, s:s, s:i, s:i, s:i, s:I, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:O}",
		    "dataset", d->name, "generation", run, "uuid", RUN_UUID, "manifest_sha256", NO_SHA256,
		    "archives", 0, "archive_bytes", 0, "new_bytes", 0, "next_archive",
		    (json_int_t)ledger_next_archive(l, d->name), "verdict", "good", "entries", 0, "files", 0,
		    "bytes", 0, "unreadable", 0, "changed", 0, "skipped", 0, "reason", "", "media", media),
		err);
	for (size_t i = 0; !r && i < json_array_size(media); i++)
		r = suppose_verified(l,
		    json_string_value(json_object_get(json_array_get(media, i), "medium")), d->name,
		    (uint64_t)run, slot_ns, err);
	json_decref(media);
	return r ? -1 : 0;
}

/* The last run of each data set in that time: what the others made changes no verdict that is met. */
static int suppose_runs(
    const struct forecaster *fc, struct ledger *l, int64_t from_ns, int64_t to_ns, struct err *err)
{
	for (size_t i = 0; i < fc->policy->n_datasets; i++) {
		const struct policy_dataset *d = &fc->policy->datasets[i];
		const int64_t slot_ns = slots_before(fc->policy, d, to_ns);

		if (slot_ns > from_ns && suppose_run(fc, l, d, slot_ns, err))
			return -1;
	}
	return 0;
}

static int suppose_away(struct ledger *l, const struct policy_medium *m, int64_t at_ns, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);
	const char *place = *lm->destination ? lm->destination : *lm->place ? lm->place : m->place;

	return ledger_suppose(l, at_ns, "medium-moved",
	    json_pack("{s:s, s:s, s:s, s:s, s:b}", "medium", lm->uuid, "operator", "-", "place",
		place ? place : "-", "from", "", "detached", 1),
	    err);
}

static int suppose_newest(
    struct ledger *l, const struct policy_dataset *d, const char *uuid, int64_t at_ns, struct err *err)
{
	const struct ledger_generation *g = ledger_last_committed(l, d->name);

	return g ? suppose_verified(l, uuid, d->name, g->number, at_ns, err) : 0;
}

/* It comes, gets the newest of each data set that it is to hold, and goes where it is kept. */
static int suppose_rotation(const struct forecaster *fc, struct ledger *l, const struct policy_medium *m,
    int64_t at_ns, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(l, m->name);
	const struct ledger_generation *last = ledger_last_committed(l, NULL);
	int r = lm->attached ? 0
			     : ledger_suppose(l, at_ns, "medium-attached",
				   json_pack("{s:s, s:s}", "medium", lm->uuid, "path", lm->path), err);

	for (size_t i = 0; !r && i < fc->policy->n_datasets; i++)
		if (policy_medium_holds(m, fc->policy->datasets[i].name))
			r = suppose_newest(l, &fc->policy->datasets[i], lm->uuid, at_ns, err);
	if (r || !last)
		return r;
	return ledger_suppose(l, at_ns, "rotated",
		   json_pack("{s:s, s:s, s:s, s:i, s:I, s:i, s:i, s:i, s:b}", "medium", lm->uuid, "operator",
		       "-", "place", m->place ? m->place : "-", "generations", 1, "newest",
		       (json_int_t)last->number, "copied", 0, "bytes", 0, "unfrozen", 0, "complete", 1),
		   err) ||
		       suppose_away(l, m, at_ns, err)
		   ? -1
		   : 0;
}

/* ---- when ---- */

static int judge(const struct forecaster *fc, const struct ledger *l, int64_t at_ns, struct compliance **ret,
    struct err *err)
{
	return compliance_new(fc->policy, l, NULL, at_ns, ret, err);
}

static int add_lapse(struct forecaster *fc, const struct compliance *s, size_t item, struct err *err)
{
	struct forecast_lapse *more = reallocarray(fc->f->lapses, fc->f->n + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	fc->f->lapses = more;
	more += fc->f->n++;
	*more = (struct forecast_lapse){.what = what_of(fc, item),
	    .of = owner_of(fc, item),
	    .at_ns = s->now_ns,
	    .to = verdict_of(fc, s, item)};
	if (is_rule(fc, item))
		snprintf(more->why, sizeof(more->why), "%s", rule_of(fc, s, item)->why);
	return 0;
}

/* The items of `open` that are met at lo and not at hi, of which `end` is the judgement: each becomes a lapse, and is not open any
 * more.  Ages only grow, so each lapses once. */
static int find_times(struct forecaster *fc, const struct ledger *l, bool *open, int64_t lo,
    const struct compliance *end, struct err *err)
{
	struct compliance *mid = NULL;
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < fc->n_items; i++)
		any |= open[i] && verdict_of(fc, end, i) != COMPLIANCE_MET;
	if (!any)
		return 0;
	if (end->now_ns - lo <= MINUTE_NS) {
		for (size_t i = 0; i < fc->n_items && !r; i++)
			if (open[i] && verdict_of(fc, end, i) != COMPLIANCE_MET) {
				open[i] = false;
				r = add_lapse(fc, end, i, err);
			}
		return r;
	}
	r = judge(fc, l, lo + (end->now_ns - lo) / 2 / SECOND_NS * SECOND_NS, &mid, err) ||
	    find_times(fc, l, open, lo, mid, err) || find_times(fc, l, open, mid->now_ns, end, err);
	compliance_free(mid);
	return r ? -1 : 0;
}

static int step_days(struct forecaster *fc, struct ledger *l, bool *open, struct err *err)
{
	struct compliance *s = NULL;
	int64_t at_ns = fc->f->now_ns;
	int r = judge(fc, l, at_ns, &s, err);

	for (size_t i = 0; i < fc->n_items && !r; i++)
		open[i] = verdict_of(fc, s, i) == COMPLIANCE_MET;
	for (; !r && at_ns < fc->f->until_ns; at_ns += DAY_NS) {
		compliance_free(s);
		s = NULL;
		r = suppose_runs(fc, l, at_ns, at_ns + DAY_NS, err) ||
		    judge(fc, l, at_ns + DAY_NS, &s, err) || find_times(fc, l, open, at_ns, s, err);
	}
	compliance_free(s);
	return r ? -1 : 0;
}

/* ---- what prevents it ---- */

static int compare_turns(const void *a, const void *b)
{
	const struct ledger_medium *x = *(const struct ledger_medium *const *)a;
	const struct ledger_medium *y = *(const struct ledger_medium *const *)b;

	return (x->rotated_ns > y->rotated_ns) - (x->rotated_ns < y->rotated_ns);
}

/* Media kept offline, that whose turn it is first: the one that was rotated longest ago.  Where pools say otherwise it is said here. */
static size_t forecast_next_media(
    const struct forecaster *fc, const struct ledger *l, const struct ledger_medium **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < fc->policy->n_media; i++) {
		ret[n] = ledger_medium_by_label(l, fc->policy->media[i].name);
		n += fc->policy->media[i].offline && ret[n];
	}
	qsort(ret, n, sizeof(*ret), compare_turns);
	return n;
}

static bool is_met(const struct forecaster *fc, const struct compliance *s, const struct forecast_lapse *p)
{
	const size_t base = fc->policy->n_datasets * RULES;

	return verdict_of(fc, s,
		   p->what < RULES ? p->of * RULES + p->what : base + p->of * QUESTIONS + p->what - RULES) ==
	       COMPLIANCE_MET;
}

/* The lapses i … end - 1, all of one moment: which of them does it prevent? */
static int try_act(struct forecaster *fc, size_t i, size_t end, const struct policy_medium *m,
    enum forecast_act act, struct err *err)
{
	const int64_t at_ns = fc->f->lapses[i].at_ns, by_ns = at_ns - MINUTE_NS;
	struct compliance *s = NULL;
	struct ledger *l = NULL;
	int r = fc->load(fc->arg, &l, err) || suppose_runs(fc, l, fc->f->now_ns, by_ns, err) ||
		(act == FORECAST_TAKE ? suppose_away(l, m, by_ns, err)
				      : suppose_rotation(fc, l, m, by_ns, err)) ||
		suppose_runs(fc, l, by_ns, at_ns + MINUTE_NS, err) ||
		judge(fc, l, at_ns + MINUTE_NS, &s, err);

	for (; !r && i < end; i++)
		if (fc->f->lapses[i].act == FORECAST_NONE && is_met(fc, s, &fc->f->lapses[i])) {
			fc->f->lapses[i].act = act;
			fc->f->lapses[i].medium = m;
		}
	compliance_free(s);
	ledger_free(l);
	return r ? -1 : 0;
}

static bool any_left(const struct forecaster *fc, size_t i, size_t end)
{
	for (; i < end; i++)
		if (fc->f->lapses[i].act == FORECAST_NONE)
			return true;
	return false;
}

static int try_media(struct forecaster *fc, const struct ledger_medium **media, size_t n, size_t i,
    size_t end, struct err *err)
{
	for (int act = FORECAST_TAKE; act >= FORECAST_ROTATE; act--)
		for (size_t k = 0; k < n; k++) {
			const struct policy_medium *m = policy_find_medium(fc->policy, media[k]->label);

			if (!any_left(fc, i, end) || (act == FORECAST_TAKE && !media[k]->attached))
				continue;
			if (try_act(fc, i, end, m, (enum forecast_act)act, err))
				return -1;
		}
	return 0;
}

static int compare_lapses(const void *a, const void *b)
{
	const struct forecast_lapse *x = a, *y = b;

	return x->at_ns != y->at_ns ? (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns)
	       : x->what != y->what ? (x->what > y->what) - (x->what < y->what)
				    : (x->of > y->of) - (x->of < y->of);
}

static int try_acts(struct forecaster *fc, const struct ledger *l, struct err *err)
{
	const struct ledger_medium **media = calloc(fc->policy->n_media + 1, sizeof(*media));
	size_t n = media ? forecast_next_media(fc, l, media) : 0;
	int r = media ? 0 : err_nomem(err);

	qsort(fc->f->lapses, fc->f->n, sizeof(*fc->f->lapses), compare_lapses);
	for (size_t i = 0, end; i < fc->f->n && !r; i = end) {
		for (end = i + 1; end < fc->f->n && fc->f->lapses[end].at_ns == fc->f->lapses[i].at_ns; end++)
			;
		r = try_media(fc, media, n, i, end, err);
	}
	free(media);
	return r;
}

int forecast_new(const struct policy *policy, forecast_load_fn *load, void *arg, int64_t now_ns,
    unsigned days, struct forecast **ret, struct err *err)
{
	struct forecaster fc = {.policy = policy, .load = load, .arg = arg, .f = calloc(1, sizeof(*fc.f))};
	bool *open;
	struct ledger *l = NULL;
	int r;

	fc.n_items = policy->n_datasets * RULES + policy->n_media * QUESTIONS;
	open = calloc(fc.n_items + 1, sizeof(*open));
	if (!fc.f || !open) {
		free(open);
		free(fc.f);
		return err_nomem(err);
	}
	fc.f->now_ns = now_ns;
	fc.f->until_ns = now_ns + (int64_t)days * DAY_NS;
	r = load(arg, &l, err) || step_days(&fc, l, open, err);
	ledger_free(l);
	l = NULL;
	if (!r && fc.f->n)
		r = load(arg, &l, err) || try_acts(&fc, l, err);
	ledger_free(l);
	free(open);
	if (r) {
		forecast_free(fc.f);
		return -1;
	}
	*ret = fc.f;
	return 0;
}

void forecast_free(struct forecast *f)
{
	if (f)
		free(f->lapses);
	free(f);
}
