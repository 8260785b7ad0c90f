/* target: see target.h.
 *
 * A cursor is a stack of levels, one a component of the folder where it stands; of each the end of its name
 * in the path, and a descriptor for the deepest HELD of them.  target_enter() pops to the common folder and
 * steps in from there, one openat (O_NOFOLLOW) a component, so entries in catalog order cost about one call
 * each.  When the cursor pops back to a level whose descriptor was closed, folder_here() walks down to it
 * again from the nearest one held.
 *
 * A folder that was exchanged for another while no descriptor was held is entered as it is now: it still lies
 * below rootfd, because no step follows a link.
 */
#include "restore/extract/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/extract/winnames.h"

#define HELD	 64 /* descriptors a cursor keeps open at most */
#define PATH_CAP ((size_t)4 << 20)
#define ENTER	 (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct level {
	int fd;	    /* -1: was closed, walk again */
	size_t end; /* of this component in the path */
};

struct target_cursor {
	int rootfd;
	struct buf path; /* of the folder where the cursor stands; NUL-terminated */
	struct level *levels;
	size_t depth, cap;
	const struct winnames *names; /* NULL: all are as they are */
	char name[NAME_MAX + 1];      /* that was given back */
};

int target_open(const char *to, struct err *err)
{
	char *path = strdup(to), *p;
	int fd = -1;

	if (!path)
		return err_nomem(err);
	for (p = path + 1; *path && (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			break;
		*p = '/';
	}
	if (!p && mkdir(path, 0700) && errno != EEXIST)
		p = path;
	if (!p)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_sys(err, "E-TARGET-01", errno, text("cannot open or make the target folder '%s'"), to);
	free(path);
	return fd;
}

struct target_cursor *target_cursor_new(int rootfd)
{
	struct target_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->rootfd = rootfd;
	buf_init(&c->path, PATH_CAP);
	return c;
}

void target_cursor_names(struct target_cursor *c, const struct winnames *names)
{
	c->names = names;
}

_Static_assert(WINNAME_SIZE <= NAME_MAX + 1, "a name of winnames_map() has room in one of the file system");

/* What the last component of the n bytes of `path` is called here. */
static int name_here(const struct target_cursor *c, const char *path, size_t n, char out[NAME_MAX + 1])
{
	size_t begin = n;

	if (c->names) {
		winnames_map(c->names, path, n, out);
		return 0;
	}
	while (begin && path[begin - 1] != '/')
		begin--;
	if (n - begin > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, path + begin, n - begin);
	out[n - begin] = '\0';
	return 0;
}

static void pop_level(struct target_cursor *c)
{
	c->depth--;
	io_close_quietly(&c->levels[c->depth].fd);
	c->path.n = c->depth ? c->levels[c->depth - 1].end : 0;
	c->path.p[c->path.n] = '\0';
}

void target_cursor_free(struct target_cursor *c)
{
	if (!c)
		return;
	while (c->depth)
		pop_level(c);
	buf_free(&c->path);
	free(c->levels);
	free(c);
}

static int enter_failed(int errnum, const char *path, struct err *err)
{
	char shown[400];

	path_show(path, shown, sizeof(shown));
	if (errnum == ELOOP || errnum == ENOTDIR) {
		err_set(err, "E-TARGET-02",
		    text("'%s' in the target is not a folder, nothing is written through it"), shown);
		return err_hint(err, "%s", text("restore into an empty folder, or move it away"));
	}
	if (errnum == ENOSPC || errnum == EDQUOT) {
		err_sys(err, "E-RESTORE-10", errnum, "%s", text("the target is full"));
		return err_kind(err, ERR_FATAL);
	}
	return err_sys(err, "E-TARGET-03", errnum, text("cannot enter folder '%s' in the target"), shown);
}

/* Appends one component to the path and a level without a descriptor. */
static int push_level(struct target_cursor *c, const char *name, size_t n, struct err *err)
{
	if (c->depth == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 32;
		struct level *more = reallocarray(c->levels, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		c->levels = more;
		c->cap = cap;
	}
	if ((c->depth && buf_puts(&c->path, "/", err)) || buf_append(&c->path, name, n, err) ||
	    buf_terminate(&c->path, err))
		return -1;
	c->levels[c->depth++] = (struct level){-1, c->path.n};
	return 0;
}

static int open_level(const struct target_cursor *c, int parent, size_t level)
{
	char comp[NAME_MAX + 1];

	return name_here(c, (const char *)c->path.p, c->levels[level].end, comp)
		   ? -1
		   : openat(parent, comp, ENTER);
}

/* The descriptor of the folder where the cursor stands, walked to again when it was closed. */
static int folder_here(struct target_cursor *c, struct err *err)
{
	IO_FD_AUTO fd = -1;
	size_t i = c->depth;

	while (i && c->levels[i - 1].fd < 0)
		i--;
	for (; i < c->depth; i++) {
		int next = open_level(c,
		    i && c->levels[i - 1].fd >= 0 ? c->levels[i - 1].fd
		    : fd >= 0			  ? fd
						  : c->rootfd,
		    i);

		if (next < 0)
			return enter_failed(errno, (char *)c->path.p, err);
		io_close_quietly(&fd);
		/* only the deepest are worth holding */
		if (i + HELD >= c->depth)
			c->levels[i].fd = next;
		else
			fd = next;
	}
	return c->depth ? c->levels[c->depth - 1].fd : c->rootfd;
}

static int step_in(
    struct target_cursor *c, const char *name, size_t n, target_made_fn *made, void *arg, struct err *err)
{
	int parent = folder_here(c, err), fd, errnum;

	if (parent < 0 || push_level(c, name, n, err))
		return -1;
	fd = open_level(c, parent, c->depth - 1);
	if (fd < 0 && errno == ENOENT && !made) {
		pop_level(c);
		return TARGET_ABSENT;
	}
	if (fd < 0 && errno == ENOENT) {
		char comp[NAME_MAX + 1];

		if (!name_here(c, (const char *)c->path.p, c->path.n, comp) && !mkdirat(parent, comp, 0700)) {
			if (made(arg, (char *)c->path.p, err)) {
				pop_level(c);
				return -1;
			}
			fd = open_level(c, parent, c->depth - 1);
		}
	}
	if (fd < 0) {
		errnum = errno;
		enter_failed(errnum, (char *)c->path.p, err);
		pop_level(c);
		return -1;
	}
	c->levels[c->depth - 1].fd = fd;
	if (c->depth > HELD)
		io_close_quietly(&c->levels[c->depth - 1 - HELD].fd);
	return 0;
}

int target_enter(struct target_cursor *c, const char *path, target_made_fn *made, void *arg, int *ret_fd,
    const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/'), *p = path;
	size_t parent_n = slash ? (size_t)(slash - path) : 0;
	int fd;

	/* up, until the cursor stands on a folder above the one wanted */
	while (c->depth && (c->path.n > parent_n || memcmp(c->path.p, path, c->path.n) != 0 ||
			       (c->path.n < parent_n && path[c->path.n] != '/')))
		pop_level(c);
	if (c->depth)
		p = path + c->path.n + (c->path.n < parent_n);
	while (p < path + parent_n) {
		size_t n = strcspn(p, "/");
		int r = step_in(c, p, n, made, arg, err);

		if (r)
			return r;
		p += n + 1;
	}
	fd = folder_here(c, err);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	*ret_name = slash ? slash + 1 : path;
	if (c->names) {
		winnames_map(c->names, path, strlen(path), c->name);
		*ret_name = c->name;
	}
	return 0;
}
