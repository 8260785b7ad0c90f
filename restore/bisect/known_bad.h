/* known_bad: a list of SHA-256 of files that are known to be bad, as sha256sum writes it and as such lists are published: 64 hex digits
 * at the beginning of a line, what follows behind a blank is not looked at.  Empty lines, and lines that begin with '#', are passed
 * over.  Capitals and line ends of Windows do not matter.
 *
 * Pure.  Errors: E-BISECT-01 a line is none of these (its number; of a shorter digest, which), or there is none at all.
 */
#ifndef RESTORE_BISECT_KNOWN_BAD_H
#define RESTORE_BISECT_KNOWN_BAD_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;

#define KNOWN_BAD_MAX ((size_t)512 << 20) /* bytes of a list */

typedef int known_bad_fn(void *arg, const uint8_t sha256[DIGEST_LEN], struct err *err);
int known_bad_each(const char *list, size_t n, known_bad_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

#endif
