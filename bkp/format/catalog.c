/* catalog: see catalog.h.  The writer; the reader stands in catalog_read.c. */
#include "format/catalog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/digest.h"
#include "format/extent.h"

#define XATTR_EXTENTS "bkp.extents"
#define XATTR_FLAGS   "bkp.flags"
#define XATTR_OURS    "bkp."
#define CUT_ONE_IN    768 /* so that blocks have about CATALOG_ENTRIES_MIN + 768 entries */

struct catalog_writer {
	struct archive *a; /* NULL while the block is empty */
	struct buf out;
	struct buf path; /* of the entry being added, NUL-terminated */
	struct buf last; /* of the entry before */
	size_t entries;
	bool cut;
	bool discard; /* the archive is on its way out */
	bool failed;
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
	free(w);
}

static la_ssize_t take(struct archive *a, void *arg, const void *p, size_t n)
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
	    archive_write_set_bytes_per_block(w->a, 0) || archive_write_open(w->a, w, NULL, take, NULL)) {
		err_set(err, "E-CATALOG-03", text("cannot begin a catalog block: %s"),
		    archive_error_string(w->a));
		drop_archive(w);
		return -1;
	}
	return 0;
}

static int refuse(const struct catalog_writer *w, const char *why, struct err *err)
{
	char shown[300];

	return err_set(err, "E-CATALOG-02", text("entry '%s' cannot be stored: %s"),
	    w->path.p ? path_show((const char *)w->path.p, shown, sizeof(shown)) : "", why);
}

/* The same rules that the reader has, so that nothing is written that it would refuse. */
static int check(const struct catalog_writer *w, struct archive_entry *e, const char *extents, size_t n,
    unsigned flags, struct err *err)
{
	const char *path = (const char *)w->path.p, *hard = archive_entry_hardlink(e);
	unsigned type = archive_entry_filetype(e);

	if (!path_is_entry(path))
		return refuse(w, text("not an entry path"), err);
	if (w->last.n && path_compare((const char *)w->last.p, path) >= 0)
		return refuse(w, text("not in order"), err);
	if (hard && (!path_is_entry(hard) || path_compare(hard, path) >= 0))
		return refuse(w, text("a hard link must point to an entry before it"), err);
	if (!hard && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && type != AE_IFIFO &&
	    type != AE_IFCHR && type != AE_IFBLK)
		return refuse(w, text("not a type of file that can be stored"), err);
	if (!hard && type == AE_IFLNK && (!archive_entry_symlink(e) || !*archive_entry_symlink(e)))
		return refuse(w, text("a symbolic link without a target"), err);
	if (extents && ((!hard && type != AE_IFREG) || flags & CATALOG_UNREADABLE))
		return refuse(w, text("extents where none belong"), err);
	if (!extents && !hard && type == AE_IFREG && !(flags & CATALOG_UNREADABLE))
		return refuse(w, text("no extents"), err);
	return extents ? extent_check(extents, n, NULL, NULL, err) : 0;
}

/* What is not part of a file's state, or differs between two looks at the same file. */
static void strip(struct archive_entry *e)
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
static int set_attrs(
    struct archive_entry *e, const char *extents, size_t extents_len, unsigned flags, struct err *err)
{
	int given = archive_entry_xattr_reset(e);
	struct attr *x = calloc((size_t)given + 2, sizeof(*x));
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

/* A place that depends on the path alone, so that blocks begin at the same entries every night. */
static bool cuts_here(const char *path)
{
	uint8_t sum[DIGEST_LEN];

	digest_sha256(path, strlen(path), sum);
	return ((unsigned)sum[0] << 16 | (unsigned)sum[1] << 8 | sum[2]) % CUT_ONE_IN == 0;
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
	archive_entry_copy_pathname(
	    e, (const char *)w->path.p); /* libarchive has put a '/' behind a folder */
	if (w->out.n - before > CATALOG_ENTRY_MAX) {
		w->out.n = before;
		return too_large(w, err);
	}
	return 0;
}

int catalog_writer_add(struct catalog_writer *w, struct archive_entry *entry, const char *extents,
    size_t extents_len, unsigned flags, struct err *err)
{
	const char *path = archive_entry_pathname(entry);
	struct buf swap;
	int r;

	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	w->path.n = 0;
	if (!path || strlen(path) >= CATALOG_ENTRY_MAX) {
		if (buf_append(&w->path, path ? path : "?", 1, err) || buf_terminate(&w->path, err))
			return -1;
		return path ? too_large(w, err) : refuse(w, text("not an entry path"), err);
	}
	if (buf_puts(&w->path, path, err) || buf_terminate(&w->path, err) ||
	    check(w, entry, extents, extents_len, flags, err))
		return -1;
	strip(entry);
	if (set_attrs(entry, extents, extents_len, flags, err))
		return -1;
	if (least_size(entry) > CATALOG_ENTRY_MAX)
		return too_large(w, err);
	r = write_entry(w, entry, err);
	if (r)
		return r;
	w->entries++;
	w->cut = cuts_here((const char *)w->path.p);
	swap = w->last;
	w->last = w->path;
	w->path = swap;
	return 0;
}

size_t catalog_writer_entries(const struct catalog_writer *w)
{
	return w->entries;
}

int catalog_writer_full(const struct catalog_writer *w)
{
	return w->entries >= CATALOG_ENTRIES_MAX || w->out.n >= CATALOG_BLOCK_SOFT ||
	       (w->entries >= CATALOG_ENTRIES_MIN && w->cut);
}

/* A block that cannot be read is a thousand files lost, and nobody would know until the day they are needed.
 */
static int read_back(const struct catalog_writer *w, struct err *err)
{
	struct catalog_reader *r = NULL;
	struct catalog_item item;
	size_t n = 0;
	int got;

	if (catalog_reader_new(w->out.p, w->out.n, NULL, &r, err))
		return -1;
	while (!(got = catalog_reader_next(r, &item, err)))
		n++;
	if (got == CATALOG_END && n != w->entries)
		got = err_set(err, "E-CATALOG-03",
		    text("a catalog block reads back with %zu entries instead of %zu"), n, w->entries);
	catalog_reader_free(r);
	return got == CATALOG_END ? 0 : -1;
}

int catalog_writer_finish(struct catalog_writer *w, struct buf *out, struct err *err)
{
	if (w->failed)
		return err_set(err, "E-CATALOG-03", "%s", text("the catalog block has failed before"));
	if (open_archive(w, err))
		return -1;
	if (archive_write_close(w->a) != ARCHIVE_OK) {
		err_set(
		    err, "E-CATALOG-03", text("cannot end a catalog block: %s"), archive_error_string(w->a));
		w->failed = true;
		drop_archive(w);
		return -1;
	}
	archive_write_free(w->a);
	w->a = NULL;
	if (read_back(w, err)) {
		w->failed = true;
		return -1;
	}
	if (buf_append(out, w->out.p, w->out.n, err))
		return -1;
	w->out.n = 0;
	w->entries = 0;
	w->cut = false;
	return 0;
}
