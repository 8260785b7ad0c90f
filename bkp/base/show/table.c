/* table: see table.h. */
#include "base/show/table.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/show/wrap.h"
#include "base/text.h"
#include "base/width.h"

#define CELLS_MAX ((size_t)1 << 20)
#define GAP	  2  /* between columns */
#define NARROW	  24 /* columns in which a text can still be read, broken into lines */
#define FURTHER	  4  /* by which further lines of a row are indented */

struct table {
	unsigned columns;
	char **cell;
	size_t n, cap;
	bool failed;
};

struct table *table_new(unsigned columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t)
		t->columns = columns ? columns : 1;
	return t;
}

struct table *table_headed(const char *const *heads, unsigned columns)
{
	struct table *t = table_new(columns);

	for (unsigned i = 0; t && i < columns; i++)
		table_cell(t, "%s", text(heads[i]));
	return t;
}

void table_free(struct table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	int r;

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 32;
		char **p = cap > CELLS_MAX ? NULL : realloc(t->cell, cap * sizeof(*p));

		if (!p) {
			t->failed = true;
			return;
		}
		t->cell = p;
		t->cap = cap;
	}
	va_start(ap, fmt);
	r = vasprintf(&t->cell[t->n], fmt, ap);
	va_end(ap);
	if (r < 0)
		t->failed = true;
	else
		t->n++;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t i, widest = 0;

	for (i = column; i < t->n; i += t->columns) {
		size_t w = width_text(t->cell[i]);

		if (w > widest)
			widest = w;
	}
	return widest;
}

/* A table that is too wide: where each column begins, and on which line of a row. */
struct place {
	size_t width;
	unsigned line, at;
};

/* The last column may be as narrow as NARROW. */
static void place_columns(const struct table *t, unsigned indent, unsigned columns, struct place *p)
{
	unsigned line = 0, at = indent;

	for (unsigned i = 0; i < t->columns; i++) {
		size_t needs = i + 1 < t->columns || p[i].width < NARROW ? p[i].width : NARROW;

		if (i && at + needs > columns) {
			line++;
			at = indent + FURTHER;
		}
		p[i].line = line;
		p[i].at = at;
		at += (unsigned)p[i].width + GAP;
	}
}

static int fit_row(const struct table *t, size_t first, unsigned columns, const struct place *p,
    struct buf *out, struct err *err)
{
	size_t end = first + t->columns < t->n ? first + t->columns : t->n;
	unsigned line = 0, at = 0;

	for (size_t i = first; i < end; i++) {
		const struct place *c = &p[i - first];

		if (!*t->cell[i])
			continue;
		if (c->line != line && at && buf_puts(out, "\n", err))
			return -1;
		at = c->line != line ? 0 : at;
		line = c->line;
		if (buf_printf(out, err, "%*s", (int)(c->at - at), "") ||
		    wrap_text(t->cell[i], columns, c->at, c->at, out, err))
			return -1;
		at = c->at + (unsigned)width_text(t->cell[i]);
	}
	return buf_puts(out, "\n", err);
}

static int render(const struct table *t, unsigned indent, unsigned columns, struct buf *out, struct err *err)
{
	struct place *p = calloc(t->columns, sizeof(*p));
	int r = 0;

	if (!p || t->failed) {
		free(p);
		return err_nomem(err);
	}
	for (size_t i = 0; i < t->columns; i++)
		p[i].width = column_width(t, i);
	place_columns(t, indent, columns, p);
	for (size_t i = 0; i < t->n && !r; i += t->columns)
		r = fit_row(t, i, columns, p, out, err);
	free(p);
	return r;
}

int table_render(const struct table *t, unsigned indent, struct buf *out, struct err *err)
{
	return render(t, indent, UINT_MAX, out, err);
}

int table_fit(const struct table *t, unsigned indent, unsigned columns, struct buf *out, struct err *err)
{
	return render(t, indent, columns, out, err);
}
