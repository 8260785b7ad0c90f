/* reader_thread: see reader_thread.h.
 *
 * queue_root() for each path of the data set: walk_next() → take_item(): file_changes_item() says whether the entry
 * is as it was.  Then it travels in a range (queue_ranges()); else queue_item() reads its attributes, and
 * queue_file() its content.  What was renamed between the walk's look and the opening is followed, MOVED_MAX times
 * (read_meta()).
 *
 * Everything in struct tree_reader belongs to this thread.  A QUEUE_ITEM is taken back when it cannot be completed: half of
 * one would be a file without content.  `dark` is the folder that could not be read last: of files in it nobody
 * knows whether they are gone, so they are not told as gone. */
#include "write/capture/reader_thread.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/threads/parallel.h"
#include "base/path.h"
#include "format/config/exclude.h"
#include "write/index/file_cache.h"
#include "write/index/linkmap.h"
#include "write/source/file_changes.h"
#include "write/source/meta.h"
#include "write/source/queue.h"
#include "write/source/reader.h"
#include "write/source/walk.h"

#define MOVED_MAX 3 /* names that a file is followed to */

struct tree_reader {
	const struct reader_thread *s;
	struct walk *walk; /* of the current root */
	struct queue *queue;
	struct meta *meta;
	struct linkmap *names; /* of files with several names: which have been met */
	struct buf none;
	struct file_changes *merge;
	struct buf dark; /* path of the folder that could not be read last */
};

/* 1: a file that was fed under another name already, 0, -1. */
static int further_name(struct tree_reader *r, const struct walk_item *it, struct err *err)
{
	unsigned flags;
	int found;

	if (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)
		return 0;
	r->none.n = 0;
	found = linkmap_find(r->names, it->st.st_dev, it->st.st_ino, &r->none, &r->none, &flags, err);
	if (found)
		return found;
	return linkmap_add(r->names, it->st.st_dev, it->st.st_ino, it->st.st_nlink - 1, "", NULL, 0, 0, err)
		   ? -1
		   : 0;
}

static int queue_file(
    struct tree_reader *r, const struct walk_item *it, struct queue_event *e, int fd, struct err *err)
{
	const struct stat st = e->item.opened;
	int further = further_name(r, it, err);

	if (further < 0) {
		queue_take_back(r->queue); /* half an item would be a file without content */
		return -1;
	}
	if (further || fd < 0 || e->item.same)
		return 0;
	e->item.content = true;
	return reader_file(r->queue, r->s->chunker, fd, &st);
}

/* Between the walk's look and the opening: what was known of it is of no use. */
static void drop_if_changed(struct queue_item *it)
{
	it->same = it->same && file_cache_same(&file_cache_entry(it->former, it->former_at)->st, &it->opened);
}

/* Is it another than the walk saw? */
static bool is_another(const struct walk_item *it, int found, const struct meta_result *m)
{
	return found == META_VANISHED || (!found && m->st.st_ino != it->st.st_ino && !it->mount);
}

static void close_unless(int found, struct meta_result *m)
{
	if (!found)
		io_close_quietly(&m->fd);
}

/* As meta_read(); what was renamed since the walk saw it is followed.  META_UNREADABLE with ESTALE: it was
 * never where it had been a moment before. */
static int read_meta(struct tree_reader *r, const struct walk_item *it, struct archive_entry *entry,
    struct meta_result *m, struct err *err)
{
	struct walk_item now = *it;
	int found = meta_read(r->meta, it, entry, m, err);

	for (int i = 0; is_another(it, found, m); i++) {
		int got = i < MOVED_MAX ? walk_seek(r->walk, &now, err) : 0;

		/* nowhere: what has its name now counts */
		if (got == WALK_GONE && now.name == it->name)
			return found;
		close_unless(found, m);
		if (got == WALK_GONE)
			return meta_read(r->meta, it, entry, m, err);
		if (got)
			return -1;
		if (i >= MOVED_MAX) {
			m->open_errno = ESTALE;
			return META_UNREADABLE;
		}
		found = meta_read(r->meta, &now, entry, m, err);
	}
	return found;
}

/* `was`: what is known of it; the reference in it becomes the queue's. */
static int queue_item(
    struct tree_reader *r, const struct walk_item *it, const struct file_changes_result *was, struct err *err)
{
	struct queue_event *e = queue_add(r->queue, QUEUE_ITEM);
	struct meta_result m;
	int found;

	if (!e) {
		file_cache_block_free(was->block);
		return -1;
	}
	e->item.former = was->block;
	e->item.former_at = was->index;
	e->item.same = was->kind == FILE_CHANGES_SAME;
	e->item.known = was->known;
	e->item.was = was->was;
	if (queue_set_path(r->queue, e, it->path)) {
		queue_take_back(r->queue);
		return -1;
	}
	e->item.st = it->st;
	e->item.error = it->error;
	e->item.mount = it->mount;
	if (S_ISSOCK(it->st.st_mode)) {
		e->item.entry = NULL;
		return 0;
	}
	e->item.looked_ns = clock_read(CLOCK_REALTIME);
	found = read_meta(r, it, e->item.entry, &m, err);
	if (found == META_VANISHED) {
		queue_take_back(r->queue);
		return 0;
	}
	if (found < 0) {
		queue_take_back(r->queue);
		return -1;
	}
	e->item.open_errno = m.open_errno;
	if (found == META_UNREADABLE) {
		e->item.entry = NULL;
		return 0;
	}
	e->item.opened = m.st;
	e->item.incomplete = m.incomplete;
	drop_if_changed(&e->item);
	found = queue_file(r, it, e, m.fd, err);
	io_close_quietly(&m.fd);
	return found;
}

static int queue_ranges(struct tree_reader *r, struct file_changes_result *m)
{
	for (size_t i = 0; i < m->n_ranges; i++) {
		struct queue_event *e = queue_add(r->queue, QUEUE_RANGE);

		if (!e) {
			for (; i < m->n_ranges; i++)
				file_cache_block_free(m->ranges[i].block);
			return -1;
		}
		e->range = m->ranges[i];
	}
	return 0;
}

/* Would the data set still have the file, if it were there? */
static bool would_have(const struct tree_reader *r, const char *path)
{
	const struct reader_thread *s = r->s;
	char absolute[PATH_MAX + 1];
	bool below = false;

	if (r->dark.n && path_within(path, (const char *)r->dark.p))
		return false;
	if (strlen(path) >= PATH_MAX)
		return true;
	snprintf(absolute, sizeof(absolute), "/%s", path);
	for (size_t i = 0; i < s->n_policy_roots && !below; i++)
		below = path_within(absolute, s->policy_roots[i]);
	return below && !exclude_match(s->exclude, absolute, false);
}

static int file_is_gone(void *arg, const struct file_cache_entry *was)
{
	struct tree_reader *r = arg;
	struct queue_event *e;

	if (!would_have(r, was->path))
		return 0;
	e = queue_add(r->queue, QUEUE_GONE);
	if (!e)
		return -1;
	e->item.was = file_changes_was(was);
	return queue_set_path(r->queue, e, was->path);
}

static int note_dark(struct tree_reader *r, const struct walk_item *it, struct err *err)
{
	r->dark.n = 0;
	return buf_puts(&r->dark, it->path, err) || buf_terminate(&r->dark, err) ? -1 : 0;
}

static int take_item(struct tree_reader *r, const struct walk_item *it, struct err *err)
{
	struct file_changes_result m = {.kind = FILE_CHANGES_READ};

	if (file_changes_item(r->merge, it, &m, err))
		return -1;
	if (queue_ranges(r, &m) || (it->error && note_dark(r, it, err))) {
		file_cache_block_free(m.block);
		return -1;
	}
	return m.kind == FILE_CHANGES_CLEAN ? 0 : queue_item(r, it, &m, err);
}

static int queue_root(struct tree_reader *r, const char *root, struct err *err)
{
	struct walk_options opt = {.cross_mounts = r->s->cross_mounts,
	    .exclude = r->s->exclude,
	    .scratch_dir = r->s->scratch_fd,
	    .helpers = parallel_processors() - 1};
	struct walk *w = NULL;
	struct walk_item it;
	int got;

	if (walk_open(root, &opt, &w, err))
		return -1;
	r->walk = w;
	while (!(got = walk_next(w, &it, err)))
		/* the root "/" itself has no name to stand under */
		if (*it.path && (got = take_item(r, &it, err)))
			break;
	walk_close(w);
	return got == WALK_END ? 0 : -1;
}

int reader_thread_run(void *arg, struct queue *f, struct err *err)
{
	struct tree_reader r = {.s = arg, .queue = f};
	char names[4096];
	int got;

	buf_init(&r.none, 4096);
	buf_init(&r.dark, (size_t)2 << 20);
	snprintf(names, sizeof(names), "%s/names", r.s->scratch);
	got = meta_new(&r.meta, err) || linkmap_open(names, &r.names, err) ||
		      file_changes_new(r.s->cache, &r.merge, err)
		  ? -1
		  : 0;
	if (!got)
		file_changes_on_gone(r.merge, file_is_gone, &r);
	if (!got && r.s->anew)
		file_changes_disbelieve(r.merge);
	for (size_t i = 0; !got && i < r.s->n_roots; i++)
		got = queue_root(&r, r.s->roots[i], err);
	if (!got) {
		struct file_changes_result m = {.kind = FILE_CHANGES_READ};

		got = file_changes_end(r.merge, &m, err) || queue_ranges(&r, &m) ? -1 : 0;
	}
	file_changes_free(r.merge);
	linkmap_close(r.names);
	meta_free(r.meta);
	buf_free(&r.none);
	buf_free(&r.dark);
	return got;
}
