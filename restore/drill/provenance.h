/* provenance: a procedure holds commands that a drill runs, so where it comes from counts.
 *
 * One that lies in the folder procedures/ of the repository on the medium (docs/format-writer.md, section 10) must
 * stand in that folder's SHA256SUMS, as the very bytes that were parsed, and the list must be signed by the
 * repository for that purpose.  A file from anywhere else is the user's own: nothing is known about it.
 *
 * Errors: E-DRILL-24 it lies on the medium and is not vouched for.
 */
#ifndef RESTORE_DRILL_PROVENANCE_H
#define RESTORE_DRILL_PROVENANCE_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct err;

/* Held against every medium that was given, opened or not.  0 and *ret_signed (false: the user's own file),
 * or -1. */
int provenance_check(const struct app *app, const char *file, const uint8_t *sha256, bool *ret_signed,
    struct err *err) __attribute__((warn_unused_result));

#endif
