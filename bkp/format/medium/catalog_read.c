/* catalog: see catalog.h.  This file: the reader.  All that a hostile block could say is checked here.
 *
 * next_entry() reads one header → read_entry() checks path, type, owner and that there is no body → attributes: take_plain()
 * for an entry that has only our extents and SHA-256 (most have), else take_all() with a copy of the entry → check_extents().
 * After the last entry the block must end where libarchive stopped (end_of_block()): nothing is hidden behind it.
 *
 * The item's entry, path and extents belong to the reader and are valid until the next call.  After a failure every further
 * call fails.  libarchive may hide a failed allocation: catalog_reader_next() then says E-MEM-01, whatever was read. */
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
#include "format/medium/extent.h"

#define XATTR_EXTENTS "bkp.extents"
#define XATTR_FLAGS   "bkp.flags"
#define XATTR_SHA256  "bkp.sha256"
#define RECORD	      512
#define ID_MAX	      0xfffffffeLL /* (uid_t)-1 means "nobody in particular" to chown() */

struct attr {
	char *name; /* decoded */
	const void *value;
	size_t n;
};

struct catalog_reader {
	struct archive *a;
	struct archive_entry *raw;   /* as libarchive reads it */
	struct archive_entry *clean; /* with its attributes decoded and ours taken out, where it has others */
	struct buf extents;
	uint64_t holes; /* of the current entry, before an '@' */
	bool indirect;
	uint8_t sha256[DIGEST_LEN];
	size_t size;
	size_t index; /* entries read */
	struct buf path, prev;
	bool has_prev, failed, ended;
};

static bool ends_as_archive(const uint8_t *block, size_t n)
{
	if (n < 2 * RECORD || n % RECORD)
		return false;
	for (size_t i = n - 2 * RECORD; i < n; i++)
		if (block[i])
			return false;
	return true;
}

static int open_block(
    const void *block, size_t n, const char *prev_path, struct catalog_reader **ret, struct err *err)
{
	struct catalog_reader *r;

	if (n > CATALOG_BLOCK_MAX || !ends_as_archive(block, n))
		return err_set(err, "E-CATALOG-01", "%s", text("a catalog block is not a whole pax archive"));
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(err);
	buf_init(&r->path, CATALOG_BLOCK_MAX);
	buf_init(&r->prev, CATALOG_BLOCK_MAX);
	buf_init(&r->extents, CATALOG_BLOCK_MAX);
	r->size = n;
	r->raw = archive_entry_new();
	r->a = archive_read_new();
	r->has_prev = prev_path != NULL;
	if (!r->raw || !r->a ||
	    (prev_path && (buf_puts(&r->prev, prev_path, err) || buf_terminate(&r->prev, err)))) {
		catalog_reader_free(r);
		return err_nomem(err);
	}
	if (archive_read_support_format_tar(r->a) || archive_read_open_memory(r->a, block, n)) {
		err_set(err, "E-CATALOG-01", text("a catalog block cannot be read: %s"),
		    archive_error_string(r->a));
		catalog_reader_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

int catalog_reader_new(
    const void *block, size_t n, const char *prev_path, struct catalog_reader **ret, struct err *err)
{
	const unsigned long mark = starved_mark();
	int result = open_block(block, n, prev_path, ret, err);

	return result && starved_since(mark) ? err_nomem(err) : result;
}

void catalog_reader_free(struct catalog_reader *r)
{
	if (!r)
		return;
	archive_read_free(r->a);
	archive_entry_free(r->raw);
	archive_entry_free(r->clean);
	buf_free(&r->path);
	buf_free(&r->prev);
	buf_free(&r->extents);
	free(r);
}

static int refuse_entry(const struct catalog_reader *r, const char *why, struct err *err)
{
	char shown[300];

	return err_set(err, "E-CATALOG-02", text("entry %zu of a catalog block ('%s') is refused: %s"),
	    r->index, r->path.n ? path_show((const char *)r->path.p, shown, sizeof(shown)) : "", why);
}

static int check_path(struct catalog_reader *r, unsigned type, struct err *err)
{
	const char *path = archive_entry_pathname(r->raw);
	size_t n = path ? strlen(path) : 0;

	if (n && type == AE_IFDIR && path[n - 1] == '/')
		n--;
	r->path.n = 0;
	if (buf_append(&r->path, path, n, err) || buf_terminate(&r->path, err))
		return -1;
	path = (const char *)r->path.p;
	if (!path_is_entry(path))
		return refuse_entry(r, text("not an entry path"), err);
	if (r->has_prev && path_compare((const char *)r->prev.p, path) >= 0)
		return refuse_entry(r, text("not in order"), err);
	return 0;
}

static int check_type(const struct catalog_reader *r, unsigned type, struct err *err)
{
	const char *hard = archive_entry_hardlink(r->raw), *sym = archive_entry_symlink(r->raw);

	if (archive_entry_mode(r->raw) & ~(AE_IFMT | 07777u))
		return refuse_entry(r, text("impossible mode"), err);
	if (hard) {
		if (type || sym)
			return refuse_entry(r, text("a hard link that is something else too"), err);
		if (!path_is_entry(hard) || path_compare(hard, (const char *)r->path.p) >= 0)
			return refuse_entry(r, text("a hard link must point to an entry before it"), err);
		return 0;
	}
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && type != AE_IFIFO &&
	    type != AE_IFCHR && type != AE_IFBLK)
		return refuse_entry(r, text("not a type of file that can be stored"), err);
	if (type == AE_IFLNK ? !sym || !*sym : sym != NULL)
		return refuse_entry(
		    r, text("a symbolic link without a target, or a target without a link"), err);
	return 0;
}

static int check_rest(const struct catalog_reader *r, struct err *err)
{
	const void *body;
	size_t n = 0;
	la_int64_t offset;

	if (archive_entry_uid(r->raw) < 0 || archive_entry_uid(r->raw) > ID_MAX ||
	    archive_entry_gid(r->raw) < 0 || archive_entry_gid(r->raw) > ID_MAX)
		return refuse_entry(r, text("impossible owner"), err);
	if (archive_entry_acl_types(r->raw) & ~ARCHIVE_ENTRY_ACL_TYPE_POSIX1E)
		return refuse_entry(r, text("an access control list of another kind"), err);
	/* a size that is only claimed would make a restore wait for data that never comes */
	if (archive_entry_size(r->raw) != 0 ||
	    archive_read_data_block(r->a, &body, &n, &offset) != ARCHIVE_EOF || n)
		return refuse_entry(r, text("it has a body"), err);
	return 0;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* libarchive percent-encodes attribute names when it writes them and leaves them so when it reads. */
static char *decode_name(const char *s)
{
	char *name = malloc(strlen(s) + 1), *d = name;

	for (; name && *s; s++) {
		if (*s == '%') {
			int hi = hex_value(s[1]), lo = hi < 0 ? -1 : hex_value(s[2]);

			if (lo < 0 || hi + lo == 0) {
				free(name);
				return NULL;
			}
			*d++ = (char)(hi << 4 | lo);
			s += 2;
		} else {
			*d++ = *s;
		}
	}
	if (name)
		*d = '\0';
	return name;
}

/* Words separated by commas; words of a later version are passed over. */
static int parse_flags(const char *s, size_t n, unsigned *ret)
{
	static const char *const words[] = {"changed", "unreadable", "attributes-incomplete"};
	size_t i = 0;

	for (;;) {
		size_t start = i;

		while (i < n && ((s[i] >= 'a' && s[i] <= 'z') || s[i] == '-'))
			i++;
		if (i == start)
			return -1;
		for (size_t w = 0; w < 3; w++)
			if (strlen(words[w]) == i - start && !memcmp(words[w], s + start, i - start))
				*ret |= 1u << w;
		if (i == n)
			return 0;
		if (s[i++] != ',')
			return -1;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct attr *)a)->name, ((const struct attr *)b)->name);
}

static int take_extents(
    struct catalog_reader *r, const void *p, size_t n, struct catalog_item *ret, struct err *err)
{
	char shown[300];

	if (ret->extents)
		return refuse_entry(r, text("an attribute stands there twice"), err);
	r->extents.n = 0;
	if (buf_append(&r->extents, p, n, err) || buf_terminate(&r->extents, err))
		return -1;
	ret->extents = (const char *)r->extents.p;
	ret->extents_len = n;
	if (extent_check(ret->extents, n, &ret->size, &r->indirect, &r->holes, err))
		return err_wrap(err, "'%s'", path_show((const char *)r->path.p, shown, sizeof(shown)));
	return 0;
}

static int take_sha256(
    struct catalog_reader *r, const char *p, size_t n, struct catalog_item *ret, struct err *err)
{
	if (n != 2 * DIGEST_LEN || !digest_unhex(p, DIGEST_LEN, r->sha256))
		return refuse_entry(r, text("malformed SHA-256"), err);
	ret->sha256 = r->sha256;
	return 0;
}

/* Takes the sorted attributes over into the clean entry and the item. */
static int distribute_attrs(
    struct catalog_reader *r, const struct attr *x, size_t n, struct catalog_item *ret, struct err *err)
{
	for (size_t i = 1; i < n; i++)
		if (!strcmp(x[i - 1].name, x[i].name))
			return refuse_entry(r, text("an attribute stands there twice"), err);
	archive_entry_xattr_clear(r->clean);
	for (size_t i = n; i-- > 0;) { /* libarchive adds to the front */
		if (!strcmp(x[i].name, XATTR_EXTENTS)) {
			if (take_extents(r, x[i].value, x[i].n, ret, err))
				return -1;
		} else if (!strcmp(x[i].name, XATTR_SHA256)) {
			if (take_sha256(r, x[i].value, x[i].n, ret, err))
				return -1;
		} else if (!strcmp(x[i].name, XATTR_FLAGS)) {
			if (parse_flags(x[i].value, x[i].n, &ret->flags))
				return refuse_entry(r, text("malformed flags"), err);
		} else {
			archive_entry_xattr_add_entry(r->clean, x[i].name, x[i].value, x[i].n);
		}
	}
	return 0;
}

static int read_attrs(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	int count = archive_entry_xattr_reset(r->raw), result = 0;
	struct attr *x = calloc((size_t)count + 1, sizeof(*x));
	const char *name;
	size_t n = 0;

	if (!x)
		return err_nomem(err);
	while (!result && archive_entry_xattr_next(r->raw, &name, &x[n].value, &x[n].n) == ARCHIVE_OK) {
		x[n].name = decode_name(name);
		if (!x[n].name)
			result = refuse_entry(r, text("malformed name of an attribute"), err);
		else
			n++;
	}
	if (!result) {
		qsort(x, n, sizeof(*x), by_name);
		result = distribute_attrs(r, x, n, ret, err);
	}
	while (n-- > 0)
		free(x[n].name);
	free(x);
	return result;
}

/* An entry without attributes but its extents and SHA-256, as most are: 1 taken, 0 it is not so, -1. */
static int take_plain(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	static const char *const ours[] = {XATTR_SHA256, XATTR_EXTENTS}; /* read back to front */
	int count = archive_entry_xattr_reset(r->raw);
	struct attr x[2] = {{NULL, NULL, 0}};
	const char *name;

	if (count != 0 && count != 2)
		return 0;
	for (int i = 0; i < count; i++)
		if (archive_entry_xattr_next(r->raw, &name, &x[i].value, &x[i].n) != ARCHIVE_OK ||
		    strcmp(name, ours[i]) != 0)
			return 0;
	if (count &&
	    (take_sha256(r, x[0].value, x[0].n, ret, err) || take_extents(r, x[1].value, x[1].n, ret, err)))
		return -1;
	archive_entry_xattr_clear(r->raw);
	ret->entry = r->raw;
	return 1;
}

/* All the others: a copy, because the values belong to the entry that they are taken out of. */
static int take_all(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	archive_entry_free(r->clean);
	r->clean = archive_entry_clone(r->raw);
	if (!r->clean)
		return err_nomem(err);
	ret->entry = r->clean;
	return read_attrs(r, ret, err);
}

bool catalog_sha256_fits(bool has, uint64_t holes, bool indirect)
{
	return has ? holes <= EXTENT_HOLES_MAX : holes > EXTENT_HOLES_MAX || indirect;
}

static int check_extents(
    const struct catalog_reader *r, unsigned type, const struct catalog_item *item, struct err *err)
{
	bool hard = archive_entry_hardlink(r->raw) != NULL;

	if (item->extents && ((!hard && type != AE_IFREG) || item->flags & CATALOG_UNREADABLE))
		return refuse_entry(r, text("extents where none belong"), err);
	if (!item->extents && !hard && type == AE_IFREG && !(item->flags & CATALOG_UNREADABLE))
		return refuse_entry(r, text("no extents"), err);
	if (item->extents ? !catalog_sha256_fits(item->sha256, r->holes, r->indirect) : item->sha256 != NULL)
		return refuse_entry(r, text("a SHA-256 is missing, or is where none belongs"), err);
	return 0;
}

static int read_entry(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	unsigned type = archive_entry_filetype(r->raw);
	int plain;

	if (r->index >= CATALOG_ENTRIES_READ)
		return refuse_entry(r, text("too many entries"), err);
	if (check_path(r, type, err) || check_type(r, type, err) || check_rest(r, err))
		return -1;
	plain = take_plain(r, ret, err);
	if (plain < 0 || (!plain && take_all(r, ret, err)) || check_extents(r, type, ret, err))
		return -1;
	if (type == AE_IFDIR) /* without its '/' */
		archive_entry_copy_pathname(ret->entry, (const char *)r->path.p);
	archive_entry_sparse_clear(ret->entry);
	archive_entry_unset_atime(ret->entry);
	archive_entry_unset_ctime(ret->entry);
	archive_entry_unset_birthtime(ret->entry);
	archive_entry_set_dev(ret->entry, 0); /* libarchive makes these up */
	archive_entry_set_ino(ret->entry, 0);
	if (type == AE_IFREG && ret->extents)
		archive_entry_set_size(ret->entry, (la_int64_t)ret->size);
	else
		archive_entry_unset_size(ret->entry);
	return 0;
}

static int end_of_block(struct catalog_reader *r, struct err *err)
{
	if ((uint64_t)archive_filter_bytes(r->a, -1) != r->size)
		return err_set(err, "E-CATALOG-01", "%s", text("a catalog block has bytes behind its end"));
	r->ended = true;
	return CATALOG_END;
}

static int next_entry(struct catalog_reader *r, struct catalog_item *ret, struct err *err)
{
	struct catalog_item item = {.entry = NULL};
	struct buf swap;
	int got, result;

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
	got = archive_read_next_header2(r->a, r->raw);
	if (got == ARCHIVE_EOF)
		result = end_of_block(r, err);
	else if (got != ARCHIVE_OK ||
		 archive_errno(r->a)) /* it reports an ACL it cannot parse, and returns success */
		result = err_set(err, "E-CATALOG-01", text("entry %zu of a catalog block cannot be read: %s"),
		    r->index, archive_error_string(r->a) ? archive_error_string(r->a) : "");
	else
		result = read_entry(r, &item, err);
	r->failed = result < 0;
	if (result)
		return result;
	r->index++;
	item.path = (const char *)r->path.p;
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
