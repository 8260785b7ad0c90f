/* known_bad: see known_bad.h. */
#include "restore/bisect/known_bad.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define DIGITS ((size_t)2 * DIGEST_LEN)

static size_t hex_digits(const char *s, size_t n, char out[DIGITS + 1])
{
	size_t i = 0;

	for (; i < n && strchr("0123456789abcdefABCDEF", s[i]) && s[i]; i++)
		if (i < DIGITS)
			out[i] = (char)(s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i]);
	return i;
}

static int malformed(size_t line, size_t digits, bool ends, struct err *err)
{
	const char *other = !ends	    ? NULL
			    : digits == 32  ? "MD5"
			    : digits == 40  ? "SHA-1"
			    : digits == 128 ? "SHA-512"
					    : NULL;

	if (other)
		err_set_kind(err, ERR_USAGE, "E-BISECT-01", text("line %zu is %s, not SHA-256"), line, other);
	else
		err_set_kind(
		    err, ERR_USAGE, "E-BISECT-01", text("line %zu does not begin with a SHA-256"), line);
	return err_hint(
	    err, "%s", text("a line is 64 hex digits, as sha256sum writes it; comments begin with '#'"));
}

/* 0: it was taken, 1: it says nothing */
static int take_line(const char *s, size_t n, size_t line, known_bad_fn *fn, void *arg, struct err *err)
{
	char hex[DIGITS + 1] = "";
	uint8_t sha256[DIGEST_LEN];
	size_t digits;
	bool ends;

	while (n && strchr(" \t\r", s[n - 1]) && s[n - 1])
		n--;
	if (!n || *s == '#')
		return 1;
	if (*s == '\\') { /* sha256sum: the name behind it is escaped */
		s++;
		n--;
	}
	digits = hex_digits(s, n, hex);
	ends = digits == n || s[digits] == ' ' || s[digits] == '\t' || s[digits] == ',' || s[digits] == ';';
	if (digits != DIGITS || !ends || !digest_unhex(hex, DIGEST_LEN, sha256))
		return malformed(line, digits, ends, err);
	return fn(arg, sha256, err);
}

int known_bad_each(const char *list, size_t n, known_bad_fn *fn, void *arg, struct err *err)
{
	size_t taken = 0, line = 1;

	if (n >= 3 && !memcmp(list, "\xef\xbb\xbf", 3)) { /* as editors of Windows begin a file */
		list += 3;
		n -= 3;
	}
	for (; n; line++) {
		const char *end = memchr(list, '\n', n);
		size_t len = end ? (size_t)(end - list) : n;
		int r = take_line(list, len, line, fn, arg, err);

		if (r < 0)
			return r;
		taken += !r;
		len += end != NULL;
		list += len;
		n -= len;
	}
	return taken ? 0
		     : err_set_kind(err, ERR_USAGE, "E-BISECT-01", "%s", text("there is no SHA-256 in it"));
}
