/* dedup: see dedup.h. */
#include "write/dedup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "base/err.h"
#include "base/text.h"

/* Address space, not memory: 100 M entries of 70 bytes need about 10 GiB. */
#define MAP_SIZE ((size_t)64 << 30)
#define SCHEMA	 "bkp-dedup 1 "

struct dedup {
	MDB_env *env;
	MDB_dbi chunks, archives, meta;
	MDB_txn *reader; /* a standing snapshot; renewed after each dedup_add() */
	uint64_t last;
	uint8_t *available; /* a bit per archive number */
	size_t available_bits;
};

/* On disk: little-endian, fixed.  24 bytes a place, 40 an archive. */
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

#define PLACE_BYTES   24
#define ARCHIVE_BYTES (8 + DIGEST_LEN)

static void pack_place(const struct dedup_place *pl, uint8_t out[PLACE_BYTES])
{
	put64(out, pl->archive);
	put64(out + 8, (uint64_t)pl->chunk | (uint64_t)pl->offset << 32);
	put64(out + 16, (uint64_t)pl->length | (uint64_t)pl->whole << 32);
}

static void unpack_place(const uint8_t in[PLACE_BYTES], struct dedup_place *ret)
{
	uint64_t a = get64(in + 8), b = get64(in + 16);

	ret->archive = get64(in);
	ret->chunk = (uint32_t)a;
	ret->offset = (uint32_t)(a >> 32);
	ret->length = (uint32_t)b;
	ret->whole = b >> 32 & 1;
}

static int failed(int r, struct err *err)
{
	err_set(err, "E-DEDUP-01", text("the index of stored chunks failed: %s"), mdb_strerror(r));
	return err_hint(err, "%s", text("it may be deleted at any time: remove 'cache/dedup' in the state folder"));
}

static int mark_available(struct dedup *d, uint64_t number, struct err *err)
{
	if (number >= d->available_bits) {
		size_t bits = (size_t)(number | 65535) + 1;
		uint8_t *more = realloc(d->available, bits / 8);

		if (!more)
			return err_nomem(err);
		memset(more + d->available_bits / 8, 0, (bits - d->available_bits) / 8);
		d->available = more;
		d->available_bits = bits;
	}
	d->available[number / 8] |= (uint8_t)(1u << (number % 8));
	return 0;
}

static bool is_available(const struct dedup *d, uint64_t number)
{
	return number < d->available_bits && (d->available[number / 8] >> (number % 8) & 1);
}

static int check_schema(MDB_txn *txn, MDB_dbi meta, const char *repository)
{
	char want[128];
	MDB_val k = {6, (void *)(uintptr_t)"schema"}, v;
	int r = mdb_get(txn, meta, &k, &v);

	snprintf(want, sizeof(want), SCHEMA "%s", repository);
	if (r == MDB_NOTFOUND) {
		v.mv_size = strlen(want);
		v.mv_data = want;
		return mdb_put(txn, meta, &k, &v, 0);
	}
	if (!r && (v.mv_size != strlen(want) || memcmp(v.mv_data, want, v.mv_size) != 0))
		return MDB_VERSION_MISMATCH;
	return r;
}

static int last_number(MDB_txn *txn, MDB_dbi archives, uint64_t *ret)
{
	MDB_cursor *c;
	MDB_val k, v;
	int r = mdb_cursor_open(txn, archives, &c);

	if (r)
		return r;
	r = mdb_cursor_get(c, &k, &v, MDB_LAST);
	if (!r && k.mv_size == sizeof(uint64_t))
		memcpy(ret, k.mv_data, sizeof(*ret));
	mdb_cursor_close(c);
	return r == MDB_NOTFOUND ? 0 : r;
}

static int open_env(const char *path, const char *repository, struct dedup *d)
{
	MDB_txn *txn;
	int r = mdb_env_create(&d->env);

	if (r)
		return r;
	if ((r = mdb_env_set_mapsize(d->env, MAP_SIZE)) || (r = mdb_env_set_maxdbs(d->env, 4)) ||
	    (r = mdb_env_open(d->env, path, MDB_NOTLS | MDB_NORDAHEAD, 0600)) ||
	    (r = mdb_txn_begin(d->env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", MDB_CREATE, &d->chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_CREATE | MDB_INTEGERKEY, &d->archives)) ||
	    (r = mdb_dbi_open(txn, "meta", MDB_CREATE, &d->meta)) || (r = check_schema(txn, d->meta, repository)) ||
	    (r = last_number(txn, d->archives, &d->last))) {
		mdb_txn_abort(txn);
		return r;
	}
	if ((r = mdb_txn_commit(txn)))
		return r;
	return mdb_txn_begin(d->env, NULL, MDB_RDONLY, &d->reader);
}

static void close_env(struct dedup *d)
{
	if (d->reader)
		mdb_txn_abort(d->reader);
	if (d->env)
		mdb_env_close(d->env);
	d->reader = NULL;
	d->env = NULL;
	d->last = 0;
}

static void remove_files(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return;
	unlinkat(dir, "data.mdb", 0);
	unlinkat(dir, "lock.mdb", 0);
	close(dir);
}

int dedup_open(const char *path, const char *repository, struct dedup **ret, struct err *err)
{
	struct dedup *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_nomem(err);
	if (mkdir(path, 0700) && errno != EEXIST) {
		free(d);
		return err_sys(err, "E-DEDUP-01", errno, text("cannot make folder '%s'"), path);
	}
	r = open_env(path, repository, d);
	if (r) {
		/* damaged, foreign, or of another version: it is only a cache */
		close_env(d);
		remove_files(path);
		r = open_env(path, repository, d);
	}
	if (r) {
		dedup_close(d);
		return failed(r, err);
	}
	*ret = d;
	return 0;
}

void dedup_close(struct dedup *d)
{
	if (!d)
		return;
	close_env(d);
	free(d->available);
	free(d);
}

uint64_t dedup_last_archive(const struct dedup *d)
{
	return d->last;
}

static int unpack_archive(uint64_t number, const MDB_val *v, struct dedup_archive *ret)
{
	if (v->mv_size != ARCHIVE_BYTES)
		return MDB_CORRUPTED;
	ret->number = number;
	ret->size = get64(v->mv_data);
	memcpy(ret->sha256, (const uint8_t *)v->mv_data + 8, DIGEST_LEN);
	return 0;
}

int dedup_check_available(struct dedup *d, dedup_available_fn *available, void *arg, struct err *err)
{
	MDB_cursor *c;
	MDB_val k, v;
	int r = mdb_cursor_open(d->reader, d->archives, &c), have = 0;

	if (r)
		return failed(r, err);
	while (have >= 0 && !(r = mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		struct dedup_archive a;
		uint64_t number = 0;

		if (k.mv_size == sizeof(number))
			memcpy(&number, k.mv_data, sizeof(number));
		if ((r = unpack_archive(number, &v, &a)))
			break;
		have = available(arg, &a, err);
		if (have == 1)
			have = mark_available(d, number, err);
	}
	mdb_cursor_close(c);
	if (have < 0)
		return -1;
	return r == MDB_NOTFOUND ? 0 : failed(r, err);
}

int dedup_lookup(struct dedup *d, const uint8_t id[DIGEST_LEN], struct dedup_place *ret, struct err *err)
{
	MDB_val k = {DEDUP_ID, (void *)(uintptr_t)id}, v;
	struct dedup_place pl;
	int r = mdb_get(d->reader, d->chunks, &k, &v);

	if (r == MDB_NOTFOUND)
		return 0;
	if (r || v.mv_size != PLACE_BYTES)
		return failed(r ? r : MDB_CORRUPTED, err);
	unpack_place(v.mv_data, &pl);
	if (!is_available(d, pl.archive))
		return 0;
	*ret = pl;
	return 1;
}

int dedup_archive(struct dedup *d, uint64_t number, struct dedup_archive *ret, struct err *err)
{
	MDB_val k = {sizeof(number), &number}, v;
	int r = mdb_get(d->reader, d->archives, &k, &v);

	if (r == MDB_NOTFOUND)
		return 0;
	if (!r)
		r = unpack_archive(number, &v, ret);
	return r ? failed(r, err) : 1;
}

static int put_all(struct dedup *d, MDB_txn *txn, const struct dedup_archive *a, const struct dedup_entry *e, size_t n)
{
	uint8_t bytes[ARCHIVE_BYTES], place[PLACE_BYTES];
	uint64_t number = a->number;
	MDB_val k = {sizeof(number), &number}, v = {ARCHIVE_BYTES, bytes};
	size_t i;
	int r;

	put64(bytes, a->size);
	memcpy(bytes + 8, a->sha256, DIGEST_LEN);
	r = mdb_put(txn, d->archives, &k, &v, 0);
	for (i = 0; i < n && !r; i++) {
		k = (MDB_val){DEDUP_ID, (void *)(uintptr_t)e[i].id};
		v = (MDB_val){PLACE_BYTES, place};
		pack_place(&e[i].place, place);
		/* the newest place wins: an older archive may be unavailable or about to expire */
		r = mdb_put(txn, d->chunks, &k, &v, 0);
	}
	return r;
}

int dedup_add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(d->env, NULL, 0, &txn);

	if (r)
		return failed(r, err);
	r = put_all(d, txn, a, entries, n);
	if (r) {
		mdb_txn_abort(txn);
		return failed(r, err);
	}
	if ((r = mdb_txn_commit(txn)))
		return failed(r, err);
	mdb_txn_reset(d->reader);
	if ((r = mdb_txn_renew(d->reader)))
		return failed(r, err);
	if (a->number > d->last)
		d->last = a->number;
	return mark_available(d, a->number, err);
}
