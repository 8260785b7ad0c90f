/* rotate_disk: which of the disks that are plugged in, and mounted nowhere, is the medium to be rotated.
 *
 * A disk whose file system is that of a registered medium kept offline is looked into without changing a bit of it (disk_prove()): the
 * signed identity must be there, of this repository, and the disk the one that was registered (device.h).  When none of these is wanted
 * the other disks are looked into in the same way, so that the person at the computer is told what is plugged in instead: what it is,
 * whose, what is on it, what to do.  rotate_run() asks everything again of the one that is then mounted.
 *
 * Errors (of a disk): E-DISK-04 no medium of bkp, E-DISK-05 to 08, E-DISK-10 a medium kept online; E-MEDIA-02 to 06, E-DEVICE-02, -03.
 */
#ifndef BKP_WRITE_ROTATE_ROTATE_DISK_H
#define BKP_WRITE_ROTATE_ROTATE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "write/disk/disk.h"

struct disk_room;
struct policy;
struct policy_medium;
struct state;

struct rotate_disk {
	struct disk disk;
	const struct policy_medium *medium; /* it is that one: proved; or NULL */
	bool expected;			    /* its file system is that of a registered medium */
	int judged;			    /* what the judge said of it; 0: nothing against it */
	struct err why; /* what it is instead, when medium is NULL, or why it is refused */
};

struct rotate_disk_wanted {
	const char *name; /* of a medium, or NULL: any */
	/* Is a disk that is wanted to be refused?  Asked while not a bit of it can change.  0, or anything else and err; or NULL. */
	int (*judge)(const void *arg, const struct policy_medium *m, const char *path, struct err *err);
	const void *arg;
};

struct rotate_disks {
	struct rotate_disk *all;
	size_t n;
};

/* Is one of the policy's media kept offline (or the named one) mounted?  Then there is nothing to look for. */
bool rotate_disk_mounted(const struct state *s, const struct policy *p, const char *name);

/* 0 (n may be 0), -1. */
int rotate_disk_look(const struct state *s, const struct policy *p, const struct rotate_disk_wanted *wanted,
    const struct disk_room *room, struct rotate_disks *ret, struct err *err)
    __attribute__((warn_unused_result));
void rotate_disks_free(struct rotate_disks *d);

#endif
