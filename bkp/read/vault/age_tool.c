/* age_tool: see age_tool.h.
 *
 * All of the input is in its pipe before the program is started, so that nobody waits for anybody; then one poll over its output and its
 * standard error until both end.  A third pipe (said) closes by itself at the exec; an errno in it says that there was none. */
#include "read/vault/age_tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/period.h"

#define LINE	   1024
#define PASSED_MAX 8192 /* bytes of standard error that are passed on */
#define NO_MATCH   "no identity matched any of the recipients"
#define REPORT	   "report unexpected or unhelpful errors at"

struct tool {
	const char *name;
	pid_t pid;
	int out, errors, said;
	int64_t end_ns;
	char line[LINE]; /* of its standard error */
	size_t line_n, passed;
	bool no_match;
	const char *why; /* it was killed */
};

static int fill_pipe(int fd[2], const void *p, size_t n)
{
	if (pipe2(fd, O_CLOEXEC))
		return -1;
	errno = EFBIG;
	if (n > PERIOD_FILE_MAX || (fcntl(fd[1], F_GETPIPE_SZ) < (int)n &&
				       fcntl(fd[1], F_SETPIPE_SZ, (int)PERIOD_FILE_MAX) < (int)n))
		return -1;
	return io_write_full(fd[1], p, n);
}

static void run_child(char *const argv[], int in, int out, int errors, int said)
{
	sigset_t none;
	int errnum;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(errors, 2) >= 0)
		execvp(argv[0], argv);
	errnum = errno;
	(void)!write(said, &errnum, sizeof(errnum));
	_exit(127);
}

/* 0, or an errno. */
static int start(struct tool *t, char *const argv[], const void *p, size_t n)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, said[2] = {-1, -1}, errnum = 0;

	if (fill_pipe(in, p, n) || pipe2(out, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) ||
	    pipe2(said, O_CLOEXEC) || (t->pid = fork()) < 0)
		errnum = errno;
	else if (t->pid == 0)
		run_child(argv, in[0], out[1], errors[1], said[1]);
	io_close_quietly(&in[0]);
	io_close_quietly(&in[1]);
	io_close_quietly(&out[1]);
	io_close_quietly(&errors[1]);
	io_close_quietly(&said[1]);
	t->out = out[0];
	t->errors = errors[0];
	t->said = said[0];
	return errnum;
}

/* ---- while it runs ---- */

static void pass_line(struct tool *t)
{
	bool no_match = memmem(t->line, t->line_n, NO_MATCH, strlen(NO_MATCH));

	t->no_match |= no_match;
	if (!no_match && !memmem(t->line, t->line_n, REPORT, strlen(REPORT)) && t->passed < PASSED_MAX) {
		(void)!io_write_full(STDERR_FILENO, t->line, t->line_n);
		t->passed += t->line_n;
	}
	t->line_n = 0;
}

static void take_errors(struct tool *t)
{
	char block[LINE];
	ssize_t n = read(t->errors, block, sizeof(block));

	for (ssize_t i = 0; i < n; i++) {
		t->line[t->line_n++] = iscntrl((unsigned char)block[i]) && block[i] != '\n' ? '?' : block[i];
		if (block[i] == '\n' || t->line_n == sizeof(t->line))
			pass_line(t);
	}
	if (n == 0 || (n < 0 && errno != EINTR)) {
		pass_line(t);
		io_close_quietly(&t->errors);
	}
}

/* Into room that is there: nothing of a secret is left where a buffer grew. */
static void take_output(struct tool *t, struct buf *out)
{
	char over;
	bool full = out->n == out->max;
	ssize_t n = read(t->out, full ? &over : (char *)out->p + out->n, full ? 1 : out->max - out->n);

	if (n > 0 && full)
		t->why = text("it gave more than a key's file has");
	else if (n > 0)
		out->n += (size_t)n;
	else if (n == 0 || errno != EINTR)
		io_close_quietly(&t->out);
}

static void attend(struct tool *t, struct buf *out)
{
	while ((t->out >= 0 || t->errors >= 0) && !t->why) {
		struct pollfd fds[] = {{t->out, POLLIN, 0}, {t->errors, POLLIN, 0}};
		int64_t left_ms = (t->end_ns - clock_read(CLOCK_BOOTTIME)) / 1000000;

		if (left_ms <= 0)
			t->why = text("it did not end in time");
		else if (poll(fds, 2, left_ms > 60000 ? 60000 : (int)left_ms) > 0) {
			if (fds[0].revents)
				take_output(t, out);
			if (fds[1].revents)
				take_errors(t);
		}
	}
}

/* ---- the end ---- */

static int failed(const struct tool *t, int status, struct err *err)
{
	if (t->why)
		err_set(err, "E-AGE-11", text("'%s' failed: %s"), t->name, t->why);
	else if (WIFSIGNALED(status))
		err_set(err, "E-AGE-11", text("'%s' was ended by signal %d"), t->name, WTERMSIG(status));
	else
		err_set(
		    err, "E-AGE-11", text("'%s' failed with exit status %d"), t->name, WEXITSTATUS(status));
	return err_hint(err, "%s",
	    text("what it said stands above; is the token plugged in, and its plug-in (age-plugin-…) "
		 "installed?"));
}

static int missing(const struct tool *t, int errnum, struct err *err)
{
	err_sys(err, "E-AGE-10", errnum, text("the program '%s' cannot be started"), t->name);
	return err_hint(err, "%s",
	    text("plug-ins and SSH keys need it: 'apt-get install age'; an identity AGE-SECRET-KEY-1… needs "
		 "nothing"));
}

static int finish(struct tool *t, struct err *err)
{
	int status = 0, errnum = 0;
	bool started = io_read_full(t->said, &errnum, sizeof(errnum)) != sizeof(errnum);

	if (t->why)
		kill(t->pid, SIGKILL);
	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!started)
		return missing(t, errnum, err);
	if (!t->why && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	failed(t, status, err);
	if (t->why || !t->no_match)
		return -1;
	err_kind(err, ERR_WRONG_KEY);
	return AGE_NO_MATCH;
}

int age_tool_run(char *const argv[], int limit_s, const void *p, size_t n, struct buf *out, struct err *err)
{
	struct tool t = {.name = argv[0],
	    .out = -1,
	    .errors = -1,
	    .said = -1,
	    .end_ns = clock_read(CLOCK_BOOTTIME) + limit_s * SECOND_NS};
	size_t before = out->n;
	int errnum, r;

	if (buf_reserve(out, out->max - out->n, err))
		return -1;
	errnum = start(&t, argv, p, n);
	if (errnum) {
		r = missing(&t, errnum, err);
	} else {
		attend(&t, out);
		r = finish(&t, err);
	}
	io_close_quietly(&t.out);
	io_close_quietly(&t.errors);
	io_close_quietly(&t.said);
	if (r) {
		sodium_memzero(out->p + before, out->n - before);
		out->n = before;
	}
	return r;
}

int age_tool_seal(void *arg, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err)
{
	char age[] = "age", r[] = "-r";
	char *argv[] = {age, r, (char *)(uintptr_t)recipient, NULL};

	(void)arg;
	return age_tool_run(argv, AGE_TOOL_SECONDS, p, n, out, err) ? -1 : 0;
}

int age_tool_open(void *arg, const char *identity, const void *p, size_t n, struct buf *out, struct err *err)
{
	char age[] = "age", d[] = "-d", i[] = "-i";
	char *argv[] = {age, d, i, (char *)(uintptr_t)identity, NULL};

	(void)arg;
	return age_tool_run(argv, AGE_TOOL_SECONDS, p, n, out, err);
}
