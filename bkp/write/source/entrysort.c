/* entrysort: see entrysort.h.
 *
 * While entries are added: each is written to the spool, a file without a name, as it would stand in a catalog
 * block, under a running number for its path.  The real path goes with the place in the spool (struct object)
 * into sortrun.  `names` says what a path stands for at that moment, so that a hard link that comes next gets the
 * object and not the name: whatever replaces the target later does not matter.
 *
 * In order: of records with one path the last one counts (next_path()).  `barrier` is the last path that is no
 * folder; what lies below it is left out.  Of the names of one object the first in order has the entry, `linked`
 * knows it for the others.
 *
 * Attributes come from the stream.  Those that no catalog reader would accept are found by trial (bears()) and
 * dropped, with CATALOG_INCOMPLETE. */
#include "write/source/entrysort.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/catalog.h"
#include "format/medium/pax.h"
#include "write/index/linkmap.h"
#include "write/source/sortrun.h"

#define SORT_MEMORY ((size_t)16 << 20)
#define NOTHING	    UINT64_MAX /* offset of what no hard link can refer to */

/* What a path stands for: where its entry lies in the spool. */
struct object {
	uint64_t offset;
	uint32_t length;
	uint32_t folder;
};

struct entrysort {
	struct sortrun *sort;
	int spool;
	uint64_t spooled;	      /* bytes in the spool */
	struct catalog_writer *block; /* what is not in the spool yet */
	struct catalog_writer *trial;
	uint64_t number; /* of the entry; its path in the spool */
	struct buf out;
	struct linkmap *names;	/* hash of a path → struct object: what it stands for now */
	struct linkmap *linked; /* offset → first name, for what has several */
	uint64_t links;
	/* after entrysort_sort() */
	struct buf path, next_path, barrier; /* current; read ahead; the last that was no folder */
	struct object object, next;
	bool has_next, ended, twice;
	struct buf bytes, first;
	struct catalog_reader *reader;
};

int entrysort_new(int dirfd, const char *scratch, struct entrysort **ret, struct err *err)
{
	struct entrysort *s = calloc(1, sizeof(*s));
	char names[4096], linked[4096];

	if (!s)
		return err_nomem(err);
	buf_init(&s->out, CATALOG_BLOCK_MAX);
	buf_init(&s->path, SORTRUN_PATH_MAX);
	buf_init(&s->next_path, SORTRUN_PATH_MAX);
	buf_init(&s->barrier, SORTRUN_PATH_MAX);
	buf_init(&s->bytes, CATALOG_BLOCK_MAX);
	buf_init(&s->first, SORTRUN_PATH_MAX);
	snprintf(names, sizeof(names), "%s/names", scratch);
	snprintf(linked, sizeof(linked), "%s/links", scratch);
	s->spool = sortrun_file(dirfd, err);
	if (s->spool < 0 || sortrun_new(dirfd, SORT_MEMORY, &s->sort, err) ||
	    catalog_writer_new(&s->block, err) || linkmap_open(names, &s->names, err) ||
	    linkmap_open(linked, &s->linked, err)) {
		entrysort_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void entrysort_free(struct entrysort *s)
{
	if (!s)
		return;
	catalog_reader_free(s->reader);
	catalog_writer_free(s->block);
	catalog_writer_free(s->trial);
	linkmap_close(s->names);
	linkmap_close(s->linked);
	sortrun_free(s->sort);
	io_close_quietly(&s->spool);
	buf_free(&s->out);
	buf_free(&s->path);
	buf_free(&s->next_path);
	buf_free(&s->barrier);
	buf_free(&s->bytes);
	buf_free(&s->first);
	free(s);
}

/* ---- what a path stands for ---- */

static void hash_of(const char *path, uint64_t ret[2])
{
	uint8_t sum[DIGEST_LEN];

	digest_sha256(path, strlen(path), sum);
	memcpy(ret, sum, 2 * sizeof(*ret));
}

static int stands_for(struct entrysort *s, const char *path, const struct object *o, struct err *err)
{
	uint64_t h[2];

	hash_of(path, h);
	return linkmap_add(s->names, h[0], h[1], UINT64_MAX, "", (const char *)o, sizeof(*o), 0, err);
}

/* 1, 0: nothing; -1. */
static int look_up(struct entrysort *s, const char *path, struct object *ret, struct err *err)
{
	BUF_AUTO value = BUF_INIT(4096);
	BUF_AUTO none = BUF_INIT(4096);
	unsigned flags;
	uint64_t h[2];
	int r;

	hash_of(path, h);
	r = linkmap_find(s->names, h[0], h[1], &none, &value, &flags, err);
	if (r != 1)
		return r;
	memcpy(ret, value.p, sizeof(*ret));
	return ret->offset != NOTHING;
}

/* ---- adding ---- */

static int flush_block(struct entrysort *s, struct err *err)
{
	s->out.n = 0;
	if (!catalog_writer_entries(s->block))
		return 0;
	if (catalog_writer_finish(s->block, &s->out, err))
		return -1;
	if (io_write_full(s->spool, s->out.p, s->out.n))
		return err_sys(err, "E-SORT-01", errno, "%s",
		    text("cannot write what is to be sorted into the cache folder"));
	return 0;
}

static bool has_attributes(struct archive_entry *e)
{
	return archive_entry_xattr_count(e) || archive_entry_acl_types(e) || archive_entry_fflags_text(e);
}

/* Attributes come as the stream says them.  Would a catalog with them be read? */
static bool bears(struct entrysort *s, struct archive_entry *e, const char *name)
{
	struct archive_entry *copy = archive_entry_clone(e);
	BUF_AUTO out = BUF_INIT(CATALOG_BLOCK_MAX);
	bool good;

	if (!copy || (!s->trial && catalog_writer_new(&s->trial, NULL))) {
		archive_entry_free(copy);
		return false;
	}
	archive_entry_set_filetype(copy, AE_IFIFO); /* asks for neither extents nor a target */
	archive_entry_set_link(copy, NULL);
	archive_entry_copy_pathname(copy, name);
	good = !catalog_writer_add(s->trial, copy, NULL, 0, NULL, 0, NULL) &&
	       !catalog_writer_finish(s->trial, &out, NULL);
	archive_entry_free(copy);
	if (!good) {
		catalog_writer_free(s->trial);
		s->trial = NULL;
	}
	return good;
}

static bool strip_attributes(struct archive_entry *e, unsigned *flags)
{
	archive_entry_set_perm(e, pax_mode(e));
	archive_entry_xattr_clear(e);
	archive_entry_acl_clear(e);
	archive_entry_set_fflags(e, 0, 0);
	*flags |= CATALOG_INCOMPLETE;
	return true;
}

static int add_entry(struct entrysort *s, const char *path, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err)
{
	struct object o = {s->spooled, 0, archive_entry_filetype(entry) == AE_IFDIR}, none = {NOTHING, 0, 0};
	bool stripped = false;
	char name[24];
	int r;

	snprintf(name, sizeof(name), "%020ju", (uintmax_t)s->number++);
	archive_entry_copy_pathname(entry, name);
	if (has_attributes(entry) && !bears(s, entry, name))
		stripped = strip_attributes(entry, &flags);
	r = catalog_writer_add(s->block, entry, extents, extents_len, sha256, flags, err);
	if (r == CATALOG_TOO_LARGE && !stripped) {
		stripped = strip_attributes(entry, &flags);
		r = catalog_writer_add(s->block, entry, extents, extents_len, sha256, flags, err);
	}
	if (r)
		return -1;
	o.length = (uint32_t)catalog_writer_last(s->block);
	s->spooled += o.length;
	if (catalog_writer_full(s->block)) {
		if (flush_block(s, err))
			return -1;
		s->spooled += CATALOG_END_BYTES;
	}
	if (sortrun_add(s->sort, path, &o, sizeof(o), err) || stands_for(s, path, o.folder ? &none : &o, err))
		return -1;
	return stripped ? ENTRYSORT_STRIPPED : 0;
}

int entrysort_add(struct entrysort *s, const char *path, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err)
{
	const unsigned long mark = starved_mark();
	int r = add_entry(s, path, entry, extents, extents_len, sha256, flags, err);

	return starved_since(mark) ? err_nomem(err) : r;
}

int entrysort_link(struct entrysort *s, const char *path, const char *target, struct err *err)
{
	struct object o;
	int r = look_up(s, target, &o, err);

	if (r != 1)
		return r ? -1 : ENTRYSORT_ABSENT;
	s->links++;
	if (linkmap_add(s->linked, 0, o.offset, UINT64_MAX, "", NULL, 0, 0, err) ||
	    sortrun_add(s->sort, path, &o, sizeof(o), err))
		return -1;
	return stands_for(s, path, &o, err);
}

int entrysort_sort(struct entrysort *s, struct err *err)
{
	return flush_block(s, err) || sortrun_sort(s->sort, err) ? -1 : 0;
}

/* ---- in order ---- */

static int read_ahead(struct entrysort *s, struct err *err)
{
	const char *path;
	const void *data;
	size_t n;
	int r;

	s->has_next = false;
	if (s->ended)
		return 0;
	r = sortrun_next(s->sort, &path, &data, &n, err);
	if (r < 0)
		return -1;
	s->ended = r == SORTRUN_END;
	if (s->ended)
		return 0;
	memcpy(&s->next, data, sizeof(s->next));
	s->next_path.n = 0;
	s->has_next = true;
	return buf_append(&s->next_path, path, strlen(path) + 1, err);
}

/* The last record of the next path.  0, ENTRYSORT_END, ENTRYSORT_TWICE (once, then 0), -1. */
static int next_path(struct entrysort *s, struct err *err)
{
	bool twice = false;

	if (s->twice) { /* it was found before that was said */
		s->twice = false;
		return 0;
	}
	if (!s->has_next && read_ahead(s, err))
		return -1;
	if (!s->has_next)
		return ENTRYSORT_END;
	for (;;) {
		struct buf swap = s->path;

		s->path = s->next_path;
		s->next_path = swap;
		s->object = s->next;
		if (read_ahead(s, err))
			return -1;
		if (!s->has_next || strcmp((char *)s->path.p, (char *)s->next_path.p) != 0)
			break;
		/* a folder that is named again, or a link to itself, takes nothing away */
		twice =
		    twice || (s->object.offset != s->next.offset && !(s->object.folder && s->next.folder));
	}
	s->twice = twice;
	return twice ? ENTRYSORT_TWICE : 0;
}

/* The entry of the current object. */
static int fetch_entry(struct entrysort *s, struct entrysort_item *ret, struct err *err)
{
	static const uint8_t end[CATALOG_END_BYTES];
	struct catalog_item item;

	catalog_reader_free(s->reader);
	s->reader = NULL;
	s->bytes.n = 0;
	if (buf_reserve(&s->bytes, s->object.length + CATALOG_END_BYTES, err))
		return -1;
	if (io_pread_full(s->spool, s->bytes.p, s->object.length, (int64_t)s->object.offset) !=
	    (ssize_t)s->object.length)
		return err_sys(err, "E-SORT-01", errno ? errno : EIO, "%s",
		    text("cannot read what is to be sorted from the cache folder"));
	s->bytes.n = s->object.length;
	if (buf_append(&s->bytes, end, CATALOG_END_BYTES, err) ||
	    catalog_reader_new(s->bytes.p, s->bytes.n, NULL, &s->reader, err) ||
	    catalog_reader_next(s->reader, &item, err))
		return -1;
	ret->entry = item.entry;
	ret->extents = item.extents;
	ret->extents_len = item.extents_len;
	ret->sha256 = item.sha256;
	ret->size = item.size;
	ret->flags = item.flags;
	return 0;
}

/* Of what has several names the first one in this order has the entry, the others are links to it. */
static int further_name(struct entrysort *s, struct entrysort_item *ret, struct err *err)
{
	unsigned flags;
	int r;

	if (!s->links || s->object.folder)
		return 0;
	s->first.n = 0;
	s->out.n = 0;
	r = linkmap_find(s->linked, 0, s->object.offset, &s->first, &s->out, &flags, err);
	if (r != 1)
		return r;
	if (!*s->first.p)
		return linkmap_add(s->linked, 0, s->object.offset, UINT64_MAX, ret->path, NULL, 0, 0, err);
	archive_entry_copy_hardlink(ret->entry, (const char *)s->first.p);
	return 0;
}

static int next_item(struct entrysort *s, struct entrysort_item *ret, struct err *err)
{
	int r = next_path(s, err);

	if (r && r != ENTRYSORT_TWICE)
		return r;
	*ret = (struct entrysort_item){.path = (const char *)s->path.p};
	if (r)
		return r;
	if (s->barrier.n && path_within(ret->path, (char *)s->barrier.p))
		return ENTRYSORT_BELOW; /* its name stands for nothing */
	if (!s->object.folder) {
		s->barrier.n = 0;
		if (buf_append(&s->barrier, ret->path, strlen(ret->path) + 1, err))
			return -1;
	}
	errno = 0;
	return fetch_entry(s, ret, err) || further_name(s, ret, err) ? -1 : 0;
}

int entrysort_next(struct entrysort *s, struct entrysort_item *ret, struct err *err)
{
	const unsigned long mark = starved_mark();
	int r = next_item(s, ret, err);

	return starved_since(mark) ? err_nomem(err) : r;
}
