/* memstore: a second kind of store, for tests: files in memory under their whole paths, as an object store has them (no folders, no
 * rename, a group is put one document after the other), that fails, lies, is slow or full when it is told to.
 *
 * One operation is opening, reading, sizing, listing, or anything that puts or removes; they are counted from the last memstore_plan() on.
 * Nothing of the product knows this kind: the tables of kinds at the end stand in for the product's own.  One thread puts; several may
 * read. */
#ifndef TESTS_UNIT_WRITE_PUT_MEMSTORE_H
#define TESTS_UNIT_WRITE_PUT_MEMSTORE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "read/store/store_dir.h"
#include "write/put/store_w_dir.h"
#include "write/reap/store_x_dir.h"

#define MEM_PATH  512
#define MEM_FILES 256

struct mem_file {
	char path[MEM_PATH]; /* "": free */
	uint8_t *p;
	size_t n;
	bool frozen;
};

struct memstore {
	pthread_mutex_t lock;
	struct mem_file files[MEM_FILES];
	size_t used, kept, capacity; /* bytes; capacity 0: none */
	/* the plan */
	enum mem_what { MEM_GOOD, MEM_FAIL, MEM_LIE } what;
	unsigned long ops, at; /* the at-th operation (from 1) */
	bool on;	       /* and all after it */
	int error;
	unsigned slow_us; /* every operation */
};

/* A file as it was when it was opened. */
struct mem_open {
	struct memstore *m;
	size_t n;
	uint8_t p[];
};

/* A folder of it. */
struct mem_view {
	struct memstore *m;
	char prefix[MEM_PATH]; /* "" or with a slash at its end */
};

static const struct store_kind mem_kind;
static const struct store_w_kind mem_w;
static const struct store_x_kind mem_x;

static inline void memstore_plan(struct memstore *m, enum mem_what what, unsigned long at, bool on, int error)
{
	m->what = what;
	m->at = at;
	m->on = on;
	m->error = error;
	m->ops = 0;
}

/* -1 with errno: it fails; 1: it lies. */
static int mem_op(struct memstore *m)
{
	bool now;

	if (m->slow_us)
		usleep(m->slow_us);
	pthread_mutex_lock(&m->lock);
	m->ops++;
	now = m->what != MEM_GOOD && (m->on ? m->ops >= m->at : m->ops == m->at);
	pthread_mutex_unlock(&m->lock);
	if (now && m->what == MEM_FAIL)
		errno = m->error;
	return !now ? 0 : m->what == MEM_FAIL ? -1 : 1;
}

static int mem_failed(const char *path, struct err *err)
{
	return err_sys(err, "E-IO-01", errno, "memstore '%s'", path);
}

static int mem_absent(const char *path, struct err *err)
{
	err_sys(err, "E-IO-01", ENOENT, "memstore '%s'", path);
	return STORE_ABSENT;
}

static struct mem_view *mem_view(const struct store *s)
{
	return s->own;
}

static const char *mem_full(const struct store *s, const char *path, char out[MEM_PATH])
{
	size_t n = strlen(path);

	while (n && path[n - 1] == '/')
		n--;
	snprintf(out, MEM_PATH, "%.250s%.*s", mem_view(s)->prefix, (int)(n < 250 ? n : 250), path);
	return out;
}

static struct mem_file *mem_find(struct memstore *m, const char *full)
{
	for (size_t i = 0; i < MEM_FILES; i++)
		if (m->files[i].path[0] && !strcmp(m->files[i].path, full))
			return &m->files[i];
	return NULL;
}

/* Is anything below the folder `full`? */
static bool mem_below_any(const struct memstore *m, const char *full)
{
	const size_t n = strlen(full);

	for (size_t i = 0; i < MEM_FILES; i++)
		if (!n || (!strncmp(m->files[i].path, full, n) && m->files[i].path[n] == '/'))
			return true;
	return false;
}

/* ---- reading ---- */

static int mem_below(const struct store *s, const char *path, struct store *ret, struct err *err)
{
	char full[MEM_PATH];
	struct mem_view *v;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	if (!mem_below_any(mem_view(s)->m, mem_full(s, path, full)))
		return mem_absent(path, err);
	v = calloc(1, sizeof(*v));
	v->m = mem_view(s)->m;
	snprintf(v->prefix, sizeof(v->prefix), "%.500s%s", full, *full ? "/" : "");
	*ret = (struct store){.kind = &mem_kind, .own = v};
	return 0;
}

static void mem_close(struct store *s)
{
	free(s->own);
}

static int mem_open(const struct store *s, const char *path, struct store_file *ret, struct err *err)
{
	char full[MEM_PATH];
	const struct mem_file *f;
	struct mem_open *o;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	f = mem_find(mem_view(s)->m, mem_full(s, path, full));
	if (!f)
		return mem_absent(path, err);
	o = malloc(sizeof(*o) + f->n);
	o->m = mem_view(s)->m;
	o->n = f->n;
	memcpy(o->p, f->p, f->n);
	*ret = (struct store_file){.kind = &mem_kind, .size = (int64_t)f->n, .own = o};
	return 0;
}

static void mem_close_file(struct store_file *f)
{
	free(f->own);
}

static ssize_t mem_read_some(struct store_file *f, void *p, size_t n, int64_t offset)
{
	const struct mem_open *file = f->own;
	int r = mem_op(file->m);

	if (r < 0)
		return -1;
	if ((size_t)offset >= file->n)
		return 0;
	n = n < file->n - (size_t)offset ? n : file->n - (size_t)offset;
	memcpy(p, file->p + offset, n);
	if (r && n)
		((uint8_t *)p)[n / 2] ^= 1;
	return (ssize_t)n;
}

static void mem_nothing(struct store_file *f)
{
	(void)f;
}

static int mem_size(const struct store *s, const char *path, uint64_t *ret_size, struct err *err)
{
	char full[MEM_PATH];
	const struct mem_file *f;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	f = mem_find(mem_view(s)->m, mem_full(s, path, full));
	if (!f)
		return mem_absent(path, err);
	*ret_size = f->n;
	return 0;
}

static bool mem_has(const struct store *s, const char *path)
{
	char full[MEM_PATH];

	mem_full(s, path, full);
	return mem_op(mem_view(s)->m) >= 0 &&
	       (mem_find(mem_view(s)->m, full) || mem_below_any(mem_view(s)->m, full));
}

static int mem_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int mem_list(const struct store *s, const char *path, store_name_fn *fn, void *arg, struct err *err)
{
	char full[MEM_PATH], names[MEM_FILES][MEM_PATH];
	const struct memstore *m = mem_view(s)->m;
	size_t n = 0, len;
	int r = 0;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	mem_full(s, path, full);
	len = strlen(full) - (*full && full[strlen(full) - 1] == '/');
	full[len] = '\0';
	if (!mem_below_any(m, full))
		return mem_absent(path, err);
	for (size_t i = 0; i < MEM_FILES; i++) {
		const char *rest = m->files[i].path + (len ? len + 1 : 0);

		if (m->files[i].path[0] && !strncmp(m->files[i].path, full, len) &&
		    (!len || m->files[i].path[len] == '/'))
			snprintf(names[n++], MEM_PATH, "%.*s", (int)strcspn(rest, "/"), rest);
	}
	qsort(names, n, sizeof(*names), mem_compare);
	for (size_t i = 0; i < n && !r; i++)
		if (!i || strcmp(names[i], names[i - 1]) != 0)
			r = fn(arg, names[i], err);
	return r;
}

static enum rotational mem_rotational(const struct store *s)
{
	(void)s;
	return ROTATIONAL_NONE;
}

static const struct store_kind mem_kind = {
    .below = mem_below,
    .close = mem_close,
    .open = mem_open,
    .close_file = mem_close_file,
    .read_some = mem_read_some,
    .bypass_cache = mem_nothing,
    .drop_cache = mem_nothing,
    .size = mem_size,
    .has = mem_has,
    .list = mem_list,
    .rotational = mem_rotational,
};

/* ---- putting ---- */

struct mem_put {
	struct store_w w;
	struct store mine;
};

struct mem_staged {
	struct store_staged s;
	uint8_t *p;
	size_t n;
};

/* The file `full` is these bytes.  A lie: it says so. */
static int mem_put(struct memstore *m, const char *full, const void *p, size_t n, struct err *err)
{
	struct mem_file *f = mem_find(m, full);
	int r = mem_op(m);

	for (size_t i = 0; !f && i < MEM_FILES; i++)
		f = m->files[i].path[0] ? NULL : &m->files[i];
	if (!r && m->capacity && m->used - f->n + m->kept + n > m->capacity) {
		errno = ENOSPC;
		r = -1;
	}
	if (r)
		return r > 0 ? 0 : mem_failed(full, err);
	m->used += n - f->n;
	free(f->p);
	snprintf(f->path, sizeof(f->path), "%s", full);
	f->p = malloc(n + 1);
	memcpy(f->p, p, n);
	f->n = n;
	return 0;
}

static int mem_w_open(
    const struct store *s, const char *const *folders, size_t n, struct store_w **ret, struct err *err)
{
	struct mem_put *w;

	(void)folders, (void)n;
	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed("", err);
	w = calloc(1, sizeof(*w));
	w->w.kind = &mem_w;
	w->w.reads = (struct store){.kind = &mem_kind, .own = malloc(sizeof(struct mem_view))};
	memcpy(w->w.reads.own, s->own, sizeof(struct mem_view));
	*ret = &w->w;
	return 0;
}

static void mem_w_close(struct store_w *w)
{
	store_close(&w->reads);
	free(w);
}

static int mem_stage(struct store_w *w, struct store_staged **ret, struct err *err)
{
	if (mem_op(mem_view(&w->reads)->m) < 0)
		return mem_failed("", err);
	*ret = calloc(1, sizeof(struct mem_staged));
	return 0;
}

static int mem_append(struct store_staged *s, const void *p, size_t n, struct err *err)
{
	struct mem_staged *f = (struct mem_staged *)s;

	(void)err;
	f->p = realloc(f->p, f->n + n + 1);
	memcpy(f->p + f->n, p, n);
	f->n += n;
	return 0;
}

static void mem_discard(struct store_w *w, struct store_staged *s)
{
	(void)w;
	free(((struct mem_staged *)s)->p);
	free(s);
}

static int mem_settle_staged(
    struct store_w *w, struct store_staged *s, const char *path, bool anew, struct err *err)
{
	const struct mem_staged *f = (const struct mem_staged *)s;
	char full[MEM_PATH];
	int r = STORE_W_TAKEN;

	if (!anew || !mem_find(mem_view(&w->reads)->m, mem_full(&w->reads, path, full)))
		r = mem_put(mem_view(&w->reads)->m, mem_full(&w->reads, path, full), f->p, f->n, err);
	mem_discard(w, s);
	return r;
}

static int mem_publish(struct store_w *w, struct store_staged *s, const char *path, struct err *err)
{
	return mem_settle_staged(w, s, path, true, err);
}

static int mem_replace_staged(
    struct store_w *w, struct store_staged *s, const char *path, mode_t mode, struct err *err)
{
	(void)mode;
	return mem_settle_staged(w, s, path, false, err);
}

static int mem_publish_group(
    struct store_w *w, const char *dir, const struct store_doc *docs, size_t n, struct err *err)
{
	char full[MEM_PATH], path[MEM_PATH];

	if (mem_below_any(mem_view(&w->reads)->m, mem_full(&w->reads, dir, full)))
		return STORE_W_TAKEN;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.300s/%.100s", full, docs[i].name);
		if (mem_put(mem_view(&w->reads)->m, path, docs[i].p, docs[i].n, err))
			return -1;
	}
	return 0;
}

static int mem_settle(const struct store *s, const char *path, struct err *err)
{
	return mem_op(mem_view(s)->m) < 0 ? mem_failed(path, err) : 0;
}

static int mem_add(const struct store *s, const char *path, const void *p, size_t n, struct err *err)
{
	char full[MEM_PATH];

	return mem_find(mem_view(s)->m, mem_full(s, path, full))
		   ? err_set(err, "E-IO-05", "memstore '%s' is taken", path)
		   : mem_put(mem_view(s)->m, full, p, n, err);
}

static void mem_forget(struct memstore *m, struct mem_file *f)
{
	m->used -= f->n;
	free(f->p);
	*f = (struct mem_file){.path = ""};
}

static int mem_withdraw(const struct store *s, const char *path, struct err *err)
{
	char full[MEM_PATH];
	struct mem_file *f = mem_find(mem_view(s)->m, mem_full(s, path, full));
	int r = mem_op(mem_view(s)->m);

	if (!r && f)
		mem_forget(mem_view(s)->m, f);
	return r < 0 ? mem_failed(path, err) : 0;
}

static int mem_set_aside(const struct store *s, const char *path, const char *to, struct err *err)
{
	char full[MEM_PATH], target[MEM_PATH];
	struct mem_file *f = mem_find(mem_view(s)->m, mem_full(s, path, full));

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	if (!f || mem_find(mem_view(s)->m, mem_full(s, to, target)))
		return err_set(err, "E-IO-05", "memstore '%s' is taken", to);
	memcpy(f->path, target, sizeof(target));
	return 0;
}

static int mem_freeze(struct store_w *w, const char *path)
{
	char full[MEM_PATH];
	struct mem_file *f = mem_find(mem_view(&w->reads)->m, mem_full(&w->reads, path, full));

	if (!f)
		return ENOENT;
	f->frozen = true;
	return 0;
}

static int mem_replace(
    const struct store *s, const char *path, mode_t mode, const void *p, size_t n, struct err *err)
{
	char full[MEM_PATH];

	(void)mode;
	return mem_put(mem_view(s)->m, mem_full(s, path, full), p, n, err);
}

static void mem_reserve(struct store_w *w, uint64_t bytes)
{
	mem_view(&w->reads)->m->kept = (size_t)bytes;
}

static int mem_release(struct store_w *w, struct err *err)
{
	(void)err;
	mem_view(&w->reads)->m->kept = 0;
	return 0;
}

static const struct store_w_kind mem_w = {
    .reads = &mem_kind,
    .open = mem_w_open,
    .close = mem_w_close,
    .stage = mem_stage,
    .append = mem_append,
    .discard = mem_discard,
    .publish = mem_publish,
    .publish_group = mem_publish_group,
    .replace_staged = mem_replace_staged,
    .freeze = mem_freeze,
    .reserve = mem_reserve,
    .release = mem_release,
    .settle = mem_settle,
    .add = mem_add,
    .replace = mem_replace,
    .withdraw = mem_withdraw,
    .set_aside = mem_set_aside,
};

/* ---- removing ---- */

struct mem_remove {
	struct store_x x;
	const struct store *s;
};

static int mem_x_open(const struct store *s, struct store_x **ret, struct err *err)
{
	struct mem_remove *x;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed("", err);
	x = calloc(1, sizeof(*x));
	x->x.kind = &mem_x;
	x->s = s;
	*ret = &x->x;
	return 0;
}

static int mem_own(const struct store *s, const char *folder, struct err *err)
{
	(void)folder; /* there are none, and no mounts */
	return mem_op(mem_view(s)->m) < 0 ? mem_failed("", err) : 0;
}

static void mem_x_close(struct store_x *x)
{
	free(x);
}

static int mem_x_remove(
    struct store_x *x, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
	const struct store *s = ((struct mem_remove *)x)->s;
	char full[MEM_PATH];
	struct mem_file *f;

	if (mem_op(mem_view(s)->m) < 0)
		return mem_failed(path, err);
	f = mem_find(mem_view(s)->m, mem_full(s, path, full));
	if (!f)
		return 0;
	++*ret_files;
	*ret_bytes += f->n;
	mem_forget(mem_view(s)->m, f);
	return 0;
}

static int mem_retire(struct store_x *x, const char *dir, const char *to, struct err *err)
{
	const struct store *s = ((struct mem_remove *)x)->s;
	struct memstore *m = mem_view(s)->m;
	char full[MEM_PATH], target[MEM_PATH], rest[MEM_PATH];

	if (mem_op(m) < 0)
		return mem_failed(dir, err);
	mem_full(s, dir, full);
	if (mem_below_any(m, mem_full(s, to, target)))
		return STORE_X_TAKEN;
	for (size_t i = 0; i < MEM_FILES; i++) {
		struct mem_file *f = &m->files[i];

		if (strncmp(f->path, full, strlen(full)) != 0 || f->path[strlen(full)] != '/')
			continue;
		snprintf(rest, sizeof(rest), "%s", f->path + strlen(full));
		snprintf(f->path, sizeof(f->path), "%.250s%.250s", target, rest);
	}
	return 0;
}

static int mem_drop(struct store_x *x, const char *dir, struct err *err)
{
	(void)x, (void)dir, (void)err; /* there are no folders */
	return 0;
}

static int mem_sync(struct store_x *x, struct err *err)
{
	(void)x, (void)err;
	return 0;
}

static const struct store_x_kind mem_x = {
    .reads = &mem_kind,
    .open = mem_x_open,
    .own = mem_own,
    .close = mem_x_close,
    .remove = mem_x_remove,
    .retire = mem_retire,
    .drop = mem_drop,
    .sync = mem_sync,
};

/* ---- what the test has ---- */

static inline struct store memstore_open(struct memstore *m)
{
	struct mem_view *v = calloc(1, sizeof(*v));

	v->m = m;
	return (struct store){.kind = &mem_kind, .own = v};
}

static inline struct memstore *memstore_new(void)
{
	struct memstore *m = calloc(1, sizeof(*m));

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static inline void memstore_free(struct memstore *m)
{
	for (size_t i = 0; i < MEM_FILES; i++)
		free(m->files[i].p);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* All of it as files, for other programs to judge: put(arg, path, bytes, number of them). */
static inline void memstore_each(
    const struct memstore *m, void (*put)(void *arg, const char *, const void *, size_t), void *arg)
{
	for (size_t i = 0; i < MEM_FILES; i++)
		if (m->files[i].path[0])
			put(arg, m->files[i].path, m->files[i].p, m->files[i].n);
}

/* The place "mem:" is this one. */
static struct memstore *memstore_place;

int store_open_place(const char *place, struct store *ret, struct err *err)
{
	if (strcmp(place, "mem:") != 0)
		return store_dir_open(place, ret, err);
	*ret = memstore_open(memstore_place);
	return 0;
}

const struct store_w_kind *const store_w_kinds[] = {&mem_w, &store_w_dir, NULL};
const struct store_x_kind *const store_x_kinds[] = {&mem_x, &store_x_dir, NULL};

#endif
