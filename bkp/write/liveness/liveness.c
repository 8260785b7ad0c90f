/* liveness: see liveness.h.  This file: what a capture refers to, written down.
 *
 * Each data set gets a new file ".<name>.new", from liveness_begin() to liveness_end(); liveness_commit() renames
 * it when the generation is reported, and liveness_close() removes what was not committed.  A block that is kept is copied from the former file, which is indexed by place; lists that a block
 * uses are copied with it, once each (`slots`).
 *
 * A failure closes `out`, and from then on nothing is written of this data set; what could not be found out sets
 * `unknown`.  Both only mean that the next run refuses less. */
#include "write/liveness/liveness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "format/medium/extent.h"
#include "write/index/dedup.h"
#include "write/liveness/liveness_private.h"

#define NEW	   ".new" /* data sets have no name that begins with a dot */
#define FLUSH	   ((size_t)1 << 20)
#define UNFINISHED 60 /* generations within which what such a capture shares is not refused */

struct liveness {
	int dir; /* -1: nothing can be written */
	char *repository;
	uint64_t generation;
	/* the current data set; name[0] == '\0': none */
	char name[LIVENESS_NAME];
	int out, old;	 /* -1: none, or it failed */
	bool unknown;	 /* something that it refers to could not be found out */
	struct buf text; /* not written yet */
	struct buf payload, refs;
	struct liveness_record *index; /* of the old file, sorted by place */
	size_t n_index, cap_index;
	struct liveness_key *lists; /* in the new file, in order of addition */
	size_t n_lists, cap_lists;
	size_t *slots; /* of a hash table: index in lists + 1, 0: free; a power of two of them, or none */
	size_t n_slots;
	char **whole; /* data sets that are whole, waiting for liveness_commit() */
	size_t n_whole;
};

int liveness_open(
    int cachefd, const char *repository, uint64_t generation, struct liveness **ret, struct err *err)
{
	struct liveness *w = calloc(1, sizeof(*w));

	if (!w || !(w->repository = strdup(repository))) {
		free(w);
		return err_nomem(err);
	}
	w->generation = generation;
	w->dir = io_make_dir(cachefd, "waste", 0700, NULL);
	w->out = w->old = -1;
	buf_init(&w->text, LIVENESS_PAYLOAD_MAX + 2 * FLUSH);
	buf_init(&w->payload, LIVENESS_PAYLOAD_MAX);
	buf_init(&w->refs, LIVENESS_PAYLOAD_MAX);
	*ret = w;
	return 0;
}

static void new_name(const char *dataset, char out[LIVENESS_NAME + 8])
{
	snprintf(out, LIVENESS_NAME + 8, ".%s" NEW, dataset);
}

static void forget_dataset(struct liveness *w)
{
	w->name[0] = '\0';
	w->n_index = w->n_lists = w->n_slots = 0;
	w->text.n = 0;
	io_close_quietly(&w->out);
	io_close_quietly(&w->old);
}

void liveness_drop(struct liveness *w)
{
	char name[LIVENESS_NAME + 8];

	if (!w || !w->name[0])
		return;
	new_name(w->name, name);
	if (w->dir >= 0)
		unlinkat(w->dir, name, 0);
	forget_dataset(w);
}

void liveness_close(struct liveness *w)
{
	if (!w)
		return;
	liveness_drop(w);
	for (size_t i = 0; i < w->n_whole; i++) {
		char name[LIVENESS_NAME + 8];

		new_name(w->whole[i], name);
		unlinkat(w->dir, name, 0);
		free(w->whole[i]);
	}
	free(w->whole);
	io_close_quietly(&w->dir);
	buf_free(&w->text);
	buf_free(&w->payload);
	buf_free(&w->refs);
	free(w->index);
	free(w->lists);
	free(w->slots);
	free(w->repository);
	free(w);
}

int liveness_plan(struct liveness *w, struct dedup *d, const struct liveness_limits *limits,
    const struct liveness_dataset *set, struct liveness_figures *ret, struct err *err)
{
	struct liveness_count c;
	int r;

	*ret = (struct liveness_figures){0};
	if (!w)
		return 0;
	if (liveness_count(w->dir, w->repository, d, set, &c, err))
		return -1;
	/* a data set that is never whole must not keep what the others waste for ever */
	if (w->generation > UNFINISHED && c.judged_live < w->generation - UNFINISHED)
		c.judged_live = w->generation - UNFINISHED;
	r = liveness_choose(&c, d, limits, set, ret, err);
	liveness_count_free(&c);
	return r;
}

static int compare_keys(const struct liveness_key *a, const struct liveness_key *b)
{
	if (a->archive != b->archive)
		return a->archive < b->archive ? -1 : 1;
	if (a->chunk != b->chunk)
		return a->chunk < b->chunk ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int by_key(const void *a, const void *b)
{
	return compare_keys(
	    &((const struct liveness_record *)a)->key, &((const struct liveness_record *)b)->key);
}

/* What the last generation's file says, by place.  A damaged one says nothing. */
static void index_old(struct liveness *w)
{
	struct liveness_reader r;
	int more;

	if (liveness_read_open(w->dir, w->name, w->repository, &r))
		return;
	while ((more = liveness_read_next(&r)) == 1) {
		if (w->n_index == w->cap_index) {
			size_t cap = w->cap_index ? 2 * w->cap_index : 256;
			struct liveness_record *p = reallocarray(w->index, cap, sizeof(*p));

			if (!p)
				break;
			w->index = p;
			w->cap_index = cap;
		}
		w->index[w->n_index++] = r.record;
	}
	liveness_read_close(&r);
	if (more)
		w->n_index = 0;
	else
		w->old = openat(w->dir, w->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (w->n_index)
		qsort(w->index, w->n_index, sizeof(*w->index), by_key);
}

static void flush_text(struct liveness *w, bool all)
{
	if (w->out < 0 || (!all && w->text.n < FLUSH))
		return;
	if (io_write_full(w->out, w->text.p, w->text.n))
		io_close_quietly(&w->out);
	w->text.n = 0;
}

void liveness_begin(struct liveness *w, const char *dataset)
{
	char name[LIVENESS_NAME + 8];

	if (!w || w->dir < 0 || strlen(dataset) >= LIVENESS_NAME)
		return;
	liveness_drop(w);
	snprintf(w->name, sizeof(w->name), "%s", dataset);
	w->unknown = false;
	index_old(w);
	new_name(dataset, name);
	unlinkat(w->dir, name, 0);
	w->out = openat(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (liveness_write_head(&w->text, w->repository, w->generation))
		io_close_quietly(&w->out);
}

static bool is_working(const struct liveness *w)
{
	return w && w->name[0] && w->out >= 0;
}

static void put_record(struct liveness *w, enum liveness_kind kind, const struct liveness_key *key,
    const void *payload, size_t n)
{
	if (liveness_put_record(&w->text, kind, key, payload, n))
		io_close_quietly(&w->out);
	flush_text(w, false);
}

/* The slot of the list, or the free one where it belongs.  There is always a free one. */
static size_t slot_of(const struct liveness *w, const struct liveness_key *key)
{
	uint64_t hash = (key->archive * 0x9e3779b97f4a7c15u + key->chunk) * 0x9e3779b97f4a7c15u + key->offset;
	size_t i = (hash * 0x9e3779b97f4a7c15u >> 32) & (w->n_slots - 1);

	while (w->slots[i] && compare_keys(&w->lists[w->slots[i] - 1], key) != 0)
		i = (i + 1) & (w->n_slots - 1);
	return i;
}

static bool has_list(const struct liveness *w, const struct liveness_key *key)
{
	return w->n_slots && w->slots[slot_of(w, key)];
}

/* At most half of the slots are ever taken. */
static int more_slots(struct liveness *w)
{
	size_t n = w->n_slots ? 2 * w->n_slots : 128, *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -1;
	free(w->slots);
	w->slots = slots;
	w->n_slots = n;
	for (size_t i = 0; i < w->n_lists; i++)
		slots[slot_of(w, &w->lists[i])] = i + 1;
	return 0;
}

static void remember_list(struct liveness *w, const struct liveness_key *key)
{
	if (w->n_lists == w->cap_lists) {
		size_t cap = w->cap_lists ? 2 * w->cap_lists : 64;
		struct liveness_key *p = reallocarray(w->lists, cap, sizeof(*p));

		if (!p) {
			io_close_quietly(&w->out);
			return;
		}
		w->lists = p;
		w->cap_lists = cap;
	}
	if (2 * (w->n_lists + 1) > w->n_slots && more_slots(w)) {
		io_close_quietly(&w->out);
		return;
	}
	w->lists[w->n_lists] = *key;
	w->slots[slot_of(w, key)] = ++w->n_lists;
}

/* Copies a record of the old file; its payload stands in w->refs then. */
static bool copy_old(struct liveness *w, enum liveness_kind kind, const struct liveness_key *key)
{
	struct liveness_record want = {.key = *key}, *r;

	if (!w->n_index)
		return false;
	r = bsearch(&want, w->index, w->n_index, sizeof(*w->index), by_key);
	if (!r || r->kind != kind || w->old < 0)
		return false;
	w->refs.n = 0;
	if (buf_reserve(&w->refs, r->length, NULL) ||
	    io_pread_full(w->old, w->refs.p, r->length, (int64_t)r->at + LIVENESS_HEAD) != (ssize_t)r->length)
		return false;
	w->refs.n = r->length;
	put_record(w, kind, key, w->refs.p, w->refs.n);
	return true;
}

static void need_list(struct liveness *w, const struct liveness_key *key)
{
	if (has_list(w, key))
		return;
	if (copy_old(w, LIVENESS_LIST, key))
		remember_list(w, key);
	else
		w->unknown = true;
}

/* ---- references of one block, list or text ---- */

struct gather {
	struct liveness *w;
	struct liveness_pack pack;
	struct liveness_key lists[64]; /* that the block uses */
	size_t n_lists;
};

static void gather_begin(struct gather *g, struct liveness *w)
{
	g->w = w;
	g->n_lists = 0;
	w->refs.n = 0;
	liveness_pack_begin(&g->pack, &w->refs);
}

static void gather_run(struct gather *g, const struct extent_run *run, bool *indirect)
{
	struct liveness_ref ref = {run->archive, run->chunk, run->offset, run->length};

	if (run->kind == EXTENT_HOLE)
		return;
	liveness_pack_ref(&g->pack, &ref);
	if (run->kind != EXTENT_INDIRECT || *indirect)
		return;
	*indirect = true; /* one list begins with the first of its runs */
	if (g->n_lists < sizeof(g->lists) / sizeof(*g->lists))
		g->lists[g->n_lists++] = (struct liveness_key){run->archive, run->chunk, run->offset};
	else
		g->w->unknown = true;
}

static void gather_runs(struct gather *g, const char *s, size_t n, size_t pos)
{
	struct extent_run run;
	bool indirect = false;
	int r;

	while (!(r = extent_parse_run(s, n, &pos, &run, NULL)))
		gather_run(g, &run, &indirect);
	if (r != EXTENT_END)
		g->w->unknown = true;
}

static void gather_text(void *arg, const char *extents, size_t n)
{
	struct gather *g = arg;
	uint64_t size;
	size_t pos = 0;

	if (extent_parse_size(extents, n, &pos, &size, NULL))
		g->w->unknown = true;
	else
		gather_runs(g, extents, n, pos);
}

/* The record of what was gathered.  The lists are in the file already, or are copied into it before. */
static void gather_end(struct gather *g, enum liveness_kind kind, const struct liveness_key *key)
{
	struct liveness *w = g->w;
	bool failed;

	liveness_pack_end(&g->pack);
	w->payload.n = 0;
	failed = g->pack.failed || liveness_put_varint(&w->payload, g->n_lists);
	for (size_t i = 0; i < g->n_lists; i++)
		failed |= liveness_put_varint(&w->payload, g->lists[i].archive) ||
			  liveness_put_varint(&w->payload, g->lists[i].chunk) ||
			  liveness_put_varint(&w->payload, g->lists[i].offset);
	failed |= w->refs.n && buf_append(&w->payload, w->refs.p, w->refs.n, NULL);
	if (failed)
		w->unknown = true;
	else
		put_record(w, kind, key, w->payload.p, w->payload.n);
	for (size_t i = 0; i < g->n_lists; i++)
		need_list(w, &g->lists[i]);
}

static struct liveness_key key_of(const struct dedup_place *at)
{
	return (struct liveness_key){at->archive, at->chunk, at->offset};
}

void liveness_block(struct liveness *w, const struct dedup_place *at, const void *bytes, size_t n)
{
	struct liveness_ref own;
	struct liveness_key key;
	struct gather g;

	if (!is_working(w))
		return;
	key = key_of(at);
	own = (struct liveness_ref){at->archive, at->chunk, at->offset, at->length};
	gather_begin(&g, w);
	liveness_pack_ref(&g.pack, &own);
	liveness_each_extents(bytes, n, gather_text, &g);
	gather_end(&g, LIVENESS_BLOCK, &key);
}

bool liveness_keep(struct liveness *w, const struct dedup_place *at)
{
	struct liveness_key key, list;
	struct liveness_unpack u;
	uint64_t n, v[3];

	if (!is_working(w))
		return true;
	key = key_of(at);
	if (!copy_old(w, LIVENESS_BLOCK, &key))
		return false;
	liveness_unpack_begin(&u, w->refs.p, w->refs.n);
	if (!liveness_get_varint(&u, &n))
		return false;
	if (!n)
		return true;
	/* w->refs is used for each list */
	w->payload.n = 0;
	if (buf_append(&w->payload, u.p, (size_t)(u.end - u.p), NULL))
		w->unknown = true;
	liveness_unpack_begin(&u, w->payload.p, w->payload.n);
	while (n-- && liveness_get_varint(&u, &v[0]) && liveness_get_varint(&u, &v[1]) &&
	       liveness_get_varint(&u, &v[2])) {
		list = (struct liveness_key){v[0], (uint32_t)v[1], (uint32_t)v[2]};
		need_list(w, &list);
	}
	return true;
}

void liveness_list(struct liveness *w, const void *at, size_t at_n, const void *runs, size_t n)
{
	struct extent_run first;
	struct liveness_key key;
	struct gather g;
	size_t pos = 0;

	if (!is_working(w))
		return;
	if (extent_parse_run(at, at_n, &pos, &first, NULL)) {
		w->unknown = true;
		return;
	}
	key = (struct liveness_key){first.archive, first.chunk, first.offset};
	if (has_list(w, &key))
		return;
	gather_begin(&g, w);
	gather_runs(&g, runs, n, 0);
	gather_end(&g, LIVENESS_LIST, &key);
	remember_list(w, &key);
}

void liveness_extents(struct liveness *w, const char *extents)
{
	const struct liveness_key none = {0, 0, 0};
	struct gather g;

	if (!is_working(w))
		return;
	gather_begin(&g, w);
	gather_text(&g, extents, strlen(extents));
	gather_end(&g, LIVENESS_EXTENTS, &none);
}

/* ---- the end ---- */

static bool keep_whole(struct liveness *w)
{
	char **more = reallocarray(w->whole, w->n_whole + 1, sizeof(*more));

	if (!more)
		return false;
	w->whole = more;
	w->whole[w->n_whole] = strdup(w->name);
	if (!w->whole[w->n_whole])
		return false;
	w->n_whole++;
	return true;
}

void liveness_end(struct liveness *w)
{
	const struct liveness_key last = {0, 0, w && w->unknown};

	if (!w || !w->name[0])
		return;
	if (w->out >= 0) {
		put_record(w, LIVENESS_LAST, &last, "", 0);
		flush_text(w, true);
	}
	if (w->out >= 0 && keep_whole(w)) {
		forget_dataset(w);
		return;
	}
	/* what the last generation's file says is not so any more */
	unlinkat(w->dir, w->name, 0);
	liveness_drop(w);
}

void liveness_commit(struct liveness *w, const char *dataset)
{
	for (size_t i = 0; w && i < w->n_whole; i++) {
		char name[LIVENESS_NAME + 8];

		if (strcmp(w->whole[i], dataset) != 0)
			continue;
		new_name(dataset, name);
		renameat(w->dir, name, w->dir, dataset);
		free(w->whole[i]);
		w->whole[i] = w->whole[--w->n_whole];
		return;
	}
}
