/* timings: see timings.h.
 *
 * Every counter is atomic, because all threads of a run add to the same struct.  A thread subtracts its waiting before it
 * adds its time: in between a counter may have wrapped below 0, so counters are read only when the threads have ended.
 * Thread clocks measure stages, the process's clock measures phases (capture, commit, read back). */
#include "base/timings.h"

#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"

uint64_t timings_now(void)
{
	return (uint64_t)clock_read(CLOCK_MONOTONIC);
}

static struct timings_mark take_mark(clockid_t cpu)
{
	return (struct timings_mark){timings_now(), (uint64_t)clock_read(cpu), 0};
}

static void add_to_stage(struct timings *t, enum timing_stage stage, const struct timings_mark *since,
    clockid_t cpu, uint64_t bytes)
{
	struct timings_mark now;

	if (!t)
		return;
	now = take_mark(cpu);
	atomic_fetch_add(&t->stages[stage].busy_ns, now.real - since->real);
	atomic_fetch_add(&t->stages[stage].cpu_ns, now.cpu - since->cpu);
	atomic_fetch_add(&t->stages[stage].bytes, bytes);
}

struct timings_mark timings_begin(void)
{
	return take_mark(CLOCK_THREAD_CPUTIME_ID);
}

void timings_end(struct timings *t, enum timing_stage stage, const struct timings_mark *since, uint64_t bytes)
{
	add_to_stage(t, stage, since, CLOCK_THREAD_CPUTIME_ID, bytes);
}

static uint64_t user_time(void)
{
	struct rusage u = {0};

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_utime.tv_sec * SECOND_NS + (uint64_t)u.ru_utime.tv_usec * 1000;
}

struct timings_mark timings_begin_phase(void)
{
	struct timings_mark mark = take_mark(CLOCK_PROCESS_CPUTIME_ID);

	mark.user = user_time();
	return mark;
}

void timings_end_phase(
    struct timings *t, enum timing_stage stage, const struct timings_mark *since, uint64_t bytes)
{
	add_to_stage(t, stage, since, CLOCK_PROCESS_CPUTIME_ID, bytes);
	if (t)
		atomic_fetch_add(&t->stages[stage].user_ns, user_time() - since->user);
}

void timings_waited(struct timings *t, enum timing_stage stage, uint64_t since)
{
	if (t)
		atomic_fetch_sub(&t->stages[stage].busy_ns, timings_now() - since);
}

void timings_close_capture(struct timings *t)
{
	uint64_t cpu = t->stages[TIMING_CAPTURE].cpu_ns;

	for (int i = 0; i < TIMING_CAPTURE; i++)
		if (i != TIMING_STORE)
			cpu -= cpu < t->stages[i].cpu_ns ? cpu : t->stages[i].cpu_ns;
	t->stages[TIMING_STORE].cpu_ns = cpu;
	/* its waiting has been counted already */
	atomic_fetch_add(&t->stages[TIMING_STORE].busy_ns, t->stages[TIMING_CAPTURE].busy_ns);
}
