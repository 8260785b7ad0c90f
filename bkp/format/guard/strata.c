/* strata: see strata.h.
 *
 * Ages are counted in classes that grow by a quarter of an octave, so that old and new are compared in a fixed space.  The text of
 * strata_save(): "bkp-strata 1", "c <captures>", and a line
 * "n <table> <hash> <captures ago> <generation> <removed> <rewritten>" for each night of a stratum on which there was anything. */
#include "format/guard/strata.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fnv.h"
#include "format/guard/guard.h"

#define AGES	      64
#define HOUR_NS	      (INT64_C(3600) * SECOND_NS)
#define EMPTIED	      80 /* per cent of a stratum that is gone */
#define EMPTIED_LEAST 40
#define IN_USE_LEAST  3
#define IN_USE_SHARE  20 /* one in so many */
#define STRATA_FEW    3

enum { FOLDER, EXTENSION, TABLES };
static const unsigned windows[] = {1, 7, 30};
#define WINDOWS (sizeof(windows) / sizeof(*windows))

struct night {
	uint64_t generation;
	uint32_t removed, rewritten;
};

struct stratum {
	uint64_t hash;
	uint64_t files, gone, rewritten;
	uint32_t ages[AGES], gone_ages[AGES];
	struct night nights[STRATA_NIGHTS]; /* newest first, without this one */
};

struct table {
	struct stratum of[STRATA];
	size_t n;
};

struct strata {
	char *const *roots;
	size_t n_roots;
	int64_t now_ns;
	unsigned captures; /* before this one, at most STRATA_NIGHTS */
	struct table tables[TABLES];
	/* the folder asked for last: paths come sorted */
	char last[256];
	size_t n_last;
	uint8_t last_at;
};

int strata_new(char *const *roots, size_t n_roots, int64_t now_ns, struct strata **ret, struct err *err)
{
	struct strata *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	s->roots = roots;
	s->n_roots = n_roots;
	s->now_ns = now_ns;
	*ret = s;
	return 0;
}

void strata_free(struct strata *s)
{
	free(s);
}

void strata_begin(struct strata *s)
{
	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++) {
			struct stratum *x = &s->tables[t].of[i];

			x->files = x->gone = x->rewritten = 0;
			memset(x->ages, 0, sizeof(x->ages));
			memset(x->gone_ages, 0, sizeof(x->gone_ages));
		}
}

/* ---- which stratum ---- */

static uint8_t find_or_add(struct table *t, uint64_t hash)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->of[i].hash == hash)
			return (uint8_t)i;
	if (t->n < STRATA)
		t->of[t->n++].hash = hash;
	else
		return (uint8_t)(hash % STRATA);
	return (uint8_t)(t->n - 1);
}

/* How much of the path names its stratum: a root and the folder below it, or (*ret_below false) the root for what lies in it. */
static size_t folder_length(const struct strata *s, const char *path, bool *ret_below)
{
	*ret_below = false;
	for (size_t i = 0; i < s->n_roots; i++) {
		const char *root = s->roots[i] + 1, *slash;
		size_t n = strlen(root);

		if (n && (strncmp(path, root, n) != 0 || path[n] != '/'))
			continue;
		slash = strchr(path + n + (n > 0), '/');
		*ret_below = slash != NULL;
		return slash ? (size_t)(slash - path) : n;
	}
	return 0;
}

static uint8_t folder_of(struct strata *s, const char *path)
{
	bool below;
	size_t n;

	if (s->n_last && !strncmp(path, s->last, s->n_last) && path[s->n_last] == '/')
		return s->last_at;
	n = folder_length(s, path, &below);
	s->last_at = find_or_add(&s->tables[FOLDER], fnv_bytes(FNV_START, path, n));
	/* what lies in a root itself shares its beginning with all that lies below */
	s->n_last = below && n < sizeof(s->last) ? n : 0;
	memcpy(s->last, path, s->n_last);
	return s->last_at;
}

static uint8_t extension_of(struct strata *s, const char *path)
{
	const char *name = strrchr(path, '/'), *dot;

	name = name ? name + 1 : path;
	dot = strrchr(name, '.');
	return find_or_add(
	    &s->tables[EXTENSION], dot && dot != name ? fnv_bytes(FNV_START, dot, strlen(dot)) : 0);
}

struct strata_of strata_of(struct strata *s, const char *path)
{
	return (struct strata_of){folder_of(s, path), extension_of(s, path)};
}

/* ---- counting ---- */

/* 0: an hour or less; then four classes an octave. */
static unsigned age_class(const struct strata *s, int64_t mtime_ns)
{
	uint64_t hours = mtime_ns < s->now_ns ? (uint64_t)(s->now_ns - mtime_ns) / (uint64_t)HOUR_NS : 0;
	unsigned octave = 0, c;

	if (hours < 1)
		return 0;
	while (hours >> (octave + 1))
		octave++;
	c = 1 + 4 * octave + (octave >= 2 ? (unsigned)(hours >> (octave - 2)) & 3u : 0);
	return c < AGES ? c : AGES - 1;
}

void strata_seen(struct strata *s, const char *path, int64_t mtime_ns)
{
	struct strata_of of = strata_of(s, path);
	struct stratum *x[] = {&s->tables[FOLDER].of[of.folder], &s->tables[EXTENSION].of[of.extension]};

	for (size_t i = 0; i < TABLES; i++) {
		x[i]->files++;
		x[i]->ages[age_class(s, mtime_ns)]++;
	}
}

void strata_gone(struct strata *s, struct strata_of of, int64_t mtime_ns)
{
	struct stratum *x[] = {&s->tables[FOLDER].of[of.folder], &s->tables[EXTENSION].of[of.extension]};

	for (size_t i = 0; i < TABLES; i++) {
		x[i]->gone++;
		x[i]->gone_ages[age_class(s, mtime_ns)]++;
	}
}

void strata_rewritten(struct strata *s, struct strata_of of)
{
	s->tables[FOLDER].of[of.folder].rewritten++;
	s->tables[EXTENSION].of[of.extension].rewritten++;
}

/* ---- judging ---- */

/* Were some of those that are gone made or changed within a month: is it a folder that people work in? */
static bool was_in_use(const struct strata *s, const struct stratum *x)
{
	const unsigned month = age_class(s, s->now_ns - 30 * 24 * HOUR_NS);
	uint64_t young = 0;

	for (unsigned i = 0; i < month; i++)
		young += x->gone_ages[i];
	return young >= IN_USE_LEAST && young * IN_USE_SHARE >= x->gone;
}

/* Are those that are gone older than those that stay: in STRATA_OLDEST of 100 pairs (the area below the ROC curve)? */
static bool are_oldest(const uint32_t gone[AGES], const uint32_t stay[AGES])
{
	double pairs = 0, older = 0, younger_stay = 0, n_gone = 0, n_stay = 0;

	for (size_t i = 0; i < AGES; i++) {
		older += gone[i] * (younger_stay + stay[i] / 2.0);
		younger_stay += stay[i];
		n_gone += gone[i];
		n_stay += stay[i];
	}
	pairs = n_gone * n_stay;
	return pairs > 0 && older * 100 >= pairs * STRATA_OLDEST;
}

/* How many of them there are, or were until now. */
static unsigned count_strata(const struct table *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->of[i].files || t->of[i].gone;
	return n;
}

static uint32_t figure(const struct night *n, bool removed)
{
	return removed ? n->removed : n->rewritten;
}

/* Captures from..from+w-1, newest first. */
static uint64_t sum_of(const struct stratum *x, unsigned from, unsigned w, bool removed, unsigned captures)
{
	uint64_t sum = 0;

	for (unsigned i = from; i < from + w && i < captures; i++)
		sum += figure(&x->nights[i], removed);
	return sum;
}

/* More than this in w captures is out of the ordinary: twice the second largest of the windows before, and twice what the nights
 * but the busiest give on average. */
static uint64_t allowance(const struct stratum *x, unsigned w, bool removed, unsigned captures)
{
	uint64_t largest = 0, second = 0, busiest = 0, total = 0;
	const unsigned from = w - 1; /* those before belong to the window that is judged */

	for (unsigned i = from; i < captures; i++) {
		uint64_t v = figure(&x->nights[i], removed);

		total += v;
		busiest = v > busiest ? v : busiest;
	}
	for (unsigned i = from; i + w <= captures; i += w) {
		uint64_t v = sum_of(x, i, w, removed, captures);

		second = v > largest ? largest : v > second ? v : second;
		largest = v > largest ? v : largest;
	}
	total = captures > from + 1 ? 2 * w * (total - busiest) / (captures - from - 1) : 0;
	second *= 2;
	return (second > total ? second : total) + 1;
}

static void judge_window(const struct strata *s, const struct table *t, unsigned w, bool removed,
    uint64_t since, uint64_t *files, uint64_t *in)
{
	*files = *in = 0;
	if (s->captures < STRATA_LEARN + w - 1)
		return;
	for (size_t i = 0; i < t->n; i++) {
		const struct stratum *x = &t->of[i];
		uint64_t n = removed ? x->gone : x->rewritten, usual = allowance(x, w, removed, s->captures);

		for (unsigned k = 0; k + 1 < w && k < s->captures; k++)
			if (x->nights[k].generation > since)
				n += figure(&x->nights[k], removed);
		if (n > usual) {
			*files += n - usual;
			*in += 1;
		}
	}
}

static void judge(const struct strata *s, const struct table *t, bool removed, uint64_t since,
    uint64_t *files, uint64_t *in)
{
	uint64_t f, k;

	for (size_t i = 0; i < WINDOWS; i++) {
		judge_window(s, t, windows[i], removed, since, &f, &k);
		if (k > *in || (k == *in && f > *files)) {
			*files = f;
			*in = k;
		}
	}
}

void strata_judge(struct strata *s, uint64_t since, struct guard *ret)
{
	struct table *t = &s->tables[FOLDER];

	if (count_strata(t) < STRATA_FEW)
		t = &s->tables[EXTENSION];
	for (size_t k = 0; k < TABLES; k++) {
		struct table *each = &s->tables[k];
		for (size_t i = 0; i < each->n; i++) {
			struct stratum *x = &each->of[i];
			const bool emptied =
			    x->gone >= EMPTIED_LEAST && x->gone * 100 >= (x->gone + x->files) * EMPTIED;
			/* what stays of one may be what came in since */
			const bool oldest =
			    x->gone &&
			    (emptied || !x->files ? !was_in_use(s, x) : are_oldest(x->gone_ages, x->ages));

			if (each == &s->tables[FOLDER] && oldest)
				ret->oldest += x->gone;
			if (each == t && emptied && !oldest)
				ret->emptied += x->gone;
			if (oldest)
				x->gone = 0; /* not summed up either */
		}
		if (each == t)
			ret->folders = count_strata(each);
	}
	judge(s, t, true, since, &ret->removed, &ret->removed_in);
	judge(s, t, false, since, &ret->rewritten, &ret->rewritten_in);
}

/* ---- what is remembered ---- */

void strata_load(struct strata *s, char *p)
{
	char *save = NULL, *line = strtok_r(p, "\n", &save);
	unsigned table, ago, captures = 0;
	uint64_t hash, a, b, generation;

	if (!line || strcmp(line, "bkp-strata 1") != 0)
		return;
	while ((line = strtok_r(NULL, "\n", &save))) {
		if (sscanf(line, "n %u %" SCNx64 " %u %" SCNu64 " %" SCNu64 " %" SCNu64, &table, &hash, &ago,
			&generation, &a, &b) == 6 &&
		    table < TABLES && ago < STRATA_NIGHTS) {
			struct stratum *x = &s->tables[table].of[find_or_add(&s->tables[table], hash)];

			x->nights[ago] = (struct night){generation, (uint32_t)a, (uint32_t)b};
		} else if (sscanf(line, "c %u", &captures) == 1) {
			s->captures = captures < STRATA_NIGHTS ? captures : STRATA_NIGHTS;
		}
	}
}

static int save_night(size_t table, const struct stratum *x, unsigned ago, const struct night *n,
    struct buf *out, struct err *err)
{
	if (!n->removed && !n->rewritten)
		return 0;
	return buf_printf(out, err, "n %zu %" PRIx64 " %u %" PRIu64 " %" PRIu32 " %" PRIu32 "\n", table,
	    x->hash, ago, n->generation, n->removed, n->rewritten);
}

int strata_save(const struct strata *s, uint64_t generation, struct buf *out, struct err *err)
{
	if (buf_puts(out, "bkp-strata 1\n", err) || buf_printf(out, err, "c %u\n", s->captures + 1))
		return -1;
	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++) {
			const struct stratum *x = &s->tables[t].of[i];
			const struct night now = {generation, (uint32_t)x->gone, (uint32_t)x->rewritten};

			if (save_night(t, x, 0, &now, out, err))
				return -1;
			for (unsigned k = 0; k + 1 < STRATA_NIGHTS && k < s->captures; k++)
				if (save_night(t, x, k + 1, &x->nights[k], out, err))
					return -1;
		}
	return 0;
}
