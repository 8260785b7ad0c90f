/* medium_w: makes a folder a medium of the repository: writes the repository's public files and, last, the
 * signed identity.
 *
 * Order of what becomes durable: folders, repository files, bkp-medium.json.minisig, bkp-medium.json.  If the
 * process dies before the last step the place is not a medium yet, and running it again completes it.  The
 * journal record is the caller's next step; a medium of this repository that the journal does not know is
 * reported as MEDIUM_W_FOUND.
 *
 * Errors: E-MEDIA-02, E-MEDIA-03 (medium.h), E-MEDIA-10 the folder is missing, E-MEDIA-11 files of the
 * repository on it differ from ours, E-MEDIA-12 cannot write, E-MEDIA-13 it carries another label.
 */
#ifndef BKP_WRITE_MEDIA_MEDIUM_W_H
#define BKP_WRITE_MEDIA_MEDIUM_W_H

#include "format/journal/journal.h"

struct err;
struct medium;
struct state;

/* Registers the folder at `path`. ret_uuid: the medium's.  0: written now; MEDIUM_W_FOUND: it carried this
 * repository's identity with that label already, nothing was written; -1. */
#define MEDIUM_W_FOUND 1
int medium_w_register(const struct state *s, const char *path, const char *label, const char *type,
    char ret_uuid[JOURNAL_UUID], struct err *err) __attribute__((warn_unused_result));

/* The repository's public files on a registered medium: those that are missing are written again.  0, -1. */
int medium_w_mend(const struct state *s, const struct medium *m, struct err *err)
    __attribute__((warn_unused_result));

/* The identity of a registered medium whose own is damaged, written again.  0, MEDIUM_W_UNKNOWN: nothing that
 * stands at `path` says that it is that medium; -1. */
#define MEDIUM_W_UNKNOWN 1
int medium_w_identity(const struct state *s, const char *path, const char *uuid, struct err *err)
    __attribute__((warn_unused_result));

#endif
