/* store_x_dir: see store_x_dir.h.  Nothing else in this program unlinks a published file.
 *
 * A path is walked component by component, each opened without following a link, and none of them may be on
 * another mount: what lies there was never published here. */
#include "write/reap/store_x_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "read/store/store_dir.h"

struct dir_x {
	struct store_x x;
	int root; /* the store's, borrowed */
};

/* A folder on the way: there, no link, and on the same mount as the one before it. */
static int own_step(int at, const char *name, struct err *err)
{
	IO_FD_AUTO next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0) {
		int why = errno;

		err_sys(err, "E-IO-07", why, text("cannot open folder '%s'"), name);
		return why == ENOENT ? STORE_DIR_ABSENT : -1;
	}
	return store_dir_own(next, at, name, err) ? -1 : io_take(&next);
}

static int parent_of(const struct store_x *x, const char *path, const char **ret_name, struct err *err)
{
	return store_dir_parent(((const struct dir_x *)x)->root, path, own_step, ret_name, err);
}

static void dir_close(struct store_x *x)
{
	free(x);
}

static int dir_open(const struct store *s, struct store_x **ret, struct err *err)
{
	struct dir_x *d = calloc(1, sizeof(*d));

	if (!d)
		return err_nomem(err);
	d->x.kind = &store_x_dir;
	d->root = store_dir_fd(s);
	*ret = &d->x;
	return 0;
}

static int dir_own(const struct store *s, const char *folder, struct err *err)
{
	const char *name;
	IO_FD_AUTO dir = store_dir_parent(store_dir_fd(s), folder, own_step, &name, err);
	IO_FD_AUTO last = dir < 0 ? -1 : own_step(dir, name, err);

	return last < 0 ? -1 : 0;
}

/* What cannot be thawed will not be deleted either, and that is told. */
static void thaw(int dirfd, const char *name)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) || !(flags & FS_IMMUTABLE_FL))
		return;
	flags &= ~FS_IMMUTABLE_FL;
	(void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int dir_remove(
    struct store_x *x, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
	const char *name;
	IO_FD_AUTO dir = parent_of(x, path, &name, err);
	struct stat st;

	if (dir < 0)
		return dir == STORE_DIR_ABSENT ? 0 : -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, "E-REAP-02", errno, text("cannot look at '%s'"), name);
	}
	if (S_ISREG(st.st_mode))
		thaw(dir, name);
	if (unlinkat(dir, name, 0)) {
		err_sys(err, "E-REAP-02", errno, text("cannot delete '%s'"), name);
		return err_hint(err, "%s",
		    text("run the command again as root, with the medium mounted for writing: it goes on "
			 "where it was"));
	}
	++*ret_files;
	*ret_bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return 0;
}

/* Whether it could be is seen when it is replaced. */
static int dir_thaw(struct store_x *x, const char *path, struct err *err)
{
	const char *name;
	IO_FD_AUTO dir = parent_of(x, path, &name, err);

	if (dir >= 0)
		thaw(dir, name);
	return dir >= 0 || dir == STORE_DIR_ABSENT ? 0 : -1;
}

static int dir_retire(struct store_x *x, const char *dir, const char *to, struct err *err)
{
	const char *base, *new_base;
	IO_FD_AUTO from = parent_of(x, dir, &base, err);
	IO_FD_AUTO into = from < 0 ? -1 : parent_of(x, to, &new_base, err);
	struct stat st;
	int r;

	if (from == STORE_DIR_ABSENT ||
	    (from >= 0 && fstatat(from, base, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT))
		return 0;
	if (into == STORE_DIR_ABSENT)
		return err_set(err, "E-IO-07", text("cannot open folder '%s'"), to);
	if (from < 0 || into < 0)
		return -1;
	r = io_rename_new(from, base, into, new_base, err);
	if (r)
		return r == IO_EXISTS ? STORE_X_TAKEN : -1;
	return io_sync_dir(into, err) || io_sync_dir(from, err) ? -1 : 0;
}

static int dir_drop(struct store_x *x, const char *dir, struct err *err)
{
	const char *base;
	IO_FD_AUTO parent = parent_of(x, dir, &base, err);

	if (parent >= 0 && unlinkat(parent, base, AT_REMOVEDIR))
		return err_sys(err, "E-REAP-02", errno, text("cannot delete '%s'"), base);
	return parent == STORE_DIR_ABSENT || parent >= 0 ? 0 : -1;
}

static int dir_sync(struct store_x *x, struct err *err)
{
	if (syncfs(((const struct dir_x *)x)->root))
		return err_sys(err, "E-IO-04", errno, "%s", text("what was deleted cannot be made durable"));
	return 0;
}

const struct store_x_kind store_x_dir = {
    .reads = &store_dir,
    .open = dir_open,
    .own = dir_own,
    .close = dir_close,
    .remove = dir_remove,
    .thaw = dir_thaw,
    .retire = dir_retire,
    .drop = dir_drop,
    .sync = dir_sync,
};
