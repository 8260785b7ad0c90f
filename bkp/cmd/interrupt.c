/* interrupt: see interrupt.h. */
#include "cmd/interrupt.h"

#include <signal.h>
#include <string.h>

/* a handler has nobody to ask for a place to put it */
static volatile sig_atomic_t came;

static void remember(int number)
{
	came = number;
}

void interrupt_watch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action, now;

	memset(&action, 0, sizeof(action));
	action.sa_handler = remember;
	action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
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
