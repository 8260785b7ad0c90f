/* extract_writers: see extract_writers.h.
 *
 * One lock guards lots[], n_lots, stop, and next and left of every lot that was given.  A writer takes a
 * portion of the oldest lot that has files left (l->next moves on), writes it without the lock, and counts it
 * down from l->left; whoever brings left to 0 signals `written`.  extract_writers_wait() waits for that in
 * slices of time, because the main thread has to ask whether it is to stop, and then takes the lot out of
 * lots[].
 *
 * A portion is many small files or one large one, so that the lock is not taken for each of a million small
 * files, and files of one chunk, which lie next to each other in `order`, mostly stay with one writer.  Each
 * writer asks for the chunks that come after its portion (look_ahead).
 */
#include "restore/extract/extract_writers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/parallel.h"
#include "base/thread.h"
#include "read/vault/arc_r.h"
#include "restore/extract/extract_file.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_private.h"

#define THREADS_MAX 16
#define FILES_MAX   64 /* taken at a time */
#define BYTES_MAX   ((uint64_t)1 << 20)
#define CHUNKS_NEXT 2	/* asked for ahead of who takes them */
#define LOOK_FOR    256 /* files looked at for them */

struct thread {
	struct extract_writers *all;
	struct extract_writer writer;
	pthread_t id;
};

struct extract_writers {
	struct extract *x;
	struct thread threads[THREADS_MAX];
	unsigned n;
	pthread_mutex_t lock;
	pthread_cond_t given, written;
	/* under the lock */
	struct extract_lot *lots[EXTRACT_LOTS];
	size_t n_lots;
	bool stop;
};

unsigned extract_writers_processors(void)
{
	unsigned n = parallel_processors();

	return n > THREADS_MAX ? THREADS_MAX : n;
}

static struct extract_item *file_at(const struct extract_lot *l, size_t i)
{
	return &l->items[l->order[i]];
}

/* How many files from l->next on are worth taking together: many that are cheap, or one. */
static size_t next_portion(const struct extract_lot *l)
{
	uint64_t bytes = 0;
	size_t i = l->next;

	while (i < l->n_order && file_at(l, i)->slice && i - l->next < FILES_MAX && bytes < BYTES_MAX)
		bytes += file_at(l, i++)->size;
	return i > l->next ? i - l->next : 1;
}

/* The chunks that come next, so that they are decoded when they are asked for. */
static void look_ahead(struct extract *x, const struct extract_lot *l, size_t i)
{
	size_t end = i + LOOK_FOR < l->n_order ? i + LOOK_FOR : l->n_order, found = 0;

	for (; i < end && found < CHUNKS_NEXT; i++) {
		const struct extract_item *it = file_at(l, i), *before = file_at(l, i - 1);

		if (!it->size || (it->archive == before->archive && it->chunk == before->chunk))
			continue;
		arc_r_want(x->arc, it->archive, it->chunk);
		found++;
	}
}

static void write_some(struct extract_writer *w, struct extract_lot *l, size_t from, size_t n)
{
	size_t i;

	look_ahead(w->x, l, from + n);
	for (i = from; i < from + n && !atomic_load(&w->x->ending); i++)
		extract_file(w, file_at(l, i));
}

void extract_writers_do(struct extract *x, struct extract_lot *l)
{
	write_some(&x->writer, l, 0, l->n_order);
	l->left = 0;
}

/* A lot of which something is left to be taken, or NULL. */
static struct extract_lot *lot_with_work(const struct extract_writers *w)
{
	size_t i;

	for (i = 0; i < w->n_lots; i++)
		if (w->lots[i]->next < w->lots[i]->n_order)
			return w->lots[i];
	return NULL;
}

static void *writer_thread(void *arg)
{
	struct thread *t = arg;
	struct extract_writers *w = t->all;
	struct extract_lot *l;
	size_t from, n;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		l = lot_with_work(w);
		if (!l) {
			pthread_cond_wait(&w->given, &w->lock);
			continue;
		}
		from = l->next;
		n = next_portion(l);
		l->next += n;
		pthread_mutex_unlock(&w->lock);
		write_some(&t->writer, l, from, n);
		pthread_mutex_lock(&w->lock);
		assert(l->left >= n);
		l->left -= n;
		if (!l->left)
			pthread_cond_signal(&w->written);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int start_writer(struct extract_writers *w, struct err *err)
{
	struct thread *t = &w->threads[w->n];
	int r;

	t->all = w;
	if (extract_writer_open(&t->writer, w->x, w->n + 1, err))
		return -1;
	r = thread_start(&t->id, "bkp-write", writer_thread, t);
	if (r) {
		extract_writer_close(&t->writer);
		return 1;
	}
	w->n++;
	return 0;
}

int extract_writers_start(struct extract *x, unsigned n, struct extract_writers **ret, struct err *err)
{
	struct extract_writers *w;
	pthread_condattr_t monotonic;
	int r = 0;

	*ret = NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_nomem(err);
	w->x = x;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->given, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->written, &monotonic);
	pthread_condattr_destroy(&monotonic);
	while (w->n < n && w->n < THREADS_MAX && !r)
		r = start_writer(w, err);
	if (r < 0 || !w->n) {
		extract_writers_stop(w);
		return r < 0 ? -1 : 0;
	}
	*ret = w;
	return 0;
}

void extract_writers_stop(struct extract_writers *w)
{
	unsigned i;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->given);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->n; i++) {
		pthread_join(w->threads[i].id, NULL);
		extract_writer_close(&w->threads[i].writer);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->given);
	pthread_cond_destroy(&w->written);
	free(w);
}

void extract_writers_give(struct extract_writers *w, struct extract_lot *l)
{
	pthread_mutex_lock(&w->lock);
	assert(w->n_lots < EXTRACT_LOTS);
	w->lots[w->n_lots++] = l;
	pthread_cond_broadcast(&w->given);
	pthread_mutex_unlock(&w->lock);
}

int extract_writers_wait(struct extract_writers *w, struct extract_lot *l, unsigned ms)
{
	struct timespec until;
	int r = 0;
	size_t i;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / SECOND_NS;
	until.tv_nsec %= SECOND_NS;
	pthread_mutex_lock(&w->lock);
	while (l->left && !r)
		r = pthread_cond_timedwait(&w->written, &w->lock, &until);
	if (!l->left) {
		for (i = 0; i < w->n_lots && w->lots[i] != l; i++)
			;
		if (i < w->n_lots)
			w->n_lots--;
		for (; i < w->n_lots; i++)
			w->lots[i] = w->lots[i + 1];
	}
	r = !l->left;
	pthread_mutex_unlock(&w->lock);
	return r;
}
