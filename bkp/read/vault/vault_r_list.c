/* vault_r_list: which generations are on a medium, and which of them a selector means; see vault_r.h.
 *
 * First the names alone (collect), then one after the other: so what is done with one cannot disturb the
 * listing, and a data set's folder that cannot be read hides no other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/medium/selector.h"
#include "read/store/store.h"
#include "read/vault/vault_r.h"
#include "read/vault/vault_r_private.h"

#define NAMED_MAX ((size_t)1 << 20) /* generations; a medium with more cannot be listed */
#define SHOWN_MAX 8		    /* in a message; a hostile medium may have thousands */

struct named {
	char dataset[GENERATION_NAME];
	uint64_t number;
};

/* Of one data set. */
static int by_number(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

struct collecting {
	struct buf *found; /* struct named, one after the other */
	struct named of;
};

static int collect_number(void *arg, const char *name, struct err *err)
{
	struct collecting *c = arg;

	return generation_dir_parse(name, &c->of.number) ? 0
							 : buf_append(c->found, &c->of, sizeof(c->of), err);
}

/* One without a generation counts with number 0. */
static int collect_set(void *arg, const char *name, struct err *err)
{
	struct collecting *c = arg;
	struct named n = {.number = 0};

	if (!generation_name_ok(name))
		return 0;
	memcpy(n.dataset, name, strlen(name) + 1);
	return buf_append(c->found, &n, sizeof(n), err);
}

static struct named *named_at(const struct buf *b, size_t i)
{
	return (struct named *)(void *)b->p + i;
}

static size_t named_count(const struct buf *b)
{
	return b->n / sizeof(struct named);
}

/* The data sets that have a folder, in the order of their names. */
static int collect_sets(struct vault_r *v, struct buf *found, struct err *err)
{
	struct collecting c = {.found = found};
	int r = store_list(&v->store, "datasets", collect_set, &c, err);

	return r == STORE_ABSENT ? 0 : r;
}

/* The generations of a data set, ascending.  What is no folder holds none: the inventory names it. */
static int collect_numbers(struct vault_r *v, const char *dataset, struct buf *found, struct err *err)
{
	struct collecting c = {.found = found};
	char set[GENERATION_SET_DIR], path[GENERATION_SET_DIR + GENERATION_DIR];
	const size_t before = named_count(found);
	struct err why = ERR_INIT;
	int r;

	memcpy(c.of.dataset, dataset, strlen(dataset) + 1);
	snprintf(path, sizeof(path), "%s/generations", generation_set_dir(dataset, set));
	r = store_list(&v->store, path, collect_number, &c, &why);
	if (named_count(found) > before)
		qsort(named_at(found, before), named_count(found) - before, sizeof(struct named), by_number);
	if (r >= 0 || (why.errnum && !err_is_unread(&why)))
		return 0;
	if (err)
		*err = why;
	return -1;
}

int vault_r_numbers(struct vault_r *v, const char *dataset, vault_r_number_fn *fn, void *arg, struct err *err)
{
	BUF_AUTO sets = BUF_INIT(NAMED_MAX * sizeof(struct named));
	BUF_AUTO found = BUF_INIT(NAMED_MAX * sizeof(struct named));
	struct collecting one = {.found = &sets};
	struct err why = ERR_INIT;
	bool failed = false;
	int r = dataset ? collect_set(&one, dataset, err) : collect_sets(v, &sets, err);

	for (size_t i = 0; !r && i < named_count(&sets); i++)
		failed |= collect_numbers(v, named_at(&sets, i)->dataset, &found, failed ? NULL : &why) != 0;
	for (size_t i = 0; !r && i < named_count(&found); i++)
		r = fn(arg, named_at(&found, i)->dataset, named_at(&found, i)->number, err);
	if (!r && failed && err)
		*err = why;
	return r ? r : failed ? -1 : 0;
}

/* ---- with their states ---- */

const char *vault_r_state_word(enum vault_r_state s)
{
	static const char *const words[] = {"complete", "incomplete", "damaged", "forged", "newer"};

	return words[s];
}

static void first_fault(void *arg, const char *file, const struct err *fault)
{
	struct err *why = arg;

	(void)file;
	if (!why->code[0])
		*why = *fault;
}

static enum vault_r_state state_of(const struct err *why)
{
	if (why->kind == ERR_INCOMPLETE)
		return VAULT_R_INCOMPLETE;
	if (why->kind == ERR_NEWER)
		return VAULT_R_NEWER;
	/* what was signed by this repository and yet says nonsense was not written by it */
	if (why->kind == ERR_FORGED || why->kind == ERR_MALFORMED)
		return VAULT_R_FORGED;
	return VAULT_R_DAMAGED;
}

struct listing {
	struct vault_r *v;
	vault_r_list_fn *fn;
	void *arg;
};

static int list_one(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	const struct listing *l = arg;
	struct vault_r_listed listed = {.dataset = dataset, .number = number, .why = ERR_INIT};
	struct vault_r_generation *g = NULL;
	int r;

	if (!vault_r_generation_open(l->v, dataset, number, &g, &listed.why)) {
		listed.manifest = vault_r_manifest(g);
		if (vault_r_presence(l->v, g, first_fault, &listed.why, &listed.missing, &listed.why))
			listed.missing = 1;
	}
	listed.state = listed.why.code[0] ? state_of(&listed.why) : VAULT_R_COMPLETE;
	r = l->fn(l->arg, &listed, err);
	vault_r_generation_close(g);
	return r;
}

int vault_r_list(struct vault_r *v, const char *dataset, vault_r_list_fn *fn, void *arg, struct err *err)
{
	struct listing l = {v, fn, arg};

	return vault_r_numbers(v, dataset, list_one, &l, err);
}

/* ---- which one is meant ---- */

/* "emr@41, emr@42", or the names of the data sets when there is none of this one; of many the last. */
static int say_which(struct vault_r *v, const struct buf *found, struct buf *out, struct err *err)
{
	BUF_AUTO sets = BUF_INIT(NAMED_MAX * sizeof(struct named));
	const struct buf *from = named_count(found) ? found : &sets;
	char label[GENERATION_LABEL];

	if (from == &sets && collect_sets(v, &sets, err))
		return -1;
	for (size_t n = named_count(from), i = n > SHOWN_MAX ? n - SHOWN_MAX : 0; i < n; i++) {
		const struct named *g = named_at(from, i);

		if (buf_printf(out, err, "%s%s", out->n ? ", " : "",
			g->number ? generation_label(g->dataset, g->number, label) : g->dataset))
			return -1;
	}
	return (!out->n && buf_puts(out, text("nothing"), err)) || buf_terminate(out, err) ? -1 : 0;
}

static int none_fits(struct vault_r *v, const struct selector *s, const char *dataset,
    const struct buf *found, struct err *err)
{
	BUF_AUTO there = BUF_INIT(65536);
	char label[GENERATION_LABEL];

	if (say_which(v, found, &there, err))
		return -1;
	if (s->kind == SELECTOR_NUMBER)
		return err_set_kind(err, ERR_ABSENT, "E-VAULT-04",
		    text("generation %s is not on this medium; there is: %s"),
		    generation_label(dataset, s->number, label), (char *)there.p);
	return err_set_kind(err, ERR_ABSENT, "E-VAULT-04",
	    text("no generation of '%s' on this medium is what was asked for; there is: %s"), dataset,
	    (char *)there.p);
}

enum meant { MEANT, NOT_MEANT, UNFINISHED, UNKNOWN };

/* UNFINISHED: a capture that was not, and so is no generation.  UNKNOWN: why it cannot be told. */
static enum meant is_meant(
    struct vault_r *v, const struct selector *s, const struct named *n, int64_t now_ns, struct err *why)
{
	const struct generation_manifest *m;
	struct vault_r_generation *g;
	bool fits;
	int r;

	if (s->kind == SELECTOR_NUMBER) /* what it is like is asked by who opens it */
		return n->number == s->number ? MEANT : NOT_MEANT;
	r = vault_r_generation_open(v, n->dataset, n->number, &g, why);
	if (r)
		return r == VAULT_R_UNSIGNED ? UNFINISHED : UNKNOWN;
	m = vault_r_manifest(g);
	fits = selector_fits(s, n->number, m->begun_ns, m->utc_offset_s, now_ns);
	vault_r_generation_close(g);
	return fits ? MEANT : NOT_MEANT;
}

/* From the newest back.  Where one that cannot be opened may be the one, no older one is taken for it. */
static int select_from(struct vault_r *v, const struct selector *s, const char *dataset,
    const struct buf *found, uint64_t *ret_number, struct err *err)
{
	const struct named *bad = NULL, *n = NULL;
	enum meant m = NOT_MEANT;
	char label[GENERATION_LABEL];
	struct clock_stamp now;
	struct err why = ERR_INIT, fault = ERR_INIT;

	clock_now(&now);
	for (size_t i = named_count(found); i-- > 0 && m != MEANT;) {
		n = named_at(found, i);
		m = is_meant(v, s, n, now.wall_ns, &fault);
		if (m == UNKNOWN && !bad) {
			bad = n;
			why = fault;
		} else if (m == NOT_MEANT) {
			bad = NULL; /* newer than one that is too new: too new itself */
		}
	}
	if (m == MEANT && !bad) {
		*ret_number = n->number;
		return 0;
	}
	if (!bad)
		return none_fits(v, s, dataset, found, err);
	if (err)
		*err = why;
	err_wrap(err, text("generation %s may be the one that is meant"),
	    generation_label(dataset, bad->number, label));
	return err_hint(err, text("to take an older one, name it by its number: %s@NUMBER"), dataset);
}

int vault_r_select(
    struct vault_r *v, const struct selector *s, const char *dataset, uint64_t *ret_number, struct err *err)
{
	BUF_AUTO found = BUF_INIT(NAMED_MAX * sizeof(struct named));

	return (generation_name_ok(dataset) && collect_numbers(v, dataset, &found, err)) ||
		       select_from(v, s, dataset, &found, ret_number, err)
		   ? -1
		   : 0;
}
