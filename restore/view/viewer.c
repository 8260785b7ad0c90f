/* viewer: see viewer.h.
 *
 * Between this process and the shower: a socket, one byte for "show"; its end is the sign to stop.  Between the shower and the maker: a pipe,
 * one byte when the first page is there. */
#include "restore/view/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/extract/scratch.h"
#include "restore/view/browser.h"
#include "restore/view/look.h"

#define AT_ONCE_S    3
#define UNMOUNTED_MS 20000 /* how long the keeper waits for it */

struct viewer {
	int fd;	   /* to the shower */
	int alive; /* closed, by whatever end of this process too: the keeper may erase */
	pid_t keeper;
};

static void ignore_interrupts(void)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], SIG_IGN);
}

/* The exit code of a process that has ended. */
static int code_of(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : APP_FAILED;
}

/* ---- the maker of pages ---- */

static void on_ready(void *arg, const struct look *l)
{
	(void)l;
	(void)!write(*(int *)arg, "", 1);
}

/* Nobody hears the first page any more: the shower has ended, or been told to. */
static bool on_stop(void *arg)
{
	struct pollfd p = {*(int *)arg, POLLOUT, 0};

	return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

/* A person has ended it: what could not be read then is no fault of the medium. */
static bool is_over(int ready, const struct err *last, const struct err *err)
{
	return on_stop(&ready) || last->errnum == ENOTCONN || err->errnum == ENOTCONN;
}

__attribute__((noreturn)) static void make_pages(const struct viewer_plan *plan, int ready)
{
	struct look l = {.of = plan->of, .ready = on_ready, .stop = on_stop, .arg = &ready};
	int top = scratch_fd(plan->scratch);
	struct err err = ERR_INIT;
	char *place, *link = NULL;
	int r;

	l.data = openat(top, VIEWER_DATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	l.pages = openat(top, "pages", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (asprintf(&place, "%s/" VIEWER_DATA, scratch_path(plan->scratch)) >= 0)
		link = look_link(place);
	if (!link || l.data < 0 || l.pages < 0)
		_exit(app_error(&(struct err){.code = "E-VIEW-05", .msg = "data, pages"}, APP_FAILED));
	l.link = link;
	confine_thread(l.pages);
	r = look_folder(&l, &err);
	if (is_over(ready, &l.last, &err))
		_exit(APP_OK);
	if (r)
		_exit(app_error(&err, APP_FAILED));
	if (!plan->quiet)
		fprintf(stderr, text("%ju files: %ju patients, %ju studies, %ju documents\n"),
		    (uintmax_t)l.files, (uintmax_t)l.patients, (uintmax_t)l.studies, (uintmax_t)l.documents);
	_exit(l.faults ? app_error(&l.last, APP_ATTENTION) : APP_OK);
}

static pid_t start_maker(const struct viewer_plan *plan, int *ret_ready)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(pair[0]);
		make_pages(plan, pair[1]);
	}
	close(pair[1]);
	*ret_ready = pair[0];
	return pid;
}

/* ---- the shower ---- */

struct shower {
	const struct viewer_plan *plan;
	int fd, ready, maker_fd, browser_fd;
	pid_t parent, maker, browser;
	time_t begun, opened;
	int code;
};

static int pid_fd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static time_t seconds(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) ? 0 : t.tv_sec;
}

static void open_browser(struct shower *s, const char *url)
{
	struct browser_request q = {scratch_path(s->plan->scratch), url, s->plan->hidden, s->plan->n_hidden};
	struct err err = ERR_INIT;

	s->opened = seconds();
	if (!browser_start(&q, &s->browser, &err))
		s->browser_fd = pid_fd(s->browser);
	else
		s->code = app_worse(s->code, app_error(&err, APP_ATTENTION));
}

/* The first page is there. */
static void show(struct shower *s)
{
	char *place, *link;
	char byte;

	if (read(s->ready, &byte, 1) != 1) { /* it has ended without one */
		io_close_quietly(&s->ready);
		return;
	}
	if (asprintf(&place, "%s/pages/index.html", scratch_path(s->plan->scratch)) < 0 ||
	    !(link = look_link(place)))
		app_no_memory();
	printf("%s\n", link);
	(void)!fflush(stdout);
	if (!s->plan->quiet)
		fprintf(stderr,
		    text("the first page is there after %jd s; Enter or Ctrl-C here ends it, and erases what "
			 "was made\n"),
		    (intmax_t)(seconds() - s->begun));
	if (s->plan->browser)
		open_browser(s, link);
	free(link);
	free(place);
}

/* Has a person closed it?  Who has no screen ends at once. */
static bool browser_ended(struct shower *s)
{
	struct err err = ERR_INIT;
	bool at_once = seconds() - s->opened < AT_ONCE_S;

	io_close_quietly(&s->browser_fd);
	(void)code_of(s->browser);
	s->browser = 0;
	if (!at_once)
		return true;
	err_set(&err, "E-VIEW-04", "%s", text("the browser ended at once"));
	err_hint(
	    &err, "%s", text("open the address above in a browser by hand: pull the network cable before"));
	s->code = app_worse(s->code, app_error(&err, APP_ATTENTION));
	return false;
}

/* One event.  False: it is to end. */
static bool listen_once(struct shower *s)
{
	struct pollfd p[] = {{s->fd, POLLIN, 0}, {s->ready, POLLIN, 0}, {s->maker_fd, POLLIN, 0},
	    {s->browser_fd, POLLIN, 0}, {isatty(STDIN_FILENO) ? STDIN_FILENO : -1, POLLIN, 0}};
	char byte;

	if (poll(p, sizeof(p) / sizeof(*p), -1) < 0)
		return errno == EINTR;
	if (p[0].revents)
		return false;
	if (p[1].revents)
		show(s);
	if (p[2].revents) {
		io_close_quietly(&s->maker_fd);
		s->code = app_worse(s->code, code_of(s->maker));
		s->maker = 0;
	}
	if ((p[3].revents && browser_ended(s)) || (p[4].revents && read(STDIN_FILENO, &byte, 1) <= 1))
		(void)kill(s->parent, SIGTERM); /* he ends it, and hangs up */
	return true;
}

__attribute__((noreturn)) static void serve(const struct viewer_plan *plan, int fd, pid_t parent)
{
	struct shower s = {plan, fd, -1, -1, -1, parent, 0, 0, seconds(), 0, APP_OK};
	char byte;

	ignore_interrupts();
	if (recv(fd, &byte, 1, 0) != 1)
		_exit(APP_OK);
	s.maker = start_maker(plan, &s.ready);
	if (s.maker < 0)
		_exit(app_error(&(struct err){.code = "E-VIEW-05", .msg = "fork"}, APP_FAILED));
	s.maker_fd = pid_fd(s.maker);
	while (listen_once(&s))
		;
	io_close_quietly(&s.ready); /* the maker ends */
	if (s.browser > 0) {
		(void)kill(s.browser, SIGKILL);
		(void)code_of(s.browser);
	}
	_exit(s.maker ? app_worse(s.code, code_of(s.maker)) : s.code);
}

/* ---- the keeper ---- */

static bool is_mounted(int top)
{
	struct stat above, data;

	return !fstat(top, &above) &&
	       (fstatat(top, VIEWER_DATA, &data, AT_SYMLINK_NOFOLLOW) ? errno != ENOENT
								      : above.st_dev != data.st_dev);
}

__attribute__((noreturn)) static void keep(const struct viewer_plan *plan, int alive, pid_t shower)
{
	struct scratch_erased erased;
	struct err err = ERR_INIT;
	int code = shower > 0 ? APP_OK : APP_FAILED;
	char gone;

	ignore_interrupts();
	(void)io_read_full(alive, &gone, 1);
	if (shower > 0)
		code = code_of(shower);
	for (int ms = 0; ms < UNMOUNTED_MS && is_mounted(scratch_fd(plan->scratch)); ms += 20)
		usleep(20000);
	if (scratch_undo(plan->scratch, &erased, &err))
		_exit(app_error(&err, APP_FAILED));
	if (!plan->quiet)
		fprintf(stderr, text("erased: %ju files, %ju folders\n"), (uintmax_t)erased.files,
		    (uintmax_t)erased.folders);
	_exit(code);
}

/* ---- asking ---- */

static int make_folders(const struct viewer_plan *plan, struct err *err)
{
	static const char *const names[] = {VIEWER_DATA, "pages", "home"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = io_make_dir(scratch_fd(plan->scratch), names[i], 0700, err);

		if (fd < 0)
			return -1;
		close(fd);
	}
	return 0;
}

static pid_t fork_keeper(const struct viewer_plan *plan, const int pair[2], const int alive[2])
{
	pid_t parent = getpid(), keeper = fork(), shower;

	if (keeper)
		return keeper;
	close(pair[0]);
	close(alive[1]);
	shower = fork();
	if (shower == 0) {
		close(alive[0]);
		serve(plan, pair[1], parent);
	}
	close(pair[1]);
	keep(plan, alive[0], shower);
}

int viewer_start(const struct viewer_plan *plan, struct viewer **ret, struct err *err)
{
	struct viewer *v = calloc(1, sizeof(*v));
	int pair[2], alive[2];

	if (!v)
		return err_nomem(err);
	if (make_folders(plan, err) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    pipe2(alive, O_CLOEXEC)) {
		free(v);
		return err_sys(
		    err, "E-VIEW-05", errno, "%s", text("what shows the charts cannot be started"));
	}
	v->keeper = fork_keeper(plan, pair, alive);
	close(pair[1]);
	close(alive[0]);
	v->fd = pair[0];
	v->alive = alive[1];
	if (v->keeper < 0) {
		err_sys(err, "E-VIEW-05", errno, "%s", text("what shows the charts cannot be started"));
		(void)viewer_end(v);
		return -1;
	}
	*ret = v;
	return 0;
}

int viewer_show(struct viewer *v, struct err *err)
{
	return send(v->fd, "", 1, MSG_NOSIGNAL) == 1
		   ? 0
		   : err_sys(err, "E-VIEW-05", errno, "%s", text("what shows the charts has died"));
}

void viewer_stop(struct viewer *v)
{
	io_close_quietly(&v->fd);
}

int viewer_end(struct viewer *v)
{
	int code = APP_OK;

	if (!v)
		return code;
	viewer_stop(v);
	close(v->alive);
	if (v->keeper > 0)
		code = code_of(v->keeper);
	free(v);
	return code;
}
