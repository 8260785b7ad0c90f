/* guard: see guard.h.
 *
 * guard_judge(), in order: canaries → what the census shows beyond what was measured is added (compare_census()) → a
 * command's output is judged by its kind alone → else every figure by judge_figure(): this capture against limit and habit,
 * then the sums over GUARD_WINDOW and over GUARD_HISTORY captures.  One figure that is raised makes the capture suspect.
 *
 * All sums saturate at UINT64_MAX: the history comes from a journal, and a figure must not wrap to a small one. */
#include "format/guard/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/guard/kind.h"

#define SCALE_MAD     1.4826 /* makes the median absolute deviation comparable with a standard deviation */
#define HABIT_MARGIN  1.25
#define N_SENSITIVITY 3
#define OPAQUE_LEAST  20
#define ZERO_LEAST    5
#define ZERO_SHARE    20 /* one in so many */
#define CENSUS_PASS   50 /* one in so many */
#define LONG_TIMES    2	 /* the limits of a window, for one of GUARD_HISTORY */

enum figure { LOST, DENSE, REPLACED, CHANGED, DELETED, RENAMED, FIGURES };

/* From which on a figure is raised, for sensitivity low, normal, high.  Shares in per mille of the files that
 * there were.  few: a data set so small that `count` is out of reach is raised at one file in so many; 0:
 * never.  window: sums over GUARD_WINDOW captures; count 0: not summed. */
static const struct limit {
	unsigned count[N_SENSITIVITY], share[N_SENSITIVITY], share_unlearned[N_SENSITIVITY];
	unsigned few;
	unsigned window_count[N_SENSITIVITY], window_share[N_SENSITIVITY];
} limits[FIGURES] = {
    [LOST] = {{20, 5, 2}, {20, 5, 1}, {20, 5, 1}, 4, {40, 8, 3}, {30, 8, 2}},
    [DENSE] = {{40, 10, 5}, {50, 10, 3}, {100, 30, 10}, 2, {80, 20, 8}, {80, 20, 5}},
    [REPLACED] = {{40, 10, 5}, {100, 30, 10}, {200, 60, 20}, 2, {80, 20, 10}, {150, 40, 15}},
    [CHANGED] = {{100, 30, 15}, {600, 300, 120}, {950, 800, 500}, 0, {0}, {0}},
    [DELETED] = {{100, 30, 15}, {500, 250, 100}, {800, 500, 250}, 0, {0}, {0}},
    [RENAMED] = {{100, 40, 20}, {800, 500, 200}, {950, 800, 500}, 0, {0}, {0}},
};
static const double spread[N_SENSITIVITY] = {10, 7, 5};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void guard_add(struct guard *to, const struct guard *more)
{
	to->added = sum(to->added, more->added);
	to->changed = sum(to->changed, more->changed);
	to->deleted = sum(to->deleted, more->deleted);
	to->renamed = sum(to->renamed, more->renamed);
	to->dense = sum(to->dense, more->dense);
	to->lost = sum(to->lost, more->lost);
	to->strange = sum(to->strange, more->strange);
}

bool guard_is_quiet(const struct guard *g)
{
	return !g->added && !g->changed && !g->deleted && !g->renamed && !g->dense && !g->lost && !g->strange;
}

void guard_count(struct guard_census *c, uint8_t kind)
{
	c->taken = true;
	c->files++;
	c->formats += kind_is_format(kind);
	c->opaque += kind_is_dense(kind) && !kind_is_format(kind);
	c->zero += kind == KIND_ZERO;
}

bool guard_looks_empty(const struct guard_census *c)
{
	return c->zero >= ZERO_LEAST && c->zero > c->files / ZERO_SHARE;
}

bool guard_looks_encrypted(const struct guard_census *c)
{
	return c->opaque >= OPAQUE_LEAST && c->opaque > c->files / 2;
}

static uint64_t figure_of(const struct guard *g, enum figure f)
{
	switch (f) {
	case LOST:
		return g->lost;
	case DENSE:
		return g->dense;
	case REPLACED: /* new names of a new kind, where old ones went */
		return least(g->strange, sum(g->renamed, g->deleted));
	case CHANGED:
		return g->changed;
	case DELETED:
		return g->deleted;
	default:
		return g->renamed;
	}
}

static double share_of(const struct guard *g, enum figure f)
{
	return g->before ? (double)figure_of(g, f) / (double)g->before : 0;
}

/* ---- what is usual ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct usual {
	double median, above; /* a share beyond `above` is out of the ordinary */
};

static struct usual usual_of(const struct guard *history, size_t n, enum figure f, unsigned s)
{
	double shares[GUARD_HISTORY], off[GUARD_HISTORY], twice;
	struct usual u = {0, 0};

	n = n < GUARD_HISTORY ? n : GUARD_HISTORY;
	if (!n)
		return u;
	for (size_t i = 0; i < n; i++)
		shares[i] = share_of(&history[i], f);
	u.median = middle(shares, n);
	twice = n > 1 && f > DENSE ? shares[n - 2] : 0; /* files that are harmed are never a habit */
	for (size_t i = 0; i < n; i++)
		off[i] = shares[i] > u.median ? shares[i] - u.median : u.median - shares[i];
	u.above = u.median + spread[s] * SCALE_MAD * middle(off, n);
	if (u.above < HABIT_MARGIN * twice)
		u.above = HABIT_MARGIN * twice;
	return u;
}

/* ---- the reasons, as one sentence ---- */

struct sentence {
	char *text;
	size_t n;
};

/* Appends a part whole or not at all. */
static void say_reason(struct sentence *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say_reason(struct sentence *s, const char *fmt, ...)
{
	char part[GUARD_WHY];
	const char *between = s->n ? "; " : "";
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(part) || s->n + strlen(between) + (size_t)n >= GUARD_WHY)
		return;
	s->n += (size_t)snprintf(s->text + s->n, GUARD_WHY - s->n, "%s%s", between, part);
}

static void say_figure(struct sentence *s, enum figure f, uint64_t count, uint64_t before, double usual)
{
	switch (f) {
	case LOST:
		say_reason(s,
		    text("%ju of %ju files are no longer of the kind they were (DICOM, PDF, ZIP and such), "
			 "or hold nothing but zero bytes"),
		    count, before);
		return;
	case DENSE:
		say_reason(s, text("%ju of %ju files became incompressible, as encryption makes them"), count,
		    before);
		return;
	case REPLACED:
		say_reason(s, text("%ju of %ju files were replaced by ones with extensions never seen here"),
		    count, before);
		return;
	case CHANGED:
		say_reason(
		    s, text("%ju of %ju files were changed (usual: %.1f %%)"), count, before, 100 * usual);
		return;
	case DELETED:
		say_reason(
		    s, text("%ju of %ju files were deleted (usual: %.1f %%)"), count, before, 100 * usual);
		return;
	default:
		say_reason(
		    s, text("%ju of %ju files were renamed (usual: %.1f %%)"), count, before, 100 * usual);
	}
}

static void say_window(struct sentence *s, enum figure f, uint64_t count, unsigned captures)
{
	switch (f) {
	case LOST:
		say_reason(s, text("over the last %u captures, %ju files lost the kind they were of"),
		    captures, count);
		return;
	case DENSE:
		say_reason(
		    s, text("over the last %u captures, %ju files became incompressible"), captures, count);
		return;
	default:
		say_reason(s,
		    text("over the last %u captures, %ju files were replaced by ones with new extensions"),
		    captures, count);
	}
}

/* ---- what was counted ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Files lost and dense since then, at the least: what came since may hide some.  Where which files came and
 * went is not known, what is deleted on one side and made on the other looks like a loss: a little is let
 * pass. */
static void compare_census(struct guard *now, const struct guard_census *then)
{
	const struct guard_census *c = &now->census;
	uint64_t gone = less(then->files, c->files), came = less(c->files, then->files), pass = 0;

	if (!now->measured && !now->stream) {
		now->before = then->files;
		now->deleted = most(now->deleted, gone);
		pass = then->files / CENSUS_PASS;
	}
	gone = sum(most(gone, now->deleted), pass);
	came = sum(most(came, now->added), pass);
	now->lost = most(now->lost, less(then->formats, sum(c->formats, gone)));
	now->lost = most(now->lost, less(c->zero, sum(then->zero, came)));
	now->dense = most(now->dense, less(c->opaque, sum(then->opaque, came)));
}

static const struct guard_census *last_census(const struct guard *history, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (history[i].census.taken)
			return &history[i].census;
	return NULL;
}

/* ---- judging ---- */

static bool judge_newest(const struct guard *now, const struct guard *history, size_t n, enum figure f,
    unsigned s, struct sentence *out)
{
	const struct limit *l = &limits[f];
	uint64_t count = figure_of(now, f), floor = l->count[s];
	double share = share_of(now, f);
	struct usual u = usual_of(history, n, f, s);
	unsigned per_mille = n < GUARD_LEARNED ? l->share_unlearned[s] : l->share[s];

	if (l->few)
		floor = least(floor, now->before / l->few + (now->before % l->few != 0));
	if (!count || count < floor || share * 1000 < per_mille || (u.above > 0 && share <= u.above))
		return false;
	say_figure(out, f, count, now->before, u.median);
	return true;
}

/* Harm is usual only when there is more history than the attack that made it would fill; new extensions are
 * with any program that is new. */
static bool judge_window(const struct guard *now, const struct guard *history, size_t n, size_t window,
    enum figure f, unsigned s, struct sentence *out)
{
	const struct limit *l = &limits[f];
	uint64_t total = figure_of(now, f), times = window > GUARD_WINDOW ? LONG_TIMES : 1;
	double usual = f == REPLACED || n >= 2 * GUARD_WINDOW ? usual_of(history, n, f, s).median : 0;
	unsigned captures = 1;

	if (!l->window_count[s] || !total)
		return false;
	for (size_t i = 0; i < n && captures < window && !history[i].suspect; i++, captures++)
		total = sum(total, figure_of(&history[i], f));
	if (total < times * l->window_count[s] ||
	    (double)total * 1000 <
		(double)now->before * ((double)(times * l->window_share[s]) + 1500 * usual * captures))
		return false;
	say_window(out, f, total, captures);
	return true;
}

static void judge_stream(struct guard *now, unsigned s, struct sentence *out)
{
	if (now->lost)
		say_reason(out, "%s", text("what its command gives is no longer of the kind it was"));
	if (now->dense && s != 0)
		say_reason(
		    out, "%s", text("what its command gives became incompressible, as encryption makes it"));
	now->suspect |= out->n != 0;
}

static bool judge_figure(const struct guard *now, const struct guard *history, size_t n, enum figure f,
    unsigned s, struct sentence *out)
{
	return judge_newest(now, history, n, f, s, out) ||
	       judge_window(now, history, n, GUARD_WINDOW, f, s, out) ||
	       judge_window(now, history, n, GUARD_HISTORY, f, s, out);
}

void guard_judge(
    struct guard *now, const struct guard *history, size_t n, unsigned sensitivity, char why[GUARD_WHY])
{
	unsigned s = sensitivity < N_SENSITIVITY ? sensitivity : N_SENSITIVITY - 1;
	const struct guard_census *then = now->census.taken ? last_census(history, n) : NULL;
	struct guard measured[GUARD_HISTORY];
	struct sentence out = {why, 0};
	size_t m = 0;

	*why = '\0';
	now->suspect = now->canaries != 0;
	if (now->canaries)
		say_reason(&out, text("%ju canary files were changed or are gone"), now->canaries);
	if (then)
		compare_census(now, then);
	if (!now->measured && !then)
		return;
	if (now->stream) {
		judge_stream(now, s, &out);
		return;
	}
	for (size_t i = 0; i < n && m < GUARD_HISTORY; i++)
		if (history[i].measured)
			measured[m++] = history[i];
	for (enum figure f = LOST; f < FIGURES; f++)
		now->suspect |= judge_figure(now, measured, m, f, s, &out);
}
