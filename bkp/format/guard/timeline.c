/* timeline: see timeline.h. */
#include "format/guard/timeline.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/wrap.h"
#include "base/text.h"
#include "base/width.h"

#define UNUSUAL_LEAST 3
#define BAR	      3 /* columns: one for each power of ten */
#define COLUMNS	      79

enum { CHANGED, ADDED, DELETED, RENAMED, HARMED };
const char *const timeline_heads[TIMELINE_FIGURES] = {TEXT_LATER("changed"), TEXT_LATER("new"),
    TEXT_LATER("deleted"), TEXT_LATER("renamed"), TEXT_LATER("harmed")};

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One file may be harmed in several ways: the largest figure is what is known for sure, also of older records, which have no `harmed`. */
static uint64_t harmed(const struct guard *g)
{
	uint64_t files = most(most(most(g->lost, g->dense), most(g->broken, g->alien)), g->harmed);

	return most(most(files, g->sealed), most(g->canaries, g->tables_harmed));
}

uint64_t timeline_figure(const struct timeline_row *r, size_t i)
{
	const struct guard *g = &r->guard;
	const uint64_t v[TIMELINE_FIGURES] = {
	    [CHANGED] = g->changed, g->added, g->deleted, g->renamed, harmed(g)};

	return v[i];
}

/* Between powers of ten it goes evenly. */
unsigned timeline_scale(const struct timeline_row *r, size_t i)
{
	uint64_t v = timeline_figure(r, i), of = r->guard.before;
	double x, decades = 0;

	if (i == HARMED && r->guard.tables)
		of = r->guard.tables;
	x = of ? 1000 * (double)v / (double)of : 1000;
	if (x <= 1 || x >= 1000)
		return !v ? 0 : x <= 1 ? 1 : 1000;
	for (; x >= 10; x /= 10)
		decades++;
	return (unsigned)(1000 * (decades + (x - 1) / 9) / 3 + 0.5);
}

/* ---- the verdict ---- */

bool timeline_is_sign(const struct timeline_row *r)
{
	return r->verdict == TIMELINE_UNUSUAL || r->verdict == TIMELINE_SUSPECT ||
	       r->verdict == TIMELINE_HELD;
}

/* More than what is usual before it. */
static bool is_odd(const struct timeline_row *rows, size_t i)
{
	uint64_t usual = 0, now = harmed(&rows[i].guard);
	size_t seen = 0;

	for (size_t k = i; k-- && seen < GUARD_WINDOW;) {
		if (rows[k].verdict > TIMELINE_CLEAN)
			continue;
		usual = most(usual, harmed(&rows[k].guard));
		seen++;
	}
	return now >= UNUSUAL_LEAST && now > usual + usual / 4;
}

void timeline_judge(struct timeline_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct timeline_row *r = &rows[i];
		bool judged = r->guard.measured || (i && r->guard.census.taken);

		r->verdict = r->guard.suspect && r->accepted ? TIMELINE_ACCEPTED
			     : r->guard.suspect && r->held   ? TIMELINE_HELD
			     : r->guard.suspect		     ? TIMELINE_SUSPECT
			     : r->guard.noticed		     ? TIMELINE_NOTICED
			     : is_odd(rows, i)		     ? TIMELINE_UNUSUAL
			     : judged			     ? TIMELINE_CLEAN
							     : TIMELINE_UNMEASURED;
	}
}

struct timeline_found timeline_find(const struct timeline_row *rows, size_t n, uint64_t from)
{
	struct timeline_found f = {n, n, n};

	for (size_t i = 0; i < n; i++) {
		if (rows[i].number < from || !timeline_is_sign(&rows[i]))
			continue;
		f.sign = f.sign == n ? i : f.sign;
		f.alarm = f.alarm == n && rows[i].verdict != TIMELINE_UNUSUAL ? i : f.alarm;
	}
	for (size_t i = f.sign; f.sign < n && i-- && f.before == n;)
		if (!rows[i].gone && !timeline_is_sign(&rows[i]))
			f.before = i;
	return f;
}

const char *timeline_word(enum timeline_verdict v)
{
	static const char *const words[] = {
	    "unmeasured", "clean", "unusual", "noticed", "suspect", "accepted", "held"};

	return words[v];
}

const char *timeline_verdict_text(enum timeline_verdict v)
{
	static const char *const words[] = {"-", TEXT_LATER("clean"), TEXT_LATER("unusual"),
	    TEXT_LATER("noticed"), TEXT_LATER("suspect"), TEXT_LATER("accepted"), TEXT_LATER("held")};

	return text(words[v]);
}

/* ---- as text ---- */

/* A cell of so many columns, at its right end where `right`. */
static int put_cell(const char *s, int columns, bool right, struct buf *out, struct err *err)
{
	int pad = columns - (int)width_text(s);

	pad = pad > 0 ? pad : 0;
	return right ? buf_printf(out, err, "%*s%s", pad, "", s) : buf_printf(out, err, "%s%*s", s, pad, "");
}

/* "12", "99999", "123k", "1.2M": five columns at most. */
static void short_number(uint64_t v, char out[24])
{
	static const char units[] = " kMGTPE";
	double d = (double)v;
	size_t u = 0;

	if (v <= 99999) {
		snprintf(out, 24, "%ju", (uintmax_t)v);
		return;
	}
	for (; d >= 999.5; u++)
		d /= 1000;
	snprintf(out, 24, d < 9.95 ? "%.1f%c" : "%.0f%c", d, units[u]);
}

static int put_figure(const struct timeline_row *r, size_t i, struct buf *out, struct err *err)
{
	unsigned scale = timeline_scale(r, i), halves = (scale * 2 * BAR + 1) / 1000;
	char number[24], bar[BAR * 3 + 1];
	size_t n = 0;

	halves += scale && !halves;
	for (unsigned at = 0; at < halves; at += 2)
		n += (size_t)snprintf(bar + n, sizeof(bar) - n, "%s", at + 1 < halves ? "█" : "▌");
	bar[n] = '\0';
	short_number(timeline_figure(r, i), number);
	return put_cell(number, 5, true, out, err) || buf_puts(out, " ", err) ||
		       put_cell(bar, BAR, false, out, err)
		   ? -1
		   : 0;
}

static int put_why(const char *why, struct buf *out, struct err *err)
{
	char show[GUARD_WHY];

	return !*why ? 0
		     : buf_puts(out, "        ", err) ||
			   wrap_text(path_show(why, show, sizeof(show)), COLUMNS, 8, 8, out, err) ||
			   buf_puts(out, "\n", err);
}

static int put_row(const struct timeline_row *r, struct buf *out, struct err *err)
{
	char number[32], time[CLOCK_TEXT], files[24];

	snprintf(number, sizeof(number), r->gone ? "(%ju)" : "%ju", (uintmax_t)r->number);
	short_number(r->guard.census.taken ? r->guard.census.files : r->guard.before, files);
	if (put_cell(number, 7, true, out, err) ||
	    buf_printf(out, err, " %.10s ", clock_format_local(r->begun_ns, time)) ||
	    put_cell(files, 5, true, out, err))
		return -1;
	for (size_t i = 0; i < TIMELINE_FIGURES; i++)
		if (put_figure(r, i, out, err))
			return -1;
	return buf_printf(out, err, " %s\n", timeline_verdict_text(r->verdict));
}

static int put_heads(const char *dataset, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "%s\n", dataset) || put_cell(text("run"), 7, true, out, err) ||
	    buf_puts(out, " ", err) || put_cell(text("BEGUN"), 10, false, out, err) ||
	    put_cell(text("files"), 6, true, out, err))
		return -1;
	for (size_t i = 0; i < TIMELINE_FIGURES; i++)
		if (put_cell(text(timeline_heads[i]), 8, true, out, err) || buf_puts(out, " ", err))
			return -1;
	return buf_printf(out, err, " %s\n", text("verdict"));
}

static int put_found(const struct timeline_row *r, const char *what, struct buf *out, struct err *err)
{
	char time[CLOCK_TEXT];

	clock_format_local(r->begun_ns, time);
	time[10] = '\0';
	return buf_printf(out, err, "%s %s@%ju (%s, %s)\n", what, r->dataset, (uintmax_t)r->number, time,
	    timeline_verdict_text(r->verdict));
}

int timeline_text(const struct timeline_row *rows, size_t n, uint64_t from, struct buf *out, struct err *err)
{
	struct timeline_found f = timeline_find(rows, n, from);

	if (!n)
		return 0;
	if (put_heads(rows->dataset, out, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (rows[i].number >= from &&
		    (put_row(&rows[i], out, err) || (i == f.alarm && put_why(rows[i].why, out, err))))
			return -1;
	if (f.sign == n)
		return buf_printf(out, err, "%s\n",
		    text("nothing is out of the ordinary: so say the figures, which do not see everything"));
	if (put_found(&rows[f.sign], text("the first sign:"), out, err) ||
	    (f.alarm < n && f.alarm != f.sign &&
		put_found(&rows[f.alarm], text("the first alarm:"), out, err)))
		return -1;
	return f.before < n ? put_found(&rows[f.before], text("the newest before the first sign:"), out, err)
			    : buf_printf(out, err, "%s\n", text("there is none before the first sign"));
}
