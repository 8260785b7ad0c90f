/* journal_repair: the end of a journal that is none, cut off; here, and from the copies on media.
 *
 *     state_open_valid() → journal_repair_host() → state_close() → state_open() → journal_repair_copy() …
 *
 * A journal that holds a line which is not the next record is refused by everybody, and so is what stands
 * after it.  What is cut is never more than that, and only where it is the end: after the first invalid
 * line no line may stand that counts itself where it stands, for then a record in the middle was changed and
 * what follows is real.  (A record that is signed, in its place and contradicts those before it was written
 * so: nobody changed it.)
 *
 * The bytes cut off are kept in the state folder, journal-cut-<SHA-256>.jsonl, before anything is cut.  The
 * record "journal-repaired" comes into being in the same step as the cut (journal_w_replace): if the process
 * dies there is the old journal or the new one.  A copy on a medium is replaced when it is the beginning of
 * this journal and after it nothing but what was cut off; any other stays as it is.
 *
 * Errors: E-JOURNAL-28 it is not the end, E-JOURNAL-29 what was cut off is no longer here; those of state.h.
 */
#ifndef BKP_WRITE_COPIES_JOURNAL_REPAIR_H
#define BKP_WRITE_COPIES_JOURNAL_REPAIR_H

#include <stdint.h>

struct err;
struct medium;
struct state;

struct journal_repair_result {
	uint64_t kept;	       /* records */
	uint64_t lines, bytes; /* cut off */
	char file[96];	       /* where they are kept, in the state folder */
};

/* s: from state_open_valid(), with why; a person acts (state_act). */
int journal_repair_host(struct state *s, const struct err *why, struct journal_repair_result *ret,
    struct err *err) __attribute__((warn_unused_result));

#define JOURNAL_REPAIR_MENDED 1
/* 0: there is nothing to mend; JOURNAL_REPAIR_MENDED: the copy is this journal now, and that is recorded; -1. */
int journal_repair_copy(struct state *s, const struct medium *m, struct err *err)
    __attribute__((warn_unused_result));

#endif
