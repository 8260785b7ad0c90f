/* disk: see disk.h.
 *
 * A stack of open folders, each with the names that are left of it, sorted: so a folder comes before what is in it, as in a catalog. */
#include "restore/look/disk.h"

#include <dirent.h>
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
#include "restore/look/version.h"

#define PATH_MAX_BYTES ((size_t)1 << 20)
#define SHOW	       300

struct level {
	int fd;
	char **names;
	size_t n, next;
	size_t path_len; /* of the folder's own path */
};

struct disk {
	int folder;
	struct level *levels;
	size_t n;
	struct buf path; /* of what was given last */
	struct buf link;
	int at; /* the folder that it is in, and its name there */
	const char *name;
	bool enter; /* it is a folder that is still to be gone into */
	bool begin; /* path is an outermost one that was not given yet */
	int outer;  /* the folder above that; -1 */
};

int disk_open(const char *folder, struct disk **ret, struct err *err)
{
	struct disk *d = calloc(1, sizeof(*d));
	char shown[SHOW];

	if (!d)
		return err_nomem(err);
	*d = (struct disk){.outer = -1, .path = BUF_INIT(PATH_MAX_BYTES), .link = BUF_INIT(PATH_MAX_BYTES)};
	d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->folder < 0) {
		free(d);
		return err_sys(err, "E-LOOK-04", errno, text("cannot open '%s'"),
		    path_show(folder, shown, sizeof(shown)));
	}
	*ret = d;
	return 0;
}

static void leave(struct disk *d)
{
	struct level *l = &d->levels[--d->n];

	for (size_t i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
	io_close_quietly(&l->fd);
}

void disk_close(struct disk *d)
{
	if (!d)
		return;
	while (d->n)
		leave(d);
	free(d->levels);
	io_close_quietly(&d->outer);
	io_close_quietly(&d->folder);
	buf_free(&d->path);
	buf_free(&d->link);
	free(d);
}

static int cannot(const struct disk *d, struct err *err)
{
	char shown[SHOW];
	int why = errno;

	return err_sys(err, "E-LOOK-04", why, text("cannot read '%s'"),
	    path_show((const char *)d->path.p, shown, sizeof(shown)));
}

int disk_begin(struct disk *d, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *above = slash ? strndup(path, (size_t)(slash - path)) : NULL;

	while (d->n)
		leave(d);
	d->enter = d->begin = false;
	io_close_quietly(&d->outer);
	d->path.n = 0;
	if ((slash && !above) || buf_puts(&d->path, path, err) || buf_terminate(&d->path, err)) {
		free(above);
		return err_nomem(err);
	}
	d->outer = openat(d->folder, above ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(above);
	if (d->outer < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : cannot(d, err);
	d->begin = true;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int add_name(struct level *l, size_t *cap, const char *name)
{
	if (l->n == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		char **names = reallocarray(l->names, more, sizeof(*names));

		if (!names)
			return -1;
		l->names = names;
		*cap = more;
	}
	l->names[l->n] = strdup(name);
	return l->names[l->n] ? (l->n++, 0) : -1;
}

static int read_names(struct level *l, struct err *err)
{
	int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t cap = 0;
	struct dirent *e;
	int r = 0;

	if (!dir) {
		io_close_quietly(&fd);
		return -1;
	}
	errno = 0;
	while (!r && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    add_name(l, &cap, e->d_name))
			r = err_nomem(err);
		errno = r ? ENOMEM : 0;
	}
	r = r || errno ? -1 : 0;
	closedir(dir);
	if (l->n)
		qsort(l->names, l->n, sizeof(*l->names), by_name);
	return r;
}

/* Into the folder that was given last. */
static int enter(struct disk *d, struct err *err)
{
	struct level *more = reallocarray(d->levels, d->n + 1, sizeof(*more)),
		     l = {.path_len = strlen((char *)d->path.p)};

	if (!more)
		return err_nomem(err);
	d->levels = more;
	l.fd = openat(d->at, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l.fd < 0)
		return cannot(d, err);
	d->levels[d->n++] = l;
	return read_names(&d->levels[d->n - 1], err) ? cannot(d, err) : 0;
}

static char letter_of(mode_t mode)
{
	return S_ISDIR(mode)	? 'd'
	       : S_ISLNK(mode)	? 'l'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISCHR(mode)	? 'c'
	       : S_ISBLK(mode)	? 'b'
				: '-';
}

static int read_link(struct disk *d, size_t size, struct err *err)
{
	ssize_t n;

	d->link.n = 0;
	if (buf_reserve(&d->link, size + 2, err))
		return -1;
	n = readlinkat(d->at, d->name, (char *)d->link.p, size + 1);
	if (n < 0)
		return cannot(d, err);
	d->link.p[n] = '\0';
	return 0;
}

static int take(struct disk *d, struct version *ret, struct err *err)
{
	struct stat st;

	if (fstatat(d->at, d->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : cannot(d, err);
	if (S_ISSOCK(st.st_mode))
		return 0; /* none is captured */
	*ret = (struct version){.kind = letter_of(st.st_mode)};
	ret->e = (struct output_entry){.path = (char *)d->path.p,
	    .letter = ret->kind,
	    .perm = st.st_mode & 07777u,
	    .uid = st.st_uid,
	    .gid = st.st_gid,
	    .has_mtime = true,
	    .mtime = st.st_mtim.tv_sec,
	    .mtime_ns = st.st_mtim.tv_nsec};
	if (ret->kind == '-')
		ret->e.size = (uint64_t)st.st_size;
	if (ret->kind == 'c' || ret->kind == 'b') {
		ret->e.major = major(st.st_rdev);
		ret->e.minor = minor(st.st_rdev);
	}
	if (ret->kind == 'l') {
		if (read_link(d, (size_t)st.st_size, err))
			return -1;
		ret->e.link = ret->target = (char *)d->link.p;
	}
	d->enter = ret->kind == 'd';
	return 1;
}

int disk_next(struct disk *d, struct version *ret, struct err *err)
{
	int r = 0;

	if (d->begin) {
		const char *slash = strrchr((char *)d->path.p, '/');

		d->begin = false;
		d->at = d->outer;
		d->name = slash ? slash + 1 : (char *)d->path.p;
		return take(d, ret, err);
	}
	if (d->enter) {
		d->enter = false;
		if (enter(d, err))
			return -1;
	}
	while (!r && d->n) {
		struct level *l = &d->levels[d->n - 1];

		if (l->next == l->n) {
			leave(d);
			continue;
		}
		d->at = l->fd;
		d->name = l->names[l->next++];
		d->path.n = l->path_len;
		if (buf_puts(&d->path, "/", err) || buf_puts(&d->path, d->name, err) ||
		    buf_terminate(&d->path, err))
			return -1;
		r = take(d, ret, err); /* 0: it went away meanwhile */
	}
	return r;
}

const char *disk_path(const struct disk *d)
{
	return (const char *)d->path.p;
}

int disk_file(const struct disk *d, struct err *err)
{
	const int how = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(d->at, d->name, how | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(d->at, d->name, how);
	return fd < 0 ? cannot(d, err) : fd;
}
