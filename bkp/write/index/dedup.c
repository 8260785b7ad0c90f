/* dedup: see dedup.h.  This file: opening, asking, and which archives count.
 *
 * `runs` holds, by an archive's number, the run that published it, for archives that are available; 0 for all
 * others.  dedup_check_available() fills it at the beginning of a run, dedup_refuse() and dedup_add() change it.  A
 * place counts only when its archive's run is in there and the record's checksum fits that run: so a place in an
 * archive whose number was given out twice is unknown.
 *
 * Readers use one read transaction (`reader`), which dedup_add() resets and renews.  Every call into LMDB but
 * closing stands between dedup_guard_enter() and dedup_guard_leave(): should it kill the process, the next one knows. */
#include "write/index/dedup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/text.h"
#include "write/index/dedup_private.h"
#include "write/index/dedup_record.h"

#define SCHEMA "bkp-dedup 4 "

bool dedup_is_damage(int r)
{
	return r == EINVAL || (r < 0 && r != MDB_NOTFOUND && r != MDB_MAP_FULL && r != MDB_READERS_FULL &&
				  r != MDB_TXN_FULL);
}

int dedup_failed(struct dedup *d, int r, struct err *err)
{
	err_set_kind(
	    err, ERR_CACHE, "E-DEDUP-01", text("the index of stored chunks failed: %s"), mdb_strerror(r));
	if (dedup_is_damage(r)) {
		d->damaged = true;
		return err_hint(
		    err, "%s", text("it is begun anew: run again; everything is stored once more"));
	}
	return err_hint(
	    err, "%s", text("it may be deleted at any time: remove 'cache/dedup' in the state folder"));
}

int dedup_mark_available(struct dedup *d, uint64_t number, uint64_t run, struct err *err)
{
	if (number >= d->n_runs) {
		size_t n = ((size_t)(number + number / 4) | 4095) + 1;
		uint64_t *more = reallocarray(d->runs, n, sizeof(*more));

		if (!more)
			return err_nomem(err);
		memset(more + d->n_runs, 0, (n - d->n_runs) * sizeof(*more));
		d->runs = more;
		d->n_runs = n;
	}
	d->runs[number] = run;
	return 0;
}

uint64_t dedup_run_of(const struct dedup *d, uint64_t number)
{
	return number < d->n_runs ? d->runs[number] : 0;
}

bool dedup_available(const struct dedup *d, uint64_t number, uint64_t run)
{
	return run && dedup_run_of(d, number) == run;
}

int dedup_copy_runs(const struct dedup *d, uint64_t **ret, size_t *ret_n, struct err *err)
{
	uint64_t *copy = calloc(d->n_runs + 1, sizeof(*copy));

	if (!copy)
		return err_nomem(err);
	if (d->n_runs)
		memcpy(copy, d->runs, d->n_runs * sizeof(*copy));
	*ret = copy;
	*ret_n = d->n_runs;
	return 0;
}

void dedup_refuse(struct dedup *d, uint64_t number)
{
	if (number < d->n_runs)
		d->runs[number] = 0;
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
	int r = cachedb_open(d->path, DEDUP_TABLES, 0, &d->env);

	if (r)
		return r;
	if ((r = mdb_txn_begin(d->env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", MDB_CREATE, &d->chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_CREATE | MDB_INTEGERKEY, &d->archives)) ||
	    (r = mdb_dbi_open(txn, "layouts", MDB_CREATE | MDB_INTEGERKEY, &d->layouts)) ||
	    (r = mdb_dbi_open(txn, "meta", MDB_CREATE, &d->meta)) ||
	    (r = check_schema(txn, d->meta, d->repository)) ||
	    (r = last_number(txn, d->archives, &d->last))) {
		mdb_txn_abort(txn);
		return r;
	}
	if ((r = mdb_txn_commit(txn)) || (r = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &d->reader)))
		return r;
	cachedb_pages_of(d->reader, d->meta, &d->pages);
	return 0;
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
/* Opens it; an empty one where it is damaged, foreign, or of another version: it is only a cache. */
static int open_or_begin(struct dedup *d, unsigned deaths)
{
	int r;

	/* until the walk has ended, an end of this process counts as one inside LMDB */
	dedup_guard_enter(&d->guard);
	if ((deaths || dedup_is_short(d->path)) &&
	    !dedup_guard_try(deaths > 1 ? dedup_walk_whole : dedup_walk_briefly, d->path))
		cachedb_remove(d->path);
	r = open_env(d);
	if (dedup_is_damage(r)) {
		close_env(d);
		cachedb_remove(d->path);
		r = open_env(d);
	}
	dedup_guard_leave(&d->guard);
	return r;
}

static int no_folder(int errnum, const char *path, struct err *err)
{
	err_sys(err, "E-DEDUP-01", errnum, text("cannot make folder '%s'"), path);
	return err_kind(err, ERR_CACHE);
}

static int not_opened(int errnum, const char *path, struct err *err)
{
	err_sys(err, "E-DEDUP-01", errnum, text("cannot open folder '%s'"), path);
	return err_kind(err, ERR_CACHE);
}

int dedup_open(const char *path, const char *repository, struct dedup **ret, struct err *err)
{
	struct dedup *d = calloc(1, sizeof(*d));
	unsigned deaths = 0;
	int r = 0;

	if (!d)
		return err_nomem(err);
	d->path = strdup(path);
	d->repository = strdup(repository);
	if (!d->path || !d->repository)
		r = err_nomem(err);
	else if (mkdir(path, 0700) && errno != EEXIST)
		r = no_folder(errno, path, err);
	else if ((r = dedup_guard_open(path, &d->guard, &deaths)))
		r = not_opened(r, path, err);
	else if ((r = open_or_begin(d, deaths)))
		r = dedup_failed(d, r, err);
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
	dedup_guard_close(&d->guard, !d->damaged);
	free(d->runs);
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
			have = a.run ? dedup_mark_available(d, a.number, a.run, err) : 0;
	}
	*ret_have = have;
	return r == MDB_NOTFOUND ? 0 : r;
}

/* Nothing it said has been used yet: a new, empty one takes its place. */
static int begin_anew(struct dedup *d)
{
	close_env(d);
	cachedb_remove(d->path);
	if (d->runs)
		memset(d->runs, 0, d->n_runs * sizeof(*d->runs));
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
	if (have >= 0 && dedup_is_damage(r))
		r = begin_anew(d);
	dedup_guard_leave(&d->guard);
	if (have < 0)
		return -1;
	return r ? dedup_failed(d, r, err) : 0;
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
		good = dedup_record_place(&k, &v, &pl) && dedup_run_of(d, pl.archive) &&
		       dedup_record_checked(&k, &v, d->runs[pl.archive]);
	cachedb_touched(&d->pages, 1);
	dedup_guard_leave(&d->guard);
	if (r && r != MDB_NOTFOUND && !dedup_is_damage(r))
		return dedup_failed(d, r, err);
	/* a record that does not fit, and a page that does not: unknown, and so stored again */
	if (dedup_is_damage(r))
		d->damaged = true;
	if (!good)
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
	return r ? dedup_failed(d, r, err) : 1;
}
