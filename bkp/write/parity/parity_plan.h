/* parity_plan: which blocks of an archive are lost, and can they be had again: from its parity, from other media's copies of it,
 * from both together.  Reads, and holds what it mended in memory.
 *
 * parity_plan_new() → parity_plan_mendable() → parity_plan_write() → parity_plan_free().  A block counts when its CRC-32 is the one that
 * a parity file's head says; what gives EIO is lost, and the blocks beside it are read one by one.  No medium is trusted: what is handed
 * out at the end is the archive when its SHA-256 says so, and the caller throws it away where it does not.
 *
 * Memory: the CRCs, the lost blocks, one column.  A plan reads the stores until it is freed. */
#ifndef BKP_WRITE_PARITY_PARITY_PLAN_H
#define BKP_WRITE_PARITY_PARITY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;
struct parity_plan;
struct store;

#define PARITY_NONE  1 /* no medium has a parity file of it that can be read */
#define PARITY_WRONG 2 /* what came of it is not the archive: nothing may be made of it */

/* repos: <repository-id>/ on n media; the first is the one on which it is damaged, the others are asked for what that one lacks.  0,
 * PARITY_NONE (err set), -1. */
int parity_plan_new(const struct store *const *repos, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], struct parity_plan **ret, struct err *err)
    __attribute__((warn_unused_result));
void parity_plan_free(struct parity_plan *p); /* NULL allowed */
bool parity_plan_mendable(const struct parity_plan *p);
/* Of the first medium's copy: blocks of PARITY_BLOCK bytes. */
uint64_t parity_plan_lost(const struct parity_plan *p);

/* All of the archive, in order, to put().  0, PARITY_WRONG (err set), -1: put() failed, or there is no memory. */
typedef int parity_put_fn(void *arg, const void *p, size_t n, struct err *err);
int parity_plan_write(struct parity_plan *p, parity_put_fn *put, void *arg, struct err *err)
    __attribute__((warn_unused_result));

#endif
