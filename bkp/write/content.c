/* content: see content.h. */
#include "write/content.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/extent.h"
#include "write/chunker.h"
#include "write/holes.h"

#define WINDOW	 ((size_t)2 * CHUNKER_MAX)
#define RUNS_MAX ((size_t)EXTENT_INDIRECT_MAX)

struct content {
	struct pack *pack;
	const struct chunker *chunker;
	uint8_t *window;
	struct buf runs;
};

/* Where the cutter's bytes come from: at most `left` of them. */
struct source {
	content_read_fn *read;
	void *arg;
	uint64_t left;
	uint64_t got; /* bytes delivered */
	int errnum;   /* why reading failed */
};

int content_new(struct pack *pack, const struct chunker *chunker, struct content **ret, struct err *err)
{
	struct content *c = calloc(1, sizeof(*c));

	if (!c || !(c->window = malloc(WINDOW))) {
		free(c);
		return err_nomem(err);
	}
	c->pack = pack;
	c->chunker = chunker;
	buf_init(&c->runs, RUNS_MAX);
	*ret = c;
	return 0;
}

void content_free(struct content *c)
{
	if (!c)
		return;
	free(c->window);
	buf_free(&c->runs);
	free(c);
}

static int add_place(struct content *c, struct extent_writer *w, const struct dedup_place *pl, struct err *err)
{
	struct extent_run run = {EXTENT_DATA, pl->archive, pl->chunk, pl->offset, pl->length};

	return extent_add(w, &run, pl->whole, &c->runs, err);
}

/* Reads until the window holds WINDOW bytes or the source ends.  0, CONTENT_UNREADABLE. */
static int fill(struct content *c, struct source *src, size_t *n)
{
	while (*n < WINDOW && src->left) {
		size_t want = WINDOW - *n < src->left ? WINDOW - *n : (size_t)src->left;
		ssize_t r = src->read(src->arg, c->window + *n, want);

		if (r < 0) {
			src->errnum = errno;
			return CONTENT_UNREADABLE;
		}
		if (r == 0)
			src->left = 0;
		else
			src->left -= (uint64_t)r;
		src->got += (uint64_t)r;
		*n += (size_t)r;
	}
	return 0;
}

/* Cuts all that the source gives into chunks of one stream. */
static int cut(struct content *c, struct source *src, enum pack_stream stream, struct extent_writer *w, struct err *err)
{
	size_t n = 0, start = 0;

	for (;;) {
		struct dedup_place place;
		size_t len;

		if (n - start < CHUNKER_MAX && src->left) {
			memmove(c->window, c->window + start, n - start);
			n -= start;
			start = 0;
			if (fill(c, src, &n))
				return CONTENT_UNREADABLE;
		}
		if (n == start)
			return 0;
		len = chunker_cut(c->chunker, c->window + start, n - start);
		if (pack_chunk(c->pack, stream, c->window + start, len, &place, err) || add_place(c, w, &place, err))
			return -1;
		start += len;
	}
}

static ssize_t read_fd(void *arg, void *p, size_t n)
{
	return io_read_full(*(int *)arg, p, n);
}

struct text_source {
	const uint8_t *p;
	size_t n;
};

static ssize_t read_text(void *arg, void *p, size_t n)
{
	struct text_source *t = arg;

	n = n < t->n ? n : t->n;
	if (!n)
		return 0; /* an empty text may be NULL */
	memcpy(p, t->p, n);
	t->p += n;
	t->n -= n;
	return (ssize_t)n;
}

/* The runs are too long to stand in the entry: they become text behind '@' runs. */
static int store_runs(struct content *c, struct err *err)
{
	BUF_AUTO text = c->runs; /* takes the bytes over */
	struct text_source t = {text.p + 1, text.n - 1}; /* without the leading space */
	struct source src = {read_text, &t, UINT64_MAX, 0, 0};
	struct extent_writer w;
	BUF_AUTO direct = BUF_INIT(RUNS_MAX);
	size_t i;

	buf_init(&c->runs, RUNS_MAX);
	extent_begin(&w);
	if (cut(c, &src, PACK_CATALOG, &w, err) || extent_end(&w, &c->runs, err))
		return -1;
	if (buf_append(&direct, c->runs.p, c->runs.n, err))
		return -1;
	c->runs.n = 0;
	for (i = 0; i < direct.n; i++)
		if (buf_append(&c->runs, direct.p + i, 1, err) || (direct.p[i] == ' ' && buf_puts(&c->runs, "@", err)))
			return -1;
	return 0;
}

static int finish(struct content *c, struct extent_writer *w, struct buf *extents, struct err *err)
{
	if (extent_end(w, &c->runs, err))
		return -1;
	if (c->runs.n > EXTENT_INLINE_MAX && store_runs(c, err))
		return -1;
	extents->n = 0;
	return buf_printf(extents, err, "%" PRIu64, w->size) || buf_append(extents, c->runs.p, c->runs.n, err) ? -1 : 0;
}

static int add_hole(struct content *c, struct extent_writer *w, uint64_t len, struct err *err)
{
	struct extent_run run = {EXTENT_HOLE, 0, 0, 0, len};

	return len ? extent_add(w, &run, false, &c->runs, err) : 0;
}

/* A small file's whole content is one slice of a bundle.  1: it was shorter than its size. */
static int small_file(struct content *c, struct source *src, uint64_t size, struct extent_writer *w, struct err *err)
{
	struct dedup_place place;
	size_t n = 0;

	if (fill(c, src, &n))
		return CONTENT_UNREADABLE;
	if (n && (pack_small(c->pack, c->window, n, &place, err) || add_place(c, w, &place, err)))
		return -1;
	return n == size ? 0 : CONTENT_CHANGED;
}

/* One part of a file that holds data. 0, CONTENT_CHANGED when it ended early, CONTENT_UNREADABLE, -1. */
static int read_part(struct content *c, int fd, const struct holes_part *part, uint64_t size, struct extent_writer *w,
    int *ret_errno, struct err *err)
{
	struct source src = {read_fd, &fd, part->length, 0, 0};
	int r;

	if (lseek(fd, (off_t)part->offset, SEEK_SET) < 0) {
		*ret_errno = errno;
		return CONTENT_UNREADABLE;
	}
	if (part->length == size && size <= PACK_SMALL_MAX)
		r = small_file(c, &src, size, w, err);
	else
		r = cut(c, &src, PACK_BULK, w, err);
	*ret_errno = src.errnum;
	if (!r && src.got != part->length)
		r = CONTENT_CHANGED;
	return r;
}

/* Reads the file once. Returns as read_part(). */
static int read_once(struct content *c, int fd, const struct stat *st, struct buf *extents, int *ret_errno, struct err *err)
{
	uint64_t size = (uint64_t)st->st_size;
	struct holes_part part = {HOLES_DATA, 0, size};
	struct extent_writer w;
	struct holes h;
	int r = 0;

	c->runs.n = 0;
	extent_begin(&w);
	if ((uint64_t)st->st_blocks * 512 >= size) {
		/* no holes: spares two system calls a file */
		if (size)
			r = read_part(c, fd, &part, size, &w, ret_errno, err);
	} else {
		holes_begin(&h, fd, size);
		while (!r) {
			int more = holes_next(&h, &part, NULL);

			if (more == HOLES_END)
				break;
			if (more < 0) {
				*ret_errno = errno;
				return CONTENT_UNREADABLE;
			}
			r = part.kind == HOLES_HOLE ? add_hole(c, &w, part.length, err)
						    : read_part(c, fd, &part, size, &w, ret_errno, err);
		}
	}
	if (r < 0 || r == CONTENT_UNREADABLE)
		return r;
	return finish(c, &w, extents, err) ? -1 : r;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int content_file(struct content *c, int fd, struct stat *st, struct buf *extents, int *ret_errno, struct err *err)
{
	int attempt, r = 0;

	for (attempt = 0; attempt < 2; attempt++) {
		struct stat after;

		r = read_once(c, fd, st, extents, ret_errno, err);
		if (r < 0 || r == CONTENT_UNREADABLE)
			return r;
		if (fstat(fd, &after)) {
			*ret_errno = errno;
			return CONTENT_UNREADABLE;
		}
		if (!r && same(st, &after))
			return 0;
		if (attempt == 0)
			*st = after;
	}
	return CONTENT_CHANGED;
}

int content_stream(struct content *c, content_read_fn *read, void *arg, struct buf *extents, uint64_t *ret_size,
    int *ret_errno, struct err *err)
{
	struct source src = {read, arg, UINT64_MAX, 0, 0};
	struct extent_writer w;
	int r;

	c->runs.n = 0;
	extent_begin(&w);
	r = cut(c, &src, PACK_BULK, &w, err);
	*ret_errno = src.errnum;
	if (r)
		return r;
	*ret_size = w.size;
	return finish(c, &w, extents, err);
}

int content_text(struct content *c, const void *p, size_t n, struct buf *extents, struct err *err)
{
	struct text_source t = {p, n};
	struct source src = {read_text, &t, UINT64_MAX, 0, 0};
	struct extent_writer w;

	c->runs.n = 0;
	extent_begin(&w);
	if (cut(c, &src, PACK_CATALOG, &w, err))
		return -1;
	return finish(c, &w, extents, err);
}
