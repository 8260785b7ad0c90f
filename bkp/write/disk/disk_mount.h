/* disk_mount: a disk that nobody mounted is looked into, and mounted for writing, where nobody else sees it.
 *
 *     disk_room_enter() once → disk_prove() of each that may be the one → disk_mount() of the one → work → disk_unmount()
 *
 * disk_room_enter() gives the process a mount namespace of its own: what it mounts ends with it, however it ends (SIGKILL as well), and
 * no other program of the computer finds a path to the disk meanwhile.  Mounts of the host still appear.  Before there are threads.
 *
 * disk_prove() changes no bit of the disk: the kernel is told that the device is read-only (BLKROSET: a file system that wants to write
 * to it is refused), and the file system's log is not replayed, which a plain 'mount -o ro' does.  SIGINT, SIGTERM and SIGHUP wait
 * meanwhile; what is told the kernel is written down before in the room's folder, so that disk_room_enter() of the next command takes
 * it back where this one was killed (/run: neither outlives a reboot).
 *
 * Both mounts are noexec, nosuid, nodev and nosymfollow, and no superblock's wish to panic the kernel is heard (errors=remount-ro).
 *
 * Errors: E-DISK-02 not permitted, E-DISK-05 write-protected, E-DISK-06 its file system cannot be mounted, E-DISK-08 in use,
 * E-DISK-09 it is still in use after the work.
 */
#ifndef BKP_WRITE_DISK_DISK_MOUNT_H
#define BKP_WRITE_DISK_DISK_MOUNT_H

#include <stdbool.h>

struct disk;
struct err;

struct disk_room {
	char folder[128]; /* of this repository, 0700 */
	char point[160];  /* where a disk is mounted */
};

/* id: of the repository; its state folder is locked. */
int disk_room_enter(struct disk_room *room, const char *id, struct err *err)
    __attribute__((warn_unused_result));

/* Is it a file system that can be mounted so that nothing is changed? */
bool disk_knows(const char *kind);
/* Their names, for messages. */
const char *disk_kinds(void);

/* Mounts it read-only, calls look(arg, room->point), unmounts.  What look() returned (it leaves nothing open there), or -1. */
typedef int disk_look_fn(void *arg, const char *point, struct err *err);
int disk_prove(const struct disk_room *room, const struct disk *d, disk_look_fn *look, void *arg,
    struct err *err) __attribute__((warn_unused_result));

/* For writing. */
int disk_mount(const struct disk_room *room, const struct disk *d, struct err *err)
    __attribute__((warn_unused_result));
/* What was written is on the disk, and nobody has it any more; -1: E-DISK-09. */
int disk_unmount(const struct disk_room *room, const struct disk *d, struct err *err)
    __attribute__((warn_unused_result));

/* Lets it rest: ejects what can be ejected, stops the motor of another.  0; DISK_NO_MOTOR: there is nothing to stop; -1 with errno. */
#define DISK_NO_MOTOR 1
int disk_stop(const struct disk *d);

#endif
