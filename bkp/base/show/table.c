/* table: see table.h. */
#include "base/show/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"

#define CELLS_MAX ((size_t)1 << 20)

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

static int render_row(const struct table *t, size_t first, unsigned indent, const size_t *width,
    struct buf *out, struct err *err)
{
	size_t end = first + t->columns < t->n ? first + t->columns : t->n;
	size_t pad = indent, i;

	/* spaces are owed, and paid only when something follows: no line ends in blanks */
	for (i = first; i < end; i++) {
		size_t w = width_text(t->cell[i]);

		if (w) {
			if (buf_printf(out, err, "%*s%s", (int)pad, "", t->cell[i]))
				return -1;
			pad = 0;
		}
		pad += width[i - first] - w + 2;
	}
	return buf_puts(out, "\n", err);
}

int table_render(const struct table *t, unsigned indent, struct buf *out, struct err *err)
{
	size_t *width, i;
	int r = 0;

	if (t->failed)
		return err_nomem(err);
	width = calloc(t->columns, sizeof(*width));
	if (!width)
		return err_nomem(err);
	for (i = 0; i < t->columns; i++)
		width[i] = column_width(t, i);
	for (i = 0; i < t->n && !r; i += t->columns)
		r = render_row(t, i, indent, width, out, err);
	free(width);
	return r;
}
