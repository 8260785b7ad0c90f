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
#include "base/fnv.h"
#include "format/guard/guard.h"
#include "format/guard/kind.h"
#include "format/guard/signs.h"

#define RECENT	       32 /* files gone last whose names are kept: a longer name sorts closely after it */
#define REPLACED_LEAST 10
#define RECENT_PATH    4096 /* longer ones are matched otherwise */

/* A file that is gone, or one that appeared. */
struct rec {
	struct tally_file f;
	uint64_t folder, stem, base; /* hashes of: the folder; folder and name without extension; the name */
	uint64_t extension;	     /* and of this */
	struct strata_of of;
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
	struct guard counts; /* changed, renamed, harm, strange */
	/* former extensions of what was sealed; of what was renamed to another or is gone: a bit each */
	uint64_t sealed_exts, replaced_exts;
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
	t->sealed_exts = t->replaced_exts = 0;
	memset(&t->counts, 0, sizeof(t->counts));
}

static struct rec make_record(const char *path, const struct tally_file *f, struct strata_of of)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	uint64_t folder = fnv_bytes(FNV_START, path, (size_t)(name - path));

	return (struct rec){*f, folder, fnv_bytes(folder, name, stem),
	    fnv_bytes(FNV_START, name, strlen(name)), signs_hash(name), of, false};
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

static uint64_t bit(uint64_t hash)
{
	return UINT64_C(1) << (hash * 0x9e3779b97f4a7c15u >> 58);
}

static void count_harm(struct tally *t, unsigned harm, uint64_t was_extension, uint64_t size)
{
	struct guard *g = &t->counts;

	g->lost += (harm & PROFILE_LOST) != 0;
	g->dense += (harm & PROFILE_DENSE) != 0;
	g->broken += (harm & PROFILE_SPOILT) != 0;
	g->sealed += (harm & PROFILE_SEALED) != 0;
	if (harm & PROFILE_SEALED)
		t->sealed_exts |= bit(was_extension);
	if (harm & ~(unsigned)PROFILE_SEALED) {
		g->harmed++;
		g->harmed_bytes += size;
	}
}

/* A file has another name now. */
static void take_renamed(struct tally *t, const struct rec *was, const struct rec *now)
{
	t->counts.renamed++;
	if (was->extension != now->extension)
		t->replaced_exts |= bit(was->extension);
	count_harm(t, profile_harm(&was->f.profile, &now->f.profile, false), was->extension, now->f.size);
}

int tally_gone(
    struct tally *t, const char *path, const struct tally_file *was, struct strata_of of, struct err *err)
{
	struct rec r = make_record(path, was, of);
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
	struct rec r = make_record(path, now, (struct strata_of){0, 0});
	size_t from = t->n_recent ? shorter_name(t, path) : SIZE_MAX, at;

	t->counts.strange += strange;
	r.taken = from != SIZE_MAX;
	if (keep_record(&t->fresh, &r, &at, err))
		return -1;
	if (at == SIZE_MAX || from == SIZE_MAX)
		return 0;
	t->gone.rec[from].taken = true;
	take_renamed(t, &t->gone.rec[from], &r);
	return 0;
}

struct tally_kept tally_kept(struct tally *t, const char *path, const struct tally_file *was,
    const struct tally_file *now, enum tally_content content)
{
	struct tally_kept k = {content == TALLY_ANOTHER, 0};
	/* zeros where nothing was are no harm */
	const struct profile none = {KIND_UNKNOWN, 0},
			     *before = was->size || now->profile.kind != KIND_ZERO ? &was->profile : &none;

	if (content == TALLY_UNKNOWN)
		k.changed =
		    was->size != now->size || was->mtime_ns != now->mtime_ns ||
		    (was->profile.kind && now->profile.kind && was->profile.kind != now->profile.kind);
	if (content == TALLY_SAME)
		return k;
	k.harm = profile_harm(before, &now->profile, k.changed && was->size == now->size);
	t->counts.changed += k.changed;
	t->counts.sound += k.changed && !k.harm && profile_soundness(&now->profile) == INSIDE_PROVEN;
	count_harm(t, k.harm, signs_hash(path), now->size);
	return k;
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

static void match_lists(struct tally *t, order_fn *by)
{
	struct list *gone = &t->gone, *fresh = &t->fresh;

	qsort(gone->rec, gone->n, sizeof(*gone->rec), by);
	qsort(fresh->rec, fresh->n, sizeof(*fresh->rec), by);
	for (size_t g = 0, f = 0;
	     g < gone->n && f < fresh->n && !gone->rec[g].taken && !fresh->rec[f].taken;) {
		int r = by(&gone->rec[g], &fresh->rec[f]);

		if (!r) {
			take_renamed(t, &gone->rec[g], &fresh->rec[f]);
			gone->rec[g++].taken = fresh->rec[f++].taken = true;
		} else if (r < 0) {
			g++;
		} else {
			f++;
		}
	}
}

/* What appeared that is opaque or sealed, where others went for good: taken to be each other's replacement. */
static void take_replaced(struct tally *t, struct strata *strata, const struct signs *signs)
{
	uint64_t gone = 0, opaque = 0, sealed = 0, bytes = 0, exts = 0;

	for (size_t i = 0; i < t->gone.n; i++) {
		const struct rec *r = &t->gone.rec[i];

		if (r->taken)
			continue;
		gone += profile_sign(&r->f.profile) != SIGN_OPAQUE;
		exts |= bit(r->extension);
		if (strata)
			strata_gone(strata, r->of, r->f.mtime_ns);
	}
	for (size_t i = 0; i < t->fresh.n; i++) {
		const struct rec *r = &t->fresh.rec[i];
		enum profile_sign sign = profile_sign(&r->f.profile);

		if (r->taken || (sign != SIGN_OPAQUE && sign != SIGN_SEALED) ||
		    (signs && signs_is_usual(signs, r->extension, sign)))
			continue;
		opaque += sign == SIGN_OPAQUE;
		sealed += sign == SIGN_SEALED;
		bytes += sign == SIGN_OPAQUE ? r->f.size : 0;
	}
	/* some files of other kinds go each night: a few that come are not what replaces them */
	if (opaque + sealed >= REPLACED_LEAST) {
		t->sealed_exts |= sealed >= REPLACED_LEAST ? exts : 0;
		t->replaced_exts |= exts;
	}
	t->counts.dense += gone < opaque ? gone : opaque;
	t->counts.harmed += gone < opaque ? gone : opaque;
	t->counts.harmed_bytes += gone ? bytes : 0;
	t->counts.sealed += gone < sealed ? gone : sealed;
}

static unsigned bits(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}

void tally_so_far(const struct tally *t, uint64_t files, struct guard *ret)
{
	uint64_t fresh = t->fresh.total, gone = t->gone.total;

	*ret = t->counts;
	ret->sealed_in = bits(t->sealed_exts);
	ret->replaced_in = bits(t->replaced_exts);
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

void tally_end(
    struct tally *t, uint64_t files, struct strata *strata, const struct signs *signs, struct guard *ret)
{
	const struct list *most = t->gone.total > t->fresh.total ? &t->gone : &t->fresh;
	uint64_t renamed;

	if (t->gone.n && t->fresh.n) {
		match_lists(t, by_inode_size_time);
		match_lists(t, by_name_size_time);
		match_lists(t, by_stem);
		match_lists(t, by_folder_inode);
	}
	take_replaced(t, strata, signs);
	renamed = t->counts.renamed;
	t->counts.renamed = extended(renamed, most->n, most->total);
	if (t->counts.renamed > t->gone.total || t->counts.renamed > t->fresh.total)
		t->counts.renamed = t->gone.total < t->fresh.total ? t->gone.total : t->fresh.total;
	t->n_recent = 0; /* places have moved */
	tally_so_far(t, files, ret);
}
