/* thread: see thread.h. */
#include "base/threads/thread.h"

#include <signal.h>

int thread_start(pthread_t *id, const char *name, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	/* blocked before it begins: a signal that comes in between would be taken by the new thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(id, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		(void)pthread_setname_np(*id, name);
	return r;
}
