/* capture_tree: what the reader thread finds below the paths of a data set, into the catalog; see capture.h.
 *
 * follow_reader() takes events until QUEUE_END.  QUEUE_ITEM: an entry; without content it is put into the catalog
 * at once, with content it waits in `entry` and `path` until QUEUE_DONE.  QUEUE_RANGE: entries of the former
 * catalog that are as they were.  QUEUE_GONE: for the guard.  Whether to stop is asked after each event and, when
 * none comes, once a second (QUEUE_IDLE).
 *
 * A file with several names is stored under the first one in catalog order; `links` remembers its extents for the
 * others.  When the file cache turns out to be damaged in the middle, the data set is begun once more without it
 * (`forget`). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/config/exclude.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/content.h"
#include "write/capture/reader_thread.h"
#include "write/index/file_cache.h"
#include "write/index/linkmap.h"
#include "write/source/queue.h"
#include "write/source/reader.h"
#include "write/pack/pack.h"

/* ---- entries of a tree ---- */

/* An inode met before: the entry becomes a hard link with the same extents. 1 done, 0 not a further name, -1.
 */
static int further_name(
    struct capture *c, const struct stat *st, struct archive_entry *e, const char *path, struct err *err)
{
	unsigned flags = 0;
	int r;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	c->link.n = 0;
	c->now.extents.n = 0;
	r = linkmap_find(c->set.links, st->st_dev, st->st_ino, &c->link, &c->now.extents, &flags, err);
	if (r != 1)
		return r;
	if (c->now.extents.n) { /* as remember_links() put it */
		c->now.extents.n -= sizeof(c->now.sha256);
		memcpy(&c->now.sha256, c->now.extents.p + c->now.extents.n, sizeof(c->now.sha256));
	}
	archive_entry_copy_hardlink(e, (const char *)c->link.p);
	c->now.seen.odd = true; /* what it refers to is found out in every run */
	r = capture_add_entry(c, e, path, c->now.extents.n > 0, flags, err);
	return r ? -1 : 1;
}

static int remember_links(struct capture *c, const char *path, struct err *err)
{
	const struct seen *s = &c->now.seen;
	int r;

	if (S_ISDIR(s->st.st_mode) || s->st.st_nlink < 2)
		return 0;
	if (s->extents && buf_append(&c->now.extents, &c->now.sha256, sizeof(c->now.sha256), err))
		return -1;
	r = linkmap_add(c->set.links, s->st.st_dev, s->st.st_ino, s->st.st_nlink - 1, path,
	    s->extents ? (const char *)c->now.extents.p : NULL, s->extents ? c->now.extents.n : 0, s->flags,
	    err);
	if (s->extents)
		c->now.extents.n -= sizeof(c->now.sha256);
	return r;
}

/* The entry is complete. */
static int put_entry(struct capture *c, struct archive_entry *e, const char *path, struct err *err)
{
	const struct seen *s = &c->now.seen;

	if (S_ISREG(s->st.st_mode)) {
		if (capture_guard_file(c, path, err))
			return -1;
		c->set.result->files++;
		archive_entry_set_mtime(e, s->opened.st_mtim.tv_sec, s->opened.st_mtim.tv_nsec);
	}
	if (remember_links(c, path, err))
		return -1;
	return capture_add_entry(c, e, path, s->extents, s->flags, err);
}

/* Everything that is to be told of an entry. */
static void take_notes(struct capture *c, const struct queue_item *it, const char *path)
{
	if (it->mount)
		capture_note(c, CAPTURE_MOUNT, path, 0);
	if (!it->entry) {
		capture_note(
		    c, CAPTURE_UNREADABLE, path, it->open_errno); /* not even an entry can be made of it */
		return;
	}
	if (it->incomplete) {
		c->now.seen.flags |= CATALOG_INCOMPLETE;
		capture_note(c, CAPTURE_INCOMPLETE, path, it->incomplete);
	}
	if (it->error || it->open_errno) {
		c->now.seen.flags |= CATALOG_UNREADABLE;
		capture_note(c, CAPTURE_UNREADABLE, path, it->error ? it->error : it->open_errno);
	}
}

/* A file with several names whose content is known: its entry is made again, because its first name may be
 * another. */
static int take_same(struct capture *c, const struct queue_item *it, const char *path, struct err *err)
{
	if (capture_former_extents(c, it->former, it->former_at, err))
		return -1;
	c->now.seen.extents = c->now.extents.n > 0;
	c->now.seen.profile = file_cache_entry(it->former, it->former_at)->profile;
	if (c->now.seen.extents) {
		c->now.seen.bytes = (uint64_t)it->opened.st_size;
		c->set.result->bytes += c->now.seen.bytes;
	}
	return put_entry(c, it->entry, path, err);
}

static int take_item(struct capture *c, const struct queue_item *it, struct err *err)
{
	const char *path = queue_path(c->queue);
	int r;

	c->now.seen = (struct seen){.st = it->st,
	    .opened = it->opened,
	    .looked_ns = it->looked_ns,
	    .odd = it->mount || it->error,
	    .known = it->known,
	    .was = it->was};
	pack_touch_begin(c->cfg.pack);
	capture_tell(c, NULL);
	if (S_ISSOCK(it->st.st_mode)) {
		capture_note(c, CAPTURE_SOCKET, path, 0);
		return 0;
	}
	take_notes(c, it, path);
	if (!it->entry)
		return 0;
	if (!it->content) {
		r = further_name(c, &it->st, it->entry, path, err);
		if (r)
			return r < 0 ? -1 : 0;
		return it->same && !(c->now.seen.flags & CATALOG_UNREADABLE)
			   ? take_same(c, it, path, err)
			   : put_entry(c, it->entry, path, err);
	}
	/* its content comes with the next events: by then the batch with the item is gone */
	if (it->former)
		c->now.seen.was_there =
		    capture_former_sha256(it->former, it->former_at, &c->now.seen.was_sha256);
	c->now.entry = queue_keep_entry(c->queue, c->now.entry);
	c->path.n = 0;
	content_begin(c->content);
	return buf_append(&c->path, path, strlen(path) + 1, err);
}

static int take_content(struct capture *c, const struct queue_event *e, struct err *err)
{
	const char *path = (const char *)c->path.p;

	capture_guard_look(c, e);
	capture_tell(c, e);
	if (e->kind != QUEUE_DONE)
		return content_take(c->content, c->queue, e, err);
	c->now.seen.opened = e->st;
	if (e->result == READER_UNREADABLE) {
		c->now.seen.flags |= CATALOG_UNREADABLE;
		capture_note(c, CAPTURE_UNREADABLE, path, e->errnum);
		return put_entry(c, c->now.entry, path, err);
	}
	if (e->result == READER_CHANGED) {
		c->now.seen.flags |= CATALOG_CHANGED;
		capture_note(c, CAPTURE_CHANGED, path, 0);
	}
	if (content_end(c->content, &c->now.extents, NULL, &c->now.sha256, err))
		return -1;
	c->now.seen.extents = c->now.seen.read = true;
	c->now.seen.bytes = (uint64_t)e->st.st_size;
	c->set.result->bytes += c->now.seen.bytes;
	return put_entry(c, c->now.entry, path, err);
}

static int take_event(struct capture *c, struct queue_event *e, struct err *err)
{
	int r;

	switch (e->kind) {
	case QUEUE_ITEM:
		return take_item(c, &e->item, err);
	case QUEUE_GONE:
		return capture_guard_gone(c, queue_path(c->queue), &e->item.was, err);
	case QUEUE_RANGE:
		capture_tell(c, NULL);
		r = capture_add_range(c, &e->range, err);
		/* not only with its batch: hundreds of blocks may stand in one */
		file_cache_block_free(e->range.block);
		e->range.block = NULL;
		return r;
	default:
		return take_content(c, e, err);
	}
}

/* What its file systems hold, an upper bound of what there is to capture; 0: not known. */
static uint64_t used_bytes(const struct capture *c)
{
	const struct policy_dataset *d = c->set.policy;
	dev_t seen[16];
	size_t n_seen = 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n_paths; i++) {
		struct statvfs fs;
		struct stat st;
		size_t k = 0;

		if (stat(d->paths[i], &st) || statvfs(d->paths[i], &fs))
			continue;
		while (k < n_seen && seen[k] != st.st_dev)
			k++;
		if (k < n_seen || n_seen == sizeof(seen) / sizeof(*seen))
			continue;
		seen[n_seen++] = st.st_dev;
		sum += (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	}
	return sum;
}

int capture_stop(struct capture *c, struct err *err)
{
	uint64_t most = used_bytes(c), done = c->set.result->bytes, fresh = done - c->memory.kept;
	/* what came of a file that is not whole is stored, but for its last piece, and is read again to be
	 * known */
	uint64_t stored = done + c->now.within;

	/* a block may be a run's worth of large files: without it no run would come any further */
	if (capture_keep_block(c, err))
		return -1;
	c->set.result->verdict = GENERATION_FAILED;
	c->set.stopped = true;
	if (c->cfg.cb.interrupted && c->cfg.cb.interrupted(c->cfg.cb.arg))
		return err_set(err, "E-CAPTURE-05",
		    text("stopped because bkp was told to end; %ju MiB of it are stored, which the next run "
			 "need "
			 "not write again; nothing of it counts yet"),
		    stored >> 20);
	if (c->set.policy->command)
		return err_set(err, "E-CAPTURE-04", "%s",
		    text("its command was ended at the time given; nothing of it counts, the next run starts "
			 "it anew"));
	if (!most || !fresh)
		return err_set(err, "E-CAPTURE-04",
		    text("stopped at the time given, %ju MiB of it are stored; the next run goes on from "
			 "here"),
		    stored >> 20);
	most = most > done ? most : done;
	return err_set(err, "E-CAPTURE-04",
	    text("stopped at the time given, %ju MiB of at most %ju MiB are stored, %ju MiB of them in this "
		 "run; the next "
		 "run goes on from here: at this pace at most %ju more runs"),
	    done >> 20, most >> 20, fresh >> 20, (most - done + fresh - 1) / fresh);
}

/* Takes all that the reader thread finds. */
static int follow_reader(struct capture *c, struct reader_thread *s, struct err *err)
{
	struct queue_event *e;
	int r;

	if (queue_start(c->queue, reader_thread_run, s, err))
		return -1;
	while ((r = queue_next(c->queue, &e, err)) == 0 || r == QUEUE_IDLE) {
		r = r == QUEUE_IDLE ? 0 : take_event(c, e, err);
		if (!r && capture_is_ended(c))
			r = capture_stop(c, err);
		if (r)
			break;
	}
	queue_stop(c->queue);
	return r == QUEUE_END ? 0 : -1;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(*(char *const *)a, *(char *const *)b);
}

/* The paths that are there, in catalog order. */
static size_t present_roots(struct capture *c, char **roots)
{
	size_t i, n = 0;

	for (i = 0; i < c->set.policy->n_paths; i++) {
		struct stat st;

		if (lstat(c->set.policy->paths[i], &st))
			capture_note(c, CAPTURE_ROOT, c->set.policy->paths[i] + 1, errno);
		else
			roots[n++] = c->set.policy->paths[i];
	}
	qsort(roots, n, sizeof(*roots), by_path);
	return n;
}

/* Once through all paths.  0, -1. */
static int capture_once(
    struct capture *c, char *const *roots, size_t n, const struct exclude *exclude, struct err *err)
{
	char links[4096];
	bool anew = c->cfg.anew || c->memory.forget;
	struct reader_thread reader_thread = {
	    .anew = anew,
	    .roots = roots,
	    .n_roots = n,
	    .policy_roots = c->set.policy->paths,
	    .n_policy_roots = c->set.policy->n_paths,
	    .cross_mounts = !c->set.policy->one_file_system,
	    .exclude = exclude,
	    .chunker = c->cfg.chunker,
	    .scratch = c->cfg.scratch,
	    .scratch_fd = c->scratch_fd,
	};
	int r;

	snprintf(links, sizeof(links), "%s/links", c->cfg.scratch);
	if (capture_open_cache(c, err) || capture_guard_begin(c, err) ||
	    linkmap_open(links, &c->set.links, err))
		return -1;
	c->memory.forget = false;
	reader_thread.cache = c->memory.cache;
	r = follow_reader(c, &reader_thread, err);
	if (!r)
		r = capture_finish_catalog(c, err);
	if (r)
		capture_guard_note(c);
	else
		capture_guard_end(c);
	capture_close_cache(c, !r);
	linkmap_close(c->set.links);
	c->set.links = NULL;
	return r;
}

int capture_paths(struct capture *c, struct err *err)
{
	const struct policy_dataset *d = c->set.policy;
	struct exclude *exclude = NULL;
	char **roots = calloc(d->n_paths, sizeof(*roots));
	uint64_t missing;
	size_t n;
	int r = -1;

	if (!roots)
		return err_nomem(err);
	n = present_roots(c, roots);
	missing = c->set.result->unreadable;
	if (!n) {
		c->set.result->verdict = GENERATION_FAILED;
		r = err_set(err, "E-CAPTURE-01", "%s", text("none of its paths is there"));
	} else if ((exclude = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, err))) {
		r = capture_once(c, roots, n, exclude, err);
		/* what was remembered turned out to be damaged on the way: what was done so far is void */
		if (r && c->memory.forget && !capture_begin_anew(c, err)) {
			c->set.result->unreadable =
			    missing; /* that a path is not there has been told already */
			r = capture_once(c, roots, n, exclude, err);
		}
	}
	exclude_free(exclude);
	free(roots);
	return r;
}
