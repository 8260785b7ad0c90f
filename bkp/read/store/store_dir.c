/* store_dir: see store_dir.h.
 *
 * store_dir_parent() walks: each folder on the way is opened by its one name, relative to the folder before, with
 * O_NOFOLLOW and O_DIRECTORY.  The kernel never resolves more than one component, so neither a link nor ".."
 * (path_is_entry() refuses it) leads out of the folder, and what is exchanged meanwhile can at most be
 * something else below it.  What is opened last is judged by its descriptor (fstat), not by its name.
 *
 * A size that was seen may be another a moment later: callers bound their buffers and compare hashes.
 */
#include "read/store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define NAME_BYTES 256
#define PATH_BYTES 1024

static int open_failed(const char *path, int errnum, struct err *err)
{
	char shown[300];

	path_show(path, shown, sizeof(shown));
	if (errnum == ELOOP || errnum == ENOTDIR) {
		err_set(err, "E-IO-01",
		    text("'%s' is or passes through something that is not what belongs there"), shown);
		if (err)
			err->errnum = errnum;
	} else if (errnum == EFBIG)
		err_set_kind(err, ERR_LARGE, "E-IO-08", text("'%s' is larger than %zu bytes"), shown,
		    (size_t)STORE_FILE_MAX);
	else
		err_sys(err, "E-IO-01", errnum, text("cannot open '%s'"), shown);
	return errnum == ENOENT ? STORE_ABSENT : -1;
}

static int step_into(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* -1 or STORE_DIR_ABSENT, as a step gives it. */
static int step_failed(const char *path, int errnum, struct err *err)
{
	return open_failed(path, errnum, err) == STORE_ABSENT ? STORE_DIR_ABSENT : -1;
}

int store_dir_parent(
    int root, const char *path, store_dir_step_fn *step, const char **ret_name, struct err *err)
{
	IO_FD_AUTO fd = step_into(root, ".");
	const char *p = path, *slash;

	if (fd < 0)
		return step_failed(path, errno, err);
	if (!path_is_entry(path))
		return step_failed(path, ENOTDIR, err);
	while ((slash = strchr(p, '/'))) {
		char name[NAME_BYTES];
		size_t n = (size_t)(slash - p);
		int next;

		if (n >= sizeof(name))
			return step_failed(path, ENAMETOOLONG, err);
		memcpy(name, p, n);
		name[n] = '\0';
		next = step ? step(fd, name, err) : step_into(fd, name);
		if (next < 0)
			return step ? next : step_failed(path, errno, err);
		io_close_quietly(&fd);
		fd = next;
		p = slash + 1;
	}
	*ret_name = p;
	return io_take(&fd);
}

int store_dir_own(int dir, int root, const char *name, struct err *err)
{
	if (io_same_mount(dir, root))
		return 0;
	err_set(
	    err, "E-PUBLISH-06", text("the folder '%s' on the medium is a mount of something else"), name);
	return err_hint(err, "%s", text("unmount what is mounted there"));
}

/* As the functions of struct store_kind return it. */
static int parent_of(int root, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	*ret_fd = store_dir_parent(root, path, NULL, ret_name, err);
	return *ret_fd == STORE_DIR_ABSENT ? STORE_ABSENT : *ret_fd < 0 ? -1 : 0;
}

static int open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	const size_t n = strlen(path);
	const char *name = ".";
	IO_FD_AUTO dir = -1;
	char plain[PATH_BYTES];
	int r;

	if (n >= sizeof(plain))
		return open_failed(path, ENAMETOOLONG, err);
	memcpy(plain, path, n + 1);
	if (n && plain[n - 1] == '/')
		plain[n - 1] = '\0';
	r = n ? parent_of(dirfd, plain, &dir, &name, err) : 0;
	if (r)
		return r;
	*ret_fd = openat(n ? dir : dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? open_failed(path, errno, err) : 0;
}

/* ---- as a store ---- */

static int dir_below(const struct store *s, const char *path, struct store *ret, struct err *err)
{
	int fd = -1, r = open_dir(s->fd, path, &fd, err);

	if (!r)
		*ret = store_dir_of(fd);
	return r;
}

static void dir_close(struct store *s)
{
	io_close_quietly(&s->fd);
}

static int dir_open(const struct store *s, const char *path, struct store_file *ret, struct err *err)
{
	IO_FD_AUTO dir = -1;
	IO_FD_AUTO fd = -1;
	const char *name;
	struct stat st;
	int r = parent_of(s->fd, path, &dir, &name, err);

	if (r)
		return r;
	/* O_NONBLOCK: a FIFO planted under this name must not hang the program */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return open_failed(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return open_failed(path, ENOTDIR, err);
	if (st.st_size > STORE_FILE_MAX)
		return open_failed(path, EFBIG, err);
	*ret = (struct store_file){.kind = &store_dir, .size = st.st_size, .fd = io_take(&fd)};
	return 0;
}

static void dir_close_file(struct store_file *f)
{
	io_close_quietly(&f->fd);
}

static bool set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

static void drop_cache(int fd)
{
	(void)fdatasync(fd); /* only clean pages can be dropped */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void dir_drop_cache(struct store_file *f)
{
	drop_cache(f->fd);
}

static void dir_bypass_cache(struct store_file *f)
{
	if (!set_direct(f->fd, true))
		drop_cache(f->fd);
}

static ssize_t dir_read_some(struct store_file *f, void *p, size_t n, int64_t offset)
{
	ssize_t got = pread(f->fd, p, n, offset);
	int flags;

	if (got >= 0 || errno != EINVAL)
		return got;
	/* O_DIRECT that was accepted and is refused now: some file systems, odd block sizes, an odd offset */
	flags = fcntl(f->fd, F_GETFL);
	if (flags < 0 || !(flags & O_DIRECT) || !set_direct(f->fd, false)) {
		errno = EINVAL;
		return got;
	}
	drop_cache(f->fd);
	return pread(f->fd, p, n, offset);
}

static int dir_size(const struct store *s, const char *path, uint64_t *ret_size, struct err *err)
{
	IO_FD_AUTO dir = -1;
	const char *name;
	struct stat st;
	int r = parent_of(s->fd, path, &dir, &name, err);

	if (r)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return open_failed(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return open_failed(path, ENOTDIR, err);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static bool dir_has(const struct store *s, const char *path)
{
	IO_FD_AUTO dir = -1;
	const char *name;
	struct stat st;

	return !parent_of(s->fd, path, &dir, &name, NULL) && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
}

static int dir_list(const struct store *s, const char *path, store_name_fn *fn, void *arg, struct err *err)
{
	IO_FD_AUTO fd = -1;
	int r = open_dir(s->fd, path, &fd, err);

	return r ? r : io_each_name(fd, fn, arg, err);
}

static enum rotational dir_rotational(const struct store *s)
{
	return rotational_of(s->fd);
}

static bool dir_space(const struct store *s, struct store_space *ret)
{
	struct statvfs fs;

	if (fstatvfs(s->fd, &fs))
		return false;
	*ret = (struct store_space){(uint64_t)fs.f_bavail * fs.f_frsize, (fs.f_flag & ST_RDONLY) != 0};
	return true;
}

const struct store_kind store_dir = {
    .below = dir_below,
    .close = dir_close,
    .open = dir_open,
    .close_file = dir_close_file,
    .read_some = dir_read_some,
    .bypass_cache = dir_bypass_cache,
    .drop_cache = dir_drop_cache,
    .size = dir_size,
    .has = dir_has,
    .list = dir_list,
    .rotational = dir_rotational,
    .space = dir_space,
};

/* ---- and where it is one ---- */

int store_dir_open(const char *path, struct store *ret, struct err *err)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), why = errno;
	char shown[300];

	if (fd >= 0) {
		*ret = store_dir_of(fd);
		return 0;
	}
	err_sys(err, "E-IO-07", why, text("cannot open folder '%s'"), path_show(path, shown, sizeof(shown)));
	return why == ENOENT || why == ENOTDIR ? STORE_ABSENT : -1;
}

struct store store_dir_of(int dirfd)
{
	return (struct store){.kind = &store_dir, .fd = dirfd};
}

struct store_file store_dir_file(int fd)
{
	struct store_file f = {.kind = &store_dir, .fd = fd};
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st)) /* errno of who could not open it stays */
		f.size = st.st_size;
	return f;
}

int store_dir_fd(const struct store *s)
{
	return s->kind == &store_dir ? s->fd : -1;
}
