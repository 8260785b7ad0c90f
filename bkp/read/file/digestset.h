/* digestset: a set of 32-byte keys with a small number each, in memory: 33 bytes a cell, two to four cells a
 * key, whatever the keys stand for.
 *
 * digestset_new → digestset_put / digestset_get → digestset_free.  Keys are digests (evenly spread), or made
 * by digestset_key_of() from any bytes.  One thread at a time, but any number may call digestset_get() while
 * nobody puts.
 */
#ifndef BKP_READ_FILE_DIGESTSET_H
#define BKP_READ_FILE_DIGESTSET_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;

struct digestset;
struct digestset *digestset_new(size_t max); /* at most max keys; NULL: out of memory */
void digestset_free(struct digestset *s);
size_t digestset_count(const struct digestset *s);

/* Adds or changes; value ≥ 1. 0, DIGESTSET_FULL, -1 (out of memory). */
#define DIGESTSET_FULL 1
int digestset_put(struct digestset *s, const uint8_t key[DIGEST_LEN], uint8_t value, struct err *err)
    __attribute__((warn_unused_result));
/* The value, or 0 when the key is not there. */
uint8_t digestset_get(const struct digestset *s, const uint8_t key[DIGEST_LEN]);

void digestset_key_of(const void *p, size_t n, uint8_t out[DIGEST_LEN]);

#endif
