/* walk: see walk.h.  This file: the order of the walk, for one thread.
 *
 * `stack` holds the folders from the root to the one that is being gone through, each with its sorted names.
 * walk_step() takes the next name of the top folder: walk_look() asks statx(), compares the inode with the one
 * that the folder's list gave, and enters it when it is a folder (enter_folder() → walk_push()).  A folder is yielded
 * when it is entered, so it comes before its content.  When its names are done leave_folder() goes back up.
 *
 * At most OPEN_MAX folders and the root are open; the next one up is reopened through ".." and checked by device
 * and inode, or, when the folder was moved meanwhile, from the root down by names (descend()).
 *
 * The same code serves the tasks of helper threads (walk_ahead.c), as a walk of their own that is bounded:
 * `kept` is set, no descriptor is closed, nothing is sorted on disk, and WALK_LEFT says that the bound is met. */
#include "write/source/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/config/exclude.h"
#include "write/source/names.h"
#include "write/source/walk_private.h"

#define NAMES_MAX_DEFAULT ((size_t)64 << 20)
#define NAMES_MAX_LEAST	  ((size_t)1 << 10)
#define OPEN_MAX	  32 /* folders kept open: the deepest ones, and the root */
#define PATH_LIMIT	  ((size_t)1 << 20)
#define REPLACED_MAX	  3 /* looks at a name that is another thing every time */

int walk_open_folder(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	int fd = openat(dirfd, name, flags | O_NOATIME);

	/* only the owner and root may leave the access time alone */
	return fd < 0 && errno == EPERM ? openat(dirfd, name, flags) : fd;
}

static int cannot_look(const char *root, int errnum, struct err *err)
{
	char shown[300];

	return err_sys(
	    err, "E-WALK-01", errnum, text("cannot look at '%s'"), path_show(root, shown, sizeof(shown)));
}

/* Splits the root into the folder that holds it and its name. */
static int open_root(struct walk *w, const char *root, struct err *err)
{
	size_t n = strlen(root);
	const char *slash;
	struct stat st;
	char *dir;

	while (n > 1 && root[n - 1] == '/')
		n--;
	if (n > 1 && buf_append(&w->path, root, n, err))
		return -1;
	if (buf_terminate(&w->path, err))
		return -1;
	if (root[0] != '/' || (n > 1 && !path_is_entry((char *)w->path.p + 1)))
		return cannot_look(root, EINVAL, err);
	slash = n > 1 ? strrchr((char *)w->path.p, '/') : NULL;
	dir = slash && slash != (char *)w->path.p
		  ? strndup((char *)w->path.p, (size_t)(slash - (char *)w->path.p))
		  : strdup("/");
	w->name = strdup(slash ? slash + 1 : ".");
	if (!dir || !w->name) {
		free(dir);
		return err_nomem(err);
	}
	w->parent = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (w->parent < 0 || fstatat(w->parent, w->name, &st, AT_SYMLINK_NOFOLLOW))
		return cannot_look(root, errno, err);
	return 0;
}

int walk_open(const char *root, const struct walk_options *opt, struct walk **ret, struct err *err)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	w->opt = *opt;
	if (!w->opt.names_max)
		w->opt.names_max = NAMES_MAX_DEFAULT;
	w->parent = -1;
	buf_init(&w->path, 2 * PATH_LIMIT);
	names_scratch_begin(&w->scratch, opt->scratch_dir);
	if (open_root(w, root, err)) {
		walk_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

static void drop_top(struct walk *w)
{
	struct frame *f;

	walk_ahead_lock(w);
	f = &w->stack[--w->depth];
	walk_ahead_unlock(w);
	w->memory -= names_memory(f->names);
	names_free(f->names);
	buf_free(&f->missing);
	if (!w->kept) /* a task keeps its descriptors until its entries have been taken */
		io_close_quietly(&f->fd);
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	walk_ahead_stop(w);
	while (w->depth)
		drop_top(w);
	walk_ahead_free(w);
	names_scratch_end(&w->scratch);
	io_close_quietly(&w->parent);
	buf_free(&w->path);
	free(w->stack);
	free(w->name);
	free(w);
}

/* ---- going down ---- */

/* Where the kernel can say it, a mount point is told from a mere change of device (a btrfs subvolume is
 * none). */
static bool is_mount(const struct walk *w, const struct statx *x)
{
	if (!w->has_root)
		return false; /* the root itself */
	if (x->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return x->stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return makedev(x->stx_dev_major, x->stx_dev_minor) != w->root_dev;
}

static struct timespec time_of(const struct statx_timestamp *t)
{
	return (struct timespec){.tv_sec = t->tv_sec, .tv_nsec = t->tv_nsec};
}

static void set_stat(const struct statx *x, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = makedev(x->stx_dev_major, x->stx_dev_minor);
	st->st_rdev = makedev(x->stx_rdev_major, x->stx_rdev_minor);
	st->st_ino = x->stx_ino;
	st->st_mode = x->stx_mode;
	st->st_nlink = x->stx_nlink;
	st->st_uid = x->stx_uid;
	st->st_gid = x->stx_gid;
	st->st_size = (off_t)x->stx_size;
	st->st_blksize = (blksize_t)x->stx_blksize;
	st->st_blocks = (blkcnt_t)x->stx_blocks;
	st->st_atim = time_of(&x->stx_atime);
	st->st_mtim = time_of(&x->stx_mtime);
	st->st_ctim = time_of(&x->stx_ctime);
}

int walk_out_of_resources(int errnum, struct err *err)
{
	return err_sys(
	    err, "E-WALK-02", errnum, "%s", text("out of resources while going through the folders"));
}

static int grow_stack(struct walk *w, struct err *err)
{
	size_t cap = w->cap ? 2 * w->cap : 64;
	struct frame *more;

	if (w->depth < w->cap)
		return 0;
	more = realloc(w->stack, cap * sizeof(*more));
	if (!more)
		return err_nomem(err);
	w->stack = more;
	w->cap = cap;
	return 0;
}

int walk_push(struct walk *w, const struct frame *f, struct err *err)
{
	int r;

	walk_ahead_lock(w);
	r = grow_stack(w, err);
	if (!r) {
		w->stack[w->depth++] = *f;
		w->memory += names_memory(f->names);
		if (!w->kept && w->depth > OPEN_MAX + 1)
			io_close_quietly(&w->stack[w->depth - 1 - OPEN_MAX].fd);
	}
	walk_ahead_unlock(w);
	return r;
}

/* Opens the folder and reads its names; *st becomes what was opened, which at the `last` attempt may be
 * another folder than was looked at.  0; >0 an errno why not; -1; -WALK_LEFT. */
static int enter_folder(
    struct walk *w, int dirfd, const char *name, bool last, struct stat *st, struct err *err)
{
	size_t max = w->opt.names_max > w->memory ? w->opt.names_max - w->memory : 0;
	IO_FD_AUTO fd = -1;
	struct frame f = {.path_len = w->path.n, .span = WALK_SPAN, .missing = BUF_INIT(SIZE_MAX / 2)};
	struct stat was = *st;
	int errnum = 0, r;

	if (w->kept && (w->n_kept == w->max_kept || w->depth >= OPEN_MAX / 2))
		return -WALK_LEFT;
	fd = walk_open_folder(dirfd, name);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return walk_out_of_resources(errno, err);
	if (fd < 0)
		return errno;
	/* "." rather than fstat: it fails where the folder may be listed but not searched */
	if (fstatat(fd, ".", st, 0))
		return errno;
	if (w->has_root && !last && (st->st_ino != was.st_ino || st->st_dev != was.st_dev))
		return ESTALE;
	r = names_read(
	    fd, max > NAMES_MAX_LEAST ? max : NAMES_MAX_LEAST, &w->scratch, &f.names, &errnum, err);
	if (r)
		return r == NAMES_UNREADABLE ? errnum : r == NAMES_TOO_MANY ? -WALK_LEFT : -1;
	f.fd = fd;
	f.dev = st->st_dev;
	f.ino = st->st_ino;
	f.changed = st->st_ctim;
	if (walk_push(w, &f, err)) {
		names_free(f.names);
		return -1;
	}
	io_take(&fd);
	if (w->kept)
		w->kept[w->n_kept++] = f.fd;
	if (!w->has_root)
		w->root_dev = st->st_dev;
	w->has_root = true;
	if (w->opt.helpers || w->ahead)
		walk_ahead_entered(w);
	return 0;
}

/* It is not to be had: another thing, or nothing, at every look. */
static int cannot_hold(const char *name, struct walk_item *ret)
{
	ret->name = name;
	ret->error = ESTALE;
	memset(&ret->st, 0, sizeof(ret->st));
	return 0;
}

/* What statx() said of the current name.  0: to be yielded; >0 an errno why it could not be entered; -1;
 * -WALK_…. */
static int take_object(
    struct walk *w, const struct statx *x, bool last, struct walk_item *ret, struct err *err)
{
	set_stat(x, &ret->st);
	if (w->has_root && exclude_match(w->opt.exclude, (const char *)w->path.p, S_ISDIR(ret->st.st_mode)))
		return -WALK_EXCLUDED;
	if (!S_ISDIR(ret->st.st_mode))
		return 0;
	if (!w->opt.cross_mounts && is_mount(w, x)) {
		ret->mount = true;
		return 0;
	}
	return w->path.n > PATH_LIMIT ? ENAMETOOLONG
				      : enter_folder(w, ret->dirfd, ret->name, last, &ret->st, err);
}

/* The name is gone, or another file has it. */
static bool is_missing(const struct walk *w, uint64_t listed, bool there, const struct statx *x)
{
	return listed && (!there || (!is_mount(w, x) && walk_moved_is_another(w, listed, x->stx_ino)));
}

int walk_look(struct walk *w, struct frame *f, int dirfd, const char *name, uint64_t listed,
    struct walk_item *ret, struct err *err)
{
	const char *at = name;

	for (int attempt = 1;; attempt++) {
		struct statx x;
		bool there;
		int r;

		*ret = (struct walk_item){.dirfd = dirfd, .name = at};
		ret->path = w->path.n ? (const char *)w->path.p + 1 : "";
		there = !statx(dirfd, at, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &x);
		if (!there && errno == ENOMEM)
			return walk_out_of_resources(errno, err);
		if (!there && errno != ENOENT && errno != ESTALE) {
			ret->error = errno;
			return 0;
		}
		if (is_missing(w, listed, there, &x)) {
			r = f ? walk_moved(w, f, name, err) : WALK_VANISHED;
			if (r && r != WALK_GONE)
				return r;
			if (!r && attempt >= REPLACED_MAX)
				return cannot_hold(name, ret);
			if (r)
				listed = 0; /* whatever has the name now counts */
			if (!r || at != name) {
				at = r ? name : w->moved;
				continue;
			}
		}
		if (!there)
			return WALK_VANISHED;
		r = take_object(w, &x, attempt >= REPLACED_MAX, ret, err);
		/* gone, or another one has its name now: no folder, or one that was not listed */
		if ((r == ENOENT || r == ESTALE || r == ENOTDIR || r == ELOOP) && attempt < REPLACED_MAX)
			continue;
		if (r < 0)
			return r == -1 ? -1 : -r;
		ret->error = r;
		return 0;
	}
}

/* ---- coming back up ---- */

static bool is_frame(int fd, const struct frame *f)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_dev == f->dev && st.st_ino == f->ino;
}

/* From the root down by names: for a folder that was moved elsewhere, whose ".." leads astray. */
static int descend(struct walk *w, size_t to)
{
	int fd = w->stack[0].fd;

	for (size_t i = 1; i <= to; i++) {
		const struct frame *f = &w->stack[i];
		size_t from = w->stack[i - 1].path_len + 1, n = f->path_len - from;
		char *name = strndup((const char *)w->path.p + from, n);
		int next = name ? walk_open_folder(fd, name) : -1;

		free(name);
		if (i > 1)
			io_close_quietly(&fd);
		fd = next;
		if (!is_frame(fd, f)) {
			io_close_quietly(&fd);
			return -1;
		}
	}
	return fd;
}

/* Leaves the folder on top; the one below becomes usable again. */
static int leave_folder(struct walk *w, struct err *err)
{
	struct frame *top = &w->stack[w->depth - 1], *below = top - 1;
	char shown[300];

	if (w->depth > 1 && below->fd < 0) {
		int fd = walk_open_folder(top->fd, "..");

		if (!is_frame(fd, below)) {
			io_close_quietly(&fd);
			fd = descend(w, w->depth - 2);
		}
		walk_ahead_lock(w);
		below->fd = fd;
		walk_ahead_unlock(w);
		if (fd < 0) {
			w->path.p[below->path_len] = '\0';
			return err_set(err, "E-WALK-02", text("folder '%s' was moved away while it was read"),
			    path_show((char *)w->path.p, shown, sizeof(shown)));
		}
	}
	drop_top(w);
	return 0;
}

int walk_set_path(struct walk *w, size_t folder_len, const char *name, struct err *err)
{
	w->path.n = folder_len;
	return buf_puts(&w->path, "/", err) || buf_puts(&w->path, name, err) || buf_terminate(&w->path, err)
		   ? -1
		   : 0;
}

/* The next name of the folder on top, its path in w->path; under the lock.  0, NAMES_END, -1. */
static int next_name(struct walk *w, const char **ret, struct err *err)
{
	struct frame *f = &w->stack[w->depth - 1];
	int r = names_next(f->names, ret, err);

	return !r && walk_set_path(w, f->path_len, *ret, err) ? -1 : r;
}

/* Something that was listed in the folder on top is in it, and was not yielded. */
static int tell_folder(struct walk *w, struct walk_item *ret, struct err *err)
{
	const struct frame *f = &w->stack[w->depth - 1];
	const char *slash;

	walk_ahead_lock(w);
	w->path.n = f->path_len;
	walk_ahead_unlock(w);
	if (buf_terminate(&w->path, err))
		return -1;
	*ret = (struct walk_item){.dirfd = f->fd, .path = f->path_len ? (const char *)w->path.p + 1 : ""};
	slash = strrchr(ret->path, '/');
	return cannot_hold(slash ? slash + 1 : ret->path, ret);
}

int walk_step(struct walk *w, struct walk_item *ret, struct err *err)
{
	while (w->depth) {
		const char *name;
		int r = w->ahead ? walk_ahead_next(w, ret, err) : WALK_AHEAD_NONE;

		if (r <= 0)
			return r;
		r = next_name(w, &name, err);
		walk_ahead_unlock(w);
		if (r == NAMES_END) {
			if (walk_moved_any(&w->stack[w->depth - 1]))
				return tell_folder(w, ret, err);
			if (leave_folder(w, err))
				return -1;
			continue;
		}
		if (!r) {
			struct frame *f = &w->stack[w->depth - 1];

			r = walk_look(w, f, f->fd, name, names_inode(name), ret, err);
		}
		if (r <= 0 || r == WALK_LEFT)
			return r;
	}
	return WALK_END;
}

int walk_next(struct walk *w, struct walk_item *ret, struct err *err)
{
	int r;

	if (w->failed)
		return err_set(err, "E-WALK-02", "%s", text("the walk has failed before"));
	if (!w->begun) {
		w->begun = true;
		r = walk_look(w, NULL, w->parent, w->name, 0, ret, err);
		if (r == WALK_VANISHED || (!r && !ret->st.st_mode))
			r = cannot_look(
			    w->path.n ? (const char *)w->path.p : "/", r ? ENOENT : ret->error, err);
	} else {
		r = walk_step(w, ret, err);
	}
	w->failed = r < 0;
	return r;
}
