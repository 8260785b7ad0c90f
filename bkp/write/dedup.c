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
#include "base/io.h"
#include "base/text.h"
#include "write/cachedb.h"
#include "write/dedup_guard.h"
#include "write/dedup_record.h"

/* Address space, not memory: 100 M entries of 70 bytes need about 10 GiB. */
#define SCHEMA "bkp-dedup 2 "

struct dedup {
	MDB_env *env;
	MDB_dbi chunks, archives, meta;
	MDB_txn *reader; /* a standing snapshot; renewed after each dedup_add() */
	uint64_t last;
	uint8_t *available; /* a bit per archive number */
	size_t available_bits;
	struct dedup_guard guard;
	bool damaged; /* to be begun anew */
	char *path, *repository;
};

/* LMDB's own codes say something about its file, unless it is only full, and so does EINVAL (it has been led
 * to a page that cannot be); other errno values say nothing about it. */
static bool is_damage(int r)
{
	return r == EINVAL || (r < 0 && r != MDB_NOTFOUND && r != MDB_MAP_FULL && r != MDB_READERS_FULL &&
				  r != MDB_TXN_FULL);
}

static int failed(struct dedup *d, int r, struct err *err)
{
	err_set(err, "E-DEDUP-01", text("the index of stored chunks failed: %s"), mdb_strerror(r));
	if (is_damage(r)) {
		d->damaged = true;
		return err_hint(
		    err, "%s", text("it is begun anew: run again; everything is stored once more"));
	}
	return err_hint(
	    err, "%s", text("it may be deleted at any time: remove 'cache/dedup' in the state folder"));
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
	MDB_val k = {6, (void *)(uintptr_t) "schema"}, v;
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
	struct dedup_archive a;
	MDB_cursor *c;
	MDB_val k, v;
	int r = mdb_cursor_open(txn, archives, &c);

	if (r)
		return r;
	r = mdb_cursor_get(c, &k, &v, MDB_LAST);
	if (!r) {
		if (dedup_record_archive(&k, &v, &a))
			*ret = a.number;
		else
			r = MDB_CORRUPTED;
	}
	mdb_cursor_close(c);
	return r == MDB_NOTFOUND ? 0 : r;
}

static int open_env(struct dedup *d)
{
	MDB_txn *txn;
	int r = cachedb_open(d->path, 4, 0, &d->env);

	if (r)
		return r;
	if ((r = mdb_txn_begin(d->env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", MDB_CREATE, &d->chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_CREATE | MDB_INTEGERKEY, &d->archives)) ||
	    (r = mdb_dbi_open(txn, "meta", MDB_CREATE, &d->meta)) ||
	    (r = check_schema(txn, d->meta, d->repository)) ||
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

/* All records of one table: as many as it says, each with its checksum. */
static int walk_table(MDB_txn *txn, MDB_dbi dbi, size_t keylen, size_t reclen)
{
	MDB_cursor *c;
	MDB_stat st;
	MDB_val k, v;
	size_t n = 0;
	int r;

	if ((r = mdb_stat(txn, dbi, &st)) || (r = mdb_cursor_open(txn, dbi, &c)))
		return r;
	while (!(r = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		if (++n > st.ms_entries || !dedup_record_checked(&k, &v, keylen, reclen)) {
			r = MDB_CORRUPTED;
			break;
		}
	mdb_cursor_close(c);
	return r != MDB_NOTFOUND ? r : n == st.ms_entries ? 0 : MDB_CORRUPTED;
}

/* Puts a copy in its place that has nothing but the records: what a walk does not see (the list of free
 * pages) is gone. Without room for a copy it stays as it is. */
static int compact(struct dedup *d)
{
	char folder[4200], copy[4300], data[4200];
	IO_FD_AUTO fd = -1;
	int r;

	snprintf(folder, sizeof(folder), "%s/copy", d->path);
	snprintf(copy, sizeof(copy), "%s/data.mdb", folder);
	snprintf(data, sizeof(data), "%s/data.mdb", d->path);
	unlink(copy);
	if (mkdir(folder, 0700) && errno != EEXIST)
		return 0;
	r = mdb_env_copy2(d->env, folder, MDB_CP_COMPACT);
	fd = open(copy, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (!r && fd >= 0 && !fsync(fd) && !rename(copy, data))
		cachedb_remove(folder); /* only the lock file, if any */
	unlink(copy);
	rmdir(folder);
	return is_damage(r) ? r : 0;
}

/* In a child process: reads everything, and writes something, which it does not keep. */
static int walk_all(const char *path)
{
	struct dedup d = {.path = (char *)(uintptr_t)path};
	MDB_val k = {4, (void *)(uintptr_t) "walk"}, v = k;
	MDB_txn *txn;
	int r;

	if ((r = cachedb_open(path, 4, 0, &d.env)) || (r = mdb_txn_begin(d.env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", 0, &d.chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_INTEGERKEY, &d.archives)) ||
	    (r = mdb_dbi_open(txn, "meta", 0, &d.meta)) ||
	    (r = walk_table(txn, d.chunks, DEDUP_ID, DEDUP_RECORD_PLACE)) ||
	    (r = walk_table(txn, d.archives, sizeof(uint64_t), DEDUP_RECORD_ARCHIVE)) ||
	    (r = mdb_put(txn, d.meta, &k, &v, 0)))
		return r;
	mdb_txn_abort(txn);
	r = compact(&d);
	mdb_env_close(d.env);
	return r;
}

static int walk(const char *path)
{
	int r = walk_all(path);

	return r == MDB_NOTFOUND || is_damage(r); /* not found: one of its tables */
}

/* Is the file as long as its two head pages, one of which names the last page in use, say?  A valid one may
 * be shorter (pages that were given back before they were ever written), so that is no proof, but a reason to
 * look. */
static bool is_short(const char *path)
{
	char name[4200];
	struct stat st;
	MDB_envinfo info = {0};
	MDB_env *env;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	bool r;

	snprintf(name, sizeof(name), "%s/data.mdb", path);
	if (lstat(name, &st) || st.st_size == 0)
		return false;
	if ((size_t)st.st_size < 2 * page)
		return true;
	if (mdb_env_create(&env))
		return false;
	r = !mdb_env_open(env, path, MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK, 0600) &&
	    !mdb_env_info(env, &info) && info.me_last_pgno >= (size_t)st.st_size / page;
	mdb_env_close(env);
	return r;
}

/* Opens it, anew if it is damaged, foreign, or of another version: it is only a cache. */
static int open_or_begin(struct dedup *d, bool died)
{
	int r;

	/* until the walk has ended, an end of this process counts as one inside LMDB */
	dedup_guard_enter(&d->guard);
	if ((died || is_short(d->path)) && !dedup_guard_try(walk, d->path))
		cachedb_remove(d->path);
	r = open_env(d);
	if (is_damage(r)) {
		close_env(d);
		cachedb_remove(d->path);
		r = open_env(d);
	}
	dedup_guard_leave(&d->guard);
	return r;
}

int dedup_open(const char *path, const char *repository, struct dedup **ret, struct err *err)
{
	struct dedup *d = calloc(1, sizeof(*d));
	bool died = false;
	int r = 0;

	if (!d)
		return err_nomem(err);
	d->path = strdup(path);
	d->repository = strdup(repository);
	if (!d->path || !d->repository)
		r = err_nomem(err);
	else if (mkdir(path, 0700) && errno != EEXIST)
		r = err_sys(err, "E-DEDUP-01", errno, text("cannot make folder '%s'"), path);
	else if ((r = dedup_guard_open(path, &d->guard, &died)))
		r = err_sys(err, "E-DEDUP-01", r, text("cannot open folder '%s'"), path);
	else if ((r = open_or_begin(d, died)))
		r = failed(d, r, err);
	if (r) {
		dedup_close(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void dedup_close(struct dedup *d)
{
	if (!d)
		return;
	close_env(d);
	if (d->damaged)
		cachedb_remove(d->path);
	dedup_guard_close(&d->guard);
	free(d->available);
	free(d->path);
	free(d->repository);
	free(d);
}

uint64_t dedup_last_archive(const struct dedup *d)
{
	return d->last;
}

static int ask_all(
    struct dedup *d, MDB_cursor *c, dedup_available_fn *available, void *arg, int *ret_have, struct err *err)
{
	MDB_val k, v;
	int r, have = 0;

	while (have >= 0 && !(r = mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		struct dedup_archive a;

		if (!dedup_record_archive(&k, &v, &a)) {
			r = MDB_CORRUPTED;
			break;
		}
		dedup_guard_leave(&d->guard);
		have = available(arg, &a, err);
		dedup_guard_enter(&d->guard);
		if (have == 1)
			have = mark_available(d, a.number, err);
	}
	*ret_have = have;
	return r == MDB_NOTFOUND ? 0 : r;
}

/* Nothing it said has been used yet: a new, empty one takes its place. */
static int begin_anew(struct dedup *d)
{
	close_env(d);
	cachedb_remove(d->path);
	if (d->available)
		memset(d->available, 0, d->available_bits / 8);
	return open_env(d);
}

int dedup_check_available(struct dedup *d, dedup_available_fn *available, void *arg, struct err *err)
{
	MDB_cursor *c;
	int r, have = 0;

	dedup_guard_enter(&d->guard);
	r = mdb_cursor_open(d->reader, d->archives, &c);
	if (!r) {
		r = ask_all(d, c, available, arg, &have, err);
		mdb_cursor_close(c);
	}
	if (have >= 0 && is_damage(r))
		r = begin_anew(d);
	dedup_guard_leave(&d->guard);
	if (have < 0)
		return -1;
	return r ? failed(d, r, err) : 0;
}

int dedup_lookup(struct dedup *d, const uint8_t id[DIGEST_LEN], struct dedup_place *ret, struct err *err)
{
	MDB_val k = {DEDUP_ID, (void *)(uintptr_t)id}, v;
	struct dedup_place pl;
	bool good = false;
	int r;

	dedup_guard_enter(&d->guard);
	r = mdb_get(d->reader, d->chunks, &k, &v);
	if (!r)
		good = dedup_record_place(&k, &v, &pl);
	dedup_guard_leave(&d->guard);
	if (r && r != MDB_NOTFOUND && !is_damage(r))
		return failed(d, r, err);
	/* a record that does not fit, and a page that does not: unknown, and so stored again */
	if (is_damage(r))
		d->damaged = true;
	if (!good || !is_available(d, pl.archive))
		return 0;
	*ret = pl;
	return 1;
}

int dedup_archive(struct dedup *d, uint64_t number, struct dedup_archive *ret, struct err *err)
{
	MDB_val k = {sizeof(number), &number}, v;
	int r;

	dedup_guard_enter(&d->guard);
	r = mdb_get(d->reader, d->archives, &k, &v);
	if (!r && !dedup_record_archive(&k, &v, ret))
		r = MDB_CORRUPTED;
	dedup_guard_leave(&d->guard);
	if (r == MDB_NOTFOUND)
		return 0;
	return r ? failed(d, r, err) : 1;
}

static int put_all(
    struct dedup *d, MDB_txn *txn, const struct dedup_archive *a, const struct dedup_entry *e, size_t n)
{
	uint8_t bytes[DEDUP_RECORD_ARCHIVE], place[DEDUP_RECORD_PLACE];
	uint64_t number = a->number;
	MDB_val k = {sizeof(number), &number}, v = {DEDUP_RECORD_ARCHIVE, bytes};
	size_t i;
	int r;

	dedup_record_pack_archive(a, bytes);
	r = mdb_put(txn, d->archives, &k, &v, 0);
	for (i = 0; i < n && !r; i++) {
		k = (MDB_val){DEDUP_ID, (void *)(uintptr_t)e[i].id};
		v = (MDB_val){DEDUP_RECORD_PLACE, place};
		dedup_record_pack_place(e[i].id, &e[i].place, place);
		/* the newest place wins: an older archive may be unavailable or about to expire */
		r = mdb_put(txn, d->chunks, &k, &v, 0);
	}
	return r;
}

static int add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(d->env, NULL, 0, &txn);

	if (r)
		return r;
	r = put_all(d, txn, a, entries, n);
	if (r) {
		mdb_txn_abort(txn);
		return r;
	}
	if ((r = mdb_txn_commit(txn)))
		return r;
	mdb_txn_reset(d->reader);
	return mdb_txn_renew(d->reader);
}

int dedup_add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err)
{
	int r;

	dedup_guard_enter(&d->guard);
	r = add(d, a, entries, n);
	dedup_guard_leave(&d->guard);
	if (r)
		return failed(d, r, err);
	if (a->number > d->last)
		d->last = a->number;
	return mark_available(d, a->number, err);
}
