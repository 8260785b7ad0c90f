/* dedup_layout: how long each chunk of an archive is; see dedup.h.  With it a reference becomes a range of
 * the archive's content, and ranges can be united.
 *
 * A record: run 8 | length of each chunk 3 … | checksum 8; the key is the archive's number. */
#include "write/index/dedup_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "write/index/dedup_record.h"

#define HEAD	   8
#define SUM	   8
#define CHUNKS_MAX 65536 /* of one archive (pending.h) */

static void layout_checksum(const uint8_t *p, size_t n, uint64_t number, uint8_t out[SUM])
{
	uint8_t key[crypto_shorthash_KEYBYTES] = "........bkplayou";

	memcpy(key, &number, sizeof(number));
	crypto_shorthash(out, p, n, key);
}

static size_t count_chunks(const struct dedup_entry *const *entries, size_t n)
{
	size_t chunks = 0;

	for (size_t i = 0; i < n; i++)
		if (entries[i]->place.chunk >= chunks && entries[i]->place.chunk < CHUNKS_MAX)
			chunks = (size_t)entries[i]->place.chunk + 1;
	return chunks;
}

/* Slices tell how long their chunk is at least: the last one ends where it ends. */
int dedup_put_layout(struct dedup *d, MDB_txn *txn, const struct dedup_archive *a,
    const struct dedup_entry *const *entries, size_t n)
{
	size_t chunks = count_chunks(entries, n), length = HEAD + 3 * chunks;
	uint8_t *bytes = calloc(1, length + SUM);
	uint64_t number = a->number;
	MDB_val k = {sizeof(number), &number}, v = {length + SUM, bytes};
	int r;

	if (!bytes)
		return ENOMEM;
	memcpy(bytes, &a->run, HEAD);
	for (size_t i = 0; i < n; i++) {
		const struct dedup_place *pl = &entries[i]->place;
		uint64_t end = (uint64_t)pl->offset + pl->length;
		uint8_t *at = bytes + HEAD + 3 * (size_t)pl->chunk;

		if (pl->chunk >= CHUNKS_MAX || end > 0xffffff ||
		    end <= ((uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16))
			continue;
		at[0] = (uint8_t)end;
		at[1] = (uint8_t)(end >> 8);
		at[2] = (uint8_t)(end >> 16);
	}
	layout_checksum(bytes, length, number, bytes + length);
	r = mdb_put(txn, d->layouts, &k, &v, 0);
	free(bytes);
	return r;
}

static int unpack_layout(const uint8_t *p, size_t chunks, struct dedup_layout *l, struct err *err)
{
	uint64_t at = 0;

	if (l->cap < chunks + 1) {
		uint64_t *more = reallocarray(l->starts, chunks + 1, sizeof(*more));

		if (!more)
			return err_nomem(err);
		l->starts = more;
		l->cap = chunks + 1;
	}
	l->n = chunks;
	for (size_t i = 0; i < chunks; i++, p += 3) {
		l->starts[i] = at;
		at += (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16;
	}
	l->starts[chunks] = at;
	return 1;
}

int dedup_layout(struct dedup *d, uint64_t number, struct dedup_layout *ret, struct err *err)
{
	struct dedup_archive a;
	MDB_val k = {sizeof(number), &number}, v;
	uint8_t sum[SUM];
	int r = dedup_archive(d, number, &a, NULL);

	if (r != 1)
		return 0;
	dedup_guard_enter(&d->guard);
	r = mdb_get(d->reader, d->layouts, &k, &v);
	if (!r &&
	    (v.mv_size < HEAD + SUM || (v.mv_size - HEAD - SUM) % 3 || memcmp(v.mv_data, &a.run, HEAD) != 0))
		r = MDB_NOTFOUND;
	if (!r) {
		layout_checksum(v.mv_data, v.mv_size - SUM, number, sum);
		r = memcmp(sum, (uint8_t *)v.mv_data + v.mv_size - SUM, SUM) ? MDB_NOTFOUND : 0;
	}
	cachedb_touched(&d->pages, 2);
	if (!r)
		r = unpack_layout((uint8_t *)v.mv_data + HEAD, (v.mv_size - HEAD - SUM) / 3, ret, err);
	else
		r = 0;
	dedup_guard_leave(&d->guard);
	return r;
}

void dedup_layout_free(struct dedup_layout *l)
{
	free(l->starts);
	*l = (struct dedup_layout){NULL, 0, 0};
}
