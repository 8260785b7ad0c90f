/* meta: see meta.h. */
#include "write/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "write/walk.h"

/* Flags a person sets (chattr); the others describe the file system's own storage. */
#define FLAGS_KEPT                                                                                                       \
	(FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL |          \
	    FS_NOATIME_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL | FS_DIRSYNC_FL | FS_TOPDIR_FL | FS_NOCOW_FL)

struct meta {
	struct archive *disk;
	struct archive_entry *entry;
	char link[PATH_MAX + 1];
};

int meta_new(struct meta **ret, struct err *err)
{
	struct meta *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	m->disk = archive_read_disk_new();
	m->entry = archive_entry_new();
	if (!m->disk || !m->entry || archive_read_disk_set_standard_lookup(m->disk) ||
	    archive_read_disk_set_symlink_physical(m->disk) ||
	    /* holes are found when the content is read */
	    archive_read_disk_set_behavior(m->disk, ARCHIVE_READDISK_NO_SPARSE)) {
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
	archive_entry_free(m->entry);
	archive_read_free(m->disk);
	free(m);
}

/* Without touching the access time where we are allowed that. */
static int open_quietly(const struct walk_item *it, int extra)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | extra;
	int fd = openat(it->dirfd, it->name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(it->dirfd, it->name, flags) : fd;
}

/* Opens what may be opened. 0, META_VANISHED when the object has become another one meanwhile. */
static int open_object(const struct walk_item *it, struct meta_result *ret, int *ret_dir)
{
	int fd;

	ret->fd = *ret_dir = -1;
	ret->st = it->st;
	ret->open_errno = ret->incomplete = 0;
	if (!S_ISREG(it->st.st_mode) && !S_ISDIR(it->st.st_mode))
		return 0;
	fd = open_quietly(it, S_ISDIR(it->st.st_mode) ? O_DIRECTORY : 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return META_VANISHED;
	if (fd < 0) {
		if (S_ISREG(it->st.st_mode))
			ret->open_errno = errno;
		return 0;
	}
	if (fstat(fd, &ret->st) || (ret->st.st_mode & S_IFMT) != (it->st.st_mode & S_IFMT)) {
		close(fd);
		return META_VANISHED;
	}
	if (S_ISREG(it->st.st_mode))
		ret->fd = fd;
	else
		*ret_dir = fd;
	return 0;
}

static void keep_flags(struct archive_entry *e)
{
	unsigned long set, clear;

	archive_entry_fflags(e, &set, &clear);
	archive_entry_set_fflags(e, set & FLAGS_KEPT, 0);
}

static int read_link(struct meta *m, const struct walk_item *it)
{
	ssize_t n = readlinkat(it->dirfd, it->name, m->link, sizeof(m->link) - 1);

	if (n < 0)
		return META_VANISHED;
	m->link[n] = '\0';
	archive_entry_copy_symlink(m->entry, m->link);
	return 0;
}

int meta_read(struct meta *m, const struct walk_item *it, struct meta_result *ret, struct archive_entry **ret_entry,
    struct err *err)
{
	char source[NAME_MAX + 64];
	int dir = -1, r;

	if (open_object(it, ret, &dir))
		return META_VANISHED;
	archive_entry_clear(m->entry);
	snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", it->dirfd, it->name);
	archive_entry_copy_pathname(m->entry, it->name);
	archive_entry_copy_sourcepath(m->entry, source);
	r = archive_read_disk_entry_from_file(m->disk, m->entry, ret->fd >= 0 ? ret->fd : dir, &ret->st);
	if (r != ARCHIVE_OK)
		ret->incomplete = archive_errno(m->disk) > 0 ? archive_errno(m->disk) : EIO;
	io_close_quietly(&dir);
	keep_flags(m->entry);
	if (S_ISLNK(it->st.st_mode) && read_link(m, it)) {
		io_close_quietly(&ret->fd);
		return META_VANISHED;
	}
	if (r == ARCHIVE_FATAL) {
		io_close_quietly(&ret->fd);
		return err_set(err, "E-META-01", text("libarchive failed: %s"), archive_error_string(m->disk));
	}
	*ret_entry = m->entry;
	return 0;
}
