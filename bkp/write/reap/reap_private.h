/* reap_private: what the files of reap share; see reap.h. */
#ifndef BKP_WRITE_REAP_REAP_PRIVATE_H
#define BKP_WRITE_REAP_REAP_PRIVATE_H

#include "write/reap/reap.h"

struct buf;
struct digestset;
struct vault_r;

/* reap.c: every archive that the generations standing on the medium list, but for the n numbers in
 * `but`.  0; 1 when one of them cannot be verified (why); -1. */
int reap_listed(struct vault_r *v, const struct reap_item *but, size_t n, struct digestset **ret,
    struct err *why, struct err *err);

#endif
