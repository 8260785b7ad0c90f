/* command: see command.h.
 *
 * One thread at a time reads and waits for the child (command_read(), then command_finish() or command_end());
 * command_interrupt() alone may come from another meanwhile: it makes `interrupt`, an eventfd, readable.  Whoever
 * waits polls the command's pipes and that descriptor.  Where there is a time limit or a `stop`, attend_end() is
 * asked every ASK_MS: it sends SIGTERM when the time is over or `stop` says so, and SIGKILL GRACE_MS later.  A
 * child that is still there after as long again is given up. */
#include "write/source/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define TAIL	   600 /* bytes of standard error kept: its end says what went wrong */
#define PIPE_READS 17  /* of 4,096 bytes: more than a pipe holds */
#define ASK_MS	   250 /* how often `stop` and the clock are asked */
#define GRACE_MS   (COMMAND_GRACE_S * 1000)

enum ending { NOT_ENDED, OVERDUE, STOPPED };

struct command {
	pid_t pid; /* 0: waited for, or given up */
	int out, errors;
	int interrupt; /* readable: enough */
	command_stop_fn *stop;
	void *stop_arg;
	int64_t limit_s;
	int64_t due_ms;	    /* INT64_MAX: it may take as long as it likes */
	enum ending ending; /* why it was told to end */
	int64_t told_ms;    /* when */
	bool killed;
	char tail[TAIL + 1];
	size_t tail_len;
	uint64_t lines; /* ended, of standard error */
	bool open_line; /* and one that is not */
};

/* Sleep included: a limit is a promise about the run. */
static int64_t now_ms(void)
{
	return clock_read(CLOCK_BOOTTIME) / 1000000;
}

/* Between fork and exec of a process with threads: nothing here may take a lock. */
static void exec_child(const char *line, char **env, int out, int errors)
{
	char sh[] = "sh", c[] = "-c";
	char *argv[] = {sh, c, (char *)(uintptr_t)line, NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* its own process group: what it starts can be ended with it; and no terminal, at which ssh or a
	 * client of a data base would wait for a password for ever */
	setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0)
		_exit(126);
	/* also what was open when we were started */
	if (close_range(3, ~0u, 0))
		for (int i = 3; i < 1024; i++)
			close(i);
	execve("/bin/sh", argv, env);
	_exit(127);
}

/* Ours, then what is added: of two of one name the shell takes the last. */
static char **make_environment(const char *const *more)
{
	size_t n = 0, k = 0;
	char **all;

	while (environ && environ[n])
		n++;
	while (more && more[k])
		k++;
	all = calloc(n + k + 1, sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i] = environ[i];
	for (size_t i = 0; i < k; i++)
		all[n + i] = (char *)(uintptr_t)more[i];
	return all;
}

static struct command *make_command(const struct command_config *cfg)
{
	struct command *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->out = c->errors = c->interrupt = -1;
	c->stop = cfg->stop;
	c->stop_arg = cfg->stop_arg;
	c->limit_s = cfg->limit_s;
	c->due_ms = cfg->limit_s ? now_ms() + cfg->limit_s * 1000 : INT64_MAX;
	return c;
}

int command_start(const struct command_config *cfg, struct command **ret, struct err *err)
{
	struct command *c = make_command(cfg);
	char **env = make_environment(cfg->env);
	int out[2] = {-1, -1}, errors[2] = {-1, -1};

	if (!c || !env) {
		free(c);
		free(env);
		return err_nomem(err);
	}
	c->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->interrupt < 0 || pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || (c->pid = fork()) < 0) {
		err_sys(err, "E-CMD-01", errno, text("cannot start '%s'"), cfg->line);
		for (int i = 0; i < 2; i++) {
			io_close_quietly(&out[i]);
			io_close_quietly(&errors[i]);
		}
		io_close_quietly(&c->interrupt);
		free(env);
		free(c);
		return -1;
	}
	if (c->pid == 0)
		exec_child(cfg->line, env, cfg->quiet ? errors[1] : out[1], errors[1]);
	free(env);
	io_close_quietly(&out[1]);
	io_close_quietly(&errors[1]);
	c->out = out[0];
	c->errors = errors[0];
	*ret = c;
	return 0;
}

/* ---- its time ---- */

/* To all that it has started; or to itself, as long as it is still on its way to a group of its own. */
static void signal_all(const struct command *c, int sig)
{
	if (c->pid > 0 && kill(-c->pid, sig))
		kill(c->pid, sig);
}

static void tell_to_end(struct command *c, enum ending why)
{
	c->ending = why;
	c->told_ms = now_ms();
	signal_all(c, SIGTERM);
}

/* Asks whether it is to end, and sees to it that it does.  For how long one may wait then, ms; -1: for ever.
 */
static int attend_end(struct command *c)
{
	int64_t now = now_ms();

	if (c->ending == NOT_ENDED && now >= c->due_ms)
		tell_to_end(c, OVERDUE);
	else if (c->ending == NOT_ENDED && c->stop && c->stop(c->stop_arg))
		tell_to_end(c, STOPPED);
	if (c->ending != NOT_ENDED) {
		if (!c->killed && now - c->told_ms >= GRACE_MS) {
			signal_all(c, SIGKILL);
			c->killed = true;
		}
		return 50;
	}
	/* not all of what is left at once: clocks are set */
	return c->stop || c->due_ms != INT64_MAX ? ASK_MS : -1;
}

/* Nothing ends it: it hangs in the kernel. */
static bool is_lost(const struct command *c)
{
	return c->killed && now_ms() - c->told_ms >= 2 * GRACE_MS;
}

/* ---- its output ---- */

static void take_errors(struct command *c)
{
	char block[4096];
	ssize_t n = read(c->errors, block, sizeof(block));
	size_t drop;

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			io_close_quietly(&c->errors);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		c->lines += block[i] == '\n';
	c->open_line = block[n - 1] != '\n';
	if (n >= TAIL) {
		memcpy(c->tail, block + n - TAIL, TAIL);
		c->tail_len = TAIL;
		return;
	}
	drop = c->tail_len + (size_t)n > TAIL ? c->tail_len + (size_t)n - TAIL : 0;
	memmove(c->tail, c->tail + drop, c->tail_len - drop);
	memcpy(c->tail + c->tail_len - drop, block, (size_t)n);
	c->tail_len += (size_t)n - drop;
}

ssize_t command_read(void *command, void *p, size_t n)
{
	struct command *c = command;

	for (;;) {
		/* a closed one (-1) is passed over */
		struct pollfd fds[3] = {
		    {c->out, POLLIN, 0}, {c->errors, POLLIN, 0}, {c->interrupt, POLLIN, 0}};
		int wait = attend_end(c);

		if (c->ending != NOT_ENDED) {
			errno = c->ending == OVERDUE ? ETIMEDOUT : ECANCELED;
			return -1;
		}
		if (poll(fds, 3, wait) < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (fds[2].revents) {
			errno = ECANCELED;
			return -1;
		}
		if (c->errors >= 0 && fds[1].revents)
			take_errors(c);
		if (fds[0].revents) {
			ssize_t r = read(c->out, p, n);

			if (r >= 0 || errno != EINTR)
				return r;
		}
	}
}

void command_interrupt(struct command *c)
{
	(void)eventfd_write(c->interrupt, 1);
}

void command_on_wait(struct command *c, command_stop_fn *stop, void *arg)
{
	c->stop = stop;
	c->stop_arg = arg;
}

/* 1 it has ended (it is not reaped yet: its group's number is still its own), 0 not yet, -1. */
static int has_ended(const struct command *c)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT))
		return errno == EINTR ? 0 : -1;
	return info.si_pid == c->pid;
}

/* Waits for its end, reading standard error meanwhile; then takes what was still in the pipe, and no more:
 * something left running in the background may hold it open, or write into it, for ever.  0, -1: how it ended
 * cannot be known. */
static int wait_for_end(struct command *c, int *ret_status)
{
	struct pollfd fd = {c->errors, POLLIN, 0};
	int r;

	while (!(r = has_ended(c)) && !is_lost(c)) {
		(void)attend_end(c);
		fd.fd = c->errors; /* a closed one (-1) is only a pause */
		if (poll(&fd, 1, 50) > 0)
			take_errors(c);
	}
	for (int i = 0; i < PIPE_READS && c->errors >= 0; i++) {
		fd.fd = c->errors;
		if (poll(&fd, 1, 0) <= 0)
			break;
		take_errors(c);
	}
	/* who ends a command ends what it has started */
	if (c->ending != NOT_ENDED)
		kill(-c->pid, SIGKILL);
	if (r == 1 && waitpid(c->pid, ret_status, 0) != c->pid)
		r = -1;
	c->pid = 0;
	return r == 1 ? 0 : -1;
}

/* Lines side by side, each safe on a terminal. */
static int display_lines(const char *p, struct buf *out)
{
	char line[TAIL + 1];

	for (;;) {
		size_t n = strcspn(p, "\r\n");

		memcpy(line, p, n);
		line[n] = '\0';
		if (path_display(line, out, NULL))
			return -1;
		p += n + strspn(p + n, "\r\n");
		if (!*p)
			return buf_terminate(out, NULL);
		if (buf_puts(out, " / ", NULL))
			return -1;
	}
}

/* As much of the end of standard error as fits when it is escaped. */
void command_said(struct command *c, struct command_words *ret)
{
	BUF_AUTO shown = BUF_INIT((size_t)8 * TAIL);
	const char *p = c->tail;
	size_t i;

	if (!ret)
		return;
	ret->lines = c->lines + c->open_line;
	while (c->tail_len && strchr(" \t\r\n", c->tail[c->tail_len - 1])) /* the NUL as well */
		c->tail_len--;
	c->tail[c->tail_len] = '\0';
	for (i = 0; i < c->tail_len; i++)
		if (!c->tail[i] || c->tail[i] == '\t')
			c->tail[i] = ' ';
	for (;; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue; /* not from the middle of a character */
		shown.n = 0;
		if (display_lines(p, &shown) || shown.n < sizeof(ret->text))
			break;
	}
	snprintf(ret->text, sizeof(ret->text), "%s", shown.n ? (const char *)shown.p : "");
}

static int overdue(const struct command *c, struct err *err)
{
	char span[CLOCK_SPAN];

	err_set(err, "E-CMD-03", text("the command did not end within its time limit of %s, and was ended"),
	    clock_format_span((double)c->limit_s, span));
	return err_hint(err, "%s",
	    text("run it by hand and see what it waits for, or give it more time with 'time_limit'"));
}

int command_finish(struct command *c, struct err *err)
{
	int status = 0, r;

	io_close_quietly(&c->out);
	r = wait_for_end(c, &status);
	if (c->ending == OVERDUE)
		return overdue(c, err);
	if (r < 0)
		return err_set(err, "E-CMD-02", "%s", text("cannot learn how the command ended"));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, "E-CMD-02", text("the command was ended by signal %d"), WTERMSIG(status));
	return err_set(err, "E-CMD-02", text("the command failed with status %d"), WEXITSTATUS(status));
}

void command_end(struct command *c)
{
	int status;

	if (c->pid <= 0)
		return;
	if (c->ending == NOT_ENDED)
		tell_to_end(c, STOPPED);
	io_close_quietly(&c->out);
	(void)wait_for_end(c, &status);
}

void command_free(struct command *c)
{
	if (!c)
		return;
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	io_close_quietly(&c->out);
	io_close_quietly(&c->errors);
	io_close_quietly(&c->interrupt);
	free(c);
}

int command_run(const struct command_config *cfg, struct command_words *said, struct err *err)
{
	struct command_config quiet = *cfg;
	struct command *c = NULL;
	int r;

	if (said)
		memset(said, 0, sizeof(*said));
	quiet.quiet = true;
	if (command_start(&quiet, &c, err))
		return -1;
	r = command_finish(c, err);
	command_said(c, said);
	command_free(c);
	return r;
}
