/* blocks: see blocks.h.
 *
 * A parsed block is an array of entries and one text that their strings point into (as offsets until it is whole: it moves while it grows).
 * The one used least recently goes when a new one needs its room. */
#include "restore/mount/blocks.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/pax.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"
#include "restore/app/app.h"
#include "restore/extract/extract_meta.h"
#include "restore/extract/extract_writers.h"

#define TEXT_MAX ((size_t)64 << 20) /* of one block: itself is CATALOG_BLOCK_MAX */
#define NONE	 SIZE_MAX

struct parsed {
	size_t generation;
	uint32_t number;
	struct blocks_entry *entries;
	size_t n, cap, bytes;
	struct buf text;
	uint64_t used;
	struct parsed *next;
};

struct member {
	struct app_generation *g;
	struct catalog_r *c; /* NULL: asleep */
	uint64_t used;
	uint64_t *links; /* of each hard link its first name's hash, ascending */
	size_t n_links;
};

/* The hard links of a block that several generations may have. */
struct counted {
	uint8_t key[DIGEST_LEN];
	size_t n;
	uint64_t *links;
};

struct blocks {
	struct member *members;
	size_t n;
	struct parsed *parsed;
	size_t bytes;
	uint64_t clock;
	void *counted; /* tsearch(3) */
	blocks_pause_fn *pause;
	void *arg;
};

struct blocks *blocks_new(blocks_pause_fn *pause, void *arg)
{
	struct blocks *b = calloc(1, sizeof(*b));

	if (b) {
		b->pause = pause;
		b->arg = arg;
	}
	return b;
}

static void parsed_free(struct blocks *b, struct parsed **at)
{
	struct parsed *p = *at;

	*at = p->next;
	b->bytes -= p->bytes;
	free(p->entries);
	buf_free(&p->text);
	free(p);
}

static void sleep_member(struct blocks *b, size_t i)
{
	struct member *m = &b->members[i];

	if (!m->c)
		return;
	b->pause(b->arg, i);
	catalog_r_close(m->c);
	m->c = NULL;
	app_generation_rest(m->g);
}

static void counted_free(void *p)
{
	struct counted *c = p;

	free(c->links);
	free(c);
}

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	while (b->parsed)
		parsed_free(b, &b->parsed);
	for (size_t i = 0; i < b->n; i++) {
		sleep_member(b, i);
		free(b->members[i].links);
		app_generation_close(b->members[i].g);
	}
	tdestroy(b->counted, counted_free);
	free(b->members);
	free(b);
}

size_t blocks_count(const struct blocks *b)
{
	return b->n;
}

const struct app_generation *blocks_generation(const struct blocks *b, size_t generation)
{
	return b->members[generation].g;
}

/* ---- awake ---- */

static int wake_member(struct blocks *b, size_t i, struct member **ret, struct err *err)
{
	size_t awake = 0, oldest = NONE;
	struct member *m = &b->members[i];

	m->used = ++b->clock;
	*ret = m;
	if (m->c)
		return 0;
	for (size_t k = 0; k < b->n; k++)
		if (b->members[k].c) {
			awake++;
			if (oldest == NONE || b->members[k].used < b->members[oldest].used)
				oldest = k;
		}
	if (awake >= BLOCKS_AWAKE)
		sleep_member(b, oldest);
	m->g->app->cache_bytes = BLOCKS_CHUNKS / (b->n < BLOCKS_AWAKE ? b->n : BLOCKS_AWAKE);
	if (app_generation_wake(m->g, err) || catalog_r_open(m->g->arc, &m->g->root->dataset, &m->c, err))
		return err_wrap(err, "%s", m->g->label);
	arc_r_helpers(m->g->arc, extract_writers_processors());
	return 0;
}

int blocks_arc(struct blocks *b, size_t generation, struct arc_r **ret, struct err *err)
{
	struct member *m;

	if (wake_member(b, generation, &m, err))
		return -1;
	*ret = m->g->arc;
	return 0;
}

/* ---- one block ---- */

/* A pointer that is still an offset, from 1 on; NULL stays. */
static int keep(struct parsed *p, const void *bytes, size_t n, const void **ret, struct err *err)
{
	*ret = NULL;
	if (!bytes)
		return 0;
	*ret = (const void *)(uintptr_t)(p->text.n + 1);
	return buf_append(&p->text, bytes, n, err) || buf_append(&p->text, "", 1, err) ? -1 : 0;
}

static int keep_text(struct parsed *p, const char *s, const char **ret, struct err *err)
{
	const void *at;

	if (keep(p, s, s ? strlen(s) : 0, &at, err))
		return -1;
	*ret = at;
	return 0;
}

/* As stat(2) shows a file with such a list: the mask in the place of the group. */
static mode_t shown_mode(struct archive_entry *e)
{
	mode_t mode = pax_mode(e);
	int type, perm, tag, id;
	const char *name;

	archive_entry_acl_reset(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	while (archive_entry_acl_next(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &type, &perm, &tag, &id, &name) == 0)
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			mode = (mode & ~(mode_t)070) | ((mode_t)(perm & 7) << 3);
	return mode;
}

static void take_stat(const struct catalog_item *item, struct archive_entry *e, struct stat *st)
{
	const mode_t type = archive_entry_filetype(e);
	const char *link = archive_entry_symlink(e);

	*st = (struct stat){.st_mode = (type ? type : S_IFREG) | (shown_mode(e) & 07777),
	    .st_nlink = 1,
	    .st_uid = (uid_t)archive_entry_uid(e),
	    .st_gid = (gid_t)archive_entry_gid(e),
	    .st_size = (off_t)item->size,
	    .st_blksize = 131072,
	    .st_blocks = (blkcnt_t)(item->size / 512 + (item->size % 512 > 0))};
	if (S_ISLNK(st->st_mode))
		st->st_size = (off_t)(link ? strlen(link) : 0);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		st->st_rdev = makedev(archive_entry_rdevmajor(e), archive_entry_rdevminor(e));
	st->st_mtim = (struct timespec){archive_entry_mtime(e), archive_entry_mtime_nsec(e)};
	st->st_atim = st->st_ctim = st->st_mtim;
}

static int take_entry(
    struct parsed *p, const struct catalog_item *item, struct archive_entry *e, struct err *err)
{
	struct blocks_entry *to = &p->entries[p->n];
	const char *hardlink = archive_entry_hardlink(item->entry);
	BUF_AUTO attrs = BUF_INIT(TEXT_MAX);
	const void *at[3];
	bool stripped = false;

	*to = (struct blocks_entry){.flags = item->flags, .extents_len = item->extents_len};
	take_stat(item, e, &to->st);
	if (keep_text(p, item->path, &to->path, err) || keep_text(p, hardlink, &to->hardlink, err) ||
	    keep_text(p, S_ISLNK(to->st.st_mode) ? archive_entry_symlink(e) : NULL, &to->link, err) ||
	    extract_meta_attrs(e, S_ISDIR(to->st.st_mode), geteuid() == 0, &attrs, &stripped, err) ||
	    keep(p, item->extents, item->extents_len, &at[0], err) ||
	    keep(p, item->sha256, DIGEST_LEN, &at[1], err) ||
	    keep(p, attrs.n ? attrs.p : NULL, attrs.n, &at[2], err))
		return -1;
	to->extents = at[0];
	to->sha256 = at[1];
	to->attrs = at[2];
	to->attrs_len = attrs.n;
	p->n++;
	return 0;
}

static int parse_item(void *arg, const struct catalog_item *item, struct err *err)
{
	struct parsed *p = arg;
	struct archive_entry *alone = NULL;
	int r;

	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 128;
		struct blocks_entry *more = reallocarray(p->entries, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		p->entries = more;
		p->cap = cap;
	}
	if (archive_entry_hardlink(item->entry)) {
		alone = archive_entry_clone(item->entry);
		if (!alone)
			return err_nomem(err);
		(void)!catalog_alone(alone, item); /* what says nothing is a file */
	}
	r = take_entry(p, item, alone ? alone : item->entry, err);
	archive_entry_free(alone);
	return r;
}

static const void *settled(const struct parsed *p, const void *at)
{
	return at ? p->text.p + (uintptr_t)at - 1 : NULL;
}

static void settle(struct parsed *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct blocks_entry *e = &p->entries[i];

		e->path = settled(p, e->path);
		e->link = settled(p, e->link);
		e->hardlink = settled(p, e->hardlink);
		e->extents = settled(p, e->extents);
		e->sha256 = settled(p, e->sha256);
		e->attrs = settled(p, e->attrs);
	}
}

static uint64_t name_hash(const char *path)
{
	return fnv_bytes(FNV_START, path, strlen(path));
}

static size_t further_names(const struct member *m, const char *path)
{
	uint64_t h = name_hash(path);
	size_t lo = 0, hi = m->n_links, n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->links[mid] < h)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < m->n_links && m->links[lo] == h; lo++)
		n++;
	return n;
}

/* The order across blocks: who looks a path up by the list must be able to rely on it. */
static int check_order(const struct member *m, const struct parsed *p, struct err *err)
{
	BUF_AUTO next = BUF_INIT(TEXT_MAX);

	if (p->number + 1 >= catalog_r_blocks(m->c) || !p->n)
		return 0;
	if (catalog_r_first_path(m->c, p->number + 1, &next, err))
		return -1;
	return path_compare(p->entries[p->n - 1].path, (char *)next.p) < 0
		   ? 0
		   : err_set(err, "E-CATALOG-12", text("catalog block %u reaches into the next one"),
			 p->number + 1);
}

static int parse_block(struct member *m, struct parsed *p, struct err *err)
{
	p->text = (struct buf)BUF_INIT(TEXT_MAX);
	if (catalog_r_block(m->c, m->g->arc, p->number, NULL, parse_item, p, err))
		return -1;
	settle(p);
	for (size_t i = 0; i < p->n; i++)
		if (!p->entries[i].hardlink && !S_ISDIR(p->entries[i].st.st_mode))
			p->entries[i].st.st_nlink += further_names(m, p->entries[i].path);
	return check_order(m, p, err);
}

static void make_room(struct blocks *b)
{
	while (b->parsed && b->bytes > BLOCKS_BYTES) {
		struct parsed **oldest = &b->parsed;

		for (struct parsed **at = &b->parsed; *at; at = &(*at)->next)
			if ((*at)->used < (*oldest)->used)
				oldest = at;
		parsed_free(b, oldest);
	}
}

static int get_block(
    struct blocks *b, size_t generation, uint32_t number, struct parsed **ret, struct err *err)
{
	struct member *m;
	struct parsed *p;

	for (p = b->parsed; p; p = p->next)
		if (p->generation == generation && p->number == number) {
			p->used = ++b->clock;
			*ret = p;
			return 0;
		}
	if (wake_member(b, generation, &m, err))
		return -1;
	make_room(b);
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_nomem(err);
	*p = (struct parsed){
	    .generation = generation, .number = number, .used = ++b->clock, .next = b->parsed};
	b->parsed = p;
	if (parse_block(m, p, err)) {
		err_wrap(err, "%s", m->g->label);
		parsed_free(b, &b->parsed);
		return -1;
	}
	p->bytes = sizeof(*p) + p->cap * sizeof(*p->entries) + p->text.cap;
	b->bytes += p->bytes;
	*ret = p;
	return 0;
}

int blocks_entry(struct blocks *b, size_t generation, struct blocks_place *place,
    const struct blocks_entry **ret, struct err *err)
{
	struct member *m;
	struct parsed *p;

	if (wake_member(b, generation, &m, err))
		return -1;
	for (; place->block < catalog_r_blocks(m->c); *place = (struct blocks_place){place->block + 1, 0}) {
		if (get_block(b, generation, place->block, &p, err))
			return -1;
		if (place->index < p->n) {
			*ret = &p->entries[place->index];
			return 0;
		}
	}
	return BLOCKS_END;
}

int blocks_find(struct blocks *b, size_t generation, const char *path, struct blocks_place *ret,
    const struct blocks_entry **ret_entry, struct err *err)
{
	struct blocks_place at = {0, 0};
	struct member *m;
	struct parsed *p;
	size_t lo = 0, hi;

	if (wake_member(b, generation, &m, err))
		return -1;
	if (!catalog_r_blocks(m->c))
		return BLOCKS_END;
	at.block = (uint32_t)catalog_r_block_of(m->c, path);
	if (get_block(b, generation, at.block, &p, err))
		return -1;
	for (hi = p->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (path_compare(p->entries[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	at.index = (uint32_t)lo;
	*ret = at;
	return blocks_entry(b, generation, ret, ret_entry, err);
}

/* ---- hard links ---- */

static int add_link(struct counted *c, uint64_t hash, struct err *err)
{
	uint64_t *more =
	    c->n & (c->n - 1) ? c->links : reallocarray(c->links, c->n ? c->n * 2 : 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	c->links = more;
	c->links[c->n++] = hash;
	return 0;
}

static int count_item(void *arg, const struct catalog_item *item, struct err *err)
{
	const char *first = archive_entry_hardlink(item->entry);

	return first ? add_link(arg, name_hash(first), err) : 0;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_LEN);
}

static int by_hash(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Those of one block, read unless it was already; 1: some of it is lost. */
static int count_block(
    struct blocks *b, struct member *m, size_t number, const struct counted **ret, struct err *err)
{
	struct counted *c = calloc(1, sizeof(*c)), **at;
	int r;

	if (!c)
		return err_nomem(err);
	catalog_r_block_key(m->c, number, c->key);
	at = tsearch(c, &b->counted, by_key);
	if (!at || *at != c)
		free(c);
	if (!at)
		return err_nomem(err);
	*ret = *at;
	if (*at != c)
		return 0;
	r = catalog_r_block(m->c, m->g->arc, number, NULL, count_item, c, err);
	return r == CATALOG_R_LOST ? 1 : r;
}

static int count_links(struct blocks *b, struct member *m, bool *ret_lost, struct err *err)
{
	struct counted all = {.n = 0};
	int r = 0;

	for (size_t i = 0; i < catalog_r_blocks(m->c) && r >= 0; i++) {
		const struct counted *c = NULL;
		struct err why = ERR_INIT;

		r = count_block(b, m, i, &c, &why);
		if (r > 0) {
			*ret_lost = true;
			err_wrap(&why, "%s", m->g->label);
			app_error(&why, APP_ATTENTION);
		}
		for (size_t k = 0; r >= 0 && k < c->n; k++)
			if (add_link(&all, c->links[k], &why))
				r = -1;
		if (r < 0 && err)
			*err = why;
	}
	if (all.n)
		qsort(all.links, all.n, sizeof(*all.links), by_hash);
	m->links = all.links;
	m->n_links = all.n;
	return r < 0 ? -1 : 0;
}

int blocks_add(struct blocks *b, struct app_generation *g, bool *ret_lost, struct err *err)
{
	struct member *m = reallocarray(b->members, b->n + 1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	b->members = m;
	b->members[b->n] = (struct member){.g = g};
	app_generation_rest(g); /* it was opened with a cache of another size */
	if (wake_member(b, b->n++, &m, err))
		return -1;
	return count_links(b, m, ret_lost, err);
}
