/* store_dir: the store that a folder of a mounted file system is.
 *
 * Paths are opened component by component, following no symbolic link anywhere.  store_bypass_cache() is
 * O_DIRECT or, where the file system has none, dropping the cached pages.
 */
#ifndef BKP_READ_STORE_STORE_DIR_H
#define BKP_READ_STORE_STORE_DIR_H

#include "read/store/store.h"

extern const struct store_kind store_dir;

/* The folder at `path`, whose links are followed: it is the administrator's own.  0, STORE_ABSENT (there is
 * no such folder), -1. */
int store_dir_open(const char *path, struct store *ret, struct err *err) __attribute__((warn_unused_result));
/* The folder behind a descriptor; store_close() closes it, unless it is the caller's own loan. */
struct store store_dir_of(int dirfd);
/* The file behind a descriptor that is open for reading, likewise. */
struct store_file store_dir_file(int fd);

/* ---- for what puts into a folder and removes from it (store_w_dir.c, store_x_dir.c) ---- */

/* The folder that the file `path` is in, and where the file's own name begins.  `path` is as struct store_kind
 * says (anything else is refused); no link is followed.  step: opens the folder `name` in `at`, one component of
 * the way (≥0; STORE_DIR_ABSENT or -1, err set); NULL: one that is there.  The caller closes it.  ≥0;
 * STORE_DIR_ABSENT: a folder on the way is not there (err set); -1. */
#define STORE_DIR_ABSENT (-2)
typedef int store_dir_step_fn(int at, const char *name, struct err *err);
int store_dir_parent(int root, const char *path, store_dir_step_fn *step, const char **ret_name,
    struct err *err) __attribute__((warn_unused_result));
/* Is the folder `dir`, called `name`, on the same mount as `root`?  0; -1 (E-PUBLISH-06): something else is
 * mounted in its place. */
int store_dir_own(int dir, int root, const char *name, struct err *err) __attribute__((warn_unused_result));

/* The descriptor, for what only a file system can tell (which disk, where it is mounted, whose clock); -1: the
 * store is no folder. */
int store_dir_fd(const struct store *s);

#endif
