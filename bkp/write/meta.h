/* meta: an object's metadata from disk into a libarchive entry: owner, mode, times, link target, device numbers, extended
 * attributes, POSIX ACLs, file flags.
 *
 * Never follows a symbolic link, never opens a FIFO, socket or device for reading.  Works beyond PATH_MAX: regular files and
 * folders are looked at by descriptor, the rest by /proc/self/fd/N/name.  Flags that only say how a file system stores the
 * file (ext4's 'extents') are left out.
 */
#ifndef BKP_WRITE_META_H
#define BKP_WRITE_META_H

#include <sys/stat.h>

struct archive_entry;
struct err;
struct walk_item;

struct meta_result {
	int fd;		 /* a regular file, open for reading at 0, the caller closes it; else -1 */
	struct stat st;	 /* as of opening */
	int open_errno;	 /* why a regular file could not be opened; 0 */
	int incomplete;	 /* some attributes are missing: errno of the first; 0 */
};

struct meta;
int meta_new(struct meta **ret, struct err *err);
void meta_free(struct meta *m);
/* *ret_entry belongs to `m` and is valid until the next call; its path is not set. */
#define META_VANISHED 1
int meta_read(struct meta *m, const struct walk_item *it, struct meta_result *ret, struct archive_entry **ret_entry,
    struct err *err);

#endif
