/* days_svg: see days_svg.h. */
#include "format/page/days_svg.h"

#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "base/width.h"
#include "format/page/sheet.h"

#define LEFT   70 /* of a grid: for the rows' labels */
#define HEAD   86 /* for the columns' heads, which stand at an angle */
#define COLUMN 21
#define ROW    18
#define NAME   40 /* bytes of a head that are drawn */

#define WIDE   336 /* of the ages */
#define TALL   150
#define AXIS   30
#define BOTTOM 24

static const char *number(char out[16], double n)
{
	snprintf(out, 16, "%.1f", n);
	return out;
}

static void begin_svg(
    struct sheet *s, const char *id, const char *title, const char *desc, int wide, int tall)
{
	char w[16], h[16];

	snprintf(w, sizeof(w), "%d", wide);
	snprintf(h, sizeof(h), "%d", tall);
	sheet_piece(s, "drawing", "ID", id, "W", w, "H", h, "TITLE", title, "DESC", desc, NULL);
}

static void put_word(struct sheet *s, const char *piece, double x, double y, const char *text)
{
	char a[16], b[16];

	sheet_piece(s, piece, "X", number(a, x), "Y", number(b, y), "TEXT", text, NULL);
}

static void put_line(struct sheet *s, const char *piece, double x1, double y1, double x2, double y2)
{
	char line[80];

	snprintf(line, sizeof(line), "M%.1f %.1fL%.1f %.1f", x1, y1, x2, y2);
	sheet_piece(s, piece, "D", line, NULL);
}

/* ---- grids ---- */

void days_grid_svg(struct sheet *s, const struct days_grid *g)
{
	static const char *const pieces[] = {"sign m", "sign a", "sign x", "sign n"};
	const int wide = LEFT + COLUMN * (int)g->columns + 40, tall = HEAD + ROW * (int)g->rows + 6;
	char name[NAME];

	begin_svg(s, g->id, g->title, g->desc, wide, tall);
	for (size_t c = 0; c < g->columns; c++) {
		snprintf(name, sizeof(name), "%s", g->heads[c]);
		width_whole(name);
		put_word(s, "head word", LEFT + COLUMN * ((double)c + 0.6), HEAD - 8, name);
	}
	for (size_t r = 0; r < g->rows; r++) {
		const double y = HEAD + ROW * ((double)r + 0.75);

		put_line(s, "thin", 0, y + 4.5, wide - 40, y + 4.5);
		put_word(s, "side word", LEFT - 8, y, g->labels[r]);
		for (size_t c = 0; c < g->columns; c++) {
			const struct days_cell *at = &g->cells[r * g->columns + c];

			if (*at->sign)
				put_word(s,
				    pieces[at->kind == 'm'   ? 0
					   : at->kind == 'a' ? 1
					   : at->kind == 'x' ? 2
							     : 3],
				    LEFT + COLUMN * ((double)c + 0.5), y, at->sign);
		}
	}
	sheet_piece(s, "drawing end", NULL);
}

void days_grid_table(struct sheet *s, const struct days_grid *g)
{
	sheet_piece(s, "facts", "TITLE", g->title, NULL);
	sheet_piece(s, "facts head", "TEXT", g->corner, NULL);
	for (size_t c = 0; c < g->columns; c++)
		sheet_piece(s, "facts head", "TEXT", g->heads[c], NULL);
	sheet_piece(s, "facts rows", NULL);
	for (size_t r = 0; r < g->rows; r++) {
		sheet_piece(s, "facts row", "TEXT", g->labels[r], NULL);
		for (size_t c = 0; c < g->columns; c++)
			sheet_piece(s, "facts cell", "TEXT", g->cells[r * g->columns + c].sign, NULL);
		sheet_piece(s, "facts row end", NULL);
	}
	sheet_piece(s, "facts end", NULL);
}

/* ---- ages ---- */

struct scale {
	double step, unit; /* pixels a day, along and up */
	int32_t top;
};

static double x_of(const struct scale *c, size_t i)
{
	return AXIS + c->step * (double)i;
}

static double y_of(const struct scale *c, int32_t age)
{
	return TALL - BOTTOM - c->unit * (double)age;
}

static void put_axes(struct sheet *s, const struct days_ages *a, const struct scale *c)
{
	char word[DAY_TEXT];
	double last = -100;

	for (int32_t v = 0; v <= c->top; v += c->top / 2 ? c->top / 2 : 1) {
		snprintf(word, sizeof(word), "%d", v);
		put_line(s, "thin", AXIS, y_of(c, v), WIDE, y_of(c, v));
		put_word(s, "side word", AXIS - 4, y_of(c, v) + 4, word);
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct day d = day_split(a->from + (int32_t)i);

		if (d.mday != 1 || x_of(c, i) - last < 44 || x_of(c, i) > WIDE - 20)
			continue;
		last = x_of(c, i);
		snprintf(word, sizeof(word), "%04d-%02u", d.year, d.month);
		put_line(s, "thin", last, 8, last, TALL - BOTTOM);
		put_word(s, "foot word", last, TALL - 8, word);
	}
}

void days_ages_svg(struct sheet *s, const struct days_ages *a)
{
	struct scale c = {.top = a->limit > 7 ? a->limit : 7};
	size_t none = a->n; /* the first of those days that have none */

	for (size_t i = 0; i < a->n; i++)
		c.top = a->age[i] > c.top ? a->age[i] : c.top;
	c.step = (double)(WIDE - AXIS) / (double)(a->n ? a->n : 1);
	c.unit = (double)(TALL - BOTTOM - 10) / (double)c.top;
	begin_svg(s, a->id, a->title, a->desc, WIDE, TALL);
	put_axes(s, a, &c);
	if (a->limit)
		put_line(s, "dashed", AXIS, y_of(&c, a->limit), WIDE, y_of(&c, a->limit));
	for (size_t i = 0; i <= a->n; i++) {
		const bool is_none = i < a->n && a->age[i] < 0;

		if (is_none && none == a->n)
			none = i;
		if (!is_none && none < a->n) {
			put_line(s, "missing", x_of(&c, none), y_of(&c, 0), x_of(&c, i), y_of(&c, 0));
			put_word(s, "sign x", (x_of(&c, none) + x_of(&c, i)) / 2, y_of(&c, 0) - 4, a->none);
			none = a->n;
		}
		if (i < a->n && !is_none) {
			const double y = y_of(&c, a->age[i]);

			if (i && a->age[i - 1] >= 0)
				put_line(s, "thick", x_of(&c, i), y_of(&c, a->age[i - 1]), x_of(&c, i), y);
			put_line(s, "thick", x_of(&c, i), y, x_of(&c, i + 1), y);
		}
	}
	sheet_piece(s, "drawing end", NULL);
}
