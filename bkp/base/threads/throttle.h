/* throttle: no more bytes in a second than that, of all threads together.
 *
 * throttle_begin → throttle_wait before each read or write.  What was not used of the last quarter of a second may be used at once, more
 * may not; so any second has at most 1.25 times `rate`, and one read more.
 */
#ifndef BKP_BASE_THREADS_THROTTLE_H
#define BKP_BASE_THREADS_THROTTLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct throttle {
	uint64_t rate; /* bytes; 0: was not begun */
	pthread_mutex_t lock;
	uint64_t next_ns; /* when what was asked for so far is through */
};

void throttle_begin(struct throttle *p, uint64_t rate);
/* Until n bytes more may go. */
void throttle_wait(struct throttle *p, size_t n);

#endif
