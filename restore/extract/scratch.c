/* scratch: see scratch.h.
 *
 * Erasing walks the tree without recursion: level[] holds the open folders from scratch/ down to the present
 * one, at most DEPTH.  A folder that lies deeper is moved up to scratch/ under a name of its own (move_up)
 * and met there later, so a tree of any depth needs DEPTH descriptors.  Passes are repeated while they take
 * something away, because a process may still be writing; at most PASSES, those that moved a folder up not
 * counted.  What could not be erased is counted from 0 in each pass, and the last pass's first fault is told.
 *
 * Mounts: each folder is compared after it was opened (is_mount), by its device, and by its mount
 * id where the kernel tells it; what is mounted is not entered.
 */
#include "restore/extract/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/extract/target.h"

#define DEPTH  48 /* folders held open at once; what is deeper is moved up */
#define PASSES 16 /* something may still be writing while it is erased */
#define OPEN   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct scratch {
	int dirfd, fd;
	const char *name;
	char *path;
	bool made; /* the caller's folder was missing */
};

/* ---- making ---- */

static int not_made(const char *to, int errnum, struct err *err)
{
	char shown[400];

	return err_sys(err, "E-DRILL-01", errnum, text("cannot make or open '%s' for the drill"),
	    path_show(to, shown, sizeof(shown)));
}

static int refuse_name(void *arg, const char *name, struct err *err)
{
	(void)arg, (void)name, (void)err;
	return 1;
}

static int not_empty(const struct scratch *s, const char *to, struct err *err)
{
	char shown[400];
	struct stat st;

	err_set(err, "E-DRILL-01", text("'%s' is not empty: a drill begins in an empty folder"),
	    path_show(to, shown, sizeof(shown)));
	if (!fstatat(s->dirfd, s->name, &st, AT_SYMLINK_NOFOLLOW))
		return err_hint(err, "%s",
		    text("what an earlier drill left there is patients' data: look at it, erase it, or name "
			 "another folder"));
	return err_hint(err, "%s", text("name a folder that does not exist yet"));
}

/* Who can write to the folder could put another in the place of scratch/, and steps would run in that. */
static int of_others(const char *to, struct err *err)
{
	char shown[400];

	err_set(err, "E-DRILL-01", text("'%s' belongs to somebody else, or others can write to it"),
	    path_show(to, shown, sizeof(shown)));
	return err_hint(err, "%s", text("name a folder that does not exist yet"));
}

static int open_folder_of(struct scratch *s, const char *to, bool empty, struct err *err)
{
	struct stat st;
	int r = 0;

	s->made = !mkdir(to, 0700);
	if (!s->made && errno != EEXIST)
		return not_made(to, errno, err);
	s->dirfd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0 || fstat(s->dirfd, &st))
		return not_made(to, errno, err);
	/* also one that was made just now: in a folder of others it may have been exchanged */
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return of_others(to, err);
	if (empty)
		r = io_each_name(s->dirfd, refuse_name, NULL, err);
	if (r)
		return r > 0 ? not_empty(s, to, err) : -1;
	/* searchable, see the header; listable only if it was so before */
	if ((st.st_mode & 0111) != 0111 && fchmod(s->dirfd, (st.st_mode & 07777) | 0111))
		return not_made(to, errno, err);
	return 0;
}

/* mkdirat with exactly this mode, whatever the umask says. */
static int make_folder(int dirfd, const char *name, mode_t mode, bool there, int *ret_fd)
{
	IO_FD_AUTO fd = -1;

	if (mkdirat(dirfd, name, 0700) && !(there && errno == EEXIST))
		return -1;
	fd = openat(dirfd, name, OPEN);
	if (fd < 0 || fchmod(fd, mode))
		return -1;
	*ret_fd = io_take(&fd);
	return 0;
}

static int name_it(struct scratch *s, const char *to, struct err *err)
{
	char *whole = realpath(to, NULL);
	const unsigned char *p;
	struct stat named, opened;
	int r = 0;

	if (!whole)
		return not_made(to, errno, err);
	if (stat(whole, &named) || fstat(s->dirfd, &opened) || named.st_dev != opened.st_dev ||
	    named.st_ino != opened.st_ino) {
		free(whole);
		return of_others(to, err);
	}
	for (p = (const unsigned char *)whole; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			r = err_set(err, "E-DRILL-01", "%s",
			    text("the drill's folder has a control character in its path"));
	if (!r && asprintf(&s->path, "%s/%s", strcmp(whole, "/") ? whole : "", s->name) < 0) {
		s->path = NULL;
		r = err_nomem(err);
	}
	free(whole);
	return r;
}

static int make_all(const char *to, const char *name, bool there, struct scratch **ret, struct err *err)
{
	struct scratch *s = calloc(1, sizeof(*s));
	IO_FD_AUTO tmp = -1;

	if (!s)
		return err_nomem(err);
	s->dirfd = s->fd = -1;
	s->name = name;
	if (open_folder_of(s, to, !there, err) || name_it(s, to, err)) {
		scratch_free(s);
		return -1;
	}
	if (make_folder(s->dirfd, name, 0711, there, &s->fd) ||
	    make_folder(s->fd, SCRATCH_TMP, 01777, there, &tmp)) {
		not_made(s->path, errno, err);
		scratch_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int scratch_make(const char *to, struct scratch **ret, struct err *err)
{
	return make_all(to, SCRATCH_NAME, false, ret, err);
}

int scratch_open(const char *to, const char *name, struct scratch **ret, struct err *err)
{
	return make_all(to, name, true, ret, err);
}

char *scratch_own_place(const char *word)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	if (asprintf(&path, "%s/bkp-%s-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp", word) < 0)
		return NULL;
	if (mkdtemp(path) && !rmdir(path)) /* who makes it takes it away */
		return path;
	free(path);
	return NULL;
}

void scratch_free(struct scratch *s)
{
	if (!s)
		return;
	io_close_quietly(&s->dirfd);
	io_close_quietly(&s->fd);
	free(s->path);
	free(s);
}

int scratch_dirfd(const struct scratch *s)
{
	return s->dirfd;
}

int scratch_fd(const struct scratch *s)
{
	return s->fd;
}

const char *scratch_path(const struct scratch *s)
{
	return s->path;
}

/* ---- erasing ---- */

struct level {
	DIR *dir;
	char name[NAME_MAX + 1]; /* in the level above */
};

struct eraser {
	int top;
	bool has_id;
	uint64_t mount; /* of the scratch folder */
	dev_t dev;
	struct scratch_erased *done;
	struct level *level; /* DEPTH of them; level[0] is the scratch folder */
	size_t depth;
	uint64_t moved;	  /* folders moved up so far */
	uint64_t removed; /* in this pass */
	uint64_t left;	  /* likewise */
	bool again;	  /* likewise: something was moved up, so that another pass is needed */
	struct err *err;
	bool said;
};

static void note_left(struct eraser *e, int errnum, const char *name)
{
	char shown[300];

	e->left++;
	if (e->said)
		return;
	e->said = true;
	path_show(name, shown, sizeof(shown));
	if (errnum == EXDEV)
		err_set(e->err, "E-DRILL-21",
		    text("'%s' in the scratch folder is a mount: it was not erased"), shown);
	else
		err_sys(e->err, "E-DRILL-21", errnum, text("cannot erase '%s' in the scratch folder"), shown);
	err_hint(e->err, "%s",
	    text("end what still uses the scratch folder, unmount what is in it, and erase it by hand"));
}

/* Which mount a descriptor is on, if the kernel says (5.8). */
static bool mount_of(int fd, uint64_t *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) || !(sx.stx_mask & STATX_MNT_ID))
		return false;
	*ret = sx.stx_mnt_id;
	return true;
}

/* Asked of the open descriptor, so that nothing can be mounted between the question and the use. */
static bool is_mount(const struct eraser *e, int fd)
{
	uint64_t id;
	struct stat st;

	if (fstat(fd, &st) || st.st_dev != e->dev)
		return true;
	return e->has_id && (!mount_of(fd, &id) || id != e->mount);
}

static int open_folder(const struct eraser *e, int parent, const char *name)
{
	IO_FD_AUTO fd = openat(parent, name, OPEN);

	/* only somebody who is not root is stopped by modes, and then these are his own files, in his own
	 * scratch folder: no other can have put a link in the folder's place */
	if (fd < 0 && errno == EACCES && geteuid() != 0 && !fchmodat(parent, name, 0700, 0))
		fd = openat(parent, name, OPEN);
	if (fd < 0)
		return -1;
	if (is_mount(e, fd)) {
		errno = EXDEV;
		return -1;
	}
	if (geteuid() != 0)
		(void)fchmod(fd, 0700); /* entries are taken out of it; unlinkat will say if not */
	return io_take(&fd);
}

static int push_level(struct eraser *e, int fd, const char *name)
{
	struct level *l = &e->level[e->depth];

	l->dir = fdopendir(fd);
	if (!l->dir) {
		close(fd);
		return -1;
	}
	snprintf(l->name, sizeof(l->name), "%s", name);
	e->depth++;
	return 0;
}

/* A folder too deep to hold all those above it open: it is moved to the top and found there later.  What has
 * that name there is to be erased as well: an empty folder may be replaced, nothing else can be. */
static int move_up(struct eraser *e, int parent, const char *name)
{
	char up[48];

	for (int i = 0; i < 100; i++) {
		snprintf(up, sizeof(up), ".bkp-erase-%" PRIu64, e->moved++);
		if (!renameat(parent, name, e->top, up))
			return 0;
	}
	return -1;
}

static void enter_folder(struct eraser *e, int parent, const char *name)
{
	int fd = open_folder(e, parent, name);

	if (fd < 0) {
		note_left(e, errno, name);
	} else if (e->depth < DEPTH) {
		if (push_level(e, fd, name))
			note_left(e, errno, name);
	} else {
		close(fd);
		if (move_up(e, parent, name))
			note_left(e, errno, name);
		else
			e->again = true;
	}
}

static void erase_entry(struct eraser *e, const char *name)
{
	int parent = dirfd(e->level[e->depth - 1].dir);

	if (!unlinkat(parent, name, 0)) {
		e->done->files++;
		e->removed++;
	} else if (errno == EISDIR || errno == EPERM) {
		/* POSIX says EPERM, Linux EISDIR; a file that is immutable is EPERM too */
		struct stat st;
		int errnum = errno;

		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
			note_left(e, errnum, name);
		else
			enter_folder(e, parent, name);
	} else if (errno != ENOENT) {
		note_left(e, errno, name);
	}
}

static void leave_folder(struct eraser *e)
{
	struct level *l = &e->level[--e->depth];

	closedir(l->dir);
	if (!e->depth)
		return;
	if (!unlinkat(dirfd(e->level[e->depth - 1].dir), l->name, AT_REMOVEDIR)) {
		e->done->folders++;
		e->removed++;
	} else if (errno != ENOTEMPTY && errno != EEXIST) {
		note_left(e, errno, l->name); /* if it is not empty, what is in it was said already */
	} else {
		e->left++;
	}
}

static int erase_pass(struct eraser *e)
{
	int fd = openat(e->top, ".", OPEN);

	e->removed = e->left = 0;
	e->again = false;
	if (fd < 0 || push_level(e, fd, ""))
		return -1;
	while (e->depth) {
		struct dirent *d;

		errno = 0;
		d = readdir(e->level[e->depth - 1].dir);
		if (!d)
			leave_folder(e);
		else if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			erase_entry(e, d->d_name);
	}
	return 0;
}

/* All of the folder `top`, which is called `name` in `parent`. */
static int erase_tree(int top, int parent, const char *name, struct scratch_erased *ret, struct err *err)
{
	struct eraser e = {.top = top, .done = ret};
	struct err why = ERR_INIT;
	struct stat st;
	int tries = 0;

	*ret = (struct scratch_erased){0};
	e.err = &why;
	e.level = calloc(DEPTH, sizeof(*e.level));
	if (!e.level)
		return err_nomem(err);
	if (!fstat(top, &st))
		e.dev = st.st_dev;
	e.has_id = mount_of(top, &e.mount);
	while (tries < PASSES) {
		/* a failure may be over in the next pass: only the last one's are reported */
		why = (struct err)ERR_INIT;
		e.said = false;
		if (erase_pass(&e)) {
			note_left(&e, errno, name);
			break;
		}
		if (!unlinkat(parent, name, AT_REMOVEDIR)) {
			ret->folders++;
			free(e.level);
			return 0;
		}
		if (errno == ENOENT && !e.left && !e.again) {
			/* a step took the folder itself away; what was in it was reached all the same */
			free(e.level);
			return 0;
		}
		if (!e.removed && !e.again)
			break; /* it does not get better */
		tries += !e.again;
	}
	free(e.level);
	ret->left = e.left ? e.left : 1;
	if (!why.code[0])
		note_left(&e, ENOTEMPTY, name);
	if (err)
		*err = why;
	return -1;
}

int scratch_erase(struct scratch *s, struct scratch_erased *ret, struct err *err)
{
	return erase_tree(s->fd, s->dirfd, s->name, ret, err);
}

int scratch_erase_below(struct scratch *s, const char *to, struct err *err)
{
	struct target_cursor *c = target_cursor_new(s->fd);
	struct scratch_erased counts;
	const char *name;
	int parent, r;

	if (!c)
		return err_nomem(err);
	r = target_enter(c, to, NULL, NULL, &parent, &name, err);
	if (!r) {
		IO_FD_AUTO fd = openat(parent, name, OPEN);

		/* what is no folder there a step has planted: the restore step refuses it */
		r = fd < 0 ? 0 : erase_tree(fd, parent, name, &counts, err);
	}
	target_cursor_free(c);
	return r < 0 ? -1 : 0;
}

int scratch_undo(struct scratch *s, struct scratch_erased *ret, struct err *err)
{
	char *slash = strrchr(s->path, '/');
	int r = scratch_erase(s, ret, err);

	*slash = '\0';
	if (!r && s->made)
		(void)rmdir(s->path); /* if something is in it by now, it is not ours */
	*slash = '/';
	return r;
}
