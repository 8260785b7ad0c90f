/* throttle: see throttle.h. */
#include "base/threads/throttle.h"

#include <time.h>

#define SECOND_NS UINT64_C(1000000000)
#define SPARE_NS  (SECOND_NS / 4)

void throttle_begin(struct throttle *p, uint64_t rate)
{
	*p = (struct throttle){.rate = rate};
	pthread_mutex_init(&p->lock, NULL);
}

void throttle_wait(struct throttle *p, size_t n)
{
	struct timespec now, at;
	uint64_t begin, now_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
	pthread_mutex_lock(&p->lock);
	if (p->next_ns + SPARE_NS < now_ns)
		p->next_ns = now_ns - SPARE_NS;
	begin = p->next_ns;
	p->next_ns += (uint64_t)((double)n * (double)SECOND_NS / (double)p->rate);
	pthread_mutex_unlock(&p->lock);
	at = (struct timespec){(time_t)(begin / SECOND_NS), (long)(begin % SECOND_NS)};
	while (begin > now_ns && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
		;
}
