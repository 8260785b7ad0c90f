/* pipeline: one ordered, bounded pipeline.  Jobs go in in order, threads work on them in any order, and they come out in the
 * order in which they went in.
 *
 *     producer   pipeline_room() → fill the slot → pipeline_put() … → pipeline_end()
 *     worker     config.work(slot), several at a time
 *     consumer   pipeline_next() → take the result → pipeline_done() … until PIPELINE_END or -1
 *     anybody    pipeline_stop(): nothing more is begun, both sides are told
 *     at last    pipeline_free(): when producer and consumer make no more calls
 *
 * Producer and consumer are one thread each, and may be the same one.  So what they do does not depend on the number of
 * threads, and needs no lock.
 *
 * Bound: `window` slots, from pipeline_room() to pipeline_done(); what a slot may hold is the caller's to bound.  Slots are
 * used again: job i has slot i % window, and finds there what the job before it left.  They stay the caller's memory, who
 * frees what they own after pipeline_free().
 *
 * Who owns a slot: the producer from pipeline_room() to pipeline_put(); one worker while work() runs; the consumer from
 * pipeline_next() to pipeline_done(); nobody in between.  The pipeline's own lock is never held during work().
 *
 * Workers are started when more waits than the consumer is about to do himself, with all signals blocked.  That one cannot be
 * started is no fault, and is not tried again: a consumer works whenever he would wait and something is to be done (with
 * consumer_waits only where there is no worker at all), and with producer_works a producer who finds no room does.
 *
 * Errors: what the producer ends with reaches the consumer after the last job; what somebody stops with, both at once.  After
 * pipeline_stop() jobs that nobody has begun are dropped; work() that runs is waited for by pipeline_free().  A fault of work()
 * is a result like any other: it stands in the slot, so that of several faults the first in order counts. */
#ifndef BKP_BASE_THREADS_PIPELINE_H
#define BKP_BASE_THREADS_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/timings.h"

struct err;

struct pipeline_config {
	const char *name; /* of the threads: at most 15 bytes */
	unsigned threads; /* workers at most, beside producer and consumer */
	size_t window;	  /* ≥ 1 */
	void *slots;	  /* window × slot_size bytes, borrowed */
	size_t slot_size;
	/* thread: 0 the consumer, 1 … threads a worker, threads + 1 the producer; i: the number of the job, from 0 on */
	void (*work)(void *arg, unsigned thread, size_t i, void *slot);
	void *arg;
	bool producer_works, consumer_waits;
	/* time spent asleep is taken off these stages; timings NULL: off none */
	struct timings *timings;
	enum timing_stage producer_stage, consumer_stage;
};

struct pipeline;
/* -1: out of memory. */
int pipeline_new(const struct pipeline_config *c, struct pipeline **ret, struct err *err)
    __attribute__((warn_unused_result));
void pipeline_free(struct pipeline *p);

/* ---- producer ---- */

/* The slot of a further job.  Several may be held; they are put in the order in which they were given.  NULL: it was stopped
 * (err, if pipeline_stop() was given one), or all slots are in use and `wait` is not set. */
void *pipeline_room(struct pipeline *p, bool wait, struct err *err) __attribute__((warn_unused_result));
/* ready: there is nothing for work() to do.  After a stop nothing becomes of it. */
void pipeline_put(struct pipeline *p, bool ready);
/* Nothing more comes.  why: NULL, or what the consumer gets after the last job. */
void pipeline_end(struct pipeline *p, const struct err *why);

/* ---- consumer ---- */

#define PIPELINE_END	 1
#define PIPELINE_IDLE	 2     /* not ready within `ms` */
#define PIPELINE_FOREVER (~0u) /* for `ms` */
/* The oldest job, when it is ready.  0, PIPELINE_END, PIPELINE_IDLE, -1: stopped, or ended with an error.  ms: to sleep at
 * most; 0: neither sleeps nor works. */
int pipeline_next(struct pipeline *p, unsigned ms, void **ret, struct err *err)
    __attribute__((warn_unused_result));
/* Its slot is free. */
void pipeline_done(struct pipeline *p);

/* why: NULL, or what both sides get from now on.  The first one counts. */
void pipeline_stop(struct pipeline *p, const struct err *why);

#endif
