/* path: see path.h.
 *
 * A name is a string of bytes and stays one: nothing here changes case, normalises Unicode, or asks the disk.  Three
 * forms of a name exist outside: for people (path_display() and path_show(), not reversible), for a shell (path_word()), and
 * for files of ours (path_encode(), reversible). */
#include "base/path.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"

static int sort_rank(unsigned char c)
{
	/* the end before '/', '/' before everything else */
	return c == '\0' ? -2 : c == '/' ? -1 : c;
}

int path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return sort_rank((unsigned char)*a) - sort_rank((unsigned char)*b);
}

bool path_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (n == 1 && dir[0] == '/')
		return path[0] == '/';
	return !strncmp(path, dir, n) && (path[n] == '\0' || path[n] == '/');
}

bool path_is_entry(const char *path)
{
	const char *p = path;

	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

/* Length of the valid, printable UTF-8 sequence at s (NUL-terminated), or 0. */
static size_t utf8_printable(const unsigned char *s)
{
	uint32_t cp;
	size_t n, i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	n = s[0] >= 0xf0 && s[0] <= 0xf4  ? 4
	    : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
	    : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
					  : 0;
	if (!n)
		return 0;
	cp = s[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && cp < 0x800) || (n == 4 && (cp < 0x10000 || cp > 0x10ffff)) ||
	    (cp >= 0xd800 && cp < 0xe000))
		return 0;
	/* C1 controls and what is not seen can deceive a reader of a terminal */
	if (cp < 0xa0 || width_is_deceptive(cp))
		return 0;
	return n;
}

int path_display(const char *s, struct buf *out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		size_t n = utf8_printable(p);

		if (*p == '\\') {
			if (buf_puts(out, "\\\\", err))
				return -1;
			n = 1;
		} else if (n) {
			if (buf_append(out, p, n, err))
				return -1;
		} else {
			if (buf_printf(out, err, "\\%03o", *p))
				return -1;
			n = 1;
		}
		p += n;
	}
	return 0;
}

char *path_show(const char *s, char *out, size_t size)
{
	BUF_AUTO b = BUF_INIT((size_t)1 << 20);

	if (path_display(s, &b, NULL) || buf_terminate(&b, NULL))
		snprintf(out, size, "?");
	else if (b.n < size)
		memcpy(out, b.p, b.n + 1);
	else {
		size_t n = size - 4;

		while (n && (b.p[n] & 0xc0) == 0x80) /* not inside a character */
			n--;
		snprintf(out, size, "%.*s...", (int)n, (const char *)b.p);
	}
	return out;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("_./@%+=:,-", c));
}

char *path_word(const char *s, char *out, size_t size)
{
	BUF_AUTO b = BUF_INIT((size_t)64 << 10);
	const char *p = s;
	int r;

	while (is_plain((unsigned char)*p))
		p++;
	path_show(s, out, size);
	if (*s && !*p)
		return out;
	/* what cannot be shown as it is cannot be copied either */
	r = strcmp(out, s) ? -1 : buf_puts(&b, "'", NULL);
	for (p = s; !r && *p; p++)
		r = *p == '\'' ? buf_puts(&b, "'\\''", NULL) : buf_append(&b, p, 1, NULL);
	if (r || buf_puts(&b, "'", NULL) || buf_terminate(&b, NULL) || b.n >= size)
		return path_show("?", out, size);
	memcpy(out, b.p, b.n + 1);
	return out;
}

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~/", c));
}

int path_encode(const char *s, struct buf *out, struct err *err)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (unreserved(c) ? buf_append(out, &c, 1, err) : buf_printf(out, err, "%%%02X", c))
			return -1;
	}
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int path_decode(const char *s, size_t n, struct buf *out, struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '%') {
			int hi = i + 2 < n ? hex_value(s[i + 1]) : -1;
			int lo = i + 2 < n ? hex_value(s[i + 2]) : -1;

			if (hi < 0 || lo < 0 || hi + lo == 0)
				return err_set(err, "E-PATH-01",
				    text("malformed escape at byte %zu of an encoded name"), i);
			c = (unsigned char)(hi << 4 | lo);
			i += 2;
		} else if (!unreserved(c)) {
			return err_set(
			    err, "E-PATH-01", text("malformed escape at byte %zu of an encoded name"), i);
		}
		if (buf_append(out, &c, 1, err))
			return -1;
	}
	return buf_terminate(out, err);
}
