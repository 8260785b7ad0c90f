/* inventory_parity: is a parity file as it was written?  By itself: every byte of it stands under a CRC-32. */
#ifndef BKP_READ_VERIFY_INVENTORY_PARITY_H
#define BKP_READ_VERIFY_INVENTORY_PARITY_H

#include "format/crypto/digest.h"

struct err;
struct store;

#define INVENTORY_PARITY_BAD 2

/* path: in s; archive: whose it is.  0, INVENTORY_PARITY_BAD (err says what), STORE_ABSENT, -1: it could not be read. */
int inventory_parity_look(const struct store *s, const char *path, const uint8_t archive[DIGEST_LEN],
    struct err *err) __attribute__((warn_unused_result));

#endif
