/* inside: opens files of a medium by relative path, component by component, following no symbolic link
 * anywhere.
 *
 * Whatever a hostile medium puts under a name (link, FIFO, device, folder), only a regular file inside it is
 * opened, and none that is larger than a file of a medium can be: a sparse file of a terabyte is refused at
 * once. Errors: E-IO-01, E-IO-07, E-IO-08.
 */
#ifndef BKP_READ_FILE_INSIDE_H
#define BKP_READ_FILE_INSIDE_H

#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;
struct stat;

#define INSIDE_ABSENT 1
/* Bytes: more than any file of a medium has.  archive_size (content) is 1 GiB at most; the chunk that goes
 * over it, headers and INDEX add far less than is left. */
#define INSIDE_FILE_MAX ((int64_t)4 << 30)

/* Read-only descriptor of the regular file `path` below dirfd into *ret_fd.  0, INSIDE_ABSENT (err set), -1.
 */
int inside_open(int dirfd, const char *path, int *ret_fd, struct err *err)
    __attribute__((warn_unused_result));
/* The folder `path` ("": dirfd itself; a slash at its end is nothing), to be listed.  0, INSIDE_ABSENT,
 * -1. */
int inside_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
    __attribute__((warn_unused_result));
/* What a regular file's metadata is.  0, INSIDE_ABSENT (err set), -1 (also when it is no regular file). */
int inside_stat(int dirfd, const char *path, struct stat *ret_st, struct err *err)
    __attribute__((warn_unused_result));
/* Appends the whole file to `out` (its ceiling counts).  0, INSIDE_ABSENT, -1. */
int inside_read(int dirfd, const char *path, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
