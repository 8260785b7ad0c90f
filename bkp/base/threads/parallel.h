/* parallel: many independent tasks on all processors; their results come back in order.
 *
 * parallel_run() returns when everything is done.  For task i = 0, 1, 2 …:
 *
 *     next(i)  on the caller's thread, in order: puts what is to be done into the slot (may be NULL when the
 *              number i says it all)
 *     work(i)  on any thread, several tasks at a time: reads the slot, leaves its result there
 *     done(i)  on the caller's thread, in order: takes the result
 *
 * So what next() and done() do does not depend on the number of threads, and needs no lock.  At most `window`
 * tasks lie between next() and done(): that, and what work() keeps for each thread, bounds memory.  Slots are
 * used again: task i has slot i % window, and finds there what the task before it left.
 *
 * The caller works too, instead of sleeping.  Helpers are started when there is something for them, with all
 * signals blocked; where none can be started the caller does everything.  A task should be worth ten
 * microseconds or more: smaller ones are put together by the caller.
 *
 * When next() or done() fails, no further task is begun, those at work are waited for, and their results are
 * dropped: what slots own is the caller's to free afterwards.  A fault of work() is a result like any other:
 * done() says what comes of it, so that of several faults always the first in order counts.
 */
#ifndef BKP_BASE_THREADS_PARALLEL_H
#define BKP_BASE_THREADS_PARALLEL_H

#include <stddef.h>

struct err;

#define PARALLEL_THREADS_MAX 64
#define PARALLEL_END	     1

/* Processors that this process may use: 1 … PARALLEL_THREADS_MAX. */
unsigned parallel_processors(void);
/* As many threads as parallel_run() uses for `threads` at most: 0 is one per processor. */
unsigned parallel_threads(unsigned threads);

struct parallel {
	unsigned threads; /* see parallel_threads(); the caller is one of them */
	size_t n;	  /* tasks; SIZE_MAX: until next() says PARALLEL_END */
	size_t window;	  /* ≥ 1; a few for each thread */
	void *slots;	  /* window × slot_size bytes, the caller's */
	size_t slot_size;
	/* 0, PARALLEL_END (there is no task i), -1 */
	int (*next)(void *arg, size_t i, void *slot, struct err *err);
	/* thread: from 0 on, less than parallel_threads(); the caller is 0 */
	void (*work)(void *arg, unsigned thread, size_t i, void *slot);
	int (*done)(void *arg, size_t i, void *slot, struct err *err); /* 0, -1; may be NULL */
	void *arg;
};

/* 0, or -1: next() or done() failed (err is theirs), or out of memory. */
int parallel_run(const struct parallel *c, struct err *err) __attribute__((warn_unused_result));

#endif
