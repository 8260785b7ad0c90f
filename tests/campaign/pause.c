/* pause: preloaded; the program waits before the n-th call that concerns one file, so that somebody can
 * change the file there.
 *
 *   PAUSE_STATE=FILE  4 KiB, mapped shared (struct shared below); made anew by who starts the program.  Without it nothing happens.
 *   PAUSE_WHO=NAME    only in programs of that name
 *   PAUSE_FILE=PATH   the file, absolute; calls on the folder that holds it count as well
 *   PAUSE=N[:on]      before the N-th of these calls, from 1; on: before every later one, too
 *   PAUSE_TICK=NS     the times of all files are told in steps of NS, as by kernels before 6.13 (4 to 10 ms)
 * A call that waits has its number in `waits`, and goes on when `goes` is that number.  Calls are counted by
 * file and not by process: the number does not depend on what other threads do meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

enum call {
	OPEN = 1,
	STATX,
	FSTATAT,
	FSTAT,
	READ,
	LSEEK,
	GETDENTS,
	FGETXATTR,
	FLISTXATTR,
	READLINKAT,
	CLOSE
};

#define LOGGED 3000
#define FDS    4096

struct shared {
	atomic_uint_least32_t calls, waits, goes;
	uint8_t which[LOGGED]; /* enum call of each */
};

static struct shared *state;
static const char *file;
static char folder[PATH_MAX];
static uint32_t at;
static int on;
static long tick;
static atomic_char ours[FDS]; /* descriptors of the file or its folder */
static atomic_flag one = ATOMIC_FLAG_INIT;

__attribute__((constructor)) static void begin(void)
{
	const char *page = getenv("PAUSE_STATE"), *who = getenv("PAUSE_WHO"), *n = getenv("PAUSE"),
		   *t = getenv("PAUSE_TICK");
	int fd;
	void *p;

	if (!page || (who && strcmp(who, program_invocation_short_name) != 0))
		return;
	file = getenv("PAUSE_FILE");
	fd = (int)syscall(SYS_openat, AT_FDCWD, page, O_RDWR | O_CLOEXEC);
	p = fd < 0 ? (void *)-1 : (void *)syscall(SYS_mmap, NULL, sizeof(struct shared), 3, 1, fd, 0);
	if (!file || !strrchr(file, '/') || p == (void *)-1) {
		(void)!write(2, "pause: PAUSE_FILE or PAUSE_STATE is not understood\n", 51);
		_exit(99);
	}
	syscall(SYS_close, fd);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(file, '/') - file), file);
	at = n ? (uint32_t)strtoul(n, NULL, 10) : 0;
	on = n && strstr(n, ":on");
	tick = t ? strtol(t, NULL, 10) : 0;
	state = p;
}

static void nap(void)
{
	struct timespec t = {0, 50000};

	syscall(SYS_nanosleep, &t, NULL);
}

static void count(enum call which)
{
	uint32_t n = atomic_fetch_add(&state->calls, 1) + 1;

	if (n <= LOGGED)
		state->which[n - 1] = (uint8_t)which;
	if (!at || (on ? n < at : n != at))
		return;
	while (atomic_flag_test_and_set(&one))
		nap();
	atomic_store(&state->waits, n);
	while (atomic_load(&state->goes) != n)
		nap();
	atomic_flag_clear(&one);
}

static int is_ours(int fd)
{
	return state && fd >= 0 && fd < FDS && atomic_load(&ours[fd]);
}

static void by_fd(enum call which, int fd)
{
	int e = errno;

	if (is_ours(fd))
		count(which);
	errno = e;
}

/* Does the name, in that folder, mean the file or its folder? */
static int named(int dir, const char *name)
{
	char link[40], path[2 * PATH_MAX];
	ssize_t n = 0;

	if (!state || !name)
		return 0;
	if (!strncmp(name, "/proc/self/fd/", 14) && !strchr(name + 14, '/'))
		return is_ours(atoi(name + 14));
	if (*name != '/' && dir != AT_FDCWD) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX);
		if (n < 0)
			return 0;
		path[n++] = '/';
	}
	snprintf(path + n, sizeof(path) - (size_t)n, "%s", name);
	n = (ssize_t)strlen(path);
	if (n > 1 && path[n - 1] == '.' && path[n - 2] == '/')
		path[n - 2] = '\0';
	return !strcmp(path, file) || !strcmp(path, folder);
}

static int by_name(enum call which, int dir, const char *name)
{
	int e = errno, is = named(dir, name);

	if (is)
		count(which);
	errno = e;
	return is;
}

static int opened(int fd, int is)
{
	if (fd >= 0 && fd < FDS)
		atomic_store(&ours[fd], (char)is);
	return fd;
}

static void blur(struct timespec *t)
{
	if (tick)
		t->tv_nsec -= t->tv_nsec % tick;
}

static int blurred(int r, struct stat *s)
{
	if (!r) {
		blur(&s->st_mtim);
		blur(&s->st_ctim);
	}
	return r;
}

#define LOOKED_FOR(name) int is = by_name(OPEN, dir, path)
OPENS(LOOKED_FOR, opened(fd, is))

int statx(int dir, const char *path, int flags, unsigned mask, struct statx *s)
{
	REAL(int, statx, int, const char *, int, unsigned, struct statx *);
	by_name(STATX, dir, path);
	int r = real(dir, path, flags, mask, s);
	if (!r && tick) {
		s->stx_mtime.tv_nsec -= s->stx_mtime.tv_nsec % (uint32_t)tick;
		s->stx_ctime.tv_nsec -= s->stx_ctime.tv_nsec % (uint32_t)tick;
	}
	return r;
}

#define FSTATAT_(name, type)                                                                                 \
	int name(int dir, const char *path, struct type *s, int flags)                                       \
	{                                                                                                    \
		REAL(int, name, int, const char *, struct type *, int);                                      \
		by_name(FSTATAT, dir, path);                                                                 \
		return blurred(real(dir, path, s, flags), (struct stat *)s);                                 \
	}
#define FSTAT_(name, type)                                                                                   \
	int name(int fd, struct type *s)                                                                     \
	{                                                                                                    \
		REAL(int, name, int, struct type *);                                                         \
		by_fd(FSTAT, fd);                                                                            \
		return blurred(real(fd, s), (struct stat *)s);                                               \
	}
#define LSEEK_(name)                                                                                         \
	off_t name(int fd, off_t o, int whence)                                                              \
	{                                                                                                    \
		REAL(off_t, name, int, off_t, int);                                                          \
		by_fd(LSEEK, fd);                                                                            \
		return real(fd, o, whence);                                                                  \
	}
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "64 bits");
FSTATAT_(fstatat, stat)
FSTATAT_(fstatat64, stat64)
FSTAT_(fstat, stat)
FSTAT_(fstat64, stat64)
LSEEK_(lseek)
LSEEK_(lseek64)

#define BY_FD(type, name, which, parameters, arguments, ...)                                                 \
	type name parameters                                                                                 \
	{                                                                                                    \
		REAL(type, name, __VA_ARGS__);                                                               \
		by_fd(which, fd);                                                                            \
		return real arguments;                                                                       \
	}
BY_FD(ssize_t, read, READ, (int fd, void *p, size_t n), (fd, p, n), int, void *, size_t)
BY_FD(ssize_t, pread, READ, (int fd, void *p, size_t n, off_t o), (fd, p, n, o), int, void *, size_t, off_t)
BY_FD(ssize_t, pread64, READ, (int fd, void *p, size_t n, off_t o), (fd, p, n, o), int, void *, size_t, off_t)
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return n > room ? (abort(), -1) : read(fd, p, n);
}
BY_FD(ssize_t, getdents64, GETDENTS, (int fd, void *p, size_t n), (fd, p, n), int, void *, size_t)
BY_FD(ssize_t, fgetxattr, FGETXATTR, (int fd, const char *a, void *p, size_t n), (fd, a, p, n), int,
    const char *, void *, size_t)
BY_FD(ssize_t, flistxattr, FLISTXATTR, (int fd, char *p, size_t n), (fd, p, n), int, char *, size_t)

ssize_t readlinkat(int dir, const char *path, char *p, size_t n)
{
	REAL(ssize_t, readlinkat, int, const char *, char *, size_t);
	by_name(READLINKAT, dir, path);
	return real(dir, path, p, n);
}

int close(int fd)
{
	REAL(int, close, int);
	by_fd(CLOSE, fd);
	opened(fd, 0);
	return real(fd);
}
