/* visit: a disk that is plugged in and not mounted comes for a command and goes again.
 *
 *     visit_attach() → the work → visit_leave() → (the state folder is closed) → visit_wait() → visit_free()
 *
 * What is mounted by hand stays mounted, and every step is then nothing.  The mount belongs to this process (disk_mount.h): whatever
 * kills it, nothing stays mounted.
 *
 * Errors: E-DISK-03 several are there, E-DISK-11 two say they are the same; W-DISK-01 it could not be stopped, W-DISK-02 it is still
 * plugged in; those of disk_mount.h and rotate_disk.h.
 */
#ifndef BKP_CMD_ROTATE_VISIT_H
#define BKP_CMD_ROTATE_VISIT_H

#include <stdbool.h>

#include "write/disk/disk_mount.h"
#include "write/rotate/rotate_disk.h"

struct app;
struct policy;
struct state;

#define VISIT_FOREVER (-1)
#define VISIT_ANOTHER                                                                                        \
	1 /* of may(): this one not, another one may be plugged in instead; -1: the command ends with it */

struct visit {
	const struct app *app;
	bool asks;	   /* there is a person at a terminal */
	bool keep_mounted; /* they mount by hand */
	/* is it to be refused, before it is mounted for writing?  0, or as VISIT_ANOTHER; or NULL */
	int (*may)(const void *arg, const struct policy_medium *m, const char *path, struct err *err);
	const void *arg;
	long wait_s;	 /* until it is gone; 0: not at all */
	char chosen[64]; /* name of the device that the person chose, or "" */
	struct disk_room room;
	bool entered, mounted, several;
	bool refused; /* by may(), and not because another one is to be brought: that ends the command */
	struct rotate_disks disks;
	struct disk disk;	      /* that was mounted */
	char medium[256], place[256]; /* what it is, and where it goes */
};

/* May a disk be looked for?  What is typed wrong, or not registered, is the work's to say; only root may mount.  name: of the medium, or
 * NULL: any of those kept offline. */
bool visit_sought(const struct state *s, const struct policy *p, const char *name);
#define VISIT_NOTHING 1 /* no disk to be mounted: what was found instead has been said */
#define VISIT_SEVERAL 2 /* E-DISK-03, visit.disks */
/* 0: it is mounted, and *ret is its name; a code above (err is set where the code has one); -1. */
int visit_attach(struct visit *v, const struct state *s, const struct policy *p, const char *name,
    const char **ret, struct err *err) __attribute__((warn_unused_result));

/* Unmounts what was mounted and lets it rest.  1: it did, and the disk may be unplugged; 0: nothing was mounted; -1. */
#define VISIT_LEFT 1
int visit_leave(struct visit *v, struct err *err) __attribute__((warn_unused_result));

/* Until it is gone, the time is over or a person ends it.  An exit code; what is still there is reported. */
int visit_wait(const struct visit *v, const char *operator) __attribute__((warn_unused_result));
void visit_free(struct visit *v);

#endif
