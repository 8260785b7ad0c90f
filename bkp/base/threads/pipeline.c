/* pipeline: see pipeline.h.
 *
 * Jobs are counted for ever, and pass through a ring of `window` slots in this order:
 *
 *     head ≤ begun ≤ put ≤ taken ≤ head + window
 *
 *     taken   pipeline_room() has given the slot out (producer)
 *     put     pipeline_put() has been called (producer)
 *     begun   a thread has taken it for work(), or there is nothing to do (any thread)
 *     ready   work() is through (any thread; a flag for each slot)
 *     head    pipeline_done() has been called for all before it (consumer)
 *
 * Three conditions, so that nobody is woken in vain: idle workers sleep on `job`, the consumer on `result` and only for the job at
 * head, or for something that he can work on; the producer on `room`.  Who changes something looks whether somebody sleeps. */
#include "base/threads/pipeline.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/threads/thread.h"

struct pipeline {
	struct pipeline_config c;
	struct worker {
		struct pipeline *p;
		unsigned thread;
		pthread_t id;
	} * workers;
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t job, result, room;
	size_t head, begun, put, taken;
	unsigned started, wanted, idle; /* workers; wanted: as many as were found to be possible */
	bool consumer_sleeps, producer_sleeps, ended, stopped;
	struct err why; /* of the end; code "": none */
	bool ready[];
};

static void *slot_of(const struct pipeline *p, size_t i)
{
	return (char *)p->c.slots + i % p->c.window * p->c.slot_size;
}

static bool has_work(const struct pipeline *p)
{
	assert(p->head <= p->begun && p->begun <= p->put && p->put <= p->taken &&
	       p->taken - p->head <= p->c.window);
	return p->begun < p->put && !p->stopped;
}

/* begun goes on to the oldest job that is to be worked on. */
static void pass_ready(struct pipeline *p)
{
	while (p->begun < p->put && p->ready[p->begun % p->c.window])
		p->begun++;
}

/* Called with the lock, which is released during work(). */
static void do_oldest_job(struct pipeline *p, unsigned thread)
{
	size_t i = p->begun++;

	pass_ready(p);
	pthread_mutex_unlock(&p->lock);
	p->c.work(p->c.arg, thread, i, slot_of(p, i));
	pthread_mutex_lock(&p->lock);
	p->ready[i % p->c.window] = true;
	if (i == p->head && p->consumer_sleeps)
		pthread_cond_signal(&p->result);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pipeline *p = w->p;

	pthread_mutex_lock(&p->lock);
	while (!p->ended || has_work(p)) {
		if (has_work(p)) {
			do_oldest_job(p, w->thread);
			continue;
		}
		p->idle++;
		pthread_cond_wait(&p->job, &p->lock);
		p->idle--;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void start_worker(struct pipeline *p)
{
	struct worker *w = &p->workers[p->started];

	*w = (struct worker){.p = p, .thread = p->started + 1};
	if (thread_start(&w->id, p->c.name, worker_main, w))
		p->wanted = p->started;
	else
		p->started++;
}

/* Sleeps, with the lock released meanwhile.  0, or ETIMEDOUT after ms. */
static int sleep_on(struct pipeline *p, pthread_cond_t *c, bool *sleeps, unsigned ms, enum timing_stage stage)
{
	uint64_t since = timings_now(), until = since + ms * (uint64_t)(SECOND_NS / 1000);
	struct timespec t = {(time_t)(until / SECOND_NS), (long)(until % SECOND_NS)};
	int r;

	*sleeps = true;
	/* real time as others see it may jump: the clock is the monotonic one */
	r = ms == PIPELINE_FOREVER ? pthread_cond_wait(c, &p->lock)
				   : pthread_cond_clockwait(c, &p->lock, CLOCK_MONOTONIC, &t);
	*sleeps = false;
	timings_waited(p->c.timings, stage, since);
	return r;
}

static void give_why(const struct pipeline *p, struct err *err)
{
	if (err && p->why.code[0])
		*err = p->why;
}

/* ---- producer ---- */

void *pipeline_room(struct pipeline *p, bool wait, struct err *err)
{
	void *slot = NULL;

	pthread_mutex_lock(&p->lock);
	while (wait && !p->stopped && p->taken - p->head == p->c.window) {
		if (p->c.producer_works && has_work(p))
			do_oldest_job(p, p->c.threads + 1);
		else
			sleep_on(p, &p->room, &p->producer_sleeps, PIPELINE_FOREVER, p->c.producer_stage);
	}
	if (p->stopped)
		give_why(p, err);
	else if (p->taken - p->head < p->c.window)
		slot = slot_of(p, p->taken++);
	pthread_mutex_unlock(&p->lock);
	return slot;
}

/* Somebody is to begin the job that was put last. */
static void wake_for_job(struct pipeline *p)
{
	if (p->idle) {
		pthread_cond_signal(&p->job);
		return;
	}
	/* one job waits for the consumer himself */
	if (p->started < p->wanted && p->put - p->begun > (p->c.consumer_waits ? 0 : 1))
		start_worker(p);
	if (p->consumer_sleeps)
		pthread_cond_signal(&p->result);
}

void pipeline_put(struct pipeline *p, bool ready)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	i = p->put++;
	/* who took a slot before it was stopped may put it after that: nobody begins it then */
	assert(i < p->taken && (!p->ended || p->stopped));
	p->ready[i % p->c.window] = ready;
	pass_ready(p);
	if (!ready && !p->stopped) /* by a stop all were woken */
		wake_for_job(p);
	else if (i == p->head && p->consumer_sleeps)
		pthread_cond_signal(&p->result);
	pthread_mutex_unlock(&p->lock);
}

/* Wakes everybody. */
static void end_it(struct pipeline *p, bool stop, const struct err *why)
{
	pthread_mutex_lock(&p->lock);
	if (why && !p->stopped && !p->why.code[0])
		p->why = *why;
	p->ended = true;
	p->stopped |= stop;
	pthread_cond_broadcast(&p->job);
	pthread_cond_signal(&p->result);
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

void pipeline_end(struct pipeline *p, const struct err *why)
{
	end_it(p, false, why);
}

void pipeline_stop(struct pipeline *p, const struct err *why)
{
	end_it(p, true, why);
}

/* ---- consumer ---- */

int pipeline_next(struct pipeline *p, unsigned ms, void **ret, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		if (p->stopped || (p->ended && p->head == p->put)) {
			r = p->stopped || p->why.code[0] ? -1 : PIPELINE_END;
			give_why(p, err);
			break;
		}
		if (p->head < p->begun && p->ready[p->head % p->c.window]) {
			*ret = slot_of(p, p->head);
			break;
		}
		if (!ms || r) {
			r = PIPELINE_IDLE;
			break;
		}
		if (has_work(p) && (!p->c.consumer_waits || !p->started))
			do_oldest_job(p, 0);
		else
			r = sleep_on(p, &p->result, &p->consumer_sleeps, ms, p->c.consumer_stage);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

void pipeline_done(struct pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	assert(p->head < p->begun && p->ready[p->head % p->c.window]);
	p->head++;
	if (p->producer_sleeps)
		pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

/* ---- beginning and end ---- */

int pipeline_new(const struct pipeline_config *c, struct pipeline **ret, struct err *err)
{
	struct pipeline *p = calloc(1, sizeof(*p) + c->window * sizeof(p->ready[0]));

	if (!p || !(p->workers = calloc(c->threads + 1, sizeof(*p->workers)))) {
		free(p);
		return err_nomem(err);
	}
	p->c = *c;
	p->wanted = c->threads;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->job, NULL);
	pthread_cond_init(&p->result, NULL);
	pthread_cond_init(&p->room, NULL);
	*ret = p;
	return 0;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	pipeline_stop(p, NULL);
	for (unsigned i = 0; i < p->started; i++)
		pthread_join(p->workers[i].id, NULL);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->result);
	pthread_cond_destroy(&p->job);
	pthread_mutex_destroy(&p->lock);
	free(p->workers);
	free(p);
}
