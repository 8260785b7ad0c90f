/* parallel: see parallel.h.  A pipeline whose producer and consumer are the caller: he prefers, in this order, to take a
 * result, to fill a slot, to work himself, to sleep. */
#include "base/threads/parallel.h"

#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/threads/pipeline.h"

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

/* Puts task i into the pipeline, unless there is none: 0, PARALLEL_END, -1. */
static int put_task(const struct parallel *c, struct pipeline *p, size_t i, void *slot, struct err *err)
{
	int got = i == c->n ? PARALLEL_END : c->next ? c->next(c->arg, i, slot, err) : 0;

	if (got == PARALLEL_END)
		pipeline_end(p, NULL);
	else if (!got)
		pipeline_put(p, false);
	return got;
}

/* 0 when all tasks are done, -1 when next() or done() failed. */
static int lead_tasks(const struct parallel *c, struct pipeline *p, struct err *err)
{
	size_t asked = 0, done = 0;
	bool wait = false, all = false; /* no slot is free, or no task is left */
	void *slot;
	int r;

	while ((r = pipeline_next(p, wait ? PIPELINE_FOREVER : 0, &slot, err)) != PIPELINE_END) {
		if (!r) {
			if (c->done && c->done(c->arg, done, slot, err))
				return -1;
			done++;
			pipeline_done(p);
			wait = all;
		} else if (!(slot = pipeline_room(p, false, NULL))) {
			wait = true;
		} else {
			r = put_task(c, p, asked++, slot, err);
			if (r < 0)
				return -1;
			wait = all = r == PARALLEL_END;
		}
	}
	return 0;
}

int parallel_run(const struct parallel *c, struct err *err)
{
	struct pipeline_config config = {.name = "bkp-helper",
	    .threads = parallel_threads(c->threads) - 1,
	    .window = c->window,
	    .slots = c->slots,
	    .slot_size = c->slot_size,
	    .work = c->work,
	    .arg = c->arg};
	struct pipeline *p;
	int r;

	if (pipeline_new(&config, &p, err))
		return -1;
	r = lead_tasks(c, p, err);
	pipeline_free(p);
	return r;
}
