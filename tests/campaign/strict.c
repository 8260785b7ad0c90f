/* strict: preloaded; keeps what a file system must keep and nothing more.
 *
 *   STRICT=FOLDER        a file's bytes are copied to FOLDER/INODE.f when it is synced, a folder's names to FOLDER/INODE.d; without it
 *                        nothing happens
 *   STRICT_ROOT=FOLDER   each folder in it (state, m1, m2 …) is a file system: syncfs(2) syncs the one it is called in
 * A line of names: "INODE MODE UID GID MTIME-NS NAME" and, of a link, "TARGET", each text ended by a zero byte.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/* by number: no other library that is preloaded counts these */
#define OPEN(dir, path, flags, mode) (int)syscall(SYS_openat, dir, path, flags, mode)
#define READ(fd, p, n)		     syscall(SYS_read, fd, p, n)
#define WRITE(fd, p, n)		     (void)!syscall(SYS_write, fd, p, n)
#define CLOSE(fd)		     (void)!syscall(SYS_close, fd)

static const char *folder(void)
{
	return getenv("STRICT");
}

/* The copy appears at once: whoever is killed here leaves the last one. */
static int begin(char tmp[PATH_MAX])
{
	snprintf(tmp, PATH_MAX, "%s/tmp-%d", folder(), (int)syscall(SYS_gettid));
	return OPEN(AT_FDCWD, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void end(int to, const char *tmp, uint64_t inode, char kind)
{
	char name[PATH_MAX];

	CLOSE(to);
	snprintf(name, sizeof(name), "%s/%ju.%c", folder(), (uintmax_t)inode, kind);
	(void)!syscall(SYS_renameat, AT_FDCWD, tmp, AT_FDCWD, name);
}

static void keep_bytes(int fd, uint64_t inode)
{
	char tmp[PATH_MAX], block[65536];
	int to = begin(tmp);
	off_t at = 0;
	long n;

	while (to >= 0 && (n = syscall(SYS_pread64, fd, block, sizeof(block), at)) > 0) {
		WRITE(to, block, (size_t)n);
		at += n;
	}
	end(to, tmp, inode, 'f');
}

static void keep_name(int to, int fd, const char *name)
{
	char line[NAME_MAX + 100], target[PATH_MAX];
	struct stat s;
	ssize_t n;

	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    syscall(SYS_newfstatat, fd, name, &s, AT_SYMLINK_NOFOLLOW))
		return;
	n = snprintf(line, sizeof(line), "%ju %o %u %u %jd %s", (uintmax_t)s.st_ino, s.st_mode, s.st_uid,
	    s.st_gid, (intmax_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec, name);
	WRITE(to, line, (size_t)n + 1);
	if (S_ISLNK(s.st_mode) && (n = syscall(SYS_readlinkat, fd, name, target, sizeof(target) - 1)) > 0) {
		target[n] = '\0';
		WRITE(to, target, (size_t)n + 1);
	}
}

struct entry { /* linux_dirent64 */
	uint64_t inode;
	int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

static void keep_names(int fd, uint64_t inode)
{
	char tmp[PATH_MAX], block[65536] __attribute__((aligned(8)));
	int own = OPEN(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), to = begin(tmp);
	long n;

	while (own >= 0 && to >= 0 && (n = syscall(SYS_getdents64, own, block, sizeof(block))) > 0)
		for (long at = 0; at < n; at += ((struct entry *)(block + at))->size)
			keep_name(to, own, ((struct entry *)(block + at))->name);
	CLOSE(own);
	end(to, tmp, inode, 'd');
}

static void keep(int fd)
{
	int saved = errno, own;
	char path[64];
	struct stat s;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!folder() || syscall(SYS_fstat, fd, &s))
		return;
	if (S_ISDIR(s.st_mode)) {
		keep_names(fd, s.st_ino);
	} else if (S_ISREG(s.st_mode) && (own = OPEN(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)) >= 0) {
		keep_bytes(own, s.st_ino);
		CLOSE(own);
	}
	errno = saved;
}

static void keep_all(int dir, const char *name)
{
	int fd = OPEN(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	char block[65536] __attribute__((aligned(8)));
	struct stat s;
	long n;

	if (fd < 0)
		return;
	keep(fd);
	while (!syscall(SYS_fstat, fd, &s) && S_ISDIR(s.st_mode) &&
	       (n = syscall(SYS_getdents64, fd, block, sizeof(block))) > 0)
		for (long at = 0; at < n; at += ((struct entry *)(block + at))->size) {
			const char *below = ((struct entry *)(block + at))->name;

			if (strcmp(below, ".") && strcmp(below, ".."))
				keep_all(fd, below);
		}
	CLOSE(fd);
}

#define SYNC(name)                                                                                           \
	int name(int fd)                                                                                     \
	{                                                                                                    \
		REAL(int, name, int);                                                                        \
		int r = real(fd);                                                                            \
		if (!r)                                                                                      \
			keep(fd);                                                                            \
		return r;                                                                                    \
	}
SYNC(fsync)
SYNC(fdatasync)

static void keep_disk(int fd, const char *root)
{
	char own[64], path[PATH_MAX];
	const size_t top = strlen(root);
	ssize_t n;

	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlink, own, path, sizeof(path) - 1);
	if (n < (ssize_t)top || strncmp(path, root, top) != 0)
		return;
	path[n] = '\0';
	if (path[top] == '/')
		path[top + 1 + strcspn(path + top + 1, "/")] = '\0';
	keep_all(AT_FDCWD, path);
}

int syncfs(int fd)
{
	REAL(int, syncfs, int);
	int r = real(fd);

	if (!r && folder() && getenv("STRICT_ROOT"))
		keep_disk(fd, getenv("STRICT_ROOT"));
	return r;
}

/* what is opened with O_DSYNC is synced as it is written (LMDB's last page) */
#define PWRITE(name)                                                                                         \
	ssize_t name(int fd, const void *p, size_t n, off64_t at)                                            \
	{                                                                                                    \
		REAL(ssize_t, name, int, const void *, size_t, off64_t);                                     \
		ssize_t r = real(fd, p, n, at);                                                              \
		if (r > 0 && folder() && (syscall(SYS_fcntl, fd, F_GETFL) & O_DSYNC))                        \
			keep(fd);                                                                            \
		return r;                                                                                    \
	}
PWRITE(pwrite)
PWRITE(pwrite64)
