/* io: see io.h.
 *
 * Four ways to give bytes a name:
 *     io_write_new()   the name must be free; the file is synced, its folder is the caller's to sync
 *     io_replace()     temporary name, synced → rename over the old file (the commit) → folder synced
 *     io_add()         the same, and the rename replaces nothing
 *     io_rename_new()  a file that is there gets its final name, and never replaces another
 * Nothing here keeps state.  There is one temporary name for each name: two writers of the same name must be kept
 * apart by the caller's lock. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

void io_close_quietly(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int io_take(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

ssize_t io_read_full(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

ssize_t io_pread_full(int fd, void *p, size_t n, int64_t off)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)p + got, n - got, off + (int64_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int io_write_full(int fd, const void *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *)p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0) {
			errno = EIO; /* a write of nothing is not progress */
			return -1;
		}
		done += (size_t)r;
	}
	return 0;
}

int io_open_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), name);
	return fd;
}

/* 0, IO_ABSENT (err set all the same), -1. */
static int open_regular(int dirfd, const char *name, int *ret_fd, struct err *err)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO planted under this name must not hang the program */
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		int r = errno == ENOENT ? IO_ABSENT : -1;

		err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), name);
		return r;
	}
	if (fstat(fd, &st))
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), name);
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "E-IO-01", text("'%s' is not a regular file"), name);
		errno = EINVAL; /* not what an earlier call left: callers tell ENOENT from the rest */
		return -1;
	}
	*ret_fd = io_take(&fd);
	return 0;
}

int io_open_file(int dirfd, const char *name, struct err *err)
{
	int fd;

	return open_regular(dirfd, name, &fd, err) ? -1 : fd;
}

int io_make_dir(int dirfd, const char *name, mode_t mode, struct err *err)
{
	if (mkdirat(dirfd, name, mode) && errno != EEXIST)
		return err_sys(err, "E-IO-07", errno, text("cannot make folder '%s'"), name);
	return io_open_dir(dirfd, name, err);
}

int io_sync(int fd, const char *name, struct err *err)
{
	if (fsync(fd))
		return err_sys(err, "E-IO-04", errno, text("cannot make '%s' durable"), name);
	return 0;
}

int io_sync_dir(int dirfd, struct err *err)
{
	if (fsync(dirfd) && errno != EINVAL)
		return err_sys(err, "E-IO-04", errno, "%s", text("cannot make a folder durable"));
	return 0;
}

int io_sync_parent(const char *path, struct err *err)
{
	char *copy = strdup(path);
	IO_FD_AUTO fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(copy);
	return fd < 0 ? err_sys(err, "E-IO-07", errno, text("cannot open the folder of '%s'"), path)
		      : io_sync_dir(fd, err);
}

int io_close(int *fd, const char *name, struct err *err)
{
	if (close(io_take(fd)) && errno != EINTR)
		return err_sys(err, "E-IO-04", errno, text("cannot close '%s'"), name);
	return 0;
}

#define SYSFS_SIZE   4096
#define BESIDE_BYTES 300

int io_read_file(int dirfd, const char *name, struct buf *out, struct err *err)
{
	IO_FD_AUTO fd = -1;
	ssize_t r = open_regular(dirfd, name, &fd, err);
	struct stat st;

	if (r)
		return (int)r;
	/* A sparse file of a terabyte is refused before its zeros are read.  Not by less than a page: each
	 * file of sysfs says it has one, and holds a few bytes. */
	if (!fstat(fd, &st) && st.st_size > SYSFS_SIZE && (uint64_t)st.st_size > out->max - out->n)
		return err_set_kind(
		    err, ERR_LARGE, "E-IO-08", text("'%s' is larger than %zu bytes"), name, out->max);
	do {
		if (out->n == out->max) {
			char more;

			r = io_read_full(fd, &more, 1);
			if (r > 0)
				return err_set_kind(err, ERR_LARGE, "E-IO-08",
				    text("'%s' is larger than %zu bytes"), name, out->max);
		} else {
			size_t room = out->max - out->n < 65536 ? out->max - out->n : 65536;

			if (buf_reserve(out, room, err))
				return -1;
			r = io_read_full(fd, out->p + out->n, room);
			out->n += r > 0 ? (size_t)r : 0;
		}
		if (r < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), name);
	} while (r > 0);
	return 0;
}

bool io_same_mount(int a, int b)
{
	struct statx x, y;
	const unsigned want = STATX_BASIC_STATS | STATX_MNT_ID;

	if (statx(a, "", AT_EMPTY_PATH, want, &x) || statx(b, "", AT_EMPTY_PATH, want, &y))
		return false;
	if (x.stx_mask & y.stx_mask & STATX_MNT_ID)
		return x.stx_mnt_id == y.stx_mnt_id;
	/* before Linux 5.8: a bind mount of the same file system is not told from a folder */
	return x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor;
}

int io_write_new(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(err, "E-IO-01", errno, text("cannot create '%s'"), name);
	if (io_write_full(fd, p, n)) {
		err_sys(err, "E-IO-03", errno, text("cannot write '%s'"), name);
		goto fail;
	}
	/* the mode is part of the contract (0444, 0600), whatever the umask of cron is */
	if (fchmod(fd, mode) && errno != EPERM && errno != EOPNOTSUPP) {
		err_sys(err, "E-IO-03", errno, text("cannot set the mode of '%s'"), name);
		goto fail;
	}
	if (io_sync(fd, name, err) || io_close(&fd, name, err))
		goto fail;
	return 0;
fail:
	unlinkat(dirfd, name, 0);
	return -1;
}

/* The temporary name. */
static int write_beside(int dirfd, const char *name, mode_t mode, const void *p, size_t n,
    char tmp[BESIDE_BYTES], struct err *err)
{
	snprintf(tmp, BESIDE_BYTES, ".%.250s.tmp", name);
	if (unlinkat(dirfd, tmp, 0) && errno != ENOENT)
		return err_sys(err, "E-IO-03", errno, text("cannot remove '%s'"), tmp);
	return io_write_new(dirfd, tmp, mode, p, n, err);
}

int io_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
{
	char tmp[BESIDE_BYTES];

	if (write_beside(dirfd, name, mode, p, n, tmp, err))
		return -1;
	if (renameat(dirfd, tmp, dirfd, name)) {
		err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), name);
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	return io_sync_dir(dirfd, err);
}

int io_add(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
{
	char tmp[BESIDE_BYTES];

	if (write_beside(dirfd, name, mode, p, n, tmp, err))
		return -1;
	if (io_taken(io_rename_new(dirfd, tmp, dirfd, name, err), name, err)) {
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	return io_sync_dir(dirfd, err);
}

int io_rename_new(int olddir, const char *oldname, int newdir, const char *newname, struct err *err)
{
	struct stat st;

	if (!renameat2(olddir, oldname, newdir, newname, RENAME_NOREPLACE))
		return 0;
	if (errno == EEXIST)
		return IO_EXISTS;
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), newname);
	/* no RENAME_NOREPLACE here (some network file systems): a hard link refuses to replace just as well */
	if (!linkat(olddir, oldname, newdir, newname, 0)) {
		if (unlinkat(olddir, oldname, 0))
			return err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), newname);
		return 0;
	}
	if (errno == EEXIST)
		return IO_EXISTS;
	/* neither (vfat, directories): look, then rename; only one writer is ever there, it holds the
	 * repository's lock */
	if (!fstatat(newdir, newname, &st, AT_SYMLINK_NOFOLLOW))
		return IO_EXISTS;
	if (renameat(olddir, oldname, newdir, newname))
		return err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), newname);
	return 0;
}

int io_taken(int r, const char *name, struct err *err)
{
	return r == IO_EXISTS ? err_set(err, "E-IO-05", text("'%s' appeared meanwhile"), name) : r;
}

int io_lock(int fd, struct err *err)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return IO_BUSY;
	return err_sys(err, "E-IO-06", errno, "%s", text("cannot take the lock"));
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *dir, struct buf *names, size_t *ret_count, struct err *err)
{
	struct dirent *e;
	size_t count = 0;

	for (errno = 0; (e = readdir(dir)); errno = 0) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (buf_append(names, e->d_name, strlen(e->d_name) + 1, err))
			return -1;
		count++;
	}
	if (errno)
		return err_sys(err, "E-IO-07", errno, "%s", text("cannot read a folder"));
	*ret_count = count;
	return 0;
}

int io_each_name(int dirfd, io_name_fn *fn, void *arg, struct err *err)
{
	BUF_AUTO names = BUF_INIT((size_t)64 << 20);
	size_t count = 0, i;
	char **sorted, *p;
	int r = 0, fd;
	DIR *dir;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = err_sys(err, "E-IO-07", errno, "%s", text("cannot read a folder"));
		io_close_quietly(&fd);
		return r;
	}
	r = read_names(dir, &names, &count, err);
	closedir(dir);
	if (r || !count)
		return r;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return err_nomem(err);
	for (i = 0, p = (char *)names.p; i < count; i++, p += strlen(p) + 1)
		sorted[i] = p;
	qsort(sorted, count, sizeof(*sorted), by_bytes);
	for (i = 0; i < count && !r; i++)
		r = fn(arg, sorted[i], err);
	free(sorted);
	return r;
}
