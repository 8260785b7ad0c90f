/* dedup_guard: see dedup_guard.h.
 *
 * The file has two bytes, mapped shared, so that they survive the process: inside[0] is 1 while a call into LMDB
 * is under way; inside[1] counts the deaths there since the index was last closed in order, 2 at most. */
#include "write/index/dedup_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

#define NAME "guard"
#define SIZE 2

int dedup_guard_open(const char *path, struct dedup_guard *ret, unsigned *ret_deaths)
{
	IO_FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	IO_FD_AUTO fd = -1;
	struct stat st;
	void *p;

	if (dir < 0)
		return errno;
	fd = openat(dir, NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st))
		return errno;
	/* written, not only made long: a store into a hole of a full disk would kill the process */
	if (st.st_size < SIZE && pwrite(fd, "\0", SIZE - (size_t)st.st_size, st.st_size) < 1)
		return errno ? errno : ENOSPC;
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return errno;
	ret->inside = p;
	if (ret->inside[0])
		ret->inside[1] = (uint8_t)(ret->inside[1] < 2 ? ret->inside[1] + 1 : 2);
	*ret_deaths = ret->inside[0] ? ret->inside[1] : 0;
	return 0;
}

bool dedup_guard_died_inside(const char *path)
{
	IO_FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	IO_FD_AUTO fd = dir < 0 ? -1 : openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char inside = 0;

	return fd >= 0 && read(fd, &inside, 1) == 1 && inside;
}

void dedup_guard_close(struct dedup_guard *g, bool in_order)
{
	if (g->inside && in_order)
		g->inside[1] = 0;
	if (g->inside)
		munmap((void *)(uintptr_t)g->inside, SIZE);
	g->inside = NULL;
}

void dedup_guard_enter(struct dedup_guard *g)
{
	*g->inside = 1;
}

void dedup_guard_leave(struct dedup_guard *g)
{
	*g->inside = 0;
}

static int run_walk(int (*walk)(const char *path), const char *path)
{
	static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
	const struct rlimit none = {0, 0};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		signal(deadly[i], SIG_DFL);
	/* dying is an answer here: no core file, and no last words of LMDB's to frighten anybody */
	setrlimit(RLIMIT_CORE, &none);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	return walk(path);
}

bool dedup_guard_try(int (*walk)(const char *path), const char *path)
{
	int status = 0;
	pid_t pid, r;

	pid = fork();
	if (pid == 0)
		_exit(run_walk(walk, path) ? 1 : 0);
	if (pid < 0)
		return true;
	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	if (r != pid)
		return true;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0;
	/* by its own fault, not by an operator's or the kernel's hand */
	return WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT ||
	       WTERMSIG(status) == SIGHUP;
}
