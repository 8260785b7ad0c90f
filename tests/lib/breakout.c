/* breakout: a fault in bkp-restore that a hostile medium has found, as an LD_PRELOAD: at the first call of
 * $BREAK_AT ("pread", while a medium is read, or "pwrite", while a file is written, in whichever thread that
 * is) it changes what stands in $BREAK_OUT, a folder with a file `old` in it, in each way it can, also by
 * another program, and asks a listener on TCP port $BREAK_PORT. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void break_out(const char *here)
{
	static atomic_flag once = ATOMIC_FLAG_INIT;
	const char *at = getenv("BREAK_AT"), *out = getenv("BREAK_OUT"), *port = getenv("BREAK_PORT");
	struct sockaddr_in to = {.sin_family = AF_INET};
	char touched[4096];
	char *argv[] = {"touch", touched, NULL};
	int dir, fd;
	pid_t pid;

	if (!at || !out || !port || strcmp(at, here) != 0 || atomic_flag_test_and_set(&once))
		return;
	/* LD_PRELOAD must not come with what is started */
	unsetenv("LD_PRELOAD");
	dir = open(out, O_PATH | O_DIRECTORY);
	fd = openat(dir, "new", O_WRONLY | O_CREAT, 0600);
	fd = openat(dir, "old", O_WRONLY | O_TRUNC);
	if (fd >= 0)
		(void)!write(fd, "changed", 7);
	(void)!mkdirat(dir, "folder", 0700);
	(void)!symlinkat("elsewhere", dir, "link");
	(void)!linkat(dir, "old", dir, "hard", 0);
	(void)!renameat(dir, "keep", dir, "moved");
	(void)!unlinkat(dir, "gone", 0);
	snprintf(touched, sizeof(touched), "%s/touched", out);
	if (!posix_spawn(&pid, "/usr/bin/touch", NULL, NULL, argv, environ))
		waitpid(pid, NULL, 0);
	to.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fputs("breakout: connected\n", stderr);
	fputs("breakout: tried\n", stderr);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
	ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");

	break_out("pread");
	return real(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

	break_out("pwrite");
	return real(fd, p, n, at);
}
