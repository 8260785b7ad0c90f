/* guard: does a capture look as if the data set's files had been encrypted, deleted or renamed in mass?
 *
 * Pure: figures of this capture and of those before it → suspect or not, and why.
 *
 * guard_judge() compares with the data set's own history by robust statistics: a share (of `before`) is out
 * of the ordinary when it is larger than the median of the history plus a multiple of the median absolute
 * deviation, larger than what was seen twice before (so that what people accepted twice is ordinary; not
 * where files lost their kind or became incompressible), and larger than a floor below which nothing is ever
 * raised.  With fewer than GUARD_LEARNED captures there is no history: the floors are higher.  Files that
 * lost their kind, and canaries, need none: in clinical data that does not happen.  What is harmed but stays
 * below the threshold each run is summed up over GUARD_WINDOW captures, back to the last one that a person
 * accepted, and over GUARD_HISTORY of them.
 *
 * What was measured rests on what is remembered of the last capture (write/index/file_cache.h), which may be
 * lost or tampered with.  So each capture is also counted by itself, its census, which stands in the signed
 * journal: files of a known format that are fewer than in the last trusted census, ones of nothing but zero
 * bytes that are more, and opaque ones that are more, beyond what came and went, are lost and dense, whatever
 * the cache says.  Where there is nothing to compare with but that, it is all there is: after the cache was
 * lost, and for tar streams always.
 */
#ifndef BKP_FORMAT_GUARD_GUARD_H
#define BKP_FORMAT_GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

#define GUARD_WINDOW  14 /* captures that slow changes are summed up over */
#define GUARD_HISTORY 60 /* captures that are looked at, at most */
#define GUARD_LEARNED 5
#define GUARD_WHY     512
#define GUARD_UNKNOWN UINT64_MAX

/* What was measured while a data set was captured: files, against the capture before.  Measured from what is
 * remembered of the last capture (write/index/file_cache.h) and from the bytes that are read anyway. */
/* All regular files of a capture; of a command's output, the one. */
struct guard_census {
	bool taken;
	uint64_t files, formats; /* of a known format */
	uint64_t opaque;	 /* of none, and incompressible */
	uint64_t zero;		 /* nothing but zero bytes; GUARD_UNKNOWN in records that do not say so */
};

struct guard {
	bool measured; /* there was a capture to compare with */
	bool stream;   /* of a command's output: `changed` is bytes more or less, `lost` and `dense` 0 or 1 */
	uint64_t before;			   /* files it had; of a command: bytes it gave */
	uint64_t added, changed, deleted, renamed; /* a renamed one is neither added nor deleted */
	uint64_t dense; /* changed, renamed or replaced, and no longer compressible */
	uint64_t
	    lost; /* changed or renamed, and no longer of the kind it was (DICM, PDF, ZIP), or all zero bytes */
	uint64_t strange;  /* added or renamed, with an extension that the data set never had */
	uint64_t canaries; /* canaries that are changed or gone */
	bool suspect;
	struct guard_census census;
};

/* A file that nobody ever changes, as it was found. */
struct guard_canary {
	char *path;
	char sha256[DIGEST_HEX]; /* "": it is not there */
};

/* Figures of an earlier capture that was never judged are added. */
void guard_add(struct guard *to, const struct guard *more);
bool guard_is_quiet(const struct guard *g); /* nothing was changed, added, deleted */
/* One more file of that kind (format/guard/kind.h). */
void guard_count(struct guard_census *c, uint8_t kind);
/* Many files hold nothing but zero bytes: did whatever gives them fail? */
bool guard_looks_empty(const struct guard_census *c);
/* Most of it is opaque: was it encrypted before it was captured for the first time? */
bool guard_looks_encrypted(const struct guard_census *c);

/* history: former captures of the data set that are not suspect, or were accepted, newest first, n of them.
 * What the census shows beyond what was measured is added to now.  sensitivity: enum policy_sensitivity. Sets
 * now->suspect, and why: one sentence in the reader's language that names the figures; "" when it is not
 * suspect. */
void guard_judge(
    struct guard *now, const struct guard *history, size_t n, unsigned sensitivity, char why[GUARD_WHY]);

#endif
