/* extract_attrs: what of an entry's metadata may be restored, and file flags; see extract.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "extract_private.h"
#include "format/catalog.h"
#include "outcome.h"

struct archive *extract_disk(const struct extract *x)
{
	struct archive *a = archive_write_disk_new();
	int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL |
		    ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_NO_AUTODIR;

	if (a)
		archive_write_disk_set_options(a, x->opt.same_owner ? flags | ARCHIVE_EXTRACT_OWNER : flags);
	return a;
}

unsigned extract_type(const struct catalog_item *item)
{
	if (archive_entry_hardlink(item->entry))
		return item->extents ? AE_IFREG : 0;
	return archive_entry_filetype(item->entry);
}

bool extract_xattr_allowed(const struct extract *x, const char *name)
{
	/* ACLs come as ACLs; a raw system attribute could only say them otherwise */
	if (!strncmp(name, "system.", 7))
		return false;
	return x->opt.same_owner || !strncmp(name, "user.", 5);
}

/* libarchive can only drop all extended attributes at once: copy the good ones from the original. */
static bool clean_xattrs(const struct extract *x, struct archive_entry *from, struct archive_entry *to)
{
	const void *value;
	const char *name;
	bool stripped = false;
	size_t n;

	if (!archive_entry_xattr_reset(from))
		return false;
	archive_entry_xattr_clear(to);
	while (archive_entry_xattr_next(from, &name, &value, &n) == ARCHIVE_OK) {
		if (extract_xattr_allowed(x, name))
			archive_entry_xattr_add_entry(to, name, value, n);
		else
			stripped = true;
	}
	return stripped;
}

struct archive_entry *extract_clean(
    struct extract *x, struct archive_entry *entry, const char *name, bool silent)
{
	struct archive_entry *e = archive_entry_clone(entry);
	mode_t perm;

	if (!e)
		return NULL;
	archive_entry_copy_pathname(e, name);
	if (archive_entry_hardlink(e)) {
		archive_entry_set_hardlink(e, NULL);
		archive_entry_set_filetype(e, AE_IFREG);
	}
	archive_entry_set_fflags(e, 0, 0);
	archive_entry_sparse_clear(e);
	if (clean_xattrs(x, entry, e) && !silent)
		outcome_count(x->outcome, OUTCOME_STRIPPED_XATTR);
	perm = archive_entry_perm(e);
	if (!x->opt.same_owner && perm & (S_ISUID | S_ISGID)) {
		archive_entry_set_perm(e, perm & ~(mode_t)(S_ISUID | S_ISGID));
		if (!silent && archive_entry_filetype(e) != AE_IFDIR)
			outcome_count(x->outcome, OUTCOME_STRIPPED_MODE);
	}
	return e;
}

void extract_drop_acls(const struct catalog_item *item, const char *name)
{
	int types = archive_entry_acl_types(item->entry);

	/* nothing to take away, or no ACLs on this file system: both are fine */
	if (!(types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS))
		(void)lremovexattr(name, "system.posix_acl_access");
	if (!(types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) && archive_entry_filetype(item->entry) == AE_IFDIR)
		(void)lremovexattr(name, "system.posix_acl_default");
}

/* The flags of a file are reached by opening it, which its owner may not be allowed to: then for a moment he
 * is. */
static int open_for_flags(int parent, const char *name)
{
	int how = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, fd = openat(parent, name, how);
	struct stat st;

	if (fd >= 0 || errno != EACCES || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    S_ISLNK(st.st_mode) || fchmodat(parent, name, 0600, 0))
		return fd;
	fd = openat(parent, name, how);
	if (fd >= 0 ? fchmod(fd, st.st_mode & 07777) : fchmodat(parent, name, st.st_mode & 07777, 0))
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
