/* capture: see capture.h. */
#include "write/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/crew.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/catalog.h"
#include "format/exclude.h"
#include "format/extent.h"
#include "format/generation.h"
#include "format/policy.h"
#include "write/command.h"
#include "write/content.h"
#include "write/feed.h"
#include "write/linkmap.h"
#include "write/pack.h"
#include "write/probe.h"
#include "write/reader.h"
#include "write/scout.h"
#include "write/waste.h"

#define EXTENTS_MAX (EXTENT_INLINE_MAX + 64)
#define LIST_MAX    ((size_t)256 << 20)
#define PATH_BYTES  ((size_t)2 << 20)

struct capture {
	struct capture_config cfg;
	struct content *content;
	struct catalog_writer *block;
	struct buf extents;	/* of the entry at hand */
	struct buf bytes;	/* of a catalog block */
	struct buf list;	/* block list of the data set at hand */
	struct buf first;	/* path of the block's first entry, percent-encoded */
	struct buf link, path;
	/* the data set at hand */
	const struct policy_dataset *policy;
	struct generation_dataset *result;
	struct linkmap *links;
	int scratch_fd;
	struct feed *feed;
	/* the entry at hand */
	struct seen {
		struct stat st, opened; /* as the walk saw it, as it was read */
		unsigned flags;
		bool extents;
	} seen;
	struct archive_entry *entry; /* kept while its content comes */
};

int capture_new(const struct capture_config *cfg, struct capture **ret, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->cfg = *cfg;
	buf_init(&c->extents, EXTENT_INDIRECT_MAX);
	buf_init(&c->bytes, CATALOG_BLOCK_MAX);
	buf_init(&c->list, LIST_MAX);
	buf_init(&c->first, 3 * PATH_BYTES);
	buf_init(&c->link, PATH_BYTES);
	buf_init(&c->path, PATH_BYTES);
	c->scratch_fd = open(cfg->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->scratch_fd < 0)
		err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), cfg->scratch);
	c->entry = archive_entry_new();
	if (c->scratch_fd >= 0 && !c->entry)
		err_nomem(err);
	if (c->scratch_fd < 0 || !c->entry || content_new(cfg->pack, cfg->chunker, &c->content, err) ||
	    feed_new(cfg->ids, crew_processors() - 1, cfg->timings, &c->feed, err)) {
		capture_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	feed_free(c->feed);
	content_free(c->content);
	catalog_writer_free(c->block);
	archive_entry_free(c->entry);
	linkmap_close(c->links);
	io_close_quietly(&c->scratch_fd);
	buf_free(&c->extents);
	buf_free(&c->bytes);
	buf_free(&c->list);
	buf_free(&c->first);
	buf_free(&c->link);
	buf_free(&c->path);
	free(c);
}

static void note(struct capture *c, enum capture_kind kind, const char *path, int errnum)
{
	if (kind == CAPTURE_UNREADABLE || kind == CAPTURE_INCOMPLETE || kind == CAPTURE_TOO_LARGE || kind == CAPTURE_ROOT)
		c->result->unreadable++;
	if (kind == CAPTURE_CHANGED)
		c->result->changed++;
	if (kind == CAPTURE_SOCKET)
		c->result->skipped++;
	c->cfg.cb.note(c->cfg.cb.arg, kind, c->policy->name, path, errnum);
}

/* ---- catalog blocks ---- */

static int flush_block(struct capture *c, struct err *err)
{
	struct dedup_place place;
	struct extent_run run;
	size_t entries = catalog_writer_entries(c->block);

	if (!entries)
		return 0;
	c->bytes.n = 0;
	if (catalog_writer_finish(c->block, &c->bytes, err) ||
	    pack_chunk(c->cfg.pack, PACK_CATALOG, c->bytes.p, c->bytes.n, &place, err))
		return -1;
	waste_block(pack_waste(c->cfg.pack), &place, c->bytes.p, c->bytes.n);
	run = (struct extent_run){EXTENT_DATA, place.archive, place.chunk, place.offset, place.length};
	if (extent_format_run(&run, &c->list, err) || buf_printf(&c->list, err, " %zu ", entries) ||
	    buf_append(&c->list, c->first.p, c->first.n, err) || buf_puts(&c->list, "\n", err))
		return -1;
	c->first.n = 0;
	return 0;
}

/* Adds the entry with c->extents (has_extents) to the catalog. */
static int add_entry(struct capture *c, struct archive_entry *e, const char *path, bool has_extents, unsigned flags, struct err *err)
{
	int r;

	if (!catalog_writer_entries(c->block)) {
		c->first.n = 0;
		if (path_encode(path, &c->first, err))
			return -1;
	}
	archive_entry_copy_pathname(e, path);
	r = catalog_writer_add(
	    c->block, e, has_extents ? (const char *)c->extents.p : NULL, has_extents ? c->extents.n : 0, flags, err);
	if (r == CATALOG_TOO_LARGE && !(flags & CATALOG_INCOMPLETE)) {
		/* the content matters more than the attributes that do not fit */
		archive_entry_xattr_clear(e);
		archive_entry_acl_clear(e);
		note(c, CAPTURE_INCOMPLETE, path, E2BIG);
		return add_entry(c, e, path, has_extents, flags | CATALOG_INCOMPLETE, err);
	}
	if (r == CATALOG_TOO_LARGE) {
		note(c, CAPTURE_TOO_LARGE, path, 0);
		return 0;
	}
	if (r)
		return -1;
	c->result->entries++;
	return catalog_writer_full(c->block) ? flush_block(c, err) : 0;
}

/* The catalog is complete: stores the block list, whose extents go into the root. */
static int finish_catalog(struct capture *c, struct err *err)
{
	if (flush_block(c, err) || content_text(c->content, c->list.p, c->list.n, &c->extents, err) ||
	    buf_terminate(&c->extents, err))
		return -1;
	c->result->blocks = strdup((const char *)c->extents.p);
	waste_extents(pack_waste(c->cfg.pack), (const char *)c->extents.p);
	return c->result->blocks ? 0 : err_nomem(err);
}

/* ---- entries of a tree ---- */

/* An inode met before: the entry becomes a hard link with the same extents. 1 done, 0 not a further name, -1. */
static int further_name(struct capture *c, const struct stat *st, struct archive_entry *e, const char *path, struct err *err)
{
	unsigned flags = 0;
	int r;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	c->link.n = 0;
	c->extents.n = 0;
	r = linkmap_find(c->links, st->st_dev, st->st_ino, &c->link, &c->extents, &flags, err);
	if (r != 1)
		return r;
	archive_entry_copy_hardlink(e, (const char *)c->link.p);
	r = add_entry(c, e, path, c->extents.n > 0, flags, err);
	return r ? -1 : 1;
}

static int remember_links(struct capture *c, const char *path, struct err *err)
{
	const struct seen *s = &c->seen;

	if (S_ISDIR(s->st.st_mode) || s->st.st_nlink < 2)
		return 0;
	return linkmap_add(c->links, s->st.st_dev, s->st.st_ino, s->st.st_nlink - 1, path,
	    s->extents ? (const char *)c->extents.p : NULL, s->extents ? c->extents.n : 0, s->flags, err);
}

/* The entry is complete. */
static int put_entry(struct capture *c, struct archive_entry *e, const char *path, struct err *err)
{
	const struct seen *s = &c->seen;

	if (S_ISREG(s->st.st_mode)) {
		c->result->files++;
		archive_entry_set_mtime(e, s->opened.st_mtim.tv_sec, s->opened.st_mtim.tv_nsec);
	}
	if (remember_links(c, path, err))
		return -1;
	return add_entry(c, e, path, s->extents, s->flags, err);
}

/* Everything that is to be told of an entry. */
static void take_notes(struct capture *c, const struct feed_item *it, const char *path)
{
	if (it->mount)
		note(c, CAPTURE_MOUNT, path, 0);
	if (!it->entry) {
		note(c, CAPTURE_UNREADABLE, path, it->open_errno); /* not even an entry can be made of it */
		return;
	}
	if (it->incomplete) {
		c->seen.flags |= CATALOG_INCOMPLETE;
		note(c, CAPTURE_INCOMPLETE, path, it->incomplete);
	}
	if (it->error || it->open_errno) {
		c->seen.flags |= CATALOG_UNREADABLE;
		note(c, CAPTURE_UNREADABLE, path, it->error ? it->error : it->open_errno);
	}
}

static int take_item(struct capture *c, const struct feed_item *it, struct err *err)
{
	const char *path = feed_path(c->feed);
	int r;

	c->seen = (struct seen){.st = it->st, .opened = it->opened};
	if (c->cfg.cb.progress)
		c->cfg.cb.progress(c->cfg.cb.arg, c->policy->name, path, c->result->entries, c->result->bytes);
	if (S_ISSOCK(it->st.st_mode)) {
		note(c, CAPTURE_SOCKET, path, 0);
		return 0;
	}
	take_notes(c, it, path);
	if (!it->entry)
		return 0;
	if (!it->content) {
		r = further_name(c, &it->st, it->entry, path, err);
		return r ? (r < 0 ? -1 : 0) : put_entry(c, it->entry, path, err);
	}
	/* its content comes with the next events: by then the tray with the item is gone */
	c->entry = feed_keep_entry(c->feed, c->entry);
	c->path.n = 0;
	content_begin(c->content);
	return buf_append(&c->path, path, strlen(path) + 1, err);
}

static int take_content(struct capture *c, const struct feed_event *e, struct err *err)
{
	const char *path = (const char *)c->path.p;

	if (e->kind != FEED_DONE)
		return content_take(c->content, e, feed_content(c->feed), err);
	c->seen.opened = e->st;
	if (e->result == READER_UNREADABLE) {
		c->seen.flags |= CATALOG_UNREADABLE;
		note(c, CAPTURE_UNREADABLE, path, e->errnum);
		return put_entry(c, c->entry, path, err);
	}
	if (e->result == READER_CHANGED) {
		c->seen.flags |= CATALOG_CHANGED;
		note(c, CAPTURE_CHANGED, path, 0);
	}
	if (content_end(c->content, &c->extents, NULL, err))
		return -1;
	c->seen.extents = true;
	c->result->bytes += (uint64_t)e->st.st_size;
	return put_entry(c, c->entry, path, err);
}

/* Takes all that the scout finds. */
static int follow(struct capture *c, struct scout *s, struct err *err)
{
	struct feed_event *e;
	int r;

	if (feed_start(c->feed, scout_run, s, err))
		return -1;
	while (!(r = feed_next(c->feed, &e, err))) {
		r = e->kind == FEED_ITEM ? take_item(c, &e->item, err) : take_content(c, e, err);
		if (r)
			break;
	}
	feed_stop(c->feed);
	return r == FEED_END ? 0 : -1;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(*(char *const *)a, *(char *const *)b);
}

/* The paths that are there, in catalog order. */
static size_t present_roots(struct capture *c, char **roots)
{
	size_t i, n = 0;

	for (i = 0; i < c->policy->n_paths; i++) {
		struct stat st;

		if (lstat(c->policy->paths[i], &st))
			note(c, CAPTURE_ROOT, c->policy->paths[i] + 1, errno);
		else
			roots[n++] = c->policy->paths[i];
	}
	qsort(roots, n, sizeof(*roots), by_path);
	return n;
}

static int capture_paths(struct capture *c, struct err *err)
{
	const struct policy_dataset *d = c->policy;
	struct exclude *exclude = NULL;
	char **roots = calloc(d->n_paths, sizeof(*roots));
	struct scout scout;
	char links[4096];
	size_t n;
	int r = -1;

	if (!roots)
		return err_nomem(err);
	snprintf(links, sizeof(links), "%s/links", c->cfg.scratch);
	n = present_roots(c, roots);
	if (!n) {
		c->result->verdict = GENERATION_FAILED;
		r = err_set(err, "E-CAPTURE-01", "%s", text("none of its paths is there"));
		goto out;
	}
	exclude = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, err);
	if (!exclude || linkmap_open(links, &c->links, err))
		goto out;
	scout = (struct scout){roots, n, !d->one_file_system, exclude, c->cfg.chunker, c->cfg.scratch, c->scratch_fd};
	r = follow(c, &scout, err);
	if (!r)
		r = finish_catalog(c, err);
out:
	linkmap_close(c->links);
	c->links = NULL;
	exclude_free(exclude);
	free(roots);
	return r;
}

/* ---- output of a command ---- */

static int command_entry(struct capture *c, uint64_t size, struct err *err)
{
	struct archive_entry *e = archive_entry_new();
	int r;

	if (!e)
		return err_nomem(err);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_uid(e, geteuid());
	archive_entry_set_gid(e, getegid());
	archive_entry_set_mtime(e, c->cfg.now_ns / 1000000000, 0);
	c->result->files = 1;
	c->result->bytes = size;
	r = add_entry(c, e, c->policy->store_as, true, 0, err);
	archive_entry_free(e);
	return r ? -1 : finish_catalog(c, err);
}

struct stream {
	const struct chunker *chunker;
	struct command *command;
};

static int read_command(void *arg, struct feed *f, struct err *err)
{
	struct stream *s = arg;

	(void)err;
	return reader_stream(f, s->chunker, command_read, s->command);
}

/* The output into c->extents.  0, READER_UNREADABLE, -1. */
static int take_stream(struct capture *c, struct stream *s, uint64_t *ret_size, int *ret_errno, struct err *err)
{
	struct feed_event *e;
	int r, result = -1;

	if (feed_start(c->feed, read_command, s, err))
		return -1;
	content_begin(c->content);
	while (!(r = feed_next(c->feed, &e, err))) {
		if (e->kind == FEED_DONE) {
			*ret_errno = e->errnum;
			result = e->result;
		} else if (content_take(c->content, e, feed_content(c->feed), err)) {
			r = -1;
			break;
		}
	}
	feed_stop(c->feed);
	if (r != FEED_END || result)
		return r == FEED_END ? result : -1;
	return content_end(c->content, &c->extents, ret_size, err);
}

/* The command's end decides: only an output that ended well is put into the catalog. */
static int capture_command(struct capture *c, struct err *err)
{
	struct stream s = {c->cfg.chunker, NULL};
	struct command *cmd = NULL;
	uint64_t size = 0;
	int errnum = 0, r;

	if (command_start(c->policy->command, &cmd, err)) {
		c->result->verdict = GENERATION_FAILED;
		return -1;
	}
	s.command = cmd;
	r = take_stream(c, &s, &size, &errnum, err);
	if (r == READER_UNREADABLE)
		r = err_sys(err, "E-CAPTURE-02", errnum, "%s", text("cannot read what the command writes"));
	else if (!r) {
		c->result->verdict = GENERATION_FAILED;
		r = command_finish(cmd, err);
		if (!r && size < c->policy->min_bytes)
			r = err_set(err, "E-CAPTURE-03", text("the command gave %llu bytes where at least %llu are expected"),
			    (unsigned long long)size, (unsigned long long)c->policy->min_bytes);
		if (!r)
			c->result->verdict = GENERATION_GOOD;
	}
	command_free(cmd);
	return r ? -1 : command_entry(c, size, err);
}

static int set_strings(struct generation_dataset *r, const struct policy_dataset *d, struct err *err)
{
	r->name = strdup(d->name);
	r->title = d->title ? strdup(d->title) : NULL;
	return r->name && (r->title || !d->title) ? 0 : err_nomem(err);
}

static int run_probe(struct capture *c, struct err *err)
{
	struct err why = ERR_INIT;

	if (!c->policy->probe || !probe_run(c->policy->probe, &c->result->probe, &why))
		return 0;
	err_wrap(&why, "%s", text("probe"));
	c->result->verdict = GENERATION_PARTIAL;
	c->result->reason = strdup(why.msg);
	return c->result->reason ? 0 : err_nomem(err);
}

int capture_dataset(struct capture *c, const struct policy_dataset *d, struct generation_dataset *ret, struct err *err)
{
	struct err why = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	c->policy = d;
	c->result = ret;
	c->list.n = 0;
	ret->command = d->command != NULL;
	/* a fresh writer: order starts anew, and nothing of a data set that failed half-way is left in it */
	catalog_writer_free(c->block);
	c->block = NULL;
	if (catalog_writer_new(&c->block, err) || set_strings(ret, d, err))
		return -1;
	waste_begin(pack_waste(c->cfg.pack), d->name);
	if (!(d->command ? capture_command(c, &why) : capture_paths(c, &why))) {
		waste_end(pack_waste(c->cfg.pack));
		ret->verdict = ret->unreadable || ret->changed ? GENERATION_PARTIAL : GENERATION_GOOD;
		return run_probe(c, err);
	}
	waste_drop(pack_waste(c->cfg.pack));
	if (ret->verdict != GENERATION_FAILED) {
		if (err)
			*err = why;
		return err_wrap(err, text("data set '%s'"), d->name);
	}
	/* a command that failed: nothing of it counts */
	ret->entries = ret->files = ret->bytes = 0;
	ret->reason = strdup(why.msg);
	return ret->reason ? 0 : err_nomem(err);
}
