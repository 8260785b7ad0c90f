/* forkserver: preloaded; a program that begins once and runs its main() for each request, in a process of its own (as AFL does it): what
 * dynamic linking and constructors cost is paid once.
 *
 *   FORKSERVER=IN,OUT   two descriptors, IN a request each: its length (32 bits of this machine), then the arguments, each with a zero byte
 *                       at its end; OUT the status of wait() for it (32 bits).  It ends with the end of IN.  Without it nothing happens.
 *
 * Nothing of main() ran before the fork, and its process has neither descriptor: it finds what it would find if it had been started so.  Of
 * its own it has only the arguments; folder, environment, signals and the other descriptors are the server's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS 64

typedef int main_fn(int, char **, char **);
static main_fn *program;

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

static int start(char *words, size_t n)
{
	static char *argv[ARGS + 1];
	int argc = 0;

	for (char *at = words; at < words + n && argc < ARGS; at += strlen(at) + 1)
		argv[argc++] = at;
	return program(argc, argv, environ);
}

static int serve(int argc, char **argv, char **envp)
{
	static char words[1 << 16];
	const char *fds = getenv("FORKSERVER");
	uint32_t n;
	int in, out, status;

	if (!fds || sscanf(fds, "%d,%d", &in, &out) != 2)
		return program(argc, argv, envp);
	unsetenv("FORKSERVER");
	while (!all_of(in, &n, sizeof(n)) && n < sizeof(words) && !all_of(in, words, n)) {
		pid_t pid = fork();

		if (pid < 0)
			_exit(125);
		if (!pid) {
			close(in);
			close(out);
			words[n] = 0;
			return start(words, n);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (write(out, &status, sizeof(status)) != sizeof(status))
			break;
	}
	_exit(0);
}

int __libc_start_main(main_fn *f, int argc, char **argv, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	int (*real)(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
	program = f;
	return real(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
