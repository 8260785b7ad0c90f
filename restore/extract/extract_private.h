/* extract_private: what extract*.c share; see extract.h.
 *
 * The main thread decides about each entry in catalog order (extract_entry.c) and makes folders, symbolic
 * links and special files at once; regular files and hard links become items of a lot (extract_lot.h).
 * Writers (extract_writers.h) write the files of a lot (extract_file.c) in the order of their chunks.  When a
 * lot is done the main thread goes through it in catalog order (extract_settle.c): makes links, sets the
 * metadata of folders that nothing comes into any more, counts, and says what there is to say.  So neither
 * what is made nor what is said depends on the number of threads.
 *
 * Who owns what:
 * - struct extract: the main thread, but for what is marked in it;
 * - a lot: the main thread until extract_writers_give() and again after extract_writers_wait().  In between an item belongs
 *   to the writer that has its portion, but for what was set before (size, archive, chunk), which all writers read;
 * - struct extract_writer: its thread; lots.writer the main thread.
 *
 * ending is set by whoever meets what ends the run; everybody reads it, and it stays until the next data set.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_PRIVATE_H
#define RESTORE_EXTRACT_EXTRACT_PRIVATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "restore/app/outcome.h"
#include "restore/extract/extract.h"

struct catalog_item;
struct digestset;
struct extract_item;
struct extract_lot;
struct extract_writers;
struct owners;
struct target_cursor;
struct winnames;

/* bits of archive_entry_fflags() that stop later changes: only with same_owner, and after everything else */
#define EXTRACT_CRITICAL_FLAGS (0x10ul | 0x20ul) /* FS_IMMUTABLE_FL, FS_APPEND_FL */
#define EXTRACT_LOTS	       2		 /* given to the writers at a time */
#define EXTRACT_TEMPORARY      64

/* Who writes a file: one of these for each thread. */
struct extract_writer {
	struct extract *x;
	struct target_cursor *cursor;
	char temporary[EXTRACT_TEMPORARY]; /* name of a file that will replace one, while it is written */
};

/* Blocks of the catalog that were looked at, one after the other. */
struct extract_stretch {
	size_t first, last;
};

/* Unless something else is said, a part is the main thread's.  There is no lock: what writers see stands still or is atomic. */
struct extract {
	/* set by extract_new() */
	struct extract_options opt; /* all threads read it */
	char temporary[40];	    /* what names of temporary files begin with; all threads read it */
	struct outcome *outcome;
	struct progress *progress;
	struct owners *owners; /* NULL without same_owner */
	size_t strangers;      /* of them so many were said */
	/* all threads read and write these */
	atomic_bool ending;	   /* begin nothing more, leave off what is being written */
	atomic_uint_fast64_t done; /* bytes of content */
	/* all below, from `source` on, is of one data set, and 0 while there is none */
	/* where it comes from */
	struct {
		struct arc_r *arc; /* all threads use it: it has a lock of its own */
		struct plan *plan;
		const char *dataset;		   /* its name */
		struct extract_stretch *stretches; /* ascending */
		size_t n_stretches;
	} source;
	/* where it goes */
	struct {
		int fd;	      /* all threads use fd and foreign; they stand still while there are writers */
		bool foreign; /* it was not empty: folders in it may have default ACLs */
		struct target_cursor *cursor, *link_cursor;
		struct winnames *names; /* NULL: each has its own */
		struct buf listed;	/* the path whose names were told last */
	} target;
	/* files and what waits for them, on the way to the writers and back: extract_settle.c */
	struct {
		struct extract_lot *building;		 /* entries are added to this one */
		struct extract_lot *given[EXTRACT_LOTS]; /* the writers have these, the oldest first */
		size_t n_given;
		size_t items; /* with so many the next lot is full */
		struct extract_writers *writers;
		struct extract_writer writer; /* the main thread's own */
		bool settling;		      /* what there is to say comes from a lot that is done */
	} lots;
	/* the entry that was looked at last: extract_entry.c */
	struct {
		struct buf path, folder; /* NUL-terminated: its path; that of the folder made last */
		bool waits;		 /* it is not made yet */
	} last;
	/* folders that more may come into, each within the one before: extract_settle.c */
	struct {
		struct extract_item *folders;
		size_t n, bytes; /* bytes: of their paths and attributes */
	} open;
	/* hard links: extract.c */
	struct {
		struct digestset *absent; /* selected and not written: nothing may be linked to them */
		void *copies; /* tsearch(3): first names that were not selected, with their first copy */
		size_t bytes; /* of copies */
		bool full;    /* there are too many of them to be remembered */
	} links;
	/* what is left to the second pass: extract_folders.c */
	struct {
		struct digestset *made; /* folders made because something below them was wanted */
		struct digestset *late; /* other folders */
		bool all;		/* there are too many of them to be remembered */
		bool flags;		/* files with critical flags were met */
	} second;
};

/* One entry, forwards.  0, or -1: the run ends. */
int extract_entry(struct extract *x, const struct catalog_item *item, struct err *err);
/* Second pass: metadata of folders that could not get it before, and flags that stop later changes; backwards
 * over the blocks that were looked at. */
struct catalog_r;
int extract_folders(struct extract *x, struct catalog_r *c, struct err *err);

/* Gives the lot that is being filled to the writers, and settles the oldest when they have EXTRACT_LOTS. */
int extract_flush(struct extract *x, struct err *err);
/* Waits until everything given so far is written and settled.  With `ending` set what was not begun is left.
 */
int extract_drain(struct extract *x, struct err *err);
/* All folders that are still open; nothing more comes. */
int extract_close_folders(struct extract *x, struct err *err);
void extract_forget_folders(struct extract *x);
/* An entry that is being settled, or that the main thread makes: where it goes. */
struct extract_place {
	int parent;
	const char *name;
	bool exists, folder; /* something is there; a folder is */
};
/* A hard link, or the file again where there is nothing to link to. */
int extract_link(struct extract *x, struct extract_item *it, struct err *err);
/* Counts and says what became of a file. */
int extract_file_result(struct extract *x, const struct extract_item *it, struct err *err);

/* May an extended attribute of this name be restored? */
bool extract_xattr_allowed(bool privileged, const char *name);
/* Sets the file flags of `name` in parent, those in `mask` only. */
void extract_flags(struct extract *x, int parent, const char *name, const char *path, unsigned long set,
    unsigned long clear, unsigned long mask);
/* Counts and says, in catalog order: when lots wait, after what is in them. -1: out of memory. */
int extract_say(
    struct extract *x, enum outcome_kind kind, const char *path, const struct err *why, struct err *err);
/* The flags that an entry had in the catalog. */
int extract_say_flags(struct extract *x, const char *path, unsigned flags, struct err *err);
/* Does it end the run (target full, stopped, memory)? */
bool extract_ends(const struct err *why);
/* Says and counts that something could not be done with an entry. -1 when that ends the run. */
int extract_fault(
    struct extract *x, enum outcome_kind kind, const char *path, const struct err *why, struct err *err);
int extract_remember(struct digestset *set, const char *path, struct err *err);
bool extract_remembered(const struct digestset *set, const char *path);
/* The second pass is to see to this folder. */
int extract_late(struct extract *x, const char *path, struct err *err);
/* E-RESTORE-15 when somebody wants the run to end. */
int extract_stopped(struct extract *x, struct err *err);
/* "the target is full", or `what` went wrong. */
int extract_disk_error(int errnum, const char *what, struct err *err);
/* errno: `name` could not be made. */
int extract_make_error(const char *name, struct err *err);

/* Where the first copy of an unselected first name went. */
const char *extract_copy_of(const struct extract *x, const char *first);
int extract_copied(struct extract *x, const char *first, const char *path, struct err *err);

#endif
