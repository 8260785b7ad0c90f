/* rollback: a medium kept offline comes back as it was on a former day: restored from an image, or another disk
 * that was made from it then (a clone, also one without a serial number: what tells it is that it does not know the
 * newest turn).
 *
 * Whoever asks has found that its copy of the journal is the beginning of this host's, and shorter than what this
 * host had put there.  That alone is a copy that somebody cut, and is mended with a word (W-HISTORY-02).  It is a
 * former day when
 *   - it ends exactly where a former copy ended that the journal records ("heads"): then its day is known; or
 *   - generations that were read back on it are gone altogether as well: two signs of one thing.
 * A rotation that was interrupted is neither: what is on the medium is then never less than what is recorded, because
 * its copy of the journal is recorded after it is durable, and generations after they were read back.
 *
 * Error: E-ROTATE-20, a value like any other: nothing is changed here.
 */
#ifndef BKP_WRITE_MEDIA_ROLLBACK_H
#define BKP_WRITE_MEDIA_ROLLBACK_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct ledger;
struct ledger_medium;
struct store;

/* lines: how many of ours its copy has, less than lm->copy_seq.  True: *ret_turn is the number of rotations that it
 * knows of, *ret_why says it. */
bool rollback_look(const struct ledger *l, const struct ledger_medium *lm, const struct store *repo,
    uint64_t lines, uint64_t *ret_turn, struct err *ret_why);
/* How many rotations a copy of the journal with so many lines knows of; UINT64_MAX: no copy that this host recorded
 * ended there. */
uint64_t rollback_turn(const struct ledger_medium *lm, uint64_t lines);

#endif
