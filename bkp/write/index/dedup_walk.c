/* dedup_walk: looks whether an index can be read without dying of it; see dedup_guard.h.  Runs in a child
 * process that nobody waits for to be tidy.
 *
 * A whole walk of 100 M entries takes minutes from an SSD and hours from a hard disk: after one death, which
 * was a kill more often than damage, a large index is only sampled, within a time; after two in a row it is
 * walked. */
#include "write/index/dedup_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "write/index/dedup_record.h"

#define SMALL	((size_t)1 << 20) /* entries that are walked in any case: less than a second */
#define BRIEF_S 15
#define SAMPLES 20000
#define RUN	200 /* entries looked at from a random place on: more than a page of them */

static double now_seconds(void)
{
	return (double)clock_read(CLOCK_MONOTONIC) / (double)SECOND_NS;
}

/* An entry that does not fit its archive's run is only unknown; what is looked for is what LMDB trips over.
 */
static bool is_entry(const MDB_val *k, const MDB_val *v, const uint8_t before[DEDUP_RECORD_KEY])
{
	return k->mv_size == DEDUP_RECORD_KEY && v->mv_size == DEDUP_RECORD_PLACE &&
	       (!before || memcmp(k->mv_data, before, DEDUP_RECORD_KEY) > 0);
}

static int walk_entries(struct dedup *d, MDB_txn *txn)
{
	uint8_t before[DEDUP_RECORD_KEY];
	MDB_cursor *c;
	MDB_stat st;
	MDB_val k, v;
	size_t n = 0;
	int r;

	if ((r = mdb_stat(txn, d->chunks, &st)) || (r = mdb_cursor_open(txn, d->chunks, &c)))
		return r;
	while (!(r = mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		if (!is_entry(&k, &v, n ? before : NULL) || ++n > st.ms_entries) {
			r = MDB_CORRUPTED;
			break;
		}
		memcpy(before, k.mv_data, DEDUP_RECORD_KEY);
		if (n % 64 == 0)
			cachedb_touched(&d->pages, 1);
	}
	mdb_cursor_close(c);
	return r != MDB_NOTFOUND ? r : n == st.ms_entries ? 0 : MDB_CORRUPTED;
}

static int sample_from(MDB_cursor *c, const uint8_t from[DEDUP_RECORD_KEY])
{
	uint8_t before[DEDUP_RECORD_KEY];
	MDB_val k = {DEDUP_RECORD_KEY, (void *)(uintptr_t)from}, v;
	int r = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);

	for (int i = 0; !r && i < RUN; i++) {
		if (!is_entry(&k, &v, i ? before : NULL))
			return MDB_CORRUPTED;
		memcpy(before, k.mv_data, DEDUP_RECORD_KEY);
		r = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	return r == MDB_NOTFOUND ? 0 : r;
}

/* At places spread by the golden ratio: every part of the tree is met, whatever the time allows. */
static int sample_entries(struct dedup *d, MDB_txn *txn)
{
	double end = now_seconds() + BRIEF_S;
	uint64_t at = (uint64_t)getpid() << 32;
	uint8_t from[DEDUP_RECORD_KEY] = {0};
	MDB_cursor *c;
	MDB_stat sets;
	int r = mdb_stat(txn, d->sets, &sets);

	if (r || (r = mdb_cursor_open(txn, d->chunks, &c)))
		return r;
	for (int i = 0; !r && i < SAMPLES && now_seconds() < end; i++) {
		at += 0x9e3779b97f4a7c15u;
		for (int b = 0; b < 8; b++)
			from[2 + b] = (uint8_t)(at >> (56 - 8 * b));
		from[0] = (uint8_t)((1 + at % (sets.ms_entries + 1)) >> 8);
		from[1] = (uint8_t)(1 + at % (sets.ms_entries + 1));
		r = sample_from(c, from);
		cachedb_touched(&d->pages, 4);
	}
	mdb_cursor_close(c);
	return r;
}

static int walk_archives(struct dedup *d, MDB_txn *txn)
{
	struct dedup_archive a;
	MDB_cursor *c;
	MDB_stat st;
	MDB_val k, v;
	size_t n = 0;
	int r;

	if ((r = mdb_stat(txn, d->archives, &st)) || (r = mdb_cursor_open(txn, d->archives, &c)))
		return r;
	while (!(r = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		if (++n > st.ms_entries || !dedup_record_archive(&k, &v, &a)) {
			r = MDB_CORRUPTED;
			break;
		}
	mdb_cursor_close(c);
	return r != MDB_NOTFOUND ? r : n == st.ms_entries ? 0 : MDB_CORRUPTED;
}

/* Puts a copy in its place that has nothing but the records: what a walk does not see (the list of free
 * pages) is gone. Without room for a copy it stays as it is. */
static int compact_index(struct dedup *d)
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
	return dedup_is_damage(r) ? r : 0;
}

/* Reads, and writes something, which it does not keep. */
static int walk_all(const char *path, bool whole)
{
	struct dedup d = {.path = (char *)(uintptr_t)path};
	MDB_val k = {4, (void *)(uintptr_t) "walk"}, v = k;
	MDB_txn *txn;
	MDB_stat st;
	int r;

	if ((r = cachedb_open(path, DEDUP_TABLES, 0, &d.env)) || (r = mdb_txn_begin(d.env, NULL, 0, &txn)))
		return r;
	if ((r = mdb_dbi_open(txn, "chunks", 0, &d.chunks)) ||
	    (r = mdb_dbi_open(txn, "archives", MDB_INTEGERKEY, &d.archives)) ||
	    (r = mdb_dbi_open(txn, "sets", 0, &d.sets)) || (r = mdb_dbi_open(txn, "meta", 0, &d.meta)) ||
	    (r = mdb_stat(txn, d.chunks, &st)))
		return r;
	cachedb_pages_of(txn, d.meta, &d.pages);
	whole = whole || st.ms_entries <= SMALL;
	if ((r = walk_archives(&d, txn)) || (r = whole ? walk_entries(&d, txn) : sample_entries(&d, txn)) ||
	    (r = mdb_put(txn, d.meta, &k, &v, 0)))
		return r;
	mdb_txn_abort(txn);
	r = whole ? compact_index(&d) : 0;
	mdb_env_close(d.env);
	return r;
}

static int walk_index(const char *path, bool whole)
{
	int r = walk_all(path, whole);

	return r == MDB_NOTFOUND || dedup_is_damage(r); /* not found: one of its tables */
}

int dedup_walk_briefly(const char *path)
{
	return walk_index(path, false);
}

int dedup_walk_whole(const char *path)
{
	return walk_index(path, true);
}

bool dedup_is_short(const char *path)
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
