/* guard: does a capture look as if the data set's files had been encrypted, deleted or renamed in mass?
 *
 * Pure: figures of this capture and of those before it → suspect or not, and why.
 *
 * guard_judge() compares with the data set's own history by robust statistics: a share (of `before`) is out
 * of the ordinary when it is larger than the median of the history plus a multiple of the median absolute
 * deviation, larger than what was seen twice before (so that what people accepted twice is ordinary; not
 * where files look encrypted or destroyed), and larger than a floor below which nothing is ever
 * raised.  With fewer than GUARD_LEARNED captures there is no history: the floors are higher.  Files that are
 * harmed, and canaries, need none: in clinical data that does not happen.  What is harmed but stays
 * below the threshold each run is summed up over GUARD_WINDOW captures, back to the last one that a person
 * accepted, and over GUARD_HISTORY of them.
 *
 * What was measured rests on what is remembered of the last capture (write/index/file_cache.h), which may be
 * lost or tampered with.  So each capture is also counted by itself, its census, which stands in the signed
 * journal: files of a known format that are fewer than in the last trusted census, ones of nothing but zero
 * bytes that are more, and opaque ones that are more, beyond what came and went, are harmed, whatever the cache
 * says.  Where there is nothing to compare with but that, it is all there is: after the cache was
 * lost, and for tar streams always.
 */
#ifndef BKP_FORMAT_GUARD_GUARD_H
#define BKP_FORMAT_GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/guard/profile.h"

#define GUARD_WINDOW  14 /* captures that slow changes are summed up over */
#define GUARD_HISTORY 60 /* captures that are looked at, at most */
#define GUARD_LEARNED 5
#define GUARD_WHY     512
#define GUARD_UNKNOWN UINT64_MAX

/* What was raised, bit by bit: everything, not only what the sentence has room for.  Which of them an announced change explains is
 * in format/guard/announce.h. */
enum guard_reason {
	GUARD_R_CHANGED = 1U << 0,
	GUARD_R_DELETED = 1U << 1,
	GUARD_R_RENAMED = 1U << 2,
	GUARD_R_NEWKIND = 1U << 3, /* replaced by new extensions; rewritten into another sound kind */
	GUARD_R_SEALED = 1U << 4,  /* can be opened only with a password */
	GUARD_R_DENSE = 1U << 5,
	GUARD_R_HARM = 1U << 6, /* lost, broken, alien, nothing but zero bytes */
	GUARD_R_CANARY = 1U << 7,
	GUARD_R_ROWS = 1U << 8,	 /* of a dump */
	GUARD_R_STILL = 1U << 9, /* suspect before, and not accepted since; guard_judge() does not say so */
};

/* What was measured while a data set was captured: files, against the capture before.  Measured from what is
 * remembered of the last capture (write/index/file_cache.h) and from the bytes that are read anyway. */
/* All regular files of a capture; of a command's output, the one. */
struct guard_census {
	bool taken;
	uint64_t files, formats; /* of a known format, or text, or sealed */
	uint64_t opaque;	 /* of none, and incompressible */
	uint64_t zero;		 /* nothing but zero bytes; GUARD_UNKNOWN in records that do not say so */
};

struct guard {
	bool measured; /* there was a capture to compare with */
	bool stream;   /* of a command's output: `changed` is bytes more or less, `lost` and `dense` 0 or 1 */
	bool suspect;
	uint32_t reasons; /* enum guard_reason, of all that was raised */
	uint32_t noticed; /* of those, what was announced: neither usual from then on nor summed up */
	uint64_t
	    zeroed; /* of guard_judge(), not recorded: hold nothing but zero bytes and did not in the last census */
	uint64_t before;			   /* files it had; of a command: bytes it gave */
	uint64_t added, changed, deleted, renamed; /* a renamed one is neither added nor deleted */
	/* harm: files that were changed, renamed or replaced, and … */
	uint64_t lost;	/* are no longer of the kind they were (DICM, PDF, text), or all zero bytes */
	uint64_t dense; /* are no longer compressible */
	uint64_t
	    broken; /* are of their kind only at the beginning: what is behind it is not (format/guard/profile.h) */
	uint64_t sealed;	      /* can be opened only with a password (ZIP, PGP, …) */
	uint64_t alien;		      /* are new, and not what their extension holds otherwise */
	uint64_t harmed;	      /* any of these but sealed, each file once */
	uint64_t harmed_bytes, bytes; /* of harmed files; of all */
	uint64_t sound;		      /* of `changed`: all of its inside was tried and is of its format */
	uint64_t strange;	      /* added or renamed, with an extension that the data set never had */
	uint64_t canaries;	      /* canaries that are changed or gone */
	/* out of the ordinary, by folder: files, and in how many of its folders (format/guard/strata.h) */
	uint64_t folders; /* it has */
	uint64_t removed, removed_in;
	uint64_t rewritten, rewritten_in;
	uint64_t emptied; /* files of folders of which nearly all is gone */
	uint64_t oldest;  /* of `deleted`: older than what stays in their folder */
	/* of how many former extensions those are that were sealed; that were replaced */
	uint64_t sealed_in, replaced_in;
	/* of a dump: tables that were judged, that look harmed, and rows of all (format/dump/rows.h) */
	uint64_t tables, tables_harmed, rows;
	struct guard_census census;
};

/* The figures of struct guard as the journal has them ("committed", member "guard"), in its order; those that are `always`
 * stand there even when they are 0. */
struct guard_figure {
	const char *name;
	size_t offset; /* of a uint64_t in struct guard */
	bool always;
};
#define GUARD_FIGURES 28
extern const struct guard_figure guard_figures[GUARD_FIGURES];
uint64_t guard_figure(const struct guard *g, const struct guard_figure *f);
void guard_set_figure(struct guard *g, const struct guard_figure *f, uint64_t v);

/* A file that nobody ever changes, as it was found. */
struct guard_canary {
	char *path;
	char sha256[DIGEST_HEX]; /* "": it is not there */
};

/* Figures of an earlier capture that was never judged are added. */
void guard_add(struct guard *to, const struct guard *more);
bool guard_is_quiet(const struct guard *g); /* nothing was changed, added, deleted */
/* One more file. */
void guard_count(struct guard_census *c, const struct profile *p);
/* Many files hold nothing but zero bytes: did whatever gives them fail? */
bool guard_looks_empty(const struct guard_census *c);
/* Most of it is opaque: was it encrypted before it was captured for the first time? */
bool guard_looks_encrypted(const struct guard_census *c);

/* history: former captures of the data set that are not suspect, or were accepted, newest first, n of them.
 * What the census shows beyond what was measured is added to now.  sensitivity: enum policy_sensitivity. Sets
 * now->reasons, now->suspect (there is one), and why: one sentence in the
 * reader's language that names the figures; "" when it is not suspect. */
void guard_judge(
    struct guard *now, const struct guard *history, size_t n, unsigned sensitivity, char why[GUARD_WHY]);

#endif
