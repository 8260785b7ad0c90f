/* mounter: mounts and unmounts for a process that may do neither.
 *
 * Who reads a hostile medium is confined (app/confine.h) and can mount nothing.  So a process that is started before does that, and reads no
 * medium: mounter_start → mounter_mount, which gives the descriptor → mounter_end.  Where the other one dies, whatever the way, it unmounts by
 * itself: nobody is left with a folder that answers nothing.
 *
 * Errors: E-MOUNT-01 it is no folder to mount on, E-MOUNT-02 the system does not mount it.
 */
#ifndef RESTORE_MOUNT_MOUNTER_H
#define RESTORE_MOUNT_MOUNTER_H

#include <stdbool.h>

struct err;

struct mounter;
int mounter_start(const char *folder, bool allow_other, struct mounter **ret, struct err *err)
    __attribute__((warn_unused_result));
int mounter_mount(struct mounter *g, int *ret_fd, struct err *err) __attribute__((warn_unused_result));
/* Unmounts unless that was done, and waits. */
void mounter_end(struct mounter *g);

#endif
