/* parity_code: the arithmetic: Reed-Solomon over GF(2^8) with a Cauchy matrix, by ISA-L (polynomial 0x11d).
 *
 * Parity row r is the sum over all data rows j of c(r, j) × row j, c(r, j) the inverse of (k + r) xor j.  Any square part of such a
 * matrix can be inverted, so any m lost rows come back.  All rows here are one block of PARITY_BLOCK bytes. */
#ifndef BKP_WRITE_PARITY_PARITY_CODE_H
#define BKP_WRITE_PARITY_PARITY_CODE_H

#include <stdint.h>

/* What ISA-L's encoders want for all of it.  NULL: out of memory. */
uint8_t *parity_code_tables(uint32_t k, uint32_t m);

/* Of one column, the lost blocks from the others.  lost: which data rows, n of them; by: as many rows of parity that are whole.  data: k
 * blocks, those that are lost all zeros; sums: the n blocks of parity, of `by` in order: they are overwritten.  out: n blocks.  0, -1: out of memory. */
int parity_code_mend(uint32_t k, const uint32_t *lost, const uint32_t *by, uint32_t n, uint8_t *const *data,
    uint8_t *const *sums, uint8_t *const *out) __attribute__((warn_unused_result));

#endif
