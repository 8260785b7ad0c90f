/* parallel: see parallel.h.
 *
 * Tasks have numbers and pass through a ring of `window` slots in this order:
 *
 *     head ≤ begun ≤ filled ≤ head + window
 *
 *     filled  next() has been called (caller)
 *     begun   a thread has taken it for work() (any thread)
 *     ready   work() has returned (any thread; a flag for each slot)
 *     head    done() has been called for all before it (caller)
 *
 * One lock guards all counters and flags.  It is released around next(), work() and done(), so that those may take long.
 * lead_tasks() is the caller's loop.  It prefers, in this order: take a result, fill a slot, work itself, sleep.  Two
 * conditions: helpers sleep on `more`, the caller sleeps on `finished` and only for the task at `head`.
 *
 * A slot belongs to next() until `filled` passes it, to one thread's work() until it is ready, then to done(). */
#include "base/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/thread.h"

struct pool {
	const struct parallel *c;
	unsigned threads, helpers; /* wanted, the caller included; started, without him */
	pthread_t ids[PARALLEL_THREADS_MAX];
	struct helper {
		struct pool *run;
		unsigned thread;
	} self[PARALLEL_THREADS_MAX];
	/* All below is guarded by `lock`; head, filled and waiting are changed by the caller's thread only. */
	pthread_mutex_t lock;
	pthread_cond_t more;	 /* for helpers: a task waits, or it all ends */
	pthread_cond_t finished; /* for the caller: the task he waits for is finished */
	size_t head, begun, filled;
	unsigned idle;
	bool waiting, stop;
	bool *ready; /* for each slot: work() is through */
};

unsigned parallel_processors(void)
{
	cpu_set_t set;
	long n;

	/* fails where there are more processors than a cpu_set_t has room for */
	n = sched_getaffinity(0, sizeof(set), &set) ? sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
	return n < 1 ? 1 : n > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : (unsigned)n;
}

unsigned parallel_threads(unsigned threads)
{
	if (!threads)
		return parallel_processors();
	return threads < PARALLEL_THREADS_MAX ? threads : PARALLEL_THREADS_MAX;
}

static void *slot_of(const struct pool *r, size_t i)
{
	return (char *)r->c->slots + i % r->c->window * r->c->slot_size;
}

/* Works on the oldest task that waits.  Called with the lock, which is released during work(). */
static void do_oldest_task(struct pool *r, unsigned thread)
{
	size_t i = r->begun++;

	pthread_mutex_unlock(&r->lock);
	r->c->work(r->c->arg, thread, i, slot_of(r, i));
	pthread_mutex_lock(&r->lock);
	r->ready[i % r->c->window] = true;
	if (r->waiting && i == r->head)
		pthread_cond_signal(&r->finished);
}

static void *helper_main(void *arg)
{
	struct helper *h = arg;
	struct pool *r = h->run;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		if (r->begun < r->filled) {
			do_oldest_task(r, h->thread);
			continue;
		}
		r->idle++;
		pthread_cond_wait(&r->more, &r->lock);
		r->idle--;
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* Starts one more helper, with the lock held.  That it cannot be started is no fault: the caller works too, and no
 * further start is tried.  Signals are blocked in helpers, so that handlers run on the caller's thread. */
static void start_helper(struct pool *r)
{
	struct helper *h = &r->self[r->helpers];

	*h = (struct helper){r, r->helpers + 1};
	if (thread_start(&r->ids[r->helpers], "bkp-helper", helper_main, h))
		r->threads = r->helpers + 1;
	else
		r->helpers++;
}

/* Asks next() for a task and hands it out.  Called with the lock, which is released during next().  0, PARALLEL_END, -1. */
static int hand_out_task(struct pool *r, struct err *err)
{
	const struct parallel *c = r->c;
	size_t i = r->filled;
	int got = i == c->n ? PARALLEL_END : 0;

	if (!got && c->next) {
		pthread_mutex_unlock(&r->lock);
		got = c->next(c->arg, i, slot_of(r, i), err);
		pthread_mutex_lock(&r->lock);
	}
	if (got)
		return got;
	r->ready[i % c->window] = false;
	r->filled++;
	if (r->idle)
		pthread_cond_signal(&r->more);
	else if (r->filled - r->begun > 1 && r->helpers + 1 < r->threads)
		start_helper(r); /* one task waits for the caller himself */
	return 0;
}

/* Gives the result at `head` to done(), with the lock released meanwhile, and frees its slot. */
static int take_result(struct pool *r, struct err *err)
{
	const struct parallel *c = r->c;
	int bad = 0;

	if (c->done) {
		pthread_mutex_unlock(&r->lock);
		bad = c->done(c->arg, r->head, slot_of(r, r->head), err);
		pthread_mutex_lock(&r->lock);
	}
	r->head++;
	return bad;
}

/* The caller's loop, called with the lock.  0 when all tasks are done, -1 when next() or done() failed. */
static int lead_tasks(struct pool *r, struct err *err)
{
	bool all = false;
	int got;

	for (;;) {
		assert(r->head <= r->begun && r->begun <= r->filled && r->filled - r->head <= r->c->window);
		if (r->head < r->begun && r->ready[r->head % r->c->window]) {
			if (take_result(r, err))
				return -1;
		} else if (!all && r->filled - r->head < r->c->window) {
			got = hand_out_task(r, err);
			if (got < 0)
				return -1;
			all = got == PARALLEL_END;
		} else if (r->begun < r->filled) {
			do_oldest_task(r, 0);
		} else if (r->head < r->begun) {
			r->waiting = true;
			pthread_cond_wait(&r->finished, &r->lock);
			r->waiting = false;
		} else {
			return 0;
		}
	}
}

int parallel_run(const struct parallel *c, struct err *err)
{
	struct pool *r = calloc(1, sizeof(*r));
	int bad;

	if (!r || !(r->ready = calloc(c->window, sizeof(*r->ready)))) {
		free(r);
		return err_nomem(err);
	}
	r->c = c;
	r->threads = parallel_threads(c->threads);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	pthread_cond_init(&r->finished, NULL);
	pthread_mutex_lock(&r->lock);
	bad = lead_tasks(r, err);
	r->stop = true;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->helpers; i++)
		pthread_join(r->ids[i], NULL);
	pthread_cond_destroy(&r->finished);
	pthread_cond_destroy(&r->more);
	pthread_mutex_destroy(&r->lock);
	free(r->ready);
	free(r);
	return bad;
}
