/* device: what a folder stands on: file system, mount point, disk.  Looks, never changes anything.
 *
 * For recognising that the disk behind a medium is the one that was registered (2-⑨:
 * 外部記録媒体や情報機器に対して接続を制限): a copy of the files on another disk is not the medium.  Through
 * libmount (which mount holds the path) and libblkid (UUID of its file system); the serial number from /sys
 * or udev's database.  What the system does not tell is "" (network file systems, tmpfs, overlay, missing
 * privilege): then there is nothing to compare.
 */
#ifndef BKP_WRITE_MEDIA_DEVICE_H
#define BKP_WRITE_MEDIA_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

struct err;
struct store;

struct device {
	char mount_point[4096]; /* "" when it cannot be told */
	char source[256];	/* "/dev/sdb1", "nas:/export", "tmpfs" */
	char fs_type[32];	/* "ext4" … */
	char fs_uuid[64];
	char serial[128];
	/* what tells this storage from another, of media of one site: two with the same are lost together. The
	 * UUID of the file system; of a share server and path ("nas:/export"); else the device's numbers */
	char store[256];
	/* what its type is as the device itself shows it, a type of the policy or "memory"; "": it cannot be
	 * told (a share, a virtual disk) */
	char shows[16];
	bool whole; /* the path is the mount point itself or a folder directly below it, other than "/" */
};

/* 0, or -1: E-DEVICE-01 the path cannot be looked at. */
int device_look(const char *path, struct device *ret, struct err *err) __attribute__((warn_unused_result));

/* The same of what a store's open folder stands on, so that nothing can be put under its path meanwhile; all ""
 * of another kind of store. */
int device_of(const struct store *s, struct device *ret, struct err *err) __attribute__((warn_unused_result));
/* Of a block device: what the disk itself is (serial, shows), all else "". */
void device_disk(dev_t dev, struct device *ret);
/* Does the folder of the one lie on the mount of the other's?  True of another kind of store. */
bool device_same_mount(const struct store *a, const struct store *b);

/* Is it the disk that was registered?  fs_uuid and serial as recorded, "" unknown.  0, or -1: E-DEVICE-02
 * another file system, E-DEVICE-03 another disk: both names are in the message and the next action in the
 * hint. */
int device_match(const struct device *d, const char *fs_uuid, const char *serial, struct err *err)
    __attribute__((warn_unused_result));

/* The file system at `path` (or at the nearest folder above that exists) when what is erased or overwritten
 * there stays on the disk by design, in older copies or snapshots: "btrfs" …; NULL when it is another. */
const char *device_keeps_erased(const char *path);

#endif
