/* store_w_dir: see store_w_dir.h.
 *
 * The order of one file: bytes, mode, fsync, close (finish_file()), rename, fsync of its folder, immutable
 * flag.  Where the fsync after the rename fails the name is taken back, because a name that may not be durable
 * must not be found and believed.  Of a group: all documents and their folder durable under tmp/, rename of the
 * folder, fsync of the folder that it is in.
 *
 * Many groups at once (dir_publish_groups()): all their documents under tmp/, one syncfs, all renames, one syncfs; where
 * syncfs is not to be trusted (is_synced_whole()), one after the other.
 *
 * What is found under its final name may have been renamed by a run that died before its fsync.  So the file system is
 * synced when the store is opened, or else the folder of what is relied on when it is (dir_rely()); and what a procedure
 * without a handle relies on when it does (dir_settle()).
 *
 * The medium is hostile until shown otherwise: folders are opened without following links, a mount in the place
 * of one is refused, and tmp/ is emptied to a bounded depth. */
#include "write/put/store_w_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/store/store_dir.h"

#define RESERVE	     "reserve"
#define PUSH	     ((int64_t)8 << 20) /* bytes: so much at a time is on its way to the device before it is synced */
#define SETTLED_NAME 96			/* datasets/<64 bytes>/archives/ab */

struct dir_w {
	struct store_w w;
	int root, tmp;		       /* its own */
	bool syncs;		       /* syncfs() makes all of it durable, and says when it could not */
	uint64_t staged;	       /* makes names in tmp/ unique */
	char (*settled)[SETTLED_NAME]; /* !syncs: folders that were synced since it was opened */
	size_t n_settled;
};

struct dir_staged {
	struct store_staged s;
	int fd;
	int64_t written, pushed;
	char name[32];
};

/* What a dead run left in tmp/ is files, and folders of files. */
struct leftovers {
	int dirfd;
	int depth;
};
#define LEFTOVERS_DEPTH 8

/* An expired generation on its way out: its list says which archives go with it. */
bool store_w_dir_is_expired(const char *name, char ret_dataset[GENERATION_NAME], uint64_t *ret_number)
{
	const size_t n = strlen(STORE_W_DIR_EXPIRED);
	const char *number = strrchr(name, '-');

	if (strncmp(name, STORE_W_DIR_EXPIRED, n) != 0 || number < name + n ||
	    (size_t)(number - name - (ptrdiff_t)n) >= GENERATION_NAME)
		return false;
	snprintf(ret_dataset, GENERATION_NAME, "%.*s", (int)(number - name - (ptrdiff_t)n), name + n);
	return generation_name_ok(ret_dataset) && !generation_dir_parse(number + 1, ret_number);
}

static int remove_leftover(void *arg, const char *name, struct err *err)
{
	const struct leftovers *l = arg;
	struct leftovers below = {-1, l->depth + 1};
	char dataset[GENERATION_NAME];
	uint64_t number;
	int dirfd = l->dirfd;
	IO_FD_AUTO sub = -1;

	if (!l->depth && store_w_dir_is_expired(name, dataset, &number))
		return 0;
	if (!unlinkat(dirfd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	sub = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	/* none of ours: nothing is erased that lies elsewhere, and no depth of folders exhausts the stack */
	if (below.depth > LEFTOVERS_DEPTH || !io_same_mount(sub, dirfd))
		return err_set(err, "E-PUBLISH-01", text("'%s' in tmp/ is no leftover of a run"), name);
	below.dirfd = sub;
	if (io_each_name(sub, remove_leftover, &below, err))
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR))
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	return 0;
}

static int clear_tmp(const struct dir_w *d, struct err *err)
{
	struct leftovers l = {d->tmp, 0};

	return io_each_name(d->tmp, remove_leftover, &l, err);
}

/* ---- folders ---- */

/* -1 where something else is mounted in the place of a folder: it would be written to, and what lies in tmp/
 * is removed. */
static int open_folder(const struct dir_w *d, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	*ret_fd = io_make_dir(d->root, name, mode, err);
	if (*ret_fd < 0)
		return -1;
	return store_dir_own(*ret_fd, d->root, name, err);
}

static int make_folder(const struct dir_w *d, const char *name, struct err *err)
{
	IO_FD_AUTO fd = -1;

	return open_folder(d, name, 0755, &fd, err);
}

/* Is syncfs() to be trusted here?  Through FUSE it reaches nothing, a network's file system does not tell of what was lost, and
 * before Linux 5.8 none did (syncfs(2)).  Elsewhere each file and folder is synced by itself. */
static bool is_synced_whole(int fd)
{
	static const uint32_t known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
	    F2FS_SUPER_MAGIC, MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC, TMPFS_MAGIC};
	unsigned major = 0, minor = 0;
	struct utsname u;
	struct statfs fs;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2 ||
	    (major < 5 || (major == 5 && minor < 8)) || fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if ((uint32_t)fs.f_type == known[i])
			return true;
	return false;
}

/* Everything that was written or renamed here so far. */
static int sync_all(const struct dir_w *d, struct err *err)
{
	return syncfs(d->root)
		   ? err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot make the medium durable"))
		   : 0;
}

/* The folder `name` in `at`; where it is missing it is made, durably.  -1 where something else is mounted in its place. */
static int make_step(int at, const char *name, struct err *err)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) {
		if (store_dir_own(fd, at, name, err))
			io_close_quietly(&fd);
		return fd;
	}
	fd = io_make_dir(at, name, 0755, err);
	if (fd >= 0 && io_sync_dir(at, err))
		io_close_quietly(&fd);
	return fd;
}

/* make: folders on the way are made.  ≥0, less than 0. */
static int parent_of(int root, const char *path, bool make, const char **ret_name, struct err *err)
{
	return store_dir_parent(root, path, make ? make_step : NULL, ret_name, err);
}

/* ---- opening ---- */

static int dir_release(struct store_w *w, struct err *err)
{
	const struct dir_w *d = (const struct dir_w *)w;

	if (!unlinkat(d->tmp, RESERVE, 0) || errno == ENOENT)
		return 0;
	return err_sys(err, "E-PUBLISH-02", errno, "%s",
	    text("the room that was kept on the medium cannot be given back"));
}

static void dir_close(struct store_w *w)
{
	struct dir_w *d = (struct dir_w *)w;

	io_close_quietly(&d->tmp);
	io_close_quietly(&d->root);
	free(d->settled);
	free(d);
}

static int dir_open(
    const struct store *s, const char *const *folders, size_t n, struct store_w **ret, struct err *err)
{
	struct dir_w *d = calloc(1, sizeof(*d));
	int r = 0;

	if (!d)
		return err_nomem(err);
	d->w.kind = &store_w_dir;
	d->tmp = -1;
	d->root = fcntl(store_dir_fd(s), F_DUPFD_CLOEXEC, 3);
	if (d->root < 0)
		r = err_sys(err, "E-PUBLISH-01", errno, "%s", text("cannot open the repository's folder"));
	d->w.reads = store_dir_of(d->root);
	for (size_t i = 0; i < n && !r; i++)
		r = make_folder(d, folders[i], err);
	if (!r)
		r = open_folder(d, STORE_W_DIR_TMP, 0700, &d->tmp, err) || clear_tmp(d, err) ? -1 : 0;
	/* what a dead run has made or renamed but not yet made durable will be found and relied on */
	if (!r)
		d->syncs = is_synced_whole(d->root);
	if (r || (d->syncs && sync_all(d, err))) {
		dir_close(&d->w);
		return -1;
	}
	*ret = &d->w;
	return 0;
}

/* ---- one file ---- */

static int dir_stage(struct store_w *w, struct store_staged **ret, struct err *err)
{
	struct dir_w *d = (struct dir_w *)w;
	struct dir_staged *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	snprintf(f->name, sizeof(f->name), "stage-%" PRIu64, d->staged++);
	f->fd = openat(d->tmp, f->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		free(f);
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot create a file on the medium"));
	}
	*ret = &f->s;
	return 0;
}

static int dir_append(struct store_staged *s, const void *p, size_t n, struct err *err)
{
	struct dir_staged *f = (struct dir_staged *)s;

	if (io_write_full(f->fd, p, n))
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot write to the medium"));
	f->written += (int64_t)n;
	/* the device works while the next bytes are read and hashed; what becomes of it says fsync */
	if (f->written - f->pushed >= PUSH) {
		(void)!sync_file_range(f->fd, f->pushed, f->written - f->pushed, SYNC_FILE_RANGE_WRITE);
		f->pushed = f->written;
	}
	return 0;
}

static void dir_discard(struct store_w *w, struct store_staged *s)
{
	const struct dir_w *d = (const struct dir_w *)w;
	struct dir_staged *f = (struct dir_staged *)s;

	io_close_quietly(&f->fd);
	unlinkat(d->tmp, f->name, 0); /* if not now, the next store_w_open() does it */
	free(f);
}

/* Mode, bytes on the device, and closed: a network file system may tell of a lost write only then. */
static int finish_file(struct dir_staged *f, const char *base, mode_t mode, struct err *err)
{
	/* some file systems know no modes; then the medium's own are what there is */
	if (fchmod(f->fd, mode) && errno != EPERM && errno != EOPNOTSUPP)
		return err_sys(err, "E-PUBLISH-02", errno, text("cannot set the mode of '%s'"), base);
	return io_sync(f->fd, base, err) || io_close(&f->fd, base, err) ? -1 : 0;
}

static int dir_publish(struct store_w *w, struct store_staged *s, const char *path, struct err *err)
{
	const struct dir_w *d = (const struct dir_w *)w;
	struct dir_staged *f = (struct dir_staged *)s;
	const char *base;
	IO_FD_AUTO dir = parent_of(d->root, path, true, &base, err);
	int r = -1;

	if (dir >= 0 && !finish_file(f, base, 0444, err))
		r = io_rename_new(d->tmp, f->name, dir, base, err);
	if (!r && io_sync_dir(dir, err)) {
		/* perhaps not durable: it must not be found there and believed */
		r = -1;
		renameat(dir, base, d->tmp, f->name);
	}
	if (r)
		dir_discard(w, s);
	else
		free(f);
	return r == IO_EXISTS ? STORE_W_TAKEN : r;
}

static int dir_freeze(struct store_w *w, const char *path)
{
	STORE_FILE_AUTO file = {0};
	int flags = 0;

	if (store_open(&w->reads, path, &file, NULL))
		return errno ? errno : EIO;
	if (ioctl(file.fd, FS_IOC_GETFLAGS, &flags))
		return errno;
	if (flags & FS_IMMUTABLE_FL)
		return 0;
	flags |= FS_IMMUTABLE_FL;
	return ioctl(file.fd, FS_IOC_SETFLAGS, &flags) ? errno : 0;
}

/* ---- a group ---- */

static int write_docs(int dir, const struct store_doc *docs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (io_write_new(dir, docs[i].name, 0444, docs[i].p, docs[i].n, err))
			return -1;
	return io_sync_dir(dir, err);
}

static int dir_publish_group(
    struct store_w *w, const char *path, const struct store_doc *docs, size_t n, struct err *err)
{
	struct dir_w *d = (struct dir_w *)w;
	const char *base;
	IO_FD_AUTO parent = parent_of(d->root, path, true, &base, err);
	IO_FD_AUTO dir = -1;
	char stage[32];
	int r;

	snprintf(stage, sizeof(stage), "group-%" PRIu64, d->staged++);
	dir = parent < 0 ? -1 : io_make_dir(d->tmp, stage, 0755, err);
	if (dir < 0)
		return -1;
	r = write_docs(dir, docs, n, err);
	if (!r)
		r = io_rename_new(d->tmp, stage, parent, base, err);
	if (r) { /* if not now, the next open does it */
		(void)remove_leftover(&(struct leftovers){d->tmp, 0}, stage, NULL);
		return r == IO_EXISTS ? STORE_W_TAKEN : -1;
	}
	if (!io_sync_dir(parent, err))
		return 0;
	/* perhaps not durable: it must not be found there and believed */
	renameat(parent, base, d->tmp, stage);
	return -1;
}

/* ---- many groups ---- */

#define GROUP_NAME 32

static char *group_name(const struct dir_w *d, size_t i, char out[GROUP_NAME])
{
	snprintf(out, GROUP_NAME, "group-%" PRIu64, d->staged + i);
	return out;
}

/* Not durable when it returns. */
static int write_lazily(int dir, const struct store_doc *doc, struct err *err)
{
	IO_FD_AUTO fd = openat(dir, doc->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);

	if (fd < 0 || io_write_full(fd, doc->p, doc->n))
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot write to the medium"));
	if (fchmod(fd, 0444) && errno != EPERM && errno != EOPNOTSUPP)
		return err_sys(err, "E-PUBLISH-02", errno, text("cannot set the mode of '%s'"), doc->name);
	return io_close(&fd, doc->name, err);
}

/* Its documents under tmp/, not durable yet. */
static int stage_group(const struct dir_w *d, size_t i, struct store_group *g)
{
	char name[GROUP_NAME];
	IO_FD_AUTO dir = io_make_dir(d->tmp, group_name(d, i, name), 0755, &g->why);
	int r = dir < 0 ? -1 : 0;

	for (size_t k = 0; k < g->n && !r; k++)
		r = write_lazily(dir, &g->docs[k], &g->why);
	return r;
}

/* Into its place, or back. */
static int move_group(const struct dir_w *d, size_t i, struct store_group *g, bool back)
{
	char name[GROUP_NAME];
	const char *base;
	IO_FD_AUTO parent = parent_of(d->root, g->dir, !back, &base, &g->why);
	int r;

	if (parent < 0)
		return -1;
	if (back)
		return renameat(parent, base, d->tmp, group_name(d, i, name));
	r = io_rename_new(d->tmp, group_name(d, i, name), parent, base, &g->why);
	return r == IO_EXISTS ? STORE_W_TAKEN : r;
}

static void dir_publish_groups(struct store_w *w, struct store_group *groups, size_t n)
{
	struct dir_w *d = (struct dir_w *)w;
	struct err why = ERR_INIT;
	char name[GROUP_NAME];
	bool lost = false;

	for (size_t i = 0; i < n && !d->syncs; i++)
		groups[i].r =
		    dir_publish_group(w, groups[i].dir, groups[i].docs, groups[i].n, &groups[i].why);
	if (!d->syncs)
		return;
	for (size_t i = 0; i < n; i++)
		groups[i].r = stage_group(d, i, &groups[i]);
	lost = sync_all(d, &why);
	for (size_t i = 0; i < n && !lost; i++)
		if (!groups[i].r)
			groups[i].r = move_group(d, i, &groups[i], false);
	/* perhaps not durable: they must not be found there and believed */
	if (!lost && sync_all(d, &why)) {
		lost = true;
		for (size_t i = 0; i < n; i++)
			if (!groups[i].r)
				(void)move_group(d, i, &groups[i], true);
	}
	for (size_t i = 0; i < n; i++) {
		if (lost && !groups[i].r) {
			groups[i].r = -1;
			groups[i].why = why;
		}
		if (groups[i].r) /* if not now, the next open does it */
			(void)remove_leftover(&(struct leftovers){d->tmp, 0}, group_name(d, i, name), NULL);
	}
	d->staged += n;
}

/* ---- without a handle ---- */

static int dir_make_folder(const struct store *s, const char *path, struct err *err)
{
	const char *base;
	IO_FD_AUTO dir = parent_of(store_dir_fd(s), path, true, &base, err);
	IO_FD_AUTO made = dir < 0 ? -1 : io_make_dir(dir, base, 0755, err);

	return made < 0 ? -1 : 0;
}

static int dir_settle(const struct store *s, const char *path, struct err *err)
{
	const char *base;
	IO_FD_AUTO dir = parent_of(store_dir_fd(s), path, false, &base, err);

	return dir < 0 ? -1 : io_sync_dir(dir, err);
}

/* A folder that is too long to be remembered, or that nobody has memory for, is synced each time. */
static int dir_rely(struct store_w *w, const char *path, struct err *err)
{
	struct dir_w *d = (struct dir_w *)w;
	const size_t n = (size_t)(strrchr(path, '/') - path);
	char(*more)[SETTLED_NAME];

	if (d->syncs)
		return 0;
	for (size_t i = 0; i < d->n_settled; i++)
		if (!strncmp(d->settled[i], path, n) && !d->settled[i][n])
			return 0;
	if (dir_settle(&w->reads, path, err))
		return -1;
	more = n < SETTLED_NAME ? reallocarray(d->settled, d->n_settled + 1, sizeof(*more)) : NULL;
	if (!more)
		return 0;
	d->settled = more;
	snprintf(more[d->n_settled++], SETTLED_NAME, "%.*s", (int)n, path);
	return 0;
}

static int dir_add(const struct store *s, const char *path, const void *p, size_t n, struct err *err)
{
	const char *base;
	IO_FD_AUTO dir = parent_of(store_dir_fd(s), path, true, &base, err);

	return dir < 0 ? -1 : io_add(dir, base, 0444, p, n, err);
}

static int dir_replace(
    const struct store *s, const char *path, mode_t mode, const void *p, size_t n, struct err *err)
{
	const char *base;
	IO_FD_AUTO dir = parent_of(store_dir_fd(s), path, true, &base, err);

	return dir < 0 ? -1 : io_replace(dir, base, mode, p, n, err);
}

static void dir_set_mode(const struct store *s, const char *path, mode_t mode)
{
	STORE_FILE_AUTO f = {0};
	struct stat st;

	/* some file systems know no modes (FAT) */
	if (!store_open(s, path, &f, NULL) && !fstat(f.fd, &st) && (st.st_mode & 07777) != mode)
		(void)!fchmod(f.fd, mode);
}

static int dir_withdraw(const struct store *s, const char *path, struct err *err)
{
	const char *next;
	IO_FD_AUTO dir = parent_of(store_dir_fd(s), path, false, &next, err);

	if (dir >= 0 && unlinkat(dir, next, 0))
		return err_sys(err, "E-IO-03", errno, text("cannot remove '%s'"), next);
	return dir < 0 ? -1 : 0;
}

static int dir_set_aside(const struct store *s, const char *path, const char *to, struct err *err)
{
	const char *base, *new_base;
	IO_FD_AUTO from = parent_of(store_dir_fd(s), path, false, &base, err);
	IO_FD_AUTO into = from < 0 ? -1 : parent_of(store_dir_fd(s), to, true, &new_base, err);

	return into < 0 ? -1 : io_taken(io_rename_new(from, base, into, new_base, err), new_base, err);
}

/* ---- with one ---- */

static int dir_replace_staged(
    struct store_w *w, struct store_staged *s, const char *path, mode_t mode, struct err *err)
{
	const struct dir_w *d = (const struct dir_w *)w;
	struct dir_staged *f = (struct dir_staged *)s;
	const char *base;
	IO_FD_AUTO dir = parent_of(d->root, path, true, &base, err);
	int r = dir < 0 ? -1 : finish_file(f, base, mode, err);

	if (!r && renameat(d->tmp, f->name, dir, base))
		r = err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), base);
	if (r) {
		dir_discard(w, s);
		return -1;
	}
	free(f);
	return io_sync_dir(dir, err);
}

static void dir_reserve(struct store_w *w, uint64_t bytes)
{
	const struct dir_w *d = (const struct dir_w *)w;
	IO_FD_AUTO fd = openat(d->tmp, RESERVE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* less than asked for is better than nothing: a disk that is nearly full is brought again and again */
	while (fd >= 0 && bytes && fallocate(fd, 0, 0, (off_t)bytes) && errno == ENOSPC) {
		(void)!ftruncate(fd, 0);
		bytes /= 2;
	}
}

const struct store_w_kind store_w_dir = {
    .reads = &store_dir,
    .open = dir_open,
    .close = dir_close,
    .stage = dir_stage,
    .append = dir_append,
    .discard = dir_discard,
    .publish = dir_publish,
    .publish_group = dir_publish_group,
    .publish_groups = dir_publish_groups,
    .replace_staged = dir_replace_staged,
    .freeze = dir_freeze,
    .reserve = dir_reserve,
    .release = dir_release,
    .make_folder = dir_make_folder,
    .settle = dir_settle,
    .rely = dir_rely,
    .add = dir_add,
    .replace = dir_replace,
    .set_mode = dir_set_mode,
    .withdraw = dir_withdraw,
    .set_aside = dir_set_aside,
};
