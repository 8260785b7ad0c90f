/* meta: all that a file is besides its content, from disk into a libarchive entry.
 *
 * meta_new → meta_read for each walk_item → meta_free.  One per thread.  Filled in: type, mode, owner and
 * group with their names, mtime, device numbers, symbolic link target, extended attributes, POSIX ACLs, file
 * flags (as lsattr shows, without what the file system itself keeps there).  The path is the caller's to set.
 *
 * Works at any depth and never follows a symbolic link.  Only regular files and folders are opened (a device
 * or FIFO that takes a file's place in that moment is not: the file is looked at before it is opened for
 * reading).  Access times are left alone where the kernel allows it.  Attributes are read here rather than by
 * archive_read_disk_entry_from_file(), which passes over a failing attribute or ACL without a word
 * (libarchive 3.6.2).
 *
 * Errors (-1): E-MEM-01 only.
 */
#ifndef BKP_WRITE_SOURCE_META_H
#define BKP_WRITE_SOURCE_META_H

#include <sys/stat.h>

struct archive_entry;
struct err;
struct walk_item;

struct meta_result {
	int fd; /* regular files: open for reading, the caller closes it; -1 for all else and when it cannot
		   be opened */
	struct stat st; /* of what was opened, or the walk's */
	int open_errno; /* 0, or why a regular file could not be opened, or a folder not be read:
			   CATALOG_UNREADABLE */
	int incomplete; /* 0, or errno of the first attribute that could not be read: CATALOG_INCOMPLETE */
	char what[256]; /* its name when incomplete; raw bytes */
};

struct meta;
int meta_new(struct meta **ret, struct err *err);
void meta_free(struct meta *m);

/* Fills in the entry, which is emptied first; *ret is written when 0 is returned. META_VANISHED: nothing of
 * that name is there any more, or a socket.  META_UNREADABLE: something is there of which not even so much
 * can be read that an entry could be stored; ret->open_errno says why, nothing else is set. */
#define META_VANISHED	1
#define META_UNREADABLE 2
int meta_read(struct meta *m, const struct walk_item *item, struct archive_entry *entry,
    struct meta_result *ret, struct err *err);

#endif
