/* walk: see walk.h. */
#include "write/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/exclude.h"
#include "write/names.h"

#define NAMES_MAX_DEFAULT ((size_t)64 << 20)
#define NAMES_MAX_LEAST	  ((size_t)1 << 10)
#define OPEN_MAX	  32 /* folders kept open: the deepest ones, and the root */
#define PATH_LIMIT	  ((size_t)1 << 20)
#define REPLACED_MAX	  3 /* looks at a name that is another thing every time */

/* A folder that is being gone through. */
struct frame {
	int fd; /* -1 when closed for want of descriptors */
	dev_t dev;
	ino_t ino;
	size_t path_len;
	struct names *names;
};

struct walk {
	struct walk_options opt;
	struct names_scratch scratch;
	int parent; /* folder that holds the root; O_PATH */
	char *name; /* of the root in it */
	bool begun, failed;
	struct buf path; /* absolute, of the entry at hand; empty for "/" */
	size_t root_len;
	struct frame *stack;
	size_t depth, cap;
	size_t memory; /* of all names on the stack */
};

static int open_folder(int dirfd, const char *name)
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
	w->root_len = w->path.n;
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
	struct frame *f = &w->stack[--w->depth];

	w->memory -= names_memory(f->names);
	names_free(f->names);
	io_close_quietly(&f->fd);
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	while (w->depth)
		drop_top(w);
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
static bool is_mount(const struct walk *w, int dirfd, const char *name, const struct stat *st)
{
	struct statx x;

	if (!w->depth)
		return false; /* the root itself */
	if (!statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &x) &&
	    x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return st->st_dev != w->stack[0].dev;
}

static int out_of_resources(int errnum, struct err *err)
{
	return err_sys(
	    err, "E-WALK-02", errnum, "%s", text("out of resources while going through the folders"));
}

static int push(struct walk *w, int fd, const struct stat *st, struct names *names, struct err *err)
{
	if (w->depth == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 64;
		struct frame *more = realloc(w->stack, cap * sizeof(*more));

		if (!more)
			return err_nomem(err);
		w->stack = more;
		w->cap = cap;
	}
	w->stack[w->depth++] = (struct frame){fd, st->st_dev, st->st_ino, w->path.n, names};
	w->memory += names_memory(names);
	if (w->depth > OPEN_MAX + 1)
		io_close_quietly(&w->stack[w->depth - 1 - OPEN_MAX].fd);
	return 0;
}

/* Opens the folder and reads its names; *st becomes what was opened.  0; >0 an errno why not; -1. */
static int enter(struct walk *w, int dirfd, const char *name, struct stat *st, struct err *err)
{
	size_t max = w->opt.names_max > w->memory ? w->opt.names_max - w->memory : 0;
	IO_FD_AUTO fd = open_folder(dirfd, name);
	struct names *names = NULL;
	int errnum = 0, r;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return out_of_resources(errno, err);
	if (fd < 0)
		return errno;
	/* "." rather than fstat: it fails where the folder may be listed but not searched */
	if (fstatat(fd, ".", st, 0))
		return errno;
	r = names_read(fd, max > NAMES_MAX_LEAST ? max : NAMES_MAX_LEAST, &w->scratch, &names, &errnum, err);
	if (r)
		return r == NAMES_UNREADABLE ? errnum : -1;
	if (push(w, fd, st, names, err)) {
		names_free(names);
		return -1;
	}
	io_take(&fd);
	return 0;
}

/* Looks at one name. 0: *ret is to be yielded; VANISHED; EXCLUDED; -1. */
enum { VANISHED = 1, EXCLUDED };

static int look(struct walk *w, int dirfd, const char *name, struct walk_item *ret, struct err *err)
{
	for (int attempt = 1;; attempt++) {
		int r;

		*ret = (struct walk_item){.dirfd = dirfd, .name = name};
		ret->path = w->path.n ? (const char *)w->path.p + 1 : "";
		if (fstatat(dirfd, name, &ret->st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
			if (errno == ENOENT || errno == ESTALE)
				return VANISHED;
			if (errno == ENOMEM)
				return out_of_resources(errno, err);
			ret->error = errno;
			memset(&ret->st, 0, sizeof(ret->st));
			return 0;
		}
		if (w->depth &&
		    exclude_match(w->opt.exclude, (const char *)w->path.p, S_ISDIR(ret->st.st_mode)))
			return EXCLUDED;
		if (!S_ISDIR(ret->st.st_mode))
			return 0;
		if (!w->opt.cross_mounts && is_mount(w, dirfd, name, &ret->st)) {
			ret->mount = true;
			return 0;
		}
		if (w->path.n > PATH_LIMIT) {
			ret->error = ENAMETOOLONG;
			return 0;
		}
		r = enter(w, dirfd, name, &ret->st, err);
		if (r == ENOENT || r == ESTALE)
			return VANISHED;
		if ((r == ENOTDIR || r == ELOOP) && attempt < REPLACED_MAX)
			continue; /* no longer a folder: look again */
		if (r < 0)
			return -1;
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
		int next = name ? open_folder(fd, name) : -1;

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
static int leave(struct walk *w, struct err *err)
{
	struct frame *top = &w->stack[w->depth - 1], *below = top - 1;
	char shown[300];

	if (w->depth > 1 && below->fd < 0) {
		below->fd = open_folder(top->fd, "..");
		if (!is_frame(below->fd, below)) {
			io_close_quietly(&below->fd);
			below->fd = descend(w, w->depth - 2);
		}
		if (below->fd < 0) {
			w->path.p[below->path_len] = '\0';
			return err_set(err, "E-WALK-02", text("folder '%s' was moved away while it was read"),
			    path_show((char *)w->path.p, shown, sizeof(shown)));
		}
	}
	drop_top(w);
	return 0;
}

static int step(struct walk *w, struct walk_item *ret, struct err *err)
{
	while (w->depth) {
		struct frame *f = &w->stack[w->depth - 1];
		const char *name;
		int r = names_next(f->names, &name, err);

		if (r == NAMES_END) {
			if (leave(w, err))
				return -1;
			continue;
		}
		if (r)
			return -1;
		w->path.n = f->path_len;
		if (buf_puts(&w->path, "/", err) || buf_puts(&w->path, name, err) ||
		    buf_terminate(&w->path, err))
			return -1;
		r = look(w, f->fd, name, ret, err);
		if (r <= 0)
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
		r = look(w, w->parent, w->name, ret, err);
		if (r == VANISHED || (!r && !ret->st.st_mode))
			r = cannot_look(
			    w->path.n ? (const char *)w->path.p : "/", r ? ENOENT : ret->error, err);
	} else {
		r = step(w, ret, err);
	}
	w->failed = r < 0;
	return r;
}
