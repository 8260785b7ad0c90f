/* journal_w: appends to the journal of the state folder, the only code that may change it.
 *
 * Invariants:
 *  1. Bytes up to the last newline are never rewritten or cut off, and segments before the last not touched.
 *  2. A record is acknowledged (0 returned) only when its line, newline included, is durable.
 *  3. What stands after the last newline was never acknowledged; it is cut off when the journal is opened
 *     for appending, after everything before it has been verified (the caller has loaded the ledger from the
 *     same folder).
 *  4. Nothing is written when the file is not exactly what was verified plus what was appended since.
 *  5. A segment is closed when the next line would make it longer than JOURNAL_SEGMENT_FULL; whatever it holds is durable then.
 * Invariant 1 has one exception, journal_w_replace(), which journal_repair.h alone calls.
 * The caller holds the state folder's lock.  If the process dies in an append, the line is there as a whole
 * (then it counts), or torn (then 3 removes it).
 *
 * A write that fails is taken back; when that fails too, or a sync fails, the writer refuses all further
 * records. Errors: E-JOURNAL-20 cannot open, E-JOURNAL-21 someone else changed the file, E-JOURNAL-22 cannot
 * write or sync, E-JOURNAL-23 an earlier append failed.
 */
#ifndef BKP_WRITE_STATE_JOURNAL_W_H
#define BKP_WRITE_STATE_JOURNAL_W_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct ledger;

#define JOURNAL_W_BY 160 /* room for journal_w_by() */

struct journal_w;
/* dirfd: the state folder. */
int journal_w_open(int dirfd, const struct ledger *l, struct journal_w **ret, struct err *err)
    __attribute__((warn_unused_result));
/* Appends line (n bytes without newline) and its newline, durably. */
int journal_w_append(struct journal_w *w, const void *line, size_t n, struct err *err)
    __attribute__((warn_unused_result));
/* No further records: E-JOURNAL-23. */
void journal_w_stop(struct journal_w *w);
/* The last segment becomes `whole`, in one step: if the process dies it is the old one or the new one. */
int journal_w_replace(int dirfd, uint32_t last, const struct buf *whole, struct err *err)
    __attribute__((warn_unused_result));
void journal_w_close(struct journal_w *w);

/* Who is acting: the login name of the effective user, and "(sudo NAME)" behind it where sudo says so; plain
 * ASCII. */
char *journal_w_by(char out[JOURNAL_W_BY]);

#endif
