/* extract_entry: decides what becomes of an entry, and makes what is not a regular file; see
 * extract_private.h.
 *
 * Main thread only.  A name is decided when it is made: mkdir, mknod, symlink, link and open (O_EXCL) fail
 * where something is there, and a replacement is made beside it and renamed.  What was looked at before
 * (look_at_place) only chooses the message and the way.  A file that is still waiting in a lot holds its name
 * only in the catalog's order: no_file_above() writes it before a folder could be made in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/extract/extract_file.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_meta.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"
/* ---- attributes ---- */

/* which attributes may be restored, and file flags */

bool extract_xattr_allowed(bool privileged, const char *name)
{
	/* ACLs come as ACLs; a raw system attribute could only say them otherwise */
	if (!strncmp(name, "system.", 7))
		return false;
	return privileged || !strncmp(name, "user.", 5);
}

/* The flags of a file are reached by opening it, which its owner may not be allowed to: then for a moment he
 * is. */
static int open_for_flags(int parent, const char *name)
{
	int how = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(parent, name, how | O_NOFOLLOW);
	IO_FD_AUTO found = -1;
	char by_fd[EXTRACT_BY_FD];
	struct stat st;

	if (fd >= 0 || errno != EACCES)
		return fd;
	found = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (found < 0 || fstat(found, &st) || S_ISLNK(st.st_mode))
		return -1;
	extract_by_fd(found, by_fd);
	if (chmod(by_fd, 0600))
		return -1;
	fd = open(by_fd, how);
	if (chmod(by_fd, st.st_mode & 07777))
		io_close_quietly(&fd);
	return fd;
}

static int change_flags(int parent, const char *name, unsigned long set, unsigned long clear)
{
	IO_FD_AUTO fd = open_for_flags(parent, name);
	int now, want;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &now))
		return -1;
	want = (int)(((unsigned long)now & ~clear) | set);
	return want == now ? 0 : ioctl(fd, FS_IOC_SETFLAGS, &want);
}

void extract_flags(struct extract *x, int parent, const char *name, const char *path, unsigned long set,
    unsigned long clear, unsigned long mask)
{
	struct err why = ERR_INIT;

	set &= mask;
	if (!set)
		return;
	if (set & EXTRACT_CRITICAL_FLAGS && !x->opt.same_owner) {
		outcome_count(x->outcome, OUTCOME_STRIPPED_FLAG);
		set &= ~EXTRACT_CRITICAL_FLAGS;
	}
	if (set && change_flags(parent, name, set, clear & mask & ~set)) {
		err_sys(&why, "E-RESTORE-08", errno, "%s", text("file flags could not be set"));
		outcome_say(x->outcome, OUTCOME_ATTRIBUTES, path, &why);
	}
}

/* ---- the rest ---- */

static int say_exists(const struct extract_place *at, bool folder, struct err *err)
{
	if (at->folder)
		return err_set(err, "E-RESTORE-07", "%s", text("a folder of that name is there"));
	if (folder)
		return err_set(err, "E-RESTORE-07", "%s", text("something that is not a folder is there"));
	return err_set(err, "E-RESTORE-07", "%s", text("is there already"));
}

static int look_at_place(struct extract_place *at, struct err *err)
{
	struct stat st;

	if (!fstatat(at->parent, at->name, &st, AT_SYMLINK_NOFOLLOW)) {
		at->exists = true;
		at->folder = S_ISDIR(st.st_mode);
	} else if (errno != ENOENT) {
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be looked at"));
	}
	return 0;
}

/* ---- folders: made at once, 0700 ---- */

static int note_made(void *arg, const char *path, struct err *err)
{
	struct extract *x = arg;

	return extract_remember(x->second.made, path, err);
}

/* Metadata that must wait until everything else is there: who may not enter it could not link to what is in
 * it. */
static bool must_be_late(const struct catalog_item *item)
{
	unsigned long set, clear;

	archive_entry_fflags(item->entry, &set, &clear);
	return set || (archive_entry_perm(item->entry) & S_IRWXU) != S_IRWXU;
}

static int keep_folder(struct extract *x, const struct catalog_item *item, bool existed, struct err *err)
{
	if (buf_puts(&x->last.folder, item->path, err) || buf_terminate(&x->last.folder, err))
		return -1;
	outcome_count(x->outcome, OUTCOME_FOLDER);
	if (existed || must_be_late(item))
		return extract_late(x, item->path, err);
	return extract_lot_add(x->lots.building, x, ITEM_FOLDER, item, err);
}

static int put_folder(
    struct extract *x, const struct catalog_item *item, struct extract_place *at, struct err *err)
{
	struct err why = ERR_INIT;

	if (item->flags & CATALOG_UNREADABLE) {
		err_set(
		    &why, "E-RESTORE-03", "%s", text("the folder could not be read when it was captured"));
		if (extract_say(x, OUTCOME_UNREADABLE, item->path, &why, err))
			return -1;
	}
	if (extract_say_flags(x, item->path, item->flags, err))
		return -1;
	x->last.folder.n = 0;
	if (!mkdirat(at->parent, at->name, 0700))
		return keep_folder(x, item, false, err);
	if (errno != EEXIST) {
		extract_make_error(at->name, &why);
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	}
	if (look_at_place(at, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	if (!at->folder) {
		say_exists(at, true, &why);
		return extract_fault(x, OUTCOME_EXISTS, item->path, &why, err);
	}
	return keep_folder(x, item, true, err);
}

/* ---- names of what is there already ---- */

static int no_link(struct err *err, const char *why)
{
	err_set(err, "E-RESTORE-17", text("is a file of its own now, no hard link: %s"), why);
	return 1;
}

/* 0: *ret is the name that a link can be made to; 1: there is none (err is not set: nor has there been one
 * yet). */
static int link_source(const struct extract *x, const char *first, const char **ret, struct err *err)
{
	if (plan_match(x->source.plan, first)) {
		*ret = first;
		return extract_remembered(x->links.absent, first)
			   ? no_link(err, text("what it was linked to was not restored"))
			   : 0;
	}
	*ret = extract_copy_of(x, first);
	return *ret ? 0
	       : x->links.full
		   ? no_link(err, text("there are too many links to names that were not asked for"))
		   : 1;
}

/* skip_same: does its name stand there already for what it is to be linked to, or, where it is to be a file of its own, for such a one? */
static bool is_same_link(struct extract *x, const struct extract_item *it, const struct extract_place *at)
{
	const char *source, *name;
	struct stat there, st;
	int fd;

	if (!x->opt.skip_same || !at->exists)
		return false;
	if (link_source(x, it->first, &source, NULL))
		return it->extents && extract_is_same(x, at->parent, at->name, it);
	return !target_enter(x->target.link_cursor, source, NULL, NULL, &fd, &name, NULL) &&
	       !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       !fstatat(at->parent, at->name, &there, AT_SYMLINK_NOFOLLOW) && st.st_dev == there.st_dev &&
	       st.st_ino == there.st_ino;
}

/* 0 linked, 1 it must be a file of its own (err is set unless that is as it should be), -1. */
static int put_link(
    struct extract *x, const struct extract_item *it, const struct extract_place *at, struct err *err)
{
	const char *source, *name, *temporary = x->lots.writer.temporary;
	int fd;

	if (link_source(x, it->first, &source, err))
		return 1;
	if (target_enter(x->target.link_cursor, source, NULL, NULL, &fd, &name, NULL))
		return no_link(err, text("what it was linked to cannot be reached"));
	/* with overwrite the old file goes only when the link is sure to be possible */
	if (at->exists && unlinkat(at->parent, temporary, 0) && errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	if (linkat(fd, name, at->parent, at->exists ? temporary : at->name, 0))
		return errno == ENOSPC || errno == EDQUOT ? extract_disk_error(errno, "", err)
							  : no_link(err, strerror(errno));
	if (at->exists && renameat(at->parent, temporary, at->parent, at->name))
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	if (at->exists)
		unlinkat(
		    at->parent, temporary, 0); /* rename does nothing when both are the same file already */
	return 0;
}

/* ---- symbolic links and special files: made at once ---- */

static int make_special(const struct catalog_item *item, int parent, const char *name, mode_t mode)
{
	unsigned type = archive_entry_filetype(item->entry);
	mode_t before;
	int r;

	if (type == AE_IFLNK)
		return symlinkat(archive_entry_symlink(item->entry), parent, name);
	/* with its mode, because without /proc there may be no way to change it.  umask is of the whole
	 * process: what writers make meanwhile has a mode of 0600 of its own */
	before = umask(0);
	r = mknodat(parent, name, (mode_t)type | (mode & 0777), archive_entry_rdev(item->entry));
	umask(before);
	return r;
}

/* O_PATH.  Whoever may write into the folder may have put something else there meanwhile: what has another
 * name as well was not made here. */
static int open_special(const struct catalog_item *item, int parent, const char *name)
{
	IO_FD_AUTO fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	if ((st.st_mode & S_IFMT) != (mode_t)archive_entry_filetype(item->entry) || st.st_nlink != 1) {
		errno = EEXIST;
		return -1;
	}
	return io_take(&fd);
}

/* Under `name`.  *ret_warning: it is there, but some attributes are not (err is set). */
static int make_whole(struct extract *x, const struct catalog_item *item, int parent, const char *name,
    const struct extract_meta *m, bool *ret_warning, struct err *err)
{
	IO_FD_AUTO fd = -1;

	if (make_special(item, parent, name, m->mode))
		return extract_make_error(name, err);
	fd = open_special(item, parent, name);
	if (fd < 0) {
		extract_disk_error(errno, text("cannot be made"), err);
		unlinkat(parent, name, 0); /* no half file is left */
		return -1;
	}
	*ret_warning = extract_meta_set(x, fd, m, x->target.foreign, err) != 0;
	return 0;
}

/* Under its name when that is free, else (overwrite) beside it and renamed when it is whole. */
static int place_special(struct extract *x, const struct catalog_item *item, const struct extract_place *at,
    bool *ret_warning, struct err *err)
{
	const char *temporary = x->lots.writer.temporary, *name = at->exists ? temporary : at->name;
	struct extract_texts texts = {.blocks = NULL};
	struct extract_meta m;
	int r;

	if (at->exists && unlinkat(at->parent, temporary, 0) && errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	r = extract_meta_take(x, item->entry, false, &texts, &m, err);
	if (!r)
		r = make_whole(x, item, at->parent, name, &m, ret_warning, err);
	extract_texts_reset(&texts);
	if (r)
		return -1;
	if (at->exists && renameat(at->parent, temporary, at->parent, at->name)) {
		err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
		unlinkat(at->parent, temporary, 0);
		return -1;
	}
	if (m.stripped_xattr)
		outcome_count(x->outcome, OUTCOME_STRIPPED_XATTR);
	if (m.stripped_mode)
		outcome_count(x->outcome, OUTCOME_STRIPPED_MODE);
	return 0;
}

/* A hard link (first) to what was made at once is, too; 0 it is done, 1 it must be made by itself: `copied` says why,
 * unless that is as it should be; -1. */
static int link_special(struct extract *x, const struct catalog_item *item, const struct buf *first,
    const struct extract_place *at, struct err *copied, struct err *err)
{
	struct extract_item it = {.path = item->path, .first = (const char *)first->p};
	int r = first->n ? put_link(x, &it, at, copied) : 1;

	if (r < 0)
		return extract_fault(x, OUTCOME_FAILED, item->path, copied, err) ? -1 : 0;
	if (!r)
		outcome_count(x->outcome, OUTCOME_LINK);
	return r;
}

/* Nothing stands in its way. */
static int make_named(struct extract *x, const struct catalog_item *item, const struct buf *first,
    const struct extract_place *at, struct err *err)
{
	unsigned type = archive_entry_filetype(item->entry);
	struct err why = ERR_INIT, copied = ERR_INIT;
	bool warning = false;
	int r = link_special(x, item, first, at, &copied, err);

	if (r <= 0)
		return r;
	if (place_special(x, item, at, &warning, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	outcome_count(x->outcome, type == AE_IFLNK ? OUTCOME_LINK : OUTCOME_SPECIAL);
	if ((warning && extract_say(x, OUTCOME_ATTRIBUTES, item->path, &why, err)) ||
	    (copied.code[0] && extract_say(x, OUTCOME_COPIED, item->path, &copied, err)) ||
	    (first->n && extract_copied(x, (const char *)first->p, item->path, err)))
		return -1;
	return extract_say_flags(x, item->path, item->flags, err);
}

/* The entry says what it is itself afterwards; *first: of a hard link, what it is linked to. */
static int take_first(const struct catalog_item *item, struct buf *first, struct err *err)
{
	if (!item->special)
		return 0;
	if (buf_puts(first, archive_entry_hardlink(item->entry), err) || buf_terminate(first, err))
		return -1;
	catalog_alone(item->entry, item);
	return 0;
}

static bool is_same_symlink(
    const struct extract *x, const struct catalog_item *item, const struct extract_place *at)
{
	char there[PATH_MAX];
	ssize_t n;

	if (!x->opt.skip_same || !at->exists || archive_entry_filetype(item->entry) != AE_IFLNK)
		return false;
	n = readlinkat(at->parent, at->name, there, sizeof(there));
	return n > 0 && (size_t)n < sizeof(there) &&
	       strlen(archive_entry_symlink(item->entry)) == (size_t)n &&
	       !memcmp(there, archive_entry_symlink(item->entry), (size_t)n);
}

static int put_special(
    struct extract *x, const struct catalog_item *item, struct extract_place *at, struct err *err)
{
	BUF_AUTO first = BUF_INIT(CATALOG_ENTRY_MAX);
	struct err why = ERR_INIT;
	unsigned type;

	if (take_first(item, &first, err))
		return -1;
	type = archive_entry_filetype(item->entry);
	if (look_at_place(at, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	if (is_same_symlink(x, item, at)) {
		outcome_count(x->outcome, OUTCOME_SAME);
		return first.n ? extract_copied(x, (const char *)first.p, item->path, err) : 0;
	}
	if (at->exists && (!x->opt.overwrite || at->folder)) {
		say_exists(at, false, &why);
		return extract_fault(x, OUTCOME_EXISTS, item->path, &why, err);
	}
	if (item->flags & CATALOG_UNREADABLE) {
		err_set(&why, "E-RESTORE-03", "%s",
		    text("could not be read when it was captured, there is no content"));
		return extract_fault(x, OUTCOME_UNREADABLE, item->path, &why, err);
	}
	if ((type == AE_IFCHR || type == AE_IFBLK) && !x->opt.same_owner) {
		err_set(&why, "E-RESTORE-06", "%s", text("is a device, left out"));
		return extract_fault(x, OUTCOME_SKIPPED, item->path, &why, err);
	}
	return make_named(x, item, &first, at, err);
}

/* ---- files and hard links: items of a lot ---- */

static int put_file(struct extract *x, const struct catalog_item *item, struct err *err)
{
	bool link = archive_entry_hardlink(item->entry) != NULL;
	struct err why = ERR_INIT;
	unsigned long set, clear;

	archive_entry_fflags(item->entry, &set, &clear);
	if (set & EXTRACT_CRITICAL_FLAGS)
		x->second.flags = true;
	/* a link may have something to be linked to, whatever it has itself */
	if (!link && (item->flags & CATALOG_UNREADABLE || !item->extents)) {
		err_set(&why, "E-RESTORE-03", "%s",
		    text("could not be read when it was captured, there is no content"));
		return extract_fault(x, OUTCOME_UNREADABLE, item->path, &why, err);
	}
	x->last.waits = true;
	return extract_lot_add(x->lots.building, x, link ? ITEM_LINK : ITEM_FILE, item, err);
}

static int say_foreign_mode(struct extract *x, const char *path, struct err *err)
{
	struct err why = ERR_INIT;

	err_set(&why, "W-RESTORE-23", "%s",
	    text("without its setuid or setgid bit: it belongs to somebody else here"));
	return extract_say(x, OUTCOME_FOREIGN_MODE, path, &why, err);
}

static int count_file(struct extract *x, const struct extract_item *it, struct err *err)
{
	const char *name;
	int fd;

	outcome_count(x->outcome, OUTCOME_FILE);
	x->outcome->bytes += it->size;
	if (it->meta.stripped_xattr)
		outcome_count(x->outcome, OUTCOME_STRIPPED_XATTR);
	if (it->meta.stripped_mode)
		outcome_count(x->outcome, OUTCOME_STRIPPED_MODE);
	if (it->meta.foreign_mode && say_foreign_mode(x, it->path, err))
		return -1;
	if ((it->warning && extract_say(x, OUTCOME_ATTRIBUTES, it->path, it->why, err)) ||
	    extract_say_flags(x, it->path, it->flags, err))
		return -1;
	if (it->fflags_set & ~EXTRACT_CRITICAL_FLAGS &&
	    !target_enter(x->target.link_cursor, it->path, NULL, NULL, &fd, &name, NULL))
		extract_flags(
		    x, fd, name, it->path, it->fflags_set, it->fflags_clear, ~EXTRACT_CRITICAL_FLAGS);
	return it->first ? extract_copied(x, it->first, it->path, err) : 0;
}

int extract_file_result(struct extract *x, const struct extract_item *it, struct err *err)
{
	if (it->state == ITEM_WAITING)
		return 0;
	if (it->state == ITEM_SAME) {
		outcome_count(x->outcome, OUTCOME_SAME);
		progress_add(x->progress, it->size, NULL);
		return it->first ? extract_copied(x, it->first, it->path, err) : 0;
	}
	if (!it->why && (it->state != ITEM_DONE || it->warning))
		return err_nomem(err);
	if (it->state == ITEM_DONE)
		return count_file(x, it, err);
	return extract_fault(
	    x, it->state == ITEM_EXISTS ? OUTCOME_EXISTS : OUTCOME_FAILED, it->path, it->why, err);
}

int extract_link(struct extract *x, struct extract_item *it, struct err *err)
{
	struct extract_place at = {.exists = false};
	struct err why = ERR_INIT;
	int r;

	r = target_enter(x->target.cursor, it->path, note_made, x, &at.parent, &at.name, &why);
	if (r || look_at_place(&at, &why))
		return extract_fault(x, OUTCOME_FAILED, it->path, &why, err);
	if (is_same_link(x, it, &at)) {
		it->state = ITEM_SAME;
		return extract_file_result(x, it, err);
	}
	if (at.exists && (!x->opt.overwrite || at.folder)) {
		say_exists(&at, false, &why);
		return extract_fault(x, OUTCOME_EXISTS, it->path, &why, err);
	}
	r = put_link(x, it, &at, &why);
	if (r < 0)
		return extract_fault(x, OUTCOME_FAILED, it->path, &why, err);
	if (r == 0) {
		outcome_count(x->outcome, OUTCOME_LINK);
		progress_add(x->progress, it->size, NULL);
		return 0;
	}
	if (!it->extents) {
		err_set(&why, "E-RESTORE-03", "%s",
		    text("could not be read when it was captured, there is no content"));
		return extract_fault(x, OUTCOME_UNREADABLE, it->path, &why, err);
	}
	extract_file(&x->lots.writer, it);
	if (extract_file_result(x, it, err))
		return -1;
	return it->state == ITEM_DONE && why.code[0] ? extract_say(x, OUTCOME_COPIED, it->path, &why, err)
						     : 0;
}

/* ---- any entry ---- */

/* Does the folder that holds it surely stand there, because it was the one made last? */
static bool is_in_last_folder(const struct extract *x, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && x->last.folder.n == (size_t)(slash - path) &&
	       !memcmp(x->last.folder.p, path, x->last.folder.n);
}

/* A file that is still to be written must not lose its name to a folder made on the way to something below
 * it. */
static int no_file_above(struct extract *x, const char *path, struct err *err)
{
	return x->last.waits && x->last.path.n && path_within(path, (char *)x->last.path.p)
		   ? extract_drain(x, err)
		   : 0;
}

static int put_entry(struct extract *x, const struct catalog_item *item, struct err *err)
{
	bool file = !item->special &&
		    (archive_entry_hardlink(item->entry) || archive_entry_filetype(item->entry) == AE_IFREG);
	struct extract_place at = {.exists = false};
	struct err why = ERR_INIT;

	if (!(file && is_in_last_folder(x, item->path)) &&
	    target_enter(x->target.cursor, item->path, note_made, x, &at.parent, &at.name, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	if (file)
		return put_file(x, item, err);
	if (archive_entry_filetype(item->entry) == AE_IFDIR)
		return put_folder(x, item, &at, err);
	return put_special(x, item, &at, err);
}

int extract_entry(struct extract *x, const struct catalog_item *item, struct err *err)
{
	progress_add(x->progress, atomic_exchange(&x->done, 0), item->path);
	if (atomic_load(&x->ending))
		return extract_drain(x, err);
	if (extract_stopped(x, err) || no_file_above(x, item->path, err))
		return -1;
	x->last.waits = false;
	if (put_entry(x, item, err))
		return -1;
	x->last.path.n = 0;
	if (buf_puts(&x->last.path, item->path, err) || buf_terminate(&x->last.path, err))
		return -1;
	return extract_lot_full(x->lots.building, x->lots.items) ? extract_flush(x, err) : 0;
}
