/* command: see command.h. */
#include "write/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define TAIL 600 /* bytes of standard error kept: its end says what went wrong */

struct command {
	pid_t pid;
	int out, errors;
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
	if (pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || (c->pid = fork()) < 0) {
		err_sys(err, "E-CMD-01", errno, text("cannot start '%s'"), line);
		for (int i = 0; i < 2; i++) {
			io_close_quietly(&out[i]);
			io_close_quietly(&errors[i]);
		}
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
		struct pollfd fds[2] = {{c->out, POLLIN, 0}, {c->errors, POLLIN, 0}};

		if (poll(fds, c->errors >= 0 ? 2 : 1, -1) < 0) {
			if (errno == EINTR)
				continue;
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

int command_finish(struct command *c, struct err *err)
{
	char shown[TAIL + 200];
	int status;
	pid_t r;

	io_close_quietly(&c->out);
	/* standard error is read until the command has ended, not until it is closed: something left running in the
	 * background may hold it open for ever */
	for (;;) {
		struct pollfd fd = {c->errors, POLLIN, 0};
		int ready = poll(&fd, 1, 50); /* a closed one (-1) is only a pause */

		if (ready > 0)
			take_errors(c);
		r = ready > 0 ? 0 : waitpid(c->pid, &status, WNOHANG);
		if (r > 0 || (r < 0 && errno != EINTR))
			break;
	}
	c->pid = 0;
	if (r < 0)
		return err_sys(err, "E-CMD-02", errno, "%s", text("cannot learn how the command ended"));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	c->tail[c->tail_len] = '\0';
	path_show(c->tail, shown, sizeof(shown));
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
	free(c);
}
