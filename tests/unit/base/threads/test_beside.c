/* beside: both see all bytes, in order and at the same time; what cannot be on a thread is done all the same. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "unit.h"
#include "base/threads/beside.h"

#define PART ((size_t)64 << 10)

struct seen {
	uint64_t sum; /* of all bytes, each mixed with its place */
	pthread_t on;
	atomic_bool inside, go;
};

static void add(void *arg, const void *p, size_t n)
{
	struct seen *s = arg;
	const uint8_t *b = p;

	s->on = pthread_self();
	for (size_t i = 0; i < n; i++)
		s->sum = s->sum * 31 + b[i];
}

static void bytes_come_in_their_order(void **state)
{
	static const size_t lengths[] = {PART, 1, PART + 7, PART - 1, 0, 3 * PART};
	uint8_t *p = malloc(3 * PART);
	struct beside *b = beside_new();
	struct seen beside = {0}, plain = {0};

	(void)state;
	assert_non_null(p);
	assert_non_null(b);
	for (size_t k = 0; k < 200; k++) {
		const size_t n = lengths[k % (sizeof(lengths) / sizeof(*lengths))];

		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)(i * 7 + k);
		beside_begin(b, add, &beside, p, n);
		add(&plain, p, n);
		beside_wait(b);
		assert_int_equal(beside.sum, plain.sum);
	}
	beside_free(b);
	free(p);
}

/* Says that it is at work, and goes on when it is told to. */
static void meet(void *arg, const void *p, size_t n)
{
	struct seen *s = arg;

	(void)p, (void)n;
	s->inside = true;
	while (!s->go)
		sched_yield();
	s->on = pthread_self();
}

static void both_are_at_work_at_the_same_time(void **state)
{
	static const uint8_t part[PART];
	struct beside *b = beside_new();
	struct seen s = {0};
	cpu_set_t may;

	(void)state;
	if (sched_getaffinity(0, sizeof(may), &may) || CPU_COUNT(&may) < 2) {
		beside_free(b);
		skip();
	}
	beside_begin(b, meet, &s, part, PART);
	while (!s.inside)
		sched_yield();
	s.go = true;
	beside_wait(b);
	assert_false(pthread_equal(s.on, pthread_self()));
	beside_free(b);
}

static void one_processor_has_no_second_thread(void **state)
{
	static const uint8_t part[PART];
	struct seen s = {0};
	struct beside *b;
	cpu_set_t before, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (int k = 0; !CPU_COUNT(&one) && k < CPU_SETSIZE; k++)
		if (CPU_ISSET(k, &before))
			CPU_SET(k, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	b = beside_new();
	beside_begin(b, add, &s, part, PART);
	beside_wait(b);
	assert_true(pthread_equal(s.on, pthread_self()));
	beside_free(b);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	beside_free(beside_new());
	beside_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_come_in_their_order),
	    cmocka_unit_test(both_are_at_work_at_the_same_time),
	    cmocka_unit_test(one_processor_has_no_second_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
