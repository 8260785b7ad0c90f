/* parity_watch: archives that are read whole get their parity: where it is missing, damaged or of another share it is written.
 *
 * parity_watch_new() → parity_watch_hook() into verify_options → reading → parity_watch_free().  So parity comes to be when an archive is read
 * back, and again whenever it is read: nothing is read for it alone.  It is written when its archive was found whole, and
 * synced like all else: if the process or the power dies it is missing, which harms nothing, and the next reading makes it again.
 * A share of 0 makes none, and leaves what there is.
 *
 * Any thread may read; together they hold at most PARITY_WATCH_BYTES of parity (one file of parity, if that is more): who comes then waits. */
#ifndef BKP_WRITE_PARITY_PARITY_WATCH_H
#define BKP_WRITE_PARITY_PARITY_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct parity_watch;
struct store;
struct verify_watch;

#define PARITY_WATCH_BYTES ((uint64_t)128 << 20)

/* repo: <repository-id>/ on the medium, open as long as this.  percent: 0 … PARITY_SHARE_MAX.  NULL: out of memory. */
struct parity_watch *parity_watch_new(const struct store *repo, unsigned percent);
void parity_watch_free(struct parity_watch *w); /* NULL allowed */
const struct verify_watch *parity_watch_hook(
    const struct parity_watch *w); /* NULL for a share of 0, or no watch at all */
/* Files of parity that were written, and the first reason (code "": none) why one could not be. */
uint64_t parity_watch_written(const struct parity_watch *w, const struct err **ret_why);
/* That reason for a person: W-PARITY-01. */
void parity_watch_say(const struct err *why, const char *medium, struct err *ret);

#endif
