/* content: see content.h.
 *
 * Each event becomes a place (pack.h) and the place a run of extents; runs that go on where the last one ended are
 * joined (extent_add()).  `runs` is their text.  When it is longer than EXTENT_INLINE_MAX it is stored as content of
 * the catalog stream, and the entry has only the places of that text, each with "@" in front (store_runs()).
 *
 * SHA-256 of the whole: of a small file it came with the event, computed by the queue's helpers; else it is
 * computed here, holes as zeros up to EXTENT_HOLES_MAX bytes. */
#include "write/capture/content.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/medium/chunker.h"
#include "format/medium/extent.h"
#include "write/liveness/liveness.h"
#include "write/source/queue.h"

#define RUNS_MAX ((size_t)EXTENT_INDIRECT_MAX)

struct content {
	struct pack *pack;
	const struct chunker *chunker;
	struct extent_writer writer; /* of the current file */
	struct buf runs;
	struct digest *sha; /* of its bytes so far, unless it is one small file, whose SHA-256 came with it */
	bool small;
	uint8_t small_sha256[DIGEST_LEN];
	uint64_t holes;
};

int content_new(struct pack *pack, const struct chunker *chunker, struct content **ret, struct err *err)
{
	struct content *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	c->pack = pack;
	c->chunker = chunker;
	buf_init(&c->runs, RUNS_MAX);
	c->sha = digest_new();
	if (!c->sha) {
		content_free(c);
		return err_nomem(err);
	}
	*ret = c;
	return 0;
}

void content_free(struct content *c)
{
	if (!c)
		return;
	buf_free(&c->runs);
	digest_free(c->sha);
	free(c);
}

void content_begin(struct content *c)
{
	c->runs.n = 0;
	extent_begin(&c->writer);
	digest_reset(c->sha);
	c->small = false;
	c->holes = 0;
}

/* The place is what the index says; the id is of the bytes that were read. */
static int add_place(struct content *c, struct extent_writer *w, const struct dedup_place *pl,
    const uint8_t id[DIGEST_LEN], struct err *err)
{
	struct extent_run run = {EXTENT_DATA, pl->archive, pl->chunk, pl->offset, pl->length, {0}};

	memcpy(run.digest, id, DIGEST_LEN);

	return extent_add(w, &run, pl->whole, &c->runs, err);
}

static int add_hole(struct content *c, uint64_t len, struct err *err)
{
	static const uint8_t zeros[4096];
	struct extent_run run = {.kind = EXTENT_HOLE, .length = len};

	c->holes = len > EXTENT_HOLES_MAX - c->holes ? EXTENT_HOLES_MAX + 1 : c->holes + len;
	for (uint64_t left = len; left && c->holes <= EXTENT_HOLES_MAX;) {
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		digest_update(c->sha, zeros, n);
		left -= n;
	}
	return len ? extent_add(&c->writer, &run, false, &c->runs, err) : 0;
}

int content_take(struct content *c, struct queue *f, const struct queue_event *e, struct err *err)
{
	struct dedup_place place;

	switch (e->kind) {
	case QUEUE_SMALL_FILE:
		c->small = true;
		memcpy(c->small_sha256, e->sha256, DIGEST_LEN);
		/* fall through */
	case QUEUE_SMALL_DATA:
		if (!c->small)
			digest_update(c->sha, queue_content(f), e->n);
		if (pack_small_id(c->pack, e->id, queue_content(f), e->n, &place, err))
			return -1;
		return add_place(c, &c->writer, &place, e->id, err);
	case QUEUE_CHUNK:
		digest_update(c->sha, queue_content(f), e->n);
		if (pack_chunk_give(c->pack, PACK_BULK, e->id, queue_chunk_buf(f), &place, err))
			return -1;
		return add_place(c, &c->writer, &place, e->id, err);
	case QUEUE_HOLE:
		return add_hole(c, e->length, err);
	default:
		content_begin(c);
		return 0;
	}
}

/* Cuts a text into chunks of the catalog stream. */
static int cut_text(struct content *c, const uint8_t *p, size_t n, struct extent_writer *w, struct err *err)
{
	while (n) {
		struct dedup_place place;
		uint8_t id[DIGEST_LEN];
		size_t len = chunker_cut(c->chunker, p, n);

		if (pack_chunk(c->pack, PACK_CATALOG, p, len, id, &place, err) ||
		    add_place(c, w, &place, id, err))
			return -1;
		p += len;
		n -= len;
	}
	return 0;
}

/* The runs are too long to stand in the entry: they become text after '@' runs. */
static int store_runs(struct content *c, struct err *err)
{
	BUF_AUTO text = c->runs; /* takes the bytes over */
	BUF_AUTO direct = BUF_INIT(RUNS_MAX);
	struct extent_writer w;
	size_t i;

	buf_init(&c->runs, RUNS_MAX);
	extent_begin(&w);
	/* without the leading space */
	if (cut_text(c, text.p + 1, text.n - 1, &w, err) || extent_end(&w, &c->runs, err) ||
	    buf_append(&direct, c->runs.p, c->runs.n, err))
		return -1;
	c->runs.n = 0;
	for (i = 0; i < direct.n; i++)
		if (buf_append(&c->runs, direct.p + i, 1, err) ||
		    (direct.p[i] == ' ' && buf_puts(&c->runs, "@", err)))
			return -1;
	liveness_list(pack_liveness(c->pack), c->runs.p, c->runs.n, text.p, text.n);
	return 0;
}

static int finish_extents(struct content *c, struct extent_writer *w, struct buf *extents, struct err *err)
{
	if (extent_end(w, &c->runs, err))
		return -1;
	if (c->runs.n > EXTENT_INLINE_MAX && store_runs(c, err))
		return -1;
	extents->n = 0;
	return buf_printf(extents, err, "%" PRIu64, w->size) || buf_append(extents, c->runs.p, c->runs.n, err)
		   ? -1
		   : 0;
}

int content_end(struct content *c, struct buf *extents, uint64_t *ret_size, struct content_sha256 *ret_sha256,
    struct err *err)
{
	uint64_t size = c->writer.size;

	if (finish_extents(c, &c->writer, extents, err))
		return -1;
	if (ret_size)
		*ret_size = size;
	ret_sha256->has = c->holes <= EXTENT_HOLES_MAX;
	if (c->small)
		memcpy(ret_sha256->of, c->small_sha256, DIGEST_LEN);
	else
		digest_final(c->sha, ret_sha256->of);
	return 0;
}

int content_text(struct content *c, const void *p, size_t n, struct buf *extents, struct err *err)
{
	struct extent_writer w;

	c->runs.n = 0;
	extent_begin(&w);
	return cut_text(c, p, n, &w, err) || finish_extents(c, &w, extents, err) ? -1 : 0;
}
