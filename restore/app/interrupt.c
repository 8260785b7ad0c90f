/* interrupt: see interrupt.h.
 *
 * Two ways.  interrupt_hold(): the signals are blocked and come through a signalfd; threads that are started
 * later inherit the mask, and any one of them at a time may ask, because the signals are sent to the process.
 * interrupt_says(): a handler writes a text that was prepared before (nothing else is async-signal-safe
 * there) and ends the process.
 */
#include "restore/app/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"

struct interrupt {
	int fd;
	sigset_t before;
	struct sigaction pipe_before;
	unsigned count;
};

int interrupt_hold(struct interrupt **ret, struct err *err)
{
	struct interrupt *i = calloc(1, sizeof(*i));
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t held;

	if (!i)
		return err_nomem(err);
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGQUIT);
	i->fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
	if (i->fd < 0 || sigprocmask(SIG_BLOCK, &held, &i->before)) {
		err_sys(err, "E-DRILL-20", errno, "%s", text("cannot hold interrupts back"));
		if (i->fd >= 0)
			close(i->fd);
		free(i);
		return -1;
	}
	sigaction(SIGPIPE, &ignore, &i->pipe_before);
	*ret = i;
	return 0;
}

void interrupt_release(struct interrupt *i)
{
	if (!i)
		return;
	(void)interrupt_count(i);
	sigaction(SIGPIPE, &i->pipe_before, NULL);
	sigprocmask(SIG_SETMASK, &i->before, NULL);
	close(i->fd);
	free(i);
}

int interrupt_fd(const struct interrupt *i)
{
	return i->fd;
}

unsigned interrupt_count(struct interrupt *i)
{
	struct signalfd_siginfo info;
	unsigned some = 0;

	while (read(i->fd, &info, sizeof(info)) == sizeof(info))
		some = 1;
	i->count += some;
	return i->count;
}

/* of interrupt_says(): a handler has no argument that could carry them */
static char words[1024];
static volatile sig_atomic_t status_then;

static void say_and_end(int number)
{
	ssize_t said = write(STDERR_FILENO, words, strlen(words));

	(void)said, (void)number; /* that it cannot be said there is nobody to tell */
	_exit(status_then);
}

void interrupt_says(const char *msg, const char *hint, int status)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = say_and_end}, now;

	snprintf(words, sizeof(words), "%sbkp-restore: E-RESTORE-15: %s\n  → %s\n",
	    isatty(STDERR_FILENO) ? "\r\033[K" : "", msg, hint);
	status_then = status;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		/* nohup stays nohup */
		if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

void interrupt_child(void)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
	sigset_t none;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
