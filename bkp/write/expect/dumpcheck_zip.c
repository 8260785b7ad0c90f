/* dumpcheck_zip: gzip, by inflating it; zip, by the end of its central directory; see dumpcheck.h.
 *
 * gzip: members one after the other, each to its end; what is inflated is thrown away.  zip: the last TAIL bytes are
 * kept as they pass, because the directory's end, with a comment of at most 65,535 bytes, is in them. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/le.h"
#include "base/text.h"

#include "write/expect/dumpcheck_private.h"

/* ---- gzip (RFC 1952) ---- */

struct gzip {
	z_stream z;
	bool within; /* a member has begun */
	bool zeros;  /* padding after the last one, as on tapes */
	uint8_t sink[65536];
};

static void *make_gzip(void)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (g && inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

static void destroy_gzip(void *self)
{
	struct gzip *g = self;

	inflateEnd(&g->z);
	free(g);
}

/* Between members. false: nothing more is looked at. */
static bool begin_member(struct gzip *g, struct dumpcheck_state *s, uint64_t at)
{
	if (g->zeros || (at && !*g->z.next_in)) {
		g->zeros = true;
		while (g->z.avail_in && !*g->z.next_in) {
			g->z.next_in++;
			g->z.avail_in--;
		}
		if (g->z.avail_in)
			dumpcheck_behind(s, at);
		return false;
	}
	if (*g->z.next_in != 0x1f) {
		if (at)
			dumpcheck_behind(s, at);
		else
			dumpcheck_other(s, text("it does not begin as gzip"));
		return false;
	}
	g->within = true;
	return inflateReset(&g->z) == Z_OK;
}

static void feed_gzip(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n)
{
	struct gzip *g = self;

	g->z.next_in = (uint8_t *)(uintptr_t)p;
	g->z.avail_in = (unsigned)n; /* at most what is read at once */
	while (g->z.avail_in) {
		uint64_t at = s->total + n - g->z.avail_in;
		int r;

		if (!g->within && !begin_member(g, s, at))
			return;
		g->z.next_out = g->sink;
		g->z.avail_out = sizeof(g->sink);
		r = inflate(&g->z, Z_NO_FLUSH);
		if (s->plain && g->z.avail_out < sizeof(g->sink))
			s->plain(s->plain_arg, g->sink, sizeof(g->sink) - g->z.avail_out);
		if (r == Z_STREAM_END) {
			g->within = false;
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			dumpcheck_damaged(s, s->total + n - g->z.avail_in, g->z.msg ? g->z.msg : "zlib");
			return;
		}
	}
}

static void end_gzip(void *self, struct dumpcheck_state *s)
{
	struct gzip *g = self;

	if (g->within)
		dumpcheck_cut(s, text("before the end of its compressed data"));
}

const struct dumpcheck_kind dumpcheck_gzip = {
    TEXT_LATER("a gzip file"), make_gzip, feed_gzip, end_gzip, destroy_gzip};

/* ---- zip (PKWARE APPNOTE, 4.3) ---- */

#define EOCD	22
#define LOCATOR 20
#define EOCD64	56
#define TAIL	(EOCD + 65535 + LOCATOR + EOCD64)

struct zip {
	uint8_t head[4];
	uint8_t tail[2 * TAIL]; /* at least the last TAIL bytes; twice that, so that small pieces rarely move
				   it */
	size_t n_head, n_tail;
};

static void *make_zip(void)
{
	return calloc(1, sizeof(struct zip));
}

static void feed_zip(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n)
{
	struct zip *z = self;

	for (size_t i = 0; i < n && z->n_head < sizeof(z->head); i++)
		z->head[z->n_head++] = p[i];
	if (z->n_head == 4 && memcmp(z->head, "PK\3\4", 4) != 0 && memcmp(z->head, "PK\5\6", 4) != 0) {
		dumpcheck_other(s, text("it does not begin as a zip file"));
		return;
	}
	if (n > TAIL) {
		p += n - TAIL;
		n = TAIL;
	}
	if (z->n_tail + n > sizeof(z->tail)) {
		memmove(z->tail, z->tail + z->n_tail - TAIL, TAIL);
		z->n_tail = TAIL;
	}
	memcpy(z->tail + z->n_tail, p, n);
	z->n_tail += n;
}

/* The directory of n entries and so many bytes ends where its end begins. */
static bool fits(uint64_t n, uint64_t bytes, uint64_t offset, uint64_t end)
{
	return bytes <= end && offset == end - bytes && n <= bytes / 46;
}

/* After the record at `at` of the tail stands nothing but its comment, and it agrees with its place. */
static bool is_end(const struct zip *z, size_t at, uint64_t total)
{
	const uint8_t *p = z->tail + at, *q;
	uint64_t place = total - z->n_tail + at, end64;

	if (memcmp(p, "PK\5\6", 4) != 0 || at + EOCD + le_get(p + 20, 2) != z->n_tail)
		return false;
	if (le_get(p + 16, 4) != UINT32_MAX && le_get(p + 12, 4) != UINT32_MAX &&
	    le_get(p + 10, 2) != UINT16_MAX)
		return fits(le_get(p + 10, 2), le_get(p + 12, 4), le_get(p + 16, 4), place);
	if (at < LOCATOR + EOCD64 ||
	    memcmp(p - LOCATOR, "PK\6\7", 4) != 0) /* no zip64: the numbers are meant so */
		return fits(le_get(p + 10, 2), le_get(p + 12, 4), le_get(p + 16, 4), place);
	q = p - LOCATOR - EOCD64;
	end64 = le_get(p - LOCATOR + 8, 8);
	return end64 == place - LOCATOR - EOCD64 && !memcmp(q, "PK\6\6", 4) &&
	       fits(le_get(q + 32, 8), le_get(q + 40, 8), le_get(q + 48, 8), end64);
}

static void end_zip(void *self, struct dumpcheck_state *s)
{
	const struct zip *z = self;

	for (size_t at = z->n_tail >= EOCD ? z->n_tail - EOCD + 1 : 0; at-- > 0;)
		if (is_end(z, at, s->total))
			return;
	dumpcheck_cut(s, text("without the end of its central directory"));
}

const struct dumpcheck_kind dumpcheck_zip = {TEXT_LATER("a zip file"), make_zip, feed_zip, end_zip, free};
