/* age_armor: the ASCII armour of age files (C2SP age.md, "ASCII armor": RFC 7468 strict, 64 columns,
 * canonical base64; white space only before the first and behind the last line; CRLF as good as LF). */
#include "format/crypto/age_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"

#define BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define END   "-----END AGE ENCRYPTED FILE-----"

struct text_in {
	const char *p;
	size_t n;
	size_t off;
	size_t line; /* number of the line read last */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next line without its LF or CRLF; false at the end. */
static bool next_line(struct text_in *in, const char **ret_s, size_t *ret_n)
{
	const char *s = in->p + in->off;
	const char *nl;
	size_t n;

	if (in->off == in->n)
		return false;
	nl = memchr(s, '\n', in->n - in->off);
	n = nl ? (size_t)(nl - s) : in->n - in->off;
	in->off += n + (nl != NULL);
	in->line++;
	*ret_s = s;
	*ret_n = n && s[n - 1] == '\r' ? n - 1 : n;
	return true;
}

static bool line_is(const char *s, size_t n, const char *want)
{
	return n == strlen(want) && memcmp(s, want, n) == 0;
}

static int refuse_armor(const struct text_in *in, const char *what, struct err *err)
{
	return err_set(err, "E-AGE-01", text("malformed age armour, line %zu: %s"), in->line, what);
}

static size_t skip_space(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_space(p[i]))
		i++;
	return i;
}

bool age_is_armored(const void *p, size_t n)
{
	size_t skip = skip_space(p, n);

	return n - skip >= sizeof(BEGIN) - 1 && memcmp((const char *)p + skip, BEGIN, sizeof(BEGIN) - 1) == 0;
}

static int decode_line(const struct text_in *in, const char *s, size_t n, uint8_t out[AGE_LINE_BYTES],
    size_t *ret_n, struct err *err)
{
	if (n == 0)
		return refuse_armor(in, text("an empty line"), err);
	if (n > AGE_COLUMNS)
		return refuse_armor(in, text("longer than 64 characters"), err);
	if (!base64_decode(s, n, BASE64_PADDED, out, AGE_LINE_BYTES, ret_n))
		return refuse_armor(in, text("not canonical base64"), err);
	return 0;
}

static int decode_body(struct text_in *in, struct buf *out, struct err *err)
{
	uint8_t bytes[AGE_LINE_BYTES];
	size_t got = AGE_LINE_BYTES;
	const char *s;
	size_t n;

	while (next_line(in, &s, &n)) {
		if (line_is(s, n, END))
			return 0;
		if (got != AGE_LINE_BYTES)
			return refuse_armor(in, text("something behind a short line"), err);
		if (decode_line(in, s, n, bytes, &got, err) || buf_append(out, bytes, got, err))
			return -1;
	}
	return refuse_armor(in, text("the end line is missing"), err);
}

int age_dearmor(const void *p, size_t n, struct buf *out, struct err *err)
{
	struct text_in in = {p, n, 0, 0};
	size_t start = out->n;
	const char *s = "";
	size_t len = 0;

	do {
		if (!next_line(&in, &s, &len))
			return refuse_armor(&in, text("the first line is missing"), err);
	} while (skip_space(s, len) == len);
	if (!line_is(s, len, BEGIN))
		return refuse_armor(&in, text("not \"-----BEGIN AGE ENCRYPTED FILE-----\""), err);
	if (decode_body(&in, out, err)) {
		out->n = start;
		return -1;
	}
	if (skip_space(in.p + in.off, n - in.off) != n - in.off) {
		out->n = start;
		return refuse_armor(&in, text("something behind the end line"), err);
	}
	return 0;
}
