/* watchdog: see watchdog.h.
 *
 * watchdog_watch(), in order: is this process traced (then no fork) → flush stdio, or both would write what is buffered →
 * block the ending signals and install pass_on() → fork.
 *     child   takes back handlers and mask, asks to be killed when the parent dies, and makes sure that it did not die before
 *     parent  notes the child's id, unblocks the signals (one that came meanwhile is passed on now), waits
 * A failed fork leaves one process, which works without a parent.
 *
 * `child` is written by the parent's main line and read by its handler; `watched` is set once in the child. */
#include "cmd/app/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_ENDING 3

static const int ending[N_ENDING] = {SIGINT, SIGTERM, SIGHUP};

/* a handler has nobody to ask whom to pass it on to */
static volatile pid_t child;
static bool watched; /* this is the child */

static void pass_on(int number, siginfo_t *from, void *context)
{
	int saved = errno;

	(void)context;
	/* from a terminal (the kernel) the child has it already */
	if (from->si_code <= 0 && child > 0)
		kill(child, number);
	errno = saved;
}

static bool is_traced(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long by = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %ld", &by) == 1)
			break;
	if (f)
		fclose(f);
	return by != 0;
}

/* They are held back until it is known whom to pass them on to.  *ret_mask: what was held back before. */
static void set_handlers(struct sigaction was[N_ENDING], sigset_t *ret_mask)
{
	struct sigaction action;
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < N_ENDING; i++)
		sigaddset(&held, ending[i]);
	sigprocmask(SIG_BLOCK, &held, ret_mask);

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = pass_on;
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	for (size_t i = 0; i < N_ENDING; i++)
		/* nohup stays nohup */
		if (!sigaction(ending[i], NULL, &was[i]) && was[i].sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
}

int watchdog_exit(int code)
{
	return watched ? WATCHDOG_DIED : code;
}

bool watchdog_watched(void)
{
	return watched;
}

bool watchdog_watch(int *ret_status)
{
	struct sigaction was[N_ENDING];
	pid_t parent = getpid(), pid;
	sigset_t mask;

	if (is_traced())
		return false;
	fflush(NULL);
	set_handlers(was, &mask);
	pid = fork();
	if (pid <= 0) {
		for (size_t i = 0; i < N_ENDING; i++)
			sigaction(ending[i], &was[i], NULL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		if (!pid && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
			raise(SIGKILL);
		watched = !pid;
		return false;
	}
	child = pid;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	return true;
}
