/* notify: see notify.h.
 *
 * The command gets a process group of its own, so that kill() reaches all it started; a file in memory as its input, so that
 * it may read it or not; and a pipe for what it says, of which the last TAIL bytes are kept.
 *
 * wait_for_end() waits for the command itself and not for the end of its output: a process that it left behind may hold the
 * pipe open for ever.  When the time is over the group is killed.  What it said goes into the hint, which is shown and never
 * recorded: names of patients may be in it. */
#include "cmd/app/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define TAIL	  200 /* bytes of what it wrote that are kept: the end says what went wrong */
#define SHOWN	  320
#define TICK_MS	  50
#define VARIABLES 8
#define VALUE	  1024

struct child {
	pid_t pid;
	int out; /* what it writes */
	size_t n;
	char tail[TAIL + 1];
};

/* ---- its environment and input ---- */

struct environment {
	char **list; /* only the array is ours, and `own` */
	char own[VARIABLES][VALUE];
};

static bool is_ours(const char *entry)
{
	static const char *const names[VARIABLES] = {"BKP_LINE=", "BKP_EXIT=", "BKP_COMMAND=", "BKP_SITE=",
	    "BKP_RUN=", "LC_ALL=", "LANG=", "BKP_TELL="};

	for (size_t i = 0; i < VARIABLES; i++)
		if (!strncmp(entry, names[i], strlen(names[i])))
			return true;
	return false;
}

static int environment_make(struct environment *e, const struct notify_message *m)
{
	size_t n = 0, k = 0;

	snprintf(e->own[0], VALUE, "BKP_LINE=%s", m->line);
	snprintf(e->own[1], VALUE, "BKP_EXIT=%d", m->exit);
	snprintf(e->own[2], VALUE, "BKP_COMMAND=%s", m->command);
	snprintf(e->own[3], VALUE, "BKP_SITE=%s", m->site);
	snprintf(e->own[4], VALUE, "BKP_RUN=%.*ju", m->run ? 1 : 0, (uintmax_t)m->run);
	snprintf(e->own[5], VALUE, "LC_ALL=%s", m->locale);
	snprintf(e->own[6], VALUE, "LANG=%s", m->locale);
	snprintf(e->own[7], VALUE, "BKP_TELL=%s", m->tell ? m->tell : "");
	while (environ && environ[n])
		n++;
	e->list = calloc(n + VARIABLES + 1, sizeof(*e->list));
	if (!e->list)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			e->list[k++] = environ[i];
	for (size_t i = 0; i < VARIABLES; i++)
		e->list[k++] = e->own[i];
	return 0;
}

/* A file in memory: whether and when the command reads it is its own business. */
static int input_make(const struct notify_message *m)
{
	IO_FD_AUTO fd = memfd_create("bkp-notify", MFD_CLOEXEC);

	if (fd < 0 || io_write_full(fd, m->line, strlen(m->line)) || io_write_full(fd, "\n", 1))
		return -1;
	if (m->details && *m->details &&
	    (io_write_full(fd, "\n", 1) || io_write_full(fd, m->details, strlen(m->details))))
		return -1;
	return lseek(fd, 0, SEEK_SET) ? -1 : io_take(&fd);
}

/* ---- the child ---- */

static void become_command(const char *line, int in, int out, char *const *env)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* what it starts is ended with it */
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	close_range(3, ~0U, 0); /* also what we were started with: it may outlive us */
	execle("/bin/sh", "sh", "-c", line, (char *)NULL, env);
	_exit(127);
}

static int start_child(const char *line, const struct notify_message *m, struct child *c)
{
	struct environment e = {0};
	IO_FD_AUTO in = input_make(m);
	int out[2] = {-1, -1}, saved;

	if (in < 0 || environment_make(&e, m))
		return -1;
	c->pid = pipe2(out, O_CLOEXEC | O_NONBLOCK) ? -1 : fork();
	if (c->pid == 0) {
		fcntl(out[1], F_SETFL, 0);
		become_command(line, in, out[1], e.list);
	}
	saved = errno;
	free(e.list);
	io_close_quietly(&out[1]);
	if (c->pid < 0) {
		io_close_quietly(&out[0]);
		errno = saved;
		return -1;
	}
	setpgid(c->pid, c->pid); /* whoever is first: it may have to be ended before it got there */
	c->out = out[0];
	return 0;
}

/* False at the end of what it writes. */
static bool take_output(struct child *c)
{
	char block[4096];
	ssize_t r = read(c->out, block, sizeof(block));
	size_t n, drop;

	if (r <= 0)
		return r < 0 && (errno == EINTR || errno == EAGAIN);
	n = (size_t)r > TAIL ? TAIL : (size_t)r;
	drop = c->n + n > TAIL ? c->n + n - TAIL : 0;
	memmove(c->tail, c->tail + drop, c->n - drop);
	memcpy(c->tail + c->n - drop, block + r - n, n);
	c->n += n - drop;
	return true;
}

static int64_t now_ms(void)
{
	return clock_read(CLOCK_MONOTONIC) / 1000000;
}

/* Waits for its end, not for that of what it left running behind it.  1: the time was over. */
static int wait_for_end(struct child *c, int64_t limit_s, int *ret_status)
{
	int64_t end = now_ms() + limit_s * 1000;
	struct pollfd fd = {.fd = c->out, .events = POLLIN};
	bool open = true, late = false;
	pid_t r;

	while ((r = waitpid(c->pid, ret_status, WNOHANG)) == 0) {
		if (limit_s > 0 && now_ms() >= end) {
			kill(-c->pid, SIGKILL);
			late = true;
			r = waitpid(c->pid, ret_status, 0);
			break;
		}
		fd.fd = open ? c->out : -1;
		if (poll(&fd, 1, TICK_MS) > 0)
			open = take_output(c);
	}
	for (int i = 0; i < 20 && open && poll(&fd, 1, 0) > 0; i++) /* what is in the pipe, and no more */
		open = take_output(c);
	return r < 0 ? -1 : late;
}

static const char *said_words(struct child *c, char out[SHOWN])
{
	size_t from = 0;

	while (c->n && strchr(" \t\r\n", c->tail[c->n - 1])) /* the NUL as well */
		c->n--;
	c->tail[c->n] = '\0';
	for (size_t i = 0; i < c->n; i++)
		if ((unsigned char)c->tail[i] < ' ')
			c->tail[i] = ' ';
	/* not from the middle of a character */
	while (from < c->n && ((unsigned char)c->tail[from] & 0xc0) == 0x80)
		from++;
	return path_show(c->n > from ? c->tail + from : text("it said nothing"), out, SHOWN);
}

static int report_end(struct child *c, int late, int64_t limit_s, int status, struct err *err)
{
	char shown[SHOWN], hint[SHOWN + 160];

	/* in the hint, which is shown and not recorded */
	snprintf(hint, sizeof(hint),
	    text("it said: %s; try it with 'bkp notify --test'; see 'notify' in the policy"),
	    said_words(c, shown));
	if (late < 0)
		err_sys(err, "W-NOTIFY-01", errno, "%s", text("nobody was told: the notify command is lost"));
	else if (late)
		err_set(err, "W-NOTIFY-01",
		    text("nobody was told: the notify command took longer than %jd s and was ended"),
		    (intmax_t)limit_s);
	else if (WIFSIGNALED(status))
		err_set(err, "W-NOTIFY-01",
		    text("nobody was told: the notify command was ended by signal %d"), WTERMSIG(status));
	else if (WEXITSTATUS(status))
		err_set(err, "W-NOTIFY-01", text("nobody was told: the notify command failed with status %d"),
		    WEXITSTATUS(status));
	else
		return 0;
	return err_hint(err, "%s", hint);
}

int notify_run(const char *shell_command, int64_t limit_s, const struct notify_message *m, struct err *err)
{
	struct child c = {0};
	int late, status = 0, r;

	if (start_child(shell_command, m, &c)) {
		err_sys(err, "W-NOTIFY-01", errno, "%s",
		    text("nobody was told: the notify command cannot be started"));
		return err_hint(
		    err, "%s", text("try it with 'bkp notify --test'; see 'notify' in the policy"));
	}
	late = wait_for_end(&c, limit_s, &status);
	r = report_end(&c, late, limit_s, status, err);
	io_close_quietly(&c.out);
	return r;
}
