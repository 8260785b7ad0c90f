/* walk_moved: what was listed under a name and is not there any more: where it is now; see walk_private.h.
 *
 * The folder is listed again and searched for the inode.  One search costs the whole folder, so after SOUGHT_MAX
 * names the rest wait (`missing`) and are searched for together when the folder's names are done: then it can
 * only be said that something of the folder was not yielded, not what.  File systems whose lists give other
 * inodes than stat() are found out by counting (`unlike`): after UNLIKE_MAX of them the walk compares no more. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "write/source/walk_private.h"

#define LISTING 16384
#define SOUGHT_MAX                                                                                           \
	((size_t)256                                                                                         \
	    << 10) /* names gone through in a folder for what is missing, before that waits for its end */
#define UNLIKE_MAX                                                                                           \
	64 /* files whose inode is not what their folder's list says, before a walk expects nothing else */

/* Called for each name of the folder. true: enough. */
typedef bool name_fn(void *arg, int dirfd, const struct dirent64 *e);

/* A descriptor of its own: threads share those of the walk, and their places in the list. 0, errno. */
static int list_folder(int dirfd, name_fn *fn, void *arg)
{
	_Alignas(struct dirent64) char entries[LISTING];
	IO_FD_AUTO fd = walk_open_folder(dirfd, ".");
	ssize_t got;

	if (fd < 0)
		return errno;
	while ((got = getdents64(fd, entries, sizeof(entries))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *e = (const struct dirent64 *)(const void *)(entries + at);

			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && fn(arg, fd, e))
				return 0;
			at += e->d_reclen;
		}
	return got < 0 ? errno : 0;
}

static bool is_later(const struct statx_timestamp *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Inodes are used again: what was born later is another file.  Where nobody knows when it was, it may have
 * been when it was last written.  What is gone already may have been it: not to say so is worse than to be
 * wrong. */
static bool is_it(int dirfd, const char *name, uint64_t inode, const struct timespec *by)
{
	struct statx x;

	if (statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &x))
		return errno == ENOENT || errno == ESTALE;
	return x.stx_ino == inode && !is_later(x.stx_mask & STATX_BTIME ? &x.stx_btime : &x.stx_mtime, by);
}

/* ---- one ---- */

struct search {
	const char *was, *path; /* absolute, but for its '/' */
	uint64_t inode;
	const struct timespec *by;
	char *name; /* what it has now; "": none */
	size_t names;
	bool still; /* the list says so of `was`, which is another */
};

static bool look_for(void *arg, int dirfd, const struct dirent64 *e)
{
	struct search *s = arg;

	s->names++;
	if (e->d_ino != s->inode)
		return false;
	if (is_it(dirfd, e->d_name, s->inode, s->by))
		memcpy(s->name, e->d_name, strlen(e->d_name) + 1);
	else
		s->still = !strcmp(e->d_name, s->was);
	return s->still || *s->name; /* not to the end: a folder that changes at every step may have none */
}

/* Once more, at the folder's end. */
static int put_off(struct frame *f, uint64_t inode, struct err *err)
{
	return buf_append(&f->missing, &inode, sizeof(inode), err) ? -1 : WALK_GONE;
}

/* Its folder was removed: has another one, with such a name in it, taken the folder's place? */
static bool stands_again(const char *path)
{
	char absolute[PATH_MAX];
	struct stat st;
	int n = snprintf(absolute, sizeof(absolute), "/%s", path);

	if (n < 0 || (size_t)n >= sizeof(absolute))
		return true; /* who knows */
	return !lstat(absolute, &st) || (errno != ENOENT && errno != ENOTDIR);
}

static int seek_inode(struct walk *w, struct frame *f, int dirfd, struct search *s, struct err *err)
{
	int errnum;

	if (f && f->sought > SOUGHT_MAX)
		return put_off(f, s->inode, err);
	*s->name = '\0';
	errnum = list_folder(dirfd, look_for, s);
	if (f)
		f->sought += s->names;
	if (errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM)
		return walk_out_of_resources(errnum, err);
	/* looked at again and again, and then told */
	if (errnum && ((errnum != ENOENT && errnum != ESTALE) || stands_again(s->path)))
		snprintf(s->name, NAME_MAX + 1, "%s", s->was);
	if (s->still) {
		walk_ahead_lock(w);
		w->unlike++;
		walk_ahead_unlock(w);
		return WALK_GONE;
	}
	return *s->name ? 0 : WALK_GONE;
}

bool walk_moved_is_another(const struct walk *w, uint64_t listed, uint64_t inode)
{
	return listed && listed != inode && w->unlike < UNLIKE_MAX;
}

int walk_moved(struct walk *w, struct frame *f, const char *name, struct err *err)
{
	struct search s = {.was = name,
	    .path = (const char *)w->path.p + 1,
	    .inode = names_inode(name),
	    .by = &f->changed,
	    .name = w->moved};

	return seek_inode(w, f, f->fd, &s, err);
}

/* The folder that holds the item that was given last, if the walk is still in it. */
static struct frame *frame_of(struct walk *w, const struct walk_item *it)
{
	const char *slash = strrchr(it->path, '/');
	size_t n = slash ? (size_t)(slash - it->path) + 1 : 0;

	for (size_t d = w->depth; d > 0 && d + 2 > w->depth; d--)
		if (w->stack[d - 1].path_len == n)
			return &w->stack[d - 1];
	return NULL;
}

int walk_seek(struct walk *w, struct walk_item *it, struct err *err)
{
	struct search s = {
	    .path = it->path, .inode = it->st.st_ino, .by = &it->st.st_ctim, .name = w->sought};
	char was[NAME_MAX + 1];
	int r;

	snprintf(was, sizeof(was), "%s", it->name); /* it may be what was found before */
	s.was = was;
	r = seek_inode(w, frame_of(w, it), it->dirfd, &s, err);
	if (!r)
		it->name = w->sought;
	return r;
}

/* ---- all that were put off ---- */

struct searches {
	const struct frame *f;
	bool found;
};

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static bool look_for_any(void *arg, int dirfd, const struct dirent64 *e)
{
	struct searches *s = arg;
	const struct buf *m = &s->f->missing;
	uint64_t inode = e->d_ino;

	s->found = bsearch(&inode, m->p, m->n / sizeof(inode), sizeof(inode), by_number) &&
		   is_it(dirfd, e->d_name, inode, &s->f->changed);
	return s->found;
}

bool walk_moved_any(struct frame *f)
{
	struct searches s = {f, false};
	int errnum;

	if (!f->missing.n)
		return false;
	qsort(f->missing.p, f->missing.n / sizeof(uint64_t), sizeof(uint64_t), by_number);
	errnum = list_folder(f->fd, look_for_any, &s);
	f->missing.n = 0;
	return s.found || (errnum && errnum != ENOENT && errnum != ESTALE);
}
