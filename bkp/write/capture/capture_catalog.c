/* capture_catalog: the catalog of the current data set, block by block, and what is remembered of it for the
 * next run (file_cache.h); see capture.h.
 *
 * Three ways into the catalog: a new entry (capture_add_entry()); an unchanged entry, whose bytes are copied from
 * the former block (splice_entry()); a whole unchanged block, of which only the place is written into the block
 * list (refer_to_block()).  All three count the entry, name the archives that its content needs (pack_need()) and
 * hand it to the file cache.
 *
 * A block ends where its entries say so (catalog_writer_full()), so an unchanged tree gives the same blocks.
 * Before the file cache gets a block, the guard's figures are written (capture_guard_note()): what the cache knows
 * the next run will not count again.  A cache that cannot be written costs the next run time, never this one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <archive_entry.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/extent.h"
#include "format/medium/pax.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/content.h"
#include "write/index/file_cache.h"
#include "write/liveness/liveness.h"
#include "write/source/file_changes.h"
#include "write/pack/pack.h"

/* The next run will be slower, which is no reason to lose this one; but it is said. */
static void cache_failed(struct capture *c, const struct err *why)
{
	if (!c->memory.fault.code[0])
		c->memory.fault = *why;
	file_cache_writer_close(c->memory.remember);
	c->memory.remember = NULL;
}

/* ---- blocks ---- */

static int end_block(struct capture *c, bool full, struct err *err)
{
	size_t entries = catalog_writer_entries(c->catalog.block), at = c->catalog.list.n;
	struct file_cache_archive in;
	struct err why = ERR_INIT;
	struct dedup_place place;
	struct extent_run run;
	uint8_t id[DIGEST_LEN];

	c->catalog.bytes.n = 0;
	if (catalog_writer_finish(c->catalog.block, &c->catalog.bytes, err) ||
	    pack_chunk(c->cfg.pack, PACK_CATALOG, c->catalog.bytes.p, c->catalog.bytes.n, id, &place, err))
		return -1;
	liveness_block(pack_liveness(c->cfg.pack), &place, c->catalog.bytes.p, c->catalog.bytes.n);
	run = (struct extent_run){EXTENT_DATA, place.archive, place.chunk, place.offset, place.length, {0}};
	digest_sha256(id, DIGEST_LEN, run.digest); /* a run of one piece */
	if (extent_format_run(&run, &c->catalog.list, err) || buf_terminate(&c->catalog.list, err))
		return -1;
	in = (struct file_cache_archive){place.archive, pack_run_of(c->cfg.pack, place.archive)};
	capture_guard_note(c);
	if (c->memory.remember &&
	    file_cache_end_block(c->memory.remember, (const char *)c->catalog.list.p + at, &in, full,
		c->catalog.bytes.p, c->catalog.bytes.n, &why))
		cache_failed(c, &why);
	if (buf_printf(&c->catalog.list, err, " %zu ", entries) ||
	    buf_append(&c->catalog.list, c->catalog.first.p, c->catalog.first.n, err) ||
	    buf_puts(&c->catalog.list, "\n", err))
		return -1;
	c->catalog.first.n = 0;
	return 0;
}

static int begin_entry(struct capture *c, const char *path, struct err *err)
{
	if (catalog_writer_entries(c->catalog.block))
		return 0;
	c->catalog.first.n = 0;
	return path_encode(path, &c->catalog.first, err);
}

/* The entry added last, for the next run. */
static void remember_entry(struct capture *c, const char *path, unsigned flags)
{
	const struct seen *s = &c->now.seen;
	bool regular = S_ISREG(s->st.st_mode);
	struct err why = ERR_INIT;
	struct file_cache_entry e = {
	    .path = path,
	    .st = file_cache_stat_of(regular && s->opened.st_mode ? &s->opened : &s->st, flags, s->looked_ns),
	    .length = catalog_writer_last(c->catalog.block),
	    .bytes = s->bytes,
	    .file = regular && s->extents,
	    .profile = s->profile,
	    .linked = !S_ISDIR(s->st.st_mode) && s->st.st_nlink > 1,
	};

	if (!c->memory.remember)
		return;
	e.st.believed = e.st.believed && !s->odd;
	e.archives = pack_touched(c->cfg.pack, &e.n_archives);
	if (file_cache_add(c->memory.remember, &e, &why))
		cache_failed(c, &why);
}

/* Years that nanoseconds do not reach are the first or the last that they do. */
static int64_t mtime_of(struct archive_entry *e)
{
	int64_t s = archive_entry_mtime(e), most = INT64_MAX / SECOND_NS - 1;

	s = s > most ? most : s < -most ? -most : s;
	return s * SECOND_NS + archive_entry_mtime_nsec(e);
}

int capture_add_entry(struct capture *c, struct archive_entry *e, const char *path, bool has_extents,
    unsigned flags, struct err *err)
{
	int r;

	if (begin_entry(c, path, err))
		return -1;
	archive_entry_copy_pathname(e, path);
	r = catalog_writer_add(c->catalog.block, e, has_extents ? (const char *)c->now.extents.p : NULL,
	    has_extents ? c->now.extents.n : 0, has_extents && c->now.sha256.has ? c->now.sha256.of : NULL,
	    flags, err);
	if (r == CATALOG_TOO_LARGE && !(flags & CATALOG_INCOMPLETE)) {
		/* the content matters more than the attributes that do not fit */
		archive_entry_set_perm(e, pax_mode(e));
		archive_entry_xattr_clear(e);
		archive_entry_acl_clear(e);
		capture_note(c, CAPTURE_INCOMPLETE, path, E2BIG);
		return capture_add_entry(c, e, path, has_extents, flags | CATALOG_INCOMPLETE, err);
	}
	if (r == CATALOG_TOO_LARGE) {
		capture_note(c, CAPTURE_TOO_LARGE, path, 0);
		return 0;
	}
	if (r)
		return -1;
	c->set.result->entries++;
	if (archive_entry_filetype(e) == AE_IFREG)
		capture_newest(c, mtime_of(e));
	remember_entry(c, path, flags);
	return catalog_writer_full(c->catalog.block) ? end_block(c, true, err) : 0;
}

int capture_keep_block(struct capture *c, struct err *err)
{
	return catalog_writer_entries(c->catalog.block) ? end_block(c, false, err) : 0;
}

int capture_finish_catalog(struct capture *c, struct err *err)
{
	if ((catalog_writer_entries(c->catalog.block) && end_block(c, false, err)) ||
	    content_text(c->content, c->catalog.list.p, c->catalog.list.n, &c->now.extents, err) ||
	    buf_terminate(&c->now.extents, err))
		return -1;
	c->set.result->blocks = strdup((const char *)c->now.extents.p);
	liveness_extents(pack_liveness(c->cfg.pack), (const char *)c->now.extents.p);
	return c->set.result->blocks ? 0 : err_nomem(err);
}

/* ---- what was captured before ---- */

static int need_all(struct capture *c, const struct file_cache_archive *a, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (pack_need(c->cfg.pack, a[i].number, err))
			return -1;
	return 0;
}

static void count_former(struct capture *c, const struct file_cache_entry *e)
{
	c->set.result->entries++;
	c->set.result->files += e->file;
	c->set.result->bytes += e->bytes;
	if (e->file) {
		capture_newest(c, e->st.mtime_ns);
		capture_guard_former(c, e->path, e->st.mtime_ns, &e->profile);
	}
	c->memory.kept += e->bytes;
}

static int cache_damaged(struct capture *c, struct err *err)
{
	c->memory.forget = true; /* the data set is begun once more without it: nobody sees the message */
	return err_set(
	    err, "E-STATCACHE-01", "%s", text("what was remembered of the last capture is damaged"));
}

/* What the block refers to is known from the last run, or is read from its bytes.  -1: these are damaged.
 */
static int keep_references(struct capture *c, struct file_cache_block *b)
{
	const struct file_cache_entry *last = file_cache_entry(b, file_cache_entries(b) - 1);
	const char *place = file_cache_place(b);
	struct extent_run run;
	struct dedup_place at;
	const uint8_t *bytes;

	if (extent_parse_data_run(place, strlen(place), &run, NULL))
		return -1;
	at = (struct dedup_place){run.archive, run.chunk, run.offset, (uint32_t)run.length, false};
	if (liveness_keep(pack_liveness(c->cfg.pack), &at))
		return 0;
	bytes = file_cache_bytes(b);
	if (!bytes)
		return -1;
	liveness_block(pack_liveness(c->cfg.pack), &at, bytes, last->offset + last->length);
	return 0;
}

/* The block as it is: nothing of it is read. */
static int refer_to_block(struct capture *c, struct file_cache_block *b, struct err *err)
{
	size_t n = file_cache_entries(b), n_archives;
	const struct file_cache_archive *archives = file_cache_archives(b, &n_archives);
	struct err why = ERR_INIT;

	if (keep_references(c, b))
		return cache_damaged(c, err);
	pack_touch_begin(
	    c->cfg.pack); /* what it collects is of no use here, and would grow with the data set */
	if (need_all(c, archives, n_archives, err) ||
	    buf_printf(&c->catalog.list, err, "%s %zu ", file_cache_place(b), n) ||
	    path_encode(file_cache_entry(b, 0)->path, &c->catalog.list, err) ||
	    buf_puts(&c->catalog.list, "\n", err))
		return -1;
	for (size_t i = 0; i < n; i++)
		count_former(c, file_cache_entry(b, i));
	if (c->memory.remember && file_cache_copy_block(c->memory.remember, b, &why))
		cache_failed(c, &why);
	return 0;
}

static int splice_entry(
    struct capture *c, struct file_cache_block *b, size_t i, const uint8_t *bytes, struct err *err)
{
	const struct file_cache_entry *e = file_cache_entry(b, i);
	struct err why = ERR_INIT;

	pack_touch_begin(c->cfg.pack);
	if (begin_entry(c, e->path, err) || need_all(c, e->archives, e->n_archives, err) ||
	    catalog_writer_add_raw(c->catalog.block, e->path, bytes + e->offset, e->length, err))
		return -1;
	count_former(c, e);
	if (c->memory.remember && file_cache_add(c->memory.remember, e, &why))
		cache_failed(c, &why);
	return catalog_writer_full(c->catalog.block) ? end_block(c, true, err) : 0;
}

int capture_add_range(struct capture *c, const struct file_changes_range *r, struct err *err)
{
	const uint8_t *bytes;

	if (r->whole && !catalog_writer_entries(c->catalog.block))
		return refer_to_block(c, r->block, err);
	bytes = file_cache_bytes(r->block);
	if (!bytes)
		return cache_damaged(c, err);
	for (size_t i = r->from; i < r->to; i++)
		if (splice_entry(c, r->block, i, bytes, err))
			return -1;
	return 0;
}

/* Makes a block of entry i by itself; its item, as long as the reader and the copy live. */
static int read_former(struct file_cache_block *b, size_t i, uint8_t **ret_copy,
    struct catalog_reader **ret_reader, struct catalog_item *item)
{
	const struct file_cache_entry *e = file_cache_entry(b, i);
	const uint8_t *bytes = file_cache_bytes(b);
	const size_t n = e->length + CATALOG_END_BYTES; /* one entry and the end of an archive */

	*ret_copy = bytes ? calloc(1, n) : NULL;
	if (!*ret_copy)
		return -1;
	memcpy(*ret_copy, bytes + e->offset, e->length);
	return catalog_reader_new(*ret_copy, n, NULL, ret_reader, NULL) ||
		       catalog_reader_next(*ret_reader, item, NULL) || strcmp(item->path, e->path) != 0
		   ? -1
		   : 0;
}

static void take_sha256(const struct catalog_item *item, struct content_sha256 *ret)
{
	ret->has = item->sha256 != NULL;
	if (item->sha256)
		memcpy(ret->of, item->sha256, DIGEST_LEN);
}

bool capture_former_sha256(struct file_cache_block *b, size_t i, struct content_sha256 *ret)
{
	struct catalog_reader *reader = NULL;
	struct catalog_item item;
	uint8_t *copy = NULL;
	const bool known = !read_former(b, i, &copy, &reader, &item) && item.extents;

	if (known)
		take_sha256(&item, ret);
	catalog_reader_free(reader);
	free(copy);
	return known;
}

int capture_former_extents(struct capture *c, struct file_cache_block *b, size_t i, struct err *err)
{
	const struct file_cache_entry *e = file_cache_entry(b, i);
	struct catalog_reader *reader = NULL;
	struct catalog_item item;
	uint8_t *copy = NULL;
	int r = 0;

	c->now.extents.n = 0;
	if (read_former(b, i, &copy, &reader, &item))
		r = cache_damaged(c, err);
	else if (item.extents) {
		r = buf_append(&c->now.extents, item.extents, item.extents_len, err);
		take_sha256(&item, &c->now.sha256);
	}
	catalog_reader_free(reader);
	free(copy);
	return r || need_all(c, e->archives, e->n_archives, err) ? -1 : 0;
}

/* ---- what is remembered ---- */

static bool is_available(void *arg, const struct file_cache_archive *a)
{
	const struct capture *c = arg;

	return a->run && a->number < c->memory.n_runs && c->memory.runs[a->number] == a->run;
}

int capture_open_folder(struct capture *c, struct err *err)
{
	if (c->memory.cache_fd >= 0)
		return 0;
	if (mkdirat(c->scratch_fd, "stat", 0700) && errno != EEXIST)
		return err_sys(err, "E-STATCACHE-01", errno, text("cannot make folder '%s'"), "cache/stat");
	c->memory.cache_fd = openat(c->scratch_fd, "stat", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->memory.cache_fd < 0
		   ? err_sys(err, "E-STATCACHE-01", errno, text("cannot open folder '%s'"), "cache/stat")
		   : 0;
}

int capture_open_cache(struct capture *c, struct err *err)
{
	struct err why = ERR_INIT;

	free(c->memory.runs);
	c->memory.runs = NULL;
	c->memory.n_runs = 0;
	if (pack_copy_runs(c->cfg.pack, &c->memory.runs, &c->memory.n_runs, err))
		return -1;
	if (capture_open_folder(c, &why)) {
		cache_failed(c, &why);
		return 0;
	}
	if (file_cache_open(c->memory.cache_fd, c->cfg.repository, c->set.policy->name, is_available, c,
		&c->memory.cache, err))
		return -1;
	if (file_cache_writer_open(
		c->memory.cache_fd, c->cfg.repository, c->set.policy->name, &c->memory.remember, &why))
		cache_failed(c, &why);
	return 0;
}

void capture_close_cache(struct capture *c, bool whole)
{
	struct err why = ERR_INIT;

	file_cache_close(c->memory.cache);
	c->memory.cache = NULL;
	if (!whole)
		file_cache_writer_close(c->memory.remember);
	else if (c->memory.remember && file_cache_writer_commit(c->memory.remember, &why) &&
		 !c->memory.fault.code[0])
		c->memory.fault = why;
	c->memory.remember = NULL;
}
