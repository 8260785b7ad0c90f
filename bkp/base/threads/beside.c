/* beside: see beside.h.
 *
 * fn is not NULL from beside_begin() on until the thread has done the work; like all that describes it, it is under the lock.  The
 * thread itself works without it. */
#include "base/threads/beside.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/threads/parallel.h"
#include "base/threads/thread.h"

#define FEW ((size_t)64 << 10) /* bytes: below, waking a thread costs about as much as the work */

struct beside {
	bool wanted, started; /* the caller's */
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t begun, done;
	void (*fn)(void *arg, const void *p, size_t n);
	void *arg;
	const void *p;
	size_t n;
	bool stop;
};

struct beside *beside_new(void)
{
	struct beside *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->wanted = parallel_processors() > 1;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->begun, NULL);
	pthread_cond_init(&b->done, NULL);
	return b;
}

static void *work(void *arg)
{
	struct beside *b = arg;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		while (!b->fn && !b->stop)
			pthread_cond_wait(&b->begun, &b->lock);
		if (!b->fn)
			break;
		pthread_mutex_unlock(&b->lock);
		b->fn(b->arg, b->p, b->n); /* the caller changes nothing before it is done */
		pthread_mutex_lock(&b->lock);
		b->fn = NULL;
		pthread_cond_signal(&b->done);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void beside_begin(
    struct beside *b, void (*fn)(void *arg, const void *p, size_t n), void *arg, const void *p, size_t n)
{
	if (n >= FEW && b->wanted && !b->started)
		b->wanted = b->started = !thread_start(&b->id, "bkp-beside", work, b);
	if (n < FEW || !b->started) {
		fn(arg, p, n);
		return;
	}
	pthread_mutex_lock(&b->lock);
	b->fn = fn;
	b->arg = arg;
	b->p = p;
	b->n = n;
	pthread_cond_signal(&b->begun);
	pthread_mutex_unlock(&b->lock);
}

void beside_wait(struct beside *b)
{
	pthread_mutex_lock(&b->lock);
	while (b->fn)
		pthread_cond_wait(&b->done, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

void beside_free(struct beside *b)
{
	if (!b)
		return;
	if (b->started) {
		pthread_mutex_lock(&b->lock);
		b->stop = true;
		pthread_cond_signal(&b->begun);
		pthread_mutex_unlock(&b->lock);
		pthread_join(b->id, NULL);
	}
	pthread_cond_destroy(&b->done);
	pthread_cond_destroy(&b->begun);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
