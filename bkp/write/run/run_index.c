/* run_index: the index of what is stored, for a run; what it lacks of a data set is filled in from the media; see run.h.
 *
 * Once for each data set and medium, when the data set's turn comes: so it is whole again after damage, however a night ended, and
 * when a medium was away.  Filled from places.age of every reported generation (places_carried.h), the newest first: of content that
 * lies twice the newest place counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/age.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/index/dedup.h"
#include "write/pack/pack_config.h"
#include "write/index/places.h"
#include "write/index/places_carried.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

struct filling {
	struct run *n;
	struct age_identity own;
	uint64_t run; /* dedup_archive.run of all that is filled in */
};

/* Is it there?  An archive that is known stays as it is known: a newer generation named it. */
static int take_archive(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err)
{
	struct filling *f = arg;
	struct dedup_archive full = *a, known;
	int r = dedup_archive(f->n->with.dedup, a->number, &known, err);

	if (r)
		return r < 0 ? -1 : 0;
	full.run = f->run;
	f->n->ret->refilled++;
	return dedup_fill(f->n->with.dedup, &full, entries, n, err);
}

static int note_number(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err)
{
	uint64_t *highest = arg;

	(void)entries, (void)n, (void)err;
	if (a->number > *highest)
		*highest = a->number;
	return 0;
}

uint64_t run_highest_archive(const struct run *n, struct vault_r *v, const struct vault_r_generation *g)
{
	BUF_AUTO plain = BUF_INIT(GENERATION_PLACES_MAX);
	struct age_identity own;
	uint64_t highest = 0;

	places_identity(state_chunk_id_key(n->cfg->state), &own);
	if (!vault_r_places(v, g, &own, 1, &plain, NULL))
		(void)!places_read(&plain, &vault_r_manifest(g)->id, note_number, &highest, NULL);
	sodium_memzero(&own, sizeof(own));
	return highest;
}

static int fill_set(struct filling *f, struct vault_r *v, struct err *err)
{
	const struct ledger *l = state_ledger(f->n->cfg->state);

	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->state == LEDGER_COMMITTED && !strcmp(g->dataset, f->n->set.policy->name) &&
		    places_carried(v, l, g, &f->own, take_archive, f, err))
			return -1;
	}
	return 0;
}

/* A medium that cannot be read is asked again next time. */
static int fill_from_medium(struct filling *f, size_t i, struct err *err)
{
	struct run *n = f->n;
	const char *uuid = n->media.online[i].report->uuid;
	struct vault_r *v = NULL;
	int r;

	if (dedup_is_filled(n->with.dedup, uuid) ||
	    vault_r_open_medium(n->media.online[i].medium, state_repository(n->cfg->state), NULL, &v, NULL))
		return 0;
	r = fill_set(f, v, err);
	vault_r_close(v);
	return r ? -1 : dedup_set_filled(n->with.dedup, uuid, err);
}

int run_fill_index(struct run *n, struct err *err)
{
	struct filling f = {.n = n};
	int r = 0;

	places_identity(state_chunk_id_key(n->cfg->state), &f.own);
	while (!f.run)
		state_random()->fill(state_random()->arg, &f.run, sizeof(f.run));
	for (size_t i = 0; i < n->media.n && !r; i++)
		if (run_is_used(n, i))
			r = fill_from_medium(&f, i, err);
	sodium_memzero(&f.own, sizeof(f.own));
	return r;
}

int run_open_index(struct run *n, struct err *err)
{
	char path[4096];

	n->with.cachefd = io_make_dir(state_dirfd(n->cfg->state), "cache", 0700, err);
	if (n->with.cachefd < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" RUN_INDEX, state_path(n->cfg->state));
	return dedup_open(path, state_repository(n->cfg->state), &n->with.dedup, err);
}
