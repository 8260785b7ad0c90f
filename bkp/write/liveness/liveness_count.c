/* liveness_count: how many bytes of each archive are referred to, each counted once; see liveness.h.
 *
 * References become ranges of an archive's content (dedup_layout()), gathered in an array of fixed size,
 * sorted and united when it is full.  A tree in order refers to its archives in long ranges, so that one
 * reading of the files is nearly always enough.  When even united they fill the array, the archives with the
 * higher numbers are left for a further reading: memory is bounded, whatever refers to what. */
#include "write/liveness/liveness_private.h"

#include <stdlib.h>

#include "base/err.h"
#include "write/index/dedup.h"

#define RANGES ((size_t)1 << 21) /* 32 MiB */

struct range {
	uint64_t archive;
	uint32_t from, to;
};

struct counter {
	struct liveness_count *c;
	struct dedup *d;
	struct range *ranges;
	size_t n;
	uint64_t low, high; /* archives of this reading: low ≤ number < high */
	struct dedup_layout layout;
	uint64_t layout_of; /* 0: of none */
};

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->archive != y->archive)
		return x->archive < y->archive ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static void unite_ranges(struct counter *k)
{
	size_t n = 0;

	qsort(k->ranges, k->n, sizeof(*k->ranges), by_start);
	for (size_t i = 0; i < k->n; i++) {
		struct range *last = n ? &k->ranges[n - 1] : NULL, *r = &k->ranges[i];

		if (last && last->archive == r->archive && r->from <= last->to)
			last->to = r->to > last->to ? r->to : last->to;
		else
			k->ranges[n++] = *r;
	}
	k->n = n;
}

/* Room for more: what stands in the upper half is left for the next reading.  An archive that fills the array
 * alone is in pieces, but in use: it counts as whole. */
static void make_room(struct counter *k)
{
	unite_ranges(k);
	if (k->n < RANGES / 4 * 3)
		return;
	k->high = k->ranges[k->n / 2].archive;
	if (k->high == k->ranges[0].archive) {
		k->ranges[0].to = UINT32_MAX;
		k->high++;
		unite_ranges(k);
	}
	while (k->n && k->ranges[k->n - 1].archive >= k->high)
		k->n--;
}

/* A reference goes on in the chunks after its own. */
static int add_ref(struct counter *k, const struct liveness_ref *ref, struct err *err)
{
	uint64_t from, to;
	int r;

	if (ref->archive < k->low || ref->archive >= k->high || ref->archive >= k->c->n)
		return 0;
	if (k->layout_of != ref->archive) {
		k->layout_of = 0;
		r = dedup_layout(k->d, ref->archive, &k->layout, err);
		if (r < 0)
			return -1;
		if (!r) {
			k->c->raw[ref->archive] = LIVENESS_WHOLE;
			return 0;
		}
		k->layout_of = ref->archive;
		k->c->raw[ref->archive] = (uint32_t)k->layout.starts[k->layout.n];
	}
	if (ref->chunk >= k->layout.n)
		return 0;
	from = k->layout.starts[ref->chunk] + ref->offset;
	to = from + ref->length;
	if (to > k->layout.starts[k->layout.n])
		to = k->layout.starts[k->layout.n];
	if (from >= to || to > UINT32_MAX)
		return 0;
	if (k->n == RANGES)
		make_room(k);
	if (ref->archive < k->high)
		k->ranges[k->n++] = (struct range){ref->archive, (uint32_t)from, (uint32_t)to};
	return 0;
}

static int add_record(struct counter *k, const struct liveness_reader *r, struct err *err)
{
	struct liveness_unpack u;
	struct liveness_ref ref;
	uint64_t lists, skip;
	int failed = 0;

	liveness_unpack_begin(&u, r->payload.p, r->payload.n);
	if (!liveness_get_varint(&u, &lists))
		return 0;
	for (lists *= 3; lists; lists--)
		if (!liveness_get_varint(&u, &skip))
			return 0;
	while (!failed && liveness_unpack_ref(&u, &ref))
		failed = add_ref(k, &ref, err);
	return failed;
}

/* One file.  0, 1: it is not there, damaged, or not all of it is known, -1. */
static int read_one(struct counter *k, int dirfd, const char *repository, const struct liveness_dataset *set,
    uint64_t *ret_generation, struct err *err)
{
	struct liveness_reader r;
	int more, failed = 0;

	if (liveness_read_open(dirfd, set->name, repository, &r))
		return 1;
	*ret_generation = r.generation;
	while (!failed && (more = liveness_read_next(&r)) == 1)
		failed = add_record(k, &r, err);
	liveness_read_close(&r);
	return failed ? -1 : more || r.record.key.offset ? 1 : 0;
}

static int read_all(
    struct counter *k, int dirfd, const char *repository, const struct liveness_dataset *set, struct err *err)
{
	uint64_t generation = 0;
	int r = read_one(k, dirfd, repository, set, &generation, err);

	if (r > 0 && set->n_generations)
		k->c->known = false;
	k->c->judged = generation;
	return r < 0 ? -1 : 0;
}

static void add_up(struct counter *k)
{
	unite_ranges(k);
	for (size_t i = 0; i < k->n; i++) {
		const struct range *r = &k->ranges[i];

		if (r->to == UINT32_MAX) /* of an archive in very many pieces */
			k->c->live[r->archive] = k->c->raw[r->archive];
		else
			k->c->live[r->archive] += r->to - r->from;
	}
}

int liveness_count(int dirfd, const char *repository, struct dedup *d, const struct liveness_dataset *set,
    struct liveness_count *ret, struct err *err)
{
	struct counter k = {.c = ret, .d = d};
	int r = 0;

	*ret = (struct liveness_count){.n = (size_t)dedup_last_archive(d) + 1, .known = true};
	ret->live = calloc(ret->n, sizeof(*ret->live));
	ret->raw = calloc(ret->n, sizeof(*ret->raw));
	k.ranges = malloc(RANGES * sizeof(*k.ranges));
	if (!ret->live || !ret->raw || !k.ranges)
		r = err_nomem(err);
	while (!r && k.low < ret->n) {
		k.n = 0;
		k.high = ret->n;
		k.layout_of = 0;
		r = read_all(&k, dirfd, repository, set, err);
		if (!r)
			add_up(&k);
		k.low = k.high;
	}
	ret->judged_live = ret->judged;
	free(k.ranges);
	dedup_layout_free(&k.layout);
	if (r)
		liveness_count_free(ret);
	return r;
}

void liveness_count_free(struct liveness_count *c)
{
	free(c->live);
	free(c->raw);
	*c = (struct liveness_count){0};
}
