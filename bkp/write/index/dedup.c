/* dedup: see dedup.h.  This file: opening, asking, and which archives count.
 *
 * `runs` holds, by an archive's number, the run that published it, for archives that are available; 0 for all
 * others.  dedup_check_available() fills it at the beginning of a run, dedup_refuse() and dedup_add() change it.  A
 * place counts only when its archive's run is in there and the record's checksum fits that run: so a place in an
 * archive whose number was given out twice is unknown.
 *
 * Readers use one read transaction (`reader`); while small archives are being added, the transaction that adds them (`writer`).  All
 * data sets share the tables: the number of the one in use stands in front of every key.  Every call into LMDB but
 * closing stands between dedup_guard_enter() and dedup_guard_leave(): should it kill the process, the next one knows. */
#include "write/index/dedup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/err.h"
#include "base/clock.h"
#include "base/text.h"
#include "write/index/dedup_private.h"
#include "write/index/dedup_record.h"

#define SCHEMA	      "bkp-dedup 5 "
#define SMALL_ARCHIVE ((uint64_t)1 << 20) /* several of these share a flush of the disk */

/* ---- keys ---- */

static uint64_t archive_key(const struct dedup *d, uint64_t number)
{
	return d->set << DEDUP_RECORD_SET_SHIFT | number;
}

static uint8_t *place_key(const struct dedup *d, const uint8_t *id, uint8_t out[DEDUP_RECORD_KEY])
{
	out[0] = (uint8_t)(d->set >> 8);
	out[1] = (uint8_t)d->set;
	memcpy(out + 2, id, DEDUP_ID);
	return out;
}

/* What is asked: what was added and not committed yet is seen by the transaction that adds alone. */
static MDB_txn *current_txn(const struct dedup *d)
{
	return d->writer ? d->writer : d->reader;
}

/* ---- adding within bounds ---- */

/* the archive and its entries into the index; see dedup.h.
 *
 * Entries in the order of their ids, in parts; the archive's own record and its layout come with the last part.
 * That transaction is the commit: entries without an archive's record are not believed.  Parts bound the pages that
 * LMDB holds in memory. */

/* Ids are spread evenly, so in a large tree each entry dirties a page of its own, which LMDB holds in memory
 * until the transaction ends.  In a tree of SMALL_TREE pages no transaction can dirty more than these. */
#define SMALL_TREE 8192
#define PART	   4096

/* ---- the layout of an archive ---- */

/* how long each chunk of an archive is; see dedup.h.  With it a reference becomes a range of
 * the archive's content, and ranges can be united.
 *
 * A record: run 8 | length of each chunk 3 … | checksum 8; the key is the archive's number. */

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
static int dedup_put_layout(struct dedup *d, MDB_txn *txn, const struct dedup_archive *a,
    const struct dedup_entry *const *entries, size_t n)
{
	size_t chunks = count_chunks(entries, n), length = HEAD + 3 * chunks;
	uint8_t *bytes = calloc(1, length + SUM);
	uint64_t key = archive_key(d, a->number);
	MDB_val k = {sizeof(key), &key}, v = {length + SUM, bytes};
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
	layout_checksum(bytes, length, key, bytes + length);
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
	uint64_t key = archive_key(d, number);
	MDB_val k = {sizeof(key), &key}, v;
	uint8_t sum[SUM];
	int r = dedup_archive(d, number, &a, NULL);

	if (r != 1)
		return 0;
	dedup_guard_enter(&d->guard);
	r = mdb_get(current_txn(d), d->layouts, &k, &v);
	if (!r &&
	    (v.mv_size < HEAD + SUM || (v.mv_size - HEAD - SUM) % 3 || memcmp(v.mv_data, &a.run, HEAD) != 0))
		r = MDB_NOTFOUND;
	if (!r) {
		layout_checksum(v.mv_data, v.mv_size - SUM, key, sum);
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

/* ---- the rest ---- */

static int by_id(const void *a, const void *b)
{
	return memcmp((*(const struct dedup_entry *const *)a)->id,
	    (*(const struct dedup_entry *const *)b)->id, DEDUP_ID);
}

static int put_archive(struct dedup *d, MDB_txn *txn, const struct dedup_archive *a)
{
	uint8_t bytes[DEDUP_RECORD_ARCHIVE];
	uint64_t key = archive_key(d, a->number);
	MDB_val k = {sizeof(key), &key}, v = {DEDUP_RECORD_ARCHIVE, bytes};

	dedup_record_pack_archive(a, key, bytes);
	return mdb_put(txn, d->archives, &k, &v, 0);
}

struct added {
	const struct dedup_archive *archive;
	const struct dedup_entry *const *sorted;
	size_t n;
	unsigned flags; /* MDB_NOOVERWRITE: what is known counts */
};

static int put_entries(struct dedup *d, MDB_txn *txn, const struct added *all, size_t from, size_t n)
{
	uint8_t place[DEDUP_RECORD_PLACE], key[DEDUP_RECORD_KEY];
	int r = 0;

	for (size_t i = from; i < from + n && !r; i++) {
		const struct dedup_entry *e = all->sorted[i];
		MDB_val k = {sizeof(key), place_key(d, e->id, key)}, v = {DEDUP_RECORD_PLACE, place};

		/* the newest place wins: an older archive may be unavailable or about to expire */
		if (dedup_record_pack_place(key, &e->place, all->archive->run, place))
			r = mdb_put(txn, d->chunks, &k, &v, all->flags);
		if (r == MDB_KEYEXIST)
			r = 0;
		cachedb_touched(&d->pages, 1);
	}
	return r;
}

/* ---- transactions ---- */

static int begin_writing(struct dedup *d)
{
	if (d->writer)
		return 0;
	mdb_txn_reset(d->reader); /* it would keep the pages that are replaced from being used again */
	d->added = 0;
	d->since_ns = clock_read(CLOCK_MONOTONIC);
	return mdb_txn_begin(d->env, NULL, 0, &d->writer);
}

static int end_writing(struct dedup *d)
{
	MDB_txn *txn = d->writer;
	int renewed, r;

	if (!txn)
		return 0;
	d->writer = NULL;
	r = mdb_txn_commit(txn);
	renewed = mdb_txn_renew(d->reader);
	return r ? r : renewed;
}

int dedup_flush(struct dedup *d, struct err *err)
{
	int r;

	dedup_guard_enter(&d->guard);
	r = end_writing(d);
	dedup_guard_leave(&d->guard);
	return r ? dedup_failed(d, r, err) : 0;
}

static int add_all(struct dedup *d, const struct added *all)
{
	MDB_stat st;
	size_t part, from = 0, n;
	int r = begin_writing(d);

	if (r || (r = mdb_stat(d->writer, d->chunks, &st)))
		return r;
	part = st.ms_leaf_pages < SMALL_TREE ? all->n : PART;
	for (; all->n - from > part && !r; from += part) {
		r = put_entries(d, d->writer, all, from, part);
		if (!r && !(r = end_writing(d)))
			r = begin_writing(d);
	}
	n = all->n - from;
	if (r || (r = put_entries(d, d->writer, all, from, n)) ||
	    (r = put_archive(d, d->writer, all->archive)) ||
	    (r = dedup_put_layout(d, d->writer, all->archive, all->sorted, all->n)))
		return r;
	d->added += n;
	if (all->archive->size < SMALL_ARCHIVE && d->added < PART &&
	    clock_read(CLOCK_MONOTONIC) - d->since_ns < SECOND_NS)
		return 0;
	return end_writing(d);
}

static int add_archive(struct dedup *d, struct added *all, const struct dedup_entry *entries, struct err *err)
{
	const struct dedup_entry **sorted = calloc(all->n + 1, sizeof(*sorted));
	int r;

	if (!sorted)
		return err_nomem(err);
	for (size_t i = 0; i < all->n; i++)
		sorted[i] = &entries[i];
	qsort(sorted, all->n, sizeof(*sorted), by_id);
	all->sorted = sorted;
	dedup_guard_enter(&d->guard);
	r = add_all(d, all);
	dedup_guard_leave(&d->guard);
	free(sorted);
	if (r)
		return dedup_failed(d, r, err);
	if (all->archive->number > d->last)
		d->last = all->archive->number;
	return 0;
}

int dedup_add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err)
{
	struct added all = {.archive = a, .n = n};

	return add_archive(d, &all, entries, err) ? -1 : dedup_mark_available(d, a->number, a->run, err);
}

int dedup_fill(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err)
{
	struct added all = {.archive = a, .n = n, .flags = MDB_NOOVERWRITE};

	return add_archive(d, &all, entries, err);
}

/* Which data set was filled from where: a key of `meta`. */
static MDB_val filled_key(const struct dedup *d, const char *from, char out[128])
{
	snprintf(out, 128, "filled %ju %s", (uintmax_t)d->set, from);
	return (MDB_val){strlen(out), out};
}

bool dedup_is_filled(struct dedup *d, const char *from)
{
	char name[128];
	MDB_val k = filled_key(d, from, name), v;
	int r;

	dedup_guard_enter(&d->guard);
	r = mdb_get(current_txn(d), d->meta, &k, &v);
	dedup_guard_leave(&d->guard);
	return !r;
}

int dedup_set_filled(struct dedup *d, const char *from, struct err *err)
{
	char name[128];
	MDB_val k = filled_key(d, from, name), v = {1, name};
	int r;

	dedup_guard_enter(&d->guard);
	r = begin_writing(d);
	if (!r)
		r = mdb_put(d->writer, d->meta, &k, &v, 0);
	dedup_guard_leave(&d->guard);
	return r ? dedup_failed(d, r, err) : 0;
}

/* ---- the rest ---- */

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

static int check_schema(struct dedup *d, MDB_txn *txn)
{
	char want[128];
	MDB_val k = {6, (void *)(uintptr_t) "schema"}, v;
	int r = mdb_get(txn, d->meta, &k, &v);

	snprintf(want, sizeof(want), SCHEMA "%s", d->repository);
	if (r == MDB_NOTFOUND) {
		v.mv_size = strlen(want);
		v.mv_data = want;
		return mdb_put(txn, d->meta, &k, &v, 0);
	}
	if (!r && (v.mv_size != strlen(want) || memcmp(v.mv_data, want, v.mv_size) != 0))
		return MDB_VERSION_MISMATCH;
	return r;
}

/* Is it an archive of the data set in use? */
static bool of_set(const struct dedup *d, const MDB_val *key)
{
	uint64_t whole;

	memcpy(&whole, key->mv_data, sizeof(whole));
	return whole >> DEDUP_RECORD_SET_SHIFT == d->set;
}

/* The highest number of an archive of the data set in use. */
static int last_number(struct dedup *d)
{
	uint64_t after = archive_key(d, 0) + ((uint64_t)1 << DEDUP_RECORD_SET_SHIFT);
	struct dedup_archive a;
	MDB_cursor *c;
	MDB_val k = {sizeof(after), &after}, v;
	int r = mdb_cursor_open(current_txn(d), d->archives, &c);

	d->last = 0;
	if (r)
		return r;
	r = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	r = mdb_cursor_get(c, &k, &v, r ? MDB_LAST : MDB_PREV);
	if (!r && k.mv_size == sizeof(after) && of_set(d, &k)) {
		if (dedup_record_archive(&k, &v, &a))
			d->last = a.number;
		else
			r = MDB_CORRUPTED;
	}
	mdb_cursor_close(c);
	return r == MDB_NOTFOUND ? 0 : r;
}

static int open_env(struct dedup *d)
{
	MDB_txn *txn;
	/* what is lost in a power cut is stored again; what must be is that the file stays whole */
	int r = cachedb_open(d->path, DEDUP_TABLES, MDB_NOMETASYNC, &d->env);

	if (r)
		return r;
	if ((r = mdb_txn_begin(d->env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", MDB_CREATE, &d->chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_CREATE | MDB_INTEGERKEY, &d->archives)) ||
	    (r = mdb_dbi_open(txn, "layouts", MDB_CREATE | MDB_INTEGERKEY, &d->layouts)) ||
	    (r = mdb_dbi_open(txn, "meta", MDB_CREATE, &d->meta)) ||
	    (r = mdb_dbi_open(txn, "sets", MDB_CREATE, &d->sets)) || (r = check_schema(d, txn))) {
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
	if (d->writer)
		mdb_txn_abort(d->writer);
	d->writer = NULL;
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
	    !dedup_guard_try(deaths ? dedup_walk_whole : dedup_walk_briefly, d->path))
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
	if (d->env && !d->damaged)
		(void)!dedup_flush(d, NULL);
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
	uint64_t first = archive_key(d, 0);
	MDB_val k = {sizeof(first), &first}, v;
	MDB_cursor_op op = MDB_SET_RANGE;
	int r, have = 0;

	for (; have >= 0 && !(r = mdb_cursor_get(c, &k, &v, op)); op = MDB_NEXT) {
		struct dedup_archive a;

		if (k.mv_size == sizeof(first) && !of_set(d, &k))
			break;
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

/* Its number, given now where it has none. */
static int number_of_set(struct dedup *d, const char *name)
{
	uint16_t number;
	MDB_val k = {strlen(name), (void *)(uintptr_t)name}, v;
	MDB_stat st;
	int r = mdb_get(current_txn(d), d->sets, &k, &v);

	if (!r) {
		if (v.mv_size != sizeof(number))
			return MDB_CORRUPTED;
		memcpy(&number, v.mv_data, sizeof(number));
		d->set = number;
		return number ? 0 : MDB_CORRUPTED;
	}
	if (r != MDB_NOTFOUND || (r = begin_writing(d)) || (r = mdb_stat(d->writer, d->sets, &st)))
		return r;
	if (st.ms_entries >= DEDUP_SETS)
		return MDB_DBS_FULL;
	number = (uint16_t)(st.ms_entries + 1);
	v = (MDB_val){sizeof(number), &number};
	d->set = number;
	return mdb_put(d->writer, d->sets, &k, &v, 0);
}

/* Nothing it said has been used yet: a new, empty one takes its place. */
static int begin_anew(struct dedup *d)
{
	char name[DEDUP_NAME];
	int r;

	memcpy(name, d->name, sizeof(name));
	close_env(d);
	cachedb_remove(d->path);
	if (d->runs)
		memset(d->runs, 0, d->n_runs * sizeof(*d->runs));
	r = open_env(d);
	return r ? r : number_of_set(d, name);
}

int dedup_use(struct dedup *d, const char *dataset, struct err *err)
{
	int r;

	if (d->runs)
		memset(d->runs, 0, d->n_runs * sizeof(*d->runs));
	snprintf(d->name, sizeof(d->name), "%s", dataset);
	dedup_guard_enter(&d->guard);
	r = number_of_set(d, d->name);
	if (!r)
		r = last_number(d);
	if (dedup_is_damage(r))
		r = begin_anew(d);
	dedup_guard_leave(&d->guard);
	return r ? dedup_failed(d, r, err) : 0;
}

int dedup_check_available(struct dedup *d, dedup_available_fn *available, void *arg, struct err *err)
{
	MDB_cursor *c;
	int r, have = 0;

	dedup_guard_enter(&d->guard);
	r = mdb_cursor_open(current_txn(d), d->archives, &c);
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
	uint8_t key[DEDUP_RECORD_KEY];
	MDB_val k = {sizeof(key), place_key(d, id, key)}, v;
	struct dedup_place pl;
	bool good = false;
	int r;

	dedup_guard_enter(&d->guard);
	r = mdb_get(current_txn(d), d->chunks, &k, &v);
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
	uint64_t key = archive_key(d, number);
	MDB_val k = {sizeof(key), &key}, v;
	int r;

	dedup_guard_enter(&d->guard);
	r = mdb_get(current_txn(d), d->archives, &k, &v);
	if (!r && !dedup_record_archive(&k, &v, ret))
		r = MDB_CORRUPTED;
	dedup_guard_leave(&d->guard);
	if (r == MDB_NOTFOUND)
		return 0;
	return r ? dedup_failed(d, r, err) : 1;
}
