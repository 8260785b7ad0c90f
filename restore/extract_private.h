/* extract_private: what extract*.c share; see extract.h. */
#ifndef RESTORE_EXTRACT_PRIVATE_H
#define RESTORE_EXTRACT_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "extract.h"

struct archive;
struct archive_entry;
struct catalog_item;
struct digestset;
struct target_cursor;

/* bits of archive_entry_fflags() that stop later changes: only with same_owner, and after everything else */
#define EXTRACT_CRITICAL_FLAGS (0x10ul | 0x20ul) /* FS_IMMUTABLE_FL, FS_APPEND_FL */

struct extract {
	struct extract_options opt;
	struct outcome *outcome;
	struct progress *progress;
	/* of the data set at hand */
	struct arc_r *arc;
	struct plan *plan;
	int targetfd;
	struct target_cursor *cursor, *link_cursor;
	struct archive *disk;
	struct digestset *made;	  /* folders made because something below them was wanted */
	struct digestset *absent; /* selected files that were not written: nothing may be linked to them */
	void
	    *copies; /* tsearch(3): first names that were not selected, and where the first copy of them is */
	size_t copies_bytes;
	uint64_t data_end;   /* of what was written of the file at hand */
	const char *current; /* path of the entry at hand */
	char temporary[48];  /* name of a file that will replace one, while it is being written */
};

/* The type of file an entry becomes (AE_IF…): a hard link by itself is the regular file whose extents it
 * carries. */
unsigned extract_type(const struct catalog_item *item);

/* One entry, forwards.  0, or -1: the run ends. */
int extract_entry(struct extract *x, const struct catalog_item *item, struct err *err);
/* Metadata of folders and flags of files, backwards over blocks first … last. */
struct catalog_r;
int extract_folders(struct extract *x, struct catalog_r *c, size_t first, size_t last, struct err *err);

/* archive_write_disk with the options of this run. NULL: out of memory. */
struct archive *extract_disk(const struct extract *x);
/* A copy of the entry that is called `name` and holds nothing that may not be restored; what was left out is
 * counted unless `silent`. NULL: out of memory. */
struct archive_entry *extract_clean(
    struct extract *x, struct archive_entry *entry, const char *name, bool silent);
/* Sets the file flags of `name` in parent, those in `mask` only. */
void extract_flags(
    struct extract *x, int parent, const char *name, const struct catalog_item *item, unsigned long mask);
/* Takes away the ACLs that `name` in the working folder inherited from the folder it was made in and should
 * not have. */
void extract_drop_acls(const struct catalog_item *item, const char *name);
/* Says and counts that something could not be done with an entry. -1 when that ends the run (target full,
 * memory). */
int extract_fault(struct extract *x, int kind, const char *path, const struct err *why, struct err *err);
int extract_remember(struct digestset *set, const char *path, struct err *err);
bool extract_remembered(const struct digestset *set, const char *path);

/* Where the first copy of an unselected first name went. */
const char *extract_copy_of(const struct extract *x, const char *first);
int extract_copied(struct extract *x, const char *first, const char *path, struct err *err);

#endif
