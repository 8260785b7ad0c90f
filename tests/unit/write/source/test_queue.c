/* queue: what is fed comes out in order, and the producer gets no further ahead than the batches allow. */
#include <stdatomic.h>
#include <unistd.h>

#include "unit.h"
#include "base/err.h"
#include "write/source/queue.h"

#define RANGES 5000

static atomic_size_t fed;

static int ranges(void *arg, struct queue *f, struct err *err)
{
	(void)arg;
	(void)err;
	for (size_t i = 0; i < RANGES; i++) {
		struct queue_event *e = queue_add(f, QUEUE_RANGE);

		if (!e)
			return -1;
		e->range.from = i;
		fed++;
	}
	return 0;
}

/* Each range may hold a block of the former catalog: few of them may wait, however slow the consumer is. */
static void few_ranges_wait(void **state)
{
	static const uint8_t key[32] = {1};
	struct hmac *ids = hmac_new(key, sizeof(key));
	struct queue_event *e;
	struct queue *f;
	size_t n = 0;
	int r;

	(void)state;
	assert_int_equal(queue_new(ids, 1, NULL, &f, NULL), 0);
	assert_int_equal(queue_start(f, ranges, NULL, NULL), 0);
	usleep(300000);
	assert_true(fed <= (size_t)QUEUE_BATCHES * 32);
	while ((r = queue_next(f, &e, NULL)) == 0 || r == QUEUE_IDLE)
		if (!r)
			assert_int_equal(e->range.from, n++);
	assert_int_equal(r, QUEUE_END);
	assert_int_equal(n, RANGES);
	/* and one that nobody waits for ends */
	assert_int_equal(queue_start(f, ranges, NULL, NULL), 0);
	queue_stop(f);
	queue_free(f);
	hmac_free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(few_ranges_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
