/* arc_r_chunk: the chunks of arc_r.h: decoding, and those that are kept.
 *
 * arc_r_get() looks for the chunk in the table.  Not there: arc_r_load() puts it there, not ready, lets go of
 * the lock, reads and decodes it, and broadcasts `changed`.  There and not ready: somebody else is decoding
 * it; wait, and look again.  If that failed the chunk is gone again, and who waited tries it himself and gets
 * the fault himself.
 *
 * The cache is bounded by bytes (opt.cache_bytes) and by number (CACHED_MAX).  make_room() drops the least
 * recently used that nobody holds; it never waits, so chunks that are held or being decoded may exceed the
 * bound by what their holders need.  The chunk dropped last is kept as `spare`: the next one of like size
 * takes its memory.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "format/medium/generation.h"
#include "read/vault/agefile.h"
#include "read/vault/arc_r_private.h"

#define CACHED_MAX 4096 /* chunks: keeps the chains short when they are tiny */

/* ---- what decoding needs ---- */

void arc_r_bench_free(struct arc_r_bench *b)
{
	if (!b)
		return;
	codec_free(b->codec);
	hmac_free(b->ids_hmac);
	if (b->frame.p)
		sodium_memzero(b->frame.p, b->frame.cap);
	buf_free(&b->frame);
	free(b);
}

struct arc_r_bench *arc_r_bench_take(struct arc_r *a)
{
	struct arc_r_bench *b = a->benches;

	if (b) {
		a->benches = b->next;
		return b;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	buf_init(&b->frame, codec_bound(CODEC_RAW_MAX));
	b->codec = codec_new();
	b->ids_hmac = hmac_new(a->root->chunk_id_key, DIGEST_LEN);
	if (b->codec && b->ids_hmac)
		return b;
	arc_r_bench_free(b);
	return NULL;
}

void arc_r_bench_give(struct arc_r *a, struct arc_r_bench *b)
{
	b->next = a->benches;
	a->benches = b;
}

/* Reads a chunk's frame and decodes it; only what its id in the proven INDEX says is a chunk.  Without the
 * lock. */
static int decode_chunk(
    struct arc_r_bench *b, struct arc_r_slot *s, const struct arcfile_chunk *c, uint8_t *raw, struct err *err)
{
	uint8_t id[DIGEST_LEN];
	int r;

	b->frame.n = 0;
	if (buf_reserve(&b->frame, c->stored, err))
		return -1;
	pthread_mutex_lock(&s->reading);
	r = agefile_read(s->file, c->offset, b->frame.p, c->stored, err);
	pthread_mutex_unlock(&s->reading);
	if (r || codec_unpack(b->codec, b->frame.p, c->stored, raw, c->raw, err))
		return -1;
	hmac_of(b->ids_hmac, raw, c->raw, id);
	return memcmp(id, c->id, DIGEST_LEN) != 0
		   ? err_set(err, "E-ARCHIVE-17", "%s", text("not the chunk that its id says"))
		   : 0;
}

/* ---- those that are kept ---- */

static struct arc_r_held **bucket_of(struct arc_r *a, uint64_t archive, uint32_t chunk)
{
	return &a->cache.table[(archive * 2654435761u + chunk) % ARC_R_BUCKETS];
}

struct arc_r_held *arc_r_cached(struct arc_r *a, uint64_t archive, uint32_t chunk)
{
	struct arc_r_held *h = *bucket_of(a, archive, chunk);

	while (h && (h->chunk.archive != archive || h->chunk.chunk != chunk))
		h = h->chain;
	return h;
}

/* Also puts a new one into the list: of the only one in it prev and next are NULL, too, but then it is
 * `first`. */
static void to_front(struct arc_r *a, struct arc_r_held *h)
{
	if (a->cache.first == h)
		return;
	if (h->prev || h->next) {
		*(h->prev ? &h->prev->next : &a->cache.first) = h->next;
		*(h->next ? &h->next->prev : &a->cache.last) = h->prev;
	}
	h->prev = NULL;
	h->next = a->cache.first;
	*(a->cache.first ? &a->cache.first->prev : &a->cache.last) = h;
	a->cache.first = h;
}

/* Chunks hold what was encrypted: patients' data is wiped before memory goes back. */
static void wipe_chunk(struct arc_r_held *h)
{
	if (!h)
		return;
	sodium_memzero(h->raw, h->cap);
	free(h);
}

static void drop_chunk(struct arc_r *a, struct arc_r_held *h)
{
	struct arc_r_held **at = bucket_of(a, h->chunk.archive, h->chunk.chunk);

	while (*at != h)
		at = &(*at)->chain;
	*at = h->chain;
	*(h->prev ? &h->prev->next : &a->cache.first) = h->next;
	*(h->next ? &h->next->prev : &a->cache.last) = h->prev;
	a->cache.n--;
	a->cache.bytes -= h->cap;
	if (h->ahead)
		a->ahead.bytes -= h->cap;
	wipe_chunk(a->cache.spare);
	a->cache.spare = h;
}

void arc_r_forget_chunks(struct arc_r *a)
{
	while (a->cache.first)
		drop_chunk(a, a->cache.first);
	wipe_chunk(a->cache.spare);
	a->cache.spare = NULL;
}

/* For n more bytes, as far as what nobody holds allows. */
static void make_room(struct arc_r *a, size_t n)
{
	struct arc_r_held *h = a->cache.last, *prev;

	for (; h && (a->cache.n >= CACHED_MAX || a->cache.bytes + n > a->opt.cache_bytes); h = prev) {
		prev = h->prev;
		if (!h->refs && h->ready)
			drop_chunk(a, h);
	}
}

/* Memory for a chunk of n bytes, in the cache and not ready. */
static struct arc_r_held *reserve_chunk(struct arc_r *a, uint64_t archive, uint32_t chunk, size_t n)
{
	struct arc_r_held *h, **at = bucket_of(a, archive, chunk);
	size_t cap = n;

	make_room(a, n);
	h = a->cache.spare;
	if (h && h->cap >= n && h->cap / 2 <= n) {
		a->cache.spare = NULL;
		cap = h->cap;
	} else {
		h = malloc(sizeof(*h) + cap);
		if (!h)
			return NULL;
	}
	memset(h, 0, sizeof(*h));
	h->chunk = (struct arc_r_chunk){h->raw, n, archive, chunk};
	h->cap = cap;
	h->chain = *at;
	*at = h;
	a->cache.n++;
	a->cache.bytes += cap;
	to_front(a, h);
	return h;
}

/* The same chunk out of another copy: the same INDEX was proven, so it stands at the same place. */
static int decode_elsewhere(struct arc_r *a, struct arc_r_bench *b, const struct generation_archive *entry,
    const struct arcfile_chunk *c, uint8_t *raw)
{
	int r = -1;

	for (size_t i = 0; i <= a->opt.n_others && r; i++) {
		struct arc_r_slot s = {.number = entry->number};

		pthread_mutex_init(&s.reading, NULL);
		if (!arc_r_slot_open(a, i, &s, entry, NULL))
			r = decode_chunk(b, &s, c, raw, NULL);
		arc_r_slot_clear(&s);
		pthread_mutex_destroy(&s.reading);
	}
	return r;
}

/* Decodes into h, which is in the cache and not ready, without the lock.  On failure h is dropped. */
static int decode_into(struct arc_r *a, struct arc_r_slot *s, struct arc_r_held *h, struct err *err)
{
	const struct arcfile_chunk *c = &s->index->chunks[h->chunk.chunk];
	const struct generation_archive *entry;
	struct arc_r_bench *b = arc_r_bench_take(a);
	struct err why = ERR_INIT;
	char path[ARC_R_PATH];
	bool elsewhere;
	int r;

	if (!b) {
		drop_chunk(a, h);
		return err_nomem(err);
	}
	pthread_mutex_unlock(&a->lock);
	entry = generation_root_archive(a->root, s->number);
	r = decode_chunk(b, s, c, h->raw, &why);
	elsewhere = r && a->opt.n_others && !decode_elsewhere(a, b, entry, c, h->raw);
	pthread_mutex_lock(&a->lock);
	if (r)
		err_wrap(&why, text("archive '%s', chunk %u at offset %ju"), arc_r_path(a, entry, path),
		    (unsigned)(c - s->index->chunks), c->offset);
	if (elsewhere) {
		arc_r_note_elsewhere(a, &why);
		r = 0;
	}
	arc_r_bench_give(a, b);
	pthread_cond_broadcast(&a->changed);
	h->ready = true;
	if (!r)
		return 0;
	drop_chunk(a, h);
	if (err)
		*err = why;
	return -1;
}

int arc_r_load(struct arc_r *a, uint64_t archive, uint32_t chunk, struct arc_r_held **ret, struct err *err)
{
	struct arc_r_held *h = NULL;
	struct arc_r_slot *s;
	int r = 0;

	if (arc_r_slot(a, archive, &s, err))
		return -1;
	if (chunk >= s->index->n) {
		r = arc_r_no_chunk(a, archive, chunk, s->index->n, err);
	} else if (!arc_r_cached(a, archive, chunk)) {
		h = reserve_chunk(a, archive, chunk, s->index->chunks[chunk].raw);
		r = h ? decode_into(a, s, h, err) : err_nomem(err);
	}
	arc_r_slot_put(a, s);
	if (!r)
		*ret = h;
	return r;
}

int arc_r_get(
    struct arc_r *a, uint64_t archive, uint32_t chunk, const struct arc_r_chunk **ret, struct err *err)
{
	struct arc_r_held *h;
	int r = 0;

	pthread_mutex_lock(&a->lock);
	for (h = NULL; !r && !h;) {
		h = arc_r_cached(a, archive, chunk);
		if (!h) {
			r = arc_r_load(a, archive, chunk, &h, err);
		} else if (!h->ready) {
			pthread_cond_wait(&a->changed, &a->lock);
			h = NULL;
		}
	}
	if (!r) {
		if (h->ahead)
			a->ahead.bytes -= h->cap;
		h->ahead = false;
		to_front(a, h);
		h->refs++;
		*ret = &h->chunk;
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

void arc_r_put(struct arc_r *a, const struct arc_r_chunk *c)
{
	struct arc_r_held *h = (struct arc_r_held *)(uintptr_t)c;

	pthread_mutex_lock(&a->lock);
	assert(h->refs);
	h->refs--;
	pthread_mutex_unlock(&a->lock);
}
