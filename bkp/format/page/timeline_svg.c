/* timeline_svg: see timeline_svg.h.  Lengths are millimetres.  Names of data sets, numbers and texts of ours are all that it holds:
 * nothing needs to be escaped. */
#include "format/page/timeline_svg.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/guard/timeline.h"

#define LEFT   44.0
#define RIGHT  285.0
#define TOP    25.0
#define BOTTOM 195.0
#define HEAD   6.5  /* of a data set, above its strips */
#define FOOT   10.0 /* below them: signs, numbers, dates */
#define STRIP  22.0 /* at most */
#define BAR    9.0  /* at most */
#define GAP    0.6  /* between strips */
#define MARK   8.5  /* between days below it, at least */

static const char *const signs[] = {"－", "○", "△", "◇", "▲", "◎", "■"};

/* Where a data set is drawn. */
struct panel {
	const struct timeline_row *rows;
	size_t n, left_out;
	double y, strip, step;
};

static double x_of(const struct panel *p, size_t i)
{
	return LEFT + p->step * (double)i;
}

static int put_strip(const struct panel *p, size_t figure, struct buf *out, struct err *err)
{
	double y = p->y + HEAD + (p->strip + GAP) * (double)figure, base = y + p->strip;
	double end = x_of(p, p->n);
	int r = buf_printf(out, err,
	    "<path class=\"g\" d=\"M%.2f %.2fH%.2fM%.2f %.2fH%.2f\"/><path class=\"b\" d=\"M%.2f "
	    "%.2fH%.2f\"/>"
	    "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"end\">%s</text>\n",
	    LEFT, base - p->strip / 3, end, LEFT, base - p->strip * 2 / 3, end, LEFT, base, end, LEFT - 2,
	    base - p->strip / 2 + 1, text(timeline_heads[figure]));

	for (size_t i = 0; i < p->n && !r; i++) {
		double h = p->strip * timeline_scale(&p->rows[i], figure) / 1000;

		if (h > 0)
			r = buf_printf(out, err,
			    "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
			    timeline_is_sign(&p->rows[i]) ? "s" : "c", x_of(p, i) + p->step * 0.15,
			    base - (h < 0.3 ? 0.3 : h), p->step * 0.7, h < 0.3 ? 0.3 : h);
	}
	return r;
}

/* Signs below each generation; numbers and days below some. */
static int put_foot(const struct panel *p, struct buf *out, struct err *err)
{
	double y = p->y + HEAD + (p->strip + GAP) * TIMELINE_FIGURES;
	size_t every = (size_t)(MARK / p->step) + 1;
	char time[CLOCK_TEXT];
	int r = 0;

	for (size_t i = 0; i < p->n && !r; i++) {
		const struct timeline_row *row = &p->rows[i];
		double x = x_of(p, i) + p->step / 2;

		r = buf_printf(out, err, "<text class=\"m\" x=\"%.2f\" y=\"%.2f\">%s</text>\n", x, y + 2.4,
		    signs[row->verdict]);
		if (!r && i % every == 0)
			r = buf_printf(out, err,
			    "<text class=\"m\" x=\"%.2f\" y=\"%.2f\">%ju</text>"
			    "<text class=\"m\" x=\"%.2f\" y=\"%.2f\">%.5s</text>\n",
			    x, y + 5.2, (uintmax_t)row->number, x, y + 7.8,
			    clock_format_local(row->begun_ns, time) + 5);
	}
	return r;
}

/* A line between the newest generation before the first sign and the sign. */
static int put_found(const struct panel *p, struct buf *out, struct err *err)
{
	struct timeline_found f = timeline_find(p->rows, p->n, 0);
	double bottom = p->y + HEAD + (p->strip + GAP) * TIMELINE_FIGURES + 3, x;

	if (f.sign == p->n)
		return 0;
	x = x_of(p, f.sign);
	if (buf_printf(out, err, "<path class=\"l\" d=\"M%.2f %.2fV%.2f\"/>", x, p->y + HEAD - 1, bottom))
		return -1;
	return f.before < p->n
		   ? buf_printf(out, err,
			 "<text class=\"n\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"end\">%s %s@%ju</text>\n",
			 RIGHT, p->y + HEAD - 2, text("the newest before the first sign:"), p->rows->dataset,
			 (uintmax_t)p->rows[f.before].number)
		   : 0;
}

static int put_panel(const struct panel *p, struct buf *out, struct err *err)
{
	int r = buf_printf(
	    out, err, "<text class=\"d\" x=\"12\" y=\"%.2f\">%s</text>", p->y + HEAD - 2, p->rows->dataset);

	if (!r && p->left_out)
		r = buf_printf(out, err, "<text x=\"90\" y=\"%.2f\">", p->y + HEAD - 2) ||
		    buf_printf(out, err, text("%zu older generations are not drawn"), p->left_out) ||
		    buf_puts(out, "</text>", err);
	for (size_t i = 0; i < TIMELINE_FIGURES && !r; i++)
		r = put_strip(p, i, out, err);
	return r || put_foot(p, out, err) || put_found(p, out, err) ? -1 : 0;
}

static int put_legend(struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "<text x=\"12\" y=\"201\">%s", ""))
		return -1;
	for (enum timeline_verdict v = TIMELINE_CLEAN; v <= TIMELINE_HELD; v++)
		if (buf_printf(out, err, "%s %s　", signs[v], timeline_verdict_text(v)))
			return -1;
	return buf_printf(out, err, "</text><text x=\"%.2f\" y=\"201\" text-anchor=\"end\">%s</text>\n",
	    RIGHT, text("height of a bar: bottom line 0.1 %, then 1 %, 10 %, and all of the files"));
}

static int put_begin(const char *under, struct buf *out, struct err *err)
{
	return buf_printf(out, err,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"297mm\" height=\"210mm\" viewBox=\"0 0 297 "
	    "210\" "
	    "lang=\"%s\">\n<title>%s</title>\n<style>\n"
	    "@page{size:A4 landscape;margin:0}\n"
	    "text{font-family:\"Noto Sans CJK JP\",\"Noto Sans JP\",\"BIZ UDPGothic\",\"Yu Gothic\",Meiryo,"
	    "\"Hiragino Sans\",\"IPAexGothic\",\"IPAPGothic\",\"IPAGothic\",sans-serif;font-size:2.9px}\n"
	    ".t{font-size:5.6px;font-weight:bold}.d{font-size:4px;font-weight:bold}.n{font-size:3.4px;"
	    "font-weight:bold}\n"
	    ".m{font-size:2.5px;text-anchor:middle}.c{fill:#999}.s{fill:#000}\n"
	    ".g{stroke:#ccc;stroke-width:.15;fill:none}.b{stroke:#000;stroke-width:.25;fill:none}"
	    ".l{stroke:#000;stroke-width:.5;stroke-dasharray:1.6 1;fill:none}\n</style>\n"
	    "<rect width=\"297\" height=\"210\" fill=\"#fff\"/>\n"
	    "<text class=\"t\" x=\"12\" y=\"15\">%s</text>\n<text x=\"12\" y=\"20.5\">%s</text>\n",
	    text_lang() == TEXT_JA ? "ja" : "en", text("What changed, generation by generation"),
	    text("What changed, generation by generation"), under);
}

int timeline_svg(
    const struct timeline_row *rows, size_t n, const char *under, struct buf *out, struct err *err)
{
	size_t sets = n ? 1 : 0, from = 0;
	double each;
	int r = put_begin(under, out, err);

	for (size_t i = 1; i < n; i++)
		sets += strcmp(rows[i].dataset, rows[i - 1].dataset) != 0;
	each = (BOTTOM - TOP) / (double)(sets ? sets : 1);
	for (size_t k = 0; k < sets && !r; k++) {
		struct panel p = {.rows = &rows[from], .y = TOP + each * (double)k};

		while (from < n && !strcmp(rows[from].dataset, p.rows->dataset))
			from++;
		p.n = (size_t)(&rows[from] - p.rows);
		p.left_out = p.n > TIMELINE_SVG_ROWS ? p.n - TIMELINE_SVG_ROWS : 0;
		p.rows += p.left_out;
		p.n -= p.left_out;
		p.step = (RIGHT - LEFT) / (double)p.n < BAR ? (RIGHT - LEFT) / (double)p.n : BAR;
		p.strip = (each - HEAD - FOOT) / TIMELINE_FIGURES - GAP;
		p.strip = p.strip < STRIP ? p.strip : STRIP;
		r = put_panel(&p, out, err);
	}
	return r || put_legend(out, err) || buf_puts(out, "</svg>\n", err) ? -1 : 0;
}
