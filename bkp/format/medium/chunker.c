/* chunker: see chunker.h.
 *
 * The hash starts at CHUNKER_MIN: the bytes before cannot end a chunk and are not looked at.  Up to NORMAL the mask has
 * BITS_EARLY bits, behind it BITS_LATE; at CHUNKER_MAX the chunk ends in any case.  chunker_state is where the scan stands,
 * so that a chunk that arrives in pieces is hashed once.  The result does not depend on the pieces. */
#include "format/medium/chunker.h"

#include <stdbool.h>
#include <stdlib.h>

#include "format/crypto/digest.h"

/* Normalised chunking: a cut is rarer than 1 in 2^20 bytes before NORMAL and likelier behind it, so that
 * lengths gather around the average.  NORMAL lies below the average because cuts come some way behind it:
 * measured mean 1.0 MiB. */
#define NORMAL	   (CHUNKER_AVG - CHUNKER_AVG / 8)
#define BITS_EARLY 22
#define BITS_LATE  18
#define LANE	   8192
#define WINDOW	   64
#define TOP(bits)  (~(uint64_t)0 << (64 - (bits)))

struct chunker {
	uint64_t gear[256];
};

struct chunker *chunker_new(const uint8_t seed[CHUNKER_SEED])
{
	struct chunker *c = malloc(sizeof(*c));
	uint8_t raw[256 * 8];

	if (!c)
		return NULL;
	digest_hkdf(seed, CHUNKER_SEED, NULL, 0, "bkp gear table", raw, sizeof(raw));
	for (size_t i = 0; i < 256; i++) {
		c->gear[i] = 0;
		for (size_t b = 8; b-- > 0;) /* little endian on every machine */
			c->gear[i] = c->gear[i] << 8 | raw[8 * i + b];
	}
	return c;
}

void chunker_free(struct chunker *c)
{
	free(c);
}

/* One byte after the other: where in i…n the first cut is, or n.  *hash goes on. */
static size_t scan_slow(
    const uint64_t *gear, const uint8_t *p, size_t i, size_t n, uint64_t mask, uint64_t *hash)
{
	uint64_t h = *hash;

	while (i < n) {
		h = (h << 1) + gear[p[i++]];
		if (!(h & mask))
			break;
	}
	*hash = h;
	return i;
}

/* True when a cut lies in the 2·LANE bytes at p; then *hash is untouched, otherwise it goes on behind them.
 * A gear hash forgets a byte after 64 more, so the second half can be hashed beside the first, warmed up by
 * the 64 bytes before it: two chains of additions instead of one take nearly half the time. */
static bool scan_lanes(const uint64_t *gear, const uint8_t *p, uint64_t mask, uint64_t *hash)
{
	uint64_t a = *hash, b = 0;

	for (size_t k = LANE - WINDOW; k < LANE; k++)
		b = (b << 1) + gear[p[k]];
	for (size_t k = 0; k < LANE; k++) {
		a = (a << 1) + gear[p[k]];
		b = (b << 1) + gear[p[LANE + k]];
		if (!(a & mask) | !(b & mask))
			return true;
	}
	*hash = b;
	return false;
}

static size_t scan(const uint64_t *gear, const uint8_t *p, size_t i, size_t n, uint64_t mask, uint64_t *hash)
{
	while (n - i >= 2 * LANE && !scan_lanes(gear, p + i, mask, hash))
		i += 2 * LANE;
	return scan_slow(gear, p, i, n, mask, hash);
}

size_t chunker_more(const struct chunker *c, struct chunker_state *s, const void *p, size_t n, bool last)
{
	if (n >= CHUNKER_MAX) {
		n = CHUNKER_MAX;
		last = true;
	}
	if (n <= CHUNKER_MIN)
		return last ? n : 0;
	if (s->at < CHUNKER_MIN)
		s->at = CHUNKER_MIN;
	if (s->at < NORMAL) {
		size_t normal = n < NORMAL ? n : NORMAL;
		size_t end = scan(c->gear, p, s->at, normal, TOP(BITS_EARLY), &s->hash);

		/* at `normal` itself there is either a cut already or none by the stricter mask: the other mask
		 * goes on behind it */
		if (end < normal || (s->at < normal && !(s->hash & TOP(BITS_EARLY))))
			return end;
		s->at = end;
	}
	if (s->at < n) {
		size_t end = scan(c->gear, p, s->at, n, TOP(BITS_LATE), &s->hash);

		if (end < n || !(s->hash & TOP(BITS_LATE)))
			return end;
		s->at = end;
	}
	return last ? n : 0;
}

size_t chunker_cut(const struct chunker *c, const void *p, size_t n)
{
	struct chunker_state s = {0, 0};

	return chunker_more(c, &s, p, n, true);
}
