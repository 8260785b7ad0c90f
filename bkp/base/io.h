/* io: files by descriptor, durable when they say so.
 *
 * All names are relative to a directory descriptor and never follow a symbolic link.  A file counts as
 * durable only after write, fsync and close have all succeeded and the directory has been synced; an error of
 * any of them abandons the file, and an fsync is never retried and believed (the kernel may have dropped the
 * dirty pages).
 *
 * Errors: E-IO-01 open/create, E-IO-02 read, E-IO-03 write (disk full included), E-IO-04 sync or close,
 * E-IO-05 rename, E-IO-06 lock, E-IO-07 directory, E-IO-08 file larger than the ceiling.
 */
#ifndef BKP_BASE_IO_H
#define BKP_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

/* A descriptor that closes itself on failure paths.  The success path takes it with io_take() and closes it
 * explicitly with io_close(), which reports. */
#define IO_FD_AUTO __attribute__((cleanup(io_close_quietly))) int
void io_close_quietly(int *fd);
int io_take(int *fd); /* returns *fd and sets it to -1 */

/* Reads until n bytes or the end.  Returns the count (short only at the end), or -1 with errno. EINTR is
 * retried. */
ssize_t io_read_full(int fd, void *p, size_t n);
ssize_t io_pread_full(int fd, void *p, size_t n, int64_t off);
/* Writes everything.  0, or -1 with errno. */
int io_write_full(int fd, const void *p, size_t n);

/* Opens a directory below dirfd (AT_FDCWD allowed), O_NOFOLLOW for the last component.  ≥0, or -1. */
int io_open_dir(int dirfd, const char *name, struct err *err);
/* Opens an existing regular file read-only, O_NOFOLLOW; anything but a regular file is an error.  ≥0, or -1
 * with errno (EINVAL: not a regular file). */
int io_open_file(int dirfd, const char *name, struct err *err);
/* mkdirat (EEXIST is fine when it is a directory), then io_open_dir.  Does not sync. ≥0, or -1. */
int io_make_dir(int dirfd, const char *name, mode_t mode, struct err *err);

int io_sync(int fd, const char *name, struct err *err);
/* fsync of a directory.  File systems that cannot (EINVAL) are accepted. */
int io_sync_dir(int dirfd, struct err *err);
/* The same of the folder that holds `path`. */
int io_sync_parent(const char *path, struct err *err);
/* Closes and reports.  *fd becomes -1 whatever happens. */
int io_close(int *fd, const char *name, struct err *err);

/* Appends the whole file to `out`; larger than out's ceiling is E-IO-08, before anything is read where its
 * size tells. ret: 0, IO_ABSENT, -1. */
#define IO_ABSENT 1
int io_read_file(int dirfd, const char *name, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Are both on the same mount?  False also when it cannot be told. */
bool io_same_mount(int a, int b);

/* Creates `name` (it must not exist), writes, fsyncs, closes.  On failure nothing of that name is left.  The
 * directory is not synced. */
int io_write_new(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* Replaces or creates `name` atomically: temporary name, fsync, rename, fsync of the directory. */
int io_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* The same of a name that must be free: it never replaces another. */
int io_add(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* renameat2(RENAME_NOREPLACE); where the file system has none of it, link+unlink for files.
 * 0, IO_EXISTS when the new name is taken, -1. */
#define IO_EXISTS 2
int io_rename_new(int olddir, const char *oldname, int newdir, const char *newname, struct err *err)
    __attribute__((warn_unused_result));
/* r; -1, with its words, where that is IO_EXISTS and nothing should have stood there. */
int io_taken(int r, const char *name, struct err *err) __attribute__((warn_unused_result));

/* Takes an exclusive kernel lock (flock) on an open descriptor without waiting.  0, IO_BUSY, -1.  Nothing is
 * left behind when the process dies. */
#define IO_BUSY 3
int io_lock(int fd, struct err *err) __attribute__((warn_unused_result));

/* Calls fn for each name in the directory except "." and "..", in byte order; stops at the first non-zero
 * return and returns it.  For directories of moderate size (names are held in memory, at most 64 MiB of
 * them).  -1 on error. */
typedef int io_name_fn(void *arg, const char *name, struct err *err);
int io_each_name(int dirfd, io_name_fn *fn, void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
