/* walk_private: the walk and its helper threads (walk.h).
 *
 * Helpers look ahead: a thread that has nothing to do claims a stretch of names of a folder that the walk is
 * in (the deepest one with enough names left), goes through them and what is below as a walk of its own, and
 * keeps what it finds as a task, up to a bound of entries, bytes and descriptors.  Where the bound is met it
 * stops; the folders it is in then are handed over, and the walk goes on in them as if it had come there
 * itself.  The walk takes a task's entries when it comes to the place where the stretch begins; when that is
 * still being worked on, the walk does what a helper does.  So order and content are those of a walk without
 * helpers, which is also what becomes of anything that a helper cannot do: too large a folder, no
 * descriptors, no memory.  What was looked at more than a second ago is forgotten and looked at again.
 *
 * Lock: walk_ahead's mutex protects all tasks' states and lists, and of the walk: stack, depth, names'
 * positions, path.  Only the walk's own thread changes those of the walk, so that it may read them without
 * the lock.
 *
 * A file is known by the inode that its folder's list gave with the name.  When the name is gone, or another
 * file has it, the folder is searched for that inode (walk_moved.c), and what is found is given under the
 * name that was listed: so it keeps its place in the order, and whatever it is called by now does not
 * matter.  In a very large folder that is done a few times, and for all the rest at once when the folder is
 * left: if one of them is still there, the folder is told.  A helper leaves such a name to the walk. */
#ifndef BKP_WRITE_SOURCE_WALK_PRIVATE_H
#define BKP_WRITE_SOURCE_WALK_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "write/source/names.h"
#include "write/source/walk.h"

struct walk_ahead;
struct walk_task;

#define WALK_SPAN 16 /* names claimed at first */

/* A folder that is being gone through. */
struct frame {
	int fd; /* -1 when closed for want of descriptors */
	dev_t dev;
	ino_t ino;
	size_t path_len;
	struct names *names;
	struct walk_task *tasks; /* claimed stretches of its names, ascending */
	size_t span;		 /* names that a claim takes at most: what was well used before */
	struct timespec changed; /* before it was listed: what is listed was born by then */
	size_t sought;		 /* names gone through for what was missing */
	struct buf missing;	 /* inodes that are to be looked for at the end */
};

struct walk {
	struct walk_options opt;
	struct names_scratch scratch;
	int parent; /* folder that holds the root; O_PATH */
	char *name; /* of the root in it */
	bool begun, failed;
	struct buf path; /* absolute, of the current entry; empty for "/" */
	struct frame *stack;
	size_t depth, cap;
	size_t memory;	/* of all names on the stack */
	dev_t root_dev; /* of the root, once it was entered */
	bool has_root;
	struct walk_ahead *ahead;  /* NULL: without helpers */
	char moved[NAME_MAX + 1];  /* the name of what was found under another one */
	char sought[NAME_MAX + 1]; /* likewise, by walk_seek() */
	unsigned unlike; /* inodes that are others than the list says, as on some stacked file systems */
	/* of a task's walk, which is bounded: the descriptors of all folders that it entered; else NULL */
	int *kept;
	size_t n_kept, max_kept;
};

#define WALK_VANISHED 1
#define WALK_EXCLUDED 2
#define WALK_LEFT     3 /* bounded: not looked at, the bound is met */

/* Looks at one name, whose path is in w->path, and enters it when it is a folder.  f: the folder, whose list
 * the name is from; NULL: it is the root's, or listed is not 0 and the folder another walk's, who looks for
 * what is missing.  0: *ret is to be yielded; WALK_…; -1. */
int walk_look(struct walk *w, struct frame *f, int dirfd, const char *name, uint64_t listed,
    struct walk_item *ret, struct err *err);
int walk_open_folder(int dirfd, const char *name);
int walk_out_of_resources(int errnum, struct err *err); /* -1 */
/* The frame goes on top of the stack. */
int walk_push(struct walk *w, const struct frame *f, struct err *err);
/* As walk_next(), after the root; WALK_LEFT (= 3) where it is bounded: the name is to be looked at again. */
int walk_step(struct walk *w, struct walk_item *ret, struct err *err);
int walk_set_path(struct walk *w, size_t folder_len, const char *name, struct err *err);

/* ---- walk_moved.c ---- */

/* The name's inode is another than the list says, which means something here. */
bool walk_moved_is_another(const struct walk *w, uint64_t listed, uint64_t inode);
/* What was listed in the folder under that name, now has the name w->moved: 0; WALK_GONE; -1. */
int walk_moved(struct walk *w, struct frame *f, const char *name, struct err *err);
/* The folder's names are done: whether one that was put off is still in it. */
bool walk_moved_any(struct frame *f);

/* ---- helpers ---- */

/* A folder was entered: begins the helpers if it is worth it, or wakes them. */
void walk_ahead_entered(struct walk *w);
/* The next entry that was looked at ahead. 0; WALK_AHEAD_NONE: none, the lock is held (nobody may claim the
 * current name before the walk has gone past it); -1. */
#define WALK_AHEAD_NONE 1
int walk_ahead_next(struct walk *w, struct walk_item *ret, struct err *err);
/* These may be called without helpers. */
void walk_ahead_lock(const struct walk *w);
void walk_ahead_unlock(const struct walk *w);
void walk_ahead_stop(struct walk *w); /* nothing more is looked at */
void walk_ahead_free(struct walk *w); /* after walk_ahead_stop(), and when the stack is empty */

#endif
