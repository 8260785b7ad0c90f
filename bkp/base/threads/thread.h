/* thread: starting a thread, the same way everywhere: with all signals blocked, so that they stay the first thread's, and
 * with a name that ps(1) and gdb show. */
#ifndef BKP_BASE_THREADS_THREAD_H
#define BKP_BASE_THREADS_THREAD_H

#include <pthread.h>

/* name: at most 15 bytes.  0, or an errno value: there is no such thread then. */
int thread_start(pthread_t *id, const char *name, void *(*fn)(void *), void *arg)
    __attribute__((warn_unused_result));

#endif
