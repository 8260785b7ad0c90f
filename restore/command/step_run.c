/* step_run: see step_run.h.
 *
 * Start: fork, and in the child setsid, so that the shell's number is that of its session and group.  A third
 * pipe (said) closes by itself at the exec; an errno in it says that there was none.
 *
 * While it runs: one poll over both pipes, a pidfd and the interrupts (attend_command).  has_ended() looks
 * without reaping (WNOWAIT): until finish_command() reaps the shell its number cannot become another group's,
 * so kill(-pid) never meets a stranger.  stop_command() sends SIGTERM and sets kill_ns; from then on SIGKILL
 * every STEP_RUN_GRACE seconds.  Time is CLOCK_BOOTTIME: a computer that slept has used up the limit.
 *
 * The end is the end of the shell.  The pipes may be held open by what it left running, so only what they
 * hold at that moment is read (LAST_READS blocks).
 */
#include "restore/command/step_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "restore/app/interrupt.h"
#include "restore/command/isolation.h"

#define SHELL	   "/bin/sh"
#define PAUSE_MS   50 /* between looks where there are no pidfds (before Linux 5.3) */
#define LAST_READS 64 /* blocks taken from the pipes after the end: more than they hold */
#define BLOCK	   4096

enum { OUT, ERRORS, PIPES };

struct running {
	const struct step_run_request *request;
	struct step_run_result *result;
	pid_t pid;
	int pidfd; /* or -1 */
	int fd[PIPES];
	int64_t end_ns;	     /* when the time is over */
	int64_t kill_ns;     /* when the group gets SIGKILL; 0: it got no SIGTERM yet */
	unsigned interrupts; /* counted before the start */
	bool stopped;	     /* end was decided by us */
};

static int64_t now_ns(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

/* ---- the start ---- */

static void run_child(const struct step_run_request *q, int out, int errors, int said)
{
	static char shell[] = "sh", flags[] = "-eu", c[] = "-c";
	char *argv[] = {shell, flags, c, (char *)(uintptr_t)q->command, NULL};
	const struct rlimit no_core = {1, 1};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), errnum;

	interrupt_child();
	setsid();
	errnum = q->isolation ? isolation_enter(q->isolation) : fchdir(q->folder) ? errno : 0;
	if (!errnum) {
		/* what whoever began the program left open would lead out of its place; the memory of a command that
		 * crashes belongs nowhere, also where the kernel pipes it to a program (which a limit of 0 lets it) */
		if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(errors, 2) >= 0 &&
		    !close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) && !setrlimit(RLIMIT_CORE, &no_core))
			execve(SHELL, argv, q->environment);
		errnum = errno;
	}
	(void)!write(said, &errnum, sizeof(errnum));
	_exit(127);
}

/* 0: it runs.  Otherwise the errno of what went wrong before it did. */
static int start_command(struct running *r)
{
	int out[2] = {-1, -1}, errors[2] = {-1, -1}, said[2] = {-1, -1}, errnum = 0, i;
	ssize_t n;

	if (pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || pipe2(said, O_CLOEXEC) ||
	    (r->pid = fork()) < 0)
		errnum = errno;
	else if (r->pid == 0)
		run_child(r->request, out[1], errors[1], said[1]);
	io_close_quietly(&out[1]);
	io_close_quietly(&errors[1]);
	io_close_quietly(&said[1]);
	if (!errnum) {
		/* closed by the exec, or told why there was none */
		n = io_read_full(said[0], &errnum, sizeof(errnum));
		if (n != sizeof(errnum))
			errnum = 0;
		else
			while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	io_close_quietly(&said[0]);
	r->fd[OUT] = out[0];
	r->fd[ERRORS] = errors[0];
	for (i = 0; i < PIPES && errnum; i++)
		io_close_quietly(&r->fd[i]);
	return errnum;
}

/* ---- while it runs ---- */

static void keep_tail(struct step_run_result *t, const char *p, size_t n)
{
	size_t drop;

	if (n >= STEP_RUN_TAIL) {
		memcpy(t->tail, p + n - STEP_RUN_TAIL, STEP_RUN_TAIL);
		t->tail_n = STEP_RUN_TAIL;
		return;
	}
	drop = t->tail_n + n > STEP_RUN_TAIL ? t->tail_n + n - STEP_RUN_TAIL : 0;
	memmove(t->tail, t->tail + drop, t->tail_n - drop);
	memcpy(t->tail + t->tail_n - drop, p, n);
	t->tail_n += n - drop;
}

static void take_output(struct running *r, int which)
{
	struct step_run_result *t = r->result;
	char block[BLOCK];
	ssize_t n = read(r->fd[which], block, sizeof(block));
	size_t room;

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			io_close_quietly(&r->fd[which]);
		return;
	}
	keep_tail(t, block, (size_t)n);
	if (which != OUT)
		return;
	room = r->request->value_max - t->value_n;
	if ((size_t)n > room)
		t->value_over = true;
	memcpy(t->value + t->value_n, block, (size_t)n < room ? (size_t)n : room);
	t->value_n += (size_t)n < room ? (size_t)n : room;
}

static void stop_command(struct running *r, enum step_run_end why)
{
	r->stopped = true;
	r->result->end = why;
	r->kill_ns = now_ns() + STEP_RUN_GRACE * SECOND_NS;
	kill(-r->pid, SIGTERM);
}

/* True when the shell has ended; it is not reaped yet, so its number is still its own. */
static bool has_ended(const struct running *r)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) ? errno != EINTR
									       : info.si_pid == r->pid;
}

static int timeout_ms(const struct running *r)
{
	int64_t until = r->kill_ns ? r->kill_ns : r->end_ns, ms = (until - now_ns()) / (SECOND_NS / 1000) + 1;

	if (ms < 0)
		ms = 0;
	if (r->pidfd < 0 && ms > PAUSE_MS)
		ms = PAUSE_MS;
	return ms > 3600000 ? 3600000 : (int)ms;
}

static void attend_command(struct running *r)
{
	struct interrupt *i = r->request->interrupt;

	while (!has_ended(r)) {
		struct pollfd fds[] = {{r->fd[OUT], POLLIN, 0}, {r->fd[ERRORS], POLLIN, 0},
		    {r->pidfd, POLLIN, 0}, {i && !r->stopped ? interrupt_fd(i) : -1, POLLIN, 0}};

		if (poll(fds, 4, timeout_ms(r)) > 0) {
			for (int which = 0; which < PIPES; which++)
				if (fds[which].revents)
					take_output(r, which);
			if (fds[3].revents && interrupt_count(i) != r->interrupts)
				stop_command(r, STEP_RUN_INTERRUPTED);
		}
		if (!r->stopped && now_ns() >= r->end_ns)
			stop_command(r, STEP_RUN_LIMIT);
		if (r->kill_ns && now_ns() >= r->kill_ns) {
			kill(-r->pid, SIGKILL);
			r->kill_ns = now_ns() + STEP_RUN_GRACE * SECOND_NS;
		}
	}
}

/* ---- the end ---- */

static void finish_command(struct running *r)
{
	struct step_run_result *t = r->result;
	int status = 0, i;

	/* before the shell is reaped: its number cannot be another group's yet */
	if (r->stopped)
		kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	for (i = 0; i < PIPES; i++) {
		for (int n = 0; n < LAST_READS && r->fd[i] >= 0; n++) {
			struct pollfd fd = {r->fd[i], POLLIN, 0};

			if (poll(&fd, 1, 0) <= 0)
				break;
			take_output(r, i);
		}
		io_close_quietly(&r->fd[i]);
	}
	io_close_quietly(&r->pidfd);
	if (!r->stopped)
		t->end = WIFSIGNALED(status) ? STEP_RUN_SIGNALLED : STEP_RUN_EXITED;
	t->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	t->value[t->value_n] = '\0';
}

int step_run(const struct step_run_request *request, struct step_run_result *ret, struct err *err)
{
	struct running r = {.request = request, .result = ret, .pidfd = -1};
	int errnum;

	memset(ret, 0, sizeof(*ret));
	ret->value = malloc(request->value_max + 1);
	if (!ret->value)
		return err_nomem(err);
	r.interrupts = request->interrupt ? interrupt_count(request->interrupt) : 0;
	r.end_ns = now_ns() + request->limit_s * SECOND_NS;
	errnum = start_command(&r);
	if (errnum) {
		step_run_free(ret);
		return err_sys(err, "E-DRILL-12", errnum, "%s", text("the command cannot be started"));
	}
	r.pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
	attend_command(&r);
	finish_command(&r);
	return 0;
}

void step_run_free(struct step_run_result *r)
{
	free(r->value);
	r->value = NULL;
	r->value_n = 0;
}
