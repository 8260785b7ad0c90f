/* fakeclock: preloaded (LD_PRELOAD) into a program under test, moves its clock by FAKECLOCK seconds: the wall
 * clock and the time since boot together, as if the computer had stayed on meanwhile; FAKECLOCK_BOOT, if
 * given, is that of the time since boot alone: a wall clock that was set.  FAKECLOCK_RATE makes both run so
 * many times as fast.  CLOCK_MONOTONIC, and with it all waiting, stays as it is.  FAKECLOCK_STORAGE: every
 * file system says that it is NFS. FAKEDISK: a folder in which "mountinfo" stands for /proc/self/mountinfo,
 * and sys/dev/block/ for /sys/dev/block/, run/udev/data/ for that, as far as they go: folders in memory are then
 * disks of their own, of the type that is wanted (fakedisk in fakeclock.sh). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

static long long wall_ns, boot_ns, begun_ns, rate = 1;

static long long real(clockid_t id)
{
	struct timespec t = {0, 0};

	syscall(SYS_clock_gettime, id, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static long long seconds(const char *name, long long otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoll(s, NULL, 10) * NS : otherwise;
}

__attribute__((constructor)) static void begin(void)
{
	wall_ns = seconds("FAKECLOCK", 0);
	boot_ns = seconds("FAKECLOCK_BOOT", wall_ns);
	rate = seconds("FAKECLOCK_RATE", NS) / NS;
	begun_ns = real(CLOCK_MONOTONIC);
}

static long long moved(clockid_t id)
{
	long long faster = (real(CLOCK_MONOTONIC) - begun_ns) * (rate - 1);

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		return real(id) + wall_ns + faster;
	return id == CLOCK_BOOTTIME ? real(id) + boot_ns + faster : real(id);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	long long ns;

	if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE && id != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, id, t);
	ns = moved(id);
	t->tv_sec = ns / NS;
	t->tv_nsec = ns % NS;
	return 0;
}

time_t time(time_t *t)
{
	time_t now = moved(CLOCK_REALTIME) / NS;

	if (t)
		*t = now;
	return now;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	long long ns = moved(CLOCK_REALTIME);

	(void)zone;
	t->tv_sec = ns / NS;
	t->tv_usec = ns % NS / 1000;
	return 0;
}

int fstatfs(int fd, struct statfs *fs)
{
	int r = (int)syscall(SYS_fstatfs, fd, fs);

	if (!r && getenv("FAKECLOCK_STORAGE"))
		fs->f_type = 0x6969;
	return r;
}

int fstatfs64(int fd, struct statfs64 *fs)
{
	return fstatfs(fd, (struct statfs *)fs); /* alike on 64 bits */
}

/* ---- disks ---- */

#define SYS_BLOCK "/sys/dev/block/"
#define UDEV	  "/run/udev/data/"

static const char *faked(const char *path, char out[4096])
{
	const char *dir = getenv("FAKEDISK");

	if (!dir || !path)
		return path;
	if (!strcmp(path, "/proc/self/mountinfo"))
		snprintf(out, 4096, "%s/mountinfo", dir);
	else if (!strncmp(path, SYS_BLOCK, strlen(SYS_BLOCK)) || !strncmp(path, UDEV, strlen(UDEV)))
		snprintf(out, 4096, "%s%s", dir, path);
	else
		return path;
	return access(out, F_OK) ? path : out;
}

static int open_faked(int at, const char *path, int flags, mode_t mode)
{
	char other[4096];

	return (int)syscall(SYS_openat, at, faked(path, other), flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_faked(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) __attribute__((alias("openat")));

int __openat_2(int at, const char *path, int flags)
{
	return open_faked(at, path, flags, 0);
}
int __openat64_2(int at, const char *path, int flags)
{
	return open_faked(at, path, flags, 0);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
	FILE *(*real_fopen)(const char *, const char *);
	char other[4096];

	*(void **)&real_fopen = dlsym(RTLD_NEXT, "fopen");
	return real_fopen(faked(path, other), mode);
}
FILE *fopen64(const char *restrict path, const char *restrict mode) __attribute__((alias("fopen")));

ssize_t readlink(const char *restrict path, char *restrict out, size_t size)
{
	if (getenv("FAKEDISK") && !strncmp(path, SYS_BLOCK, strlen(SYS_BLOCK))) {
		errno = ENOENT;
		return -1;
	}
	return syscall(SYS_readlinkat, AT_FDCWD, path, out, size);
}
