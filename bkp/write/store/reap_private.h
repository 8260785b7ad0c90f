/* reap_private: what the files of reap share; see reap.h. */
#ifndef BKP_WRITE_STORE_REAP_PRIVATE_H
#define BKP_WRITE_STORE_REAP_PRIVATE_H

#include "write/store/reap.h"

struct digestset;
struct vault_r;

/* reap_delete.c: deletes a published file `name` in dirfd, its immutable flag first.  *ret_bytes is added to.
 * 0 (also when it is not there), -1. */
int reap_delete(int dirfd, const char *name, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err);
/* The same for "archives/ab/…" below the repository's folder. */
int reap_delete_archive(
    int repo, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err);
/* A folder of the repository; not a link, not a mount of something else.  ≥0, -1. */
int reap_folder(int repo, const char *name, struct err *err);

#endif
