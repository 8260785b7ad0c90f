/* liveness_plan: which archives are refused in this run; see liveness.h and docs/format-writer.md, section 11.
 *
 * Each rule spends what it makes the run store again, at most a tenth of what the data set
 * refers to (and one archive in any case, so that a small site comes on too); the rest waits for the next
 * run. */
#include "write/liveness/liveness_private.h"

#include <stdlib.h>

#include "base/err.h"
#include "write/index/dedup.h"

#define BUDGET_PART 10 /* of what is live, per rule and run */
#define SMALL_CLASS 16 /* so many archives of like size become one */
#define CLASSES	    22 /* of size, each eight times the one before */

struct candidate {
	uint64_t number;
	uint32_t live, raw;
	uint64_t age; /* generations that would refer to it, with this one */
	double older; /* share of what is live that lies in older archives */
};

struct choice {
	const struct liveness_count *c;
	struct dedup *d;
	const struct liveness_limits *limits;
	const struct liveness_dataset *set;
	struct liveness_figures *figures;
	struct candidate *all; /* ascending numbers */
	size_t n;
	uint64_t live;
};

/* Generations of the data set after `generation`, and the one that is being made. */
static uint64_t age_of(const struct liveness_dataset *set, uint64_t generation)
{
	size_t low = 0, high = set->n_generations;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->generations[middle] > generation)
			high = middle;
		else
			low = middle + 1;
	}
	return set->n_generations - low + 1;
}

static void refuse_archive(struct choice *k, uint64_t number, uint64_t live)
{
	dedup_refuse(k->d, number);
	k->figures->refused++;
	k->figures->refused_live += live;
}

/* One archive that is available: counted, refused at once when nobody refers to it, or a candidate. */
static void look_at(struct choice *k, const struct dedup_archive *a)
{
	uint32_t live = k->c->live[a->number], raw = k->c->raw[a->number];

	if (raw == LIVENESS_WHOLE)
		live = raw = a->size < LIVENESS_WHOLE ? (uint32_t)a->size : LIVENESS_WHOLE;
	if (live) {
		k->figures->archives++;
		k->figures->live += live;
		k->figures->raw += raw;
	}
	if (a->generation > (live ? k->c->judged_live : k->c->judged))
		return;
	if (!live && k->c->known && k->limits->live_share)
		refuse_archive(k, a->number, 0);
	if (!live)
		return;
	k->all[k->n++] =
	    (struct candidate){a->number, live, raw, age_of(k->set, a->generation), (double)k->live};
	k->live += live;
}

static int gather_candidates(struct choice *k, struct err *err)
{
	size_t available = 0;

	for (uint64_t number = 0; number < k->c->n; number++)
		available += dedup_run_of(k->d, number) != 0;
	k->all = calloc(available + 1, sizeof(*k->all));
	if (!k->all)
		return err_nomem(err);
	for (uint64_t number = 0; number < k->c->n; number++) {
		struct dedup_archive a;

		if (!dedup_run_of(k->d, number))
			continue;
		if (dedup_archive(k->d, number, &a, err) != 1)
			return -1;
		look_at(k, &a);
	}
	for (size_t i = 0; i < k->n; i++)
		k->all[i].older /= (double)k->live;
	return 0;
}

static bool is_available(const struct choice *k, const struct candidate *a)
{
	return dedup_run_of(k->d, a->number) != 0;
}

static double share_of(const struct candidate *a)
{
	return a->raw ? (double)a->live / a->raw : 1;
}

static int by_share(const void *a, const void *b)
{
	double x = share_of(a), y = share_of(b);

	return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Mostly dead: the worst first. */
static void refuse_sparse(struct choice *k)
{
	uint64_t left = k->live / BUDGET_PART;

	qsort(k->all, k->n, sizeof(*k->all), by_share);
	for (size_t i = 0; i < k->n && share_of(&k->all[i]) * 100 < k->limits->live_share; i++) {
		if (k->all[i].live > left && i)
			break;
		refuse_archive(k, k->all[i].number, k->all[i].live);
		left -= k->all[i].live < left ? k->all[i].live : left;
	}
	qsort(k->all, k->n, sizeof(*k->all), by_number);
}

static unsigned class_of(const struct choice *k, const struct candidate *a)
{
	unsigned class = 0;

	if (a->live >= k->limits->archive_size / 2 || !is_available(k, a))
		return CLASSES;
	for (uint32_t live = a->live; live >= 8; live /= 8)
		class ++;
	return class;
}

/* What many small runs wrote: when there are many archives of like size they become one of a larger class,
 * so that a byte moves up once per class, and of each class only a few are ever left. */
static void refuse_small(struct choice *k)
{
	uint64_t left = k->live / BUDGET_PART, bytes[CLASSES + 1] = {0};
	size_t count[CLASSES + 1] = {0};
	bool any = false;

	for (size_t i = 0; i < k->n; i++) {
		count[class_of(k, &k->all[i])]++;
		bytes[class_of(k, &k->all[i])] += k->all[i].live;
	}
	for (unsigned class = 0; class < CLASSES; class ++) {
		/* one class in any case: a small site's budget is less than a class of it */
		if (count[class] < SMALL_CLASS || (any && bytes[class] > left))
			continue;
		any = true;
		for (size_t i = 0; i < k->n; i++)
			if (class_of(k, &k->all[i]) == class)
				refuse_archive(k, k->all[i].number, k->all[i].live);
		left -= bytes[class] < left ? bytes[class] : left;
	}
}

/* In service for long: from half of anchor_every on, the younger part first, so that what was written in one
 * run is written again in many, and the oldest has gone when anchor_every is reached. */
static void refuse_old(struct choice *k)
{
	double every = k->limits->anchor_every,
	       part = 3 / every > 1.0 / BUDGET_PART ? 3 / every : 1.0 / BUDGET_PART;
	double left = part * (double)k->live;
	bool any = false;

	for (size_t i = 0; i < k->n; i++) {
		const struct candidate *a = &k->all[i];

		if ((double)a->age < every * (1 - a->older / 2) || !is_available(k, a))
			continue;
		if (a->live > left && any)
			break;
		any = true;
		refuse_archive(k, a->number, a->live);
		left -= a->live;
	}
}

int liveness_choose(const struct liveness_count *c, struct dedup *d, const struct liveness_limits *limits,
    const struct liveness_dataset *set, struct liveness_figures *ret, struct err *err)
{
	struct choice k = {.c = c, .d = d, .limits = limits, .set = set, .figures = ret};
	int r;

	ret->known = c->known;
	r = gather_candidates(&k, err);
	if (!r && limits->live_share && c->known) {
		refuse_sparse(&k);
		refuse_small(&k);
	}
	if (!r && limits->anchor_every)
		refuse_old(&k);
	free(k.all);
	return r;
}
