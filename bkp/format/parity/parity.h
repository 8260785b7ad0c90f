/* parity: what mends a damaged archive, beside it on the medium: parity/<data set>/ab/<sha256>.par (docs/format.md, "Parity").
 *
 * Pure: names, shapes and the head of such a file.  The archive is cut into blocks of PARITY_BLOCK bytes, and these into k rows of
 * `columns` blocks, the last row filled up with zeros.  m rows of parity follow by Reed-Solomon over GF(2^8), byte by byte down each
 * column: a column gives back as many lost blocks as it has parity blocks left.  Neighbours stand in different columns, so that a
 * run of m × columns − 1 lost blocks, wherever it lies, takes no more than m from any.
 *
 * The head says the shape and the CRC-32 of every block, of archive and parity alike: what is lost is known, not guessed.  It is
 * written twice, its pages forwards at the beginning and backwards at the end of the file, each with a CRC-32 of its own.
 *
 * Nothing here is signed: what was mended is believed when its SHA-256 is the archive's name.  A file that somebody else wrote can
 * make mending fail, and nothing more; so every number in it is checked here before it is used.
 *
 * Errors: E-PARITY-01 it is damaged, or not that archive's. */
#ifndef BKP_FORMAT_PARITY_PARITY_H
#define BKP_FORMAT_PARITY_PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/medium/generation.h"

struct err;

#define PARITY_DIR	 "parity"
#define PARITY_BLOCK	 4096
#define PARITY_ROWS_MAX	 255 /* of data and parity together: GF(2^8) */
#define PARITY_SHARE_MAX 50  /* per cent */
#define PARITY_PATH	 (GENERATION_NAME + 96)

struct parity_shape {
	uint8_t archive[DIGEST_LEN];
	uint64_t size;	  /* of the archive, bytes: 1 … PARITY_SIZE_MAX */
	uint32_t k, m;	  /* rows of data, rows of parity */
	uint32_t columns; /* blocks in a row */
};
#define PARITY_SIZE_MAX (UINT64_C(4) << 30) /* of the archive, and of the file itself */

/* "parity/emr/ab/ab12….par", from <repository-id>/ */
char *parity_path(const char *dataset, const uint8_t archive[DIGEST_LEN], char out[PARITY_PATH]);

/* The shape for a share of `percent`, 1 … PARITY_SHARE_MAX; at least two blocks of parity a column. */
void parity_shape_of(
    const uint8_t archive[DIGEST_LEN], uint64_t size, unsigned percent, struct parity_shape *ret);

/* How much an archive of that size gets; percent may be 0. */
uint64_t parity_share_of(uint64_t size, unsigned percent);

uint64_t parity_data_blocks(const struct parity_shape *s);
uint64_t parity_sum_blocks(const struct parity_shape *s);
uint64_t parity_blocks(const struct parity_shape *s); /* both: how many CRCs there are, the archive's first */
uint64_t parity_pages(const struct parity_shape *s);  /* of the head */
uint64_t parity_file_bytes(const struct parity_shape *s);
/* Where they stand in the file: page i of the head, its second copy, a block of parity (row by row). */
uint64_t parity_page_at(const struct parity_shape *s, uint64_t i, bool second);
uint64_t parity_sum_at(const struct parity_shape *s, uint64_t block);
/* How long block i of the archive is: PARITY_BLOCK, but for the last. */
size_t parity_block_bytes(const struct parity_shape *s, uint64_t i);

/* Of a block: what the head says of it. */
uint32_t parity_crc(const void *p, size_t n);

/* Page i of the head.  crcs: parity_blocks() of them. */
void parity_page_make(
    const struct parity_shape *s, const uint32_t *crcs, uint64_t i, uint8_t out[PARITY_BLOCK]);
/* Page 0: the shape. 0, -1. */
int parity_head_parse(const uint8_t page[PARITY_BLOCK], const uint8_t archive[DIGEST_LEN],
    struct parity_shape *ret, struct err *err) __attribute__((warn_unused_result));
/* Any page: the CRCs that stand in it go to their places.  False: it is damaged, none was touched. */
bool parity_page_parse(
    const uint8_t page[PARITY_BLOCK], const struct parity_shape *s, uint64_t i, uint32_t *crcs, bool *known);

#endif
