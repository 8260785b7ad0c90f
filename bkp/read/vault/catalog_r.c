/* catalog_r: see catalog_r.h.
 *
 * The block list is one line a block: where its bytes are (a run), how many entries it holds, and the path of
 * its first entry.  parse_list() checks all lines and their order once and keeps where each begins; line_of()
 * parses one again when it is needed, which is cheaper than to hold them parsed.
 *
 * Order: paths ascend within a block (catalog_reader refuses anything else), first paths ascend over the
 * list, and a block's first entry must be the one that its line names.  catalog_r_next() also hands the path
 * given out last to the next block's reader, so the order holds across blocks.
 *
 * catalog_r_find() has a block of its own (`found`) and does not disturb catalog_r_next().
 */
#include "read/vault/catalog_r.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/medium/extent.h"
#include "format/medium/generation.h"
#include "read/vault/extent_r.h"

#define PATH_MAX_BYTES ((size_t)1 << 20)

/* A block in memory and how far it was read. */
struct block {
	size_t number;
	struct buf bytes;
	struct catalog_reader *reader; /* NULL: none */
	uint64_t seen, promised;
	bool first_checked;
};

struct catalog_r {
	struct arc_r *arc;
	struct buf list;	/* text of the block list */
	uint32_t *lines;	/* where each line begins */
	size_t n;		/* blocks */
	uint64_t entries;	/* as the lines say */
	struct block at, found; /* of catalog_r_next and _backwards; of catalog_r_find */
	size_t next;		/* block to be opened by catalog_r_next */
	struct buf last;	/* path given out last, for the order across blocks */
	catalog_r_skip_fn *skip;
	void *skip_arg;
};

static void block_close(struct block *b)
{
	catalog_reader_free(b->reader);
	b->reader = NULL;
	buf_free(&b->bytes);
}

void catalog_r_close(struct catalog_r *c)
{
	if (!c)
		return;
	block_close(&c->at);
	block_close(&c->found);
	buf_free(&c->list);
	buf_free(&c->last);
	free(c->lines);
	free(c);
}

/* ---- block list ---- */

static int append_bytes(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	struct buf *out = arg;

	(void)at;
	if (n > out->max)
		return err_set(
		    err, "E-MEM-02", text("more than %zu bytes where at most that many belong"), out->max);
	if (p)
		return buf_append(out, p, (size_t)n, err);
	if (buf_reserve(out, (size_t)n, err))
		return -1;
	memset(out->p + out->n, 0, (size_t)n);
	out->n += (size_t)n;
	return 0;
}

struct line {
	const char *run, *path;
	size_t run_len, path_len;
	uint64_t entries;
	struct extent_run place;
};

/* "<run> <entries> <path>"; *pos moves to the next line. */
static int parse_line(const struct buf *list, size_t *pos, struct line *ret)
{
	const char *p = (const char *)list->p + *pos, *eol = memchr(p, '\n', list->n - *pos), *space, *s;
	struct line l = {.run = p};

	if (!eol)
		return -1;
	space = memchr(p, ' ', (size_t)(eol - p));
	if (!space)
		return -1;
	l.run_len = (size_t)(space - p);
	if (extent_parse_data_run(l.run, l.run_len, &l.place, NULL) || l.place.length > CATALOG_BLOCK_MAX)
		return -1;
	for (s = space + 1; s < eol && *s >= '0' && *s <= '9' && l.entries < 100000000; s++)
		l.entries = l.entries * 10 + (uint64_t)(*s - '0');
	if (s == space + 1 || space[1] == '0' || s == eol || *s != ' ')
		return -1;
	l.path = s + 1;
	l.path_len = (size_t)(eol - l.path);
	*pos += (size_t)(eol - p) + 1;
	*ret = l;
	return 0;
}

static struct line line_of(const struct catalog_r *c, size_t block)
{
	size_t pos = c->lines[block];
	struct line l = {0};

	(void)parse_line(&c->list, &pos, &l); /* was checked by parse_list() */
	return l;
}

int catalog_r_first_path(const struct catalog_r *c, size_t block, struct buf *out, struct err *err)
{
	struct line l = line_of(c, block);

	return path_decode(l.path, l.path_len, out, err);
}

void catalog_r_block_key(const struct catalog_r *c, size_t block, uint8_t ret[DIGEST_LEN])
{
	struct line l = line_of(c, block);
	const char *rest =
	    l.run + l.run_len; /* how many entries, and the first: what block_next() checks besides */
	crypto_hash_sha256_state sha;

	crypto_hash_sha256_init(&sha);
	crypto_hash_sha256_update(&sha, l.place.digest, DIGEST_LEN);
	crypto_hash_sha256_update(&sha, (const uint8_t *)rest, (size_t)(l.path + l.path_len - rest));
	crypto_hash_sha256_final(&sha, ret);
}

void catalog_r_skip(struct catalog_r *c, catalog_r_skip_fn *fn, void *arg)
{
	c->skip = fn;
	c->skip_arg = arg;
}

static bool is_skipped(const struct catalog_r *c, size_t block)
{
	uint8_t key[DIGEST_LEN];

	if (!c->skip)
		return false;
	catalog_r_block_key(c, block, key);
	return c->skip(c->skip_arg, key);
}

static int parse_list(struct catalog_r *c, struct err *err)
{
	struct buf paths[2] = {BUF_INIT(PATH_MAX_BYTES), BUF_INIT(PATH_MAX_BYTES)};
	size_t pos = 0, cap = 0;
	int r = 0;

	while (pos < c->list.n && !r) {
		struct buf *path = &paths[c->n % 2], *before = &paths[(c->n + 1) % 2];
		size_t start = pos;
		struct line l;

		path->n = 0;
		if (parse_line(&c->list, &pos, &l) || path_decode(l.path, l.path_len, path, NULL) ||
		    !path_is_entry((char *)path->p) ||
		    (c->n && path_compare((char *)before->p, (char *)path->p) >= 0)) {
			r = err_set(
			    err, "E-CATALOG-11", text("line %zu of the block list is malformed"), c->n + 1);
			break;
		}
		if (c->n == cap) {
			uint32_t *more;

			cap = cap ? cap * 2 : 256;
			more = reallocarray(c->lines, cap, sizeof(*more));
			if (!more) {
				r = err_nomem(err);
				break;
			}
			c->lines = more;
		}
		c->lines[c->n++] = (uint32_t)start;
		c->entries += l.entries;
	}
	buf_free(&paths[0]);
	buf_free(&paths[1]);
	return r;
}

int catalog_r_open(
    struct arc_r *a, const struct generation_dataset *ds, struct catalog_r **ret, struct err *err)
{
	struct catalog_r *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->arc = a;
	buf_init(&c->list, CATALOG_R_LIST_MAX);
	buf_init(&c->last, PATH_MAX_BYTES);
	buf_init(&c->at.bytes, CATALOG_BLOCK_MAX);
	buf_init(&c->found.bytes, CATALOG_BLOCK_MAX);
	if (extent_r_each(a, ds->blocks, strlen(ds->blocks), append_bytes, &c->list, err) ||
	    parse_list(c, err)) {
		catalog_r_close(c);
		return err_wrap(err, text("the block list of data set '%s'"), ds->name);
	}
	*ret = c;
	return 0;
}

size_t catalog_r_blocks(const struct catalog_r *c)
{
	return c->n;
}

uint64_t catalog_r_entries(const struct catalog_r *c)
{
	return c->entries;
}

size_t catalog_r_block_of(struct catalog_r *c, const char *path)
{
	BUF_AUTO first = BUF_INIT(PATH_MAX_BYTES);
	size_t lo = 0, hi = c->n; /* looks for the first block that begins after `path` */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		first.n = 0;
		if (!catalog_r_first_path(c, mid, &first, NULL) && path_compare((char *)first.p, path) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

/* ---- blocks ---- */

static int block_open(const struct catalog_r *c, struct arc_r *a, struct block *b, size_t number,
    const char *prev, struct err *err)
{
	struct line l = line_of(c, number);
	char extents[2 * EXTENT_RUN_MAX];
	int n;

	block_close(b);
	n = snprintf(extents, sizeof(extents), "%" PRIu64 " %.*s", l.place.length, (int)l.run_len, l.run);
	b->number = number;
	b->seen = 0;
	b->promised = l.entries;
	b->first_checked = false;
	if (extent_r_each(a, extents, (size_t)n, append_bytes, &b->bytes, err) ||
	    catalog_reader_new(b->bytes.p, b->bytes.n, prev, &b->reader, err)) {
		block_close(b);
		return err_wrap(err, text("catalog block %zu"), number + 1);
	}
	return 0;
}

/* 0, CATALOG_END, -1: the rest of the block is lost. */
static int block_next(const struct catalog_r *c, struct block *b, struct catalog_item *ret, struct err *err)
{
	int r = catalog_reader_next(b->reader, ret, err);

	if (r < 0)
		return err_wrap(err, text("catalog block %zu"), b->number + 1);
	if (r == CATALOG_END && b->seen != b->promised)
		return err_set(err, "E-CATALOG-12",
		    text("catalog block %zu holds %ju entries where the block list says %ju"), b->number + 1,
		    b->seen, b->promised);
	if (r)
		return r;
	b->seen++;
	if (!b->first_checked) {
		BUF_AUTO first = BUF_INIT(PATH_MAX_BYTES);

		if (catalog_r_first_path(c, b->number, &first, err))
			return -1;
		if (strcmp((char *)first.p, ret->path) != 0)
			return err_set(err, "E-CATALOG-12",
			    text("catalog block %zu is not the one that the block list means"),
			    b->number + 1);
		b->first_checked = true;
	}
	return 0;
}

void catalog_r_seek(struct catalog_r *c, size_t block)
{
	block_close(&c->at);
	buf_free(&c->last);
	c->next = block;
}

size_t catalog_r_at(const struct catalog_r *c)
{
	return c->next ? c->next - 1 : 0;
}

int catalog_r_next(struct catalog_r *c, struct catalog_item *ret, struct err *err)
{
	for (;;) {
		struct catalog_item item;
		int r;

		if (!c->at.reader) {
			while (c->next < c->n && is_skipped(c, c->next))
				c->next++;
			if (c->next == c->n)
				return CATALOG_END;
			r = block_open(
			    c, c->arc, &c->at, c->next++, c->last.n ? (char *)c->last.p : NULL, err);
			if (r)
				return CATALOG_R_LOST;
		}
		r = block_next(c, &c->at, &item, err);
		if (r) {
			block_close(&c->at);
			if (r < 0)
				return CATALOG_R_LOST;
			continue;
		}
		c->last.n = 0;
		if (buf_puts(&c->last, item.path, err) || buf_terminate(&c->last, err))
			return -1;
		*ret = item;
		return 0;
	}
}

int catalog_r_block(const struct catalog_r *c, struct arc_r *a, size_t block, const char *prev,
    catalog_r_block_fn *fn, void *arg, struct err *err)
{
	struct block b = {.bytes = BUF_INIT(CATALOG_BLOCK_MAX)};
	struct catalog_item item;
	int r = 0, got;

	if (block_open(c, a, &b, block, prev, err))
		return CATALOG_R_LOST;
	while (!(got = block_next(c, &b, &item, err))) {
		r = fn(arg, &item, err);
		if (r)
			break;
	}
	block_close(&b);
	return got == CATALOG_END ? 0 : got < 0 ? CATALOG_R_LOST : r;
}

int catalog_r_find(struct catalog_r *c, const char *path, struct catalog_item *ret, struct err *err)
{
	struct catalog_item item;
	int r;

	if (!c->n)
		return CATALOG_R_ABSENT;
	if (block_open(c, c->arc, &c->found, catalog_r_block_of(c, path), NULL, err))
		return -1;
	while (!(r = block_next(c, &c->found, &item, err))) {
		int order = path_compare(item.path, path);

		if (order > 0)
			return CATALOG_R_ABSENT;
		if (order == 0) {
			*ret = item;
			return 0;
		}
	}
	return r == CATALOG_END ? CATALOG_R_ABSENT : -1;
}

/* ---- backwards ---- */

struct kept {
	struct catalog_item *items;
	size_t n, cap;
};

static void kept_free(struct kept *k)
{
	while (k->n) {
		k->n--;
		archive_entry_free(k->items[k->n].entry);
		free((char *)(uintptr_t)k->items[k->n].path);
	}
	free(k->items);
}

static int keep_item(struct kept *k, const struct catalog_item *item, struct err *err)
{
	struct catalog_item copy = *item;

	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 64;
		struct catalog_item *more = reallocarray(k->items, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		k->items = more;
		k->cap = cap;
	}
	const unsigned long mark = starved_mark();
	copy.extents = NULL;
	copy.extents_len = 0;
	copy.entry = archive_entry_clone(item->entry);
	copy.path = strdup(item->path);
	if (!copy.entry || !copy.path || starved_since(mark)) {
		archive_entry_free(copy.entry);
		free((char *)(uintptr_t)copy.path);
		return err_nomem(err);
	}
	k->items[k->n++] = copy;
	return 0;
}

/* All wanted entries of one block.  0, CATALOG_R_LOST (what was kept stands), -1. */
static int keep_block(
    struct catalog_r *c, size_t number, catalog_r_want_fn *want, void *arg, struct kept *k, struct err *err)
{
	struct catalog_item item;
	int r;

	if (block_open(c, c->arc, &c->at, number, NULL, err))
		return CATALOG_R_LOST;
	while (!(r = block_next(c, &c->at, &item, err)))
		if (want(arg, &item) && keep_item(k, &item, err))
			return -1;
	return r == CATALOG_END ? 0 : CATALOG_R_LOST;
}

int catalog_r_backwards(struct catalog_r *c, size_t first, size_t last, catalog_r_want_fn *want,
    catalog_r_back_fn *fn, void *arg, struct err *err)
{
	size_t number, i;
	int r = 0;

	for (number = last + 1; number-- > first && !r && c->n;) {
		struct kept k = {NULL, 0, 0};
		struct err why = ERR_INIT;
		int got = keep_block(c, number, want, arg, &k, &why);

		if (got < 0) {
			if (err)
				*err = why;
			r = -1;
		} else if (got == CATALOG_R_LOST) {
			r = fn(arg, NULL, &why);
		}
		for (i = k.n; i-- > 0 && !r;)
			r = fn(arg, &k.items[i], err);
		kept_free(&k);
	}
	block_close(&c->at);
	return r;
}
