/* command: see command.h. */
#include "write/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define TAIL	   600 /* bytes of standard error kept: its end says what went wrong */
#define SHOWN	   800 /* bytes of a message that they may fill */
#define PIPE_READS 17  /* of 4,096 bytes: more than a pipe holds */

struct command {
	pid_t pid;
	int out, errors;
	int interrupt; /* readable: enough */
	command_stop_fn *stop;
	void *stop_arg;
	char tail[TAIL + 1];
	size_t tail_len;
};

static void child(const char *line, int out, int errors)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* its own process group: what it starts can be ended with it */
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

int command_start(const char *line, struct command **ret, struct err *err)
{
	struct command *c = calloc(1, sizeof(*c));
	int out[2] = {-1, -1}, errors[2] = {-1, -1};

	if (!c)
		return err_nomem(err);
	c->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->interrupt < 0 || pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || (c->pid = fork()) < 0) {
		err_sys(err, "E-CMD-01", errno, text("cannot start '%s'"), line);
		for (int i = 0; i < 2; i++) {
			io_close_quietly(&out[i]);
			io_close_quietly(&errors[i]);
		}
		io_close_quietly(&c->interrupt);
		free(c);
		return -1;
	}
	if (c->pid == 0)
		child(line, out[1], errors[1]);
	io_close_quietly(&out[1]);
	io_close_quietly(&errors[1]);
	c->out = out[0];
	c->errors = errors[0];
	*ret = c;
	return 0;
}

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
		struct pollfd fds[3] = {{c->out, POLLIN, 0}, {c->errors, POLLIN, 0}, {c->interrupt, POLLIN, 0}};

		if (poll(fds, 3, -1) < 0) {
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

/* Waits for its end, reading standard error meanwhile; then takes what was still in the pipe, and no more: something left
 * running in the background may hold it open, or write into it, for ever. */
static pid_t wait_for_end(struct command *c, int *ret_status)
{
	struct pollfd fd = {c->errors, POLLIN, 0};
	pid_t r;
	int i;

	for (;;) {
		r = waitpid(c->pid, ret_status, WNOHANG);
		if (r > 0 || (r < 0 && errno != EINTR))
			break;
		if (c->stop && c->stop(c->stop_arg))
			kill(-c->pid, SIGKILL);
		fd.fd = c->errors; /* a closed one (-1) is only a pause */
		if (poll(&fd, 1, 50) > 0)
			take_errors(c);
	}
	for (i = 0; i < PIPE_READS && c->errors >= 0; i++) {
		fd.fd = c->errors;
		if (poll(&fd, 1, 0) <= 0)
			break;
		take_errors(c);
	}
	return r;
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
static void show_errors(struct command *c, char out[SHOWN])
{
	BUF_AUTO shown = BUF_INIT((size_t)8 * TAIL);
	const char *p = c->tail;
	size_t i;

	while (c->tail_len && strchr(" \t\r\n", c->tail[c->tail_len - 1])) /* the NUL as well */
		c->tail_len--;
	c->tail[c->tail_len] = '\0';
	for (i = 0; i < c->tail_len; i++)
		if (!c->tail[i])
			c->tail[i] = ' ';
	for (;; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue; /* not from the middle of a character */
		shown.n = 0;
		if (display_lines(p, &shown) || shown.n < SHOWN)
			break;
	}
	snprintf(out, SHOWN, "%s", shown.n ? (const char *)shown.p : "-");
}

int command_finish(struct command *c, struct err *err)
{
	char shown[SHOWN];
	int status;
	pid_t r;

	io_close_quietly(&c->out);
	r = wait_for_end(c, &status);
	c->pid = 0;
	if (r < 0)
		return err_sys(err, "E-CMD-02", errno, "%s", text("cannot learn how the command ended"));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	show_errors(c, shown);
	if (WIFSIGNALED(status))
		return err_set(err, "E-CMD-02", text("the command was ended by signal %d: %s"), WTERMSIG(status), shown);
	return err_set(err, "E-CMD-02", text("the command failed with status %d: %s"), WEXITSTATUS(status), shown);
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
