/* keys_take: the host takes over what a holder of a key made and the holder of the root key signed: another person, or a new period
 * (format/medium/period.h).
 *
 * keys_offer_read() (checks everything, changes nothing) → look at what it says → keys_take() → keys_offer_free().
 * The journal's record `keys` is the commit: whatever moment the process dies at, the next state_open() finds either the former keys or
 * these.  Media get them with the next run or rotation.
 *
 * Errors: E-PERIOD-02 not signed by the root key, E-PERIOD-03 a file is not the one that was signed, E-PERIOD-08 it does not follow what
 * is in force, or is of another repository, E-PERIOD-07 a recipient or a file is none.
 */
#ifndef BKP_WRITE_STATE_KEYS_TAKE_H
#define BKP_WRITE_STATE_KEYS_TAKE_H

#include <stdbool.h>

struct err;
struct period;
struct state;

struct period_making;
/* What 'bkp-restore key begin' made in `dir`: the first period of a repository that is not there yet, for 'bkp init'.  Whoever brings it is
 * believed nothing: names, recipients, hashes and forms are checked; whose key is in the files only its holder can tell.  For
 * period_making_free(). */
int keys_begun_read(const char *dir, struct period_making **ret, struct err *err)
    __attribute__((warn_unused_result));

struct keys_offer;
/* dir: a folder with period.json, its signature, and the files that are new. */
int keys_offer_read(const struct state *s, const char *dir, struct keys_offer **ret, struct err *err)
    __attribute__((warn_unused_result));
void keys_offer_free(struct keys_offer *o);
/* As it will be. */
const struct period *keys_offer_period(const struct keys_offer *o);

/* renew: what was stored under earlier periods is stored anew, little by little.  The offer is spent. */
int keys_take(struct state *s, struct keys_offer *o, const char *person, bool renew, struct err *err)
    __attribute__((warn_unused_result));

#endif
