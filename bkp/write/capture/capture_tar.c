/* capture_tar: the entries of a tar stream that a command gives, into the catalog; see capture.h.
 *
 * Content is stored as it comes (tarsource.h → queue.h → content.h); the entries with their extents wait in
 * entrysort.h, because a catalog is in the order of paths and a stream is in any.  Only when the stream was
 * whole and the command ended well does the catalog begin. */
#include <errno.h>
#include <string.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/text.h"
#include "format/config/exclude.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/content.h"
#include "write/source/command.h"
#include "write/source/entrysort.h"
#include "write/source/queue.h"
#include "write/source/reader.h"
#include "write/source/tarsource.h"

struct tar_capture {
	struct capture_output output;
	struct tarsource source;
	struct entrysort *entries;
};

/* ---- what the stream gives ---- */

/* The entry is complete, with c->now.extents (has_extents).  What a catalog cannot hold fails the data set, not
 * the run. */
static int keep_entry(struct capture *c, struct tar_capture *t, struct archive_entry *e, const char *path,
    bool has_extents, struct err *err)
{
	int r = entrysort_add(t->entries, path, e, has_extents ? (const char *)c->now.extents.p : NULL,
	    has_extents ? c->now.extents.n : 0, has_extents && c->now.sha256.has ? c->now.sha256.of : NULL,
	    c->now.seen.flags, err);

	if (r < 0) {
		c->set.result->verdict = GENERATION_FAILED;
		return -1;
	}
	if (r == ENTRYSORT_STRIPPED && !(c->now.seen.flags & CATALOG_INCOMPLETE))
		capture_note(c, CAPTURE_INCOMPLETE, path, E2BIG);
	return 0;
}

static int keep_link(
    struct capture *c, struct tar_capture *t, const char *path, const char *target, struct err *err)
{
	int r = entrysort_link(t->entries, path, target, err);

	if (r == ENTRYSORT_ABSENT)
		capture_note(c, CAPTURE_ABSENT, path, 0);
	return r < 0 ? -1 : 0;
}

static int take_item(struct capture *c, struct tar_capture *t, const struct queue_item *it, struct err *err)
{
	const char *path = queue_path(c->queue), *target;

	capture_tell(c, NULL);
	c->now.seen = (struct seen){.flags = it->incomplete ? CATALOG_INCOMPLETE : 0};
	if (!it->entry) {
		capture_note(c, it->error == EXDEV ? CAPTURE_OUTSIDE : CAPTURE_UNREADABLE, path, it->error);
		return 0;
	}
	if (it->incomplete)
		capture_note(c, CAPTURE_INCOMPLETE, path, it->incomplete);
	target = archive_entry_hardlink(it->entry);
	if (target)
		return keep_link(c, t, path, target, err);
	if (!it->content) {
		int r = keep_entry(c, t, it->entry, path, false, err);

		archive_entry_clear(it->entry); /* its attributes may be large */
		return r;
	}
	/* its content comes with the next events: by then the batch with the item is gone */
	c->now.entry = queue_keep_entry(c->queue, c->now.entry);
	c->path.n = 0;
	content_begin(c->content);
	return buf_append(&c->path, path, strlen(path) + 1, err);
}

static int take_content(
    struct capture *c, struct tar_capture *t, const struct queue_event *e, struct err *err)
{
	uint64_t size;
	int r;

	capture_guard_look(c, e);
	capture_tell(c, e);
	if (e->kind != QUEUE_DONE)
		return content_take(c->content, c->queue, e, err);
	if (content_end(c->content, &c->now.extents, &size, &c->now.sha256, err))
		return -1;
	capture_guard_count(c, &c->now.seen.profile);
	c->set.result->bytes += size; /* of what came; counted again when the catalog is made */
	r = keep_entry(c, t, c->now.entry, (const char *)c->path.p, true, err);
	archive_entry_clear(c->now.entry);
	return r;
}

/* 0, -1. */
static int take_stream(struct capture *c, struct tar_capture *t, struct err *err)
{
	struct queue_event *e;
	int r;

	if (queue_start(c->queue, tarsource_run, &t->source, err))
		return -1;
	while ((r = queue_next(c->queue, &e, err)) == 0 || r == QUEUE_IDLE) {
		if (r != QUEUE_IDLE)
			r = e->kind == QUEUE_ITEM ? take_item(c, t, &e->item, err)
						  : take_content(c, t, e, err);
		else
			r = 0;
		if (!r && capture_is_ended(c))
			r = capture_stop(c, err);
		if (r)
			break;
	}
	if (r != QUEUE_END)
		command_interrupt(t->output.command); /* the reader may be waiting for it */
	queue_stop(c->queue);
	return r == QUEUE_END ? 0 : -1;
}

/* What is wrong with the stream, if anything.  A command that failed says better why its stream is cut off.
 */
static int judge_stream(struct capture *c, struct tar_capture *t, int r, struct err *err)
{
	const struct tarsource *s = &t->source;

	if (r)
		return capture_output_end(c, &t->output, -1, 0, err);
	if (s->errnum)
		return capture_output_end(c, &t->output, READER_UNREADABLE, s->errnum, err);
	if (s->why.code[0] && !s->ended) {
		(void)capture_output_end(c, &t->output, -1, 0, NULL);
		r = -1;
	} else {
		r = capture_output_end(c, &t->output, 0, 0, err);
		if (r || !s->why.code[0])
			return r;
	}
	c->set.result->verdict = GENERATION_FAILED;
	*err = s->why;
	return -1;
}

/* ---- into the catalog ---- */

static int put_entry(struct capture *c, const struct entrysort_item *it, struct err *err)
{
	bool regular = archive_entry_filetype(it->entry) == AE_IFREG && !archive_entry_hardlink(it->entry);

	c->now.seen = (struct seen){.flags = it->flags};
	c->now.extents.n = 0;
	if (it->extents && buf_append(&c->now.extents, it->extents, it->extents_len, err))
		return -1;
	c->now.sha256.has = it->sha256 != NULL;
	if (it->sha256)
		memcpy(c->now.sha256.of, it->sha256, DIGEST_LEN);
	if (regular) {
		c->set.result->files++;
		c->set.result->bytes += it->size;
	}
	return capture_add_entry(c, it->entry, it->path, it->extents != NULL, it->flags, err);
}

static int make_catalog(struct capture *c, struct entrysort *s, struct err *err)
{
	struct entrysort_item it;
	int r;

	c->set.result->bytes = 0;
	if (entrysort_sort(s, err))
		return -1;
	while ((r = entrysort_next(s, &it, err)) != ENTRYSORT_END) {
		if (r == ENTRYSORT_TWICE)
			capture_note(c, CAPTURE_TWICE, it.path, 0);
		else if (r == ENTRYSORT_BELOW)
			capture_note(c, CAPTURE_BELOW, it.path, 0);
		else if (r < 0 || put_entry(c, &it, err))
			return -1;
		if (capture_is_ended(c))
			return capture_stop(c, err);
	}
	if (!c->set.result->entries) {
		c->set.result->verdict = GENERATION_FAILED;
		return err_set(err, "E-TAR-05", "%s", text("the tar stream is whole, and nothing is in it"));
	}
	return capture_finish_catalog(c, err);
}

static int capture_entries(struct capture *c, struct tar_capture *t, struct err *err)
{
	int r;

	if (capture_output_begin(c, &t->output, err))
		return -1;
	t->source.read = capture_output_read;
	t->source.arg = &t->output;
	r = judge_stream(c, t, take_stream(c, t, err), err);
	capture_output_free(&t->output);
	if (r)
		return -1;
	c->set.result->verdict = GENERATION_GOOD;
	return make_catalog(c, t->entries, err);
}

int capture_tar(struct capture *c, struct err *err)
{
	const struct policy_dataset *d = c->set.policy;
	char top[] = "/", *roots[] = {top};
	struct tar_capture t = {.source = {.chunker = c->cfg.chunker}};
	struct exclude *exclude = NULL;
	int r = -1;

	if (!c->now.entry && !(c->now.entry = archive_entry_new()))
		return err_nomem(err);
	if (d->n_exclude && !(exclude = exclude_new(d->exclude, d->n_exclude, roots, 1, err)))
		return -1;
	t.source.exclude = exclude;
	if (!entrysort_new(c->scratch_fd, c->cfg.scratch, &t.entries, err))
		r = capture_entries(c, &t, err);
	entrysort_free(t.entries);
	exclude_free(exclude);
	return r;
}
