/* clockwatch: has somebody moved the clock since bkp last did something?
 *
 * Three witnesses, at the start of every command that captures, rotates or expires: "monotonic" and "journal"
 * (clockskew.h), between the last record and now, and between any two records that other commands wrote; and
 *   "filesystem"  network storage has a clock of its own: the time it gives a file made now must be within
 *                 CLOCKWATCH_STORAGE_S.  Local file systems take the kernel's clock and know nothing else.
 * What is found is recorded as "clock-jump".  A jump forward latches: nothing expires until a person attests
 * the clock (bkp clock attest); captures go on.  A jump backward is recorded and told.
 */
#ifndef BKP_WRITE_STATE_CLOCKWATCH_H
#define BKP_WRITE_STATE_CLOCKWATCH_H

#include <stddef.h>

#include "base/err.h"

struct policy;
struct state;
struct store;

#define CLOCKWATCH_STORAGE_S 86400

/* Asks all of them and records.  media: repositories on media that may be written to (in a folder's tmp/ a file
 * is made and removed; other kinds are not asked); told: what a person should hear (W-CLOCK-01), code "" when all is well.  -1: it cannot
 * be recorded. */
int clockwatch_run(struct state *s, const struct policy *policy, const struct store *media, size_t n,
    struct err *told, struct err *err) __attribute__((warn_unused_result));

/* The third witness alone, for who learns only later which media are attached. */
int clockwatch_storage(struct state *s, const struct store *media, size_t n, struct err *told,
    struct err *err) __attribute__((warn_unused_result));

#endif
