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
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "format/guard/kind.h"
#include "format/guard/strata.h"
#include "format/dump/rows.h"
#include "format/medium/catalog.h"
#include "format/policy/policy.h"
#include "write/capture/capture_private.h"
#include "write/capture/tally.h"
#include "write/index/extset.h"
#include "write/index/file_cache.h"
#include "write/source/queue.h"

#define ALIEN_BYTES_LEAST 5 /* files */
#define NAME_BYTES	  160
#define FILE_BYTES	  ((size_t)4 << 10)
#define STRATA_BYTES	  ((size_t)1 << 20)

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

/* false: there are none.  The file: "bkp-figures 2 <generation> <bytes> <kind>", then "<name> <figure>" a line. */
static bool read_figures(const struct capture *c, struct figures *ret)
{
	BUF_AUTO b = BUF_INIT(FILE_BYTES);
	struct figures f = {0};
	char name[NAME_BYTES], figure[32], *save = NULL, *line;
	uint64_t v;

	name_of(c, name);
	if (c->memory.cache_fd < 0 || io_read_file(c->memory.cache_fd, name, &b, NULL) ||
	    buf_terminate(&b, NULL))
		return false;
	line = strtok_r((char *)b.p, "\n", &save);
	if (!line ||
	    sscanf(line, "bkp-figures 2 %" SCNu64 " %" SCNu64 " %u", &f.generation, &f.bytes, &f.kind) != 3)
		return false;
	while ((line = strtok_r(NULL, "\n", &save)))
		for (size_t i = 0; sscanf(line, "%31s %" SCNu64, figure, &v) == 2 && i < GUARD_FIGURES; i++)
			if (!strcmp(figure, guard_figures[i].name))
				guard_set_figure(&f.guard, &guard_figures[i], v);
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
	if (c->memory.cache_fd < 0 || buf_printf(&b, NULL, "bkp-figures 2 %" PRIu64 " %" PRIu64 " %u\n",
					  c->cfg.generation, bytes, kind))
		return;
	for (size_t i = 0; i < GUARD_FIGURES; i++) {
		uint64_t v = guard_figure(g, &guard_figures[i]);

		if (v && buf_printf(&b, NULL, "%s %" PRIu64 "\n", guard_figures[i].name, v))
			return;
	}
	fd = openat(c->memory.cache_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n && !ftruncate(fd, (off_t)b.n) && last)
		(void)!fsync(fd);
	c->guard.noted = *g;
}

/* Where windows are looked at: known to nobody who makes files. */
static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)getpid(); /* only the places are easier to guess */
	return seed;
}

static bool was_reported(const struct capture *c, uint64_t generation)
{
	return !c->cfg.reported || c->cfg.reported(c->cfg.reported_arg, generation, c->set.policy->name);
}

/* ---- folders ---- */

static void strata_name(const struct capture *c, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%s.strata", c->set.policy->name);
}

static int open_strata(struct capture *c, struct err *err)
{
	BUF_AUTO b = BUF_INIT(STRATA_BYTES);
	const struct policy_dataset *d = c->set.policy;
	char name[NAME_BYTES];

	if (strata_new(d->paths, d->n_paths, c->cfg.now_ns, &c->guard.strata, err))
		return -1;
	strata_name(c, name);
	if (c->memory.cache_fd >= 0 && !io_read_file(c->memory.cache_fd, name, &b, NULL) &&
	    !buf_terminate(&b, NULL))
		strata_load(c->guard.strata, (char *)b.p);
	return 0;
}

/* Advisory, like the cache beside it: what is lost is learned again. */
static void save_strata(struct capture *c)
{
	BUF_AUTO b = BUF_INIT(STRATA_BYTES);
	char name[NAME_BYTES];
	IO_FD_AUTO fd = -1;

	strata_name(c, name);
	if (c->memory.cache_fd < 0 || strata_save(c->guard.strata, c->cfg.generation, &b, NULL))
		return;
	fd = openat(c->memory.cache_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n)
		(void)!ftruncate(fd, (off_t)b.n);
}

/* ---- files ---- */

void capture_guard_reset(struct capture *c)
{
	tally_free(c->guard.tally);
	c->guard.tally = NULL;
	strata_free(c->guard.strata);
	c->guard.strata = NULL;
	c->guard.comparing = false;
	rows_free(c->guard.rows);
	c->guard.rows = NULL;
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
		if (tally_new(&c->guard.tally, err) || open_strata(c, err))
			return -1;
	}
	tally_begin(c->guard.tally);
	strata_begin(c->guard.strata);
	signs_begin(&c->guard.signs);
	examples_begin(&c->guard.examples);
	c->guard.seed = random_seed();
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
	struct seen *s = &c->now.seen;
	struct profile_reader *r = &c->guard.reader;

	if (!s->looked || e->kind == QUEUE_RESTART)
		profile_begin(r, c->guard.seed, c->guard.comparing);
	s->looked = true;
	switch (e->kind) {
	case QUEUE_SMALL_FILE:
	case QUEUE_SMALL_DATA:
	case QUEUE_CHUNK:
		profile_feed(r, queue_content(c->queue), e->n);
		return;
	case QUEUE_HOLE:
		profile_hole(r, e->length);
		return;
	case QUEUE_DONE:
		profile_end(r, &s->profile);
		return;
	default:
		return;
	}
}

/* Is the content of the current entry another than it was? */
static enum tally_content compare_content(const struct capture *c)
{
	const struct seen *s = &c->now.seen;

	if (!s->read || !s->was_there || !s->was_sha256.has || !c->now.sha256.has)
		return s->read && s->was_there ? TALLY_ANOTHER : TALLY_UNKNOWN;
	return memcmp(s->was_sha256.of, c->now.sha256.of, DIGEST_LEN) != 0 ? TALLY_ANOTHER : TALLY_SAME;
}

void capture_guard_count(struct capture *c, const struct profile *p)
{
	guard_count(&c->guard.census, p);
}

void capture_guard_former(struct capture *c, const char *path, int64_t mtime_ns, const struct profile *p)
{
	capture_guard_count(c, p);
	signs_seen(&c->guard.signs, path, p);
	strata_seen(c->guard.strata, path, mtime_ns);
}

static void take_kept(
    struct capture *c, const char *path, const struct tally_file *was, const struct tally_file *now)
{
	struct tally_kept k = tally_kept(c->guard.tally, path, was, now, compare_content(c));

	if (k.harm & PROFILE_SEALED)
		examples_add(&c->guard.examples, EXAMPLE_SEALED, path);
	else if (k.harm)
		examples_add(&c->guard.examples, EXAMPLE_HARMED, path);
	else if (k.changed && profile_soundness(&now->profile) != INSIDE_PROVEN) {
		strata_rewritten(c->guard.strata, strata_of(c->guard.strata, path));
		examples_add(&c->guard.examples, EXAMPLE_REWRITTEN, path);
	}
}

/* Worth showing, should there be too many of them. */
static bool looks_alien(const struct profile *p)
{
	enum profile_sign sign = profile_sign(p);

	return sign == SIGN_OPAQUE || (sign >= SIGN_ZERO && sign < SIGNS);
}

static int take_fresh(struct capture *c, const char *path, const struct tally_file *now, struct err *err)
{
	bool strange = c->guard.extensions && extset_see(c->guard.extensions, path);

	if (!c->guard.comparing)
		return 0;
	signs_new(&c->guard.signs, path, &now->profile, now->size);
	if (looks_alien(&now->profile))
		examples_add(&c->guard.examples, EXAMPLE_ALIEN, path);
	return tally_fresh(c->guard.tally, path, now, strange, err);
}

int capture_guard_file(struct capture *c, const char *path, struct err *err)
{
	struct seen *s = &c->now.seen;
	const struct stat *st = s->opened.st_mode ? &s->opened : &s->st;
	struct tally_file was = {s->was.ino, s->was.size, s->was.mtime_ns, s->was.profile};
	struct tally_file now = {st->st_ino, (uint64_t)st->st_size,
	    (int64_t)((uint64_t)st->st_mtim.tv_sec * SECOND_NS + (uint64_t)st->st_mtim.tv_nsec),
	    {KIND_UNKNOWN, 0}};

	if (s->flags & CATALOG_UNREADABLE) /* nothing is known of it now; what was known stays */
		s->profile = s->known ? s->was.profile : now.profile;
	else if (s->profile.kind == KIND_UNKNOWN && s->extents && !st->st_size)
		s->profile.kind = KIND_PLAIN;
	else if (s->known && compare_content(c) == TALLY_SAME && s->was.profile.kind != KIND_UNKNOWN)
		s->profile =
		    s->was.profile; /* other windows of the same content may look a little different */
	now.profile = s->profile;
	capture_guard_count(c, &s->profile);
	strata_seen(c->guard.strata, path, now.mtime_ns);
	if (!s->known)
		return take_fresh(c, path, &now, err);
	signs_seen(&c->guard.signs, path, &was.profile);
	if (!(s->flags & CATALOG_UNREADABLE))
		take_kept(c, path, &was, &now);
	return 0;
}

int capture_guard_gone(
    struct capture *c, const char *path, const struct file_changes_was *was, struct err *err)
{
	struct tally_file f = {was->ino, was->size, was->mtime_ns, was->profile};

	signs_seen(&c->guard.signs, path, &was->profile);
	examples_add(&c->guard.examples, EXAMPLE_DELETED, path);
	return tally_gone(c->guard.tally, path, &f, strata_of(c->guard.strata, path), err);
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

/* New files that are not what their extension holds: harm as well, unless they are counted as what replaced others.  One that is large
 * is no harm by its bytes alone: the first of its kind is ordinary. */
static void take_alien(struct capture *c, struct guard *g)
{
	uint64_t bytes, dense = g->dense < g->deleted ? g->dense : g->deleted;

	g->alien = signs_alien(&c->guard.signs, &bytes);
	if (g->alien > dense) {
		g->harmed += g->alien - dense;
		g->harmed_bytes += g->alien >= ALIEN_BYTES_LEAST ? bytes : 0;
	}
}

void capture_guard_end(struct capture *c)
{
	struct guard *g = &c->set.result->guard;
	const uint64_t decided =
	    c->cfg.decided ? c->cfg.decided(c->cfg.reported_arg, c->set.policy->name) : 0;

	memset(g, 0, sizeof(*g));
	if (c->guard.comparing) {
		tally_end(c->guard.tally, c->set.result->files, c->guard.strata, &c->guard.signs, g);
		take_alien(c, g);
		strata_judge(c->guard.strata, decided, g);
		guard_add(g, &c->guard.carried);
		if (!guard_is_quiet(g))
			write_figures(c, g, 0, 0, true);
	}
	g->census = c->guard.census;
	g->bytes = c->set.result->bytes;
	save_strata(c);
	(void)!examples_save(&c->guard.examples, c->scratch_fd, c->set.policy->name, NULL);
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
	capture_guard_count(c, &c->now.seen.profile);
	g->census = c->guard.census;
	if (capture_open_folder(c, NULL))
		return;
	if (read_figures(c, &former) && former.kind) {
		const struct profile was = {(uint8_t)former.kind, (uint16_t)(former.kind >> 8)};
		const unsigned harm = profile_harm(&was, &c->now.seen.profile, false);

		g->measured = true;
		g->before = former.bytes;
		g->changed = bytes > former.bytes ? bytes - former.bytes : former.bytes - bytes;
		g->lost = (harm & PROFILE_LOST) != 0;
		g->dense = (harm & PROFILE_DENSE) != 0;
		g->broken = (harm & PROFILE_SPOILT) != 0;
		g->sealed = (harm & PROFILE_SEALED) != 0;
		if (!was_reported(c, former.generation)) {
			g->lost |= former.guard.lost;
			g->dense |= former.guard.dense;
		}
	}
	write_figures(
	    c, g, bytes, c->now.seen.profile.kind | (unsigned)c->now.seen.profile.inside << 8, true);
}
