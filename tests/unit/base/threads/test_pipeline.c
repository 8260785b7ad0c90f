/* pipeline: in order, bounded, nobody sleeps for ever, and it ends when it is told to, with and without threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/threads/pipeline.h"

#define WINDOW 5
#define MANY   4000

struct slot {
	size_t i;
	bool ready; /* put as such */
	uint64_t value;
};

struct line {
	struct pipeline *p;
	struct slot slots[WINDOW];
	unsigned threads;
	size_t jobs, end_after; /* end_after: with an error; SIZE_MAX: never */
	atomic_size_t given, worked;
	size_t taken;
	atomic_bool wrong, refused;
	atomic_bool hold; /* work() does not return */
	atomic_size_t by[8];
	struct err why;
};

static void nap(long us)
{
	struct timespec t = {0, us * 1000};

	nanosleep(&t, NULL);
}

static void work(void *arg, unsigned thread, size_t i, void *slot)
{
	struct line *l = arg;
	struct slot *s = slot;
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	if (thread >= 1 && thread <= l->threads && !sigismember(&set, SIGTERM))
		l->wrong = true;
	if (s->i != i || s->ready || s->value)
		l->wrong = true;
	while (l->hold)
		nap(1000);
	s->value = i * 3 + 1;
	l->by[thread]++;
	l->worked++;
	if (i % 7 == 0)
		sched_yield();
}

static void *produce(void *arg)
{
	struct line *l = arg;
	struct err why = ERR_INIT;

	for (size_t i = 0; i < l->jobs && i != l->end_after; i++) {
		struct slot *s = pipeline_room(l->p, true, &l->why);

		if (!s) {
			l->refused = true;
			return NULL;
		}
		*s = (struct slot){.i = i, .ready = i % 3 == 2};
		l->given++;
		if (i % 100 < 2)
			nap(50); /* the others find nothing to do, and sleep */
		pipeline_put(l->p, s->ready);
	}
	err_set(&why, "E-IO-02", "after %zu", l->end_after);
	pipeline_end(l->p, l->end_after < l->jobs ? &why : NULL);
	return NULL;
}

static int consume(struct line *l, struct err *err)
{
	void *slot;
	int r;

	while (!(r = pipeline_next(l->p, PIPELINE_FOREVER, &slot, err))) {
		struct slot *s = slot;

		assert_int_equal(s->i, l->taken);
		assert_true(s->value == (s->ready ? 0 : s->i * 3 + 1));
		assert_true(l->given - l->taken <= WINDOW);
		if (l->taken % 100 < 2)
			nap(50); /* the window fills */
		l->taken++;
		pipeline_done(l->p);
	}
	return r;
}

static void open_line(struct line *l, unsigned threads, bool producer_works, bool consumer_waits)
{
	struct pipeline_config c = {.name = "test",
	    .threads = threads,
	    .window = WINDOW,
	    .slots = l->slots,
	    .slot_size = sizeof(l->slots[0]),
	    .work = work,
	    .arg = l,
	    .producer_works = producer_works,
	    .consumer_waits = consumer_waits};

	l->threads = threads;
	assert_int_equal(pipeline_new(&c, &l->p, NULL), 0);
}

/* From another thread into this one, as fast as it goes.  A wakeup that is lost ends in SIGALRM. */
static void through(unsigned threads, bool producer_works, bool consumer_waits)
{
	struct line l = {.jobs = MANY, .end_after = SIZE_MAX};
	pthread_t producer;

	open_line(&l, threads, producer_works, consumer_waits);
	assert_int_equal(pthread_create(&producer, NULL, produce, &l), 0);
	assert_int_equal(consume(&l, NULL), PIPELINE_END);
	pthread_join(producer, NULL);
	pipeline_free(l.p);
	assert_int_equal(l.taken, MANY);
	assert_int_equal(l.worked, MANY - MANY / 3);
	assert_false(l.wrong);
	assert_true(producer_works || !l.by[threads + 1]);
	assert_true(!consumer_waits || !l.by[0]);
}

static void order_and_bound_with_any_number_of_threads(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= 4; threads++)
		for (int how = 0; how < 4; how++)
			if (threads || !(how & 2))
				through(threads, how & 1, how & 2);
}

/* Stacks that no machine has room for. */
static void forbid_threads(bool forbid)
{
	static size_t usual;
	pthread_attr_t attr;

	assert_int_equal(pthread_getattr_default_np(&attr), 0);
	if (!usual)
		assert_int_equal(pthread_attr_getstacksize(&attr, &usual), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, forbid ? (size_t)1 << 47 : usual), 0);
	assert_int_equal(pthread_setattr_default_np(&attr), 0);
	pthread_attr_destroy(&attr);
}

static void without_threads_the_others_do_it(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct line l = {.jobs = MANY, .end_after = SIZE_MAX};
		pthread_attr_t attr;
		pthread_t producer;

		open_line(&l, 3, how & 1, how & 2);
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, (size_t)1 << 20);
		forbid_threads(true);
		assert_int_equal(pthread_create(&producer, &attr, produce, &l), 0);
		assert_int_equal(consume(&l, NULL), PIPELINE_END);
		pthread_join(producer, NULL);
		forbid_threads(false);
		pipeline_free(l.p);
		pthread_attr_destroy(&attr);
		assert_int_equal(l.taken, MANY);
		assert_int_equal(l.worked, l.by[0] + l.by[4]);
		assert_true(l.by[0] > 0);
		assert_true((how & 1) || !l.by[4]);
	}
}

static void an_error_comes_after_the_last_job(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= 2; threads++)
		for (size_t at = 0; at < 2 * WINDOW; at++) {
			struct line l = {.jobs = 100, .end_after = at};
			struct err err = ERR_INIT;
			pthread_t producer;
			char want[32];

			open_line(&l, threads, true, false);
			assert_int_equal(pthread_create(&producer, NULL, produce, &l), 0);
			assert_int_equal(consume(&l, &err), -1);
			pthread_join(producer, NULL);
			pipeline_free(l.p);
			snprintf(want, sizeof(want), "after %zu", at);
			assert_string_equal(err.msg, want);
			assert_int_equal(l.taken, at);
		}
}

/* The consumer takes a few and goes away; the producer sleeps, because nothing is free. */
static void a_producer_that_waits_is_stopped(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= 2; threads++) {
		struct line l = {.jobs = MANY, .end_after = SIZE_MAX};
		struct err why = ERR_INIT, err = ERR_INIT;
		pthread_t producer;
		void *slot;

		open_line(&l, threads, threads == 0, false);
		assert_int_equal(pthread_create(&producer, NULL, produce, &l), 0);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(pipeline_next(l.p, PIPELINE_FOREVER, &slot, NULL), 0);
			pipeline_done(l.p);
		}
		while (l.given < WINDOW + 3)
			nap(100);
		nap(20000);
		assert_int_equal(l.given, WINDOW + 3);
		assert_true(threads || l.by[1] > 0); /* he works meanwhile */
		err_set(&why, "E-IO-03", "%s", "the disk is full");
		pipeline_stop(l.p, &why);
		pthread_join(producer, NULL);
		assert_true(l.refused);
		assert_string_equal(l.why.msg, "the disk is full");
		/* and later calls of both sides get the same */
		assert_null(pipeline_room(l.p, true, NULL));
		assert_int_equal(pipeline_next(l.p, PIPELINE_FOREVER, &slot, &err), -1);
		assert_string_equal(err.msg, "the disk is full");
		pipeline_free(l.p);
	}
}

static void *stop_soon(void *arg)
{
	nap(20000);
	pipeline_stop(((struct line *)arg)->p, NULL);
	return NULL;
}

static void a_consumer_that_waits_is_stopped(void **state)
{
	struct line l = {.jobs = 0};
	struct err err = ERR_INIT;
	pthread_t stopper;
	void *slot;

	(void)state;
	open_line(&l, 2, false, false);
	assert_int_equal(pthread_create(&stopper, NULL, stop_soon, &l), 0);
	assert_int_equal(pipeline_next(l.p, PIPELINE_FOREVER, &slot, &err), -1);
	assert_string_equal(err.code, "");
	pthread_join(stopper, NULL);
	pipeline_free(l.p);
}

static void put(struct line *l, size_t i)
{
	struct slot *s = pipeline_room(l->p, false, NULL);

	assert_non_null(s);
	*s = (struct slot){.i = i};
	pipeline_put(l->p, false);
}

/* What was stopped is not begun: of five jobs the two that are being worked on are the last. */
static void nothing_is_begun_after_a_stop(void **state)
{
	struct line l = {.hold = true};

	(void)state;
	open_line(&l, 2, false, true);
	for (size_t i = 0; i < WINDOW; i++)
		put(&l, i);
	assert_null(pipeline_room(l.p, false, NULL));
	nap(20000);
	pipeline_stop(l.p, NULL);
	l.hold = false;
	pipeline_free(l.p);
	assert_true(l.worked <= 2);
	assert_false(l.wrong);
}

/* A slot that was taken before a stop is put after it: nothing becomes of it. */
static void what_was_taken_may_be_put_after_a_stop(void **state)
{
	struct line l = {.hold = false};
	struct slot *s, *t;
	void *got;

	(void)state;
	open_line(&l, 2, false, true);
	s = pipeline_room(l.p, true, NULL);
	t = pipeline_room(l.p, true, NULL);
	*s = (struct slot){.i = 0};
	*t = (struct slot){.i = 1};
	pipeline_stop(l.p, NULL);
	assert_null(pipeline_room(l.p, true, NULL));
	pipeline_put(l.p, false);
	pipeline_put(l.p, true);
	assert_int_equal(pipeline_next(l.p, PIPELINE_FOREVER, &got, NULL), -1);
	pipeline_free(l.p);
	assert_int_equal(l.worked, 0);
}

static void patience_has_an_end(void **state)
{
	struct line l = {.hold = true};
	struct timespec from, to;
	void *slot;

	(void)state;
	open_line(&l, 1, false, false);
	put(&l, 0);
	/* 0: looks, and neither works nor waits */
	assert_int_equal(pipeline_next(l.p, 0, &slot, NULL), PIPELINE_IDLE);
	nap(5000);
	assert_int_equal(l.worked, 0);
	l.hold = false;
	assert_int_equal(pipeline_next(l.p, PIPELINE_FOREVER, &slot, NULL), 0);
	assert_int_equal(l.by[0], 1); /* for one job no worker is started */
	pipeline_done(l.p);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(pipeline_next(l.p, 30, &slot, NULL), PIPELINE_IDLE);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 29);
	pipeline_free(l.p);
}

/* The slots that a producer holds come in the order in which he got them, whatever he fills first. */
static void several_slots_may_be_held(void **state)
{
	struct line l = {.jobs = 2};
	struct slot *a, *b;

	(void)state;
	open_line(&l, 1, false, false);
	a = pipeline_room(l.p, true, NULL);
	b = pipeline_room(l.p, true, NULL);
	assert_non_null(a);
	assert_non_null(b);
	*b = (struct slot){.i = 1};
	*a = (struct slot){.i = 0};
	l.given = 2;
	pipeline_put(l.p, false);
	pipeline_put(l.p, false);
	pipeline_end(l.p, NULL);
	assert_int_equal(consume(&l, NULL), PIPELINE_END);
	assert_int_equal(l.taken, 2);
	pipeline_free(l.p);
}

/* Two jobs that each wait for the other: one after the other they would wait in vain. */
static atomic_int here;
static atomic_bool missed;

static void meet(void *arg, unsigned thread, size_t i, void *slot)
{
	(void)arg, (void)thread, (void)i, (void)slot;
	here++;
	for (int k = 0; here < 2 && k < 5000; k++)
		nap(1000);
	missed |= here < 2;
}

/* A worker is started for the second job while the consumer does the first; without one for him both need a worker. */
static void jobs_are_at_work_at_the_same_time(void **state)
{
	(void)state;
	for (int waits = 0; waits < 2; waits++) {
		char slots[2];
		struct pipeline_config c = {.name = "test",
		    .threads = 2,
		    .window = 2,
		    .slots = slots,
		    .slot_size = 1,
		    .work = meet,
		    .consumer_waits = waits};
		struct pipeline *p;
		void *slot;

		here = 0;
		assert_int_equal(pipeline_new(&c, &p, NULL), 0);
		for (int i = 0; i < 2; i++) {
			assert_non_null(pipeline_room(p, true, NULL));
			pipeline_put(p, false);
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(pipeline_next(p, PIPELINE_FOREVER, &slot, NULL), 0);
			pipeline_done(p);
		}
		pipeline_free(p);
		assert_false(missed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(order_and_bound_with_any_number_of_threads),
	    cmocka_unit_test(without_threads_the_others_do_it),
	    cmocka_unit_test(an_error_comes_after_the_last_job),
	    cmocka_unit_test(a_producer_that_waits_is_stopped),
	    cmocka_unit_test(a_consumer_that_waits_is_stopped),
	    cmocka_unit_test(nothing_is_begun_after_a_stop),
	    cmocka_unit_test(what_was_taken_may_be_put_after_a_stop),
	    cmocka_unit_test(patience_has_an_end),
	    cmocka_unit_test(several_slots_may_be_held),
	    cmocka_unit_test(jobs_are_at_work_at_the_same_time),
	};

	alarm(120); /* a wakeup that is lost: what sleeps sleeps for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
