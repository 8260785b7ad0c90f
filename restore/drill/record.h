/* record: a drill as one JSON object (bkp-restore(1), "The record of a drill"): evidence that other programs
 * can read.
 *
 * Pure.  Members that have nothing to say are null, not missing.  All strings are UTF-8.
 */
#ifndef RESTORE_DRILL_RECORD_H
#define RESTORE_DRILL_RECORD_H

struct buf;
struct drill;
struct drill_step;
struct err;

/* Appends the object and a newline. */
int record_format(const struct drill *d, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* One step of it, the caller's; NULL: out of memory. */
struct json_t *record_step(const struct drill_step *s);

#endif
