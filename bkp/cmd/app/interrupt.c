/* interrupt: see interrupt.h.
 *
 * The first signal is only noted; whoever works asks interrupt_signal() at places where it can stop in good order.  A second
 * one, more than SAME_MS later, ends the process as if there were no handler.  `came` and `first` are written by the handler
 * only. */
#include "cmd/app/interrupt.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#define SAME_MS 500 /* what was sent to a process and to the parent that passes it on comes twice */

/* a handler has nobody to ask for a place to put it */
static volatile sig_atomic_t came;
static struct timespec first;

static void remember_signal(int number)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!came)
		first = now;
	else if ((now.tv_sec - first.tv_sec) * 1000 + (now.tv_nsec - first.tv_nsec) / 1000000 > SAME_MS) {
		signal(number, SIG_DFL); /* meant */
		raise(number);
	}
	came = number;
}

void interrupt_watch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action, now;

	memset(&action, 0, sizeof(action));
	action.sa_handler = remember_signal;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		/* nohup stays nohup */
		if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

int interrupt_signal(void)
{
	return came;
}
