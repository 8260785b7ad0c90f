/* procedure_html: text into markup (see procedure_html_private.h). */
#include "format/procedure/procedure_html_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/procedure/procedure_private.h"

#define FILLED_MAX ((size_t)1 << 20)

void sheet_markup(struct sheet *s, const char *literal)
{
	if (!s->r)
		s->r = buf_puts(s->out, literal, s->err);
}

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

static void put_text(struct sheet *s, const char *text, bool escape, bool breaks)
{
	size_t n = strlen(text);
	uint32_t cp;

	while (n && !s->r) {
		size_t len = width_decode(text, n, &cp);
		const char *as = escape ? entity(cp) : NULL;

		if (as)
			s->r = buf_puts(s->out, as, s->err);
		else if (cp == '\n' && breaks)
			s->r = buf_puts(s->out, "<br/>", s->err);
		else if (cp != '\r' && !is_sayable(cp))
			s->r = buf_puts(s->out, "\xef\xbf\xbd", s->err);
		else if (cp != '\r')
			s->r = buf_append(s->out, text, len, s->err);
		text += len;
		n -= len;
	}
}

void sheet_text(struct sheet *s, const char *text)
{
	put_text(s, text, true, true);
}

void sheet_pre(struct sheet *s, const char *text)
{
	put_text(s, text, true, false);
}

void sheet_rendered(struct sheet *s, const char *html)
{
	put_text(s, html, false, false);
}

void sheet_template(struct sheet *s, const char *template)
{
	BUF_AUTO filled = BUF_INIT(FILLED_MAX);

	if (s->r)
		return;
	s->r = procedure_fill(template, s->page->lookup, s->page->arg, true, &filled, s->err);
	if (!s->r)
		s->r = buf_terminate(&filled, s->err);
	if (!s->r)
		sheet_text(s, (const char *)filled.p);
}

void sheet_row_begin(struct sheet *s, const char *label)
{
	sheet_markup(s, "<tr><th>");
	sheet_text(s, label);
	sheet_markup(s, "</th><td>");
}

void sheet_row_end(struct sheet *s)
{
	sheet_markup(s, "</td></tr>\n");
}

void sheet_row(struct sheet *s, const char *label, const char *text)
{
	sheet_row_begin(s, label);
	sheet_text(s, text);
	sheet_row_end(s);
}

void sheet_mark(struct sheet *s, enum procedure_mark mark, const char *word)
{
	static const struct {
		const char *sign, *word;
	} marks[] = {
	    [PROCEDURE_MARK_NONE] = {"□", ""},
	    [PROCEDURE_MARK_PASSED] = {"○", TEXT_LATER("Passed")},
	    [PROCEDURE_MARK_LATE] = {"△", TEXT_LATER("Over time")},
	    [PROCEDURE_MARK_FAILED] = {"×", TEXT_LATER("Failed")},
	    [PROCEDURE_MARK_NOT_DONE] = {"—", TEXT_LATER("Not done")},
	};

	sheet_markup(s, "<span class=\"stamp\">");
	sheet_markup(s, marks[mark].sign);
	sheet_markup(s, " ");
	sheet_text(s, word ? word : *marks[mark].word ? text(marks[mark].word) : "");
	sheet_markup(s, "</span>");
}
