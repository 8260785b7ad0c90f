/* dedup_record: the records of the dedup index as bytes: little-endian, fixed length, a checksum over key and
 * record at the end.  A record that a damaged page gives is refused, whatever it says.
 *
 * The checksum of a place is keyed with the run that published its archive: a place that a run left behind
 * when it died, in an archive whose number a later run gave out again, does not fit either.
 *
 * A place is 20 bytes:  archive 5 | chunk 3 | offset 22 bits, length - 1 22 bits, whole 1 bit: 6 | checksum 6
 *
 * circle: dedup, whose types a record holds and whose functions read and write records: one index in two headers,
 * because a test prepares records by itself.
 */
#ifndef BKP_WRITE_INDEX_DEDUP_RECORD_H
#define BKP_WRITE_INDEX_DEDUP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

#include "write/index/dedup.h"

/* dedup_record_checked() and dedup_record_pack_place() take the key: the data set's number and the id. */
#define DEDUP_RECORD_KEY       (2 + DEDUP_ID)
#define DEDUP_RECORD_PLACE     20
#define DEDUP_RECORD_ARCHIVE   (8 + 8 + 8 + 2 * DIGEST_LEN + 8)
#define DEDUP_RECORD_CHUNK_MAX 0xffffffu /* highest number of a chunk that a place can name */

/* False: it does not fit (archive below 2^40, chunk below 2^24, 1 … 4 MiB of a chunk of 4 MiB), and is not
 * indexed. */
bool dedup_record_pack_place(const uint8_t key[DEDUP_RECORD_KEY], const struct dedup_place *pl, uint64_t run,
    uint8_t out[DEDUP_RECORD_PLACE]);
/* Lengths fit: *ret is what it says, not checked yet. */
bool dedup_record_place(const MDB_val *key, const MDB_val *v, struct dedup_place *ret);
/* Was it written, so, by that run? */
bool dedup_record_checked(const MDB_val *key, const MDB_val *v, uint64_t run);

/* The key of an archive: the data set's number above its own, as the host has it (MDB_INTEGERKEY). */
#define DEDUP_RECORD_SET_SHIFT 40
void dedup_record_pack_archive(
    const struct dedup_archive *a, uint64_t key, uint8_t out[DEDUP_RECORD_ARCHIVE]);
bool dedup_record_archive(const MDB_val *key, const MDB_val *v, struct dedup_archive *ret);

#endif
