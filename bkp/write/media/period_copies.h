/* period_copies: keys/ of the repository on a medium, as it stands in the state folder (format/medium/period.h).
 *
 * Files come before the period.json that names them.  What stands there and is another is replaced: these files prove nothing by standing
 * there, who may open what the root key says.
 */
#ifndef BKP_WRITE_MEDIA_PERIOD_COPIES_H
#define BKP_WRITE_MEDIA_PERIOD_COPIES_H

struct err;
struct replaced;
struct state;
struct store;

/* repo: the repository's folder on the medium.  replaced: gets what somebody else had put there; or NULL.  0, -1. */
int period_copies_put(
    const struct state *s, const struct store *repo, struct replaced *replaced, struct err *err);

#endif
