/* browser: see browser.h.
 *
 * Two processes: the first one enters the namespaces and waits; the second one is the first of its namespace of processes and becomes the
 * browser: when it ends, or the first one does, the kernel ends all that it has started. */
#include "restore/view/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"

#define INNER_ID 1000 /* what root is called inside: browsers refuse to be root */
#define WORDS	 24

static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path && *path ? path : "/usr/local/bin:/usr/bin:/bin"), *rest = copy, *dir,
	     *file = NULL;

	if (strchr(name, '/'))
		file = access(name, X_OK) ? NULL : strdup(name);
	else
		while (!file && copy && (dir = strsep(&rest, ":")))
			if (asprintf(&file, "%s/%s", dir, name) < 0 || access(file, X_OK)) {
				free(file);
				file = NULL;
			}
	free(copy);
	return file;
}

/* The caller's; NULL: there is none. */
static char *choose(void)
{
	static const char *const names[] = {
	    "x-www-browser", "chromium", "google-chrome", "firefox-esr", "firefox"};
	const char *own = getenv("BROWSER");
	char *file = own && *own ? find_program(own) : NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !file; i++)
		file = find_program(names[i]);
	return file;
}

/* ---- what it is given ---- */

struct start {
	char *words[WORDS], *environment[WORDS];
	size_t n, n_environment;
	bool failed; /* no memory */
};

static void add(struct start *s, char **list, size_t *n, const char *name, const char *value)
{
	s->failed |= *n >= WORDS - 1 || asprintf(&list[(*n)++], "%s%s", name, value) < 0;
}

static void add_environment(struct start *s, const struct browser_request *q)
{
	static const char *const kept[] = {
	    "PATH", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XAUTHORITY", "LANG", "LC_ALL"};
	const char *home = getenv("HOME");
	char name[32], place[4096];

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		snprintf(name, sizeof(name), "%s=", kept[i]);
		if (getenv(kept[i]))
			add(s, s->environment, &s->n_environment, name, getenv(kept[i]));
	}
	if (!getenv("XAUTHORITY") && home) {
		snprintf(place, sizeof(place), "%s/.Xauthority", home);
		add(s, s->environment, &s->n_environment, "XAUTHORITY=", place);
	}
	snprintf(place, sizeof(place), "%s/home", q->folder);
	add(s, s->environment, &s->n_environment, "HOME=", place);
	snprintf(place, sizeof(place), "%s/tmp", q->folder);
	add(s, s->environment, &s->n_environment, "TMPDIR=", place);
}

static void add_words(struct start *s, const struct browser_request *q, const char *program)
{
	static const char *const chromium[] = {"--no-first-run", "--no-default-browser-check",
	    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
	    "--disable-sync", "--password-store=basic", "--new-window"};
	char *real = realpath(program, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL, *name = slash ? slash : program;
	char place[4096];

	snprintf(place, sizeof(place), "%s/home/profile", q->folder);
	add(s, s->words, &s->n, program, "");
	if (strstr(name, "chrom")) {
		add(s, s->words, &s->n, "--user-data-dir=", place);
		for (size_t i = 0; i < sizeof(chromium) / sizeof(*chromium); i++)
			add(s, s->words, &s->n, chromium[i], "");
	} else if (strstr(name, "firefox")) {
		add(s, s->words, &s->n, "--no-remote", "");
		add(s, s->words, &s->n, "--profile", "");
		add(s, s->words, &s->n, place, "");
	}
	add(s, s->words, &s->n, q->url, "");
	free(real);
}

static void forget(struct start *s)
{
	for (size_t i = 0; i < WORDS; i++) {
		free(s->words[i]);
		free(s->environment[i]);
	}
}

/* ---- apart ---- */

static int write_id(const char *file, const char *words)
{
	IO_FD_AUTO fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || io_write_full(fd, words, strlen(words)) ? -1 : 0;
}

/* One user and one group, who inside is not root. */
static int enter_namespaces(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1", uid ? (unsigned)uid : INNER_ID, (unsigned)uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid ? (unsigned)gid : INNER_ID, (unsigned)gid);
	return unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) ||
		       write_id("/proc/self/setgroups", "deny") || write_id("/proc/self/uid_map", users) ||
		       write_id("/proc/self/gid_map", groups)
		   ? -1
		   : 0;
}

/* Tells why it did not come to be. */
__attribute__((noreturn)) static void give_up(int fd, const char *what)
{
	struct err err = ERR_INIT;

	err_sys(&err, "E-VIEW-04", errno, "%s", what);
	(void)!write(fd, &err, sizeof(err));
	_exit(1);
}

__attribute__((noreturn)) static void become(const struct browser_request *q, struct start *s, int fd)
{
	int null = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 3 && null >= 0; i++)
		(void)dup2(null, i);
	if (confine_browser(q->folder, q->hidden, q->n_hidden))
		give_up(fd, text("the browser cannot be kept apart"));
	interrupt_child();
	execve(s->words[0], s->words, s->environment);
	give_up(fd, text("the browser cannot be started"));
}

__attribute__((noreturn)) static void stand_between(const struct browser_request *q, struct start *s, int fd)
{
	pid_t pid;
	int status = 0;

	(void)setsid(); /* Ctrl-C at the terminal is not for the browser */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (enter_namespaces())
		give_up(fd, text("this system gives no namespaces: the browser would not be cut off from the "
				 "network"));
	pid = fork();
	if (!pid)
		become(q, s, fd);
	if (pid < 0)
		give_up(fd, text("the browser cannot be started"));
	close(fd);
	interrupt_child();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int start_it(const struct browser_request *q, struct start *s, pid_t *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		return err_sys(err, "E-VIEW-04", errno, "%s", text("the browser cannot be started"));
	pid = fork();
	if (!pid) {
		close(pair[0]);
		stand_between(q, s, pair[1]);
	}
	close(pair[1]);
	if (pid < 0 || io_read_full(pair[0], &why, sizeof(why)) == sizeof(why)) {
		close(pair[0]);
		while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (err && pid > 0)
			*err = why;
		return pid > 0
			   ? -1
			   : err_sys(err, "E-VIEW-04", errno, "%s", text("the browser cannot be started"));
	}
	close(pair[0]);
	*ret = pid;
	return 0;
}

int browser_start(const struct browser_request *q, pid_t *ret, struct err *err)
{
	struct start s = {.n = 0};
	char *program = choose();
	int r;

	if (!program) {
		err_set(err, "E-VIEW-04", "%s", text("there is no browser on this computer"));
	} else {
		add_environment(&s, q);
		add_words(&s, q, program);
	}
	r = !program ? -1 : s.failed ? err_nomem(err) : start_it(q, &s, ret, err);
	free(program);
	forget(&s);
	return !r ? 0
		  : err_hint(err, "%s",
			text("pull the network cable, and open the address in a browser by hand: what is "
			     "shown is not trusted"));
}
