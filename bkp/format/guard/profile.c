/* profile: see profile.h.
 *
 * inside, bit by bit: 0-3 random, 4-7 zero (both in fifteenths), 8-9 soundness, 10 text, 11 encoded, 12 sealed. */
#include "format/guard/profile.h"

#include <stddef.h>
#include <string.h>

#include "format/guard/inside.h"
#include "format/guard/kind.h"

#define HEADER ((size_t)512)
#define LEAST  ((size_t)512) /* a shorter piece in the middle of a file says too little */
#define MARKERS                                                                                              \
	16 /* so many 0xFF tell whether a coder wrote what is random: of random bytes 39 % of what follows is wrong */
#define CLOSELY	   ((uint64_t)256 << 10)
#define FLAT_LEAST ((size_t)64)

enum { AT_ZERO = 4, AT_SOUND = 8, IS_TEXT = 1 << 10, IS_ENCODED = 1 << 11, IS_SEALED = 1 << 12 };

/* ---- what is remembered ---- */

unsigned profile_random(const struct profile *p)
{
	return p->inside & 15u;
}

unsigned profile_zero(const struct profile *p)
{
	return (p->inside >> AT_ZERO) & 15u;
}

enum inside profile_soundness(const struct profile *p)
{
	return (enum inside)((p->inside >> AT_SOUND) & 3u);
}

bool profile_is_text(const struct profile *p)
{
	return p->inside & IS_TEXT;
}

bool profile_is_encoded(const struct profile *p)
{
	return p->inside & IS_ENCODED;
}

bool profile_is_sealed(const struct profile *p)
{
	return p->inside & IS_SEALED;
}

/* ---- one window ---- */

struct counts {
	unsigned of[256];
	uint64_t squares;
};

static void count_bytes(const uint8_t *p, size_t n, struct counts *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < n; i++)
		c->of[p[i]]++;
	for (size_t i = 0; i < 256; i++)
		c->squares += (uint64_t)c->of[i] * c->of[i];
}

/* Control bytes that no text has.  ESC is ISO-2022-JP's, FF and VT a printer's, FS and VT HL7's (MLLP). */
static bool has_controls(const struct counts *c)
{
	unsigned n = c->of[0];

	for (unsigned b = 1; b < 32; b++)
		if (b < '\t' || (b > '\r' && b != 0x1b && b != 0x1c))
			n += c->of[b];
	return n + c->of[127] > 0;
}

/* No control characters, and each surrogate with its other half (but where the window cuts them): of random units 3 % are not. */
static bool is_utf16(const uint8_t *p, size_t n, bool big)
{
	unsigned wrong = 0;
	bool high = false;

	for (size_t i = 0; i + 1 < n; i += 2) {
		unsigned u = big ? (unsigned)p[i] << 8 | p[i + 1] : (unsigned)p[i + 1] << 8 | p[i];
		bool low = u >= 0xdc00 && u < 0xe000;

		wrong += (u < 32 && (u < '\t' || u > '\r')) || low != high;
		high = u >= 0xd800 && u < 0xdc00;
	}
	return wrong <= 1;
}

/* Letters and digits, as evenly used as base64 and hexadecimal use them, and hardly anything between them. */
static bool is_flat(const struct counts *c, size_t n)
{
	unsigned alnum = 0, kinds = 0, breaks = c->of['\n'] + c->of['\r'];
	uint64_t squares = 0;

	for (unsigned b = '0'; b <= 'z'; b++)
		if ((b <= '9' || b >= 'A') && (b <= 'Z' || b >= 'a')) {
			alnum += c->of[b];
			kinds += c->of[b] > 0;
			squares += (uint64_t)c->of[b] * c->of[b];
		}
	alnum += c->of['+'] + c->of['/'] + c->of['='] + c->of['-'] + c->of['_'];
	if (n < FLAT_LEAST || (alnum + breaks) * 100 < n * 98 || breaks * 25 > n || !kinds)
		return false;
	/* chi-squared against even use of those that occur, of hexadecimal and base64 at most twice what chance gives */
	return kinds >= 14 && squares * kinds <= (uint64_t)alnum * (alnum + 4 * kinds);
}

static void count_markers(struct profile_reader *r, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n - 1, *at = p;

	while (at < end && (at = memchr(at, 0xff, (size_t)(end - at)))) {
		uint8_t next = *++at;

		r->markers++;
		r->wrong += next >= 0x90 && (next < 0xd0 || next > 0xd9) && next != 0xff;
	}
}

static void look_at_window(struct profile_reader *r, const uint8_t *p, size_t n)
{
	struct counts c;

	r->windows++;
	if (kind_is_zero(p, n)) {
		r->zero++;
		return;
	}
	count_bytes(p, n, &c);
	if (kind_is_even(c.squares, n)) {
		r->random++;
		count_markers(r, p, n);
	} else if (r->utf16 ? is_utf16(p, n, r->utf16 > 1) : !has_controls(&c)) {
		r->text++;
		r->encoded += is_flat(&c, n);
	}
}

/* ---- the file as it passes ---- */

void profile_begin(struct profile_reader *r, uint64_t seed, bool deep)
{
	/* not the tail: it is filled before it is read */
	memset(r, 0, offsetof(struct profile_reader, tail));
	r->n_tail = 0;
	r->seed = seed;
	r->deep = deep;
	r->all_zero = true;
}

/* Bytes of which one window is looked at: closely in the beginning of what may have been harmed. */
static uint64_t stripe_at(const struct profile_reader *r, uint64_t at)
{
	return r->deep && at < CLOSELY ? PROFILE_STRIPE / 4 : PROFILE_STRIPE;
}

/* The window of the stripe in which `from` lies, or of the next one (splitmix64). */
static uint64_t next_window(const struct profile_reader *r, uint64_t from)
{
	const uint64_t stripe = stripe_at(r, from), begin = from / stripe * stripe;
	uint64_t z = r->seed + begin * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z = begin +
	    (z ^ (z >> 31)) % (stripe - PROFILE_WINDOW) / 2 * 2; /* UTF-16 has two bytes a character */
	return z < from || z < KIND_LOOK ? next_window(r, begin + stripe) : z;
}

static void keep_tail(struct profile_reader *r, const uint8_t *p, size_t n)
{
	size_t keep = n < PROFILE_TAIL ? PROFILE_TAIL - n : 0;

	if (n > PROFILE_TAIL) {
		p += n - PROFILE_TAIL;
		n = PROFILE_TAIL;
	}
	keep = keep < r->n_tail ? keep : r->n_tail;
	memmove(r->tail, r->tail + r->n_tail - keep, keep);
	memcpy(r->tail + keep, p, n);
	r->n_tail = keep + n;
}

static void look_at_head(struct profile_reader *r, const uint8_t *p, size_t n)
{
	size_t head = n < KIND_LOOK ? n : KIND_LOOK;

	r->is.kind = kind_of(p, n);
	r->utf16 = n < 2 ? 0 : p[0] == 0xff && p[1] == 0xfe ? 1 : p[0] == 0xfe && p[1] == 0xff ? 2 : 0;
	r->sealed = inside_sealed_head(r->is.kind, p, n);
	r->sound = (uint8_t)inside_begins(r->is.kind, p, n < INSIDE_LOOK ? n : INSIDE_LOOK, r->deep);
	/* a file's header is rarely random, and may be all that is left as it was: it is a window of its own */
	for (size_t at = 0, len = HEADER; at < head; at += len, len = PROFILE_WINDOW)
		if (!at || head - at >= LEAST)
			look_at_window(
			    r, p + at, head - at < len || head - at < len + LEAST ? head - at : len);
	if (n > head && n - head < 2 * PROFILE_WINDOW) /* a small file: all of it */
		look_at_window(r, p + head, n - head);
}

void profile_feed(struct profile_reader *r, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t end = r->at + n;

	if (!n)
		return;
	if (r->all_zero && !kind_is_zero(p, n))
		r->all_zero = false;
	if (!r->at) {
		look_at_head(r, p, n);
		r->next = next_window(r, KIND_LOOK);
	}
	while (r->next < end) {
		/* a window that begins before this piece is looked at as far as it is here */
		uint64_t from = r->next < r->at ? r->at : r->next, to = r->next + PROFILE_WINDOW;

		to = to < end ? to : end;
		if (to > from && to - from >= LEAST)
			look_at_window(r, p + (from - r->at), (size_t)(to - from));
		r->next = next_window(
		    r, r->next / stripe_at(r, r->next) * stripe_at(r, r->next) + stripe_at(r, r->next));
	}
	keep_tail(r, p, n);
	r->at = end;
}

void profile_hole(struct profile_reader *r, uint64_t n)
{
	static const uint8_t zeros[PROFILE_TAIL];
	uint64_t stripes = n / PROFILE_STRIPE;

	if (!n)
		return;
	if (!r->at)
		r->is.kind = KIND_ZERO;
	r->windows += (unsigned)(stripes < 1024 ? stripes : 1024) + !r->at;
	r->zero += (unsigned)(stripes < 1024 ? stripes : 1024) + !r->at;
	keep_tail(r, zeros, n < PROFILE_TAIL ? (size_t)n : PROFILE_TAIL);
	r->at += n;
	r->next = next_window(r, r->at);
}

static unsigned share(unsigned n, unsigned of)
{
	unsigned s = of ? (n * PROFILE_SHARE + of / 2) / of : 0;

	return n && !s ? 1 : s;
}

/* Did an image coder write what looks random, within a format that holds images? */
static bool is_coded(const struct profile_reader *r)
{
	return kind_is_format(r->is.kind) && r->markers >= MARKERS && r->wrong * 10 <= r->markers;
}

static enum inside soundness(const struct profile_reader *r)
{
	enum inside s;

	if (kind_is_jpeg(r->is.kind) && r->wrong > 1 && r->wrong * 16 >= r->markers)
		return INSIDE_BROKEN;
	s = inside_ends(r->is.kind, r->tail, r->n_tail, (enum inside)r->sound);
	/* images within DICOM */
	return s == INSIDE_UNKNOWN && is_coded(r) ? INSIDE_PROVEN : s;
}

void profile_end(struct profile_reader *r, struct profile *ret)
{
	struct profile p = r->is;
	bool text;

	*ret = (struct profile){KIND_UNKNOWN, 0};
	if (!r->at)
		return;
	if (r->all_zero) {
		*ret = (struct profile){KIND_ZERO, 0};
		return;
	}
	if (p.kind == KIND_ZERO) /* it began with a hole */
		p.kind = KIND_PLAIN;
	if (r->at > KIND_LOOK + 2 * PROFILE_WINDOW) /* the end, which windows may have missed */
		look_at_window(r, r->tail + r->at % 2, r->n_tail - r->at % 2);
	text = r->text == r->windows;
	p.inside =
	    (uint16_t)((is_coded(r) ? 0 : share(r->random, r->windows)) |
		       share(r->zero, r->windows) << AT_ZERO | (unsigned)soundness(r) << AT_SOUND |
		       (text ? IS_TEXT : 0u) | (text && 2 * r->encoded > r->windows ? IS_ENCODED : 0u) |
		       (r->sealed || inside_sealed_tail(p.kind, r->tail, r->n_tail) ? IS_SEALED : 0u));
	*ret = p;
}

/* ---- judging one file ---- */

/* Not random by nature: neither compressed nor made of what is. */
static bool is_thin(uint8_t kind)
{
	return !kind_is_compressed(kind) && !kind_is_container(kind);
}

static bool is_readable(const struct profile *p)
{
	return kind_is_format(p->kind) || profile_is_text(p);
}

static bool grew_random(const struct profile *before, const struct profile *now)
{
	unsigned was = profile_random(before), is = profile_random(now);

	if (kind_is_compressed(now->kind))
		return false;
	/* an image pasted into a document makes a part of it random, not all */
	return kind_is_container(now->kind) ? is >= was + 7 : is >= was + 4;
}

static bool is_lost(const struct profile *before, const struct profile *now)
{
	bool format = kind_is_format(before->kind);

	if (now->kind == KIND_ZERO)
		return before->kind != KIND_ZERO;
	if (profile_zero(now) >= 9 && profile_zero(before) <= 3)
		return true;
	if (kind_is_format(now->kind) || profile_is_sealed(now))
		return false; /* another format: people and programs convert */
	if (profile_is_text(
		now)) /* a table saved as text under its old name is ordinary; an image as text is not */
		return format && !kind_is_textual(before->kind) && !kind_is_container(before->kind);
	return format || profile_is_text(before);
}

unsigned profile_harm(const struct profile *before, const struct profile *now, bool same_size)
{
	unsigned harm = 0;
	bool spoilt = profile_soundness(now) == INSIDE_BROKEN && profile_soundness(before) != INSIDE_BROKEN;

	if (before->kind == KIND_UNKNOWN || now->kind == KIND_UNKNOWN)
		return 0;
	if (profile_is_sealed(now))
		return profile_is_sealed(before) ? 0 : PROFILE_SEALED;
	harm |= is_lost(before, now) ? PROFILE_LOST : 0u;
	harm |= grew_random(before, now) ? PROFILE_DENSE : 0u;
	spoilt |= profile_is_encoded(now) && !profile_is_encoded(before) && is_readable(before);
	spoilt |= kind_is_textual(now->kind) && profile_is_text(before) && !profile_is_text(now);
	/* what is compressed has another length when it says something else */
	spoilt |= same_size && kind_is_compressed(now->kind) && !kind_is_jpeg(now->kind) &&
		  profile_soundness(now) != INSIDE_PROVEN;
	return harm | (spoilt ? PROFILE_SPOILT : 0u);
}

enum profile_sign profile_sign(const struct profile *p)
{
	if (p->kind == KIND_UNKNOWN)
		return SIGN_UNKNOWN;
	if (p->kind == KIND_ZERO || profile_zero(p) >= 12)
		return SIGN_ZERO;
	if (profile_is_sealed(p))
		return SIGN_SEALED;
	if (profile_soundness(p) == INSIDE_BROKEN)
		return SIGN_BROKEN;
	if (profile_is_encoded(p))
		return SIGN_ENCODED;
	if (!kind_is_format(p->kind))
		return profile_is_text(p) ? SIGN_TEXT : profile_random(p) >= 8 ? SIGN_OPAQUE : SIGN_BINARY;
	if (is_thin(p->kind) && profile_random(p) >= 6)
		return SIGN_THICK;
	return kind_is_textual(p->kind) && !profile_is_text(p) ? SIGN_BROKEN : SIGN_NONE;
}
