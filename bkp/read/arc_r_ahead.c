/* arc_r_ahead: the threads of arc_r.h that hash and decode ahead of who asks. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "format/arcfile.h"
#include "format/generation.h"
#include "read/arc_r_private.h"

#define ARCHIVES_AHEAD 2
#define LOOK_FOR       64 /* archives that whoever asks may have passed over */

/* What goes wrong here goes wrong again when somebody asks, and is said then. */
static void *hash(void *arg)
{
	struct arc_r *a = arg;
	struct arc_r_slot *s;
	struct err why;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		if (a->next_ahead == a->n_ahead || a->next_ahead >= a->used_ahead + ARCHIVES_AHEAD) {
			pthread_cond_wait(&a->work, &a->lock);
			continue;
		}
		if (!arc_r_slot(a, a->ahead[a->next_ahead++], &s, &why))
			arc_r_slot_put(a, s);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void *decode(void *arg)
{
	struct arc_r *a = arg;
	struct arc_r_wanted w;
	struct arc_r_held *h;
	struct err why;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		if (!a->n_wanted) {
			pthread_cond_wait(&a->work, &a->lock);
			continue;
		}
		w = a->wanted[a->wanted_head];
		a->wanted_head = (a->wanted_head + 1) % ARC_R_WANTED_MAX;
		a->n_wanted--;
		if (a->ahead_bytes < a->opt.cache_bytes / 2 && !arc_r_cached(a, w.archive, w.chunk) &&
		    !arc_r_load(a, w.archive, w.chunk, &h, &why) && h && !h->refs) {
			h->ahead = true;
			a->ahead_bytes += h->cap;
		}
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void arc_r_helpers(struct arc_r *a, unsigned decoders)
{
	sigset_t all, before;

	if (a->helped)
		return;
	a->caller = pthread_self();
	a->helped = true;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	a->has_hasher = !pthread_create(&a->hasher, NULL, hash, a);
	while (a->n_decoders < decoders && a->n_decoders < ARC_R_DECODERS_MAX &&
	       !pthread_create(&a->decoders[a->n_decoders], NULL, decode, a))
		a->n_decoders++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void arc_r_alone(struct arc_r *a)
{
	unsigned i;

	if (!a->helped)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->work);
	pthread_mutex_unlock(&a->lock);
	if (a->has_hasher)
		pthread_join(a->hasher, NULL);
	for (i = 0; i < a->n_decoders; i++)
		pthread_join(a->decoders[i], NULL);
	a->n_decoders = 0;
	a->n_ahead = a->next_ahead = a->used_ahead = a->n_wanted = 0;
	a->helped = a->has_hasher = a->stop = false;
}

void arc_r_came_to(struct arc_r *a, uint64_t number)
{
	size_t i, end = a->n_ahead - a->used_ahead < LOOK_FOR ? a->n_ahead : a->used_ahead + LOOK_FOR;

	for (i = a->used_ahead; i < end; i++)
		if (a->ahead[i] == number) {
			a->used_ahead = i + 1;
			if (a->next_ahead < a->used_ahead)
				a->next_ahead = a->used_ahead;
			pthread_cond_broadcast(&a->work);
			return;
		}
}

static bool contains(const uint64_t *list, size_t n, uint64_t number)
{
	while (n && list[n - 1] != number)
		n--;
	return n > 0;
}

/* Archives that were used leave the list, those nobody hashed yet join it. */
static void take_ahead(struct arc_r *a, const uint64_t *archives, size_t n)
{
	size_t i, left = a->n_ahead - a->used_ahead;
	uint64_t *more = reallocarray(NULL, left + n + 1, sizeof(*more));

	if (!more)
		return;
	if (left)
		memcpy(more, a->ahead + a->used_ahead, left * sizeof(*more));
	for (i = 0; i < n; i++) {
		const struct generation_archive *e = generation_root_archive(a->root, archives[i]);

		if (e && a->known[e - a->root->archives] == KNOWN_NOT && !contains(more, left, e->number))
			more[left++] = e->number;
	}
	free(a->ahead);
	a->ahead = more;
	a->n_ahead = left;
	a->next_ahead -= a->next_ahead < a->used_ahead ? a->next_ahead : a->used_ahead;
	a->used_ahead = 0;
	pthread_cond_broadcast(&a->work);
}

void arc_r_ahead(struct arc_r *a, const uint64_t *archives, size_t n)
{
	pthread_mutex_lock(&a->lock);
	if (a->has_hasher)
		take_ahead(a, archives, n);
	pthread_mutex_unlock(&a->lock);
}

void arc_r_want(struct arc_r *a, uint64_t archive, uint32_t chunk)
{
	size_t i;

	pthread_mutex_lock(&a->lock);
	if (a->n_decoders && a->n_wanted < ARC_R_WANTED_MAX && !arc_r_cached(a, archive, chunk)) {
		for (i = 0; i < a->opt.max_open; i++)
			if (a->slots[i].state == SLOT_OPEN && a->slots[i].number == archive &&
			    chunk < a->slots[i].index->n)
				break;
		if (i < a->opt.max_open) {
			i = (a->wanted_head + a->n_wanted++) % ARC_R_WANTED_MAX;
			a->wanted[i] = (struct arc_r_wanted){archive, chunk};
			pthread_cond_signal(&a->work);
		}
	}
	pthread_mutex_unlock(&a->lock);
}
