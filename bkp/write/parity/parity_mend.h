/* parity_mend: one damaged archive of a medium becomes whole: from its parity, or from its parity and copies on other media.
 *
 * The mended copy is written to tmp/, its SHA-256 compared, and only then it takes the place of the damaged one, in one rename: if the
 * process dies at any moment, the one or the other stands there.  What cannot be mended stays as it is.
 *
 * Errors: E-PARITY-02 there is no parity file, E-PARITY-03 what could be mended is not the archive, E-PARITY-04 more is lost than
 * parity gives back. */
#ifndef BKP_WRITE_PARITY_PARITY_MEND_H
#define BKP_WRITE_PARITY_PARITY_MEND_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;
struct store;
struct vault_w;

#define PARITY_LOST 1 /* nothing was changed; err says why */

/* to: where it is damaged.  repos: as parity_plan_new() takes them; the first is that medium's.  0, PARITY_LOST, -1: the medium
 * cannot be written. */
int parity_mend(struct vault_w *to, const struct store *const *repos, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));

#endif
