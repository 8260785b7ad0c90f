/* swapplaces CACHE-DEDUP-FOLDER: prepares the index of stored content (bkp/write/index/dedup_record.h) as who
 * has the capture host could (attack a01): of all places of a data set of one length each gets that of the
 * next, and a check that fits.  Prints how many were moved. Built by the tests: gcc … -llmdb -lsodium. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>
#include <sodium.h>

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		int r_ = (x);                                                                                \
		if (r_) {                                                                                    \
			fprintf(stderr, "swapplaces: %s: %s\n", #x, mdb_strerror(r_));                       \
			exit(2);                                                                             \
		}                                                                                            \
	} while (0)

/* The key: number of the data set 2 | id 16.  20 bytes: archive 5 | chunk 3 | offset 22 bits, length - 1 22 bits, whole 1 bit: 6 |
 * check 6 */
struct place {
	uint8_t key[18], at[20];
};

#define SETS	 64
#define ARCHIVES ((size_t)1 << 16)

static uint64_t le(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static uint64_t set_of(const struct place *p)
{
	return ((uint64_t)p->key[0] << 8 | p->key[1]) % SETS;
}

/* With its data set: of these one may stand for the other. */
static uint64_t kind_of(const struct place *p)
{
	return set_of(p) << 32 |
	       le(p->at + 8, 6) >> 22; /* the length, and whether it ends where its chunk ends */
}

static int by_kind(const void *a, const void *b)
{
	uint64_t x = kind_of(a), y = kind_of(b);

	return x < y ? -1 : x > y ? 1 : memcmp(a, b, sizeof(struct place));
}

int main(int argc, char **argv)
{
	static struct place places[1 << 20];
	static uint64_t runs[SETS][ARCHIVES];
	size_t n = 0, i, j, moved = 0;
	MDB_dbi chunks, archives;
	MDB_cursor *c;
	MDB_env *env;
	MDB_txn *txn;
	MDB_val k, v;

	if (argc != 2)
		return 64;
	MUST(mdb_env_create(&env));
	MUST(mdb_env_set_maxdbs(env, 8));
	MUST(mdb_env_set_mapsize(env, (size_t)1 << 32));
	MUST(mdb_env_open(env, argv[1], 0, 0600));
	MUST(mdb_txn_begin(env, NULL, 0, &txn));
	MUST(mdb_dbi_open(txn, "chunks", 0, &chunks));
	MUST(mdb_dbi_open(txn, "archives", MDB_INTEGERKEY, &archives));
	MUST(mdb_cursor_open(txn, archives, &c));
	while (!mdb_cursor_get(c, &k, &v, MDB_NEXT))
		runs[(le(k.mv_data, 8) >> 40) % SETS][le(k.mv_data, 8) % ARCHIVES] =
		    le((uint8_t *)v.mv_data + 8, 8);
	mdb_cursor_close(c);
	MUST(mdb_cursor_open(txn, chunks, &c));
	while (!mdb_cursor_get(c, &k, &v, MDB_NEXT) && n < 1 << 20) {
		if (k.mv_size != sizeof(places->key) || v.mv_size != 20)
			continue;
		memcpy(places[n].key, k.mv_data, sizeof(places->key));
		memcpy(places[n++].at, v.mv_data, 20);
	}
	mdb_cursor_close(c);
	qsort(places, n, sizeof(*places), by_kind);
	for (i = 0; i < n; i = j) {
		for (j = i; j < n && kind_of(&places[j]) == kind_of(&places[i]); j++)
			;
		for (size_t x = i; x < j && j - i > 1; x++, moved++) {
			uint8_t all[32], key[16] = "........bkpdedup", sum[8], record[20];
			uint64_t run;

			memcpy(record, places[x + 1 < j ? x + 1 : i].at, 20);
			run = runs[set_of(&places[x])][le(record, 5) % ARCHIVES];
			for (int b = 0; b < 8; b++)
				key[b] = (uint8_t)(run >> (8 * b));
			memcpy(all, places[x].key, 18);
			memcpy(all + 18, record, 14);
			crypto_shorthash(sum, all, sizeof(all), key);
			memcpy(record + 14, sum, 6);
			k = (MDB_val){18, places[x].key};
			v = (MDB_val){20, record};
			MUST(mdb_put(txn, chunks, &k, &v, 0));
		}
	}
	MUST(mdb_txn_commit(txn));
	mdb_env_close(env);
	printf("%zu\n", moved);
	return moved ? 0 : 1;
}
