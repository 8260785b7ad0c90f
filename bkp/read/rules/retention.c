/* retention: see retention.h.
 *
 * For each medium, each data set, each generation of it that is there: reasons are collected (add_reason),
 * those that keep and those that let go.  keep_reasons() decides: any that keeps it wins, and a generation
 * without any reason stays, because nothing is known that would let it go.
 *
 * What counts is found once a medium and rule (count_all), newest first, and asked many times: how many newer
 * dates there are (newer_dates), which periods it stands for (kept_bits).
 */
#include "read/rules/retention_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/policy/policy.h"
#include "read/rules/retention.h"

#define WHY_MAX	 ((size_t)1 << 20) /* bytes of reasons of one generation */
#define SPAN_MAX (INT64_MAX / SECOND_NS)

/* What is being judged. */
struct judging {
	const struct policy *policy;
	const struct ledger *l;
	int64_t now_ns;
	struct retention *ret;
	struct retention_rule *rules;
	/* of the medium and the data set that are being judged */
	const char *medium;
	const struct retention_rule *rule;
	bool no_more; /* the policy lets no generation of it come to the medium */
	struct retention_counted *counted;
	size_t n_counted;
	const struct ledger_generation *there; /* judged as if it had not expired; or NULL */
	struct buf why;			       /* reasons of the generation that is being judged */
};

/* ---- what counts ---- */

/* which generations count for a data set on a medium, and which of them `keep` keeps; see
 * retention.h.
 *
 * Periods (date, ISO week, month, year) are numbers that are equal within a period.  Sorted newest first,
 * generations of one period stand together, so the first of each run of equal numbers is the newest of its
 * period (mark_kept). */

#define FAR_EAST (14 * 3600)
#define FAR_WEST (-12 * 3600)

/* ---- sentences ---- */

/* the reasons of retention as words and sentences */

const char *retention_word(enum retention_reason r)
{
	static const char *const words[] = {"frozen", "latched", "held", "unknown", "future", "protected",
	    "suspect", "newest", "floor", "no-better", "daily", "weekly", "monthly", "yearly", "together",
	    "covered"};

	return words[r];
}

char *retention_sentence(const struct retention_why *w, char out[RETENTION_SENTENCE])
{
	const size_t size = RETENTION_SENTENCE;
	char date[CLOCK_TEXT];

	switch (w->reason) {
	case RETENTION_FROZEN:
		snprintf(
		    out, size, text("generation %s is suspect, and nobody has decided on it"), w->frozen_by);
		break;
	case RETENTION_LATCHED:
		snprintf(out, size, "%s", text("the clock has jumped forward, and nobody has attested it"));
		break;
	case RETENTION_HELD:
		snprintf(out, size, "%s", text("a person holds it"));
		break;
	case RETENTION_UNKNOWN:
		snprintf(
		    out, size, "%s", text("neither the policy nor what was agreed says how long it stays"));
		break;
	case RETENTION_FUTURE:
		snprintf(out, size, "%s", text("it is dated later than now"));
		break;
	case RETENTION_PROTECTED:
		snprintf(out, size, text("protected until %s"), clock_format_local(w->until_ns, date));
		break;
	case RETENTION_SUSPECT:
		snprintf(out, size, "%s", text("it is suspect: a person decides"));
		break;
	case RETENTION_NEWEST:
		snprintf(out, size, "%s", text("the last good copy of the newest good generation"));
		break;
	case RETENTION_FLOOR:
		snprintf(out, size,
		    w->no_more
			? text("newer verified ones on %ju of %ju dates here; the policy brings no more")
			: text("newer verified ones on %ju of %ju dates here"),
		    w->have, w->want);
		break;
	case RETENTION_NO_BETTER:
		snprintf(out, size, "%s", text("not good, but no newer good one is verified here"));
		break;
	case RETENTION_DAILY:
		snprintf(out, size, text("the newest of its day (%ju are kept)"), w->want);
		break;
	case RETENTION_WEEKLY:
		snprintf(out, size, text("the newest of its week (%ju are kept)"), w->want);
		break;
	case RETENTION_MONTHLY:
		snprintf(out, size, text("the newest of its month (%ju are kept)"), w->want);
		break;
	case RETENTION_YEARLY:
		snprintf(out, size, text("the newest of its year (%ju are kept)"), w->want);
		break;
	case RETENTION_TOGETHER:
		snprintf(out, size, text("captured together with that of %s, which stays"), w->with);
		break;
	case RETENTION_COVERED:
		snprintf(out, size, text("newer verified ones on %ju dates here, %ju are asked for"), w->have,
		    w->want);
		break;
	}
	width_whole(out);
	return out;
}

/* ---- the rest ---- */

static bool retention_counts(
    const struct ledger *l, const struct ledger_generation *g, const char *medium, int64_t now_ns)
{
	return !g->undated && g->begun_ns <= now_ns && ledger_counts(l, g) && ledger_sound_on(l, g, medium);
}

/* What clocks on the wall show, as if it were UTC.  TZ may name a file of any offsets, which could make one
 * date of a year, or a year of one run: an offset is cut to what real zones have. */
static time_t on_the_wall(time_t t)
{
	struct tm tm;
	long offset = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;

	return t + (offset > FAR_EAST ? FAR_EAST : offset < FAR_WEST ? FAR_WEST : offset);
}

/* Numbers that are equal within a period and differ between two; how large they are means nothing. */
static void find_periods(int64_t begun_ns, uint32_t period[4])
{
	time_t t = on_the_wall((time_t)(begun_ns / SECOND_NS));
	uint32_t year;
	char week[16];
	struct tm tm;

	gmtime_r(&t, &tm);
	year = (uint32_t)(tm.tm_year + 1900);
	period[0] = year * 400 + (uint32_t)tm.tm_yday;
	strftime(week, sizeof(week), "%G%V", &tm);
	period[1] = (uint32_t)strtoul(week, NULL, 10);
	period[2] = year * 12 + (uint32_t)tm.tm_mon;
	period[3] = year;
}

static int newest_first(const void *a, const void *b)
{
	const struct retention_counted *x = a, *y = b;

	if (x->begun_ns != y->begun_ns)
		return x->begun_ns > y->begun_ns ? -1 : 1;
	return x->number > y->number ? -1 : x->number < y->number;
}

/* The newest of each period, of as many periods as are asked for; in the order of time equal periods stand
 * together. */
static void mark_kept(const struct retention_rule *rule, struct retention_counted *c, size_t n)
{
	for (int k = 0; k < 4; k++) {
		uint64_t left = rule->keep[k];

		for (size_t i = 0; i < n && left; i++) {
			if (i && c[i].period[k] == c[i - 1].period[k])
				continue;
			c[i].kept |= 1u << k;
			left--;
		}
	}
}

static bool would_count(const struct ledger_generation *g, int64_t now_ns)
{
	return !g->undated && g->begun_ns <= now_ns && !g->suspect && ledger_good(g);
}

/* The generations that count for the rule's data set on that medium, newest first, with
 * what `keep` keeps marked; `there`, unless NULL, counts whatever is recorded of its copy.  The caller
 * frees. */
static int retention_count(const struct ledger *l, const struct retention_rule *rule, const char *medium,
    const struct ledger_generation *there, int64_t now_ns, struct retention_counted **ret, size_t *ret_n,
    struct err *err)
{
	size_t all = ledger_generations(l), n = 0;
	struct retention_counted *c = calloc(all + 1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	for (size_t i = 0; i < all; i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (strcmp(g->dataset, rule->name) != 0 ||
		    (g == there ? !would_count(g, now_ns) : !retention_counts(l, g, medium, now_ns)))
			continue;
		c[n].number = g->number;
		c[n].begun_ns = g->begun_ns;
		find_periods(g->begun_ns, c[n].period);
		c[n].utc_day = g->begun_ns / (86400 * SECOND_NS);
		n++;
	}
	qsort(c, n, sizeof(*c), newest_first);
	mark_kept(rule, c, n);
	*ret = c;
	*ret_n = n;
	return 0;
}

/* ---- the rest ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- the rules ---- */

static void set_rule(const struct judging *j, struct retention_rule *r)
{
	const struct policy_dataset *p = policy_find_dataset(j->policy, r->name);
	const struct ledger_agreed *a = ledger_agreed(j->l, r->name);
	uint64_t protect = p ? (uint64_t)p->protect_s : (uint64_t)j->policy->protect_s;

	r->known = p || a;
	if (p) {
		r->floor = larger(p->generations, 1);
		r->keep[0] = p->keep.daily;
		r->keep[1] = p->keep.weekly;
		r->keep[2] = p->keep.monthly;
		r->keep[3] = p->keep.yearly;
	}
	if (a) {
		r->floor = larger(r->floor, a->generations);
		r->keep[0] = larger(r->keep[0], a->daily);
		r->keep[1] = larger(r->keep[1], a->weekly);
		r->keep[2] = larger(r->keep[2], a->monthly);
		r->keep[3] = larger(r->keep[3], a->yearly);
		protect = larger(protect, a->protect_s);
	}
	r->protect_s = protect > SPAN_MAX ? SPAN_MAX : (int64_t)protect;
}

static void find_newest(const struct judging *j, struct retention_rule *r)
{
	for (size_t i = ledger_generations(j->l); i-- && !r->newest;) {
		const struct ledger_generation *g = ledger_generation(j->l, i);

		for (size_t m = 0; m < ledger_media(j->l) && !strcmp(g->dataset, r->name); m++)
			if (retention_counts(j->l, g, ledger_medium(j->l, m)->uuid, j->now_ns))
				r->newest = g->number;
	}
}

static struct retention_rule *rule_of(const struct judging *j, const char *name)
{
	for (size_t i = 0; i < j->ret->n_names; i++)
		if (!strcmp(j->rules[i].name, name))
			return &j->rules[i];
	return NULL;
}

static int add_rule(struct judging *j, const char *name, struct err *err)
{
	size_t n = j->ret->n_names;
	struct retention_rule *rules = reallocarray(j->rules, n + 1, sizeof(*rules));
	char **names;

	if (!rules)
		return err_nomem(err);
	j->rules = rules;
	names = reallocarray(j->ret->names, n + 1, sizeof(*names));
	if (!names)
		return err_nomem(err);
	j->ret->names = names;
	names[n] = strdup(name);
	if (!names[n])
		return err_nomem(err);
	memset(&rules[n], 0, sizeof(rules[n]));
	rules[n].name = names[n];
	j->ret->n_names++;
	set_rule(j, &rules[n]);
	find_newest(j, &rules[n]);
	return 0;
}

static int find_rules(struct judging *j, struct err *err)
{
	for (size_t i = 0; i < ledger_generations(j->l); i++) {
		const struct ledger_generation *g = ledger_generation(j->l, i);

		if ((g->state == LEDGER_COMMITTED || g == j->there) && !rule_of(j, g->dataset) &&
		    add_rule(j, g->dataset, err))
			return -1;
	}
	return 0;
}

/* ---- one generation on one medium ---- */

static int add_reason(
    struct judging *j, enum retention_reason reason, uint64_t have, uint64_t want, struct err *err)
{
	struct retention_why w = {.reason = reason,
	    .frozen_by = j->ret->frozen_by,
	    .have = have,
	    .want = want,
	    .no_more = j->no_more};

	return buf_append(&j->why, &w, sizeof(w), err);
}

/* On how many dates, up to `enough`, newer generations count.  Dates must differ in local time and in UTC: a
 * process whose TZ was set to an odd zone cannot make two dates of one run. */
static uint64_t newer_dates(const struct judging *j, const struct ledger_generation *g, uint64_t enough)
{
	const struct retention_counted *c = j->counted;
	uint64_t dates = 0;
	const struct retention_counted *last = NULL;

	for (size_t i = 0; i < j->n_counted && dates < enough && c[i].begun_ns > g->begun_ns; i++) {
		if (c[i].number <= g->number ||
		    (last && (c[i].period[0] == last->period[0] || c[i].utc_day == last->utc_day)))
			continue;
		last = &c[i];
		dates++;
	}
	return dates;
}

static unsigned kept_bits(const struct judging *j, uint64_t number)
{
	for (size_t i = 0; i < j->n_counted; i++)
		if (j->counted[i].number == number)
			return j->counted[i].kept;
	return 0;
}

/* Does another medium hold it well? */
static bool is_good_elsewhere(const struct judging *j, const struct ledger_generation *g)
{
	for (size_t m = 0; m < ledger_media(j->l); m++) {
		const char *uuid = ledger_medium(j->l, m)->uuid;

		if (strcmp(uuid, j->medium) != 0 && retention_counts(j->l, g, uuid, j->now_ns))
			return true;
	}
	return false;
}

static int judge_good(struct judging *j, const struct ledger_generation *g, struct err *err)
{
	const struct retention_rule *r = j->rule;
	uint64_t have = newer_dates(j, g, r->floor);
	unsigned bits = kept_bits(j, g->number);

	if (r->floor && r->newest == g->number && !is_good_elsewhere(j, g) &&
	    add_reason(j, RETENTION_NEWEST, 0, 0, err))
		return -1;
	for (unsigned k = 0; k < 4; k++)
		if (bits & 1u << k &&
		    add_reason(j, (enum retention_reason)(RETENTION_DAILY + k), 0, r->keep[k], err))
			return -1;
	return add_reason(j, have < r->floor ? RETENTION_FLOOR : RETENTION_COVERED, have, r->floor, err);
}

/* Is it covered by newer ones? */
static int judge_cover(struct judging *j, const struct ledger_generation *g, struct err *err)
{
	uint64_t have;

	if (!j->rule->known)
		return add_reason(j, RETENTION_UNKNOWN, 0, 0, err);
	if (ledger_good(g))
		return judge_good(j, g, err);
	have = newer_dates(j, g, 1);
	return add_reason(j, have || !j->rule->floor ? RETENTION_COVERED : RETENTION_NO_BETTER, have, 1, err);
}

static int judge_protection(struct judging *j, const struct ledger_generation *g, struct err *err)
{
	struct retention_why w = {.reason = RETENTION_PROTECTED};
	const int64_t s = j->rule->protect_s;

	if (g->begun_ns > j->now_ns)
		return add_reason(j, RETENTION_FUTURE, 0, 0, err);
	if ((j->now_ns - g->begun_ns) / SECOND_NS >= s)
		return 0;
	w.until_ns = g->begun_ns > INT64_MAX - s * SECOND_NS ? INT64_MAX : g->begun_ns + s * SECOND_NS;
	return buf_append(&j->why, &w, sizeof(w), err);
}

static int judge_copy(struct judging *j, const struct ledger_generation *g, struct err *err)
{
	return (j->ret->frozen_by[0] && add_reason(j, RETENTION_FROZEN, 0, 0, err)) ||
		       (j->ret->latched && add_reason(j, RETENTION_LATCHED, 0, 0, err)) ||
		       (g->held_ns && add_reason(j, RETENTION_HELD, 0, 0, err)) ||
		       (g->suspect && add_reason(j, RETENTION_SUSPECT, 0, 0, err)) ||
		       judge_protection(j, g, err) || judge_cover(j, g, err)
		   ? -1
		   : 0;
}

/* Of the reasons only those that keep it, if there is one. */
static int keep_reasons(struct judging *j, struct retention_copy *c, struct err *err)
{
	const struct retention_why *w = (const struct retention_why *)(const void *)j->why.p;
	size_t n = j->why.n / sizeof(*w);

	c->stays = n == 0; /* no reason at all: nothing lets it go */
	for (size_t i = 0; i < n; i++)
		c->stays |= w[i].reason != RETENTION_COVERED;
	c->why = calloc(n + 1, sizeof(*c->why));
	if (!c->why)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!c->stays || w[i].reason != RETENTION_COVERED)
			c->why[c->n_why++] = w[i];
	return 0;
}

static bool is_there(const struct judging *j, const struct ledger_generation *g)
{
	return j->there ? g == j->there : ledger_copy_there(g, j->medium) != NULL;
}

/* The generations of the rule's data set. */
static int judge_set(struct judging *j, struct retention_medium *m, struct err *err)
{
	size_t all = ledger_generations(j->l);

	free(j->counted);
	j->counted = NULL;
	if (retention_count(j->l, j->rule, j->medium, j->there, j->now_ns, &j->counted, &j->n_counted, err))
		return -1;
	for (size_t i = 0; i < all; i++) {
		const struct ledger_generation *g = ledger_generation(j->l, i);
		struct retention_copy *c = &m->copies[m->n];

		if (strcmp(g->dataset, j->rule->name) != 0 || !is_there(j, g))
			continue;
		c->dataset = j->rule->name;
		c->number = g->number;
		memcpy(c->uuid, g->uuid, sizeof(c->uuid)); /* the ledger has checked its length */
		c->begun_ns = g->begun_ns;
		m->n++;
		j->why.n = 0;
		if (judge_copy(j, g, err) || keep_reasons(j, c, err))
			return -1;
		m->may_go += !c->stays;
	}
	return 0;
}

static struct retention_copy *copy_of(struct retention_medium *m, const char *dataset, uint64_t number)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->copies[i].number == number && !strcmp(m->copies[i].dataset, dataset))
			return &m->copies[i];
	return NULL;
}

/* What was captured together goes together: one that may go stays while another of its group does. */
static void keep_together(struct judging *j, struct retention_medium *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct retention_copy *c = &m->copies[i];
		const struct ledger_generation *g = ledger_generation_of(j->l, c->dataset, c->number),
					       *o = NULL;

		while (!c->stays && g && (o = ledger_companion(j->l, g, o))) {
			const struct retention_copy *with = copy_of(m, o->dataset, o->number);

			if (!with || !with->stays)
				continue;
			c->stays = true;
			c->why[0] =
			    (struct retention_why){.reason = RETENTION_TOGETHER, .with = with->dataset};
			c->n_why = 1;
			m->may_go--;
		}
	}
}

static bool brings_no_more(const struct judging *j, const char *label)
{
	const struct policy_medium *pm = policy_medium_of(j->policy, label);

	return !pm || !policy_find_dataset(j->policy, j->rule->name) ||
	       !policy_medium_holds(pm, j->rule->name);
}

static int judge_medium(struct judging *j, struct retention_medium *m, struct err *err)
{
	m->copies = calloc(ledger_generations(j->l) + 1, sizeof(*m->copies));
	if (!m->copies)
		return err_nomem(err);
	for (size_t i = 0; i < j->ret->n_names; i++) {
		j->rule = &j->rules[i];
		j->no_more = brings_no_more(j, m->label);
		if (judge_set(j, m, err))
			return -1;
	}
	keep_together(j, m);
	return 0;
}

static int judge_all(struct judging *j, struct err *err)
{
	j->ret->media = calloc(ledger_media(j->l) + 1, sizeof(*j->ret->media));
	if (!j->ret->media)
		return err_nomem(err);
	for (size_t i = 0; i < ledger_media(j->l); i++) {
		const struct ledger_medium *lm = ledger_medium(j->l, i);
		struct retention_medium *m = &j->ret->media[j->ret->n];

		if (j->there && strcmp(lm->uuid, j->medium) != 0)
			continue;
		j->ret->n++;
		memcpy(m->uuid, lm->uuid, sizeof(m->uuid));
		j->medium = m->uuid;
		m->label = strdup(lm->label);
		if (!m->label)
			return err_nomem(err);
		if (judge_medium(j, m, err))
			return -1;
	}
	return 0;
}

static int judge_media(const struct policy *policy, const struct ledger *l, int64_t now_ns,
    const char *medium, const struct ledger_generation *there, struct retention **ret, struct err *err)
{
	struct judging j = {.policy = policy,
	    .l = l,
	    .now_ns = now_ns,
	    .medium = medium,
	    .there = there,
	    .why = BUF_INIT(WHY_MAX)};
	const struct ledger_generation *frozen = ledger_frozen_by(l);
	int r;

	j.ret = calloc(1, sizeof(*j.ret));
	if (!j.ret)
		return err_nomem(err);
	if (frozen)
		generation_label(frozen->dataset, frozen->number, j.ret->frozen_by);
	j.ret->latched = ledger_latch(l)->found_ns != 0;
	r = find_rules(&j, err) || judge_all(&j, err) ? -1 : 0;
	free(j.counted);
	free(j.rules);
	buf_free(&j.why);
	if (r)
		retention_free(j.ret);
	else
		*ret = j.ret;
	return r;
}

int retention_judge(const struct policy *policy, const struct ledger *l, int64_t now_ns,
    struct retention **ret, struct err *err)
{
	return judge_media(policy, l, now_ns, NULL, NULL, ret, err);
}

int retention_judge_expired(const struct policy *policy, const struct ledger *l, int64_t now_ns,
    const char *medium, const char *dataset, uint64_t number, struct retention **ret, struct err *err)
{
	return judge_media(policy, l, now_ns, medium, ledger_generation_of(l, dataset, number), ret, err);
}

void retention_free(struct retention *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < r->media[i].n; k++)
			free(r->media[i].copies[k].why);
		free(r->media[i].copies);
		free(r->media[i].label);
	}
	free(r->media);
	for (size_t i = 0; i < r->n_names; i++)
		free(r->names[i]);
	free(r->names);
	free(r);
}

const struct retention_medium *retention_on(const struct retention *r, const char *medium)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->media[i].uuid, medium))
			return &r->media[i];
	return NULL;
}
