/* faults: preloaded; the n-th call of a function, or the n-th allocation, fails; or the process is killed
 * before it.
 *
 *   FAULTS_STATE=FILE   4 KiB, mapped shared: how often each function was called, by all processes that it concerns, and whether the fault
 *                       came; made anew by who starts them.  Without it nothing happens.
 *   FAULTS_WHO=NAME     only in programs of that name
 *   FAULTS=NAME:N:WHAT[:on]   NAME a function of the table below, "alloc", or "any" (a call of whichever but alloc); N from 1;
 *                       WHAT an errno's name, "short" (half of the bytes), "kill", "term", "int", "stop" (then `stopped` is the process),
 *                       "taken" (of renameat2: right before it somebody else makes a file of the new name, and `taken` is its path);
 *                       on: every later one, too
 * The 64-bit names of the C library count as the others.  Calls that the C library makes within itself are
 * not seen: strace finds those.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "preload.h"

/* the formatter never comes to rest here */
/* clang-format off */
#define FUNCTIONS(F) \
	F(alloc) F(any) F(open) F(openat) F(read) F(pread) F(readv) F(write) F(pwrite) F(writev) F(fsync) F(fdatasync) F(syncfs) \
	F(sync_file_range) F(rename) F(renameat) F(renameat2) F(link) F(linkat) F(unlink) F(unlinkat) F(mkdir) F(mkdirat) F(symlinkat) \
	F(mknodat) F(ftruncate) F(fallocate) F(mmap) F(msync) F(stat) F(fstat) F(lstat) F(fstatat) F(readdir) F(fdopendir) F(opendir) \
	F(close) F(dup) F(flock) F(pipe2) F(fork) F(fchmod) F(fchmodat) F(fchown) F(fchownat) F(utimensat) F(futimens) F(fsetxattr) \
	F(fgetxattr) F(flistxattr) F(statfs) F(fstatfs) F(statvfs) F(fstatvfs) F(faccessat) F(readlinkat) F(waitpid) F(pthread_create)
/* clang-format on */

enum {
#define F(name) F_##name,
	FUNCTIONS(F)
#undef F
	    N_FUNCTIONS
};
static const char *const names[] = {
#define F(name) #name,
    FUNCTIONS(F)
#undef F
};

struct shared {
	atomic_uint_least64_t calls[64];
	atomic_uint_least32_t came, stopped;
	char taken[3000];
};
_Static_assert(N_FUNCTIONS <= 64 && sizeof(struct shared) <= 4096, "table");

static struct shared *state;
static int which = -1, error, on;
static enum { NOTHING, ERROR, SHORT, KILL, SIGNAL, TAKEN } what;
static uint64_t at;

extern void *__libc_memalign(size_t, size_t);

static const struct {
	const char *name;
	int value;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EMFILE", EMFILE},
    {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN}, {"ENODEV", ENODEV},
    {"EACCES", EACCES}, {"ESTALE", ESTALE}},
  signals[] = {{"term", SIGTERM}, {"int", SIGINT}, {"stop", SIGSTOP}};

static void take(char *spec)
{
	char *save, *name = strtok_r(spec, ":", &save), *n = strtok_r(NULL, ":", &save),
		    *w = strtok_r(NULL, ":", &save), *more = strtok_r(NULL, ":", &save);

	for (int i = 0; name && i < N_FUNCTIONS; i++)
		if (!strcmp(names[i], name))
			which = i;
	at = n ? strtoull(n, NULL, 10) : 0;
	on = more && !strcmp(more, "on");
	what = !w		     ? NOTHING
	       : !strcmp(w, "short") ? SHORT
	       : !strcmp(w, "kill")  ? KILL
	       : !strcmp(w, "taken") ? TAKEN
				     : NOTHING;
	for (size_t i = 0; w && i < sizeof(errors) / sizeof(*errors); i++)
		if (!strcmp(errors[i].name, w)) {
			what = ERROR;
			error = errors[i].value;
		}
	for (size_t i = 0; w && i < sizeof(signals) / sizeof(*signals); i++)
		if (!strcmp(signals[i].name, w)) {
			what = SIGNAL;
			error = signals[i].value;
		}
	if (which < 0 || !at || what == NOTHING) {
		(void)!write(2, "faults: FAULTS is not understood\n", 33);
		_exit(99);
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("FAULTS_STATE"), *who = getenv("FAULTS_WHO"), *spec = getenv("FAULTS");
	static char copy[200];
	int fd;
	void *p;

	if (!file || (who && strcmp(who, program_invocation_short_name) != 0))
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED
		   : (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (p == MAP_FAILED)
		return;
	if (spec && *spec) {
		snprintf(copy, sizeof(copy), "%s", spec);
		take(copy);
	}
	state = p;
}

/* Is it this call's turn? */
static int turn(int f)
{
	uint64_t n, any;

	if (!state)
		return 0;
	n = atomic_fetch_add(&state->calls[f], 1) + 1;
	any = f == F_alloc ? 0 : atomic_fetch_add(&state->calls[F_any], 1) + 1;
	if (which == F_any)
		n = any;
	else if (which != f)
		return 0;
	if (!at || (on ? n < at : n != at))
		return 0;
	if (which == F_any && f == F_alloc)
		return 0;
	atomic_store(&state->came, 1);
	if (what == KILL) {
		syscall(SYS_kill, getpid(), SIGKILL);
		for (;;)
			pause();
	}
	if (what == SIGNAL) {
		if (error == SIGSTOP)
			atomic_store(&state->stopped, (uint32_t)getpid());
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), error);
		return 0;
	}
	return 1;
}

/* 1: the call fails; *n becomes half of it when it is to be short, and 0 when somebody takes the name. */
static int fails(int f, size_t *n)
{
	if (!turn(f))
		return 0;
	if (what == SHORT || what == TAKEN) {
		if (n && (*n > 1 || what == TAKEN))
			*n = what == TAKEN ? 0 : *n / 2;
		return 0;
	}
	errno = error;
	return 1;
}

/* ---- memory ---- */

#if !SANITIZED /* a sanitizer has its own */

/* The programs ask the C library by its inner names (bkp/base/malloc), so these are taken, too. */
static void *give(size_t n)
{
	return __libc_memalign(16, n);
}
static void *give_more(void *was, size_t n)
{
	void *p = give(n);
	size_t had = was ? malloc_usable_size(was) : 0;

	if (p && was) {
		memcpy(p, was, had < n ? had : n);
		free(was);
	}
	return p;
}
static void *give_clear(size_t n, size_t m)
{
	size_t all;
	void *p = __builtin_mul_overflow(n, m, &all) ? NULL : give(all);

	return p ? memset(p, 0, all) : NULL;
}
void *__libc_malloc(size_t n)
{
	return fails(F_alloc, NULL) ? NULL : give(n);
}
void *__libc_calloc(size_t n, size_t m)
{
	return fails(F_alloc, NULL) ? NULL : give_clear(n, m);
}
void *__libc_realloc(void *p, size_t n)
{
	return fails(F_alloc, NULL) ? NULL : give_more(p, n);
}
void *malloc(size_t n)
{
	return __libc_malloc(n);
}
void *calloc(size_t n, size_t m)
{
	return __libc_calloc(n, m);
}
void *realloc(void *p, size_t n)
{
	return __libc_realloc(p, n);
}
void *memalign(size_t a, size_t n)
{
	return fails(F_alloc, NULL) ? NULL : __libc_memalign(a, n);
}
void *aligned_alloc(size_t a, size_t n)
{
	return memalign(a, n);
}
void *reallocarray(void *p, size_t n, size_t m)
{
	size_t all;

	if (__builtin_mul_overflow(n, m, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}
int posix_memalign(void **ret, size_t a, size_t n)
{
	void *p = fails(F_alloc, NULL) ? NULL : __libc_memalign(a, n);

	if (p)
		*ret = p;
	return p ? 0 : ENOMEM;
}

#endif

/* ---- calls ---- */

/* NAME as the function COUNTED; N is the expression of its count of bytes, or NULL. */
#define WRAP(type, name, counted, bad, n, parameters, arguments, ...)                                        \
	type name parameters                                                                                 \
	{                                                                                                    \
		REAL(type, name, __VA_ARGS__);                                                               \
		if (fails(F_##counted, n))                                                                   \
			return bad;                                                                          \
		return real arguments;                                                                       \
	}

#define OPENED(counted)                                                                                      \
	if (fails(F_##counted, NULL))                                                                        \
	return -1
OPENS(OPENED, )

WRAP(ssize_t, read, read, -1, &n, (int fd, void *p, size_t n), (fd, p, n), int, void *, size_t)
WRAP(ssize_t, pread, pread, -1, &n, (int fd, void *p, size_t n, off_t o), (fd, p, n, o), int, void *, size_t,
    off_t)
WRAP(ssize_t, pread64, pread, -1, &n, (int fd, void *p, size_t n, off64_t o), (fd, p, n, o), int, void *,
    size_t, off64_t)
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return n > room ? (abort(), -1) : read(fd, p, n);
}
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t o, size_t room)
{
	return n > room ? (abort(), -1) : pread64(fd, p, n, o);
}
WRAP(ssize_t, readv, readv, -1, NULL, (int fd, const struct iovec *v, int n), (fd, v, n), int,
    const struct iovec *, int)
WRAP(ssize_t, write, write, -1, &n, (int fd, const void *p, size_t n), (fd, p, n), int, const void *, size_t)
WRAP(ssize_t, pwrite, pwrite, -1, &n, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o), int,
    const void *, size_t, off_t)
WRAP(ssize_t, pwrite64, pwrite, -1, &n, (int fd, const void *p, size_t n, off64_t o), (fd, p, n, o), int,
    const void *, size_t, off64_t)
WRAP(ssize_t, writev, writev, -1, NULL, (int fd, const struct iovec *v, int n), (fd, v, n), int,
    const struct iovec *, int)
WRAP(int, fsync, fsync, -1, NULL, (int fd), (fd), int)
WRAP(int, fdatasync, fdatasync, -1, NULL, (int fd), (fd), int)
WRAP(int, syncfs, syncfs, -1, NULL, (int fd), (fd), int)
WRAP(int, sync_file_range, sync_file_range, -1, NULL, (int fd, off64_t o, off64_t n, unsigned f),
    (fd, o, n, f), int, off64_t, off64_t, unsigned)
WRAP(int, rename, rename, -1, NULL, (const char *a, const char *b), (a, b), const char *, const char *)
WRAP(int, renameat, renameat, -1, NULL, (int d, const char *a, int e, const char *b), (d, a, e, b), int,
    const char *, int, const char *)
static void take_name(int dir, const char *name)
{
	static const char text[] = "somebody else's\n";
	int fd =
	    (int)syscall(SYS_openat, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	char link[40];

	if (fd < 0)
		return;
	(void)!syscall(SYS_write, fd, text, sizeof(text) - 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	(void)!syscall(SYS_readlink, link, state->taken, sizeof(state->taken) - 1);
	syscall(SYS_close, fd);
}
int renameat2(int d, const char *a, int e, const char *b, unsigned f)
{
	REAL(int, renameat2, int, const char *, int, const char *, unsigned);
	size_t is_free = 1;

	if (fails(F_renameat2, &is_free))
		return -1;
	if (!is_free)
		take_name(e, b);
	return real(d, a, e, b, f);
}
WRAP(int, link, link, -1, NULL, (const char *a, const char *b), (a, b), const char *, const char *)
WRAP(int, linkat, linkat, -1, NULL, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f), int,
    const char *, int, const char *, int)
WRAP(int, unlink, unlink, -1, NULL, (const char *a), (a), const char *)
WRAP(int, unlinkat, unlinkat, -1, NULL, (int d, const char *a, int f), (d, a, f), int, const char *, int)
WRAP(int, mkdir, mkdir, -1, NULL, (const char *a, mode_t m), (a, m), const char *, mode_t)
WRAP(int, mkdirat, mkdirat, -1, NULL, (int d, const char *a, mode_t m), (d, a, m), int, const char *, mode_t)
WRAP(int, symlinkat, symlinkat, -1, NULL, (const char *a, int d, const char *b), (a, d, b), const char *, int,
    const char *)
WRAP(int, mknodat, mknodat, -1, NULL, (int d, const char *a, mode_t m, dev_t v), (d, a, m, v), int,
    const char *, mode_t, dev_t)
WRAP(int, ftruncate, ftruncate, -1, NULL, (int fd, off_t n), (fd, n), int, off_t)
WRAP(int, ftruncate64, ftruncate, -1, NULL, (int fd, off64_t n), (fd, n), int, off64_t)
WRAP(int, fallocate, fallocate, -1, NULL, (int fd, int m, off_t o, off_t n), (fd, m, o, n), int, int, off_t,
    off_t)
WRAP(int, fallocate64, fallocate, -1, NULL, (int fd, int m, off64_t o, off64_t n), (fd, m, o, n), int, int,
    off64_t, off64_t)
int posix_fallocate64(int fd, off64_t o, off64_t n)
{
	REAL(int, posix_fallocate64, int, off64_t, off64_t);
	return fails(F_fallocate, NULL) ? errno : real(fd, o, n);
}
int posix_fallocate(int fd, off_t o, off_t n)
{
	return posix_fallocate64(fd, o, n);
}
WRAP(void *, mmap, mmap, MAP_FAILED, NULL, (void *p, size_t n, int a, int f, int fd, off_t o),
    (p, n, a, f, fd, o), void *, size_t, int, int, int, off_t)
WRAP(void *, mmap64, mmap, MAP_FAILED, NULL, (void *p, size_t n, int a, int f, int fd, off64_t o),
    (p, n, a, f, fd, o), void *, size_t, int, int, int, off64_t)
WRAP(int, msync, msync, -1, NULL, (void *p, size_t n, int f), (p, n, f), void *, size_t, int)
WRAP(int, stat, stat, -1, NULL, (const char *a, struct stat *s), (a, s), const char *, struct stat *)
WRAP(int, stat64, stat, -1, NULL, (const char *a, struct stat64 *s), (a, s), const char *, struct stat64 *)
WRAP(int, fstat, fstat, -1, NULL, (int fd, struct stat *s), (fd, s), int, struct stat *)
WRAP(int, fstat64, fstat, -1, NULL, (int fd, struct stat64 *s), (fd, s), int, struct stat64 *)
WRAP(int, lstat, lstat, -1, NULL, (const char *a, struct stat *s), (a, s), const char *, struct stat *)
WRAP(int, lstat64, lstat, -1, NULL, (const char *a, struct stat64 *s), (a, s), const char *, struct stat64 *)
WRAP(int, fstatat, fstatat, -1, NULL, (int d, const char *a, struct stat *s, int f), (d, a, s, f), int,
    const char *, struct stat *, int)
WRAP(int, fstatat64, fstatat, -1, NULL, (int d, const char *a, struct stat64 *s, int f), (d, a, s, f), int,
    const char *, struct stat64 *, int)
WRAP(struct dirent *, readdir, readdir, NULL, NULL, (DIR * d), (d), DIR *)
WRAP(struct dirent64 *, readdir64, readdir, NULL, NULL, (DIR * d), (d), DIR *)
WRAP(DIR *, fdopendir, fdopendir, NULL, NULL, (int fd), (fd), int)
WRAP(DIR *, opendir, opendir, NULL, NULL, (const char *a), (a), const char *)
/* one that failed is closed all the same, as the kernel does it */
int close(int fd)
{
	REAL(int, close, int);
	int r = fails(F_close, NULL), e = errno;

	if (!r)
		return real(fd);
	real(fd);
	errno = e;
	return -1;
}
WRAP(int, dup, dup, -1, NULL, (int fd), (fd), int)
WRAP(int, flock, flock, -1, NULL, (int fd, int o), (fd, o), int, int)
WRAP(int, pipe2, pipe2, -1, NULL, (int p[2], int f), (p, f), int *, int)
WRAP(pid_t, fork, fork, -1, NULL, (void), (), void)
WRAP(int, fchmod, fchmod, -1, NULL, (int fd, mode_t m), (fd, m), int, mode_t)
WRAP(int, fchmodat, fchmodat, -1, NULL, (int d, const char *a, mode_t m, int f), (d, a, m, f), int,
    const char *, mode_t, int)
WRAP(int, fchown, fchown, -1, NULL, (int fd, uid_t u, gid_t g), (fd, u, g), int, uid_t, gid_t)
WRAP(int, fchownat, fchownat, -1, NULL, (int d, const char *a, uid_t u, gid_t g, int f), (d, a, u, g, f), int,
    const char *, uid_t, gid_t, int)
WRAP(int, utimensat, utimensat, -1, NULL, (int d, const char *a, const struct timespec t[2], int f),
    (d, a, t, f), int, const char *, const struct timespec *, int)
WRAP(int, futimens, futimens, -1, NULL, (int fd, const struct timespec t[2]), (fd, t), int,
    const struct timespec *)
WRAP(int, fsetxattr, fsetxattr, -1, NULL, (int fd, const char *a, const void *p, size_t n, int f),
    (fd, a, p, n, f), int, const char *, const void *, size_t, int)
WRAP(ssize_t, fgetxattr, fgetxattr, -1, NULL, (int fd, const char *a, void *p, size_t n), (fd, a, p, n), int,
    const char *, void *, size_t)
WRAP(ssize_t, flistxattr, flistxattr, -1, NULL, (int fd, char *p, size_t n), (fd, p, n), int, char *, size_t)
WRAP(int, statfs64, statfs, -1, NULL, (const char *a, struct statfs64 *s), (a, s), const char *,
    struct statfs64 *)
WRAP(int, fstatfs64, fstatfs, -1, NULL, (int fd, struct statfs64 *s), (fd, s), int, struct statfs64 *)
WRAP(int, statvfs64, statvfs, -1, NULL, (const char *a, struct statvfs64 *s), (a, s), const char *,
    struct statvfs64 *)
WRAP(int, fstatvfs64, fstatvfs, -1, NULL, (int fd, struct statvfs64 *s), (fd, s), int, struct statvfs64 *)
WRAP(int, faccessat, faccessat, -1, NULL, (int d, const char *a, int m, int f), (d, a, m, f), int,
    const char *, int, int)
WRAP(ssize_t, readlinkat, readlinkat, -1, NULL, (int d, const char *a, char *p, size_t n), (d, a, p, n), int,
    const char *, char *, size_t)
WRAP(pid_t, waitpid, waitpid, -1, NULL, (pid_t p, int *s, int f), (p, s, f), pid_t, int *, int)
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg)
{
	REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	return fails(F_pthread_create, NULL) ? errno : real(t, a, f, arg);
}
