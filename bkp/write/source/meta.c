/* meta: see meta.h.
 *
 * A regular file or a folder is opened through its folder's descriptor and all is read from what was opened, so
 * that mode, attributes and content are of one object.  Of anything else the attributes are read by a path that
 * ends in its name and is not followed.  What becomes another thing between two looks is looked at again,
 * REPLACED_MAX times. */
#include "write/source/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/starved.h"
#include "write/source/walk.h"

#define BYTES	     ((size_t)64 << 10) /* the kernel's limit for a list of names and for a value */
#define ACL_ACCESS   "system.posix_acl_access"
#define ACL_DEFAULT  "system.posix_acl_default"
#define ACL_VERSION  2
#define REPLACED_MAX 3 /* looks at a name that is another thing every time */

/* What a person may have set; the rest ("extents", "inline data", "indexed" …) is how the file system stores
 * the file. */
#define FLAGS_KEPT                                                                                           \
	(FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL |              \
	    FS_NODUMP_FL | FS_NOATIME_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_DIRSYNC_FL |               \
	    FS_TOPDIR_FL | FS_NOCOW_FL | FS_PROJINHERIT_FL)

struct meta {
	struct archive *disk;	     /* for the cache of user and group names only */
	struct archive_entry *entry; /* being filled in; the caller's */
	char *list, *value;	     /* BYTES each */
};

/* What attributes are read from: a descriptor, or a path that ends in the name and is not followed. */
struct source {
	int fd;
	char path[PATH_MAX];
};

int meta_new(struct meta **ret, struct err *err)
{
	struct meta *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	m->disk = archive_read_disk_new();
	m->list = malloc(BYTES);
	m->value = malloc(BYTES);
	if (!m->disk || !m->list || !m->value || archive_read_disk_set_standard_lookup(m->disk)) {
		meta_free(m);
		return err_nomem(err);
	}
	*ret = m;
	return 0;
}

void meta_free(struct meta *m)
{
	if (!m)
		return;
	archive_read_free(m->disk);
	free(m->list);
	free(m->value);
	free(m);
}

/* ---- opening ---- */

/* As open_again(), where there is no /proc: O_NONBLOCK keeps a FIFO from hanging us, and the caller looks at
 * the type. */
static int open_directly(const struct walk_item *it, int flags)
{
	int fd = openat(it->dirfd, it->name, flags | O_NOFOLLOW | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(it->dirfd, it->name, flags | O_NOFOLLOW) : fd;
}

/* Opens for reading what `pinned` (O_PATH) refers to, so that nothing can take its place in between. */
static int open_again(int pinned, const struct walk_item *it, int flags)
{
	char proc[40];
	int fd;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", pinned);
	fd = open(proc, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) /* only the owner and root may leave the access time alone */
		fd = open(proc, flags);
	return fd < 0 && errno == ENOENT ? open_directly(it, flags) : fd;
}

/* Opening a folder does nothing to anything: what is none is refused without being opened. */
static int open_folder(const struct walk_item *it, struct stat *st)
{
	IO_FD_AUTO fd = open_directly(it, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fstat(fd, st) ? -1 : io_take(&fd);
}

/* Opens a regular file; *st becomes what was found.  -1 with errno; ENOTDIR: it is something else now. */
static int open_file(const struct walk_item *it, struct stat *st)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	IO_FD_AUTO pinned = openat(it->dirfd, it->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	IO_FD_AUTO fd = -1;
	struct stat now;

	if (pinned < 0 || fstat(pinned, &now))
		return -1;
	if (!S_ISREG(now.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	fd = open_again(pinned, it, flags);
	if (fd < 0 || fstat(fd, &now))
		return -1;
	if (!S_ISREG(now.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	*st = now;
	return io_take(&fd);
}

/* ---- attributes ---- */

static void note_fault(struct meta_result *ret, int errnum, const char *what)
{
	if (ret->incomplete)
		return;
	ret->incomplete = errnum;
	snprintf(ret->what, sizeof(ret->what), "%s", what);
}

static ssize_t list_names(const struct source *src, char *p)
{
	return src->fd >= 0 ? flistxattr(src->fd, p, BYTES) : llistxattr(src->path, p, BYTES);
}

static ssize_t get_value(const struct source *src, const char *name, char *p)
{
	return src->fd >= 0 ? fgetxattr(src->fd, name, p, BYTES) : lgetxattr(src->path, name, p, BYTES);
}

static uint32_t le(const char *p, size_t n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | (uint8_t)p[n];
	return v;
}

/* A name that libarchive's text form of an ACL cannot carry, or would read as a number, is left out: the id
 * counts. */
static const char *plain_name(const char *name)
{
	bool digits = true;

	if (!name || !*name)
		return NULL;
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr(":,#", *p))
			return NULL;
		digits = digits && *p >= '0' && *p <= '9';
	}
	return digits ? NULL : name;
}

/* The mode's group bits are the mask then, and may be more than the owning group had: who restores the mode
 * alone must not give it more. */
static void note_no_acl(struct meta *m, struct meta_result *ret, int errnum, const char *attr)
{
	note_fault(ret, errnum, attr);
	if (!strcmp(attr, ACL_ACCESS))
		archive_entry_set_perm(m->entry, archive_entry_perm(m->entry) & ~(mode_t)070);
}

/* The kernel's form (linux/posix_acl_xattr.h): version, then tag, permissions and id of each, little endian.
 */
static void add_acl(
    struct meta *m, struct meta_result *ret, const char *attr, int type, const char *p, size_t n)
{
	if (n < 4 || (n - 4) % 8 || le(p, 4) != ACL_VERSION) {
		note_no_acl(m, ret, EINVAL, attr);
		return;
	}
	for (p += 4, n -= 4; n; p += 8, n -= 8) {
		uint32_t tag = le(p, 2), perm = le(p + 2, 2), id = le(p + 4, 4);
		const char *name = NULL;
		int kind;

		switch (tag) {
		case 0x01:
			kind = ARCHIVE_ENTRY_ACL_USER_OBJ;
			break;
		case 0x02:
			kind = ARCHIVE_ENTRY_ACL_USER;
			break;
		case 0x04:
			kind = ARCHIVE_ENTRY_ACL_GROUP_OBJ;
			break;
		case 0x08:
			kind = ARCHIVE_ENTRY_ACL_GROUP;
			break;
		case 0x10:
			kind = ARCHIVE_ENTRY_ACL_MASK;
			break;
		case 0x20:
			kind = ARCHIVE_ENTRY_ACL_OTHER;
			break;
		default:
			kind = 0;
		}
		if (!kind || perm > 7) {
			note_fault(ret, EINVAL, attr);
			continue;
		}
		if (tag == 0x02 || tag == 0x08) {
			if (id > INT_MAX) { /* libarchive would write it as 0, which is root */
				note_fault(ret, EOVERFLOW, attr);
				continue;
			}
			name = plain_name(tag == 0x02 ? archive_read_disk_uname(m->disk, id)
						      : archive_read_disk_gname(m->disk, id));
		}
		archive_entry_acl_add_entry(
		    m->entry, type, (int)perm, kind, tag == 0x02 || tag == 0x08 ? (int)id : -1, name);
	}
}

static void read_attribute(
    struct meta *m, const struct source *src, struct meta_result *ret, const char *name)
{
	ssize_t n = get_value(src, name, m->value);

	if (n < 0) {
		if (errno != ENODATA) /* removed meanwhile */
			note_no_acl(m, ret, errno, name);
	} else if (!strcmp(name, ACL_ACCESS)) {
		add_acl(m, ret, name, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, m->value, (size_t)n);
	} else if (!strcmp(name, ACL_DEFAULT)) {
		add_acl(m, ret, name, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, m->value, (size_t)n);
	} else {
		archive_entry_xattr_add_entry(m->entry, name, m->value, (size_t)n);
	}
}

/* xfs shows its copies of the ACLs too */
static bool is_covered(const char *name)
{
	return !strcmp(name, "trusted.SGI_ACL_FILE") || !strcmp(name, "trusted.SGI_ACL_DEFAULT");
}

static void read_attributes(struct meta *m, const struct source *src, struct meta_result *ret)
{
	ssize_t n = list_names(src, m->list), at;

	if (n < 0 && errno != ENOTSUP && errno != ENOSYS)
		note_fault(ret, errno, "*");
	for (at = 0; at < n; at += (ssize_t)strlen(m->list + at) + 1)
		if (!is_covered(m->list + at))
			read_attribute(m, src, ret, m->list + at);
}

static void read_flags(struct meta *m, int fd, struct meta_result *ret)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		if (errno != ENOTTY && errno != ENOTSUP && errno != EINVAL && errno != ENOSYS)
			note_fault(ret, errno, "file flags");
		return;
	}
	if (flags & FLAGS_KEPT)
		archive_entry_set_fflags(m->entry, (unsigned long)(flags & FLAGS_KEPT), 0);
}

/* ---- the entry ---- */

static void set_stat(struct meta *m, const struct stat *st)
{
	const char *name;

	archive_entry_copy_stat(m->entry, st);
	name = archive_read_disk_uname(m->disk, st->st_uid);
	if (name)
		archive_entry_copy_uname(m->entry, name);
	name = archive_read_disk_gname(m->disk, st->st_gid);
	if (name)
		archive_entry_copy_gname(m->entry, name);
}

/* 0, or errno; EINVAL: it is no symbolic link any more. */
static int set_target(struct meta *m, const struct walk_item *it)
{
	ssize_t n = readlinkat(it->dirfd, it->name, m->value, BYTES - 1);

	if (n < 0)
		return errno;
	if (n == 0 || n == (ssize_t)BYTES - 1)
		return EIO;
	m->value[n] = '\0';
	archive_entry_copy_symlink(m->entry, m->value);
	return 0;
}

/* One look. 0, META_VANISHED, META_UNREADABLE; ENOTDIR in ret->open_errno: it became something else, look
 * again. */
static int look_at_file(struct meta *m, const struct walk_item *it, struct meta_result *ret)
{
	mode_t type = ret->st.st_mode & S_IFMT;
	int errnum = 0;

	archive_entry_clear(m->entry);
	ret->fd = -1;
	if (type == S_IFSOCK)
		return META_VANISHED;
	if (type == S_IFREG || (type == S_IFDIR && !it->mount && !it->error)) {
		ret->fd = type == S_IFREG ? open_file(it, &ret->st) : open_folder(it, &ret->st);
		errnum = ret->fd < 0 ? errno : 0;
	} else if (type == S_IFLNK) {
		errnum = set_target(m, it);
		if (errnum == EINVAL)
			errnum = ENOTDIR;
		else if (errnum && errnum != ENOENT) {
			ret->open_errno = errnum;
			return META_UNREADABLE; /* a link without its target is nothing */
		}
	}
	ret->open_errno = errnum;
	return errnum == ENOENT || errnum == ESTALE ? META_VANISHED : 0;
}

static void fill_entry(struct meta *m, const struct walk_item *it, struct meta_result *ret)
{
	struct source src;
	int n;

	set_stat(m, &ret->st);
	if (it->mount)
		return; /* what is mounted there has attributes; the folder's own are out of sight */
	src.fd = ret->fd;
	n = snprintf(src.path, sizeof(src.path), "/proc/self/fd/%d/%s", it->dirfd, it->name);
	if (src.fd < 0 && (n < 0 || (size_t)n >= sizeof(src.path)))
		note_fault(ret, ENAMETOOLONG, "*");
	else
		read_attributes(m, &src, ret);
	if (ret->fd >= 0)
		read_flags(m, ret->fd, ret);
	if (ret->fd >= 0 && S_ISDIR(ret->st.st_mode))
		io_close_quietly(&ret->fd);
}

static int read_one(
    struct meta *m, const struct walk_item *item, struct archive_entry *entry, struct meta_result *ret)
{
	struct meta_result res = {.fd = -1, .st = item->st};
	int r = 0;

	m->entry = entry;
	if (!item->st.st_mode) {
		res.open_errno = item->error;
		*ret = res;
		return META_UNREADABLE;
	}
	for (int attempt = 0; attempt < REPLACED_MAX; attempt++) {
		r = look_at_file(m, item, &res);
		if (res.open_errno != ENOTDIR && res.open_errno != ELOOP)
			break;
		if (fstatat(item->dirfd, item->name, &res.st, AT_SYMLINK_NOFOLLOW))
			return META_VANISHED;
	}
	if (!r && S_ISLNK(res.st.st_mode) && res.open_errno)
		r = META_UNREADABLE; /* another thing at every look */
	if (r == META_UNREADABLE)
		*ret = res;
	if (r)
		return r;
	/* a file that a folder has taken the place of was not walked: what is below is missing */
	if (S_ISDIR(res.st.st_mode) && !S_ISDIR(item->st.st_mode))
		res.open_errno = ESTALE;
	fill_entry(m, item, &res);
	*ret = res;
	return 0;
}

int meta_read(struct meta *m, const struct walk_item *item, struct archive_entry *entry,
    struct meta_result *ret, struct err *err)
{
	const unsigned long mark = starved_mark();
	int r = read_one(m, item, entry, ret);

	if (!starved_since(mark))
		return r;
	if (!r)
		io_close_quietly(&ret->fd);
	return err_nomem(err);
}
