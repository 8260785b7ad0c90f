/* arc_r_ahead: the threads of arc_r.h that decode ahead of who asks.
 *
 * arc_r_want() puts chunks into a ring of ARC_R_WANTED_MAX; helpers take the oldest and decode it into the
 * cache. What was decoded ahead and not asked for yet may take half of the cache (ahead_bytes): more would
 * push out what is still needed.  Beyond that, and where the ring is full, a hint is forgotten, and who asks
 * decodes.  So helpers change when a chunk is decoded, and nothing else.
 */
#include "base/thread.h"

#include "read/vault/arc_r_private.h"

/* A fault is dropped here: it is found again, and said, when somebody asks for the chunk. */
static void *decoder_thread(void *arg)
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
	while (a->n_decoders < decoders && a->n_decoders < ARC_R_DECODERS_MAX &&
	       !thread_start(&a->decoders[a->n_decoders], "bkp-decode", decoder_thread, a))
		a->n_decoders++;
}

void arc_r_alone(struct arc_r *a)
{
	unsigned i;

	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->work);
	pthread_mutex_unlock(&a->lock);
	for (i = 0; i < a->n_decoders; i++)
		pthread_join(a->decoders[i], NULL);
	a->n_decoders = 0;
	a->n_wanted = 0;
	a->stop = false;
}

void arc_r_want(struct arc_r *a, uint64_t archive, uint32_t chunk)
{
	pthread_mutex_lock(&a->lock);
	if (a->n_decoders && a->n_wanted < ARC_R_WANTED_MAX && !arc_r_cached(a, archive, chunk)) {
		a->wanted[(a->wanted_head + a->n_wanted++) % ARC_R_WANTED_MAX] =
		    (struct arc_r_wanted){archive, chunk};
		pthread_cond_signal(&a->work);
	}
	pthread_mutex_unlock(&a->lock);
}
