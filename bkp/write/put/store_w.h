/* store_w: puts files into a store: adding authority.  Reading is read/store/store.h, removing
 * write/reap/store_x.h.
 *
 * Two ways to put a file:
 *     store_w_stage → store_w_append … → store_w_publish, or store_w_add   under a name that is free; never in place of another
 *     store_w_replace, or stage → … → store_w_replace_staged               the few files that change: keys, papers, the journal's copy
 * Whichever it is, the file appears complete and durable, or not at all; where its process dies at any moment,
 * published files are whole, and what is unfinished is taken away when the store is next opened to be put into
 * (the caller holds the lock of the state folder: nobody else writes).  An error of writing or syncing
 * abandons the file; a sync is never retried and believed.  Folders on the way are made as they are needed.
 *
 * A published file can be frozen: nobody changes or removes it, not even this program without removing
 * authority (immutable flag; object lock).
 *
 * A handle belongs to one thread at a time.
 *
 * Errors: E-PUBLISH-01 the store cannot be opened to be put into, E-PUBLISH-02 cannot be written (full, I/O
 * error), E-PUBLISH-06 something else is mounted in the place of a folder; E-IO-*.
 */
#ifndef BKP_WRITE_PUT_STORE_W_H
#define BKP_WRITE_PUT_STORE_W_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "read/store/store.h"

struct store_w_kind;

/* A kind's own struct begins with this. */
struct store_w {
	const struct store_w_kind *kind;
	struct store reads; /* the same place, for reading; lives as long as this */
};

/* A file being written; discarded unless it is published.  A kind's own struct begins with this. */
struct store_staged {
	uint64_t size; /* bytes appended */
};

struct store_doc {
	const char *name;
	const void *p;
	size_t n;
};

#define STORE_W_TAKEN 2 /* the name is taken; nothing was changed */

/* For putting into what `s` reads; s may be closed meanwhile.  folders: those of `s` that will be
 * published into, n of them: they are made.  Whatever stands in the store, also what a dead process left there, is durable
 * from now on. */
int store_w_open(const struct store *s, const char *const *folders, size_t n, struct store_w **ret,
    struct err *err) __attribute__((warn_unused_result));
void store_w_close(struct store_w *w); /* NULL allowed */

int store_w_stage(struct store_w *w, struct store_staged **ret, struct err *err)
    __attribute__((warn_unused_result));
int store_w_append(struct store_w *w, struct store_staged *f, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));
void store_w_discard(struct store_w *w, struct store_staged *f); /* NULL allowed */
/* 0, STORE_W_TAKEN, -1.  `f` is consumed whatever happens. */
int store_w_publish(struct store_w *w, struct store_staged *f, const char *path, struct err *err)
    __attribute__((warn_unused_result));
/* Several files as a folder of their own, which is not there yet.  All at once where the kind can; else one
 * after the other, and the last one is what makes the others count.  0, STORE_W_TAKEN, -1. */
int store_w_publish_group(struct store_w *w, const char *dir, const struct store_doc *docs, size_t n,
    struct err *err) __attribute__((warn_unused_result));
/* The same of several folders, as far as the kind can at the cost of one: small data sets are many.  Of each is said what became
 * of it: r is 0, STORE_W_TAKEN, or -1 with why.  Those that are 0 are durable. */
struct store_group {
	const char *dir;
	const struct store_doc *docs;
	size_t n;
	int r;
	struct err why;
};
void store_w_publish_groups(struct store_w *w, struct store_group *groups, size_t n);
/* store_w_replace() with what was staged, which is consumed whatever happens. */
int store_w_replace_staged(struct store_w *w, struct store_staged *f, const char *path, mode_t mode,
    struct err *err) __attribute__((warn_unused_result));
/* 0, or the errno that says why it cannot be. */
int store_w_freeze(struct store_w *w, const char *path);

/* Keeps room, so that what must be written last still fits when the store is full.  Best effort; given back
 * by store_w_release(), store_w_close(), or the next store_w_open(). */
void store_w_reserve(struct store_w *w, uint64_t bytes);
int store_w_release(struct store_w *w, struct err *err);

/* The rest needs no handle: s reads what is put into. */

/* The folder `path` is there, for who lists it; what is put below it makes it just as well. */
int store_w_make_folder(const struct store *s, const char *path, struct err *err)
    __attribute__((warn_unused_result));
/* What stands in the folder of `path` may have been put there by a process that died before it was durable:
 * now it is, and can be relied on. */
int store_w_settle(const struct store *s, const char *path, struct err *err)
    __attribute__((warn_unused_result));
/* What stands at `path` since before the store was opened is relied on: it is durable on return.  Cheap for the second in a
 * folder. */
int store_w_rely(struct store_w *w, const char *path, struct err *err) __attribute__((warn_unused_result));
/* A file of these bytes; that the name is taken is an error. */
int store_w_add(const struct store *s, const char *path, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));
/* `path` becomes these bytes, whatever stood there.  mode: as far as the kind knows any. */
int store_w_replace(const struct store *s, const char *path, mode_t mode, const void *p, size_t n,
    struct err *err) __attribute__((warn_unused_result));
/* Has `path` these bytes already?  Then it gets that mode, too, if it has another. */
bool store_w_holds(const struct store *s, const char *path, mode_t mode, const void *p, size_t n);
/* What announced a file that is replaced, "….next", goes.  0 also when it is not there; -1. */
int store_w_withdraw(const struct store *s, const char *path, struct err *err)
    __attribute__((warn_unused_result));
/* A file that changes, and that is damaged, is kept as `to`; that this name is taken is an error.  Not durable
 * by itself: it is when `path` was put again. */
int store_w_set_aside(const struct store *s, const char *path, const char *to, struct err *err)
    __attribute__((warn_unused_result));

/* ---- for a kind ---- */

/* As the functions of the same name say. */
struct store_w_kind {
	const struct store_kind *reads; /* what it puts into is read as */
	int (*open)(const struct store *s, const char *const *folders, size_t n, struct store_w **ret,
	    struct err *err);
	void (*close)(struct store_w *w);
	int (*stage)(struct store_w *w, struct store_staged **ret, struct err *err);
	int (*append)(struct store_staged *f, const void *p, size_t n, struct err *err);
	void (*discard)(struct store_w *w, struct store_staged *f);
	int (*publish)(struct store_w *w, struct store_staged *f, const char *path, struct err *err);
	int (*publish_group)(
	    struct store_w *w, const char *dir, const struct store_doc *docs, size_t n, struct err *err);
	void (*publish_groups)(
	    struct store_w *w, struct store_group *groups, size_t n); /* NULL: one after the other */
	int (*replace_staged)(
	    struct store_w *w, struct store_staged *f, const char *path, mode_t mode, struct err *err);
	int (*freeze)(struct store_w *w, const char *path);
	void (*reserve)(struct store_w *w, uint64_t bytes);
	int (*release)(struct store_w *w, struct err *err);
	int (*make_folder)(const struct store *s, const char *path, struct err *err); /* NULL: it has none */
	int (*settle)(const struct store *s, const char *path, struct err *err);
	int (*rely)(
	    struct store_w *w, const char *path, struct err *err); /* NULL: what stands there is durable */
	int (*add)(const struct store *s, const char *path, const void *p, size_t n, struct err *err);
	int (*replace)(
	    const struct store *s, const char *path, mode_t mode, const void *p, size_t n, struct err *err);
	void (*set_mode)(const struct store *s, const char *path, mode_t mode); /* NULL: it has none */
	int (*withdraw)(const struct store *s, const char *path, struct err *err);
	int (*set_aside)(const struct store *s, const char *path, const char *to, struct err *err);
};

/* put_kinds.c: those that this program knows, NULL at the end. */
extern const struct store_w_kind *const store_w_kinds[];

#endif
