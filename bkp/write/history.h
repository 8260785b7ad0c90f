/* history: does this host's journal go on where a medium's copy of it ends?
 *
 * Journals only grow, so the copy on a medium is the beginning of this host's.  If it is not, one of the two
 * was rewritten (or the state folder was brought back from an old copy), and the medium's is the proof of
 * it: it is never replaced.
 *
 * Errors: E-PUBLISH-05 it does not, E-IO-*.
 */
#ifndef BKP_WRITE_HISTORY_H
#define BKP_WRITE_HISTORY_H

#include <stdint.h>

struct err;

/* The journal is the first `size` bytes of fd.  0 also when the medium has no copy; -1. */
int history_continues(int repo_dirfd, int fd, uint64_t size, struct err *err)
    __attribute__((warn_unused_result));

#endif
