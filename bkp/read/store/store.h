/* store: where the files of a medium are, for reading; the seam below which one kind of medium differs from
 * another.
 *
 * A store holds files under relative paths ("archives/ab/….age").  A handle stands for one folder of it;
 * store_below() gives that of a folder below.  Whatever a hostile medium puts under a name (link, FIFO,
 * device, folder), only a file is opened, and none that is larger than a file of a medium can be.
 *
 * Read authority alone: nothing here can express a write.  Putting is write/put/store_w.h, removing
 * write/reap/store_x.h.
 *
 * A handle and a file are values of a few words.  Whoever opened one closes it; a copy is a loan.  A store's
 * handle may be used by several threads at a time, a file by one.  store_dir.h is the kind that a folder is;
 * to add a kind, fill in struct store_kind below (docs/CONTRIBUTING.md).
 *
 * Errors: E-IO-01 cannot be opened, or is not what belongs there; E-IO-02 cannot be read; E-IO-07 a folder
 * cannot be opened or listed; E-IO-08 (ERR_LARGE) larger than the ceiling.
 */
#ifndef BKP_READ_STORE_STORE_H
#define BKP_READ_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "read/store/rotational.h"

struct buf;
struct err;
struct throttle;
struct store_kind;

struct store {
	const struct store_kind *kind; /* NULL: closed */
	union {
		int fd;	   /* of a folder */
		void *own; /* of any other kind */
	};
	struct throttle *
	    throttle; /* what is read of it waits for that; NULL: for nothing.  Borrowed; below() and files have it from here */
};

struct store_file {
	const struct store_kind *kind; /* NULL: closed */
	int64_t size;		       /* bytes, when it was opened; a hostile medium may change it */
	union {
		int fd;
		void *own;
	};
	struct throttle *throttle;
};

struct store_space {
	uint64_t free; /* bytes that this process may put there */
	bool read_only;
};

#define STORE_ABSENT 1
/* Bytes: more than any file of a medium has.  archive_size (content) is 1 GiB at most; the chunk that goes
 * over it, headers and INDEX add far less than is left. */
#define STORE_FILE_MAX ((int64_t)4 << 30)

/* The store at a place as the administrator names it: its name says of which kind it is (read_kinds.c).  0,
 * STORE_ABSENT (there is none; err and errno set), -1. */
int store_open_place(const char *place, struct store *ret, struct err *err)
    __attribute__((warn_unused_result));
/* The folder `path` below s, at any depth.  0, STORE_ABSENT (err set), -1. */
int store_below(const struct store *s, const char *path, struct store *ret, struct err *err)
    __attribute__((warn_unused_result));
void store_close(struct store *s);
#define STORE_AUTO __attribute__((cleanup(store_close))) struct store

/* The file `path`.  0, STORE_ABSENT (err set), -1. */
int store_open(const struct store *s, const char *path, struct store_file *ret, struct err *err)
    __attribute__((warn_unused_result));
void store_close_file(struct store_file *f);
#define STORE_FILE_AUTO __attribute__((cleanup(store_close_file))) struct store_file
struct store_file store_take(struct store_file *f); /* returns *f and closes nothing: *f is closed now */

/* Up to n bytes from `offset` on: how many (0: the end), or -1 with errno.  store_read_full(): fewer than n
 * only at the end. */
ssize_t store_read_some(struct store_file *f, void *p, size_t n, int64_t offset);
ssize_t store_read_full(struct store_file *f, void *p, size_t n, int64_t offset);
/* What is read from now on comes from the medium itself, not from what this host has cached of it, as far as
 * the kind can.  store_read_some() wants p, n and offset in multiples of 4096 then, but for the last part of
 * a file. */
void store_bypass_cache(struct store_file *f);
/* What this host has cached of it is forgotten, as far as it can be: who reads next reads the medium. */
void store_drop_cache(struct store_file *f);

/* Its bytes.  0, STORE_ABSENT (err set), -1 (also when it is no file). */
int store_size(const struct store *s, const char *path, uint64_t *ret_size, struct err *err)
    __attribute__((warn_unused_result));
/* Appends the whole file to `out` (its ceiling counts).  0, STORE_ABSENT, -1. */
int store_read(const struct store *s, const char *path, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* Does anything, of whatever kind, stand under that name?  False also when it cannot be told. */
bool store_has(const struct store *s, const char *path);

/* Calls fn for each name in the folder `path` ("": s itself; a slash at its end is nothing), in byte order;
 * stops at the first non-zero return and returns it (fn does not return STORE_ABSENT).  Names are held in
 * memory, at most 64 MiB of them.  0, STORE_ABSENT (err set), -1. */
typedef int store_name_fn(void *arg, const char *name, struct err *err);
int store_list(const struct store *s, const char *path, store_name_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* Does it bear being read at several places at once? */
enum rotational store_rotational(const struct store *s);
/* What of it is free, and may it be written?  False: it cannot be told. */
bool store_space(const struct store *s, struct store_space *ret);

/* ---- for a kind ---- */

/* As the functions of the same name say.  A path is relative, of non-empty components without "." and "..",
 * and without a slash at its end. */
struct store_kind {
	int (*below)(const struct store *s, const char *path, struct store *ret, struct err *err);
	void (*close)(struct store *s);
	int (*open)(const struct store *s, const char *path, struct store_file *ret, struct err *err);
	void (*close_file)(struct store_file *f);
	ssize_t (*read_some)(struct store_file *f, void *p, size_t n, int64_t offset);
	void (*bypass_cache)(struct store_file *f);
	void (*drop_cache)(struct store_file *f);
	int (*size)(const struct store *s, const char *path, uint64_t *ret_size, struct err *err);
	bool (*has)(const struct store *s, const char *path);
	int (*list)(const struct store *s, const char *path, store_name_fn *fn, void *arg, struct err *err);
	enum rotational (*rotational)(const struct store *s);
	bool (*space)(const struct store *s, struct store_space *ret); /* NULL: the kind cannot tell */
};

#endif
