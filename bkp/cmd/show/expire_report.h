/* expire_report: which generations stay and go, and why, for people and as JSON. */
#ifndef BKP_CMD_SHOW_EXPIRE_REPORT_H
#define BKP_CMD_SHOW_EXPIRE_REPORT_H

#include <stdbool.h>

struct chosen;
struct err;
struct expiry;
struct reap_leftover;

/* The tables on stdout, unless quiet; faults on stderr.  acted: it was done, not only looked at.  only: what rows are for
 * (chosen_fits()). */
void expire_report_text(const struct expiry *e, bool acted, struct chosen *only, bool quiet);
/* One object on stdout; failure NULL when there was none.  An exit code: `code`, or APP_FAILED. */
int expire_report_json(
    const struct expiry *e, bool acted, struct chosen *only, const struct err *failure, int code);
/* What an interrupted expiry left: that it is deleted now, or stays, and why; on stderr. */
void expire_report_leftover(const struct reap_leftover *l);
/* enum app_exit for an expiry that was carried through. */
int expire_report_exit(const struct expiry *e);

#endif
