/* plan: see plan.h.
 *
 * Each pattern has a prefix: its leading components without a glob.  Only entries at or below the prefix can
 * be selected, so the smallest and the largest prefix bound what must be looked at (find_bounds), and the
 * next prefix says where to go on (plan_next).  A pattern that may match at any depth has the prefix "", and
 * then there is no bound.
 */
#include "restore/extract/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"

struct pattern {
	const char *given;
	char *clean;  /* without '/' at its beginning and end */
	char *prefix; /* the leading components without a glob; "" when anything may match */
	bool glob, any_depth;
	bool hit;
};

struct plan {
	struct pattern *patterns, *excluded;
	size_t n, n_excluded;
	const char *first, *last;
};

/* ---- globs ---- */

/* Length of the set at s ("[…]"), 0 when it is not closed; *ret_in says whether c is in it. */
static size_t set_match(const char *s, unsigned char c, bool *ret_in)
{
	const char *p = s + 1;
	bool negated = *p == '!' || *p == '^', in = false;

	if (negated)
		p++;
	do {
		unsigned char lo, hi;

		if (*p == '\\' && p[1])
			p++;
		if (!*p)
			return 0;
		lo = hi = (unsigned char)*p++;
		if (p[0] == '-' && p[1] && p[1] != ']') {
			hi = (unsigned char)p[1];
			p += 2;
		}
		in = in || (c >= lo && c <= hi);
	} while (*p != ']');
	*ret_in = in != negated;
	return (size_t)(p + 1 - s);
}

static size_t character_bytes(const char *s)
{
	size_t n = 1;

	/* the bytes that follow the first of a UTF-8 character belong to it; other encodings go byte by byte
	 */
	if ((unsigned char)s[0] >= 0xc0)
		while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n++;
	return n;
}

/* One element of the glob that is not a star against *name; both move on. */
static bool match_element(const char **glob, const char **name)
{
	const char *g = *glob;
	bool in = false;
	size_t n;

	if (!**name)
		return false;
	if (*g == '?') {
		if (**name == '/')
			return false;
		*glob += 1;
		*name += character_bytes(*name);
		return true;
	}
	if (*g == '[' && (n = set_match(g, (unsigned char)**name, &in)) > 0) {
		if (!in || **name == '/')
			return false;
		*glob += n;
		*name += 1;
		return true;
	}
	if (*g == '\\' && g[1])
		g++;
	if (*g != **name)
		return false;
	*glob = g + 1;
	*name += 1;
	return true;
}

/* Where matching goes back to when it fails: a star takes one more character, two stars take one more
 * character or, as a whole component, one more of those. */
struct back {
	const char *glob, *name; /* glob NULL: nowhere */
	bool components;
};

static bool take_more(struct back *star, struct back *deep, const char **glob, const char **name)
{
	if (star->glob && *star->name && *star->name != '/') {
		*name = ++star->name;
		*glob = star->glob;
		return true;
	}
	star->glob = NULL;
	if (!deep->glob || !*deep->name)
		return false;
	if (deep->components) {
		deep->name = strchr(deep->name, '/');
		if (!deep->name)
			return false;
	}
	*name = ++deep->name;
	*glob = deep->glob;
	return true;
}

/* Only the last star of each kind is gone back to: what a later one can take, an earlier one need not.  So
 * the time is bounded by the product of the lengths, squared, whatever the pattern. */
bool plan_glob(const char *glob, const char *name)
{
	struct back star = {NULL, NULL, false}, deep = {NULL, NULL, false};
	const char *start = glob;

	for (;;) {
		if (glob[0] == '*' && glob[1] == '*') {
			bool whole = glob == start || glob[-1] == '/';

			while (*glob == '*')
				glob++;
			/* between slashes: any number of components, none too */
			whole = whole && *glob == '/';
			glob += whole;
			deep = (struct back){glob, name, whole};
			star.glob = NULL;
		} else if (*glob == '*') {
			star = (struct back){++glob, name, false};
		} else if (!*glob && !*name) {
			return true;
		} else if (!*glob || !match_element(&glob, &name)) {
			if (!take_more(&star, &deep, &glob, &name))
				return false;
		}
	}
}

/* ---- patterns ---- */

static bool has_glob(const char *s)
{
	return s[strcspn(s, "*?[\\")] != '\0';
}

static int take_pattern(struct pattern *p, const char *given, struct err *err)
{
	size_t n;
	char *cut;

	p->given = given;
	while (*given == '/')
		given++;
	n = strlen(given);
	while (n && given[n - 1] == '/')
		n--;
	p->clean = strndup(given, n);
	if (!p->clean)
		return err_nomem(err);
	/* "/" alone means everything, like no pattern */
	if (n && !path_is_entry(p->clean))
		return err_set(
		    err, "E-PLAN-01", text("'%s' can select nothing: it is not a path as listed"), p->given);
	if (!n && !*p->given)
		return err_set(err, "E-PLAN-01", "%s", text("an empty path can select nothing"));
	p->glob = has_glob(p->clean);
	p->any_depth = p->glob && !strchr(p->clean, '/') && *p->given != '/';
	p->prefix = strdup(p->any_depth ? "" : p->clean);
	if (!p->prefix)
		return err_nomem(err);
	if (p->glob) {
		p->prefix[strcspn(p->prefix, "*?[\\")] = '\0';
		cut = strrchr(p->prefix, '/');
		*(cut ? cut : p->prefix) = '\0';
	}
	return 0;
}

static void find_bounds(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		const char *prefix = p->patterns[i].prefix;

		if (!*prefix) {
			p->first = p->last = NULL;
			return;
		}
		if (!p->first || path_compare(prefix, p->first) < 0)
			p->first = prefix;
		/* what is below `last` counts as within it, so a longer one below it does not move it */
		if (!p->last || (path_compare(prefix, p->last) > 0 && !path_within(prefix, p->last)))
			p->last = prefix;
	}
}

/* *ret_n counts what is to be freed, also after a fault. */
static int take_patterns(
    const char *const *given, size_t n, struct pattern **ret, size_t *ret_n, struct err *err)
{
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		*ret_n = i + 1;
		if (take_pattern(&(*ret)[i], given[i], err))
			return -1;
	}
	return 0;
}

int plan_new(char *const *patterns, size_t n, struct plan **ret, struct err *err)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(err);
	if (take_patterns((const char *const *)patterns, n, &p->patterns, &p->n, err)) {
		plan_free(p);
		return -1;
	}
	find_bounds(p);
	*ret = p;
	return 0;
}

int plan_exclude(struct plan *p, const char *const *patterns, size_t n, struct err *err)
{
	return n ? take_patterns(patterns, n, &p->excluded, &p->n_excluded, err) : 0;
}

static void free_patterns(struct pattern *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(patterns[i].clean);
		free(patterns[i].prefix);
	}
	free(patterns);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	free_patterns(p->patterns, p->n);
	free_patterns(p->excluded, p->n_excluded);
	free(p);
}

/* The glob on `path` and on each folder above it; `work` is a copy of path that may be cut. */
static bool glob_selects(const struct pattern *p, char *work)
{
	char *slash;

	for (;;) {
		slash = strrchr(work, '/');
		if (plan_glob(p->clean, p->any_depth && slash ? slash + 1 : work))
			return true;
		if (!slash)
			return false;
		*slash = '\0';
	}
}

static bool pattern_selects(const struct pattern *p, const char *path)
{
	char *work;
	bool r;

	if (!*p->clean || path_within(path, p->clean))
		return true;
	if (!p->glob || (*p->prefix && !path_within(path, p->prefix)))
		return false;
	work = strdup(path);
	r = work && glob_selects(p, work);
	free(work);
	return r;
}

static bool is_excluded(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_excluded; i++)
		if (pattern_selects(&p->excluded[i], path))
			return true;
	return false;
}

bool plan_match(const struct plan *p, const char *path)
{
	bool any = p->n == 0;

	for (size_t i = 0; i < p->n && !any; i++)
		any = pattern_selects(&p->patterns[i], path);
	return any && !is_excluded(p, path);
}

bool plan_select(struct plan *p, const char *path)
{
	bool any = p->n == 0;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (pattern_selects(&p->patterns[i], path))
			any = p->patterns[i].hit = true;
	return any && !is_excluded(p, path);
}

const char *plan_unmatched(const struct plan *p, size_t *i)
{
	while (*i < p->n) {
		const struct pattern *x = &p->patterns[(*i)++];

		if (!x->hit)
			return x->given;
	}
	return NULL;
}

const char *plan_first(const struct plan *p)
{
	return p->first;
}

const char *plan_next(const struct plan *p, const char *path)
{
	const char *next = NULL;
	size_t i;

	for (i = 0; i < p->n; i++) {
		const char *prefix = p->patterns[i].prefix;

		if (!*prefix || path_within(path, prefix))
			return NULL;
		if (path_compare(prefix, path) > 0 && (!next || path_compare(prefix, next) < 0))
			next = prefix;
	}
	return next;
}

bool plan_beyond(const struct plan *p, const char *path)
{
	return p->last && path_compare(path, p->last) > 0 && !path_within(path, p->last);
}
