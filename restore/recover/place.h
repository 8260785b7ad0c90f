/* place: where a recovery goes, and whether it may.
 *
 * In the folder of --to lie recovery.state.json (state.h), data/ (what was restored: in quarantine until a step takes it from there), and
 * at the end the record and its pages.  One recovery at a time works in it (flock).  The folder that the procedure's `target` names is
 * where the recovered system is to live; commands fill it.
 *
 * Errors: E-TARGET-04 on a medium, E-DRILL-01 of others, E-RECOVER-01 not empty, E-RECOVER-02 another one is at work there, E-RECOVER-03 on the
 * same file system as the only copy at hand, E-RECOVER-04 too little room, E-RECOVER-08 two steps share a folder.
 */
#ifndef RESTORE_RECOVER_PLACE_H
#define RESTORE_RECOVER_PLACE_H

#include <stdbool.h>

struct app;
struct err;
struct recovery;
struct scratch;

#define PLACE_STATE  "recovery.state.json"
#define PLACE_DATA   "data"
#define PLACE_RECORD "recovery.json"
#define PLACE_PAGE   "recovery.html"
#define PLACE_BEFORE "recovery-before.html"

/* Opens or makes it; *ret_begun: a recovery was begun there. */
int place_open(const struct app *app, struct scratch **ret, bool *ret_begun, struct err *err)
    __attribute__((warn_unused_result));
/* What can be checked once the generations are known.  One that is gone on with has checked room and emptiness before. */
int place_check(struct recovery *r, struct err *err) __attribute__((warn_unused_result));

#endif
