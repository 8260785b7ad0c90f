/* compare: see compare.h.
 *
 * Two rows of entries in the same order are gone through side by side.  Where a block of a catalog is lost, its entries are in neither more
 * nor less: up to the path that the next block begins with (unknown) nothing is said to be missing there.  Likewise what lies below a path of
 * the folder on disk that could not be read (unread). */
#include "restore/look/compare.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/vault/catalog_r.h"
#include "read/vault/extent_r.h"
#include "restore/app/app.h"
#include "restore/look/disk.h"
#include "restore/look/version.h"

#define PATH_MAX_BYTES ((size_t)1 << 20)
#define UNREAD_BYTES   ((size_t)64 << 20)
#define PART	       ((size_t)256 << 10)
#define SHOW	       300

struct side {
	struct app_generation *g;
	struct catalog_r *c;
	struct catalog_item item;
	struct version v;
	bool there;	    /* v is the next entry */
	bool unknown_after; /* all that follows is unknown */
	struct buf unknown; /* up to this path it is; "" */
};

struct comparing {
	const struct compare *how;
	struct side a, b;
	struct disk *disk; /* in the place of b; or NULL */
	struct buf root;   /* outermost path that disk is in */
	struct buf unread; /* paths of disk, each with a NUL, in catalog order */
	size_t unread_at;  /* those before it are passed */
	struct digestset *shared;
};

static int side_open(struct side *s, struct app_generation *g, struct err *err)
{
	*s = (struct side){.g = g, .unknown = BUF_INIT(PATH_MAX_BYTES)};
	if (catalog_r_open(g->arc, &g->root->dataset, &s->c, err))
		return err_wrap(err, "%s", g->label);
	catalog_r_seek(s->c, 0);
	return 0;
}

static void side_close(struct side *s)
{
	catalog_r_close(s->c);
	buf_free(&s->unknown);
}

static void tell(const struct comparing *x, const char *label, struct err *why)
{
	if (label)
		err_wrap(why, "%s", label);
	x->how->fault(x->how->arg, why);
}

static int side_lost(struct comparing *x, struct side *s, struct err *why, struct err *err)
{
	size_t next = catalog_r_at(s->c) + 1;

	tell(x, s->g->label, why);
	s->unknown.n = 0;
	s->unknown_after = next >= catalog_r_blocks(s->c);
	return s->unknown_after ? 0 : catalog_r_first_path(s->c, next, &s->unknown, err);
}

static int side_next(struct comparing *x, struct side *s, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	while ((r = catalog_r_next(s->c, &s->item, &why)) == CATALOG_R_LOST)
		if (side_lost(x, s, &why, err))
			return -1;
	s->there = !r;
	if (r == CATALOG_END)
		return 0;
	if (r && err)
		*err = why;
	return r ? -1 : version_of(&s->item, &s->v, err);
}

/* Told, and remembered: what is below it is not known to be missing. */
static int disk_unread(struct comparing *x, struct err *why, struct err *err)
{
	const char *path = disk_path(x->disk);

	tell(x, NULL, why);
	return buf_append(&x->unread, path, strlen(path) + 1, err);
}

/* Paths are asked about in catalog order. */
static bool is_unread(struct comparing *x, const char *path)
{
	while (x->unread_at < x->unread.n) {
		const char *unread = (const char *)x->unread.p + x->unread_at;

		if (path_within(path, unread))
			return true;
		if (path_compare(unread, path) > 0)
			return false;
		x->unread_at += strlen(unread) + 1;
	}
	return false;
}

static int disk_side_next(struct comparing *x, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	while ((r = disk_next(x->disk, &x->b.v, &why)) < 0) {
		if (why.kind == ERR_MEMORY) {
			*err = why;
			return -1;
		}
		if (disk_unread(x, &why, err))
			return -1;
	}
	x->b.there = r > 0;
	return 0;
}

static int b_next(struct comparing *x, struct err *err)
{
	return x->disk ? disk_side_next(x, err) : side_next(x, &x->b, err);
}

static bool is_unknown(const struct side *s, const char *path)
{
	return s->unknown_after || (s->unknown.n && path_compare(path, (char *)s->unknown.p) < 0);
}

/* ---- content of a file on disk ---- */

/* Bytes of a file whose content has no SHA-256, as they come from the archives. */
static int compare_bytes(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	static const uint8_t zeros[4096];
	const int *fd = arg;
	uint8_t have[sizeof(zeros)];

	while (n) {
		size_t part = n < sizeof(have) ? (size_t)n : sizeof(have);
		ssize_t got = pread(*fd, have, part, (off_t)at);

		if (got < 0)
			return err_sys(err, "E-LOOK-04", errno, "%s", text("cannot read"));
		if ((size_t)got < part || memcmp(have, p ? p : zeros, part) != 0)
			return 1;
		p = p ? (const uint8_t *)p + part : NULL;
		at += part;
		n -= part;
	}
	return 0;
}

static int digest_file(int fd, uint8_t ret[DIGEST_LEN], struct err *err)
{
	struct digest *d = digest_new();
	uint8_t *p = malloc(PART);
	ssize_t n = -1;

	if (d && p) {
		while ((n = io_read_full(fd, p, PART)) > 0)
			digest_update(d, p, (size_t)n);
		if (n < 0)
			err_sys(err, "E-LOOK-04", errno, "%s", text("cannot read"));
		else
			digest_final(d, ret);
	} else {
		err_nomem(err);
	}
	free(p);
	digest_free(d);
	return n < 0 ? -1 : 0;
}

/* 1: another content, 0: the same, -1. */
static int content_differs(struct comparing *x, struct err *err)
{
	uint8_t have[DIGEST_LEN];
	IO_FD_AUTO fd = disk_file(x->disk, err);
	int r = fd < 0 ? -1 : 0;

	if (!r && x->a.v.has_sha256)
		r = digest_file(fd, have, err) ? -1 : memcmp(have, x->a.v.content, DIGEST_LEN) != 0;
	else if (!r)
		r = extent_r_each(
		    x->a.g->arc, x->a.item.extents, x->a.item.extents_len, compare_bytes, &fd, err);
	return r;
}

/* What says nothing of a folder on disk is taken away; its content is looked at last. */
static unsigned parts_of_disk(struct comparing *x)
{
	const struct version *a = &x->a.v, *b = &x->b.v;
	unsigned parts = version_differs(a, b) & (VERSION_KIND | VERSION_TIME | VERSION_OWNER);
	unsigned bits = (x->how->owners ? 07777u : 01777u) & ~(a->has_acl ? 070u : 0u);
	struct err why = ERR_INIT;
	char shown[SHOW];
	int r;

	if (!x->how->owners || (a->e.uid == b->e.uid && a->e.gid == b->e.gid))
		parts &=
		    ~(unsigned)VERSION_OWNER; /* by numbers: a name is what another system has for them */
	if (a->kind != b->kind)
		return parts;
	if (a->target && b->target && strcmp(a->target, b->target) != 0)
		parts |= VERSION_LINK;
	if (a->kind != 'l' && (a->e.perm ^ b->e.perm) & bits)
		parts |= VERSION_MODE;
	if (a->kind != '-' || !x->a.item.extents)
		return parts;
	if (a->e.size != b->e.size)
		return parts | VERSION_CONTENT;
	r = content_differs(x, &why);
	if (r < 0) {
		err_wrap(&why, "'%s'", path_show(a->e.path, shown, sizeof(shown)));
		tell(x, NULL, &why);
	}
	return parts | (r > 0 ? VERSION_CONTENT : 0u);
}

/* ---- side by side ---- */

static int only_a(struct comparing *x, struct err *err)
{
	if (x->disk ? !is_unread(x, x->a.v.e.path) : !is_unknown(&x->b, x->a.v.e.path))
		x->how->fn(x->how->arg, &x->a.v, NULL, 0);
	return side_next(x, &x->a, err);
}

static int only_b(struct comparing *x, struct err *err)
{
	if (!is_unknown(&x->a, x->b.v.e.path))
		x->how->fn(x->how->arg, NULL, &x->b.v, 0);
	return b_next(x, err);
}

static int both(struct comparing *x, struct err *err)
{
	unsigned parts = x->disk ? parts_of_disk(x) : version_differs(&x->a.v, &x->b.v);

	if (parts)
		x->how->fn(x->how->arg, &x->a.v, &x->b.v, parts);
	return side_next(x, &x->a, err) || b_next(x, err) ? -1 : 0;
}

/* The next entry is of another outermost path: what is left of the former one on disk is only there. */
static int change_root(struct comparing *x, struct err *err)
{
	struct err why = ERR_INIT;

	while (x->b.there)
		if (only_b(x, err))
			return -1;
	x->root.n = 0;
	if (buf_puts(&x->root, x->a.v.e.path, err) || buf_terminate(&x->root, err))
		return -1;
	if (disk_begin(x->disk, x->a.v.e.path, &why))
		return disk_unread(x, &why, err);
	return disk_side_next(x, err);
}

static int go(struct comparing *x, struct err *err)
{
	while (x->a.there || x->b.there) {
		int r, order;

		if (x->disk && x->a.there && (!x->root.n || !path_within(x->a.v.e.path, (char *)x->root.p)) &&
		    change_root(x, err))
			return -1;
		order = !x->a.there ? 1 : !x->b.there ? -1 : path_compare(x->a.v.e.path, x->b.v.e.path);
		r = order < 0 ? only_a(x, err) : order > 0 ? only_b(x, err) : both(x, err);
		if (r)
			return -1;
	}
	return 0;
}

/* ---- two generations ---- */

static bool is_shared(void *arg, const uint8_t key[DIGEST_LEN])
{
	return digestset_get(arg, key) == 2;
}

/* 1: a block of the first, 2: of both. */
static int note_blocks(struct digestset *set, const struct side *s, bool second, struct err *err)
{
	for (size_t i = 0; i < catalog_r_blocks(s->c); i++) {
		uint8_t key[DIGEST_LEN];

		catalog_r_block_key(s->c, i, key);
		if ((!second || digestset_get(set, key)) && digestset_put(set, key, second ? 2 : 1, err))
			return -1;
	}
	return 0;
}

int compare_generations(
    const struct compare *c, struct app_generation *a, struct app_generation *b, struct err *err)
{
	struct comparing x = {.how = c, .shared = digestset_new(SIZE_MAX)};
	int r = x.shared ? 0 : err_nomem(err);

	r = r || side_open(&x.a, a, err) || side_open(&x.b, b, err) ||
	    note_blocks(x.shared, &x.a, false, err) || note_blocks(x.shared, &x.b, true, err);
	if (!r) {
		catalog_r_skip(x.a.c, is_shared, x.shared);
		catalog_r_skip(x.b.c, is_shared, x.shared);
		r = side_next(&x, &x.a, err) || side_next(&x, &x.b, err) || go(&x, err);
	}
	side_close(&x.a);
	side_close(&x.b);
	digestset_free(x.shared);
	return r ? -1 : 0;
}

int compare_folder(const struct compare *c, struct app_generation *a, const char *folder, struct err *err)
{
	struct comparing x = {.how = c, .root = BUF_INIT(PATH_MAX_BYTES), .unread = BUF_INIT(UNREAD_BYTES)};
	int r = side_open(&x.a, a, err) || disk_open(folder, &x.disk, err) || side_next(&x, &x.a, err) ||
		go(&x, err);

	side_close(&x.a);
	disk_close(x.disk);
	buf_free(&x.root);
	buf_free(&x.unread);
	return r ? -1 : 0;
}
