/* capture_guard: what became of a data set's files since it was captured last, measured on the way; see
 * capture.h and format/guard/guard.h.
 *
 * What a capture has changed in the file cache is not seen by the next one again.  So its figures stand in a
 * file beside the cache, written before the cache is: those of a capture that was never reported, because the
 * run died or no medium took it, are added to the next one's. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "format/guard/kind.h"
#include "format/medium/catalog.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/tally.h"
#include "write/index/extset.h"
#include "write/index/file_cache.h"
#include "write/source/queue.h"

#define NAME_BYTES 160
#define FILE_BYTES 512

/* ---- the file ---- */

struct figures {
	uint64_t generation;
	struct guard guard;
	uint64_t bytes; /* of a stream, and its kind */
	unsigned kind;
};

static void name_of(const struct capture *c, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%s.figures", c->set.policy->name);
}

/* false: there are none. */
static bool read_figures(const struct capture *c, struct figures *ret)
{
	BUF_AUTO b = BUF_INIT(FILE_BYTES);
	struct figures f = {0};
	struct guard *g = &f.guard;
	char name[NAME_BYTES];

	name_of(c, name);
	if (c->memory.cache_fd < 0 || io_read_file(c->memory.cache_fd, name, &b, NULL) ||
	    buf_terminate(&b, NULL) ||
	    sscanf((char *)b.p,
		"bkp-figures 1 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		" %" SCNu64 " %" SCNu64 " %" SCNu64 " %u\n",
		&f.generation, &g->added, &g->changed, &g->deleted, &g->renamed, &g->dense, &g->lost,
		&g->strange, &f.bytes, &f.kind) != 10)
		return false;
	*ret = f;
	return true;
}

/* In place: a run that dies leaves the old ones or the new ones, or none.  last: they are on the disk before
 * the cache is, which makes that the next run sees nothing of it any more. */
static void write_figures(struct capture *c, const struct guard *g, uint64_t bytes, unsigned kind, bool last)
{
	BUF_AUTO b = BUF_INIT(FILE_BYTES);
	char name[NAME_BYTES];
	IO_FD_AUTO fd = -1;

	name_of(c, name);
	if (c->memory.cache_fd < 0 || buf_printf(&b, NULL,
					  "bkp-figures 1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
					  " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n",
					  c->cfg.generation, g->added, g->changed, g->deleted, g->renamed,
					  g->dense, g->lost, g->strange, bytes, kind))
		return;
	fd = openat(c->memory.cache_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n && !ftruncate(fd, (off_t)b.n) && last)
		(void)!fsync(fd);
	c->guard.noted = *g;
}

static bool was_reported(const struct capture *c, uint64_t generation)
{
	return !c->cfg.reported || c->cfg.reported(c->cfg.reported_arg, generation, c->set.policy->name);
}

/* ---- files ---- */

void capture_guard_reset(struct capture *c)
{
	tally_free(c->guard.tally);
	c->guard.tally = NULL;
	memset(&c->now.seen, 0, sizeof(c->now.seen));
	memset(&c->guard.census, 0, sizeof(c->guard.census));
}

int capture_guard_begin(struct capture *c, struct err *err)
{
	struct figures former;
	struct guard counted;

	if (c->guard
		.tally) { /* begun once more: what was counted has been remembered, in part, and will not be seen
			   again */
		tally_so_far(c->guard.tally, 0, &counted);
		guard_add(&c->guard.carried, &counted);
	} else {
		memset(&c->guard.carried, 0, sizeof(c->guard.carried));
		if (read_figures(c, &former) && !was_reported(c, former.generation))
			guard_add(&c->guard.carried, &former.guard);
		if (tally_new(&c->guard.tally, err))
			return -1;
	}
	tally_begin(c->guard.tally);
	memset(&c->guard.noted, 0, sizeof(c->guard.noted));
	memset(&c->guard.census, 0, sizeof(c->guard.census));
	c->guard.comparing = c->memory.cache && file_cache_is_there(c->memory.cache);
	extset_close(c->guard.extensions);
	c->guard.extensions = NULL;
	return c->memory.cache_fd < 0 ? 0
				      : extset_open(c->memory.cache_fd, c->set.policy->name,
					    c->cfg.generation, c->guard.comparing, &c->guard.extensions, err);
}

void capture_guard_look(struct capture *c, const struct queue_event *e)
{
	bool data =
	    (e->kind == QUEUE_SMALL_FILE || e->kind == QUEUE_SMALL_DATA || e->kind == QUEUE_CHUNK) && e->n;

	if (e->kind == QUEUE_RESTART)
		c->now.seen.kind = KIND_UNKNOWN;
	/* all of it so far is zero: what comes decides */
	if (c->now.seen.kind == KIND_ZERO && data && !kind_is_zero(queue_content(c->queue), e->n))
		c->now.seen.kind = KIND_PLAIN;
	if (c->now.seen.kind != KIND_UNKNOWN)
		return;
	if (e->kind == QUEUE_HOLE || (data && kind_is_zero(queue_content(c->queue), e->n)))
		c->now.seen.kind = KIND_ZERO;
	else if (data)
		c->now.seen.kind = kind_of(queue_content(c->queue), e->n);
}

/* Is the content of the current entry, whose size and mtime are those of before, another?  What was stored once more is not. */
static bool holds_another(const struct capture *c)
{
	const struct seen *s = &c->now.seen;

	return s->read && s->was_there &&
	       (s->was_sha256.has != c->now.sha256.has ||
		   (c->now.sha256.has && memcmp(s->was_sha256.of, c->now.sha256.of, DIGEST_LEN) != 0));
}

void capture_guard_count(struct capture *c, uint8_t kind)
{
	guard_count(&c->guard.census, kind);
}

int capture_guard_file(struct capture *c, const char *path, struct err *err)
{
	struct seen *s = &c->now.seen;
	const struct stat *st = s->opened.st_mode ? &s->opened : &s->st;
	struct tally_file was = {s->was.ino, s->was.size, s->was.mtime_ns, s->was.kind};
	struct tally_file now = {st->st_ino, (uint64_t)st->st_size,
	    (int64_t)((uint64_t)st->st_mtim.tv_sec * SECOND_NS + (uint64_t)st->st_mtim.tv_nsec), 0};
	bool strange;

	if (s->flags & CATALOG_UNREADABLE) /* nothing is known of it now; what was known stays */
		s->kind = s->known ? s->was.kind : KIND_UNKNOWN;
	else if (s->kind == KIND_UNKNOWN && s->extents && !st->st_size)
		s->kind = KIND_PLAIN;
	now.kind = s->kind;
	capture_guard_count(c, s->kind);
	if (s->known) {
		if (!(s->flags & CATALOG_UNREADABLE))
			tally_kept(c->guard.tally, &was, &now, holds_another(c));
		return 0;
	}
	strange = c->guard.extensions && extset_see(c->guard.extensions, path);
	return c->guard.comparing ? tally_fresh(c->guard.tally, path, &now, strange, err) : 0;
}

int capture_guard_gone(
    struct capture *c, const char *path, const struct file_changes_was *was, struct err *err)
{
	struct tally_file f = {was->ino, was->size, was->mtime_ns, was->kind};

	return tally_gone(c->guard.tally, path, &f, err);
}

void capture_guard_note(struct capture *c)
{
	struct guard g;

	if (!c->guard.tally || !c->guard.comparing)
		return;
	tally_so_far(c->guard.tally, 0, &g);
	guard_add(&g, &c->guard.carried);
	if (!guard_is_quiet(&g) && memcmp(&g, &c->guard.noted, sizeof(g)) != 0)
		write_figures(c, &g, 0, 0, false);
}

void capture_guard_end(struct capture *c)
{
	struct guard *g = &c->set.result->guard;

	memset(g, 0, sizeof(*g));
	if (c->guard.comparing) {
		tally_end(c->guard.tally, c->set.result->files, g);
		guard_add(g, &c->guard.carried);
		if (!guard_is_quiet(g))
			write_figures(c, g, 0, 0, true);
	}
	g->census = c->guard.census;
	if (c->guard.extensions)
		(void)!extset_save(c->guard.extensions, NULL);
}

/* ---- streams ---- */

void capture_guard_tar(struct capture *c)
{
	memset(&c->set.result->guard, 0, sizeof(c->set.result->guard));
	c->set.result->guard.census = c->guard.census;
}

void capture_guard_stream(struct capture *c)
{
	struct guard *g = &c->set.result->guard;
	struct figures former;
	uint64_t bytes = c->set.result->bytes;

	memset(g, 0, sizeof(*g));
	g->stream = true;
	capture_guard_count(c, c->now.seen.kind);
	g->census = c->guard.census;
	if (capture_open_folder(c, NULL))
		return;
	if (read_figures(c, &former) && former.kind) {
		uint8_t was = (uint8_t)former.kind;

		g->measured = true;
		g->before = former.bytes;
		g->changed = bytes > former.bytes ? bytes - former.bytes : former.bytes - bytes;
		g->lost = kind_lost(was, c->now.seen.kind);
		g->dense = kind_thickened(was, c->now.seen.kind);
		if (!was_reported(c, former.generation)) {
			g->lost |= former.guard.lost;
			g->dense |= former.guard.dense;
		}
	}
	write_figures(c, g, bytes, c->now.seen.kind, true);
}
