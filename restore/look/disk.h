/* disk: a folder on disk in the order of a catalog, to be held against a generation.
 *
 * disk_open → disk_begin(outermost path) → disk_next until 0 → disk_begin(the next) … → disk_close.  No symbolic link is followed below an
 * outermost path; nothing is written, and times of access are left alone where the system allows it.  As deep as there may be open files.
 *
 * Errors: E-LOOK-04 something cannot be read: disk_next() returns -1 once for it and goes on.
 */
#ifndef RESTORE_LOOK_DISK_H
#define RESTORE_LOOK_DISK_H

struct err;
struct version;

struct disk;
int disk_open(const char *folder, struct disk **ret, struct err *err) __attribute__((warn_unused_result));
void disk_close(struct disk *d);
/* Goes on with that path and what is below it; nothing of it need be there. */
int disk_begin(struct disk *d, const char *path, struct err *err) __attribute__((warn_unused_result));
/* 1: *ret, whose strings live until the next call; its content is not read.  0: no more.  -1. */
int disk_next(struct disk *d, struct version *ret, struct err *err) __attribute__((warn_unused_result));
/* What the last call was about; behind a fault: what was not read, with all below it.  Until the next call. */
const char *disk_path(const struct disk *d);
/* The file that was given last, opened for reading; the caller's. */
int disk_file(const struct disk *d, struct err *err) __attribute__((warn_unused_result));

#endif
