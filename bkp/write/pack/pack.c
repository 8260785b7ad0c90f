/* pack: see pack.h.
 *
 * What one chunk goes through: its id is looked up in the archives that are not in the index yet (pending.h:
 * of each stream the open one and the one being sealed), then in the index (dedup.h).  Known: the place that
 * stands there.  New: a place in the stream's open archive is given out at once, before anything is compressed;
 * the bytes go to the sealer.  Numbers of archives and chunks follow the calls, not the threads.
 *
 * An archive's way: open → full (close_archive()) → sealed and published by the sealer's thread → collect_published()
 * takes it from there and adds it to the index with its entries.  The index never names an archive that is not
 * published.  One archive a stream may be between closing and collecting; the next close waits for it, which
 * bounds what is pending.
 *
 * pack_needed() is the list that the generation's documents are made of: a bit for every archive in which a
 * place was given out or named by pack_need().  A data set that fails takes its bits back
 * (pack_abandon_set()); what it stored stays and is found by the next run.
 *
 * All fields belong to the calling thread; the sealer has its own copies. */
#include "write/pack/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/codec.h"
#include "write/index/file_cache.h"
#include "write/pack/pending.h"
#include "write/index/places.h"
#include "write/pack/sealer.h"

_Static_assert(SEALER_STREAMS == PACK_STREAMS, "a stream of the sealer each");

#define BUNDLE_TARGET ((size_t)1 << 20)

/* An archive that is being filled in one stream, and the one before it, which is perhaps still being sealed.
 */
struct stream {
	bool open;
	uint64_t number;
	uint32_t chunks;
	uint64_t raw; /* bytes of content, the measure for the target size: the same whoever compresses */
	struct pending *pending;
	uint64_t closing_number; /* 0: none */
	struct pending *closing;
};

struct pack {
	struct pack_config cfg;
	struct stream streams[PACK_STREAMS];
	struct sealer *sealer;
	struct buf bundle, copy;     /* small files gathered; the bytes of pack_chunk(), to be given away */
	enum codec_kind compression; /* of what is added from now on */
	const char *dataset;	     /* the one that is being packed */
	uint64_t archive_size, first, next, new_bytes, run;
	uint8_t *needed; /* a bit per archive number */
	size_t needed_bits;
	struct file_cache_archive *touched; /* since pack_touch_begin() */
	size_t n_touched, cap_touched;
	struct dedup_archive *published;
	size_t n_published;
};

/* Never 0. */
static uint64_t new_run(const struct age_random *random)
{
	uint64_t run = 0;

	while (!run)
		random->fill(random->arg, &run, sizeof(run));
	return run;
}

int pack_new(const struct pack_config *cfg, struct pack **ret, struct err *err)
{
	struct pack *p = calloc(1, sizeof(*p));
	bool failed = false;

	if (!p)
		return err_nomem(err);
	p->cfg = *cfg;
	p->run = new_run(cfg->random);
	buf_init(&p->bundle, CODEC_RAW_MAX);
	buf_init(&p->copy, CODEC_RAW_MAX);
	for (int i = 0; i < PACK_STREAMS; i++) {
		p->streams[i].pending = pending_new();
		p->streams[i].closing = pending_new();
		failed |= !p->streams[i].pending || !p->streams[i].closing;
	}
	if (failed ? err_nomem(err) : sealer_new(cfg, 0, &p->sealer, err)) {
		pack_free(p);
		return -1;
	}
	*ret = p;
	return 0;
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	sealer_free(p->sealer);
	for (int i = 0; i < PACK_STREAMS; i++) {
		pending_free(p->streams[i].pending);
		pending_free(p->streams[i].closing);
	}
	buf_free(&p->bundle);
	buf_free(&p->copy);
	free(p->needed);
	free(p->touched);
	free(p->published);
	free(p);
}

static int remember_published(struct pack *p, const struct dedup_archive *a, struct err *err)
{
	struct dedup_archive *more = reallocarray(p->published, p->n_published + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	p->published = more;
	more[p->n_published++] = *a;
	return 0;
}

/* Archives that were published meanwhile enter the index. */
static int collect_published(struct pack *p, bool wait, struct err *err)
{
	struct dedup_archive a;
	int r;

	while ((r = sealer_published(p->sealer, wait, &a, err)) == 1) {
		struct stream *s = p->streams;
		const struct dedup_entry *entries;
		size_t n;

		while (s->closing_number != a.number)
			s++; /* each archive was closed by one of them */
		a.run = p->run;
		a.generation = p->cfg.generation;
		entries = pending_entries(s->closing, &n);
		places_keep(p->cfg.cachefd, p->dataset, &a, entries, n);
		if (dedup_add(p->cfg.dedup, &a, entries, n, err) || remember_published(p, &a, err))
			return -1;
		pending_clear(s->closing);
		s->closing_number = 0;
	}
	return r;
}

static int open_archive(struct pack *p, enum pack_stream which, struct err *err)
{
	struct stream *s = &p->streams[which];

	s->number = p->next++;
	s->chunks = 0;
	s->raw = 0;
	s->open = true;
	return sealer_open(p->sealer, which, p->dataset, s->number, err);
}

static int close_archive(struct pack *p, enum pack_stream which, struct err *err)
{
	struct stream *s = &p->streams[which];
	struct pending *empty = s->closing;

	/* one archive a stream is on its way at most: that bounds what is pending */
	if (collect_published(p, s->closing_number != 0, err) || sealer_close(p->sealer, which, err))
		return -1;
	s->open = false;
	s->closing_number = s->number;
	s->closing = s->pending;
	s->pending = empty;
	return 0;
}

static int touch_archive(struct pack *p, uint64_t number, struct err *err)
{
	struct file_cache_archive *more;

	if (p->n_touched && p->touched[p->n_touched - 1].number == number)
		return 0;
	if (p->n_touched == p->cap_touched) {
		size_t cap = p->cap_touched ? 2 * p->cap_touched : 64;

		more = reallocarray(p->touched, cap, sizeof(*more));
		if (!more)
			return err_nomem(err);
		p->touched = more;
		p->cap_touched = cap;
	}
	p->touched[p->n_touched++] = (struct file_cache_archive){number, 0};
	return 0;
}

void pack_touch_begin(struct pack *p)
{
	p->n_touched = 0;
}

static int by_number(const void *a, const void *b)
{
	const struct file_cache_archive *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

const struct file_cache_archive *pack_touched(struct pack *p, size_t *ret_n)
{
	size_t n = 0;

	if (p->n_touched > 1)
		qsort(p->touched, p->n_touched, sizeof(*p->touched), by_number);
	for (size_t i = 0; i < p->n_touched; i++)
		if (!n || p->touched[n - 1].number != p->touched[i].number)
			p->touched[n++] = (struct file_cache_archive){
			    p->touched[i].number, pack_run_of(p, p->touched[i].number)};
	p->n_touched = n;
	*ret_n = n;
	return p->touched;
}

int pack_need(struct pack *p, uint64_t number, struct err *err)
{
	if (number >= p->needed_bits) {
		size_t bits = (size_t)(number | 65535) + 1;
		uint8_t *more = realloc(p->needed, bits / 8);

		if (!more)
			return err_nomem(err);
		memset(more + p->needed_bits / 8, 0, (bits - p->needed_bits) / 8);
		p->needed = more;
		p->needed_bits = bits;
	}
	p->needed[number / 8] |= (uint8_t)(1u << (number % 8));
	return touch_archive(p, number, err);
}

/* One chunk into the open archive, which is closed when it is full. */
static int append_chunk(
    struct pack *p, enum pack_stream which, const uint8_t *id, struct buf *raw, struct err *err)
{
	struct stream *s = &p->streams[which];
	size_t n = raw->n;

	if (sealer_give(p->sealer, which, id, p->compression, raw, err))
		return -1;
	s->chunks++;
	s->raw += n;
	if (s->raw < p->archive_size && s->chunks < PENDING_MAX && !pending_full(s->pending))
		return 0;
	return close_archive(p, which, err);
}

/* 1: known, *ret is its place; 0: not known; -1. */
static int find_place(
    struct pack *p, const uint8_t id[DIGEST_LEN], size_t n, struct dedup_place *ret, struct err *err)
{
	int i, r;

	for (i = 0; i < PACK_STREAMS; i++)
		if (pending_find(p->streams[i].pending, id, ret) ||
		    pending_find(p->streams[i].closing, id, ret))
			break;
	if (i == PACK_STREAMS) {
		r = dedup_lookup(p->cfg.dedup, id, ret, err);
		if (r != 1)
			return r;
	}
	if (ret->length != n)
		return 0;
	return pack_need(p, ret->archive, err) ? -1 : 1;
}

int pack_chunk(struct pack *p, enum pack_stream which, const void *raw, size_t n, uint8_t ret_id[DIGEST_LEN],
    struct dedup_place *ret, struct err *err)
{
	hmac_of(p->cfg.ids, raw, n, ret_id);
	p->copy.n = 0;
	if (buf_append(&p->copy, raw, n, err))
		return -1;
	return pack_chunk_give(p, which, ret_id, &p->copy, ret, err);
}

static int flush_bundle(struct pack *p, struct err *err)
{
	/* nobody asks for a bundle by its id: its slices have theirs */
	if (!p->bundle.n)
		return 0;
	if (append_chunk(p, PACK_BUNDLE, NULL, &p->bundle, err))
		return -1;
	p->bundle.n = 0;
	return 0;
}

/* Content that is not stored yet becomes a slice of the open bundle. */
static int add_slice(struct pack *p, const uint8_t id[DIGEST_LEN], const void *raw, size_t n,
    struct dedup_place *ret, struct err *err)
{
	struct stream *s = &p->streams[PACK_BUNDLE];

	/* a slice's place is given out before its bundle is written: the bundle's number is fixed because
	 * nothing else goes into this stream before it */
	if ((p->bundle.n + n > BUNDLE_TARGET || pending_full(s->pending)) && flush_bundle(p, err))
		return -1;
	if (!s->open && open_archive(p, PACK_BUNDLE, err))
		return -1;
	*ret = (struct dedup_place){s->number, s->chunks, (uint32_t)p->bundle.n, (uint32_t)n, false};
	if (buf_append(&p->bundle, raw, n, err) || pack_need(p, s->number, err))
		return -1;
	p->new_bytes += n;
	pending_add(s->pending, id, ret);
	return 0;
}

/* A small set's all go where its small files do. */
static bool is_small_set(const struct pack *p)
{
	return p->new_bytes < PACK_TOGETHER;
}

int pack_chunk_give(struct pack *p, enum pack_stream which, const uint8_t id[DIGEST_LEN], struct buf *raw,
    struct dedup_place *ret, struct err *err)
{
	struct stream *s;
	size_t n = raw->n;
	int r = find_place(p, id, n, ret, err);

	if (r)
		return r < 0 ? -1 : 0;
	if (is_small_set(p)) {
		if (n <= PACK_SMALL_MAX)
			return add_slice(p, id, raw->p, n, ret, err);
		which = PACK_BUNDLE;
		if (flush_bundle(p, err))
			return -1;
	}
	s = &p->streams[which];
	if (!s->open && open_archive(p, which, err))
		return -1;
	*ret = (struct dedup_place){s->number, s->chunks, 0, (uint32_t)n, true};
	if (pack_need(p, s->number, err))
		return -1;
	p->new_bytes += n;
	pending_add(s->pending, id, ret);
	return append_chunk(p, which, id, raw, err);
}

int pack_small_id(struct pack *p, const uint8_t id[DIGEST_LEN], const void *raw, size_t n,
    struct dedup_place *ret, struct err *err)
{
	int r = find_place(p, id, n, ret, err);

	return r < 0 ? -1 : r ? 0 : add_slice(p, id, raw, n, ret, err);
}

int pack_compression(struct pack *p, enum codec_kind kind, struct err *err)
{
	if (kind != p->compression && flush_bundle(p, err))
		return -1;
	p->compression = kind;
	return 0;
}

int pack_finish(struct pack *p, struct err *err)
{
	if (flush_bundle(p, err))
		return -1;
	for (int i = 0; i < PACK_STREAMS; i++)
		if (p->streams[i].open && close_archive(p, (enum pack_stream)i, err))
			return -1;
	return collect_published(p, true, err);
}

int pack_needed(struct pack *p, struct dedup_archive **ret, size_t *ret_n, struct err *err)
{
	struct dedup_archive *all = NULL;
	size_t number, n = 0, count = 0;

	for (number = 0; number < p->needed_bits; number++)
		count += p->needed[number / 8] >> (number % 8) & 1;
	all = calloc(count ? count : 1, sizeof(*all));
	if (!all)
		return err_nomem(err);
	for (number = 0; number < p->needed_bits; number++) {
		int r;

		if (!(p->needed[number / 8] >> (number % 8) & 1))
			continue;
		r = dedup_archive(p->cfg.dedup, number, &all[n], err);
		if (r != 1) {
			free(all);
			return r ? -1
				 : err_set_kind(err, ERR_CACHE, "E-DEDUP-01",
				       text("archive %zu is not in the index"), number);
		}
		n++;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

uint64_t pack_next_archive(const struct pack *p)
{
	return p->next;
}

uint64_t pack_run_of(const struct pack *p, uint64_t number)
{
	return number >= p->first ? p->run : dedup_run_of(p->cfg.dedup, number);
}

struct liveness *pack_liveness(const struct pack *p)
{
	return p->cfg.liveness;
}

int pack_begin_set(
    struct pack *p, const char *dataset, uint64_t archive_size, uint64_t next_archive, struct err *err)
{
	/* what the one before left open when it failed */
	if (p->dataset && pack_finish(p, err))
		return -1;
	p->dataset = dataset;
	p->archive_size = archive_size;
	p->first = p->next = next_archive;
	p->new_bytes = 0;
	p->n_published = 0;
	pack_abandon_set(p);
	return 0;
}

void pack_abandon_set(struct pack *p)
{
	if (p->needed_bits)
		memset(p->needed, 0, p->needed_bits / 8);
}

int pack_copy_runs(const struct pack *p, uint64_t **ret, size_t *ret_n, struct err *err)
{
	return dedup_copy_runs(p->cfg.dedup, ret, ret_n, err);
}

const struct dedup_archive *pack_published(const struct pack *p, size_t *ret_n)
{
	*ret_n = p->n_published;
	return p->published;
}

uint64_t pack_new_bytes(const struct pack *p)
{
	return p->new_bytes;
}
