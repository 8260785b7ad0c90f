/* guard: see guard.h.
 *
 * guard_judge(), in order: canaries → what the census shows beyond what was measured is added (compare_census()) → a
 * command's output is judged by its kind → else every figure by judge_figure(): this capture against limit and habit, then the
 * sums over GUARD_WINDOW and over GUARD_HISTORY captures; then what has no history here: bytes that are harmed, and what strata.h
 * found out of the ordinary.  Each that is raised makes the capture suspect.
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

enum figure { HARMED, SEALED, REPLACED, CHANGED, DELETED, RENAMED, FIGURES };

/* From which on a figure is raised, for sensitivity low, normal, high.  Shares in per mille of the files that
 * there were.  few: a data set so small that `count` is out of reach is raised at one file in so many; 0:
 * never.  window: sums over GUARD_WINDOW captures; count 0: not summed. */
static const struct limit {
	unsigned count[N_SENSITIVITY], share[N_SENSITIVITY], share_unlearned[N_SENSITIVITY];
	unsigned few;
	unsigned window_count[N_SENSITIVITY], window_share[N_SENSITIVITY];
} limits[FIGURES] = {
    [HARMED] = {{20, 5, 2}, {20, 5, 1}, {20, 5, 1}, 4, {40, 8, 3}, {30, 8, 2}},
    [SEALED] = {{40, 10, 5}, {50, 8, 3}, {100, 30, 10}, 2, {80, 20, 8}, {80, 12, 5}},
    [REPLACED] = {{40, 10, 5}, {100, 8, 5}, {200, 60, 20}, 2, {80, 20, 10}, {150, 12, 10}},
    [CHANGED] = {{100, 30, 15}, {600, 300, 120}, {950, 800, 500}, 0, {0}, {0}},
    [DELETED] = {{100, 30, 15}, {500, 250, 100}, {800, 500, 250}, 0, {0}, {0}},
    [RENAMED] = {{100, 40, 20}, {800, 500, 200}, {950, 800, 500}, 0, {0}, {0}},
};
static const enum guard_reason figure_reasons[FIGURES] = {
    [HARMED] = GUARD_R_HARM,
    [SEALED] = GUARD_R_SEALED,
    [REPLACED] = GUARD_R_NEWKIND,
    [CHANGED] = GUARD_R_CHANGED,
    [DELETED] = GUARD_R_DELETED,
    [RENAMED] = GUARD_R_RENAMED,
};
/* Of one folder, or one kind of files, much may be sealed or replaced on purpose: a table of accounts, an export in another format.
 * Of less than so many former extensions it takes this share of all files, in per mille. */
#define BREADTH 3
static const unsigned narrow_share[N_SENSITIVITY] = {500, 200, 100};
/* Few files of a large data set, but a share (one in so many) of all that were touched. */
#define HARM_OF_TOUCHED 20
/* Bytes that are harmed, in per mille of all: one database may be most of a data set. */
static const unsigned harmed_bytes_share[N_SENSITIVITY] = {200, 50, 20};
#define HARMED_BYTES_LEAST (UINT64_C(4) << 20) /* below that it is their number that tells */
/* Out of the ordinary by folder (strata.h): in FOLDERS of them at the least, and one in FOLDERS_SHARE; files, and their share. */
#define FOLDERS	      3
#define FOLDERS_SHARE 4
static const struct {
	unsigned count[N_SENSITIVITY], share[N_SENSITIVITY];
} removed_limit = {{30, 8, 4}, {15, 5, 3}}, rewritten_limit = {{40, 12, 6}, {20, 6, 4}},
  emptied_limit = {{100, 40, 20}, {50, 5, 3}};
static const double spread[N_SENSITIVITY] = {10, 7, 5};

#define FIGURE(member, always)                                                                               \
	{                                                                                                    \
#member, offsetof(struct guard, member), always                                              \
	}
const struct guard_figure guard_figures[GUARD_FIGURES] = {
    FIGURE(before, true),
    FIGURE(added, true),
    FIGURE(changed, true),
    FIGURE(deleted, true),
    FIGURE(renamed, true),
    FIGURE(dense, true),
    FIGURE(lost, true),
    FIGURE(strange, true),
    FIGURE(canaries, true),
    FIGURE(broken, false),
    FIGURE(sealed, false),
    FIGURE(alien, false),
    FIGURE(harmed, false),
    FIGURE(harmed_bytes, false),
    FIGURE(bytes, false),
    FIGURE(sound, false),
    FIGURE(folders, false),
    FIGURE(removed, false),
    FIGURE(removed_in, false),
    FIGURE(rewritten, false),
    FIGURE(rewritten_in, false),
    FIGURE(emptied, false),
    FIGURE(oldest, false),
    FIGURE(sealed_in, false),
    FIGURE(replaced_in, false),
    FIGURE(tables, false),
    FIGURE(tables_harmed, false),
    FIGURE(rows, false),
};
_Static_assert(sizeof(guard_figures) / sizeof(*guard_figures) == GUARD_FIGURES, "as guard.h says");

uint64_t guard_figure(const struct guard *g, const struct guard_figure *f)
{
	uint64_t v;

	memcpy(&v, (const char *)g + f->offset, sizeof(v));
	return v;
}

void guard_set_figure(struct guard *g, const struct guard_figure *f, uint64_t v)
{
	memcpy((char *)g + f->offset, &v, sizeof(v));
}

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
	/* not those that are of the state that a capture found: strata.h remembers its own */
	static const size_t counted[] = {offsetof(struct guard, added), offsetof(struct guard, changed),
	    offsetof(struct guard, deleted), offsetof(struct guard, renamed), offsetof(struct guard, lost),
	    offsetof(struct guard, dense), offsetof(struct guard, broken), offsetof(struct guard, sealed),
	    offsetof(struct guard, alien), offsetof(struct guard, harmed),
	    offsetof(struct guard, harmed_bytes), offsetof(struct guard, sound),
	    offsetof(struct guard, oldest), offsetof(struct guard, strange)};

	for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
		const struct guard_figure f = {NULL, counted[i], false};

		guard_set_figure(to, &f, sum(guard_figure(to, &f), guard_figure(more, &f)));
	}
	to->sealed_in = to->sealed_in > more->sealed_in ? to->sealed_in : more->sealed_in;
	to->replaced_in = to->replaced_in > more->replaced_in ? to->replaced_in : more->replaced_in;
}

bool guard_is_quiet(const struct guard *g)
{
	return !g->added && !g->changed && !g->deleted && !g->renamed && !g->harmed && !g->sealed &&
	       !g->strange;
}

void guard_count(struct guard_census *c, const struct profile *p)
{
	const enum profile_sign sign = profile_sign(p);

	c->taken = true;
	c->files++;
	c->formats += kind_is_format(p->kind) || sign == SIGN_TEXT || sign == SIGN_SEALED;
	c->opaque += sign == SIGN_OPAQUE;
	c->zero += p->kind == KIND_ZERO;
}

bool guard_looks_empty(const struct guard_census *c)
{
	return c->zero >= ZERO_LEAST && c->zero > c->files / ZERO_SHARE;
}

bool guard_looks_encrypted(const struct guard_census *c)
{
	return c->opaque >= OPAQUE_LEAST && c->opaque > c->files / 2;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t figure_of(const struct guard *g, enum figure f)
{
	switch (f) {
	case HARMED: /* records of before say the others only */
		return most(g->harmed, most(g->lost, g->dense));
	case SEALED:
		return g->sealed;
	case REPLACED: /* new names of a new kind, where old ones went */
		return least(g->strange, sum(g->renamed, g->deleted));
	case CHANGED:
		return less(g->changed, g->sound);
	case DELETED:
		return less(g->deleted, g->oldest);
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

/* It was raised, and somebody had announced it: nobody looked at the files. */
static bool was_announced(const struct guard *g, enum figure f)
{
	return (g->noticed & figure_reasons[f]) != 0;
}

static struct usual usual_of(const struct guard *history, size_t n, enum figure f, unsigned s)
{
	double shares[GUARD_HISTORY], off[GUARD_HISTORY], twice;
	struct usual u = {0, 0};
	size_t captures = n < GUARD_HISTORY ? n : GUARD_HISTORY;

	n = 0;
	for (size_t i = 0; i < captures; i++)
		if (!was_announced(&history[i], f))
			shares[n++] = share_of(&history[i], f);
	if (!n)
		return u;
	u.median = middle(shares, n);
	twice = n > 1 && f > SEALED ? shares[n - 2] : 0; /* files that are harmed are never a habit */
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
	case HARMED:
		say_reason(s, text("%ju of %ju files look encrypted or destroyed"), count, before);
		return;
	case SEALED:
		say_reason(s, text("%ju of %ju files can be opened only with a password now"), count, before);
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
	case HARMED:
		say_reason(s,
		    text("over the last %u captures, %ju files came to look encrypted or destroyed"),
		    captures, count);
		return;
	case SEALED:
		say_reason(
		    s, text("over the last %u captures, %ju files came to need a password"), captures, count);
		return;
	default:
		say_reason(s,
		    text("over the last %u captures, %ju files were replaced by ones with new extensions"),
		    captures, count);
	}
}

/* ---- what was counted ---- */

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
	now->harmed = most(now->harmed, less(then->formats, sum(c->formats, gone)));
	now->harmed = most(now->harmed, less(c->zero, sum(then->zero, came)));
	now->zeroed = c->zero == GUARD_UNKNOWN ? 0 : less(c->zero, then->zero);
	now->harmed = most(now->harmed, less(c->opaque, sum(then->opaque, came)));
}

static const struct guard_census *last_census(const struct guard *history, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (history[i].census.taken)
			return &history[i].census;
	return NULL;
}

/* ---- judging ---- */

/* Is it enough by its breadth? */
static bool is_broad(const struct guard *g, enum figure f, uint64_t count, unsigned s)
{
	const uint64_t in = f == SEALED ? g->sealed_in : f == REPLACED ? g->replaced_in : BREADTH;

	return in >= BREADTH || (double)count * 1000 >= (double)g->before * narrow_share[s];
}

/* Zeros are seldom an attack: whatever gives the files failed.  Whoever reads the sentence looks there first. */
static void say_harm(struct sentence *s, const struct guard *now, uint64_t count)
{
	const uint64_t files = sum(now->before, now->added); /* harmed ones may be new */

	if (now->zeroed > count / 2)
		say_reason(s, text("%ju of %ju files hold nothing but zero bytes now"), now->zeroed, files);
	else
		say_figure(s, HARMED, count, files, 0);
}

static bool judge_newest(const struct guard *now, const struct guard *history, size_t n, enum figure f,
    unsigned s, struct sentence *out)
{
	const struct limit *l = &limits[f];
	uint64_t count = figure_of(now, f), floor = l->count[s];
	uint64_t touched = sum(now->changed, sum(now->added, now->renamed));
	double share = share_of(now, f);
	struct usual u = usual_of(history, n, f, s);
	unsigned per_mille = n < GUARD_LEARNED ? l->share_unlearned[s] : l->share[s];
	bool of_touched =
	    f == HARMED && count >= 2 * floor && touched >= count && count >= touched / HARM_OF_TOUCHED;

	if (l->few)
		floor = least(floor, now->before / l->few + (now->before % l->few != 0));
	if (!count || count < floor || (share * 1000 < per_mille && !of_touched) ||
	    (u.above > 0 && share <= u.above) || !is_broad(now, f, count, s))
		return false;
	if (f == HARMED)
		say_harm(out, now, count);
	else
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
		if (!was_announced(&history[i], f))
			total = sum(total, figure_of(&history[i], f));
	if (total < times * l->window_count[s] ||
	    (double)total * 1000 <
		(double)now->before * ((double)(times * l->window_share[s]) + 1500 * usual * captures) ||
	    !is_broad(now, f, total, s))
		return false;
	say_window(out, f, total, captures);
	return true;
}

static void judge_stream(struct guard *now, unsigned s, struct sentence *out)
{
	if (now->lost || now->broken || now->harmed) {
		now->reasons |= GUARD_R_HARM;
		say_reason(out, "%s", text("what its command gives is no longer of the kind it was"));
	}
	if (now->dense && s != 0) {
		now->reasons |= GUARD_R_DENSE;
		say_reason(
		    out, "%s", text("what its command gives became incompressible, as encryption makes it"));
	}
	if (now->sealed) {
		now->reasons |= GUARD_R_SEALED;
		say_reason(out, "%s", text("what its command gives can be opened only with a password now"));
	}
}

static bool is_above(uint64_t count, uint64_t before, const unsigned counts[N_SENSITIVITY],
    const unsigned shares[N_SENSITIVITY], unsigned s)
{
	return count >= counts[s] && (double)count * 1000 >= (double)before * shares[s];
}

static bool in_many_folders(const struct guard *g, uint64_t in)
{
	return in >= FOLDERS && in * FOLDERS_SHARE >= g->folders;
}

/* What was measured by folder, and in bytes. */
static void judge_folders(struct guard *now, unsigned s, struct sentence *out)
{
	if ((double)now->harmed_bytes * 1000 >= (double)now->bytes * harmed_bytes_share[s] &&
	    now->harmed_bytes >= HARMED_BYTES_LEAST && !(now->reasons & GUARD_R_HARM)) {
		now->reasons |= GUARD_R_HARM;
		say_reason(out, text("files that look encrypted or destroyed are %.1f %% of all bytes"),
		    100 * (double)now->harmed_bytes / (double)now->bytes);
	}
	if (is_above(now->emptied, now->before, emptied_limit.count, emptied_limit.share, s)) {
		now->reasons |= GUARD_R_DELETED;
		say_reason(out, text("nearly all of a folder was deleted, not only the oldest: %ju files"),
		    now->emptied);
	}
	if (in_many_folders(now, now->removed_in) &&
	    is_above(now->removed, now->before, removed_limit.count, removed_limit.share, s)) {
		now->reasons |= GUARD_R_DELETED;
		say_reason(out,
		    text("in %ju folders at once, %ju more files were deleted than is usual there"),
		    now->removed_in, now->removed);
	}
	if (in_many_folders(now, now->rewritten_in) &&
	    is_above(now->rewritten, now->before, rewritten_limit.count, rewritten_limit.share, s)) {
		now->reasons |= GUARD_R_CHANGED;
		say_reason(out,
		    text("in %ju folders at once, %ju more files were overwritten than is usual there"),
		    now->rewritten_in, now->rewritten);
	}
}

static bool judge_figure(const struct guard *now, const struct guard *history, size_t n, enum figure f,
    unsigned s, struct sentence *out)
{
	return judge_newest(now, history, n, f, s, out) ||
	       judge_window(now, history, n, GUARD_WINDOW, f, s, out) ||
	       judge_window(now, history, n, GUARD_HISTORY, f, s, out);
}

static void judge_reasons(
    struct guard *now, const struct guard *history, size_t n, unsigned sensitivity, char why[GUARD_WHY])
{
	unsigned s = sensitivity < N_SENSITIVITY ? sensitivity : N_SENSITIVITY - 1;
	const struct guard_census *then = now->census.taken ? last_census(history, n) : NULL;
	struct guard measured[GUARD_HISTORY];
	struct sentence out = {why, 0};
	size_t m = 0;

	if (now->canaries) {
		now->reasons |= GUARD_R_CANARY;
		say_reason(&out, text("%ju canary files were changed or are gone"), now->canaries);
	}
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
	for (enum figure f = HARMED; f < FIGURES; f++)
		if (judge_figure(now, measured, m, f, s, &out))
			now->reasons |= figure_reasons[f];
	judge_folders(now, s, &out);
}

void guard_judge(
    struct guard *now, const struct guard *history, size_t n, unsigned sensitivity, char why[GUARD_WHY])
{
	*why = '\0';
	now->reasons = 0;
	judge_reasons(now, history, n, sensitivity, why);
	now->suspect = now->reasons != 0;
}
