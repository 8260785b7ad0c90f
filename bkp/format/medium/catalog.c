/* catalog: see catalog.h.  This file: the writer, and where a block is cut.  The reader is catalog_read.c.
 *
 * One libarchive writer goes on over all blocks.  It writes without blocking, so each entry reaches `out` at once as whole
 * records: an entry that turns out too large is taken back, and the bytes of an entry (catalog_writer_last()) can be spliced
 * into a later block (catalog_writer_add_raw()) without being made again.
 *
 * Deterministic: fields that differ from look to look are cleared (strip_entry()), attributes are sorted (sort_attrs()), so
 * that an unchanged entry gives the same bytes.
 *
 * A block ends (catalog_writer_full()) at CATALOG_ENTRIES_MAX entries, at CATALOG_BLOCK_SOFT bytes, or behind an entry
 * whose path hashes to a cut (cuts_here(), one in 96, from CATALOG_ENTRIES_MIN entries on): an inserted file moves the cuts
 * near it only.
 *
 * Before a block counts it is read back with the reader (read_back()).  Spliced entries were read back when they were made
 * and are not read again: from the first splice on, the entries made here are kept in `made` as well. */
#include "format/medium/catalog.h"

#include <errno.h>
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
#define XATTR_OURS    "bkp."
#define CUT_ONE_IN    96 /* so that blocks have about CATALOG_ENTRIES_MIN + 96 entries */
#define RECORD	      512
#define END	      (2 * RECORD) /* of a pax archive: records of zeros */

struct catalog_writer {
	struct archive *a;	 /* goes on over all blocks; NULL until needed */
	struct buf out;		 /* the block so far */
	struct buf path;	 /* of the entry being added, NUL-terminated */
	struct buf last;	 /* of the entry before */
	struct buf made;	 /* where entries were spliced in: those that were not */
	char sha256[DIGEST_HEX]; /* of the entry being added; "": none */
	size_t entries, n_made, last_bytes;
	bool spliced; /* an entry was spliced into this block */
	bool discard; /* the archive is on its way out */
	bool failed;  /* only catalog_writer_free() is allowed any more */
};

struct attr {
	char *name;
	void *value;
	size_t n;
};

int catalog_writer_new(struct catalog_writer **ret, struct err *err)
{
	struct catalog_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	buf_init(&w->out, CATALOG_BLOCK_MAX);
	buf_init(&w->path, CATALOG_ENTRY_MAX);
	buf_init(&w->last, CATALOG_ENTRY_MAX);
	buf_init(&w->made, CATALOG_BLOCK_MAX);
	*ret = w;
	return 0;
}

static void drop_archive(struct catalog_writer *w)
{
	if (!w->a)
		return;
	/* freeing writes an end into the block nobody wants; archive_write_fail() would prevent that and leak
	 */
	w->discard = true;
	archive_write_free(w->a);
	w->discard = false;
	w->a = NULL;
}

void catalog_writer_free(struct catalog_writer *w)
{
	if (!w)
		return;
	drop_archive(w);
	buf_free(&w->out);
	buf_free(&w->path);
	buf_free(&w->last);
	buf_free(&w->made);
	free(w);
}

static la_ssize_t take_bytes(struct archive *a, void *arg, const void *p, size_t n)
{
	struct catalog_writer *w = arg;

	if (!w->discard && buf_append(&w->out, p, n, NULL)) {
		archive_set_error(a, ENOMEM, "%s", "block full");
		return -1;
	}
	return (la_ssize_t)n;
}

static int open_archive(struct catalog_writer *w, struct err *err)
{
	if (w->a)
		return 0;
	w->a = archive_write_new();
	if (!w->a)
		return err_nomem(err);
	/* no blocking: each entry reaches `out` at once and can be taken back, and no padding follows the end
	 */
	if (archive_write_set_format_pax(w->a) || archive_write_add_filter_none(w->a) ||
	    archive_write_set_format_option(w->a, NULL, "hdrcharset", "BINARY") ||
	    archive_write_set_format_option(w->a, NULL, "xattrheader", "SCHILY") ||
	    archive_write_set_bytes_per_block(w->a, 0) ||
	    archive_write_open(w->a, w, NULL, take_bytes, NULL)) {
		err_set(err, "E-CATALOG-03", text("cannot begin a catalog block: %s"),
		    archive_error_string(w->a));
		drop_archive(w);
		return -1;
	}
	return 0;
}

static int refuse_entry(const struct catalog_writer *w, const char *why, struct err *err)
{
	char shown[300];

	return err_set(err, "E-CATALOG-02", text("entry '%s' cannot be stored: %s"),
	    w->path.p ? path_show((const char *)w->path.p, shown, sizeof(shown)) : "", why);
}

/* The same rules that the reader has, so that nothing is written that it would refuse. */
static int check_entry(const struct catalog_writer *w, struct archive_entry *e, const char *extents, size_t n,
    unsigned flags, struct err *err)
{
	const char *path = (const char *)w->path.p, *hard = archive_entry_hardlink(e);
	unsigned type = archive_entry_filetype(e);
	bool indirect;
	uint64_t holes;

	if (!path_is_entry(path))
		return refuse_entry(w, text("not an entry path"), err);
	if (w->last.n && path_compare((const char *)w->last.p, path) >= 0)
		return refuse_entry(w, text("not in order"), err);
	if (hard && (!path_is_entry(hard) || path_compare(hard, path) >= 0))
		return refuse_entry(w, text("a hard link must point to an entry before it"), err);
	if (!hard && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && type != AE_IFIFO &&
	    type != AE_IFCHR && type != AE_IFBLK)
		return refuse_entry(w, text("not a type of file that can be stored"), err);
	if (!hard && type == AE_IFLNK && (!archive_entry_symlink(e) || !*archive_entry_symlink(e)))
		return refuse_entry(w, text("a symbolic link without a target"), err);
	if (extents && ((!hard && type != AE_IFREG) || flags & CATALOG_UNREADABLE))
		return refuse_entry(w, text("extents where none belong"), err);
	if (!extents && !hard && type == AE_IFREG && !(flags & CATALOG_UNREADABLE))
		return refuse_entry(w, text("no extents"), err);
	if (extents && extent_check(extents, n, NULL, &indirect, &holes, err))
		return -1;
	if (extents ? !catalog_sha256_fits(*w->sha256, holes, indirect) : *w->sha256)
		return refuse_entry(w, text("a SHA-256 is missing, or is where none belongs"), err);
	return 0;
}

/* What is not part of a file's state, or differs between two looks at the same file. */
static void strip_entry(struct archive_entry *e)
{
	archive_entry_unset_size(e);
	archive_entry_sparse_clear(e);
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	archive_entry_unset_birthtime(e);
	archive_entry_set_dev(e, 0);
	archive_entry_set_ino(e, 0);
	archive_entry_set_nlink(e, 0);
	archive_entry_copy_mac_metadata(e, NULL, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct attr *)a)->name, ((const struct attr *)b)->name);
}

static int attr_set(struct attr *x, const char *name, const void *value, size_t n)
{
	x->name = strdup(name);
	x->value = malloc(n ? n : 1);
	x->n = n;
	if (!x->name || !x->value) {
		free(x->name);
		free(x->value);
		return -1;
	}
	if (n)
		memcpy(x->value, value, n);
	return 0;
}

static void format_flags(unsigned flags, char out[64])
{
	static const char *const words[] = {"changed", "unreadable", "attributes-incomplete"};
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < 3; i++)
		if (flags & 1u << i)
			used += (size_t)snprintf(out + used, 64 - used, "%s%s", used ? "," : "", words[i]);
}

/* Puts the attributes in one fixed order (the kernel's differs from run to run) with ours among them. */
static int sort_attrs(struct archive_entry *e, const char *extents, size_t extents_len, const char *sha256,
    unsigned flags, int given, struct err *err)
{
	struct attr *x = calloc((size_t)given + 3, sizeof(*x));
	size_t n = 0, size;
	const void *value;
	const char *name;
	char words[64];
	int r = x ? 0 : -1;

	while (!r && archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK)
		if (strncmp(name, XATTR_OURS, strlen(XATTR_OURS)) != 0)
			n += (r = attr_set(&x[n], name, value, size)) == 0;
	format_flags(flags, words);
	if (!r && extents)
		n += (r = attr_set(&x[n], XATTR_EXTENTS, extents, extents_len)) == 0;
	if (!r && words[0])
		n += (r = attr_set(&x[n], XATTR_FLAGS, words, strlen(words))) == 0;
	if (!r && *sha256)
		n += (r = attr_set(&x[n], XATTR_SHA256, sha256, strlen(sha256))) == 0;
	if (!r) {
		qsort(x, n, sizeof(*x), by_name);
		archive_entry_xattr_clear(e);
	}
	/* libarchive adds to the front */
	while (n-- > 0) {
		if (!r)
			archive_entry_xattr_add_entry(e, x[n].name, x[n].value, x[n].n);
		free(x[n].name);
		free(x[n].value);
	}
	free(x);
	return r ? err_nomem(err) : 0;
}

static int set_attrs(struct archive_entry *e, const char *extents, size_t extents_len, const char *sha256,
    unsigned flags, struct err *err)
{
	int given = archive_entry_xattr_reset(e);

	if (given || flags)
		return sort_attrs(e, extents, extents_len, sha256, flags, given, err);
	if (*sha256) /* added to the front: the last in the order of names is the first here */
		archive_entry_xattr_add_entry(e, XATTR_SHA256, sha256, strlen(sha256));
	if (extents)
		archive_entry_xattr_add_entry(e, XATTR_EXTENTS, extents, extents_len);
	return 0;
}

/* A lower bound of the entry's size, so that a monster is not even built. */
static size_t least_size(struct archive_entry *e)
{
	const char *hard = archive_entry_hardlink(e), *sym = archive_entry_symlink(e), *name;
	size_t sum = strlen(archive_entry_pathname(e)) + (hard ? strlen(hard) : 0) + (sym ? strlen(sym) : 0),
	       n;
	const void *value;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &n) == ARCHIVE_OK)
		sum += strlen(name) + n;
	return sum;
}

static int too_large(const struct catalog_writer *w, struct err *err)
{
	char shown[300];

	err_set(err, "E-CATALOG-03", text("path and attributes of '%s' are more than %zu bytes"),
	    path_show((const char *)w->path.p, shown, sizeof(shown)), CATALOG_ENTRY_MAX);
	return CATALOG_TOO_LARGE;
}

/* A place that depends on the path alone, so that blocks begin at the same entries every run.  FNV-1a, its
 * bits mixed once more: who makes files so that no place is one gets blocks of the largest size. */
static bool cuts_here(const char *path)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *path; path++)
		h = (h ^ (uint8_t)*path) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return (h >> 32) % CUT_ONE_IN == 0;
}

static int write_entry(struct catalog_writer *w, struct archive_entry *e, struct err *err)
{
	size_t before = w->out.n;

	if (open_archive(w, err))
		return -1;
	if (archive_write_header(w->a, e) != ARCHIVE_OK) {
		err_set(err, "E-CATALOG-03", text("cannot add to a catalog block: %s"),
		    archive_error_string(w->a));
		w->failed = true; /* what it has written of this entry is unknown */
		drop_archive(w);
		return -1;
	}
	if (archive_entry_filetype(e) == AE_IFDIR) /* libarchive has put a '/' behind it */
		archive_entry_copy_pathname(e, (const char *)w->path.p);
	if (w->out.n - before > CATALOG_ENTRY_MAX) {
		w->out.n = before;
		return too_large(w, err);
	}
	return 0;
}

/* The entry in w->path stands in the block behind `before`. */
static int entry_added(struct catalog_writer *w, size_t before, bool made, struct err *err)
{
	struct buf swap = w->last;

	if (made && w->spliced && buf_append(&w->made, w->out.p + before, w->out.n - before, err)) {
		w->out.n = before;
		return -1;
	}
	w->last_bytes = w->out.n - before;
	w->entries++;
	w->n_made += made;
	w->last = w->path;
	w->path = swap;
	return 0;
}

static int add_entry(struct catalog_writer *w, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err)
{
	const char *path = archive_entry_pathname(entry);
	size_t before = w->out.n;
	int r;

	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	w->path.n = 0;
	w->sha256[0] = '\0';
	if (sha256)
		digest_hex(sha256, DIGEST_LEN, w->sha256);
	if (!path || strlen(path) >= CATALOG_ENTRY_MAX) {
		if (buf_append(&w->path, path ? path : "?", 1, err) || buf_terminate(&w->path, err))
			return -1;
		return path ? too_large(w, err) : refuse_entry(w, text("not an entry path"), err);
	}
	if (buf_puts(&w->path, path, err) || buf_terminate(&w->path, err) ||
	    check_entry(w, entry, extents, extents_len, flags, err))
		return -1;
	strip_entry(entry);
	if (set_attrs(entry, extents, extents_len, w->sha256, flags, err))
		return -1;
	if (least_size(entry) > CATALOG_ENTRY_MAX)
		return too_large(w, err);
	r = write_entry(w, entry, err);
	return r ? r : entry_added(w, before, true, err);
}

int catalog_writer_add(struct catalog_writer *w, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err)
{
	const unsigned long mark = starved_mark();
	int r = add_entry(w, entry, extents, extents_len, sha256, flags, err);

	if (!starved_since(mark))
		return r;
	w->failed = true;
	return err_nomem(err);
}

int catalog_writer_add_raw(
    struct catalog_writer *w, const char *path, const void *bytes, size_t n, struct err *err)
{
	size_t before = w->out.n;

	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	w->path.n = 0;
	if (buf_puts(&w->path, path, err) || buf_terminate(&w->path, err))
		return -1;
	if (!path_is_entry(path))
		return refuse_entry(w, text("not an entry path"), err);
	if (w->last.n && path_compare((const char *)w->last.p, path) >= 0)
		return refuse_entry(w, text("not in order"), err);
	if (n < RECORD || n % RECORD || n > CATALOG_ENTRY_MAX ||
	    memcmp((const char *)bytes + n - RECORD + 257, "ustar", 5) != 0)
		return refuse_entry(w, text("not the bytes of an entry"), err);
	/* until now everything here was made; from now on that is kept apart, for the reading back */
	if (!w->spliced && w->entries) {
		w->made.n = 0;
		if (buf_append(&w->made, w->out.p, w->out.n, err))
			return -1;
	}
	w->spliced = true;
	if (buf_append(&w->out, bytes, n, err))
		return -1;
	return entry_added(w, before, false, err);
}

size_t catalog_writer_last(const struct catalog_writer *w)
{
	return w->last_bytes;
}

size_t catalog_writer_entries(const struct catalog_writer *w)
{
	return w->entries;
}

int catalog_writer_full(const struct catalog_writer *w)
{
	return w->entries >= CATALOG_ENTRIES_MAX || w->out.n >= CATALOG_BLOCK_SOFT ||
	       (w->entries >= CATALOG_ENTRIES_MIN && cuts_here((const char *)w->last.p));
}

/* A block that cannot be read is a hundred files lost, and nobody would know until the day they are needed.
 * Entries that were spliced in were read back when they were made. */
static int read_back(struct catalog_writer *w, struct err *err)
{
	static const uint8_t end[END];
	const struct buf *b = w->spliced ? &w->made : &w->out;
	struct catalog_reader *r = NULL;
	struct catalog_item item;
	size_t n = 0;
	int got;

	if (w->spliced && (!w->n_made || buf_append(&w->made, end, END, err)))
		return w->n_made ? -1 : 0;
	if (catalog_reader_new(b->p, b->n, NULL, &r, err))
		return -1;
	while (!(got = catalog_reader_next(r, &item, err)))
		n++;
	if (got == CATALOG_END && n != w->n_made)
		got = err_set(err, "E-CATALOG-03",
		    text("a catalog block reads back with %zu entries instead of %zu"), n, w->n_made);
	catalog_reader_free(r);
	return got == CATALOG_END ? 0 : -1;
}

int catalog_writer_finish(struct catalog_writer *w, struct buf *out, struct err *err)
{
	static const uint8_t end[END];

	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	/* libarchive's archive goes on: its entries do not depend on those before */
	if (buf_append(&w->out, end, END, err) || read_back(w, err)) {
		w->failed = true;
		return -1;
	}
	if (buf_append(out, w->out.p, w->out.n, err))
		return -1;
	w->out.n = 0;
	w->made.n = 0;
	w->entries = 0;
	w->n_made = 0;
	w->spliced = false;
	return 0;
}
