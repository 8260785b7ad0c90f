/* tally: counts what became of a data set's files since it was captured last: added, changed, deleted,
 * renamed, and what happened to their content (format/guard/guard.h).  Pure.
 *
 * tally_begin → tally_gone, tally_fresh, tally_kept in the order of the paths → tally_end … → tally_free.
 *
 * A file that is gone and one that appeared are one that was renamed when, in this order: the new name is the
 * old one with something behind it ("a.pdf", "a.pdf.locked"); inode, size and time are the same; size, time
 * and last component are the same; folder and stem are the same ("a.pdf", "a.locked"); folder and inode are
 * the same.  What then is gone for good and what is dense and new for good are taken to be each other's
 * replacement as far as the numbers go ("a.pdf", "x7Kq2").
 *
 * Memory: TALLY_MAX files gone and as many that appeared are kept to be matched; beyond that the share that
 * was renamed is taken to be that of those kept.
 */
#ifndef BKP_WRITE_CAPTURE_TALLY_H
#define BKP_WRITE_CAPTURE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/guard/profile.h"
#include "format/guard/strata.h"

struct err;
struct guard;
struct signs;

#define TALLY_MAX ((size_t)1 << 17)

/* A regular file: as it was captured last, or now. */
struct tally_file {
	uint64_t ino, size;
	int64_t mtime_ns;
	struct profile profile;
};

struct tally;
int tally_new(struct tally **ret, struct err *err) __attribute__((warn_unused_result));
void tally_free(struct tally *t);
void tally_begin(struct tally *t);
/* Was there and is not any more; of: its strata, for tally_end().  0, -1: E-MEM-01. */
int tally_gone(struct tally *t, const char *path, const struct tally_file *was, struct strata_of of,
    struct err *err) __attribute__((warn_unused_result));
/* Is there and was not.  strange: its extension is. */
int tally_fresh(struct tally *t, const char *path, const struct tally_file *now, bool strange,
    struct err *err) __attribute__((warn_unused_result));
/* Is there and was, and had to be looked at. */
enum tally_content {
	TALLY_UNKNOWN, /* size and time tell whether it is another */
	TALLY_SAME,
	TALLY_ANOTHER,
};
struct tally_kept {
	bool changed;
	unsigned harm; /* PROFILE_LOST … */
};
struct tally_kept tally_kept(struct tally *t, const char *path, const struct tally_file *was,
    const struct tally_file *now, enum tally_content content);
/* So far, without the renames that only the end tells.  files: how many there are now. */
void tally_so_far(const struct tally *t, uint64_t files, struct guard *ret);
/* All has been seen.  What is gone for good is given to strata; signs tells of which extensions opaque files are usual.  Both may be
 * NULL. */
void tally_end(
    struct tally *t, uint64_t files, struct strata *strata, const struct signs *signs, struct guard *ret);

#endif
