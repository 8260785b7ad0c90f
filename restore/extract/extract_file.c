/* extract_file: see extract_file.h.
 *
 * write_file(): reach the folder → make the file (O_EXCL), or, where something is there and --overwrite was
 * given, a temporary one beside it → content, proven chunk by chunk while it is written (extent_r_file) →
 * metadata by descriptor → close, whose result counts → rename, when it replaces: that is the moment at which
 * the old file goes. Holes are not written; ftruncate makes the size.
 *
 * A file that was left off because the run ends stays ITEM_WAITING, is removed, and is neither counted nor
 * said.
 */
#include "restore/extract/extract_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/vault/extent_r.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/target.h"
#include "restore/extract/winnames.h"

#define SAME_READ ((size_t)256 << 10)

/* A file being written. */
struct sink {
	struct extract *x;
	int fd;
	uint64_t end; /* of what was written */
	bool asks;    /* whoever may want the run to end; the main thread does */
	bool left;    /* left off, because the run ends for another reason */
};

int extract_writer_open(struct extract_writer *w, struct extract *x, unsigned number, struct err *err)
{
	w->x = x;
	snprintf(w->temporary, sizeof(w->temporary), "%s%u.tmp", x->temporary, number);
	w->cursor = target_cursor_new(x->target.fd);
	if (!w->cursor)
		return err_nomem(err);
	target_cursor_names(w->cursor, x->target.names);
	return 0;
}

void extract_writer_close(struct extract_writer *w)
{
	target_cursor_free(w->cursor);
	w->cursor = NULL;
}

int extract_disk_error(int errnum, const char *what, struct err *err)
{
	if (errnum != ENOSPC && errnum != EDQUOT)
		return err_sys(err, "E-RESTORE-09", errnum, "%s", what);
	err_sys(err, "E-RESTORE-10", errnum, "%s", text("the target is full"));
	err_kind(err, ERR_FATAL);
	return err_hint(
	    err, "%s", text("make room and start again: with --overwrite, or into an empty folder"));
}

/* Other file systems refuse no name but a long one, and what they answer is not agreed. */
int extract_make_error(const char *name, struct err *err)
{
	int errnum = errno;
	char other[WINNAME_SIZE];

	extract_disk_error(errnum, text("cannot be made"), err);
	if ((errnum == EINVAL || errnum == EILSEQ || errnum == ENOENT || errnum == ENAMETOOLONG) &&
	    winname_map(name, strlen(name), false, other))
		err_hint(err, "%s",
		    text("Windows cannot hold such a name: --windows-names writes it under another one"));
	return -1;
}

static int write_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	struct sink *s = arg;
	const uint8_t *from = p;

	atomic_fetch_add_explicit(&s->x->done, n, memory_order_relaxed);
	s->left = atomic_load_explicit(&s->x->ending, memory_order_relaxed);
	if (s->left)
		return err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
	if (s->asks && extract_stopped(s->x, err))
		return -1;
	if (!p)
		return 0;
	s->end = at + n;
	while (n) {
		ssize_t done = pwrite(s->fd, from, (size_t)n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return extract_disk_error(errno, text("cannot be written"), err);
		from += done;
		at += (uint64_t)done;
		n -= (uint64_t)done;
	}
	return 0;
}

static int write_content(struct sink *s, const struct extract_item *it, struct err *err)
{
	int r = extent_r_file(s->x->source.arc, it->extents, it->extents_len, it->hashed ? it->sha256 : NULL,
	    write_part, s, err);

	if (!r && s->end != it->size && ftruncate(s->fd, (off_t)it->size))
		return extract_disk_error(errno, text("cannot be written"), err);
	return r;
}

/* 0, 1: its attributes are not all there (err), -1: in *ret_state whether it failed, or was only left off */
static int fill_file(struct extract_writer *w, int fd, const struct extract_item *it,
    enum extract_state *ret_state, struct err *err)
{
	struct sink s = {.x = w->x, .fd = fd, .asks = w == &w->x->lots.writer};
	int r = write_content(&s, it, err);

	*ret_state = s.left ? ITEM_WAITING : ITEM_FAILED;
	return r ? -1 : extract_meta_set(w->x, fd, &it->meta, w->x->target.foreign, err);
}

static int make_file(int parent, const char *name)
{
	return openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* To its end, whatever its length. */
static bool is_content(const struct extract *x, int fd, const uint8_t sha256[DIGEST_LEN])
{
	uint8_t have[DIGEST_LEN], *p = malloc(SAME_READ);
	struct digest *d = digest_new();
	ssize_t n = -1;

	while (p && d && !atomic_load_explicit(&x->ending, memory_order_relaxed) &&
	       (n = read(fd, p, SAME_READ)) > 0)
		digest_update(d, p, (size_t)n);
	if (p && d && !n)
		digest_final(d, have);
	free(p);
	digest_free(d);
	return !n && !memcmp(have, sha256, DIGEST_LEN);
}

/* The time is what is set last when a file is made, so who was killed half-way left none that looks the same.  Its
 * extended attributes are not looked at, and none of it is set but the flags of the second pass, which who was killed did not reach:
 * it may be another name of a file elsewhere. */
bool extract_is_same(const struct extract *x, int parent, const char *name, const struct extract_item *it)
{
	const struct extract_meta *m = &it->meta;
	IO_FD_AUTO fd = -1;
	struct stat st;

	if (!x->opt.skip_same || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != it->size || !m->has_mtime || st.st_mtim.tv_sec != m->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != m->mtime.tv_nsec)
		return false;
	/* the group's bits are its ACL's, where it has one */
	if ((st.st_mode ^ m->mode) & (m->acl_access ? 07707 : 07777) ||
	    (x->opt.same_owner && (st.st_uid != m->uid || st.st_gid != m->gid)))
		return false;
	if (!x->opt.check)
		return true;
	fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 && it->hashed && is_content(x, fd, it->sha256);
}

/* Something is there.  ≥0: the file that will replace it; -1: ITEM_SAME, EXISTS, or FAILED, in *ret_state. */
static int make_beside(struct extract_writer *w, int parent, const char *name, const struct extract_item *it,
    enum extract_state *ret_state, struct err *err)
{
	struct stat st;
	int fd;

	*ret_state = ITEM_SAME;
	if (extract_is_same(w->x, parent, name, it))
		return -1;
	*ret_state = ITEM_EXISTS;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, "E-RESTORE-07", "%s", text("a folder of that name is there"));
	if (!w->x->opt.overwrite)
		return err_set(err, "E-RESTORE-07", "%s", text("is there already"));
	*ret_state = ITEM_FAILED;
	if (unlinkat(parent, w->temporary, 0) && errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	fd = make_file(parent, w->temporary);
	return fd < 0 ? extract_disk_error(errno, text("cannot be made"), err) : fd;
}

/* A disk may refuse only now what it seemed to take. */
static int close_and_rename(int *fd, int parent, const char *made, const char *name, struct err *err)
{
	if (close(io_take(fd)) && errno != EINTR)
		return extract_disk_error(errno, text("cannot be written"), err);
	if (made != name && renameat(parent, made, parent, name))
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	return 0;
}

static enum extract_state write_file(struct extract_writer *w, struct extract_item *it, struct err *err)
{
	enum extract_state state = ITEM_FAILED;
	const char *name, *made;
	struct err late = ERR_INIT;
	IO_FD_AUTO fd = -1;
	int parent, r;

	r = target_enter(w->cursor, it->path, NULL, NULL, &parent, &name, err);
	if (r) {
		if (r == TARGET_ABSENT)
			err_sys(err, "E-RESTORE-09", ENOENT, "%s", text("cannot enter its folder"));
		return ITEM_FAILED;
	}
	made = name;
	fd = make_file(parent, name);
	if (fd < 0 && errno == EEXIST) {
		made = w->temporary;
		fd = make_beside(w, parent, name, it, &state, err);
	} else if (fd < 0) {
		extract_make_error(name, err);
	}
	if (fd < 0)
		return state;
	r = fill_file(w, fd, it, &state, err);
	it->warning = r == 1;
	if (r >= 0 && close_and_rename(&fd, parent, made, name, &late)) {
		*err = late;
		r = -1;
	}
	if (r < 0)
		unlinkat(parent, made, 0); /* no half file is left */
	return r < 0 ? state : ITEM_DONE;
}

void extract_file(struct extract_writer *w, struct extract_item *it)
{
	struct err why = ERR_INIT;

	it->warning = false;
	it->state = write_file(w, it, &why);
	/* one that was left off says nothing: what ended the run is said */
	if (it->state == ITEM_WAITING || it->state == ITEM_SAME || (it->state == ITEM_DONE && !it->warning))
		return;
	it->why = malloc(sizeof(*it->why));
	/* without memory for its text the run is at its end */
	if (it->why)
		*it->why = why;
	if (!it->why || (it->state == ITEM_FAILED && extract_ends(&why)))
		atomic_store(&w->x->ending, true);
}
