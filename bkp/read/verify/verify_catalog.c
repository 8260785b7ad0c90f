/* verify_catalog: the entries of one data set, and whether their bytes can be had; see verify.h.
 *
 * Blocks are checked several at a time, GROUP neighbours as one task because they share chunks.  Only the
 * order of paths across groups needs the group before: take_group() compares the first path with the last one
 * so far, and where they do not ascend it checks the group again with that path as the one before, so that
 * the reader of the block names the fault.  That happens on the caller's thread with the worker of thread 0,
 * which is his own.
 *
 * A group belongs to the thread that works on it until it is taken back; k->last, k->entries and the run to
 * the caller's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/threads/parallel.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/vault/catalog_r.h"
#include "read/vault/extent_r.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify_private.h"

#define GROUP	   16 /* blocks */
#define PATH_BYTES ((size_t)1 << 20)
#define FAULTS_MAX ((size_t)256 << 20)

enum { FAULT_LOST, FAULT_ENTRY }; /* numbers of the faults kept */

struct group {
	struct catalog_check *k;
	struct verify_worker *w;
	uint64_t entries, bad;
	struct buf first, last; /* paths of its first and last entry; n == 0: none */
	struct buf faults;
	bool gave_up;
	struct err why;
};

struct catalog_check {
	struct verify_run *run;
	struct verify_worker *workers;
	const struct digestset *bad;
	const struct generation_dataset *ds;
	struct catalog_r *catalog;
	struct buf last; /* path of the last entry so far */
	uint64_t entries;
	uint64_t unread; /* faults of the run before the catalog that are no damage */
	struct group groups[VERIFY_DEEP_THREADS_MAX * VERIFY_WINDOW];
};

/* An entry that needs a chunk known to be bad is not read: a disk may take long to refuse it again. */
static int check_known(
    const struct catalog_check *k, struct arc_r *arc, const struct catalog_item *item, struct err *err)
{
	struct extent_r_piece piece;
	uint8_t key[DIGEST_LEN];
	struct extent_r *x;
	int r;

	if (!digestset_count(k->bad))
		return 0;
	if (extent_r_open(arc, item->extents, item->extents_len, &x, err))
		return -1;
	extent_r_peek(x);
	while (!(r = extent_r_next(x, &piece, err))) {
		if (piece.hole)
			continue;
		verify_bad_key(piece.archive, piece.chunk, key);
		if (digestset_get(k->bad, key)) {
			r = err_set(err, "E-VERIFY-05",
			    text("needs chunk %u of archive number %ju, which is bad"), piece.chunk,
			    piece.archive);
			break;
		}
	}
	extent_r_close(x);
	return r < 0 ? -1 : 0;
}

static int look_at(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)arg, (void)at, (void)p, (void)n, (void)err;
	return 0;
}

static int check_content(
    const struct catalog_check *k, struct arc_r *arc, const struct catalog_item *item, struct err *err)
{
	return check_known(k, arc, item, err) ||
		       extent_r_file(arc, item->extents, item->extents_len, item->sha256, look_at, NULL, err)
		   ? -1
		   : 0;
}

static int set_path(struct buf *b, const char *path, struct err *err)
{
	b->n = 0;
	return buf_puts(b, path, err) || buf_terminate(b, err) ? -1 : 0;
}

static int check_entry(void *arg, const struct catalog_item *item, struct err *err)
{
	struct group *g = arg;
	struct err why = ERR_INIT;

	g->entries++;
	if ((!g->first.n && set_path(&g->first, item->path, err)) || set_path(&g->last, item->path, err))
		return -1;
	if (!item->extents || !check_content(g->k, g->w->arc, item, &why))
		return 0;
	g->bad++;
	return verify_fault_keep(&g->faults, FAULT_ENTRY, item->path, &why, err);
}

/* prev: the path before the group, or NULL: not known yet. */
static void check_group(struct group *g, size_t number, const char *prev)
{
	size_t n = catalog_r_blocks(g->k->catalog), end = (number + 1) * GROUP;

	g->entries = g->bad = 0;
	g->first.n = g->last.n = g->faults.n = 0;
	g->gave_up = false;
	for (size_t i = number * GROUP; i < end && i < n && !g->gave_up; i++) {
		struct err why = ERR_INIT;
		int r = catalog_r_block(g->k->catalog, g->w->arc, i,
		    g->last.n ? (const char *)g->last.p : prev, check_entry, g, &why);

		if (r == CATALOG_R_LOST)
			r = verify_fault_keep(&g->faults, FAULT_LOST, NULL, &why, &g->why);
		else if (r)
			g->why = why;
		g->gave_up = r != 0;
	}
}

static void work_on_group(void *arg, unsigned thread, size_t i, void *slot)
{
	struct catalog_check *k = arg;
	struct group *g = slot;

	g->k = k;
	g->w = &k->workers[thread];
	check_group(g, i, NULL);
}

static int take_group(void *arg, size_t i, void *slot, struct err *err)
{
	struct catalog_check *k = arg;
	struct err why = ERR_INIT;
	struct group *g = slot;
	const char *path;
	uint64_t kind;
	size_t pos = 0;

	if (k->last.n && g->first.n && path_compare((char *)k->last.p, (char *)g->first.p) >= 0) {
		g->w = &k->workers[0]; /* the caller's own */
		check_group(g, i, (const char *)k->last.p);
	}
	if (g->gave_up) {
		if (err)
			*err = g->why;
		return -1;
	}
	while (verify_fault_next(&g->faults, &pos, &kind, &path, &why))
		verify_report(k->run, NULL, k->ds->name, path, &why);
	k->entries += g->entries;
	k->run->res.entries += g->entries;
	k->run->res.entries_bad += g->bad;
	return g->last.n ? set_path(&k->last, (const char *)g->last.p, err) : 0;
}

static void check_counts(struct catalog_check *k)
{
	const struct generation_dataset *said = &vault_r_manifest(k->run->g)->dataset, *ds = k->ds;
	struct err why = ERR_INIT;

	if (said->verdict != ds->verdict || said->entries != ds->entries || said->files != ds->files ||
	    said->bytes != ds->bytes)
		err_set(&why, "E-VERIFY-06", text("data set '%s': manifest.json and root.age do not agree"),
		    ds->name);
	else if (k->entries != ds->entries &&
		 k->unread == k->run->res.unread) /* what could not be read is not counted */
		err_set(&why, "E-VERIFY-06", text("data set '%s' has %ju entries where %ju were promised"),
		    ds->name, k->entries, ds->entries);
	else
		return;
	verify_report(k->run, NULL, ds->name, NULL, &why);
}

static int check_blocks(struct catalog_check *k, unsigned threads, struct err *err)
{
	struct parallel parallel = {.threads = threads,
	    .n = (catalog_r_blocks(k->catalog) + GROUP - 1) / GROUP,
	    .window = threads * VERIFY_WINDOW,
	    .slots = k->groups,
	    .slot_size = sizeof(k->groups[0]),
	    .work = work_on_group,
	    .done = take_group,
	    .arg = k};
	int r;

	for (size_t i = 0; i < parallel.window; i++) {
		buf_init(&k->groups[i].first, PATH_BYTES);
		buf_init(&k->groups[i].last, PATH_BYTES);
		buf_init(&k->groups[i].faults, FAULTS_MAX);
	}
	r = parallel_run(&parallel, err);
	for (size_t i = 0; i < parallel.window; i++) {
		buf_free(&k->groups[i].first);
		buf_free(&k->groups[i].last);
		buf_free(&k->groups[i].faults);
	}
	return r;
}

int verify_catalog(struct verify_run *run, struct verify_worker *workers, unsigned threads,
    const struct digestset *bad, const struct generation_dataset *ds, struct err *err)
{
	struct catalog_check *k = calloc(1, sizeof(*k));
	struct err why = ERR_INIT;
	int r = 0;

	if (!k)
		return err_nomem(err);
	k->run = run;
	k->workers = workers;
	k->bad = bad;
	k->ds = ds;
	k->unread = run->res.unread;
	buf_init(&k->last, PATH_BYTES);
	if (catalog_r_open(workers[0].arc, ds, &k->catalog, &why)) {
		verify_report(run, NULL, ds->name, NULL, &why);
	} else {
		r = check_blocks(k, threads, err);
		if (!r)
			check_counts(k);
		catalog_r_close(k->catalog);
	}
	buf_free(&k->last);
	free(k);
	return r;
}
