/* inside: see inside.h.
 *
 * parent_of() walks: each folder on the way is opened by its one name, relative to the folder before, with
 * O_NOFOLLOW and O_DIRECTORY.  The kernel never resolves more than one component, so neither a link nor ".."
 * (path_is_entry() refuses it) leads out of dirfd, and what is exchanged meanwhile can at most be something
 * else below dirfd.  What is opened last is judged by its descriptor (fstat), not by its name.
 *
 * A size that was seen may be another a moment later: callers bound their buffers and compare hashes.
 */
#include "read/file/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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
	if (errnum == ELOOP || errnum == ENOTDIR)
		err_set(err, "E-IO-01",
		    text("'%s' is or passes through something that is not what belongs there"), shown);
	else if (errnum == EFBIG)
		err_set_kind(err, ERR_LARGE, "E-IO-08", text("'%s' is larger than %zu bytes"), shown,
		    (size_t)INSIDE_FILE_MAX);
	else
		err_sys(err, "E-IO-01", errnum, text("cannot open '%s'"), shown);
	return errnum == ENOENT ? INSIDE_ABSENT : -1;
}

/* The folder that holds the last component, and where that component begins. */
static int parent_of(int dirfd, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	IO_FD_AUTO fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *p = path, *slash;

	if (fd < 0)
		return open_failed(path, errno, err);
	if (!path_is_entry(path))
		return open_failed(path, ENOTDIR, err);
	while ((slash = strchr(p, '/'))) {
		char name[NAME_BYTES];
		size_t n = (size_t)(slash - p);
		int next;

		if (n >= sizeof(name))
			return open_failed(path, ENAMETOOLONG, err);
		memcpy(name, p, n);
		name[n] = '\0';
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return open_failed(path, errno, err);
		io_close_quietly(&fd);
		fd = next;
		p = slash + 1;
	}
	*ret_fd = io_take(&fd);
	*ret_name = p;
	return 0;
}

int inside_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
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

int inside_open(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	IO_FD_AUTO dir = -1;
	IO_FD_AUTO fd = -1;
	const char *name;
	struct stat st;
	int r = parent_of(dirfd, path, &dir, &name, err);

	if (r)
		return r;
	/* O_NONBLOCK: a FIFO planted under this name must not hang the program */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return open_failed(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return open_failed(path, ENOTDIR, err);
	if (st.st_size > INSIDE_FILE_MAX)
		return open_failed(path, EFBIG, err);
	*ret_fd = io_take(&fd);
	return 0;
}

int inside_stat(int dirfd, const char *path, struct stat *ret_st, struct err *err)
{
	IO_FD_AUTO dir = -1;
	const char *name;
	struct stat st;
	int r = parent_of(dirfd, path, &dir, &name, err);

	if (r)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return open_failed(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return open_failed(path, ENOTDIR, err);
	*ret_st = st;
	return 0;
}

int inside_read(int dirfd, const char *path, struct buf *out, struct err *err)
{
	IO_FD_AUTO dir = -1;
	const char *name;
	int r = parent_of(dirfd, path, &dir, &name, err);

	if (r)
		return r;
	r = io_read_file(dir, name, out, err);
	return r == IO_ABSENT ? INSIDE_ABSENT : r;
}
