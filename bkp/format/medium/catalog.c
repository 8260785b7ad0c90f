/* catalog: see catalog.h.  This file: the writer, and where a block is cut.  The reader is catalog_read.c.
 *
 * add_entry() checks an entry by the rules that the reader has (check_entry()), puts our attributes behind its own, which are
 * sorted (the kernel's order differs from run to run), and lets pax_append() write it.  An entry that turns out too large is
 * taken back.  Entries do not depend on each other: the bytes of one (catalog_writer_last()) can be spliced into a later block
 * (catalog_writer_add_raw()) without being made again.
 *
 * A block ends (catalog_writer_full()) at CATALOG_ENTRIES_MAX entries, at CATALOG_BLOCK_SOFT bytes, or behind an entry
 * whose path hashes to a cut (cuts_here(), one in 96, from CATALOG_ENTRIES_MIN entries on): an inserted file moves the cuts
 * near it only.
 *
 * Before a block counts it is read back with the reader (read_back()).  Spliced entries were read back when they were made
 * and are not read again: from the first splice on, the entries made here are kept in `made` as well. */
#include "format/medium/catalog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/medium/catalog_private.h"
#include "format/medium/extent.h"
#include "format/medium/pax.h"

#define CUT_ONE_IN 96 /* so that blocks have about CATALOG_ENTRIES_MIN + 96 entries */
#define OURS_MAX   4  /* attributes of ours that an entry has at most */

struct catalog_writer {
	struct buf out;		/* the block so far */
	struct buf path;	/* of the entry being added, NUL-terminated */
	struct buf last;	/* of the entry before */
	struct buf made;	/* where entries were spliced in: those that were not */
	struct buf special;	/* of the entry being added: what a hard link is a name of */
	struct buf records;	/* scratch of pax_append() */
	struct pax_attr *attrs; /* of the entry being added; room for attrs_cap */
	size_t attrs_cap, n_attrs;
	char sha256[DIGEST_HEX]; /* of the entry being added; "": none */
	size_t entries, n_made, last_bytes;
	bool spliced; /* an entry was spliced into this block */
	bool failed;  /* only catalog_writer_free() is allowed any more */
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
	buf_init(&w->special, CATALOG_ENTRY_MAX);
	buf_init(&w->records, CATALOG_BLOCK_MAX);
	*ret = w;
	return 0;
}

void catalog_writer_free(struct catalog_writer *w)
{
	if (!w)
		return;
	buf_free(&w->out);
	buf_free(&w->path);
	buf_free(&w->last);
	buf_free(&w->made);
	buf_free(&w->special);
	buf_free(&w->records);
	free(w->attrs);
	free(w);
}

static int refuse_entry(const struct catalog_writer *w, const char *why, struct err *err)
{
	char shown[300];

	return err_set(err, "E-CATALOG-02", text("entry '%s' cannot be stored: %s"),
	    w->path.p ? path_show((const char *)w->path.p, shown, sizeof(shown)) : "", why);
}

static bool is_device(unsigned type)
{
	return type == AE_IFCHR || type == AE_IFBLK;
}

/* What kind of thing may be stored, whatever name it has. */
static int check_type(const struct catalog_writer *w, struct archive_entry *e, struct err *err)
{
	const char *path = (const char *)w->path.p, *hard = archive_entry_hardlink(e);
	unsigned type = archive_entry_filetype(e);

	if (hard && (type == AE_IFDIR || !path_is_entry(hard) || path_compare(hard, path) >= 0))
		return refuse_entry(w, text("a hard link must point to an entry before it"), err);
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && type != AE_IFIFO && !is_device(type))
		return refuse_entry(w, text("not a type of file that can be stored"), err);
	if (is_device(type) &&
	    (archive_entry_rdevmajor(e) > PAX_DEVICE_MAX || archive_entry_rdevminor(e) > PAX_DEVICE_MAX))
		return refuse_entry(w, text("impossible device numbers"), err);
	if (type == AE_IFLNK && (!archive_entry_symlink(e) || !*archive_entry_symlink(e)))
		return refuse_entry(w, text("a symbolic link without a target"), err);
	return 0;
}

/* The same rules that the reader has, so that nothing is written that it would refuse. */
static int check_entry(const struct catalog_writer *w, struct archive_entry *e, const char *extents, size_t n,
    unsigned flags, struct err *err)
{
	const char *path = (const char *)w->path.p;
	unsigned type = archive_entry_filetype(e);
	bool indirect;
	uint64_t holes;

	if (!path_is_entry(path))
		return refuse_entry(w, text("not an entry path"), err);
	if (w->last.n && path_compare((const char *)w->last.p, path) >= 0)
		return refuse_entry(w, text("not in order"), err);
	if (check_type(w, e, err))
		return -1;
	if (extents && (type != AE_IFREG || flags & CATALOG_UNREADABLE))
		return refuse_entry(w, text("extents where none belong"), err);
	if (!extents && type == AE_IFREG && !(flags & CATALOG_UNREADABLE))
		return refuse_entry(w, text("no extents"), err);
	if (extents && extent_check(extents, n, NULL, &indirect, &holes, err))
		return -1;
	if (extents ? !catalog_sha256_fits(*w->sha256, holes, indirect) : *w->sha256)
		return refuse_entry(w, text("a SHA-256 is missing, or is where none belongs"), err);
	return 0;
}

/* A hard link to what is no regular file says what that is, so that it can be restored alone. */
static int say_special(struct catalog_writer *w, struct archive_entry *e, struct err *err)
{
	unsigned type = archive_entry_filetype(e);

	w->special.n = 0;
	if (!archive_entry_hardlink(e) || type == AE_IFREG)
		return 0;
	if (type == AE_IFLNK)
		return buf_printf(&w->special, err, "symlink %s", archive_entry_symlink(e));
	if (type == AE_IFIFO)
		return buf_puts(&w->special, "fifo", err);
	return buf_printf(&w->special, err, "%s %u %u", type == AE_IFCHR ? "char" : "block",
	    (unsigned)archive_entry_rdevmajor(e), (unsigned)archive_entry_rdevminor(e));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pax_attr *)a)->name, ((const struct pax_attr *)b)->name);
}

static void format_flags(unsigned flags, char out[64])
{
	static const char *const words[] = CATALOG_FLAG_WORDS;
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < CATALOG_FLAGS; i++)
		if (flags & 1u << i)
			used += (size_t)snprintf(out + used, 64 - used, "%s%s", used ? "," : "", words[i]);
}

/* The source's attributes in one order (the kernel's differs from run to run), into w->attrs. */
static int take_attrs(struct catalog_writer *w, struct archive_entry *e, struct err *err)
{
	size_t room = (size_t)archive_entry_xattr_reset(e) + OURS_MAX;
	struct pax_attr a;

	w->n_attrs = 0;
	if (w->attrs_cap < room) {
		struct pax_attr *more = reallocarray(w->attrs, room, sizeof(*more));

		if (!more)
			return err_nomem(err);
		w->attrs = more;
		w->attrs_cap = room;
	}
	while (archive_entry_xattr_next(e, &a.name, &a.value, &a.n) == ARCHIVE_OK)
		if (strncmp(a.name, CATALOG_ATTR_OURS, strlen(CATALOG_ATTR_OURS)) != 0)
			w->attrs[w->n_attrs++] = a;
	qsort(w->attrs, w->n_attrs, sizeof(*w->attrs), by_name);
	return 0;
}

static void add_attr(struct catalog_writer *w, const char *name, const void *value, size_t n)
{
	if (n)
		w->attrs[w->n_attrs++] = (struct pax_attr){name, value, n};
}

/* A lower bound of the entry's size, so that a monster is not even built. */
static size_t least_size(const struct catalog_writer *w, struct archive_entry *e)
{
	const char *hard = archive_entry_hardlink(e), *sym = archive_entry_symlink(e);
	size_t sum = w->path.n + (hard ? strlen(hard) : 0) + (sym ? strlen(sym) : 0);

	for (size_t i = 0; i < w->n_attrs; i++)
		sum += strlen(w->attrs[i].name) + w->attrs[i].n;
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
	uint64_t h = fnv_bytes(FNV_START, path, strlen(path));

	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return (h >> 32) % CUT_ONE_IN == 0;
}

static int write_entry(struct catalog_writer *w, struct archive_entry *e, struct err *err)
{
	size_t before = w->out.n;

	if (least_size(w, e) > CATALOG_ENTRY_MAX)
		return too_large(w, err);
	if (pax_append(e, w->attrs, w->n_attrs, 0, &w->records, &w->out, err)) {
		w->out.n = before;
		return -1;
	}
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
	char words[64];
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
	format_flags(flags, words);
	if (say_special(w, entry, err) || take_attrs(w, entry, err))
		return -1;
	add_attr(w, CATALOG_ATTR_EXTENTS, extents, extents ? extents_len : 0);
	add_attr(w, CATALOG_ATTR_FLAGS, words, strlen(words));
	add_attr(w, CATALOG_ATTR_SHA256, w->sha256, strlen(w->sha256));
	add_attr(w, CATALOG_ATTR_SPECIAL, w->special.p, w->special.n);
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
	if (n < PAX_RECORD || n % PAX_RECORD || n > CATALOG_ENTRY_MAX ||
	    memcmp((const char *)bytes + n - PAX_RECORD + 257, "ustar", 5) != 0)
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
	static const uint8_t end[CATALOG_END_BYTES];
	const struct buf *b = w->spliced ? &w->made : &w->out;
	struct catalog_reader *r = NULL;
	struct catalog_item item;
	size_t n = 0;
	int got;

	if (w->spliced && (!w->n_made || buf_append(&w->made, end, CATALOG_END_BYTES, err)))
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
	static const uint8_t end[CATALOG_END_BYTES];

	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	if (buf_append(&w->out, end, CATALOG_END_BYTES, err) || read_back(w, err)) {
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
