/* extract_entry: makes one entry; see extract.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "extract_private.h"
#include "format/catalog.h"
#include "outcome.h"
#include "plan.h"
#include "progress.h"
#include "read/arc_r.h"
#include "read/digestset.h"
#include "read/extent_r.h"
#include "target.h"

/* An entry on its way: where it goes. */
struct place {
	int parent;
	const char *name;
	bool exists; /* something is there */
	struct stat st;
};

int extract_fault(struct extract *x, int kind, const char *path, const struct err *why, struct err *err)
{
	if (!strcmp(why->code, "E-RESTORE-10") || !strcmp(why->code, "E-RESTORE-15") ||
	    !strncmp(why->code, "E-MEM-01", 8)) {
		if (err)
			*err = *why;
		return -1;
	}
	outcome_say(x->outcome, kind, path, why);
	return extract_remember(x->absent, path, err);
}

/* What libarchive could not do. */
static int disk_failed(struct archive *a, const char *what, struct err *err)
{
	int errnum = archive_errno(a);
	const char *said = archive_error_string(a);

	if (errnum == ENOSPC || errnum == EDQUOT) {
		err_sys(err, "E-RESTORE-10", errnum, "%s", text("the target is full"));
		return err_hint(
		    err, "%s", text("make room and start again: with --overwrite, or into an empty folder"));
	}
	return err_set(err, "E-RESTORE-09", "%s: %s", what, said ? said : "?");
}

static int stopped(const struct extract *x, struct err *err)
{
	if (!x->opt.stop || !x->opt.stop(x->opt.stop_arg))
		return 0;
	return err_set(err, "E-RESTORE-15", "%s", text("interrupted"));
}

static int write_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	struct extract *x = arg;

	progress_add(x->progress, n, x->current);
	if (stopped(x, err))
		return -1;
	if (!p)
		return 0;
	x->data_end = at + n;
	if (archive_write_data_block(x->disk, p, (size_t)n, (int64_t)at) < ARCHIVE_OK)
		return disk_failed(x->disk, text("cannot be written"), err);
	return 0;
}

/* A hole at the end.  libarchive is not told the size: it would insist on it after a failure too, and then
 * refuse every file that comes later. */
static int end_hole(struct extract *x, const struct catalog_item *item, const char *name, struct err *err)
{
	IO_FD_AUTO fd = -1;

	if (x->data_end == item->size)
		return 0;
	fd = openat(AT_FDCWD, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && !ftruncate(fd, (off_t)item->size))
		return 0;
	/* a file that its owner may not write: one byte at the very end does as well */
	if (archive_write_data_block(x->disk, "", 1, (int64_t)item->size - 1) < ARCHIVE_OK)
		return disk_failed(x->disk, text("cannot be written"), err);
	return 0;
}

static int write_content(
    struct extract *x, const struct catalog_item *item, const char *name, struct err *err)
{
	x->data_end = 0;
	if (extent_r_each(x->arc, item->extents, item->extents_len, write_part, x, err))
		return -1;
	return end_hole(x, item, name, err);
}

/* Everything of a non-folder through libarchive, under `name` in the working folder.  *ret_warning: it is
 * there, but some attributes are not (err is set). */
static int write_through(
    struct extract *x, const struct catalog_item *item, const char *name, bool *ret_warning, struct err *err)
{
	struct archive_entry *e = extract_clean(x, item->entry, name, false);
	bool regular = extract_type(item) == AE_IFREG;
	int r;

	if (!e)
		return err_nomem(err);
	archive_entry_unset_size(e);
	archive_clear_error(x->disk);
	r = archive_write_header(x->disk, e);
	archive_entry_free(e);
	if (r < ARCHIVE_WARN)
		return disk_failed(x->disk, text("cannot be made"), err);
	if (regular && write_content(x, item, name, err)) {
		archive_write_finish_entry(x->disk);
		return -1;
	}
	r = archive_write_finish_entry(x->disk);
	if (r < ARCHIVE_WARN)
		return disk_failed(x->disk, text("cannot be written"), err);
	*ret_warning = r != ARCHIVE_OK;
	if (r != ARCHIVE_OK)
		err_set(err, "E-RESTORE-08", text("some attributes could not be set: %s"),
		    archive_error_string(x->disk));
	return 0;
}

/* A file or special file: under its name when that is free, else (overwrite) beside it and renamed when it is
 * whole. */
static int put(struct extract *x, const struct catalog_item *item, const struct place *at, bool *ret_warning,
    struct err *err)
{
	const char *name = at->exists ? x->temporary : at->name;

	if (fchdir(at->parent))
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot enter its folder"));
	if (at->exists && unlinkat(at->parent, x->temporary, 0) && errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	if (write_through(x, item, name, ret_warning, err)) {
		unlinkat(at->parent, name, 0); /* no half file is left */
		return -1;
	}
	/* only folders that were there before can have a default ACL by now */
	if (getxattr(".", "system.posix_acl_default", NULL, 0) > 0)
		extract_drop_acls(item, name);
	if (at->exists && renameat(at->parent, x->temporary, at->parent, at->name)) {
		err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
		unlinkat(at->parent, x->temporary, 0);
		return -1;
	}
	return 0;
}

static int exists(const struct catalog_item *item, const struct place *at, struct err *err)
{
	if (S_ISDIR(at->st.st_mode))
		return err_set(err, "E-RESTORE-07", "%s", text("a folder of that name is there"));
	if (archive_entry_filetype(item->entry) == AE_IFDIR)
		return err_set(err, "E-RESTORE-07", "%s", text("something that is not a folder is there"));
	return err_set(err, "E-RESTORE-07", "%s", text("is there already"));
}

static void say_flags(struct extract *x, const struct catalog_item *item)
{
	struct err why = ERR_INIT;

	if (item->flags & CATALOG_CHANGED) {
		err_set(&why, "E-RESTORE-04", "%s",
		    text("changed while it was captured, its content may be a mixture"));
		outcome_say(x->outcome, OUTCOME_CHANGED, item->path, &why);
	}
	if (item->flags & CATALOG_INCOMPLETE) {
		err_set(&why, "E-RESTORE-05", "%s", text("some of its attributes could not be captured"));
		outcome_say(x->outcome, OUTCOME_INCOMPLETE, item->path, &why);
	}
}

static int put_folder(
    struct extract *x, const struct catalog_item *item, const struct place *at, struct err *err)
{
	struct err why = ERR_INIT;

	if (item->flags & CATALOG_UNREADABLE) {
		err_set(
		    &why, "E-RESTORE-03", "%s", text("the folder could not be read when it was captured"));
		outcome_say(x->outcome, OUTCOME_UNREADABLE, item->path, &why);
	}
	say_flags(x, item);
	if (at->exists && !S_ISDIR(at->st.st_mode)) {
		exists(item, at, &why);
		return extract_fault(x, OUTCOME_EXISTS, item->path, &why, err);
	}
	if (!at->exists && mkdirat(at->parent, at->name, 0700)) {
		err_sys(&why, errno == ENOSPC || errno == EDQUOT ? "E-RESTORE-10" : "E-RESTORE-09", errno,
		    "%s", text("cannot be made"));
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	}
	outcome_count(x->outcome, OUTCOME_FOLDER);
	return 0;
}

/* The name that `item` can be linked to, if there is one in this run. */
static const char *link_source(const struct extract *x, const struct catalog_item *item)
{
	const char *first = archive_entry_hardlink(item->entry);

	if (!plan_match(x->plan, first))
		return extract_copy_of(x, first);
	return extract_remembered(x->absent, first) ? NULL : first;
}

/* 0 linked, 1 there is nothing to link to, -1. */
static int put_link(
    struct extract *x, const struct catalog_item *item, const struct place *at, struct err *err)
{
	const char *source = link_source(x, item), *name;
	int fd;

	if (!source || target_enter(x->link_cursor, source, NULL, NULL, &fd, &name, NULL))
		return 1;
	/* with overwrite the old file goes only when the link is sure to be possible */
	if (at->exists && unlinkat(at->parent, x->temporary, 0) && errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	if (linkat(fd, name, at->parent, at->exists ? x->temporary : at->name, 0))
		return errno == ENOSPC ? err_sys(err, "E-RESTORE-10", errno, "%s", text("the target is full"))
				       : 1;
	if (at->exists && renameat(at->parent, x->temporary, at->parent, at->name))
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be replaced"));
	if (at->exists)
		unlinkat(at->parent, x->temporary,
		    0); /* rename does nothing when both are the same file already */
	return 0;
}

static enum outcome_kind kind_of(const struct catalog_item *item)
{
	switch (extract_type(item)) {
	case AE_IFREG:
		return OUTCOME_FILE;
	case AE_IFLNK:
		return OUTCOME_LINK;
	default:
		return OUTCOME_SPECIAL;
	}
}

static int finished(struct extract *x, const struct catalog_item *item, const struct place *at, bool warning,
    const struct err *why, struct err *err)
{
	const char *first = archive_entry_hardlink(item->entry);

	outcome_count(x->outcome, kind_of(item));
	x->outcome->bytes += item->size;
	if (warning)
		outcome_say(x->outcome, OUTCOME_ATTRIBUTES, item->path, why);
	say_flags(x, item);
	extract_flags(x, at->parent, at->name, item, ~EXTRACT_CRITICAL_FLAGS);
	return first ? extract_copied(x, first, item->path, err) : 0;
}

/* A hard link without a partner in this run, or any other non-folder. */
static int put_other(
    struct extract *x, const struct catalog_item *item, const struct place *at, struct err *err)
{
	unsigned type = extract_type(item);
	struct err why = ERR_INIT;
	bool warning = false;

	if (!type) {
		err_set(
		    &why, "E-RESTORE-12", "%s", text("is a hard link to something that was not restored"));
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	}
	if (item->flags & CATALOG_UNREADABLE || (type == AE_IFREG && !item->extents)) {
		err_set(&why, "E-RESTORE-03", "%s",
		    text("could not be read when it was captured, there is no content"));
		return extract_fault(x, OUTCOME_UNREADABLE, item->path, &why, err);
	}
	if ((type == AE_IFCHR || type == AE_IFBLK) && !x->opt.same_owner) {
		err_set(&why, "E-RESTORE-06", "%s", text("is a device, left out"));
		return extract_fault(x, OUTCOME_SKIPPED, item->path, &why, err);
	}
	if (put(x, item, at, &warning, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	return finished(x, item, at, warning, &why, err);
}

static int note_made(void *arg, const char *path, struct err *err)
{
	struct extract *x = arg;

	return extract_remember(x->made, path, err);
}

static int find_place(struct extract *x, const struct catalog_item *item, struct place *at, struct err *err)
{
	if (target_enter(x->cursor, item->path, note_made, x, &at->parent, &at->name, err))
		return -1;
	if (!fstatat(at->parent, at->name, &at->st, AT_SYMLINK_NOFOLLOW))
		at->exists = true;
	else if (errno != ENOENT)
		return err_sys(err, "E-RESTORE-09", errno, "%s", text("cannot be looked at"));
	return 0;
}

int extract_entry(struct extract *x, const struct catalog_item *item, struct err *err)
{
	bool folder = archive_entry_filetype(item->entry) == AE_IFDIR;
	struct place at = {.exists = false};
	struct err why = ERR_INIT;
	int r;

	x->current = item->path;
	progress_add(x->progress, 0, item->path);
	if (stopped(x, err))
		return -1;
	if (find_place(x, item, &at, &why))
		return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
	if (folder)
		return put_folder(x, item, &at, err);
	if (at.exists && (!x->opt.overwrite || S_ISDIR(at.st.st_mode))) {
		exists(item, &at, &why);
		return extract_fault(x, OUTCOME_EXISTS, item->path, &why, err);
	}
	if (archive_entry_hardlink(item->entry)) {
		r = put_link(x, item, &at, &why);
		if (r < 0)
			return extract_fault(x, OUTCOME_FAILED, item->path, &why, err);
		if (r == 0) {
			outcome_count(x->outcome, OUTCOME_LINK);
			progress_add(x->progress, item->size, NULL);
			return 0;
		}
	}
	return put_other(x, item, &at, err);
}
