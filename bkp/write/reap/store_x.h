/* store_x: removes files from a store: the only authority that does.  Reading is read/store/store.h, putting
 * write/put/store_w.h.
 *
 * What leaves is first taken out of sight (retired), then removed file by file; what is retired stays until
 * it was removed, whoever opens the store.  Frozen files are thawed one by one, just before.  Folders of the
 * store are never links, and never mounts of something else.
 *
 * Errors: E-REAP-02 a file cannot be removed, E-PUBLISH-06 something else is mounted in the place of a folder;
 * E-IO-*.
 */
#ifndef BKP_WRITE_REAP_STORE_X_H
#define BKP_WRITE_REAP_STORE_X_H

#include <stdint.h>

#include "read/store/store.h"

struct err;
struct store_x_kind;

/* A kind's own struct begins with this. */
struct store_x {
	const struct store_x_kind *kind;
};

#define STORE_X_TAKEN 2	  /* something of that name stands there */
#define STORE_X_PATH  512 /* bytes of a path that is removed */

/* For removing from what `s` reads, which must stay open meanwhile. */
int store_x_open(const struct store *s, struct store_x **ret, struct err *err)
    __attribute__((warn_unused_result));
void store_x_close(struct store_x *x); /* NULL allowed */

/* Is the folder there, the store's own: no link, no mount of something else?  Asked before anything is concluded
 * from what stands in it, or does not.  0, -1. */
int store_x_own(const struct store *s, const char *folder, struct err *err)
    __attribute__((warn_unused_result));

/* Removes the file `path`.  *ret_files and *ret_bytes are added to.  0 also when it is not there; -1. */
int store_x_remove(struct store_x *x, const char *path, uint64_t *ret_files, uint64_t *ret_bytes,
    struct err *err) __attribute__((warn_unused_result));

/* The file `path` may be replaced from now on.  0 also when it is not there; -1. */
int store_x_thaw(struct store_x *x, const char *path, struct err *err) __attribute__((warn_unused_result));

/* Takes the folder `dir` out of sight, in one step and durably: it is `to` from now on, in a folder for what is
 * not published ("tmp/…"), and store_w_open() leaves it there.  0 also when it is not there; STORE_X_TAKEN, -1. */
int store_x_retire(struct store_x *x, const char *dir, const char *to, struct err *err)
    __attribute__((warn_unused_result));
/* A folder that was retired, and is empty, goes. */
int store_x_drop(struct store_x *x, const char *dir, struct err *err) __attribute__((warn_unused_result));
/* All removals so far are durable. */
int store_x_sync(struct store_x *x, struct err *err) __attribute__((warn_unused_result));

/* ---- for a kind ---- */

/* As the functions of the same name say. */
struct store_x_kind {
	const struct store_kind *reads; /* what it removes from is read as */
	int (*open)(const struct store *s, struct store_x **ret, struct err *err);
	int (*own)(const struct store *s, const char *folder, struct err *err);
	void (*close)(struct store_x *x);
	int (*remove)(
	    struct store_x *x, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err);
	int (*thaw)(struct store_x *x, const char *path, struct err *err); /* NULL: it freezes nothing */
	int (*retire)(struct store_x *x, const char *dir, const char *to, struct err *err);
	int (*drop)(struct store_x *x, const char *dir, struct err *err);
	int (*sync)(struct store_x *x, struct err *err);
};

/* reap_kinds.c: those that this program knows, NULL at the end. */
extern const struct store_x_kind *const store_x_kinds[];

#endif
