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

/* The descriptor, for what only a file system can tell (which disk, how full, where it is mounted); -1: the
 * store is no folder. */
int store_dir_fd(const struct store *s);

#endif
