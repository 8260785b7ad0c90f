/* isolation: see isolation.h.
 *
 * A process of its own (hold_place) is the first of the new namespaces, and does nothing but be there: when it ends the kernel ends all that
 * run in them.  A namespace of processes is entered by one's children only, so a command has a process in front of it outside, of the same
 * group, which ends as the command ends (isolation_enter). */
#include "restore/command/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/command/isolation_private.h"

#define SPACES	(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)
#define SOCKETS "/proc/net/unix"

struct isolation {
	char *scratch;
	pid_t first;
	int process; /* pidfd of the first */
};

/* ---- what is to be hidden ---- */

static int add_path(char ***list, size_t *n, const char *path, struct err *err)
{
	char *real = realpath(path, NULL), **more;

	if (!real)
		return errno == ENOMEM ? err_nomem(err) : 0; /* it is not there */
	more = reallocarray(*list, *n + 1, sizeof(*more));
	if (!more) {
		free(real);
		return err_nomem(err);
	}
	*list = more;
	more[(*n)++] = real;
	return 0;
}

/* Sockets in folders: who may write to one talks to the program behind it, however read-only the file system is. */
static int add_sockets(struct isolation_plan *p, struct err *err)
{
	FILE *f = fopen(SOCKETS, "re");
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!f)
		return err_sys(err, "E-DRILL-29", errno, "%s", SOCKETS);
	while (!r && getline(&line, &room, f) > 0) {
		char *path = strchr(line, '/');
		struct stat st;

		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
			r = add_path(&p->hidden, &p->n_hidden, path, err);
	}
	if (!r && ferror(f))
		r = err_sys(err, "E-DRILL-29", errno, "%s", SOCKETS);
	free(line);
	fclose(f);
	return r;
}

static void plan_free(struct isolation_plan *p)
{
	while (p->n_seen)
		free(p->seen[--p->n_seen]);
	while (p->n_hidden)
		free(p->hidden[--p->n_hidden]);
	free(p->seen);
	free(p->hidden);
}

static int plan_make(const struct isolation_request *q, struct isolation_plan *p, struct err *err)
{
	p->scratch = q->scratch;
	for (size_t i = 0; i < q->n_seen; i++)
		if (add_path(&p->seen, &p->n_seen, q->seen[i], err))
			return -1;
	for (size_t i = 0; i < q->n_hidden; i++)
		if (add_path(&p->hidden, &p->n_hidden, q->hidden[i], err))
			return -1;
	return add_sockets(p, err);
}

/* ---- without root ---- */

static int write_file(const char *path, const char *s)
{
	IO_FD_AUTO fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, s, strlen(s)) != (ssize_t)strlen(s) ? -1 : 0;
}

/* Who has no rights has them over namespaces of his own. */
static int become_own_user(void)
{
	char user[64], group[64];

	snprintf(user, sizeof(user), "%u %u 1", geteuid(), geteuid());
	snprintf(group, sizeof(group), "%u %u 1", getegid(), getegid());
	return unshare(CLONE_NEWUSER) || write_file("/proc/self/setgroups", "deny") ||
		       write_file("/proc/self/uid_map", user) || write_file("/proc/self/gid_map", group)
		   ? -1
		   : 0;
}

/* ---- the first process ---- */

static void hold_place(const struct isolation_plan *p, int said)
{
	struct isolation_fault f = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "bkp-isolation");
	setsid();
	umask(0);
	signal(SIGCHLD, SIG_IGN); /* what nobody waits for is gone at once */
	if (isolation_make(p, &f)) {
		(void)!write(said, &f, sizeof(f));
		_exit(1);
	}
	(void)!write(said, &f, sizeof(f));
	close_range(0, ~0U, 0);
	for (;;)
		pause();
}

static int wait_ready(int said, struct isolation_fault *f)
{
	if (io_read_full(said, f, sizeof(*f)) == sizeof(*f))
		return f->errnum ? -1 : 0;
	*f = (struct isolation_fault){EPIPE, "-"};
	return -1;
}

static int start_first(struct isolation *i, const struct isolation_plan *p, struct isolation_fault *f)
{
	int said[2], r;
	long pid;

	if (pipe2(said, O_CLOEXEC))
		return -1;
	pid = syscall(SYS_clone, SPACES | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		hold_place(p, said[1]);
	close(said[1]);
	if (pid < 0) {
		f->errnum = errno;
		close(said[0]);
		return -1;
	}
	i->first = (pid_t)pid;
	r = wait_ready(said[0], f);
	close(said[0]);
	return r;
}

static int begin(struct isolation *i, const struct isolation_plan *p, struct isolation_fault *f)
{
	snprintf(f->what, sizeof(f->what), "namespaces");
	if ((geteuid() != 0 && become_own_user()) || start_first(i, p, f)) {
		f->errnum = f->errnum ? f->errnum : errno;
		return -1;
	}
	i->process = (int)syscall(SYS_pidfd_open, i->first, 0);
	if (i->process >= 0)
		return 0;
	f->errnum = errno;
	return -1;
}

int isolation_begin(const struct isolation_request *q, struct isolation **ret, struct err *err)
{
	struct isolation *i = calloc(1, sizeof(*i));
	struct isolation_plan plan = {.scratch = NULL};
	struct isolation_fault f = {0};
	char shown[200];
	int r = -1;

	if (!i)
		return err_nomem(err);
	i->process = -1;
	i->scratch = strdup(q->scratch);
	if (!i->scratch)
		err_nomem(err);
	else if (!plan_make(q, &plan, err) && (r = begin(i, &plan, &f)))
		err_sys(err, "E-DRILL-29", f.errnum, text("commands cannot be isolated: %s"),
		    path_show(f.what, shown, sizeof(shown)));
	plan_free(&plan);
	if (r) {
		isolation_end(i);
		return -1;
	}
	*ret = i;
	return 0;
}

void isolation_end(struct isolation *i)
{
	if (!i)
		return;
	if (i->first > 0) {
		/* and with it all that run there: it is gone when they are */
		kill(i->first, SIGKILL);
		while (waitpid(i->first, NULL, 0) < 0 && errno == EINTR)
			;
	}
	io_close_quietly(&i->process);
	free(i->scratch);
	free(i);
}

/* ---- commands ---- */

pid_t isolation_process(const struct isolation *i)
{
	return i->first;
}

/* Ends as it ended. */
static void end_as(int status)
{
	const struct rlimit none = {0, 0};

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	_exit(127);
}

/* The command's end is awaited; what is to end it reaches it by itself, they are of one group. */
static void stand_before(pid_t command)
{
	static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	int status = 0;

	for (size_t k = 0; k < sizeof(passed_on) / sizeof(*passed_on); k++)
		signal(passed_on[k], SIG_IGN);
	close_range(0, ~0U, 0);
	while (waitpid(command, &status, 0) < 0 && errno == EINTR)
		;
	end_as(status);
}

int isolation_enter(const struct isolation *i)
{
	pid_t command;
	int errnum;

	if (setns(i->process, CLONE_NEWPID) || (command = fork()) < 0)
		return errno;
	if (command)
		stand_before(command);
	/* the folder anew, by its name: a descriptor from outside leads outside */
	if (setns(i->process, SPACES) || chdir(i->scratch))
		return errno;
	if ((errnum = isolation_filter()))
		return errnum;
	return geteuid() == 0 ? isolation_drop() : 0;
}
