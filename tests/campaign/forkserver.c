/* forkserver: preloaded; a program that begins once and runs its main() for each request, in a process of its
 * own (as AFL does it): what dynamic linking and constructors cost is paid once.
 *
 *   FORKSERVER=IN,OUT   two descriptors, IN a request each: its length (32 bits of this machine), then the arguments, each with a zero byte
 *                       at its end; OUT the status of wait() for it (32 bits).  It ends with the end of IN.  Without it nothing happens.
 *   FORKSERVER_LATE=    main() runs, with the arguments it was started with, to where it would start its first thread or process, or make
 *                       its first folder, and is forked there for each request (of length 0).  Before the first request OUT gets a length and the
 *                       names, each with a zero byte at its end, of all that it opened or looked at until then: for them it is too late.
 *
 * Else nothing of main() ran before the fork.  The process has neither descriptor: it finds what it would
 * find if it had been started so. Of its own it has only the arguments; folder, environment, signals and the
 * other descriptors are the server's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"

#define ARGS 64

typedef int main_fn(int, char **, char **);
static main_fn *program;
static int in, out, late;
static char words[1 << 16];
static uint32_t seen; /* of words: names, until the fork */

static int all_of(int fd, void *p, size_t n)
{
	for (char *at = p; n;) {
		ssize_t r = read(fd, at, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

/* 0: in a new process, of which this one tells how it ended; -1: nobody asks any more. */
static int forked(uint32_t *n)
{
	int status;

	while (!all_of(in, n, sizeof(*n)) && *n < sizeof(words) && !all_of(in, words, *n)) {
		pid_t pid = fork();

		if (pid < 0)
			_exit(125);
		if (!pid) {
			close(in);
			close(out);
			return 0;
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (write(out, &status, sizeof(status)) != sizeof(status))
			break;
	}
	return -1;
}

static int start(size_t n)
{
	static char *argv[ARGS + 1];
	int argc = 0;

	words[n] = 0;
	for (char *at = words; at < words + n && argc < ARGS; at += strlen(at) + 1)
		argv[argc++] = at;
	return program(argc, argv, environ);
}

static int serve(int argc, char **argv, char **envp)
{
	const char *fds = getenv("FORKSERVER");
	uint32_t n;

	if (!fds || sscanf(fds, "%d,%d", &in, &out) != 2)
		return program(argc, argv, envp);
	unsetenv("FORKSERVER");
	late = getenv("FORKSERVER_LATE") != NULL;
	unsetenv("FORKSERVER_LATE");
	if (late)
		return program(argc, argv, environ);
	if (!forked(&n))
		return start(n);
	_exit(0);
}

/* ---- late ---- */

static void note(const char *name)
{
	size_t n = strlen(name) + 1;

	if (!late)
		return;
	if (n > sizeof(words) - seen)
		_exit(125);
	memcpy(words + seen, name, n);
	seen += (uint32_t)n;
}

static void now(void)
{
	uint32_t n;

	if (!late)
		return;
	late = 0;
	if (write(out, &seen, sizeof(seen)) != sizeof(seen) || write(out, words, seen) != (ssize_t)seen ||
	    forked(&n))
		_exit(0);
}

#define LOOKED_FOR(name)                                                                                     \
	note(path);                                                                                          \
	if (flags & (O_CREAT | O_WRONLY | O_RDWR))                                                           \
	now()
OPENS(LOOKED_FOR, )

int fstatat(int dir, const char *restrict path, struct stat *restrict s, int flags)
{
	REAL(int, fstatat, int, const char *, struct stat *, int);
	note(path);
	return real(dir, path, s, flags);
}
int fstatat64(int dir, const char *restrict path, struct stat64 *restrict s, int flags)
{
	REAL(int, fstatat64, int, const char *, struct stat64 *, int);
	note(path);
	return real(dir, path, s, flags);
}
int mkdir(const char *path, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t);
	now();
	return real(path, mode);
}
int mkdirat(int dir, const char *path, mode_t mode)
{
	REAL(int, mkdirat, int, const char *, mode_t);
	now();
	return real(dir, path, mode);
}
/* between it and a process that it starts: all who are forked later would have the one socket, which the first of them ends */
int socketpair(int domain, int type, int protocol, int pair[2])
{
	REAL(int, socketpair, int, int, int, int *);
	now();
	return real(domain, type, protocol, pair);
}
pid_t fork(void)
{
	REAL(pid_t, fork, void);
	now();
	return real();
}
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	now();
	return real(t, a, f, arg);
}

int __libc_start_main(main_fn *f, int argc, char **argv, void (*init)(void), void (*fini)(void),
    void (*rtld_fini)(void), void *stack_end)
{
	int (*real)(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
	program = f;
	return real(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
