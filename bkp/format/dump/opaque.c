/* opaque: see opaque.h.
 *
 * opaque_row() goes through the bytes once.  Runs of letters and digits that only escapes stand between (base64 is broken into
 * lines) are one value, decoded as they come; end_value() judges it. */
#include "format/dump/opaque.h"

#include <stdbool.h>
#include <string.h>

#include "format/guard/kind.h"

#define RUN_LEAST  24 /* characters: ciphertext of one block of AES */
#define RUN_LONG   64 /* from which on letters and digits need not be base64 */
#define TELLS	   64 /* decoded bytes */
#define RAW_LEAST  8  /* bytes */
#define VALUE_LOOK 160

struct value {
	size_t chars, n;
	bool told; /* something in it is not encoded */
	uint8_t bytes[OPAQUE_LOOK];
};

/* Letters, digits and + / = - _ */
static bool is_coded(uint8_t c)
{
	static const uint64_t mask[2] = {UINT64_C(0x23ffa80000000000), UINT64_C(0x07fffffe87fffffe)};

	return c < 128 && mask[c >> 6] >> (c & 63) & 1;
}

static int digit_of(uint8_t c, bool hex)
{
	if (c >= '0' && c <= '9')
		return hex ? c - '0' : c - '0' + 52;
	if (c >= 'A' && c <= 'Z')
		return hex ? (c <= 'F' ? c - 'A' + 10 : -1) : c - 'A';
	if (c >= 'a' && c <= 'z')
		return hex ? (c <= 'f' ? c - 'a' + 10 : -1) : c - 'a' + 26;
	return hex ? -1 : c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static void decode(struct value *v, const uint8_t *p, size_t n, bool hex)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n && v->n < OPAQUE_LOOK; i++) {
		int d = digit_of(p[i], hex);

		if (d < 0)
			return; /* padding */
		bits = (bits << (hex ? 4 : 6) | (unsigned)d) & 0xffff;
		have += hex ? 4 : 6;
		if (have >= 8) {
			have -= 8;
			v->bytes[v->n++] = (uint8_t)(bits >> have);
		}
	}
}

/* One run of a value. */
static void add_run(struct value *v, const uint8_t *p, size_t n)
{
	size_t upper = 0, lower = 0, digits = 0, hex = 0;

	if (!v->chars && n > 1 &&
	    (p[0] == 'x' || (p[0] == '0' && (p[1] | 32) == 'x'))) { /* bytea; --hex-blob */
		size_t prefix = p[0] == 'x' ? 1 : 2;

		p += prefix;
		n -= prefix;
	}
	for (size_t i = 0; i < n; i++) {
		upper += p[i] >= 'A' && p[i] <= 'Z';
		lower += p[i] >= 'a' && p[i] <= 'z';
		digits += p[i] >= '0' && p[i] <= '9';
		hex += digit_of(p[i], true) >= 0;
	}
	if (n < RUN_LEAST && !v->chars)
		return;
	v->chars += n;
	if (hex == n && digits && digits < n)
		decode(v, p, n, true);
	else if (upper > n / 7 && lower > n / 7 && upper + lower < n)
		decode(v, p, n, false);
	else if (n >= RUN_LEAST)
		v->told |= n < RUN_LONG || digits < n / 10 || upper + lower < n / 10;
}

/* The characters of it that look like ciphertext. */
static size_t end_value(struct value *v)
{
	uint8_t kind = kind_of(v->bytes, v->n);
	bool sound = v->told || kind_is_format(kind) || (v->n >= TELLS && !kind_is_dense(kind));
	size_t chars = v->chars < RUN_LEAST || sound ? 0 : v->chars;

	v->chars = v->n = 0;
	v->told = false;
	return chars;
}

size_t opaque_character(const uint8_t *p, size_t n)
{
	const size_t length = *p < 0x80	  ? 1
			      : *p < 0xc2 ? 0
			      : *p < 0xe0 ? 2
			      : *p < 0xf0 ? 3
			      : *p < 0xf5 ? 4
					  : 0;
	/* C1; longer than need be; surrogates; beyond the last one */
	const uint8_t least = *p == 0xc2 || *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
	const uint8_t most = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;

	if (length == 1)
		return (*p < ' ' && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f ? 0 : 1;
	for (size_t i = 1; i < length && i < n; i++)
		if (p[i] < (i == 1 ? least : 0x80) || p[i] > (i == 1 ? most : 0xbf))
			return 0;
	return length;
}

/* Does a value between quotes begin like a known format?  Escapes as MySQL writes them. */
static bool has_format(const uint8_t *p, size_t n)
{
	uint8_t value[VALUE_LOOK];

	for (size_t at = 0; at < n; at++) {
		size_t m = 0;

		if (p[at] != '\'')
			continue;
		for (size_t i = at + 1; i < n && m < VALUE_LOOK && p[i] != '\''; i++) {
			uint8_t c = p[i];

			if (c == '\\' && i + 1 < n) {
				c = p[++i];
				c = c == '0' ? 0 : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'Z' ? 0x1a : c;
			}
			value[m++] = c;
		}
		if (m && kind_is_format(kind_of(value, m)))
			return true;
	}
	return false;
}

unsigned opaque_row(const uint8_t *p, size_t n)
{
	struct value v = {0, 0, false, {0}};
	size_t opaque = 0, raw = 0, i = 0;

	while (i < n) {
		size_t from = i, length;

		if (p[i] == '\\') { /* an escape ends no value */
			i += 2;
			continue;
		}
		while (i < n && is_coded(p[i]))
			i++;
		if (i > from) {
			if (i - from >= RUN_LEAST || v.chars)
				add_run(&v, p + from, i - from);
			continue;
		}
		if (v.chars)
			opaque += end_value(&v);
		length = opaque_character(p + i, n - i);
		raw += !length;
		i += length ? length : 1;
	}
	opaque += end_value(&v);
	if (raw >= RAW_LEAST && !has_format(p, n))
		opaque += raw;
	return n ? (unsigned)(1000 * (opaque < n ? opaque : n) / n) : 0;
}

unsigned opaque_value(const uint8_t *p, size_t n)
{
	uint8_t kind = kind_of(p, n);

	return kind_is_dense(kind) && !kind_is_format(kind) ? 1000 : 0;
}
