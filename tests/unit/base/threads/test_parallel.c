/* parallel: in order, bounded, really at the same time, and it ends when it is told to. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"
#include "base/err.h"
#include "base/threads/parallel.h"

#define WINDOW 7

struct slot {
	size_t i;
	uint64_t value;
};

struct job {
	size_t tasks, stop_at, fail_at; /* SIZE_MAX: never */
	size_t asked, taken, open, most;
	atomic_size_t worked;
	uint64_t sum; /* of the results, each mixed with its place */
	bool wrong;
	atomic_bool twice, signals;
	atomic_int inside[PARALLEL_THREADS_MAX];
	struct slot slots[WINDOW];
};

static int next_task(void *arg, size_t i, void *slot, struct err *err)
{
	struct job *j = arg;
	struct slot *s = slot;

	j->wrong |= i != j->asked++;
	if (i == j->fail_at)
		return err_set(err, "E-IO-02", "next %zu", i);
	if (i == j->tasks)
		return PARALLEL_END;
	s->i = i;
	j->open++;
	j->most = j->open > j->most ? j->open : j->most;
	return 0;
}

static void work(void *arg, unsigned thread, size_t i, void *slot)
{
	struct job *j = arg;
	struct slot *s = slot;
	sigset_t set;

	j->twice |= atomic_fetch_add(&j->inside[thread], 1) != 0;
	if (thread) {
		pthread_sigmask(SIG_SETMASK, NULL, &set);
		j->signals |= !sigismember(&set, SIGTERM) || !sigismember(&set, SIGUSR1);
	}
	if (i % 13 == 0)
		sched_yield();
	s->value = (s->i + 1) * 2654435761u;
	j->worked++;
	atomic_fetch_sub(&j->inside[thread], 1);
}

static int done(void *arg, size_t i, void *slot, struct err *err)
{
	struct job *j = arg;
	struct slot *s = slot;

	j->wrong |= i != j->taken++ || s->i != i || s->value != (i + 1) * 2654435761u;
	j->open--;
	j->sum = j->sum * 31 + s->value;
	return i == j->stop_at ? err_set(err, "E-IO-03", "done %zu", i) : 0;
}

static int run(struct job *j, unsigned threads, struct err *err)
{
	struct parallel c = {
	    threads, SIZE_MAX, WINDOW, j->slots, sizeof(*j->slots), next_task, work, done, j};
	int r = parallel_run(&c, err);

	assert_false(j->wrong);
	assert_false(j->twice);
	assert_false(j->signals);
	assert_true(j->most <= WINDOW);
	return r;
}

static void the_same_for_any_number_of_threads(void **state)
{
	static const unsigned threads[] = {1, 2, 3, 8, PARALLEL_THREADS_MAX, PARALLEL_THREADS_MAX + 100, 0};
	uint64_t sum = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(threads) / sizeof(*threads); k++) {
		struct job j = {.tasks = 5000, .stop_at = SIZE_MAX, .fail_at = SIZE_MAX};

		assert_int_equal(run(&j, threads[k], NULL), 0);
		assert_int_equal(j.taken, 5000);
		assert_int_equal(j.worked, 5000);
		if (k)
			assert_true(j.sum == sum);
		sum = j.sum;
	}
}

static void nothing_to_do_is_done_at_once(void **state)
{
	struct job j = {.stop_at = SIZE_MAX, .fail_at = SIZE_MAX};
	struct parallel none = {0, 0, 1, j.slots, sizeof(*j.slots), NULL, work, done, &j};

	(void)state;
	assert_int_equal(run(&j, 4, NULL), 0);
	assert_int_equal(parallel_run(&none, NULL), 0);
	assert_int_equal(j.worked, 0);
}

static void a_fault_ends_it_and_is_kept(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 8; threads *= 2)
		for (size_t at = 0; at < 40; at += 3) {
			struct job a = {.tasks = 1000, .stop_at = at, .fail_at = SIZE_MAX};
			struct job b = {.tasks = 1000, .stop_at = SIZE_MAX, .fail_at = at};
			struct err err = ERR_INIT;
			char want[32];

			assert_int_equal(run(&a, threads, &err), -1);
			assert_int_equal(a.taken, at + 1);
			assert_true(a.worked <= at + WINDOW);
			snprintf(want, sizeof(want), "done %zu", at);
			assert_string_equal(err.msg, want);
			assert_int_equal(run(&b, threads, &err), -1);
			assert_true(b.taken <= at);
			snprintf(want, sizeof(want), "next %zu", at);
			assert_string_equal(err.msg, want);
			assert_string_equal(err.code, "E-IO-02");
		}
}

/* Two tasks that each wait for the other: with one thread they would wait in vain. */
struct meeting {
	atomic_int here;
	atomic_bool missed;
};

static void meet(void *arg, unsigned thread, size_t i, void *slot)
{
	struct meeting *m = arg;
	struct timespec nap = {0, 1000000};

	(void)thread, (void)i, (void)slot;
	m->here++;
	for (int k = 0; m->here < 2 && k < 20000; k++)
		nanosleep(&nap, NULL);
	m->missed |= m->here < 2;
}

static void tasks_are_at_work_at_the_same_time(void **state)
{
	struct meeting m = {0};
	char slots[2];
	struct parallel c = {2, 2, 2, slots, 1, NULL, meet, NULL, &m};

	(void)state;
	assert_int_equal(parallel_run(&c, NULL), 0);
	assert_false(m.missed);
}

static void processors_are_those_that_may_be_used(void **state)
{
	cpu_set_t before, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(parallel_processors(), CPU_COUNT(&before) < 64 ? CPU_COUNT(&before) : 64);
	CPU_ZERO(&one);
	for (int k = 0; k < CPU_SETSIZE && !CPU_COUNT(&one); k++)
		if (CPU_ISSET(k, &before))
			CPU_SET(k, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(parallel_processors(), 1);
	assert_int_equal(parallel_threads(0), 1);
	assert_int_equal(parallel_threads(5), 5);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_for_any_number_of_threads),
	    cmocka_unit_test(nothing_to_do_is_done_at_once),
	    cmocka_unit_test(a_fault_ends_it_and_is_kept),
	    cmocka_unit_test(tasks_are_at_work_at_the_same_time),
	    cmocka_unit_test(processors_are_those_that_may_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
