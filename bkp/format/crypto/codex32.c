/* codex32: see codex32.h.  Written from the text of BIP-93.
 *
 * Everything is arithmetic over GF(32), whose elements are the 32 characters.  The checksum is the rest of a division
 * of polynomials (struct division); a share is a point of a curve of degree k-1 for each symbol (weights(), join()).
 * Sums and interpolated points of texts with a right checksum have a right one again: so a rest depends on the errors
 * in a text alone, not on its secret, and codex32_locate() searches for the errors that leave this rest. */
#include "format/crypto/codex32.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/crypto/bech32_alphabet.h"

#define HEADER	   6  /* k, id, index */
#define LEAST	   26 /* symbols of a payload: 16 bytes */
#define SHORT_MOST 74 /* payloads above have the long checksum; no text has 94 or 95 symbols */
#define CHECK_MOST 15
#define DATA_MOST  (HEADER + CODEX32_SYMBOLS + CHECK_MOST)
#define KEY	   52 /* symbols of 32 bytes */
#define FOUND_MOST 3

/* ---- GF(32): x^5 + x^3 + 1 ---- */

static uint8_t times(uint8_t a, uint8_t b)
{
	unsigned x = a, sum = 0;

	for (unsigned i = 0; i < 5; i++) {
		sum ^= x & (0u - (b >> i & 1u));
		x = x << 1 ^ (41 & (0u - (x >> 4)));
	}
	return (uint8_t)sum;
}

/* a^30; 0 for 0. */
static uint8_t inverse(uint8_t a)
{
	uint8_t r = a;

	for (int i = 1; i < 30; i++)
		r = times(r, a);
	return r;
}

/* ---- the checksum ---- */

/* A division by the code's generator.  rest[0] is the highest coefficient. */
struct division {
	size_t n;
	const char *target; /* what a right text leaves */
	uint8_t generator[CHECK_MOST], rest[CHECK_MOST];
};

static void divide(struct division *d, uint8_t symbol)
{
	uint8_t top = d->rest[0];

	for (size_t i = 0; i < d->n; i++)
		d->rest[i] =
		    (uint8_t)((i + 1 < d->n ? d->rest[i + 1] : symbol) ^ times(top, d->generator[i]));
}

static struct division division_begin(const char *hrp, size_t payload)
{
	bool longer = payload > SHORT_MOST;
	const char *generator = longer ? "02e6fe4xh4x9kyh" : "em3gqeeelmcss";
	struct division d = {.n = strlen(generator), .target = longer ? "secretshare32ex" : "secretshare32"};

	for (size_t i = 0; i < d.n; i++)
		d.generator[i] = bech32_value(generator[i]);
	d.rest[d.n - 1] = 1;
	for (const char *c = hrp; *c; c++)
		divide(&d, (uint8_t)*c >> 5);
	divide(&d, 0);
	for (const char *c = hrp; *c; c++)
		divide(&d, (uint8_t)*c & 31);
	return d;
}

/* rest becomes its difference from that of a right text.  Is there none? */
static bool division_end(struct division *d)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < d->n; i++)
		differs |= d->rest[i] ^= bech32_value(d->target[i]);
	return !differs;
}

/* Of all symbols behind the '1'; *ret_rest: the difference, or NULL. */
static bool is_right(const char *hrp, const uint8_t *data, size_t n, size_t payload, struct division *ret)
{
	struct division d = division_begin(hrp, payload);
	bool right;

	for (size_t i = 0; i < n; i++)
		divide(&d, data[i]);
	right = division_end(&d);
	if (ret)
		*ret = d;
	sodium_memzero(&d, sizeof(d));
	return right;
}

/* ---- text ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool one_case(const char *s)
{
	bool has_lower = false, has_upper = false;

	for (; *s; s++) {
		has_lower |= *s >= 'a' && *s <= 'z';
		has_upper |= *s >= 'A' && *s <= 'Z';
	}
	return !(has_lower && has_upper);
}

static bool begins(const char *s, const char *hrp)
{
	for (; *hrp; s++, hrp++)
		if (lower(*s) != *hrp)
			return false;
	return *s == '1';
}

static int malformed(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_MALFORMED, "E-SHARE-01", "%s", why);
}

/* How many symbols of payload a text of n has; 0: none has this length. */
static size_t payload_of(size_t n)
{
	size_t payload = n <= HEADER + SHORT_MOST + 13 ? n - HEADER - 13 : n - HEADER - CHECK_MOST;
	bool fits = n >= HEADER + LEAST + 13 && n <= DATA_MOST &&
		    (n <= HEADER + SHORT_MOST + 13 || payload > SHORT_MOST);

	return fits && payload * 5 % 8 <= 4 ? payload : 0;
}

static int read_data(
    const char *hrp, const char *s, size_t n, struct codex32 *c, uint8_t *data, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		data[i] = bech32_value(lower(s[i]));
		if (data[i] == BECH32_NONE)
			return malformed(err, text("it holds a character that none of them has"));
	}
	c->n = payload_of(n);
	if (!c->n)
		return malformed(err, text("it is too short or too long"));
	if (!is_right(hrp, data, n, c->n, NULL))
		return err_set_kind(err, ERR_MALFORMED, "E-SHARE-02", "%s",
		    text("a character is wrong: the checksum does not fit"));
	c->k = (uint8_t)(s[0] - '0');
	c->index = lower(s[5]);
	if (s[0] < '0' || s[0] > '9' || s[0] == '1')
		return malformed(err, text("it does not say how many are needed"));
	if (s[0] == '0' && c->index != 's')
		return malformed(err, text("it is a share that needs no other"));
	for (size_t i = 0; i < 4; i++)
		c->id[i] = lower(s[1 + i]);
	memcpy(c->symbol, data + HEADER, c->n);
	return 0;
}

int codex32_read(const char *hrp, const char *s, struct codex32 *ret, struct err *err)
{
	uint8_t data[DATA_MOST];
	struct codex32 c = {.n = 0};
	size_t n, prefix = strlen(hrp) + 1;
	int r;

	if (!one_case(s))
		return malformed(err, text("upper and lower case are mixed"));
	if (!begins(s, hrp)) {
		err_set_kind(err, ERR_MALFORMED, "E-SHARE-01", text("it does not begin with '%s1'"), hrp);
		return -1;
	}
	n = strlen(s + prefix);
	if (n > sizeof(data) || n < HEADER)
		return malformed(err, text("it is too short or too long"));
	r = read_data(hrp, s + prefix, n, &c, data, err);
	if (!r)
		*ret = c;
	sodium_memzero(data, sizeof(data));
	sodium_memzero(&c, sizeof(c));
	return r;
}

char *codex32_write(const char *hrp, const struct codex32 *c, char out[CODEX32_TEXT])
{
	struct division d = division_begin(hrp, c->n);
	size_t prefix = strlen(hrp) + 1;
	char *o = out + prefix, *p;

	memcpy(out, hrp, prefix - 1);
	out[prefix - 1] = '1';
	*o++ = (char)('0' + c->k);
	memcpy(o, c->id, 4);
	o += 4;
	*o++ = c->index;
	for (size_t i = 0; i < c->n; i++)
		*o++ = bech32_character(c->symbol[i]);
	for (p = out + prefix; p < o; p++)
		divide(&d, bech32_value(*p));
	for (size_t i = 0; i < d.n; i++)
		divide(&d, 0);
	division_end(&d);
	for (size_t i = 0; i < d.n; i++)
		*o++ = bech32_character(d.rest[i]);
	*o = '\0';
	sodium_memzero(&d, sizeof(d));
	return out;
}

/* The marks that people and keyboards put between groups. */
static bool is_between(uint32_t cp)
{
	return cp <= ' ' || cp == '-' || cp == 0xa0 || cp == 0x3000 || cp == 0x30fc || cp == 0x2212 ||
	       cp == 0xff0d || cp == 0xff70 || (cp >= 0x2010 && cp <= 0x2015);
}

bool codex32_tidy(const char *typed, char out[CODEX32_TEXT])
{
	size_t left = strlen(typed), n = 0;
	uint32_t cp;

	while (left && n < CODEX32_TEXT - 1) {
		size_t len = width_decode(typed, left, &cp);

		if (cp > 0xff00 && cp < 0xff5f) /* full-width ASCII */
			cp -= 0xfee0;
		if (!is_between(cp))
			out[n++] = cp < 0x7f ? lower((char)cp) : '?';
		typed += len;
		left -= len;
	}
	out[n] = '\0';
	return !left;
}

/* ---- where is it wrong ---- */

__extension__ typedef unsigned __int128 whole_rest; /* of up to 15 symbols */

/* What one error does to the rest. */
struct effect {
	whole_rest rest;
	uint8_t at, symbol;
};

struct search {
	const char *hrp;
	const uint8_t *data;
	size_t n, payload;
	struct effect *effect; /* in the order of `rest` */
	size_t n_effects;
	struct codex32_places *found;
};

static whole_rest rest_of(const struct division *d)
{
	whole_rest r = 0;

	for (size_t i = 0; i < d->n; i++)
		r = r << 5 | d->rest[i];
	return r;
}

static int by_rest(const void *a, const void *b)
{
	const struct effect *x = a, *y = b;

	return (x->rest > y->rest) - (x->rest < y->rest);
}

static void list_effects(struct search *s)
{
	struct division d = division_begin("", s->payload);

	for (uint8_t e = 1; e < 32; e++) {
		memset(d.rest, 0, sizeof(d.rest));
		d.rest[d.n - 1] = e;
		for (size_t at = s->n; at-- > 0; divide(&d, 0))
			s->effect[s->n_effects++] = (struct effect){rest_of(&d), (uint8_t)at, e};
	}
	qsort(s->effect, s->n_effects, sizeof(*s->effect), by_rest);
}

/* Is `rest` what `errors` errors leave?  Then their places are noted. */
static bool find_errors(struct search *s, whole_rest rest, size_t errors)
{
	const struct effect wanted = {.rest = rest};
	const struct effect *e;

	if (errors == 1) {
		e = bsearch(&wanted, s->effect, s->n_effects, sizeof(*e), by_rest);
		if (!e)
			return false;
		s->found->at[s->found->n++] = e->at;
		return true;
	}
	for (e = s->effect; e < s->effect + s->n_effects; e++)
		if (find_errors(s, rest ^ e->rest, errors - 1)) {
			s->found->at[s->found->n++] = e->at;
			return true;
		}
	return false;
}

static void find_changed(struct search *s)
{
	struct division d;
	bool right = is_right(s->hrp, s->data, s->n, s->payload, &d);

	s->effect = calloc(s->n * 31, sizeof(*s->effect));
	if (s->effect && !right) {
		list_effects(s);
		for (size_t errors = 1; errors <= FOUND_MOST && !s->found->n; errors++)
			find_errors(s, rest_of(&d), errors);
	}
	free(s->effect);
	sodium_memzero(&d, sizeof(d));
}

/* s->data is one symbol too long or too short: tries every place. */
static void find_shifted(struct search *s, bool missing)
{
	uint8_t tried[DATA_MOST + 1];
	size_t n = missing ? s->n + 1 : s->n - 1;

	for (size_t at = 0; at < (missing ? n : s->n) && !s->found->n; at++)
		for (uint8_t v = 0; v < (missing ? 32 : 1) && !s->found->n; v++) {
			memcpy(tried, s->data, at);
			tried[at] = v;
			memcpy(tried + at + missing, s->data + at + !missing, n - at - missing);
			if (is_right(s->hrp, tried, n, s->payload, NULL))
				*s->found = (struct codex32_places){
				    missing ? CODEX32_MISSING : CODEX32_SURPLUS, 1, {at}};
		}
	sodium_memzero(tried, sizeof(tried));
}

void codex32_locate(const char *hrp, const char *s, size_t bytes, struct codex32_places *ret)
{
	uint8_t data[DATA_MOST + 1];
	size_t prefix = strlen(hrp) + 1, strange = 0, payload = (bytes * 8 + 4) / 5;
	size_t whole = HEADER + payload + (payload > SHORT_MOST ? CHECK_MOST : 13);
	struct search search = {.hrp = hrp, .data = data, .payload = payload, .found = ret};

	*ret = (struct codex32_places){.what = CODEX32_CHANGED};
	if (!begins(s, hrp) || strlen(s + prefix) > whole + 1 || strlen(s + prefix) + 1 < whole)
		return;
	for (s += prefix; *s; s++) {
		uint8_t v = bech32_value(*s);

		if (v == BECH32_NONE && strange++ < FOUND_MOST)
			ret->at[ret->n++] = search.n;
		data[search.n++] = v == BECH32_NONE ? 0 : v;
	}
	if (!strange && search.n == whole)
		find_changed(&search);
	else if (!strange)
		find_shifted(&search, search.n < whole);
	for (size_t i = 0; i < ret->n; i++)
		ret->at[i] += prefix;
	sodium_memzero(data, sizeof(data));
}

/* ---- k of n ---- */

static const char indices[] = "acdefghjklmnpqrtuvwxyz023456789"; /* as they are given out; not 's' */
_Static_assert(sizeof(indices) - 1 == CODEX32_N_MAX, "one index a share");

/* Of Lagrange: the point at x is the sum of all points, each times its weight.  Indices are no secret. */
static void weights(const struct codex32 *shares, size_t n, char index, uint8_t *ret)
{
	uint8_t x = bech32_value(index);

	for (size_t i = 0; i < n; i++) {
		uint8_t above = 1, below = 1, xi = bech32_value(shares[i].index);

		for (size_t j = 0; j < n; j++) {
			uint8_t xj = bech32_value(shares[j].index);

			if (j != i) {
				above = times(above, xj ^ x);
				below = times(below, xj ^ xi);
			}
		}
		ret[i] = times(above, inverse(below));
	}
}

/* The shares have one length and different indices. */
static void join(const struct codex32 *shares, size_t n, char index, struct codex32 *ret)
{
	struct codex32 c = shares[0];
	uint8_t weight[CODEX32_K_MAX];

	weights(shares, n, index, weight);
	c.index = index;
	memset(c.symbol, 0, sizeof(c.symbol));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < c.n; j++)
			c.symbol[j] ^= times(weight[i], shares[i].symbol[j]);
	*ret = c;
	sodium_memzero(&c, sizeof(c));
}

static int different_sets(const struct codex32 *a, const struct codex32 *b, struct err *err)
{
	err_set_kind(err, ERR_CONTRADICTION, "E-SHARE-03",
	    text("share '%c' is of set %s (%u needed), share '%c' of set %s (%u needed)"), a->index, a->id,
	    a->k, b->index, b->id, b->k);
	return err_hint(err, "%s", text("each paper names its set: put those of one set together"));
}

int codex32_fits(const struct codex32 *shares, size_t n, const struct codex32 *one, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct codex32 *c = &shares[i];

		if (c->k != one->k || strcmp(c->id, one->id) != 0 || c->n != one->n)
			return different_sets(c, one, err);
		if (c->index == one->index)
			return err_set_kind(err, ERR_CONTRADICTION, "E-SHARE-04",
			    text("share '%c' of set %s was given twice"), c->index, c->id);
	}
	return 0;
}

int codex32_join(const struct codex32 *shares, size_t n, char index, struct codex32 *ret, struct err *err)
{
	for (size_t i = 1; i < n; i++)
		if (codex32_fits(shares, i, &shares[i], err))
			return -1;
	if (!n || n != shares[0].k)
		return err_set(err, "E-SHARE-05", text("%zu shares were given, and exactly %u are needed"), n,
		    n ? shares[0].k : 0u);
	join(shares, n, index, ret);
	return 0;
}

size_t codex32_bytes(const struct codex32 *c, uint8_t ret[64])
{
	unsigned held = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		held = (held << 5 | c->symbol[i]) & 0xfff;
		bits += 5;
		if (bits >= 8)
			ret[n++] = (uint8_t)(held >> (bits -= 8));
	}
	return n;
}

static void put_bytes(const uint8_t *p, struct codex32 *c)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t bit = 5 * i;
		unsigned next = bit / 8 + 1 < CODEX32_KEY ? p[bit / 8 + 1] : 0;

		c->symbol[i] = (uint8_t)((p[bit / 8] << 8 | next) >> (11 - bit % 8) & 31);
	}
}

int codex32_split(const uint8_t key[CODEX32_KEY], size_t k, size_t n, const uint8_t random[CODEX32_RANDOM],
    struct codex32 *ret_shares, struct err *err)
{
	struct codex32 given[CODEX32_K_MAX]; /* the secret, and k-1 that are random: they make the curve */
	const uint8_t *r = random;

	if (k < 2 || k > CODEX32_K_MAX || n < k || n > CODEX32_N_MAX) {
		err_set_kind(err, ERR_USAGE, "E-SHARE-06", text("%zu of %zu cannot be made"), k, n);
		return err_hint(err, text("2 to %d are needed, of up to %d"), CODEX32_K_MAX, CODEX32_N_MAX);
	}
	memset(given, 0, sizeof(given));
	given[0] = (struct codex32){.k = (uint8_t)k, .index = 's', .n = KEY};
	for (size_t i = 0; i < 4; i++)
		given[0].id[i] = bech32_character(*r++ & 31);
	for (size_t i = 1; i < k; i++) {
		given[i] = given[0];
		given[i].index = indices[i - 1];
		for (size_t j = 0; j < KEY; j++)
			given[i].symbol[j] = *r++ & 31;
	}
	put_bytes(key, &given[0]);
	for (size_t i = 0; i < n; i++)
		join(given, k, indices[i], &ret_shares[i]);
	sodium_memzero(given, sizeof(given));
	return 0;
}
