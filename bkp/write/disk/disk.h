/* disk: the block devices of this computer that could be a medium, as they are plugged in: what each is, by its own words.  Looks, never
 * mounts, never changes anything.
 *
 * By /sys/class/block and libblkid: it takes neither udev nor fstab.  A device counts as busy when the kernel has given it, or any part
 * of the disk that it is a part of, to somebody: mounted in whatever namespace, swap, RAID, LVM, an opened LUKS container.  So what the
 * computer runs on, its state folder, its data sets and the media that are mounted are never candidates.  What a disk says of itself was
 * made by others: it is shown escaped (disk_words()), and believed of nothing.
 *
 * Errors: E-DISK-01 the list cannot be read.
 */
#ifndef BKP_WRITE_DISK_DISK_H
#define BKP_WRITE_DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

struct disk {
	char name[64];	/* as the kernel calls it: "sdb1" */
	char node[256]; /* "/dev/sdb1" */
	char whole[64]; /* the disk that is pulled out: "sdb"; name where it has no partitions */
	dev_t dev;
	/* number of the whole disk: another one is another disk under the same name; 0: the kernel gives none (before 5.15) */
	uint64_t seq;
	uint64_t size;	 /* bytes */
	char maker[128]; /* maker and model, or "" */
	char kind[32];	 /* what libblkid finds on it: "ext4", "crypto_LUKS"; "": nothing that it knows */
	char label[80], uuid[64];
	bool part; /* of a disk that has partitions */
	bool busy, read_only, removable;
	int unread; /* errno: it could not be opened */
};

/* All but empty drives, memory and the parts of a loop mount; whole disks that have partitions are told by these.  *ret: free(). */
int disk_scan(struct disk **ret, size_t *ret_n, struct err *err) __attribute__((warn_unused_result));

/* Is a file system of that UUID plugged in and in nobody's use? */
bool disk_plugged_in(const char *uuid);

/* Is it still the disk that it was?  Gone: the kernel knows it no more, another one has its name, or it was ejected. */
bool disk_there(const struct disk *d);
/* Does anybody have it, or another part of the same disk? */
bool disk_in_use(const struct disk *d);

/* "/dev/sdb1 (4.0 TB, Maker Model, ext4 'LABEL')", safe to show; returns out. */
#define DISK_WORDS 640
char *disk_words(const struct disk *d, char out[DISK_WORDS]);

/* A value of /sys/class/block/NAME/KEY without blanks around it; "" when there is none. */
void disk_sys(const char *name, const char *key, char *out, size_t size);

#endif
