/* scratch: the folder that a drill works in, and its erasure.
 *
 * scratch_make → use scratch_fd() → scratch_erase (or not, when it is to be kept) → scratch_free.  The
 * folder given by the caller must be missing or empty, so nothing is ever erased that the drill did not
 * make.  In it:
 *	scratch/	restored data; the working folder of commands
 *	scratch/tmp/	TMPDIR, as /tmp is
 *	drill.json, drill.html	put there by the caller at the end, through scratch_dirfd()
 *
 * Modes: both folders can be passed through by everyone and listed by nobody (0711), because servers that
 * refuse to run as root (PostgreSQL) must reach the folder below that was given to them by chown; whatever
 * is made inside is closed by its own mode (umask 077, restored folders 0700).
 *
 * Erasure goes by descriptors, follows no link, does not cross mount points (a mount that a step left behind
 * is named and stays, with the folders above it), copes with trees of any depth, and goes on after a
 * failure.  It takes names away; it does not overwrite what the disk held.
 *
 * When the process is killed half-way the scratch folder stays, the folder is not empty any more, and the
 * next drill into it is refused, saying so.
 *
 * The caller's folder must be his own and not writable for others.
 *
 * Errors: E-DRILL-01 not empty, of somebody else, or cannot be made; E-DRILL-21 something could not be erased
 * (the first such thing).
 */
#ifndef RESTORE_EXTRACT_SCRATCH_H
#define RESTORE_EXTRACT_SCRATCH_H

#include <stdint.h>

struct err;

#define SCRATCH_NAME "scratch"
#define SCRATCH_TMP  "tmp"

struct scratch;
int scratch_make(const char *to, struct scratch **ret, struct err *err) __attribute__((warn_unused_result));
/* The same of a recovery: that folder under another name (which stays the caller's), whatever is there already. */
int scratch_open(const char *to, const char *name, struct scratch **ret, struct err *err)
    __attribute__((warn_unused_result));
/* A name for a folder that nobody has, $TMPDIR/bkp-WORD-XXXXXX: the caller's; NULL: errno says why there is none. */
char *scratch_own_place(const char *word);
void scratch_free(struct scratch *s); /* closes; erases nothing */

int scratch_dirfd(const struct scratch *s);	   /* of the caller's folder; borrowed */
int scratch_fd(const struct scratch *s);	   /* of scratch/; borrowed */
const char *scratch_path(const struct scratch *s); /* absolute path of scratch/ */

struct scratch_erased {
	uint64_t files, folders; /* taken away; a file is anything but a folder */
	uint64_t left;		 /* could not be */
};

/* 0, or -1 when something was left; *ret is written in both cases. */
int scratch_erase(struct scratch *s, struct scratch_erased *ret, struct err *err)
    __attribute__((warn_unused_result));

/* The folder `to` below it, before it is brought back once more; 0 also when it is not there. */
int scratch_erase_below(struct scratch *s, const char *to, struct err *err)
    __attribute__((warn_unused_result));

/* For a drill that does not begin: erases, and takes away the caller's folder too if it was made here. */
int scratch_undo(struct scratch *s, struct scratch_erased *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
