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
#include "write/capture_private.h"
#include "write/command.h"
#include "write/content.h"
#include "write/feed.h"
#include "write/linkmap.h"
#include "write/pack.h"
#include "write/probe.h"
#include "write/reader.h"
#include "write/extset.h"
#include "write/scout.h"
#include "write/tally.h"
#include "write/waste.h"

#define LIST_MAX   ((size_t)256 << 20)
#define PATH_BYTES ((size_t)2 << 20)

int capture_new(const struct capture_config *cfg, struct capture **ret, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->cfg = *cfg;
	c->cache_fd = -1;
	c->first_archive = pack_next_archive(cfg->pack);
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
	capture_close_cache(c, false);
	tally_free(c->tally);
	extset_close(c->extensions);
	io_close_quietly(&c->cache_fd);
	free(c->runs);
	io_close_quietly(&c->scratch_fd);
	buf_free(&c->extents);
	buf_free(&c->bytes);
	buf_free(&c->list);
	buf_free(&c->first);
	buf_free(&c->link);
	buf_free(&c->path);
	free(c);
}

void capture_note(struct capture *c, enum capture_kind kind, const char *path, int errnum)
{
	if (kind == CAPTURE_UNREADABLE || kind == CAPTURE_INCOMPLETE || kind == CAPTURE_TOO_LARGE ||
	    kind == CAPTURE_ROOT)
		c->result->unreadable++;
	if (kind == CAPTURE_CHANGED)
		c->result->changed++;
	if (kind == CAPTURE_SOCKET)
		c->result->skipped++;
	c->cfg.cb.note(c->cfg.cb.arg, kind, c->policy->name, path, errnum);
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
	r = capture_add_entry(c, e, c->policy->store_as, true, 0, err);
	archive_entry_free(e);
	return r ? -1 : capture_finish_catalog(c, err);
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

/* What came from the command.  0, -1. */
static int take_output(
    struct capture *c, const struct feed_event *e, int *ret_result, int *ret_errno, struct err *err)
{
	capture_guard_look(c, e);
	if (e->kind != FEED_DONE)
		return content_take(c->content, c->feed, e, err);
	*ret_errno = e->errnum;
	*ret_result = e->result;
	return 0;
}

/* The output into c->extents.  0, READER_UNREADABLE, -1. */
static int take_stream(
    struct capture *c, struct stream *s, uint64_t *ret_size, int *ret_errno, struct err *err)
{
	struct feed_event *e;
	int r, result = -1;

	if (feed_start(c->feed, read_command, s, err))
		return -1;
	content_begin(c->content);
	while ((r = feed_next(c->feed, &e, err)) == 0 || r == FEED_IDLE) {
		r = r == FEED_IDLE ? 0 : take_output(c, e, &result, ret_errno, err);
		if (!r && c->cfg.cb.stop && c->cfg.cb.stop(c->cfg.cb.arg))
			r = capture_stop(c, err);
		if (r)
			break;
	}
	if (r != FEED_END)
		command_interrupt(s->command); /* the reader may be waiting for it */
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
		command_on_wait(cmd, c->cfg.cb.stop, c->cfg.cb.arg);
		r = command_finish(cmd, err);
		if (r && c->cfg.cb.stop && c->cfg.cb.stop(c->cfg.cb.arg))
			r = capture_stop(c, err); /* ended because of that */
		if (!r && size < c->policy->min_bytes)
			r = err_set(err, "E-CAPTURE-03",
			    text("the command gave %llu bytes where at least %llu are expected"),
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

int capture_begin_anew(struct capture *c, struct err *err)
{
	struct generation_dataset *r = c->result;

	r->entries = r->files = r->bytes = r->unreadable = r->changed = r->skipped = 0;
	c->list.n = 0;
	c->kept = 0;
	c->stopped = false;
	/* a fresh writer: order starts anew, and nothing of a data set that failed half-way is left in it */
	catalog_writer_free(c->block);
	c->block = NULL;
	pack_abandon_set(c->cfg.pack);
	waste_begin(pack_waste(c->cfg.pack), c->policy->name);
	return catalog_writer_new(&c->block, err);
}

/* Nothing of it counts. */
static int give_up(struct capture *c, const struct err *why, struct err *err)
{
	struct generation_dataset *r = c->result;

	r->entries = r->files = r->bytes = 0;
	pack_abandon_set(c->cfg.pack);
	r->reason = strdup(why->msg);
	return r->reason ? 0 : err_nomem(err);
}

int capture_dataset(
    struct capture *c, const struct policy_dataset *d, struct generation_dataset *ret, struct err *err)
{
	struct err why = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	c->policy = d;
	c->result = ret;
	capture_guard_reset(c);
	ret->command = d->command != NULL;
	if (pack_begin_set(c->cfg.pack, err) || capture_begin_anew(c, err) || set_strings(ret, d, err) ||
	    pack_compression(c->cfg.pack, (enum codec_kind)d->compression, err))
		return -1;
	if (!(d->command ? capture_command(c, &why) : capture_paths(c, &why))) {
		waste_end(pack_waste(c->cfg.pack));
		if (d->command && d->format == POLICY_STREAM)
			capture_guard_stream(c);
		ret->verdict = ret->unreadable || ret->changed ? GENERATION_PARTIAL : GENERATION_GOOD;
		return run_probe(c, err);
	}
	waste_drop(pack_waste(c->cfg.pack));
	if (ret->verdict == GENERATION_FAILED)
		return give_up(c, &why, err);
	if (err)
		*err = why;
	return err_wrap(err, text("data set '%s'"), d->name);
}

const struct err *capture_cache_fault(const struct capture *c)
{
	return &c->cache_fault;
}

bool capture_stopped(const struct capture *c)
{
	return c->stopped;
}
