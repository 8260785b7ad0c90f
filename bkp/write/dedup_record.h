/* dedup_record: the records of the dedup index as bytes: little-endian, fixed length, a checksum over key and
 * record at the end.  A record that a damaged page gives is refused, whatever it says.
 */
#ifndef BKP_WRITE_DEDUP_RECORD_H
#define BKP_WRITE_DEDUP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lmdb.h>

#include "write/dedup.h"

#define DEDUP_RECORD_SUM     8
#define DEDUP_RECORD_PLACE   (24 + DEDUP_RECORD_SUM)
#define DEDUP_RECORD_ARCHIVE (8 + DIGEST_LEN + DEDUP_RECORD_SUM)

/* Key and record have these lengths, and the checksum fits. */
bool dedup_record_checked(const MDB_val *k, const MDB_val *v, size_t keylen, size_t n);

void dedup_record_pack_place(
    const uint8_t id[DEDUP_ID], const struct dedup_place *pl, uint8_t out[DEDUP_RECORD_PLACE]);
bool dedup_record_place(const MDB_val *id, const MDB_val *v, struct dedup_place *ret);

/* The key is the number, as the host has it (MDB_INTEGERKEY). */
void dedup_record_pack_archive(const struct dedup_archive *a, uint8_t out[DEDUP_RECORD_ARCHIVE]);
bool dedup_record_archive(const MDB_val *number, const MDB_val *v, struct dedup_archive *ret);

#endif
