/* tally: see tally.h.
 *
 * While the walk goes on only the first rule of renaming can be applied: a longer name sorts close after the shorter
 * one, so the last RECENT names that are gone are enough.  tally_end() applies the others one after the other, each
 * by sorting both lists and going through them side by side; what is matched (`taken`) sorts last and is left
 * out. */
#include "write/capture/tally.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/guard/guard.h"
#include "format/guard/kind.h"

#define RECENT	    32	 /* files gone last whose names are kept: a longer name sorts closely after it */
#define RECENT_PATH 4096 /* longer ones are matched otherwise */

/* A file that is gone, or one that appeared. */
struct rec {
	struct tally_file f;
	uint64_t folder, stem, base; /* hashes of: the folder; folder and name without extension; the name */
	bool taken;
};

struct list {
	struct rec *rec;
	size_t n, cap;
	uint64_t total; /* also those that are not kept */
};

struct recent {
	size_t at; /* in gone.rec */
	char path[RECENT_PATH];
};

struct tally {
	struct list gone, fresh;
	struct recent recent[RECENT];
	size_t n_recent;
	struct guard counts; /* changed, renamed, dense, lost, strange */
};

int tally_new(struct tally **ret, struct err *err)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(err);
	*ret = t;
	return 0;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	free(t->gone.rec);
	free(t->fresh.rec);
	free(t);
}

void tally_begin(struct tally *t)
{
	t->gone.n = t->fresh.n = t->n_recent = 0;
	t->gone.total = t->fresh.total = 0;
	memset(&t->counts, 0, sizeof(t->counts));
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return h;
}

static struct rec make_record(const char *path, const struct tally_file *f)
{
	const uint64_t start = 0xcbf29ce484222325u;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	uint64_t folder = hash_bytes(start, path, (size_t)(name - path));

	return (struct rec){
	    *f, folder, hash_bytes(folder, name, stem), hash_bytes(start, name, strlen(name)), false};
}

/* *ret_at: where it is kept; SIZE_MAX: there are too many. */
static int keep_record(struct list *l, const struct rec *r, size_t *ret_at, struct err *err)
{
	l->total++;
	*ret_at = SIZE_MAX;
	if (l->n == TALLY_MAX)
		return 0;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 256;
		struct rec *more = reallocarray(l->rec, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		l->rec = more;
		l->cap = cap;
	}
	l->rec[l->n] = *r;
	*ret_at = l->n++;
	return 0;
}

/* What happened to the content of a file; loosely: that the two are one is only likely, and programs save
 * documents in other formats under other names. */
static void compare_kinds(struct guard *g, uint8_t before, uint8_t now, bool loosely)
{
	g->lost += kind_lost(before, now) && (!loosely || !kind_is_format(now));
	g->dense += kind_thickened(before, now);
}

int tally_gone(struct tally *t, const char *path, const struct tally_file *was, struct err *err)
{
	struct rec r = make_record(path, was);
	size_t at;

	if (keep_record(&t->gone, &r, &at, err))
		return -1;
	if (at != SIZE_MAX && strlen(path) < RECENT_PATH) {
		struct recent *slot = &t->recent[t->n_recent++ % RECENT];

		slot->at = at;
		memcpy(slot->path, path, strlen(path) + 1);
	}
	return 0;
}

/* The file gone whose name this one has with something after it; SIZE_MAX: none. */
static size_t shorter_name(const struct tally *t, const char *path)
{
	size_t n = t->n_recent < RECENT ? t->n_recent : RECENT;

	for (size_t i = 0; i < n; i++) {
		const struct recent *r = &t->recent[i];
		size_t len = strlen(r->path);

		if (!strncmp(path, r->path, len) && path[len] && path[len] != '/' &&
		    !isalnum((unsigned char)path[len]) && !t->gone.rec[r->at].taken)
			return r->at;
	}
	return SIZE_MAX;
}

int tally_fresh(
    struct tally *t, const char *path, const struct tally_file *now, bool strange, struct err *err)
{
	struct rec r = make_record(path, now);
	size_t from = t->n_recent ? shorter_name(t, path) : SIZE_MAX, at;

	t->counts.strange += strange;
	r.taken = from != SIZE_MAX;
	if (keep_record(&t->fresh, &r, &at, err))
		return -1;
	if (at == SIZE_MAX || from == SIZE_MAX)
		return 0;
	t->gone.rec[from].taken = true;
	t->counts.renamed++;
	compare_kinds(&t->counts, t->gone.rec[from].f.kind, now->kind, false);
	return 0;
}

void tally_kept(struct tally *t, const struct tally_file *was, const struct tally_file *now, bool another)
{
	t->counts.changed += another || was->size != now->size || was->mtime_ns != now->mtime_ns ||
			     (was->kind && now->kind && was->kind != now->kind);
	/* zeros where nothing was are no harm */
	compare_kinds(
	    &t->counts, was->size || now->kind != KIND_ZERO ? was->kind : KIND_UNKNOWN, now->kind, false);
}

/* ---- matching ---- */

typedef int order_fn(const void *a, const void *b);

static int order_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

#define THEN(x, y) ((x) ? (x) : (y))

static int by_inode_size_time(const void *a, const void *b)
{
	const struct rec *x = a, *y = b;

	return THEN(order_numbers(x->taken, y->taken),
	    THEN(order_numbers(x->f.ino, y->f.ino),
		THEN(order_numbers(x->f.size, y->f.size),
		    order_numbers((uint64_t)x->f.mtime_ns, (uint64_t)y->f.mtime_ns))));
}

static int by_name_size_time(const void *a, const void *b)
{
	const struct rec *x = a, *y = b;

	return THEN(order_numbers(x->taken, y->taken),
	    THEN(order_numbers(x->base, y->base),
		THEN(order_numbers(x->f.size, y->f.size),
		    order_numbers((uint64_t)x->f.mtime_ns, (uint64_t)y->f.mtime_ns))));
}

static int by_stem(const void *a, const void *b)
{
	const struct rec *x = a, *y = b;

	return THEN(order_numbers(x->taken, y->taken), order_numbers(x->stem, y->stem));
}

static int by_folder_inode(const void *a, const void *b)
{
	const struct rec *x = a, *y = b;

	return THEN(order_numbers(x->taken, y->taken),
	    THEN(order_numbers(x->folder, y->folder), order_numbers(x->f.ino, y->f.ino)));
}

static void match_lists(struct tally *t, order_fn *by, bool loosely)
{
	struct list *gone = &t->gone, *fresh = &t->fresh;

	qsort(gone->rec, gone->n, sizeof(*gone->rec), by);
	qsort(fresh->rec, fresh->n, sizeof(*fresh->rec), by);
	for (size_t g = 0, f = 0;
	     g < gone->n && f < fresh->n && !gone->rec[g].taken && !fresh->rec[f].taken;) {
		int r = by(&gone->rec[g], &fresh->rec[f]);

		if (!r) {
			t->counts.renamed++;
			compare_kinds(&t->counts, gone->rec[g].f.kind, fresh->rec[f].f.kind, loosely);
			gone->rec[g++].taken = fresh->rec[f++].taken = true;
		} else if (r < 0) {
			g++;
		} else {
			f++;
		}
	}
}

/* Dense files of no known format that appeared, where others went for good. */
static uint64_t replaced(const struct tally *t)
{
	uint64_t gone = 0, dense = 0;

	for (size_t i = 0; i < t->gone.n; i++)
		gone += !t->gone.rec[i].taken &&
			(kind_is_format(t->gone.rec[i].f.kind) || !kind_is_dense(t->gone.rec[i].f.kind));
	for (size_t i = 0; i < t->fresh.n; i++)
		dense += !t->fresh.rec[i].taken && kind_is_dense(t->fresh.rec[i].f.kind) &&
			 !kind_is_format(t->fresh.rec[i].f.kind);
	return gone < dense ? gone : dense;
}

void tally_so_far(const struct tally *t, uint64_t files, struct guard *ret)
{
	uint64_t fresh = t->fresh.total, gone = t->gone.total;

	*ret = t->counts;
	ret->measured = true;
	ret->before = files > fresh ? files - fresh + gone : gone;
	ret->added = fresh > t->counts.renamed ? fresh - t->counts.renamed : 0;
	ret->deleted = gone > t->counts.renamed ? gone - t->counts.renamed : 0;
}

/* What is known of `kept` of them holds for all. */
static uint64_t extended(uint64_t count, size_t kept, uint64_t total)
{
	return kept && kept < total ? (uint64_t)((double)count / (double)kept * (double)total) : count;
}

void tally_end(struct tally *t, uint64_t files, struct guard *ret)
{
	const struct list *most = t->gone.total > t->fresh.total ? &t->gone : &t->fresh;
	uint64_t renamed;

	if (t->gone.n && t->fresh.n) {
		match_lists(t, by_inode_size_time, false);
		match_lists(t, by_name_size_time, false);
		match_lists(t, by_stem, true);
		match_lists(t, by_folder_inode, true);
		t->counts.dense += replaced(t);
	}
	renamed = t->counts.renamed;
	t->counts.renamed = extended(renamed, most->n, most->total);
	if (t->counts.renamed > t->gone.total || t->counts.renamed > t->fresh.total)
		t->counts.renamed = t->gone.total < t->fresh.total ? t->gone.total : t->fresh.total;
	t->n_recent = 0; /* places have moved */
	tally_so_far(t, files, ret);
}
