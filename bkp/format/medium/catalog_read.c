/* catalog: see catalog.h.  This file: the reader.  All that a hostile block could say is checked here.
 *
 * next_entry() lets pax_parse() cut one entry out of the block → read_entry() checks path, link, owner and type and fills the
 * item's entry → read_attrs() sorts its attributes, takes ours out of them and gives it the others → check_extents().  The block
 * must end with two records of zeros and nothing else: nothing is hidden behind its end.
 *
 * The item's entry, path and texts belong to the reader and are valid until the next call.  After a failure every further
 * call fails.  libarchive may hide a failed allocation when an entry is filled: catalog_reader_next() then says E-MEM-01. */
#include "format/medium/catalog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/medium/catalog_private.h"
#include "format/medium/extent.h"
#include "format/medium/pax.h"

#define ID_MAX 0xfffffffeLL /* (uid_t)-1 means "nobody in particular" to chown() */

struct attr {
	size_t name; /* decoded, in catalog_reader.names */
	struct pax_text value;
};

struct catalog_reader {
	const uint8_t *block;
	size_t size, pos;
	struct archive_entry *entry; /* the item's */
	struct pax_entry said;	     /* what the headers of the current entry say */
	struct buf path, prev;
	struct buf link, extents, special; /* of the current entry, NUL-terminated */
	struct buf names;		   /* of its attributes, each NUL-terminated */
	struct buf word;		   /* scratch, NUL-terminated */
	struct attr *attrs;
	size_t attrs_cap, n_attrs;
	uint64_t holes; /* of the current entry, before an '@' */
	bool indirect;
	uint8_t sha256[DIGEST_LEN];
	size_t index; /* entries read */
	bool has_prev, failed, ended;
};

static bool ends_as_archive(const uint8_t *block, size_t n)
{
	if (n < CATALOG_END_BYTES || n % PAX_RECORD)
		return false;
	for (size_t i = n - CATALOG_END_BYTES; i < n; i++)
		if (block[i])
			return false;
	return true;
}

int catalog_reader_new(
    const void *block, size_t n, const char *prev_path, struct catalog_reader **ret, struct err *err)
{
	const unsigned long mark = starved_mark();
	struct catalog_reader *r;

	if (n > CATALOG_BLOCK_MAX || !ends_as_archive(block, n))
		return err_set(err, "E-CATALOG-01", "%s", text("a catalog block is not a whole pax archive"));
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(err);
	struct buf *const bufs[] = {
	    &r->path, &r->prev, &r->link, &r->extents, &r->special, &r->names, &r->word};
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_init(bufs[i], CATALOG_BLOCK_MAX);
	r->block = block;
	r->size = n;
	r->entry = archive_entry_new();
	r->has_prev = prev_path != NULL;
	if (!r->entry || starved_since(mark) ||
	    (prev_path && (buf_puts(&r->prev, prev_path, err) || buf_terminate(&r->prev, err)))) {
		catalog_reader_free(r);
		return err_nomem(err);
	}
	*ret = r;
	return 0;
}

void catalog_reader_free(struct catalog_reader *r)
{
	if (!r)
		return;
	archive_entry_free(r->entry);
	buf_free(&r->path);
	buf_free(&r->prev);
	buf_free(&r->link);
	buf_free(&r->extents);
	buf_free(&r->special);
	buf_free(&r->names);
	buf_free(&r->word);
	free(r->attrs);
	free(r);
}

static int refuse_entry(const struct catalog_reader *r, const char *why, struct err *err)
{
	char shown[300];

	return err_set(err, "E-CATALOG-02", text("entry %zu of a catalog block ('%s') is refused: %s"),
	    r->index, r->path.n ? path_show((const char *)r->path.p, shown, sizeof(shown)) : "", why);
}

static int set_text(struct buf *to, const struct pax_text *t, struct err *err)
{
	to->n = 0;
	return buf_append(to, t->p, t->n, err) || buf_terminate(to, err) ? -1 : 0;
}

static int check_path(struct catalog_reader *r, struct err *err)
{
	const struct pax_entry *e = &r->said;
	const char *path;

	r->path.n = 0;
	if (e->prefix.n &&
	    (buf_append(&r->path, e->prefix.p, e->prefix.n, err) || buf_puts(&r->path, "/", err)))
		return -1;
	if (buf_append(&r->path, e->path.p, e->path.n, err))
		return -1;
	if (e->type == '5' && r->path.n && r->path.p[r->path.n - 1] == '/')
		r->path.n--;
	if (buf_terminate(&r->path, err))
		return -1;
	path = (const char *)r->path.p;
	if (!path_is_entry(path))
		return refuse_entry(r, text("not an entry path"), err);
	if (r->has_prev && path_compare((const char *)r->prev.p, path) >= 0)
		return refuse_entry(r, text("not in order"), err);
	return 0;
}

static int check_link(struct catalog_reader *r, struct err *err)
{
	const char *link;

	if (set_text(&r->link, &r->said.link, err))
		return -1;
	link = (const char *)r->link.p;
	if (r->said.type == '1' && (!path_is_entry(link) || path_compare(link, (const char *)r->path.p) >= 0))
		return refuse_entry(r, text("a hard link must point to an entry before it"), err);
	if (r->said.type == '2' && !*link)
		return refuse_entry(r, text("a symbolic link without a target"), err);
	return 0;
}

static int set_acl(struct catalog_reader *r, const struct pax_text *acl, int type, struct err *err)
{
	if (!acl->p)
		return 0;
	if (set_text(&r->word, acl, err))
		return -1;
	if (archive_entry_acl_from_text(r->entry, (const char *)r->word.p, type) != ARCHIVE_OK)
		return refuse_entry(r, text("malformed access control list"), err);
	return 0;
}

static int set_owner(struct catalog_reader *r, struct err *err)
{
	const struct pax_entry *e = &r->said;

	if (e->uid > ID_MAX || e->gid > ID_MAX)
		return refuse_entry(r, text("impossible owner"), err);
	archive_entry_set_uid(r->entry, (la_int64_t)e->uid);
	archive_entry_set_gid(r->entry, (la_int64_t)e->gid);
	if (set_text(&r->word, &e->user, err))
		return -1;
	archive_entry_copy_uname(r->entry, (const char *)r->word.p);
	if (set_text(&r->word, &e->group, err))
		return -1;
	archive_entry_copy_gname(r->entry, (const char *)r->word.p);
	return 0;
}

/* Path and link were checked. */
static int fill_entry(struct catalog_reader *r, struct err *err)
{
	static const unsigned types[] = {
	    AE_IFREG, 0, AE_IFLNK, AE_IFCHR, AE_IFBLK, AE_IFDIR, AE_IFIFO}; /* '0' … '6' */
	const struct pax_entry *e = &r->said;

	archive_entry_clear(r->entry);
	archive_entry_copy_pathname(r->entry, (const char *)r->path.p);
	archive_entry_set_mode(r->entry, types[e->type - '0'] | e->mode);
	archive_entry_set_mtime(r->entry, e->mtime, e->mtime_ns);
	if (e->type == '1')
		archive_entry_copy_hardlink(r->entry, (const char *)r->link.p);
	if (e->type == '2')
		archive_entry_copy_symlink(r->entry, (const char *)r->link.p);
	if (e->type == '3' || e->type == '4') {
		archive_entry_set_rdevmajor(r->entry, e->major);
		archive_entry_set_rdevminor(r->entry, e->minor);
	}
	if (e->flags.p)
		archive_entry_set_fflags(r->entry, pax_flags(&e->flags), 0);
	if (set_owner(r, err))
		return -1;
	/* behind the mode, whose bits the access list sets to its own */
	return set_acl(r, &e->acl_access, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, err) ||
		       set_acl(r, &e->acl_default, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, err)
		   ? -1
		   : 0;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The name with its %XX undone, behind the others in r->names. */
static int decode_name(struct catalog_reader *r, const struct pax_text *name, size_t *ret, struct err *err)
{
	*ret = r->names.n;
	for (size_t i = 0; i < name->n; i++) {
		char c = name->p[i];

		if (c == '%') {
			int hi = i + 2 < name->n ? hex_value(name->p[i + 1]) : -1,
			    lo = hi < 0 ? -1 : hex_value(name->p[i + 2]);

			if (lo < 0 || hi + lo == 0)
				return refuse_entry(r, text("malformed name of an attribute"), err);
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		if (buf_append(&r->names, &c, 1, err))
			return -1;
	}
	return buf_append(&r->names, "", 1, err);
}

/* Words separated by commas; words of a later version are passed over. */
static int parse_flags(const char *s, size_t n, unsigned *ret)
{
	static const char *const words[] = CATALOG_FLAG_WORDS;
	size_t i = 0;

	for (;;) {
		size_t start = i;

		while (i < n && ((s[i] >= 'a' && s[i] <= 'z') || s[i] == '-'))
			i++;
		if (i == start)
			return -1;
		for (size_t w = 0; w < CATALOG_FLAGS; w++)
			if (strlen(words[w]) == i - start && !memcmp(words[w], s + start, i - start))
				*ret |= 1u << w;
		if (i == n)
			return 0;
		if (s[i++] != ',')
			return -1;
	}
}

static int take_extents(
    struct catalog_reader *r, const struct pax_text *t, struct catalog_item *ret, struct err *err)
{
	char shown[300];

	if (set_text(&r->extents, t, err))
		return -1;
	ret->extents = (const char *)r->extents.p;
	ret->extents_len = t->n;
	if (extent_check(ret->extents, t->n, &ret->size, &r->indirect, &r->holes, err))
		return err_wrap(err, "'%s'", path_show((const char *)r->path.p, shown, sizeof(shown)));
	return 0;
}

static int take_special(
    struct catalog_reader *r, const struct pax_text *t, struct catalog_item *ret, struct err *err)
{
	if (memchr(t->p, '\0', t->n))
		return refuse_entry(r, text("malformed kind of a hard link"), err);
	if (set_text(&r->special, t, err))
		return -1;
	ret->special = (const char *)r->special.p;
	return 0;
}

/* One of ours. */
static int take_ours(struct catalog_reader *r, const char *name, const struct pax_text *t,
    struct catalog_item *ret, struct err *err)
{
	if (!strcmp(name, CATALOG_ATTR_EXTENTS))
		return take_extents(r, t, ret, err);
	if (!strcmp(name, CATALOG_ATTR_SPECIAL))
		return take_special(r, t, ret, err);
	if (!strcmp(name, CATALOG_ATTR_FLAGS))
		return parse_flags(t->p, t->n, &ret->flags) ? refuse_entry(r, text("malformed flags"), err)
							    : 0;
	if (strcmp(name, CATALOG_ATTR_SHA256) != 0)
		return 0; /* of a later version */
	if (t->n != 2 * DIGEST_LEN || !digest_unhex(t->p, DIGEST_LEN, r->sha256))
		return refuse_entry(r, text("malformed SHA-256"), err);
	ret->sha256 = r->sha256;
	return 0;
}

static int collect_attrs(struct catalog_reader *r, struct err *err)
{
	struct pax_text name, value;
	size_t at = 0;

	r->names.n = r->n_attrs = 0;
	while (!pax_next_attr(&r->said, &at, &name, &value)) {
		if (r->n_attrs == r->attrs_cap) {
			size_t cap = r->attrs_cap ? 2 * r->attrs_cap : 16;
			struct attr *more = reallocarray(r->attrs, cap, sizeof(*more));

			if (!more)
				return err_nomem(err);
			r->attrs = more;
			r->attrs_cap = cap;
		}
		r->attrs[r->n_attrs].value = value;
		if (decode_name(r, &name, &r->attrs[r->n_attrs].name, err))
			return -1;
		r->n_attrs++;
	}
	return 0;
}

static int by_name(const void *a, const void *b, void *names)
{
	const struct attr *x = a, *y = b;

	return strcmp((const char *)names + x->name, (const char *)names + y->name);
}

/* The current entry's attributes into its entry and, ours, into the item. */
static int read_attrs(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	const char *names;

	if (collect_attrs(r, err))
		return -1;
	names = (const char *)r->names.p;
	if (r->n_attrs > 1)
		qsort_r(r->attrs, r->n_attrs, sizeof(*r->attrs), by_name, r->names.p);
	for (size_t i = r->n_attrs; i-- > 0;) { /* libarchive adds to the front */
		const struct attr *a = &r->attrs[i];

		if (i && !strcmp(names + a[-1].name, names + a->name))
			return refuse_entry(r, text("an attribute stands there twice"), err);
		if (strncmp(names + a->name, CATALOG_ATTR_OURS, strlen(CATALOG_ATTR_OURS)) != 0)
			archive_entry_xattr_add_entry(r->entry, names + a->name, a->value.p, a->value.n);
		else if (take_ours(r, names + a->name, &a->value, ret, err))
			return -1;
	}
	return 0;
}

bool catalog_sha256_fits(bool has, uint64_t holes, bool indirect)
{
	return has ? holes <= EXTENT_HOLES_MAX : holes > EXTENT_HOLES_MAX || indirect;
}

/* Words of bkp.special.  0, -1: it is none of them. */
static int parse_special(const char *s, unsigned *ret_type, const char **ret_target, unsigned ret_dev[2])
{
	int used = 0;

	if (!strcmp(s, "fifo")) {
		*ret_type = AE_IFIFO;
		return 0;
	}
	if (!strncmp(s, "symlink ", 8) && s[8]) {
		*ret_type = AE_IFLNK;
		*ret_target = s + 8;
		return 0;
	}
	*ret_type = *s == 'c' ? AE_IFCHR : AE_IFBLK;
	return sscanf(s, *s == 'c' ? "char %7u %7u%n" : "block %7u %7u%n", &ret_dev[0], &ret_dev[1], &used) ==
			   2 &&
		       used && !s[used] && ret_dev[0] <= PAX_DEVICE_MAX && ret_dev[1] <= PAX_DEVICE_MAX
		   ? 0
		   : -1;
}

int catalog_alone(struct archive_entry *e, const struct catalog_item *item)
{
	unsigned type = AE_IFREG, dev[2] = {0, 0};
	const char *target = NULL;

	if (item->special && parse_special(item->special, &type, &target, dev))
		return -1;
	archive_entry_set_hardlink(e, NULL);
	archive_entry_set_filetype(e, type);
	if (target)
		archive_entry_copy_symlink(e, target);
	archive_entry_set_rdevmajor(e, dev[0]);
	archive_entry_set_rdevminor(e, dev[1]);
	return 0;
}

/* A regular file has extents, unless it could not be read; a hard link has what it is a name of. */
static int check_extents(const struct catalog_reader *r, const struct catalog_item *item, struct err *err)
{
	char type = r->said.type;
	bool hard = type == '1', none = item->flags & CATALOG_UNREADABLE;
	unsigned is, dev[2];
	const char *target;

	if (item->special && (!hard || item->extents || parse_special(item->special, &is, &target, dev)))
		return refuse_entry(r, text("malformed kind of a hard link"), err);
	if (item->extents && ((!hard && type != '0') || none))
		return refuse_entry(r, text("extents where none belong"), err);
	if (!item->extents && !item->special && (hard || type == '0') && !none)
		return refuse_entry(r, text("no extents"), err);
	if (item->extents ? !catalog_sha256_fits(item->sha256, r->holes, r->indirect) : item->sha256 != NULL)
		return refuse_entry(r, text("a SHA-256 is missing, or is where none belongs"), err);
	return 0;
}

static int read_entry(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	if (r->index >= CATALOG_ENTRIES_READ)
		return refuse_entry(r, text("too many entries"), err);
	if (check_path(r, err) || check_link(r, err) || fill_entry(r, err) || read_attrs(r, ret, err) ||
	    check_extents(r, ret, err))
		return -1;
	if (r->said.type == '0' && ret->extents)
		archive_entry_set_size(r->entry, (la_int64_t)ret->size);
	ret->entry = r->entry;
	ret->path = (const char *)r->path.p;
	return 0;
}

static int end_of_block(struct catalog_reader *r, struct err *err)
{
	if (r->pos + CATALOG_END_BYTES != r->size)
		return err_set(err, "E-CATALOG-01", "%s", text("a catalog block has bytes behind its end"));
	r->ended = true;
	return CATALOG_END;
}

static int next_entry(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	struct catalog_item item = {.entry = NULL};
	struct buf swap;
	int result;

	if (r->ended)
		return CATALOG_END;
	if (r->failed)
		return err_set(err, "E-CATALOG-01", "%s", text("the catalog block has failed before"));
	if (r->index) {
		swap = r->prev;
		r->prev = r->path;
		r->path = swap;
		r->has_prev = true;
	}
	r->path.n = 0;
	result = pax_parse(r->block, r->size, &r->pos, &r->said, err);
	if (result == PAX_END)
		result = end_of_block(r, err);
	else if (result)
		err_wrap(err, text("entry %zu of a catalog block"), r->index);
	else
		result = read_entry(r, &item, err);
	r->failed = result < 0;
	if (result)
		return result;
	r->index++;
	*ret = item;
	return 0;
}

int catalog_reader_next(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	const unsigned long mark = starved_mark();
	int result = next_entry(r, ret, err);

	if (!starved_since(mark))
		return result;
	r->failed = true;
	return err_nomem(err);
}
