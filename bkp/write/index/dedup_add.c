/* dedup_add: the archive and its entries into the index; see dedup.h.
 *
 * Entries in the order of their ids, in parts; the archive's own record and its layout come with the last part.
 * That transaction is the commit: entries without an archive's record are not believed.  Parts bound the pages that
 * LMDB holds in memory. */
#include "write/index/dedup_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "write/index/dedup_record.h"

/* Ids are spread evenly, so in a large tree each entry dirties a page of its own, which LMDB holds in memory
 * until the transaction ends.  In a tree of SMALL_TREE pages no transaction can dirty more than these. */
#define SMALL_TREE 8192
#define PART	   4096

static int by_id(const void *a, const void *b)
{
	return memcmp((*(const struct dedup_entry *const *)a)->id,
	    (*(const struct dedup_entry *const *)b)->id, DEDUP_ID);
}

static int put_archive(struct dedup *d, MDB_txn *txn, const struct dedup_archive *a)
{
	uint8_t bytes[DEDUP_RECORD_ARCHIVE];
	uint64_t number = a->number;
	MDB_val k = {sizeof(number), &number}, v = {DEDUP_RECORD_ARCHIVE, bytes};

	dedup_record_pack_archive(a, bytes);
	return mdb_put(txn, d->archives, &k, &v, 0);
}

static int put_entries(
    struct dedup *d, MDB_txn *txn, uint64_t run, const struct dedup_entry *const *sorted, size_t n)
{
	uint8_t place[DEDUP_RECORD_PLACE];
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		MDB_val k = {DEDUP_ID, (void *)(uintptr_t)sorted[i]->id}, v = {DEDUP_RECORD_PLACE, place};

		/* the newest place wins: an older archive may be unavailable or about to expire */
		if (dedup_record_pack_place(sorted[i]->id, &sorted[i]->place, run, place))
			r = mdb_put(txn, d->chunks, &k, &v, 0);
		cachedb_touched(&d->pages, 1);
	}
	return r;
}

struct added {
	const struct dedup_archive *archive;
	const struct dedup_entry *const *sorted;
	size_t n;
};

static int add_part(struct dedup *d, const struct added *all, size_t from, size_t n, bool last)
{
	MDB_txn *txn;
	int r = mdb_txn_begin(d->env, NULL, 0, &txn);

	if (r)
		return r;
	r = put_entries(d, txn, all->archive->run, all->sorted + from, n);
	if (!r && last)
		r = put_archive(d, txn, all->archive);
	if (!r && last)
		r = dedup_put_layout(d, txn, all->archive, all->sorted, all->n);
	if (r) {
		mdb_txn_abort(txn);
		return r;
	}
	return mdb_txn_commit(txn);
}

/* Parts before the last need not survive a power cut, only leave the file whole: one flush instead of two. */
static int add_parts(struct dedup *d, const struct added *all)
{
	MDB_stat st;
	size_t part, from = 0;
	int renewed, r = mdb_stat(d->reader, d->chunks, &st);

	if (r)
		return r;
	mdb_txn_reset(d->reader); /* it would keep the pages that each part replaces from being used again */
	part = st.ms_leaf_pages < SMALL_TREE ? all->n : PART;
	mdb_env_set_flags(d->env, MDB_NOMETASYNC, 1);
	for (; all->n - from > part && !r; from += part)
		r = add_part(d, all, from, part, false);
	mdb_env_set_flags(d->env, MDB_NOMETASYNC, 0);
	if (!r)
		r = add_part(d, all, from, all->n - from, true);
	renewed = mdb_txn_renew(d->reader);
	return r ? r : renewed;
}

int dedup_add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err)
{
	const struct dedup_entry **sorted = calloc(n + 1, sizeof(*sorted));
	int r;

	if (!sorted)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &entries[i];
	qsort(sorted, n, sizeof(*sorted), by_id);
	dedup_guard_enter(&d->guard);
	r = add_parts(d, &(struct added){a, sorted, n});
	dedup_guard_leave(&d->guard);
	free(sorted);
	if (r)
		return dedup_failed(d, r, err);
	if (a->number > d->last)
		d->last = a->number;
	return dedup_mark_available(d, a->number, a->run, err);
}
