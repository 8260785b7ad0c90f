/* disc_plan: see disc_plan.h.
 *
 * plan → candidates (what is asked for and on no disc yet) → each with its files as the signed SHA256SUMS list them → fill(), disc by disc;
 * the first of them is ours, the others are counted. */
#include "write/disc/disc_plan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/digestset.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"

#define FILES_MAX ((size_t)8 << 20)
#define NAMES	  1200 /* bytes for its names, attributes and folders in both trees, generously */
#define PATH	  4096
#define TEXT	  256

struct candidate {
	const struct ledger_generation *g;
	size_t rank; /* among those of its data set: the newest has 0 */
	unsigned urgency;
	struct disc_list archives, documents;
	uint64_t next; /* of its archives: those before stand on other discs */
	bool split, done;
};

struct planning {
	struct disc_plan *p;
	struct candidate *all;
	size_t n;
};

uint64_t disc_room(uint64_t size)
{
	return (size + DISC_BLOCK - 1) / DISC_BLOCK * DISC_BLOCK + NAMES;
}

int disc_list_add(struct disc_list *l, const char *to, const char *from, const uint8_t sha256[DIGEST_LEN],
    uint64_t size, struct err *err)
{
	struct disc_file f = {.to = strdup(to), .from = strdup(from), .size = size};

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct disc_file *more = reallocarray(l->file, room, sizeof(*more));

		if (more) {
			l->file = more;
			l->room = room;
		}
	}
	if (!f.to || !f.from || l->n == l->room) {
		free(f.to);
		free(f.from);
		return err_nomem(err);
	}
	memcpy(f.sha256, sha256, DIGEST_LEN);
	l->file[l->n++] = f;
	return 0;
}

void disc_list_free(struct disc_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->file[i].to);
		free(l->file[i].from);
	}
	free(l->file);
	memset(l, 0, sizeof(*l));
}

/* ---- what is asked for ---- */

static bool is_of_series(const struct disc_plan *p, const struct ledger_medium *m)
{
	return m && !m->retired_ns && policy_series_has(p->series, m->label);
}

static bool is_on_disc(const struct disc_plan *p, const struct ledger_generation *g)
{
	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];

		if (c->ok && c->verified_ns && !c->damaged_ns &&
		    is_of_series(p, ledger_medium_by_uuid(p->ledger, c->medium)))
			return true;
	}
	return false;
}

static uint64_t number_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* Up to which archive the generation stands on discs already, without a gap. */
static uint64_t parts_on_discs(const struct disc_plan *p, const struct ledger_generation *g)
{
	uint64_t next = 0;
	bool more = !p->again;

	while (more) {
		more = false;
		for (size_t i = 0; i < ledger_media(p->ledger); i++) {
			const struct ledger_medium *m = ledger_medium(p->ledger, i);
			const json_t *part;
			size_t k;

			if (!is_of_series(p, m))
				continue;
			json_array_foreach(m->parts, k, part)
			{
				uint64_t first = number_of(part, "first"), n = number_of(part, "archives");

				if (strcmp(journal_text(part, "dataset"), g->dataset) != 0 ||
				    number_of(part, "generation") != g->number || first > next ||
				    first + n <= next)
					continue;
				next = first + n;
				more = true;
			}
		}
	}
	return next;
}

static bool is_candidate(struct disc_plan *p, const struct ledger_generation *g)
{
	if (g->state != LEDGER_COMMITTED || g->suspect || !policy_medium_holds(p->series, g->dataset))
		return false;
	if (p->wanted ? !p->wanted(p->arg, g->dataset, g->number)
		      : ledger_last_committed(p->ledger, g->dataset) != g)
		return false;
	if (p->again || !is_on_disc(p, g))
		return true;
	p->already = true;
	return false;
}

static int by_turn(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->urgency != y->urgency)
		return x->urgency < y->urgency ? -1 : 1;
	return strcmp(x->g->dataset, y->g->dataset);
}

static int collect(struct planning *w, struct err *err)
{
	const struct ledger *l = w->p->ledger;

	w->all = calloc(ledger_generations(l) + 1, sizeof(*w->all));
	if (!w->all)
		return err_nomem(err);
	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct policy_dataset *d = policy_find_dataset(w->p->policy, g->dataset);
		struct candidate c = {.g = g, .urgency = d && d->priority ? d->priority : UINT_MAX};

		if (!is_candidate(w->p, g))
			continue;
		for (size_t k = 0; k < w->n; k++)
			c.rank += !strcmp(w->all[k].g->dataset, g->dataset);
		c.next = parts_on_discs(w->p, g);
		w->all[w->n++] = c;
	}
	qsort(w->all, w->n, sizeof(*w->all), by_turn);
	return 0;
}

/* ---- its files ---- */

/* path: from the folder of the data set. */
static int add_file(struct candidate *c, const struct medium *m, const struct store *set, const char *path,
    const uint8_t *sha256, struct err *err)
{
	char to[PATH], from[2 * PATH], dir[GENERATION_SET_DIR];
	const bool archive = !strncmp(path, "archives/", 9);
	uint8_t own[DIGEST_LEN];
	uint64_t size;

	snprintf(
	    to, sizeof(to), "%s/%s/%s", medium_repository(m), generation_set_dir(c->g->dataset, dir), path);
	if (snprintf(from, sizeof(from), "%s/%s", medium_path(m), to) >= (int)sizeof(from))
		return err_set(err, "E-DISC-07", text("the path of '%s' is too long"), to);
	if (!sha256) {
		BUF_AUTO b = BUF_INIT(VAULT_R_JSON_MAX * 64);

		if (store_read(set, path, &b, err))
			return -1;
		digest_sha256(b.p, b.n, own);
	}
	if (store_size(set, path, &size, err))
		return -1;
	return disc_list_add(
	    archive ? &c->archives : &c->documents, to, from, sha256 ? sha256 : own, size, err);
}

static int list_files(struct candidate *c, const struct medium *m, struct vault_r *v, struct err *err)
{
	struct vault_r_generation *g = NULL;
	char dir[GENERATION_DIR], path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	char manifest[DIGEST_HEX];
	size_t pos = 0;
	int r = vault_r_generation_open(v, c->g->dataset, c->g->number, &g, err);

	if (r)
		return -1;
	if (strcmp(digest_hex(vault_r_manifest_sha256(g), DIGEST_LEN, manifest), c->g->manifest_sha256) != 0)
		r = err_set(err, "E-DISC-07", "%s", text("it is not the generation that was reported"));
	while (!r && !(r = generation_sums_next(
			   (const char *)vault_r_sums(g)->p, vault_r_sums(g)->n, &pos, sha256, path, err)))
		r = add_file(c, m, vault_r_generation_store(g), path, sha256, err);
	r = r == GENERATION_SUMS_END ? 0 : -1;
	for (size_t i = 0; !r && i < 2; i++) {
		snprintf(path, sizeof(path), "%s/SHA256SUMS%s", generation_dir(c->g->number, dir),
		    i ? ".minisig" : "");
		r = add_file(c, m, vault_r_generation_store(g), path, NULL, err);
	}
	vault_r_generation_close(g);
	return r;
}

/* From the first medium that has it whole, as far as its lists say; its bytes are looked at before they are burnt. */
static int find_files(struct planning *w, struct candidate *c, struct err *err)
{
	char label[GENERATION_LABEL];
	struct err why = ERR_INIT;

	for (size_t i = 0; i < w->p->n_sources; i++) {
		const struct medium *m = w->p->sources[i];
		const struct ledger_copy *copy = ledger_copy_there(c->g, medium_uuid(m));
		struct vault_r *v = NULL;
		int r;

		if (!copy || !copy->verified_ns || copy->damaged_ns)
			continue;
		r = vault_r_open_medium(m, ledger_repository(w->p->ledger), NULL, &v, &why);
		if (!r)
			r = list_files(c, m, v, &why);
		vault_r_close(v);
		if (!r)
			return 0;
		disc_list_free(&c->archives);
		disc_list_free(&c->documents);
	}
	generation_label(c->g->dataset, c->g->number, label);
	err_set(err, "E-DISC-07", "%s",
	    why.code[0] ? why.msg : text("no online medium that is attached has it, read back and whole"));
	err_wrap(err, text("generation %s cannot be written to a disc"), label);
	return err_hint(err, "%s",
	    text("see where it is with 'bkp generations', attach that medium, then run the command again"));
}

/* ---- disc by disc ---- */

struct filling {
	struct digestset *there; /* paths on this disc */
	uint64_t room;
	bool ours; /* the first disc: what is on it is kept */
	bool any;
};

static uint64_t room_of(const struct filling *f, const struct disc_list *l, size_t from, size_t to)
{
	uint64_t sum = 0;

	for (size_t i = from; i < to; i++) {
		uint8_t key[DIGEST_LEN];

		digestset_key_of(l->file[i].to, strlen(l->file[i].to), key);
		sum += f->there && digestset_get(f->there, key) ? 0 : disc_room(l->file[i].size);
	}
	return sum;
}

static int take_files(struct planning *w, struct filling *f, const struct disc_list *l, size_t from,
    size_t to, struct disc_item *item, struct err *err)
{
	for (size_t i = from; i < to; i++) {
		const struct disc_file *file = &l->file[i];
		uint8_t key[DIGEST_LEN];

		item->files++;
		item->bytes += file->size;
		digestset_key_of(file->to, strlen(file->to), key);
		if (digestset_get(f->there, key))
			continue;
		f->room -= disc_room(file->size);
		if (digestset_put(f->there, key, 1, err))
			return -1;
		if (f->ours &&
		    disc_list_add(&w->p->files, file->to, file->from, file->sha256, file->size, err))
			return -1;
	}
	return 0;
}

static int take(struct planning *w, struct filling *f, struct candidate *c, uint64_t taken, struct err *err)
{
	struct disc_item item = {.number = c->g->number,
	    .begun_ns = c->g->begun_ns,
	    .archives = c->archives.n,
	    .first = c->next,
	    .taken = taken};

	snprintf(item.dataset, sizeof(item.dataset), "%s", c->g->dataset);
	if (take_files(w, f, &c->documents, 0, c->documents.n, &item, err) ||
	    take_files(w, f, &c->archives, c->next, c->next + taken, &item, err))
		return -1;
	c->next += taken;
	c->done = c->next == c->archives.n;
	f->any = true;
	if (f->ours)
		w->p->items[w->p->n++] = item;
	return 0;
}

/* As many archives of it as the empty disc takes; at least one. */
static int take_part(struct planning *w, struct filling *f, struct candidate *c, struct err *err)
{
	uint64_t need = room_of(f, &c->documents, 0, c->documents.n);
	uint64_t n = 0;

	while (c->next + n < c->archives.n) {
		need += disc_room(c->archives.file[c->next + n].size);
		if (need > f->room)
			break;
		n++;
	}
	if (!n) {
		char label[GENERATION_LABEL];

		err_set(err, "E-DISC-05",
		    text("not even one archive of generation %s fits onto a disc of %ju bytes"),
		    generation_label(c->g->dataset, c->g->number, label), w->p->capacity);
		return err_hint(
		    err, "%s", text("take larger discs, or make 'archive_size' in the policy smaller"));
	}
	return take(w, f, c, n, err);
}

static int fill_disc(struct planning *w, struct filling *f, struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		struct candidate *c = &w->all[i];
		uint64_t need;

		if (c->done)
			continue;
		need =
		    room_of(f, &c->documents, 0, c->documents.n) + room_of(f, &c->archives, 0, c->archives.n);
		if (!c->split && need <= f->room) {
			if (take(w, f, c, c->archives.n, err))
				return -1;
			continue;
		}
		/* it has discs of its own, when its turn has come */
		if (c->split && !f->any)
			return take_part(w, f, c, err);
	}
	return 0;
}

static int fill_discs(struct planning *w, struct err *err)
{
	struct disc_plan *p = w->p;
	bool left = true;

	while (left) {
		struct filling f = {.room = p->capacity - p->reserve, .ours = !p->discs};
		int r;

		f.there = digestset_new(FILES_MAX);
		r = f.there ? fill_disc(w, &f, err) : err_nomem(err);
		digestset_free(f.there);
		if (r)
			return -1;
		if (f.ours)
			p->bytes = p->capacity - f.room;
		p->discs++;
		left = false;
		for (size_t i = 0; i < w->n; i++)
			left |= !w->all[i].done;
	}
	return 0;
}

static int measure(struct planning *w, struct err *err)
{
	const struct filling empty = {0};

	for (size_t i = 0; i < w->n; i++) {
		struct candidate *c = &w->all[i];

		if (find_files(w, c, err))
			return -1;
		c->split = c->next || room_of(&empty, &c->documents, 0, c->documents.n) +
					      room_of(&empty, &c->archives, 0, c->archives.n) >
					  w->p->capacity - w->p->reserve;
		c->done = c->next && c->next >= c->archives.n;
		w->p->already |= c->done;
	}
	return 0;
}

static int nothing_left(const struct planning *w, struct err *err)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->all[i].done)
			return 0;
	err_set(err, "E-DISC-06", "%s",
	    w->p->already ? text("all that was asked for is on discs of the series already")
			  : text("there is no generation to write: none is captured, or those asked for are "
				 "suspect or not of the series"));
	return err_hint(err, "%s",
	    w->p->already ? text("'bkp generations' says on which; --again writes another disc of it")
			  : text("see them with 'bkp generations'"));
}

int disc_plan(struct disc_plan *p, struct err *err)
{
	struct planning w = {.p = p};
	int r;

	if (p->capacity <= p->reserve) {
		err_set(err, "E-DISC-05",
		    text("a disc of %ju bytes has no room for what every disc carries (%ju bytes)"),
		    p->capacity, p->reserve);
		return err_hint(err, "%s", text("take a larger disc"));
	}
	r = collect(&w, err) || measure(&w, err) || nothing_left(&w, err) ? -1 : 0;
	p->items = calloc(w.n + 1, sizeof(*p->items));
	if (!r)
		r = p->items ? fill_discs(&w, err) : err_nomem(err);
	for (size_t i = 0; i < w.n; i++) {
		disc_list_free(&w.all[i].archives);
		disc_list_free(&w.all[i].documents);
	}
	free(w.all);
	return r;
}

void disc_plan_free(struct disc_plan *p)
{
	disc_list_free(&p->files);
	free(p->items);
	p->items = NULL;
}
