/* verify_archive: one archive, read once from its beginning to its end, for its hash and for all that is in
 * it; see verify.h.
 *
 * INDEX says where everything is, so it is read first, from the tail (arc_r_open).  Then the file goes by:
 * every byte into the hash, every segment through its authentication, and what INDEX announced is picked out
 * in order (header, chunk, header, chunk, …, INDEX, end).  That the INDEX that goes by is the one that was
 * used is checked, too: so all findings are about the very bytes that were hashed, and are reported after the
 * hash.
 *
 * At any moment one item is wanted: the bytes lo … hi-1 of the plaintext, gathered in w->item.  go_by() cuts
 * the ciphertext into segments, unseal_segment() decrypts one, feed_plaintext() adds to the item what of it
 * lies within lo … hi, and take_item() judges a whole item and says which one is wanted next.  When the
 * container disagrees with INDEX, headers cannot be believed any more: from then on only the chunks are
 * checked, at the places that INDEX says.
 *
 * Where the device fails on the way, what has not gone by is read at random (fetch_rest): a bad sector costs
 * its chunk.  All state is the worker's; nothing is shared with other threads.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "read/file/ahead.h"
#include "read/vault/agefile.h"
#include "read/vault/arc_r.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify_private.h"
#include "read/store/store.h"

/* offsets below are those of a ustar header: POSIX.1-2001 pax, "ustar Interchange Format" */
#define BLOCK 512
#define END   ((size_t)2 * BLOCK)

enum want { WANT_HEADER, WANT_CHUNK, WANT_INDEX_HEADER, WANT_INDEX, WANT_END, WANT_NOTHING };

struct pass {
	struct verify_worker *w;
	struct verify_archive *t;
	const struct arcfile_index *ix;
	struct agefile *f;
	uint64_t size; /* of the plaintext */
	/* the item that is wanted: bytes lo … hi-1 of the plaintext, of them w->item.n are there */
	enum want want;
	size_t chunk;
	uint64_t lo, hi;
	bool lost; /* some of it cannot be had: why */
	struct err why;
	uint64_t at;	      /* where the next header is, if the container agrees */
	bool agrees;	      /* so far */
	enum codec_kind says; /* the header of the chunk that is wanted */
	size_t index_len;     /* as the container says */
};

/* ---- what belongs where ---- */

static uint64_t padded(uint64_t n)
{
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

static bool parse_octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(p[i] - '0');
	*ret = v;
	return i > 0;
}

/* Would stock tar find a regular file of this name and size here? */
static bool is_header(const uint8_t h[BLOCK], const char *name, uint64_t size)
{
	uint64_t said_size, said_sum, sum = 0;
	size_t i;

	for (i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return !strncmp((const char *)h, name, 100) && parse_octal(h + 124, 12, &said_size) &&
	       said_size == size && parse_octal(h + 148, 8, &said_sum) && said_sum == sum && h[156] == '0' &&
	       !memcmp(h + 257, "ustar", 5);
}

static void note_disagreement(struct pass *p, uint64_t offset)
{
	p->agrees = false;
	err_set(&p->t->container, "E-VERIFY-04",
	    text("its container does not agree with its INDEX at offset %ju"), offset);
}

/* Which compression its name says must be the one of the frame that follows: check_chunk(). */
static bool is_chunk_header(struct pass *p, const uint8_t *h, const struct arcfile_chunk *c)
{
	char name[2 * DIGEST_LEN + 8];

	digest_hex(c->id, DIGEST_LEN, name);
	for (p->says = 0; p->says < CODEC_KINDS; p->says++) {
		snprintf(name + 2 * DIGEST_LEN, 8, "%s", codec_suffix(p->says));
		if (is_header(h, name, c->stored))
			return true;
	}
	return false;
}

/* Is there room for INDEX as the header says, and nothing after the end? */
static bool is_index_header(struct pass *p, const uint8_t *h)
{
	uint64_t len;

	if (!parse_octal(h + 124, 12, &len) || len > ARCFILE_INDEX_MAX || !is_header(h, "INDEX", len) ||
	    padded(p->at + BLOCK + len) + END != p->size)
		return false;
	p->index_len = (size_t)len;
	return true;
}

/* The INDEX that stands there is the one that was used. */
static bool is_index(const struct pass *p, const uint8_t *s, size_t n)
{
	struct arcfile_index *ix = NULL;
	bool same;

	const struct generation_id *id = &p->w->root->id;

	if (arcfile_index_parse(
		(const char *)s, n, p->at + BLOCK, id->repository, id->dataset, p->t->number, &ix, NULL))
		return false;
	same =
	    ix->n == p->ix->n && (!ix->n || !memcmp(ix->chunks, p->ix->chunks, ix->n * sizeof(*ix->chunks)));
	arcfile_index_free(ix);
	return same;
}

/* ---- one thing after the other ---- */

static void give_up(struct pass *p, const struct err *why)
{
	p->t->gave_up = true;
	p->t->why = *why;
	p->want = WANT_NOTHING;
}

static void want_item(struct pass *p, enum want what, uint64_t lo, uint64_t n)
{
	struct err why = ERR_INIT;

	p->want = what;
	p->lo = lo;
	p->hi = lo + n;
	p->lost = false;
	p->w->item.n = 0;
	if (buf_reserve(&p->w->item, n, &why))
		give_up(p, &why);
}

static void want_next_chunk(struct pass *p)
{
	const struct arcfile_chunk *c;

	if (p->chunk == p->ix->n) {
		if (p->agrees && p->size < p->at + BLOCK + END)
			note_disagreement(p, p->at);
		if (p->agrees)
			want_item(p, WANT_INDEX_HEADER, p->at, BLOCK);
		else
			p->want = WANT_NOTHING;
		return;
	}
	c = &p->ix->chunks[p->chunk];
	if (p->agrees && c->offset != p->at + BLOCK)
		note_disagreement(p, p->at);
	if (p->agrees)
		want_item(p, WANT_HEADER, p->at, BLOCK);
	else
		want_item(p, WANT_CHUNK, c->offset, c->stored);
}

/* After a header that is wrong nothing can be believed to be where it should. */
static void check_container(struct pass *p, bool good, uint64_t offset)
{
	if (p->lost) {
		p->t->container = p->why;
		p->agrees = false;
	} else if (!good) {
		note_disagreement(p, offset);
	}
}

static int decode_item(struct pass *p, const struct arcfile_chunk *c, struct err *err)
{
	struct verify_worker *w = p->w;
	uint8_t id[DIGEST_LEN];

	w->raw.n = 0;
	if (buf_reserve(&w->raw, c->raw, err) ||
	    codec_unpack(w->codec, w->item.p, c->stored, w->raw.p, c->raw, err))
		return -1;
	hmac_of(w->hmac, w->raw.p, c->raw, id);
	if (memcmp(id, c->id, DIGEST_LEN) != 0)
		return err_set(err, "E-VERIFY-05", "%s", text("is not the chunk that its id says"));
	return 0;
}

static void check_chunk(struct pass *p)
{
	const struct arcfile_chunk *c = &p->ix->chunks[p->chunk];
	struct err why = ERR_INIT;

	if (p->agrees && !p->lost && codec_kind_of(p->w->item.p, c->stored) != p->says)
		note_disagreement(p, p->at);
	if (!p->lost && decode_item(p, c, &p->why))
		p->lost = true;
	if (p->lost) {
		err_wrap(&p->why, text("archive '%s', chunk %u at offset %ju"), p->t->listed.path,
		    (unsigned)p->chunk, c->offset);
		if (verify_fault_keep(&p->t->faults, p->chunk, NULL, &p->why, &why)) {
			give_up(p, &why);
			return;
		}
	}
	p->at = padded(c->offset + c->stored);
	p->chunk++;
	want_next_chunk(p);
}

/* The item that was wanted is whole, or lost: judges it, and wants the next one. */
static void take_item(struct pass *p)
{
	const struct arcfile_chunk *c = p->chunk < p->ix->n ? &p->ix->chunks[p->chunk] : NULL;
	const uint8_t *item = p->w->item.p;

	switch (p->want) {
	case WANT_HEADER:
		check_container(p, p->lost || is_chunk_header(p, item, c), p->at);
		want_item(p, WANT_CHUNK, c->offset, c->stored);
		break;
	case WANT_CHUNK:
		check_chunk(p);
		break;
	case WANT_INDEX_HEADER:
		check_container(p, p->lost || is_index_header(p, item), p->at);
		if (p->agrees)
			want_item(p, WANT_INDEX, p->at + BLOCK, p->index_len);
		break;
	case WANT_INDEX:
		check_container(p, p->lost || is_index(p, item, p->index_len), p->at);
		if (p->agrees)
			want_item(p, WANT_END, p->size - END, END);
		break;
	case WANT_END:
		check_container(p, p->lost || sodium_is_zero(item, END), p->size - END);
		p->want = WANT_NOTHING;
		break;
	case WANT_NOTHING:
		break;
	}
	if (!p->agrees && p->want != WANT_CHUNK)
		p->want = WANT_NOTHING;
}

/* ---- the file goes by ---- */

/* n bytes of plaintext from `offset` on; why NULL, or: they could not be decrypted.  They may stand at their
 * place in the item already (unseal_segment). */
static void feed_plaintext(struct pass *p, uint64_t offset, const uint8_t *s, size_t n, const struct err *why)
{
	struct buf *item = &p->w->item;

	while (p->want != WANT_NOTHING && p->lo < offset + n) {
		uint64_t from = p->lo > offset ? p->lo : offset;
		uint64_t to = p->hi < offset + n ? p->hi : offset + n;
		size_t len = (size_t)(to - from);

		if (why && !p->lost && len) {
			p->lost = true;
			p->why = *why;
		}
		if (len && item->p + (from - p->lo) != s + (from - offset))
			memcpy(item->p + (from - p->lo), s + (from - offset), len);
		item->n += len;
		if (to < p->hi)
			return;
		take_item(p);
	}
}

/* One segment of ciphertext, which is overwritten. */
static void unseal_segment(struct pass *p, uint64_t index, uint8_t *c, size_t n)
{
	uint64_t offset = index * AGE_SEGMENT;
	size_t plain = n - AGE_TAG;
	struct err why = ERR_INIT;
	uint8_t *out = c;
	int bad;

	/* most segments lie within one chunk: straight to their place in it */
	if (p->want == WANT_CHUNK && p->lo <= offset && offset + plain <= p->hi)
		out = p->w->item.p + (offset - p->lo);
	bad = agefile_unseal(p->f, index, c, out, &why);
	feed_plaintext(p, offset, out, plain, bad ? &why : NULL);
}

struct cipher {
	uint64_t pos;	/* in the file */
	uint64_t index; /* of the segment that pos lies in */
	size_t held;	/* bytes of it that wait in w->segment for the rest */
};

static void go_by(struct pass *p, struct cipher *c, struct digest *d, uint8_t *s, size_t n)
{
	uint64_t start = agefile_start(p->f);

	while (n) {
		size_t len = agefile_segment(p->f, c->index), part = n;

		if (c->pos < start)
			part = n < start - c->pos ? n : (size_t)(start - c->pos);
		else if (len)
			part = n < len - c->held ? n : len - c->held;
		if (d)
			digest_update(d, s, part);
		if (c->pos >= start && part == len) {
			unseal_segment(p, c->index++, s, len);
		} else if (c->pos >= start && len) {
			memcpy(p->w->segment + c->held, s, part);
			c->held += part;
			if (c->held == len) {
				unseal_segment(p, c->index++, p->w->segment, len);
				c->held = 0;
			}
		}
		c->pos += part;
		s += part;
		n -= part;
	}
}

/* Whatever is still wanted when the file has ended or failed. */
static void fetch_rest(struct pass *p)
{
	while (p->want != WANT_NOTHING) {
		struct err why = ERR_INIT;

		p->lost = agefile_read(p->f, p->lo, p->w->item.p, (size_t)(p->hi - p->lo), &why) != 0;
		if (p->lost)
			p->why = why;
		take_item(p);
	}
}

/* p NULL: it cannot be decrypted, only hashed. */
static void read_through(struct verify_worker *w, struct verify_listed *l, struct pass *p)
{
	STORE_FILE_AUTO file = {0};
	struct digest *d = l->wanted ? w->reader.digest : NULL;
	struct cipher c = {0, 0, 0};
	uint8_t *s;
	ssize_t got;
	int errnum;

	if (verify_listed_open(l, vault_r_store(w->run->v), &file))
		return;
	if (d)
		digest_reset(d);
	ahead_begin(w->reader.ahead, &file, w->run->opt->from_device);
	while ((got = ahead_next(w->reader.ahead, &s)) > 0) {
		if (p)
			go_by(p, &c, d, s, (size_t)got);
		else
			digest_update(d, s, (size_t)got);
		l->bytes += (uint64_t)got;
	}
	errnum = got < 0 ? errno : 0;
	ahead_end(w->reader.ahead);
	if (d)
		verify_listed_judge(l, d, errnum);
}

void verify_archive_check(struct verify_worker *w, struct verify_archive *t)
{
	struct pass p = {.w = w, .t = t, .agrees = true};

	t->container.code[0] = '\0';
	t->faults.n = 0;
	t->chunks = 0;
	t->gave_up = false;
	t->opened = !arc_r_open(w->arc, t->number, &p.ix, &p.f, &t->why);
	if (!t->opened) {
		if (t->listed.wanted)
			read_through(w, &t->listed, NULL);
		return;
	}
	t->chunks = p.ix->n;
	p.size = agefile_size(p.f);
	want_next_chunk(&p);
	read_through(w, &t->listed, &p);
	fetch_rest(&p);
}
