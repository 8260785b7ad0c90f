/* age_header: the grammar of an age header.
 *
 *	header = "age-encryption.org/v1" LF 1*stanza "---" SP mac LF
 *	stanza = "->" 1*(SP 1*VCHAR) LF *(64 base64 LF) (0…63 base64) LF
 *
 * Everything is checked while reading, also in stanzas whose type is unknown: what is not exactly of this
 * form is refused, so two readers can never see two different headers in the same bytes. */
#include "format/crypto/age_private.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"

#define ARGS_KEPT 4 /* one more than any known type has */

struct cursor {
	const char *p;
	size_t n;
	size_t off;
};

struct span {
	const char *s;
	size_t n;
	size_t at; /* offset in the file */
};

struct args {
	size_t n; /* may exceed ARGS_KEPT */
	struct span v[ARGS_KEPT];
};

struct body {
	size_t lines;
	size_t bytes;
	uint8_t first[AGE_LINE_BYTES];
	size_t at;
};

static int malformed(size_t at, const char *what, struct err *err)
{
	return err_set(err, "E-AGE-01", text("malformed age header at byte %zu: %s"), at, what);
}

static int next_line(struct cursor *c, struct span *ret)
{
	const char *s = c->p + c->off;
	const char *nl = c->off < c->n ? memchr(s, '\n', c->n - c->off) : NULL;

	if (!nl)
		return AGE_MORE;
	*ret = (struct span){s, (size_t)(nl - s), c->off};
	c->off += ret->n + 1;
	return 0;
}

static int split_args(const struct span *line, struct args *ret, struct err *err)
{
	struct args a = {0};
	size_t start = 3;
	size_t i;

	if (line->n < 3 || memcmp(line->s, "-> ", 3) != 0)
		return malformed(
		    line->at, text("neither a stanza (\"-> ...\") nor the footer (\"--- ...\")"), err);
	for (i = start; i <= line->n; i++) {
		if (i < line->n && line->s[i] != ' ') {
			if (line->s[i] < 33 || line->s[i] > 126)
				return malformed(line->at + i, text("not a printable ASCII character"), err);
			continue;
		}
		if (i == start)
			return malformed(line->at + i, text("an empty stanza argument"), err);
		if (a.n < ARGS_KEPT)
			a.v[a.n] = (struct span){line->s + start, i - start, line->at + start};
		a.n++;
		start = i + 1;
	}
	*ret = a;
	return 0;
}

/* A full line is 48 whole bytes, so each line can be checked for itself. */
static int read_body(struct cursor *c, struct body *ret, struct err *err)
{
	struct body b = {0};
	uint8_t bytes[AGE_LINE_BYTES];
	struct span line;
	size_t n;

	b.at = c->off;
	do {
		if (next_line(c, &line))
			return AGE_MORE;
		if (line.n > AGE_COLUMNS)
			return malformed(line.at, text("a stanza line longer than 64 characters"), err);
		if (!base64_decode(line.s, line.n, BASE64_UNPADDED, bytes, sizeof(bytes), &n))
			return malformed(line.at, text("not canonical unpadded base64"), err);
		if (b.lines++ == 0)
			memcpy(b.first, bytes, n);
		b.bytes += n;
	} while (line.n == AGE_COLUMNS);
	*ret = b;
	return 0;
}

static bool span_is(const struct span *s, const char *word)
{
	return s->n == strlen(word) && memcmp(s->s, word, s->n) == 0;
}

/* Decimal without sign and leading zero.  A number of many digits is well-formed, only far out of range. */
static int parse_log_n(const struct span *s, int *ret, struct err *err)
{
	int v = 0;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->s[i] < '0' || s->s[i] > '9' || (i == 0 && s->s[i] == '0'))
			return malformed(
			    s->at + i, text("the scrypt work factor is not a plain decimal number"), err);
		v = v < 1000 ? v * 10 + (s->s[i] - '0') : v;
	}
	*ret = v;
	return 0;
}

static int fill_known(struct age_stanza *st, const struct args *a, const struct body *b, struct err *err)
{
	bool scrypt = span_is(&a->v[0], "scrypt");
	size_t want = scrypt ? AGE_SALT : AGE_KEY;
	size_t n;

	st->type = scrypt ? AGE_SCRYPT : AGE_X25519;
	if (a->n != (scrypt ? 3 : 2))
		return malformed(st->at, text("wrong number of arguments for the stanza's type"), err);
	if (!base64_decode(a->v[1].s, a->v[1].n, BASE64_UNPADDED, st->arg, want, &n) || n != want)
		return malformed(a->v[1].at, text("not canonical unpadded base64 of the right length"), err);
	if (b->lines != 1 || b->bytes != AGE_WRAPPED)
		return malformed(b->at, text("the wrapped file key is not 32 bytes"), err);
	memcpy(st->body, b->first, AGE_WRAPPED);
	return scrypt ? parse_log_n(&a->v[2], &st->log_n, err) : 0;
}

static int grow_stanzas(struct age_header *h, struct err *err)
{
	/* powers of two: full exactly when n is one */
	if ((h->n_known & (h->n_known - 1)) == 0) {
		struct age_stanza *p = reallocarray(h->known, h->n_known ? 2 * h->n_known : 1, sizeof(*p));

		if (!p)
			return err_nomem(err);
		h->known = p;
	}
	return 0;
}

static int parse_stanza(struct cursor *c, const struct span *line, struct age_header *h, struct err *err)
{
	struct args args = {0};
	struct body body;
	int r;

	if (split_args(line, &args, err))
		return -1;
	r = read_body(c, &body, err);
	if (r)
		return r;
	h->n_stanzas++;
	if (!span_is(&args.v[0], "X25519") && !span_is(&args.v[0], "scrypt"))
		return 0;
	if (grow_stanzas(h, err))
		return -1;
	h->known[h->n_known] = (struct age_stanza){.at = line->at};
	return fill_known(&h->known[h->n_known++], &args, &body, err);
}

static int check_whole(const struct age_header *h, struct err *err)
{
	size_t i;

	if (h->n_stanzas == 0)
		return malformed(AGE_VERSION_LINE_LEN, text("no recipient stanza"), err);
	for (i = 0; i < h->n_known; i++)
		if (h->known[i].type == AGE_SCRYPT && h->n_stanzas != 1)
			return malformed(h->known[i].at, text("a scrypt stanza must be the only one"), err);
	return 0;
}

static int parse_footer(const struct span *line, struct age_header *h, struct err *err)
{
	size_t n;

	if (line->n < 4 || line->s[3] != ' ' ||
	    !base64_decode(line->s + 4, line->n - 4, BASE64_UNPADDED, h->mac, AGE_MAC, &n) || n != AGE_MAC)
		return malformed(
		    line->at, text("the footer is not \"--- \" and 43 characters of base64"), err);
	return check_whole(h, err);
}

static int parse_lines(struct cursor *c, struct age_header *h, struct err *err)
{
	size_t start = c->n < AGE_VERSION_LINE_LEN ? c->n : AGE_VERSION_LINE_LEN;
	struct span line;
	int r;

	if (start && memcmp(c->p, AGE_VERSION_LINE, start) != 0)
		return malformed(0, text("the first line is not \"age-encryption.org/v1\""), err);
	if (start < AGE_VERSION_LINE_LEN)
		return AGE_MORE;
	c->off = start;
	for (;;) {
		if (next_line(c, &line))
			return AGE_MORE;
		if (line.n >= 3 && memcmp(line.s, "---", 3) == 0)
			break;
		r = parse_stanza(c, &line, h, err);
		if (r)
			return r;
	}
	if (parse_footer(&line, h, err))
		return -1;
	h->text_len = line.at + 3;
	h->text = malloc(h->text_len);
	if (!h->text)
		return err_nomem(err);
	memcpy(h->text, c->p, h->text_len);
	return 0;
}

int age_header_parse(const void *p, size_t n, struct age_header **ret, size_t *ret_len, struct err *err)
{
	struct cursor c = {p, n < AGE_HEADER_MAX ? n : AGE_HEADER_MAX, 0};
	struct age_header *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return err_nomem(err);
	r = parse_lines(&c, h, err);
	if (r == AGE_MORE && n >= AGE_HEADER_MAX)
		r = malformed(AGE_HEADER_MAX, text("the header does not end within 1 MiB"), err);
	if (r) {
		age_header_free(h);
		return r;
	}
	*ret = h;
	*ret_len = c.off;
	return 0;
}

void age_header_free(struct age_header *h)
{
	if (!h)
		return;
	free(h->known);
	free(h->text);
	free(h);
}

size_t age_header_stanzas(const struct age_header *h)
{
	return h->n_stanzas;
}

bool age_header_is_scrypt(const struct age_header *h)
{
	return h->n_known == 1 && h->known[0].type == AGE_SCRYPT;
}

bool age_is_age(const void *p, size_t n)
{
	return n >= AGE_VERSION_LINE_LEN && memcmp(p, AGE_VERSION_LINE, AGE_VERSION_LINE_LEN) == 0;
}
