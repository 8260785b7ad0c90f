/* sweep: see sweep.h.
 *
 * A block is known by its key (catalog_r_block_key).  Its matches hang on it, and each match points to the span it was counted in last: where
 * the generation before had it as well, the span is made longer without looking at the path. */
#include "restore/look/sweep.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/vault/catalog_r.h"
#include "restore/app/app.h"
#include "restore/look/version.h"

struct path {
	const char *name; /* of its first version */
	struct sweep_span *first, *last;
};

struct match {
	struct version *v;
	struct path *path;
	struct sweep_span *span; /* counted in last */
	struct match *next;
};

struct block {
	uint8_t key[DIGEST_LEN];
	struct match *matches;
	bool lost;
	struct block *before; /* that was made before it */
};

struct sweep {
	sweep_match_fn *match;
	const char *only;
	sweep_fault_fn *fault;
	void *arg;
	void *blocks, *paths; /* tsearch(3) */
	struct block *newest;
	size_t bytes, max;
	struct block *reading;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_LEN);
}

static int by_name(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	return path_compare(x->name, y->name);
}

struct sweep *sweep_new(sweep_match_fn *match, const char *only, sweep_fault_fn *fault, void *arg)
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct sweep){
		    .match = match, .only = only, .fault = fault, .arg = arg, .max = SWEEP_MAX};
	return s;
}

static void path_free(void *arg)
{
	struct path *p = arg;

	for (struct sweep_span *next, *s = p->first; s; s = next) {
		next = (struct sweep_span *)(uintptr_t)s->next;
		free(s);
	}
	free(p);
}

static void keep(void *node)
{
	(void)node;
}

void sweep_free(struct sweep *s)
{
	struct block *b;
	struct match *m;

	if (!s)
		return;
	tdestroy(s->paths, path_free);
	tdestroy(s->blocks, keep);
	while ((b = s->newest)) {
		s->newest = b->before;
		while ((m = b->matches)) {
			b->matches = m->next;
			free(m->v);
			free(m);
		}
		free(b);
	}
	free(s);
}

/* ---- one block ---- */

static int take_match(void *arg, const struct catalog_item *item, struct err *err)
{
	struct sweep *s = arg;
	struct version v;
	struct match *m;

	if (!s->match(s->arg, item->path))
		return 0;
	if (s->bytes > s->max) {
		err_set(err, "E-LOOK-01", text("more entries are of that name than can be kept (%zu MiB)"),
		    s->max >> 20);
		return err_hint(
		    err, "%s", text("narrow it: a longer name, one data set, or fewer --generations"));
	}
	if (version_of(item, &v, err))
		return -1;
	m = calloc(1, sizeof(*m));
	if (!m || !(m->v = version_copy(&v, &s->bytes))) {
		free(m);
		return err_nomem(err);
	}
	s->bytes += sizeof(*m) + sizeof(struct path) + sizeof(struct sweep_span);
	m->next = s->reading->matches;
	s->reading->matches = m;
	return 0;
}

static void tell(const struct sweep *s, const struct app_generation *g, struct err *why)
{
	err_wrap(why, "%s", g->label);
	s->fault(s->arg, why);
}

static int read_block(struct sweep *s, const struct catalog_r *c, struct app_generation *g, size_t number,
    struct block *b, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	s->reading = b;
	r = catalog_r_block(c, g->arc, number, NULL, take_match, s, &why);
	b->lost = r == CATALOG_R_LOST;
	if (b->lost) {
		tell(s, g, &why);
		return 0;
	}
	if (r && err)
		*err = why;
	return r;
}

/* One that was damaged is tried again: another generation may have it stored elsewhere. */
static struct block *block_of(
    struct sweep *s, const struct catalog_r *c, struct app_generation *g, size_t number, struct err *err)
{
	struct block *b = calloc(1, sizeof(*b)), **at;

	if (!b) {
		err_nomem(err);
		return NULL;
	}
	catalog_r_block_key(c, number, b->key);
	at = tsearch(b, &s->blocks, by_key);
	if (!at) {
		free(b);
		err_nomem(err);
		return NULL;
	}
	if (*at != b) {
		free(b);
		b = *at;
		if (!b->lost || b->matches)
			return b;
	} else {
		b->before = s->newest;
		s->newest = b;
		s->bytes += sizeof(*b);
	}
	return read_block(s, c, g, number, b, err) ? NULL : b;
}

/* ---- which generations ---- */

static struct path *path_of(struct sweep *s, const char *name, struct err *err)
{
	struct path *p = calloc(1, sizeof(*p)), **at = NULL;

	if (p) {
		p->name = name;
		at = tsearch(p, &s->paths, by_name);
	}
	if (!at || *at != p)
		free(p);
	if (!at) {
		err_nomem(err);
		return NULL;
	}
	return *at;
}

static int count_match(struct sweep *s, struct match *m, size_t place, struct err *err)
{
	struct sweep_span *span;

	if (m->span && m->span->last + 1 == place) {
		m->span->last = place;
		return 0;
	}
	if (!m->path && !(m->path = path_of(s, m->v->e.path, err)))
		return -1;
	span = m->path->last;
	if (!span || span->last + 1 != place || version_differs(span->v, m->v)) {
		span = malloc(sizeof(*span));
		if (!span)
			return err_nomem(err);
		*span = (struct sweep_span){.v = m->v, .first = place};
		if (m->path->last)
			m->path->last->next = span;
		else
			m->path->first = span;
		m->path->last = span;
	}
	span->last = place;
	m->span = span;
	return 0;
}

static int count_block(struct sweep *s, const struct catalog_r *c, struct app_generation *g, size_t number,
    size_t place, struct err *err)
{
	struct block *b = block_of(s, c, g, number, err);

	for (struct match *m = b ? b->matches : NULL; m; m = m->next)
		if (count_match(s, m, place, err))
			return -1;
	return b ? 0 : -1;
}

int sweep_generation(struct sweep *s, size_t place, struct app_generation *g, struct err *err)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	size_t i = 0, end;
	int r = 0;

	if (catalog_r_open(g->arc, &g->root->dataset, &c, &why)) {
		tell(s, g, &why);
		return 0;
	}
	end = catalog_r_blocks(c);
	if (s->only && end) {
		i = catalog_r_block_of(c, s->only);
		end = i + 1;
	}
	for (; !r && i < end; i++)
		r = count_block(s, c, g, i, place, err);
	catalog_r_close(c);
	return r;
}

/* ---- what was found ---- */

struct each {
	sweep_each_fn *fn;
	void *arg;
};

static void visit(const void *node, VISIT which, void *arg)
{
	const struct path *p = *(struct path *const *)node;
	const struct each *e = arg;

	if (which == postorder || which == leaf)
		e->fn(e->arg, p->name, p->first);
}

void sweep_each(const struct sweep *s, sweep_each_fn *fn, void *arg)
{
	struct each e = {fn, arg};

	twalk_r(s->paths, visit, &e);
}
