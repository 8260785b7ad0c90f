/* capture: one data set from beginning to end, whatever it is; see capture.h.
 *
 * capture_dataset() → begin_dataset() → capture_before() → sources[].produce(): capture_tree.c, capture_tar.c or
 * capture_stream.c → settle_dataset() → capture_after().  The reader thread fills the queue; this thread takes
 * events from it, stores content (content.h) and writes the catalog (capture_catalog.c).
 *
 * A data set counts as a whole or not at all: its entries wait in catalog blocks that only the block list names,
 * and the list reaches the generation only when the verdict is not "failed".  capture_begin_anew() and
 * give_up() are the two ways back: pack_abandon_set() takes back which archives it needs. */
#include "write/capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/threads/parallel.h"
#include "base/text.h"
#include "format/guard/strata.h"
#include "format/dump/rows.h"
#include "format/medium/catalog.h"
#include "format/medium/extent.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/content.h"
#include "write/capture/tally.h"
#include "write/expect/expect.h"
#include "write/index/extset.h"
#include "write/index/linkmap.h"
#include "write/liveness/liveness.h"
#include "write/source/queue.h"
#include "write/pack/pack.h"

/* The kinds of source.  produce() captures the content and finishes the catalog, or says why not; measure()
 * completes what the guard judges when all of it is there; NULL: produce() did, because the figures must be on
 * the disk before the file cache remembers what they are of. */
static const struct source {
	int (*produce)(struct capture *c, struct err *err);
	void (*measure)(struct capture *c);
} sources[GENERATION_SOURCES] = {
    [GENERATION_PATHS] = {capture_paths, NULL},
    [GENERATION_STREAM] = {capture_stream, capture_guard_stream},
    [GENERATION_TAR] = {capture_tar, capture_guard_tar},
};

#define LIST_MAX   ((size_t)256 << 20)
#define PATH_BYTES ((size_t)2 << 20)

int capture_new(const struct capture_config *cfg, struct capture **ret, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->cfg = *cfg;
	c->memory.cache_fd = -1;
	buf_init(&c->now.extents, EXTENT_INDIRECT_MAX);
	buf_init(&c->catalog.bytes, CATALOG_BLOCK_MAX);
	buf_init(&c->catalog.list, LIST_MAX);
	buf_init(&c->catalog.first, 3 * PATH_BYTES);
	buf_init(&c->link, PATH_BYTES);
	buf_init(&c->path, PATH_BYTES);
	c->scratch_fd = open(cfg->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->scratch_fd < 0)
		err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), cfg->scratch);
	c->now.entry = archive_entry_new();
	if (c->scratch_fd >= 0 && !c->now.entry)
		err_nomem(err);
	if (c->scratch_fd < 0 || !c->now.entry || content_new(cfg->pack, cfg->chunker, &c->content, err) ||
	    queue_new(cfg->ids, parallel_processors() - 1, cfg->timings, &c->queue, err)) {
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
	queue_free(c->queue);
	content_free(c->content);
	catalog_writer_free(c->catalog.block);
	archive_entry_free(c->now.entry);
	linkmap_close(c->set.links);
	capture_close_cache(c, false);
	tally_free(c->guard.tally);
	strata_free(c->guard.strata);
	rows_free(c->guard.rows);
	extset_close(c->guard.extensions);
	io_close_quietly(&c->memory.cache_fd);
	free(c->memory.runs);
	io_close_quietly(&c->scratch_fd);
	buf_free(&c->now.extents);
	buf_free(&c->catalog.bytes);
	buf_free(&c->catalog.list);
	buf_free(&c->catalog.first);
	buf_free(&c->link);
	buf_free(&c->path);
	free(c);
}

void capture_note(struct capture *c, enum capture_kind kind, const char *path, int errnum)
{
	if (kind == CAPTURE_UNREADABLE || kind == CAPTURE_INCOMPLETE || kind == CAPTURE_TOO_LARGE ||
	    kind == CAPTURE_ROOT || kind == CAPTURE_OUTSIDE || kind == CAPTURE_ABSENT ||
	    kind == CAPTURE_BELOW)
		c->set.result->unreadable++;
	if (kind == CAPTURE_CHANGED)
		c->set.result->changed++;
	if (kind == CAPTURE_SOCKET)
		c->set.result->skipped++;
	c->cfg.cb.note(c->cfg.cb.arg, kind, c->set.policy->name, path, errnum);
}

void capture_tell(struct capture *c, const struct queue_event *e)
{
	c->now.within = !e || e->kind == QUEUE_RESTART || e->kind == QUEUE_DONE
			    ? 0
			    : c->now.within + (e->kind == QUEUE_HOLE ? e->length : e->n);
	/* with QUEUE_DONE the file is not among the bytes yet */
	if (c->cfg.cb.progress && (!e || e->kind != QUEUE_DONE))
		c->cfg.cb.progress(c->cfg.cb.progress_arg, c->set.result->bytes + c->now.within);
}

static int set_strings(struct generation_dataset *r, const struct policy_dataset *d, struct err *err)
{
	r->name = strdup(d->name);
	r->title = d->title ? strdup(d->title) : NULL;
	return r->name && (r->title || !d->title) ? 0 : err_nomem(err);
}

int capture_begin_anew(struct capture *c, struct err *err)
{
	struct generation_dataset *r = c->set.result;

	r->entries = r->files = r->bytes = r->unreadable = r->changed = r->skipped = 0;
	c->catalog.list.n = 0;
	c->memory.kept = 0;
	c->set.stopped = false;
	c->set.newest_ns = EXPECT_NO_FILE;
	/* a new writer: the order starts again, and nothing of a data set that failed half-way is left in it */
	catalog_writer_free(c->catalog.block);
	c->catalog.block = NULL;
	pack_abandon_set(c->cfg.pack);
	liveness_begin(pack_liveness(c->cfg.pack), c->set.policy->name);
	return catalog_writer_new(&c->catalog.block, err);
}

/* Nothing of it counts. */
static int give_up(struct capture *c, const struct err *why, struct err *err)
{
	struct generation_dataset *r = c->set.result;

	r->entries = r->files = r->bytes = 0;
	pack_abandon_set(c->cfg.pack);
	r->reason = strdup(why->msg);
	return r->reason ? 0 : err_nomem(err);
}

static int begin_dataset(
    struct capture *c, const struct policy_dataset *d, struct generation_dataset *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	c->set.policy = d;
	c->set.result = ret;
	c->set.said[0] = '\0';
	c->set.said_lines = 0;
	capture_guard_reset(c);
	ret->source = policy_source(d);
	return capture_begin_anew(c, err) || set_strings(ret, d, err) ||
		       pack_compression(c->cfg.pack, (enum codec_kind)d->compression, err)
		   ? -1
		   : 0;
}

/* What came of it. */
static int settle_dataset(struct capture *c, int r, const struct err *why, struct err *err)
{
	struct generation_dataset *ret = c->set.result;

	if (!r) {
		liveness_end(pack_liveness(c->cfg.pack));
		if (sources[ret->source].measure)
			sources[ret->source].measure(c);
		ret->verdict = ret->unreadable || ret->changed ? GENERATION_PARTIAL : GENERATION_GOOD;
		return capture_judge(c, err) || capture_rows_judge(c, err) ? -1 : 0;
	}
	liveness_drop(pack_liveness(c->cfg.pack));
	return ret->verdict == GENERATION_FAILED ? give_up(c, why, err) : 0;
}

int capture_dataset(
    struct capture *c, const struct policy_dataset *d, struct generation_dataset *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	if (begin_dataset(c, d, ret, err))
		return -1;
	r = capture_before(c, &why) || sources[ret->source].produce(c, &why) ? -1 : 0;
	if (settle_dataset(c, r, &why, err)) {
		(void)capture_after(c, true, NULL);
		return -1;
	}
	if (capture_after(c, r != 0, err))
		return -1;
	if (!r || ret->verdict == GENERATION_FAILED)
		return 0;
	if (err)
		*err = why;
	return err_wrap(err, text("data set '%s'"), d->name);
}

const struct err *capture_cache_fault(const struct capture *c)
{
	return &c->memory.fault;
}

bool capture_stopped(const struct capture *c)
{
	return c->set.stopped;
}
