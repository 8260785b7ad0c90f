/* sheet: see sheet.h. */
#include "format/page/sheet.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fill.h"
#include "base/text.h"
#include "base/width.h"
#include "format/page_html.h"

#define VALUES 6 /* of a piece, at most */

/* Neither HTML nor XML has a way to say these, or nobody would see them. */
static bool is_sayable(uint32_t cp)
{
	return cp != UINT32_MAX && (cp >= 0x20 || cp == '\n' || cp == '\t') && !(cp >= 0x7f && cp < 0xa0) &&
	       (cp & 0xfffe) != 0xfffe && !width_is_deceptive(cp) && !(cp >= 0xfdd0 && cp <= 0xfdef);
}

static const char *entity(uint32_t cp)
{
	switch (cp) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static int put_text(const char *text, bool escape, bool breaks, struct buf *out, struct err *err)
{
	size_t n = strlen(text);
	uint32_t cp;
	int r = 0;

	while (n && !r) {
		size_t len = width_decode(text, n, &cp);
		const char *as = escape ? entity(cp) : NULL;

		if (as)
			r = buf_puts(out, as, err);
		else if (cp == '\n' && breaks)
			r = buf_puts(out, "<br/>", err);
		else if (cp != '\r' && !is_sayable(cp))
			r = buf_puts(out, "\xef\xbf\xbd", err);
		else if (cp != '\r')
			r = buf_append(out, text, len, err);
		text += len;
		n -= len;
	}
	return r;
}

static int put_value(const struct fill_value *v, struct buf *out, struct err *err)
{
	return put_text(v->value, true, v->name[0] != '=', out, err);
}

/* Between "<!-- piece NAME -->" (and a line end) and "<!-- end -->". */
static const char *find_piece(const char *name, size_t *ret_n)
{
	static const char end[] = "<!-- end -->";
	const char *page = (const char *)page_html, *p, *q;
	char head[64];
	int n = snprintf(head, sizeof(head), "<!-- piece %s -->", name);

	p = memmem(page, page_html_len, head, (size_t)n);
	assert(p);
	p += n;
	p += *p == '\n';
	q = memmem(p, page_html_len - (size_t)(p - page), end, sizeof(end) - 1);
	assert(q);
	*ret_n = (size_t)(q - p);
	return p;
}

void sheet_piece(struct sheet *s, const char *piece, ...)
{
	struct fill_value values[VALUES];
	const char *p, *name;
	size_t len, n = 0;
	va_list ap;

	va_start(ap, piece);
	while ((name = va_arg(ap, const char *))) {
		assert(n < VALUES);
		values[n++] = (struct fill_value){name, va_arg(ap, const char *)};
	}
	va_end(ap);
	p = find_piece(piece, &len);
	if (!s->r)
		s->r = fill_text(p, len, values, n, put_value, s->out, s->err);
}

void sheet_rendered(struct sheet *s, const char *html)
{
	if (!s->r)
		s->r = put_text(html, false, false, s->out, s->err);
}

void sheet_row(struct sheet *s, const char *label, const char *text)
{
	sheet_piece(s, "row", "LABEL", label, "TEXT", text, NULL);
}

void sheet_begin(struct sheet *s, const char *kind, const char *title, const char *foot)
{
	sheet_piece(s, "page", "LANG", text_lang() == TEXT_JA ? "ja" : "en", "TITLE", title, "FOOT", foot,
	    "SHAPE", s->shape ? s->shape : "tall", NULL);
	sheet_piece(s, "head", "KIND", kind, "TITLE", title, NULL);
}

void sheet_end(struct sheet *s)
{
	sheet_piece(s, "page end", NULL);
}
