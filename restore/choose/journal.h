/* journal: of the copies of the journal that are at hand, on the media and by --journal, the longest that is valid.
 *
 * Records are signed and chained, so that a copy may end early and cannot say anything else. */
#ifndef RESTORE_CHOOSE_JOURNAL_H
#define RESTORE_CHOOSE_JOURNAL_H

struct app;
struct ledger;

/* Needs open media.  What is wrong with a copy is said (app->incomplete).  0 (*ret is the caller's: ledger_free()), or APP_UNKNOWN: there
 * is none. */
int journal_find(struct app *app, struct ledger **ret);

#endif
