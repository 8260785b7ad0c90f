/* fakeclock: preloaded (LD_PRELOAD) into a program under test, moves its clock by FAKECLOCK seconds: the wall clock and the time
 * since boot together, as if the computer had stayed on meanwhile; FAKECLOCK_BOOT, if given, is that of the time since boot
 * alone: a wall clock that was set.  FAKECLOCK_RATE makes both run so many times as fast.  CLOCK_MONOTONIC, and with it all
 * waiting, stays as it is.  FAKECLOCK_STORAGE: every file system says that it is NFS. */
#include <stdlib.h>
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

int fstatfs64(int fd, void *fs)
{
	return fstatfs(fd, fs);
}
