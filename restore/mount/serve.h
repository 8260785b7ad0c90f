/* serve: answers the kernel for a mounted tree, until it is unmounted or an interrupt comes.
 *
 * One request after the other, in one thread: the only other ones decode ahead (arc_r.h).  Nothing can be changed through it: there is no
 * such answer in the table.  What cannot be read is EIO there, and is told on standard error.
 *
 * Errors: E-MOUNT-02 it cannot be begun, E-MOUNT-03 the kernel ended it.
 */
#ifndef RESTORE_MOUNT_SERVE_H
#define RESTORE_MOUNT_SERVE_H

#include <stdbool.h>
#include <stddef.h>

struct blocks;
struct err;
struct interrupt;

struct serve;
/* faults are counted: serve_faults().  NULL: out of memory. */
struct serve *serve_new(void);
void serve_free(struct serve *s);
/* For blocks_new(). */
void serve_pause(void *serve, size_t generation);
/* folders: as of tree_new().  fd: of a mounted /dev/fuse; taken over.  0: it was unmounted, or interrupted. */
int serve_run(struct serve *s, struct blocks *b, bool folders, int fd, struct interrupt *stop,
    struct err *err) __attribute__((warn_unused_result));
unsigned serve_faults(const struct serve *s);

#endif
