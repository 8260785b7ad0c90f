/* dedup_record: see dedup_record.h. */
#include "write/index/dedup_record.h"

#include <string.h>

#include <sodium.h>

#include "base/le.h"

#define PLACE_SUM 6
#define BITS	  22 /* of an offset or a length in a chunk of 4 MiB */

_Static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == 16, "SipHash-2-4");

/* Against damage, not against malice: who can write into the state folder can do worse. */
static void record_checksum(
    const void *key, size_t keylen, const uint8_t *record, size_t n, uint64_t run, uint8_t out[8])
{
	uint8_t all[128], k[crypto_shorthash_KEYBYTES] = "........bkpdedup";

	le_put(k, run, 8);
	memcpy(all, key, keylen);
	memcpy(all + keylen, record, n);
	crypto_shorthash(out, all, keylen + n, k);
}

bool dedup_record_pack_place(const uint8_t key[DEDUP_RECORD_KEY], const struct dedup_place *pl, uint64_t run,
    uint8_t out[DEDUP_RECORD_PLACE])
{
	const uint32_t max = (uint32_t)1 << BITS;
	uint8_t sum[8];

	if (pl->archive >> 40 || pl->chunk > DEDUP_RECORD_CHUNK_MAX || pl->offset >= max || !pl->length ||
	    pl->length > max)
		return false;
	le_put(out, pl->archive, 5);
	le_put(out + 5, pl->chunk, 3);
	le_put(
	    out + 8, pl->offset | (uint64_t)(pl->length - 1) << BITS | (uint64_t)pl->whole << (2 * BITS), 6);
	record_checksum(key, DEDUP_RECORD_KEY, out, DEDUP_RECORD_PLACE - PLACE_SUM, run, sum);
	memcpy(out + DEDUP_RECORD_PLACE - PLACE_SUM, sum, PLACE_SUM);
	return true;
}

bool dedup_record_place(const MDB_val *key, const MDB_val *v, struct dedup_place *ret)
{
	const uint8_t *in = v->mv_data;
	const uint32_t mask = ((uint32_t)1 << BITS) - 1;
	uint64_t rest;

	if (key->mv_size != DEDUP_RECORD_KEY || v->mv_size != DEDUP_RECORD_PLACE)
		return false;
	rest = le_get(in + 8, 6);
	ret->archive = le_get(in, 5);
	ret->chunk = (uint32_t)le_get(in + 5, 3);
	ret->offset = (uint32_t)rest & mask;
	ret->length = ((uint32_t)(rest >> BITS) & mask) + 1;
	ret->whole = rest >> (2 * BITS) & 1;
	return true;
}

bool dedup_record_checked(const MDB_val *key, const MDB_val *v, uint64_t run)
{
	const uint8_t *in = v->mv_data;
	uint8_t sum[8];

	record_checksum(key->mv_data, DEDUP_RECORD_KEY, in, DEDUP_RECORD_PLACE - PLACE_SUM, run, sum);
	return !memcmp(sum, in + DEDUP_RECORD_PLACE - PLACE_SUM, PLACE_SUM);
}

void dedup_record_pack_archive(const struct dedup_archive *a, uint64_t key, uint8_t out[DEDUP_RECORD_ARCHIVE])
{
	le_put(out, a->size, 8);
	le_put(out + 8, a->run, 8);
	le_put(out + 16, a->generation, 8);
	memcpy(out + 24, a->sha256, DIGEST_LEN);
	memcpy(out + 24 + DIGEST_LEN, a->index_sha256, DIGEST_LEN);
	record_checksum(&key, sizeof(key), out, DEDUP_RECORD_ARCHIVE - 8, 0, out + DEDUP_RECORD_ARCHIVE - 8);
}

bool dedup_record_archive(const MDB_val *key, const MDB_val *v, struct dedup_archive *ret)
{
	const uint8_t *in = v->mv_data;
	uint8_t sum[8];
	uint64_t whole;

	if (key->mv_size != sizeof(whole) || v->mv_size != DEDUP_RECORD_ARCHIVE)
		return false;
	record_checksum(key->mv_data, sizeof(whole), in, DEDUP_RECORD_ARCHIVE - 8, 0, sum);
	if (memcmp(sum, in + DEDUP_RECORD_ARCHIVE - 8, 8) != 0)
		return false;
	memcpy(&whole, key->mv_data, sizeof(whole));
	ret->number = whole & (((uint64_t)1 << DEDUP_RECORD_SET_SHIFT) - 1);
	ret->size = le_get(in, 8);
	ret->run = le_get(in + 8, 8);
	ret->generation = le_get(in + 16, 8);
	memcpy(ret->sha256, in + 24, DIGEST_LEN);
	memcpy(ret->index_sha256, in + 24 + DIGEST_LEN, DIGEST_LEN);
	return true;
}
