/* scanner: see scanner.h.
 *
 * Three processes: this one; the keeper, which waits and erases; below it the starter, which is confined and runs the command.  Between
 * this one and the starter: a socket, a byte for each run, a struct answer and what was printed. */
#include "restore/bisect/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"
#include "restore/extract/scratch.h"
#include "restore/command/step_run.h"

#define COMMAND_MAX ((size_t)64 << 10)

struct scanner {
	int fd;
	int alive; /* closed, by whatever end of this process too: the keeper may erase */
	pid_t keeper;
};

struct answer {
	int r;
	enum step_run_end end;
	int status;
	bool over;
	size_t n;
	struct err err;
};

/* ---- the starter ---- */

/* As one word of the shell. */
static int put_quoted(const char *folder, const char *name, struct buf *out, struct err *err)
{
	int r = buf_puts(out, "'", err);

	for (const char *p = folder; *p && !r; p++)
		r = *p == '\'' ? buf_puts(out, "'\\''", err) : buf_append(out, p, 1, err);
	return r || buf_printf(out, err, "/%s'", name) ? -1 : 0;
}

static int put_command(const char *command, const char *folder, struct buf *out, struct err *err)
{
	static const struct {
		const char *word, *name;
	} places[] = {{"{}", "run"}, {"{list}", "list"}};
	int r = 0;

	while (*command && !r) {
		size_t i = 0;

		while (i < 2 && strncmp(command, places[i].word, strlen(places[i].word)) != 0)
			i++;
		r = i < 2 ? put_quoted(folder, places[i].name, out, err) : buf_append(out, command, 1, err);
		command += i < 2 ? strlen(places[i].word) : 1;
	}
	return r || buf_terminate(out, err) ? -1 : 0;
}

static int serve_one(int fd, struct step_run_request *q)
{
	struct step_run_result ran = {.value = NULL};
	struct answer a = {.err = ERR_INIT};
	char go;
	int r;

	if (io_read_full(fd, &go, 1) != 1)
		return -1;
	a.r = step_run(q, &ran, &a.err);
	a.end = ran.end;
	a.status = ran.status;
	a.over = ran.value_over;
	a.n = a.r ? 0 : ran.value_n;
	if (!a.r && (a.end != STEP_RUN_EXITED || a.status > 1)) {
		/* its last words say why; a line of them is enough */
		size_t n = ran.tail_n;

		while (n && ran.tail[n - 1] == '\n')
			n--;
		for (r = (int)n; r && ran.tail[r - 1] != '\n';)
			r--;
		snprintf(a.err.msg, sizeof(a.err.msg), "%.*s", (int)n - r, ran.tail + r);
	}
	r = io_write_full(fd, &a, sizeof(a)) || io_write_full(fd, ran.value ? ran.value : "", a.n);
	step_run_free(&ran);
	return r;
}

__attribute__((noreturn)) static void serve(
    int fd, const char *command, const struct scratch *scratch, const char *const *hidden, size_t n)
{
	const char *path = getenv("PATH"), *folder = scratch_path(scratch);
	char *environment[] = {NULL, NULL, NULL, NULL, NULL};
	struct buf text_of = BUF_INIT(COMMAND_MAX);
	struct step_run_request q = {
	    .environment = environment, .limit_s = SCANNER_LIMIT, .value_max = SCANNER_TEXT};

	confine_scanner(folder, hidden, n);
	/* by its name once more: so it is the folder in which nothing is executed */
	q.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (q.folder < 0 || put_command(command, folder, &text_of, NULL) ||
	    interrupt_hold(&q.interrupt, NULL) ||
	    asprintf(&environment[0], "PATH=%s", path && *path ? path : "/usr/sbin:/usr/bin:/sbin:/bin") <
		0 ||
	    asprintf(&environment[1], "HOME=%s/tmp", folder) < 0 ||
	    asprintf(&environment[2], "TMPDIR=%s/tmp", folder) < 0)
		_exit(1);
	environment[3] = (char *)(uintptr_t) "LANG=C.UTF-8";
	/* who asked may not signal us (confine.h): that he hangs up is a signal, and ends what is running */
	if (fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, SIGTERM) || fcntl(fd, F_SETFL, O_ASYNC))
		_exit(1);
	q.command = (const char *)text_of.p;
	while (!serve_one(fd, &q))
		;
	_exit(0);
}

/* ---- the keeper ---- */

__attribute__((noreturn)) static void keep(int fd, pid_t starter, struct scratch *scratch)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct scratch_erased erased;
	struct err err = ERR_INIT;
	char gone;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], SIG_IGN);
	(void)io_read_full(fd, &gone, 1);
	while (starter > 0 && waitpid(starter, NULL, 0) < 0 && errno == EINTR)
		;
	if (!scratch_undo(scratch, &erased, &err))
		_exit(0);
	_exit(app_error(&err, APP_FAILED));
}

static pid_t fork_keeper(const char *command, struct scratch *scratch, const char *const *hidden, size_t n,
    const int pair[2], const int alive[2])
{
	pid_t keeper = fork(), starter;

	if (keeper)
		return keeper;
	close(pair[0]);
	starter = fork();
	if (starter == 0) {
		close(alive[0]);
		close(alive[1]);
		serve(pair[1], command, scratch, hidden, n);
	}
	close(pair[1]);
	close(alive[1]);
	keep(alive[0], starter, scratch);
}

/* ---- asking ---- */

static int no_scanner(int errnum, struct err *err)
{
	return errnum
		   ? err_sys(err, "E-BISECT-02", errnum, "%s", text("the scanner cannot be started"))
		   : err_set(err, "E-BISECT-02", "%s", text("the process that starts the scanner has ended"));
}

int scanner_start(const char *command, struct scratch *scratch, const char *const *hidden, size_t n,
    struct scanner **ret, struct err *err)
{
	struct scanner *s = calloc(1, sizeof(*s));
	int pair[2], alive[2];

	if (!s)
		return err_nomem(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || pipe2(alive, O_CLOEXEC)) {
		free(s);
		return no_scanner(errno, err);
	}
	s->keeper = fork_keeper(command, scratch, hidden, n, pair, alive);
	close(pair[1]);
	close(alive[0]);
	s->fd = pair[0];
	s->alive = alive[1];
	if (s->keeper < 0) {
		no_scanner(errno, err);
		(void)scanner_end(s);
		return -1;
	}
	*ret = s;
	return 0;
}

/* While it is at work a person may want to end: then it is ended, and answers all the same. */
static void await_answer(struct scanner *s, struct interrupt *interrupt, unsigned before)
{
	for (bool told = false;;) {
		struct pollfd fds[] = {{s->fd, POLLIN, 0}, {told ? -1 : interrupt_fd(interrupt), POLLIN, 0}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		if (!told && fds[1].revents && interrupt_count(interrupt) != before) {
			told = true;
			shutdown(s->fd, SHUT_WR);
		}
	}
}

static int judge_answer(const struct answer *a, struct err *err)
{
	char said[sizeof(a->err.msg)];

	if (a->r) {
		if (err)
			*err = a->err;
		return SCANNER_TROUBLE;
	}
	switch (a->end) {
	case STEP_RUN_INTERRUPTED:
		return err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
	case STEP_RUN_SIGNALLED:
		err_set(err, "E-BISECT-02", text("the scanner was ended by signal %d"), a->status);
		return SCANNER_TROUBLE;
	case STEP_RUN_LIMIT:
		err_set(
		    err, "E-BISECT-02", text("the scanner was stopped after %d hours"), SCANNER_LIMIT / 3600);
		return SCANNER_TROUBLE;
	default:
		path_show(a->err.msg, said, sizeof(said));
		if (a->status > 1)
			err_set(err, "E-BISECT-02", text("the scanner ended with status %d%s%s"), a->status,
			    *said ? ": " : "", said);
		else if (a->over)
			err_set(err, "E-BISECT-02", "%s", text("the scanner printed too much"));
		return a->status > 1 || a->over ? SCANNER_TROUBLE : 0;
	}
}

int scanner_run(
    struct scanner *s, struct interrupt *interrupt, struct buf *out, int *ret_status, struct err *err)
{
	unsigned before = interrupt_count(interrupt);
	struct answer a;

	if (send(s->fd, "", 1, MSG_NOSIGNAL) != 1)
		return no_scanner(0, err);
	await_answer(s, interrupt, before);
	if (io_read_full(s->fd, &a, sizeof(a)) != sizeof(a) || a.n > SCANNER_TEXT)
		return no_scanner(0, err);
	if (buf_reserve(out, a.n + 1, err))
		return -1;
	if (io_read_full(s->fd, out->p + out->n, a.n) != (ssize_t)a.n)
		return no_scanner(0, err);
	out->n += a.n;
	*ret_status = a.status;
	return judge_answer(&a, err);
}

int scanner_end(struct scanner *s)
{
	int status = 0;

	if (!s)
		return 0;
	close(s->fd);
	close(s->alive);
	while (s->keeper > 0 && waitpid(s->keeper, &status, 0) < 0 && errno == EINTR)
		;
	free(s);
	return status ? -1 : 0;
}
