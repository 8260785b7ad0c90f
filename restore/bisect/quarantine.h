/* quarantine: contents of files that may be hostile, in batches, in a folder where a virus scanner judges them.
 *
 * quarantine_open(), before the process is confined (scanner.h) → quarantine_check(): does the scanner work at all? →
 * quarantine_add() until quarantine_full() → quarantine_judge(), which empties it → … → quarantine_close(), which erases.
 *
 * A file has a number for a name, and the ending that it had where that is plain: nobody's name is in what a scanner writes down.  Mode
 * 0400, in folders of 0700.
 *
 * What a scanner says, as ClamAV says it: exit status 0: nothing was found in what it was given; 1: something was, in the files of lines
 * `PATH: NAME FOUND`; what it did not name is given to it once more.  Where it names none, or ends in another way, half of them are
 * given to it, and so on, down to single files.  So nothing is clean but what a run that ended with 0 was given.
 *
 * Errors: those of scanner.h and scratch.h; E-BISECT-03 it cannot judge a file; E-RESTORE-10 there is no room for one.
 */
#ifndef RESTORE_BISECT_QUARANTINE_H
#define RESTORE_BISECT_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct arc_r;
struct catalog_item;
struct err;
struct interrupt;
struct quarantine;

/* to: a folder that is missing or empty. */
int quarantine_open(const char *to, const char *command, const char *const *hidden, size_t n,
    struct quarantine **ret, struct err *err) __attribute__((warn_unused_result));
/* From now on runs of the scanner can be interrupted.  A file without harm must be judged clean. */
int quarantine_check(struct quarantine *q, struct interrupt *interrupt, struct err *err)
    __attribute__((warn_unused_result));
int quarantine_close(struct quarantine *q);

/* No more should be added, of that size, before it is judged. */
bool quarantine_full(const struct quarantine *q, uint64_t size);
/* -1: its content cannot be had; nothing of it is there. */
int quarantine_add(struct quarantine *q, struct arc_r *arc, const struct catalog_item *item,
    const uint8_t key[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));

enum quarantine_verdict { QUARANTINE_OPEN, QUARANTINE_CLEAN, QUARANTINE_BAD, QUARANTINE_UNKNOWN };
/* name: what was found, or ""; why: of QUARANTINE_UNKNOWN. */
typedef int quarantine_fn(void *arg, const uint8_t key[DIGEST_LEN], enum quarantine_verdict v,
    const char *name, const struct err *why, struct err *err);
/* -1: interrupted, the scanner's process is gone, or fn said so. */
int quarantine_judge(struct quarantine *q, quarantine_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));
size_t quarantine_runs(const struct quarantine *q); /* so often the scanner was started */

#endif
