/* walk: a sorted, descriptor-based walk over a file tree of any shape.
 *
 * Yields every object below a root in catalog order (path_compare), a folder before its content.  Works with
 * paths beyond PATH_MAX and any depth (folders are reached by descriptor, few descriptors are held; the upper
 * ones are reopened through ".." and checked by device and inode), with folders of millions of names (names beyond a bound are sorted
 * on disk in an unlinked scratch file), and never follows a symbolic link.  Memory: bounded by `names_max`
 * plus depth.
 *
 * With helpers, objects are looked at up to a second before they are yielded, and up to 256 descriptors more
 * are held. One walk is called by one thread.
 *
 * The process's umask, locale and working directory do not matter and are not changed.
 *
 * An object that vanishes between listing and looking is silently left out.  One that was renamed within its
 * folder is yielded under the name that it was listed with, `name` being what it is called now; so is one
 * whose name something new has by then.  One that is renamed at every look is yielded with `error` ESTALE and
 * st_mode 0; so is, after its content, a folder of more names than can be searched for every one.  A folder
 * that cannot be opened or read is yielded with `error` set (its metadata is still given) and the walk goes
 * on after it.  Mount points other than the root are yielded as the (empty) folder they are, with `mount`
 * set, and not entered unless cross_mounts.
 *
 * An object whose metadata cannot be read at all (a failing disk) is yielded with `error` set and st.st_mode
 * 0.
 *
 * Errors (-1) are those that end the walk: E-WALK-01 the root cannot be looked at, E-WALK-02 out of resources
 * or a folder moved away under the walk's feet.
 */
#ifndef BKP_WRITE_SOURCE_WALK_H
#define BKP_WRITE_SOURCE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct err;
struct exclude;

struct walk_options {
	bool cross_mounts;
	const struct exclude *exclude; /* or NULL; matched against the absolute path */
	size_t names_max; /* bytes of names held in memory, of all open folders, before sorting moves to disk;
			     0: 64 MiB */
	int scratch_dir;  /* directory descriptor for O_TMPFILE/unlinked scratch files */
	unsigned helpers; /* threads that look ahead, at most WALK_HELPERS_MAX; what is yielded is the same */
};

#define WALK_HELPERS_MAX 3u

struct walk_item {
	int dirfd; /* folder that holds it, for openat(dirfd, name); AT_FDCWD never; valid until the next call
		    */
	const char *name; /* last component ("." for a root "/"), or what it was renamed to */
	const char *path; /* absolute path without its leading '/' ("" only for root "/") */
	struct stat st;	  /* fstatat(AT_SYMLINK_NOFOLLOW) */
	int error;  /* 0, or errno why a folder could not be entered (st_mode 0: why nothing is known) */
	bool mount; /* a mount point that was not entered */
};

struct walk;
/* `root`: absolute path of a file or folder.  Symbolic links among its parents are resolved; a root that is
 * itself a symbolic link is yielded as that link. */
int walk_open(const char *root, const struct walk_options *opt, struct walk **ret, struct err *err);
#define WALK_END 1
int walk_next(struct walk *w, struct walk_item *ret, struct err *err);
/* The item that was given last is not under its name any more, though its folder may still have it: 0:
 * it->name is the present one, valid until the next call. */
#define WALK_GONE 4
int walk_seek(struct walk *w, struct walk_item *it, struct err *err);
void walk_close(struct walk *w);

#endif
