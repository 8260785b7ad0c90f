/* segments: the journal of a folder, which is a row of files, read as one (docs/format.md, section 9).
 *
 *     <folder>/journal/000001.jsonl, 000002.jsonl, …
 *
 * A segment holds whole lines, JOURNAL_SEGMENT_MAX bytes at most; it is closed when the next one begins, and
 * never changes again.  Only the last one grows, may end in a torn line, and may be empty.  What the lines say is judged
 * by their chain, not here: where one segment ends and the next begins proves nothing.
 *
 * Where the row is not what it must be (a segment is missing, too long, no file, or closed in the middle of a
 * line) the file ends there, as if it were cut, and segments_fault() says why: who reads a journal to its end
 * asks for it (lines.h, ledger.h, write/state/history.h do), so that nobody takes what is left for the whole.
 *
 * Of a store_file: reading alone; one of the segments is open at a time.  What the last one has grown by since is
 * read, too.
 *
 * Errors: E-JOURNAL-11 the row is not what it must be (ERR_MALFORMED), E-LEDGER-03 there is none, E-LEDGER-05 a file
 * `journal.jsonl` stands in its place, as once it did; E-IO-*.
 */
#ifndef BKP_READ_FILE_SEGMENTS_H
#define BKP_READ_FILE_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "read/store/store.h"

struct err;

/* The journal in `folder` (a state folder, a repository's on a medium).  0, STORE_ABSENT (there is none; err set), -1. */
int segments_open(const struct store *folder, struct store_file *ret, struct err *err)
    __attribute__((warn_unused_result));
/* The same where a person names it: such a folder, that of the segments, or a file with all lines (`cat journal/…`).
 * Links are followed. */
int segments_open_path(const char *path, struct store_file *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Why `f` ends before the journal does, or NULL; NULL also of any other file. */
const struct err *segments_fault(const struct store_file *f);
/* The same as a result: 0, or -1 with it. */
int segments_whole(const struct store_file *f, struct err *err) __attribute__((warn_unused_result));
/* How many there are up to the fault; 0: `f` is a file of another kind. */
uint32_t segments_count(const struct store_file *f);
/* Where segment 1…count begins in `f`; of count + 1: where the last one ended when it was opened. */
uint64_t segments_start(const struct store_file *f, uint32_t number);
/* That which holds the byte at `offset`, or the last. */
uint32_t segments_at(const struct store_file *f, uint64_t offset);

#endif
