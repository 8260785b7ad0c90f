/* dedup_record: see dedup_record.h. */
#include "write/dedup_record.h"

#include <string.h>

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* Against damage, not against malice: who can write into the state folder can do worse. */
static void checksum(
    const void *key, size_t keylen, const uint8_t *record, size_t n, uint8_t out[DEDUP_RECORD_SUM])
{
	uint8_t all[64], sha256[DIGEST_LEN];

	memcpy(all, key, keylen);
	memcpy(all + keylen, record, n);
	digest_sha256(all, keylen + n, sha256);
	memcpy(out, sha256, DEDUP_RECORD_SUM);
}

bool dedup_record_checked(const MDB_val *k, const MDB_val *v, size_t keylen, size_t n)
{
	const uint8_t *record = v->mv_data;
	uint8_t sum[DEDUP_RECORD_SUM];

	if (k->mv_size != keylen || v->mv_size != n)
		return false;
	checksum(k->mv_data, keylen, record, n - DEDUP_RECORD_SUM, sum);
	return !memcmp(sum, record + n - DEDUP_RECORD_SUM, DEDUP_RECORD_SUM);
}

void dedup_record_pack_place(
    const uint8_t id[DEDUP_ID], const struct dedup_place *pl, uint8_t out[DEDUP_RECORD_PLACE])
{
	put64(out, pl->archive);
	put64(out + 8, (uint64_t)pl->chunk | (uint64_t)pl->offset << 32);
	put64(out + 16, (uint64_t)pl->length | (uint64_t)pl->whole << 32);
	checksum(id, DEDUP_ID, out, 24, out + 24);
}

bool dedup_record_place(const MDB_val *id, const MDB_val *v, struct dedup_place *ret)
{
	const uint8_t *in = v->mv_data;
	uint64_t a, b;

	if (!dedup_record_checked(id, v, DEDUP_ID, DEDUP_RECORD_PLACE))
		return false;
	a = get64(in + 8);
	b = get64(in + 16);
	ret->archive = get64(in);
	ret->chunk = (uint32_t)a;
	ret->offset = (uint32_t)(a >> 32);
	ret->length = (uint32_t)b;
	ret->whole = b >> 32 & 1;
	return true;
}

void dedup_record_pack_archive(const struct dedup_archive *a, uint8_t out[DEDUP_RECORD_ARCHIVE])
{
	put64(out, a->size);
	memcpy(out + 8, a->sha256, DIGEST_LEN);
	checksum(&a->number, sizeof(a->number), out, 8 + DIGEST_LEN, out + 8 + DIGEST_LEN);
}

bool dedup_record_archive(const MDB_val *number, const MDB_val *v, struct dedup_archive *ret)
{
	if (!dedup_record_checked(number, v, sizeof(ret->number), DEDUP_RECORD_ARCHIVE))
		return false;
	memcpy(&ret->number, number->mv_data, sizeof(ret->number));
	ret->size = get64(v->mv_data);
	memcpy(ret->sha256, (const uint8_t *)v->mv_data + 8, DIGEST_LEN);
	return true;
}
