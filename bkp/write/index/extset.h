/* extset: the extensions that a data set's files have had, and since when, in a small file beside what is
 * remembered of it (cache/stat/<dataset>.ext).
 *
 * Bounded: EXTSET_MAX of them; a data set with more has names of its own kind, and nothing is strange in it.
 * An extension is strange for GUARD_WINDOW captures after it was first seen, so that what spreads slowly is
 * counted each run.  Advisory like the rest of the cache: without the file everything is learned again, and
 * nothing is strange meanwhile.
 */
#ifndef BKP_WRITE_INDEX_EXTSET_H
#define BKP_WRITE_INDEX_EXTSET_H

#include <stdbool.h>
#include <stdint.h>

struct err;

#define EXTSET_MAX   256
#define EXTSET_BYTES 16 /* of an extension, NUL included; what is longer is cut */

struct extset;
/* generation: of this capture.  compared: something is remembered of the data set, so that not all its files
 * will be seen in this run.  Memory is the only error. */
int extset_open(int dirfd, const char *dataset, uint64_t generation, bool compared, struct extset **ret,
    struct err *err) __attribute__((warn_unused_result));
/* Takes note of the file's extension; is it strange? */
bool extset_see(struct extset *s, const char *path);
/* Writes what is new.  0, -1: E-IO-* */
int extset_save(struct extset *s, struct err *err) __attribute__((warn_unused_result));
void extset_close(struct extset *s);

#endif
