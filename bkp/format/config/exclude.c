/* exclude: see exclude.h.
 *
 * A pattern is a list of components.  Both levels, components in a path and bytes in a component, have one
 * kind of wildcard that takes any number; for such patterns it is enough to come back to the last wildcard
 * seen, because what an earlier one could still take the last one can take as well.  So matching is two
 * nested loops, never exponential. */
#include "format/config/exclude.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"

enum kind { LITERAL, GLOB, ANY };

struct component {
	const char *p; /* into pattern.text */
	size_t n;
	enum kind kind;
};

struct pattern {
	char *text;
	struct component *comp;
	size_t n;
	bool absolute, dir_only;
};

struct exclude {
	struct pattern *pattern;
	size_t n;
	char **root;
	size_t n_roots;
};

/* ---- one component ---- */

/* Bytes of the pattern that the set at p ("[…") takes up, or 0 when it is not closed. */
static size_t set_length(const char *p, const char *end)
{
	const char *q = p + 1;

	if (q < end && (*q == '!' || *q == '^'))
		q++;
	if (q < end && *q == ']') /* first: a member */
		q++;
	while (q < end && *q != ']')
		q += *q == '\\' && q + 1 < end ? 2 : 1;
	return q < end ? (size_t)(q - p) + 1 : 0;
}

static unsigned char set_member(const char **p)
{
	if (**p == '\\')
		(*p)++;
	return (unsigned char)*(*p)++;
}

static bool set_has(const char *p, size_t n, unsigned char c)
{
	const char *q = p + 1, *end = p + n - 1;
	bool negate = q < end && (*q == '!' || *q == '^'), found = false;

	q += negate;
	while (q < end) {
		unsigned char lo = set_member(&q), hi = lo;

		if (q + 1 < end && *q == '-') {
			q++;
			hi = set_member(&q);
		}
		found |= lo <= c && c <= hi;
	}
	return found != negate;
}

/* Bytes of the pattern that match the one byte c, or 0 when they do not match it. */
static size_t one_byte(const char *p, const char *end, unsigned char c)
{
	size_t n;

	switch (*p) {
	case '?':
		return 1;
	case '\\':
		return (unsigned char)p[1] == c ? 2 : 0;
	case '[':
		n = set_length(p, end);
		return n && set_has(p, n, c) ? n : 0;
	default:
		return (unsigned char)*p == c ? 1 : 0;
	}
}

static bool glob_match(const char *p, size_t pn, const char *s, size_t sn)
{
	const char *pend = p + pn, *send = s + sn, *star = NULL, *star_s = NULL;

	for (;;) {
		size_t used;

		while (p < pend && *p == '*') {
			star = ++p;
			star_s = s;
		}
		if (s == send)
			return p == pend;
		used = p < pend ? one_byte(p, pend, (unsigned char)*s) : 0;
		if (used) {
			p += used;
			s++;
		} else if (star) {
			p = star;
			s = ++star_s;
		} else {
			return false;
		}
	}
}

static bool component_match(const struct component *c, const char *s, size_t n)
{
	if (c->kind == LITERAL)
		return c->n == n && !memcmp(c->p, s, n);
	return glob_match(c->p, c->n, s, n);
}

/* ---- one path ---- */

/* Steps over '/' to the next component: its length, 0 at the end. */
static size_t next_component(const char **s)
{
	*s += strspn(*s, "/");
	return strcspn(*s, "/");
}

/* True when the pattern matches the path or a folder above it. */
static bool pattern_match(const struct pattern *t, const char *s, bool is_dir)
{
	size_t i = 0, n, any = 0;
	const char *any_s = NULL; /* where in the path the last "**" begins; it is comp[any - 1] */

	for (;;) {
		while (i < t->n && t->comp[i].kind == ANY) {
			any = ++i;
			any_s = s;
		}
		n = next_component(&s);
		if (i == t->n) /* earliest end possible: what is left over lies below */
			return n > 0 || is_dir || !t->dir_only;
		if (!n)
			return false;
		if (component_match(&t->comp[i], s, n)) {
			i++;
			s += n;
		} else if (any_s) {
			n = next_component(&any_s);
			s = any_s += n;
			i = any;
		} else {
			return false;
		}
	}
}

static const char *below_root(const struct exclude *x, const char *path)
{
	size_t i;

	for (i = 0; i < x->n_roots; i++)
		if (path_within(path, x->root[i]))
			return path + strlen(x->root[i]);
	return NULL;
}

bool exclude_match(const struct exclude *x, const char *abs_path, bool is_dir)
{
	const char *relative;
	size_t i;

	if (!x || !x->n)
		return false;
	relative = below_root(x, abs_path);
	for (i = 0; i < x->n; i++) {
		const char *s = x->pattern[i].absolute ? abs_path : relative;

		if (s && s[strspn(s, "/")] && pattern_match(&x->pattern[i], s, is_dir))
			return true;
	}
	return false;
}

/* ---- patterns ---- */

/* Length of the component at p: up to a '/' that is neither escaped nor inside a set. */
static size_t component_length(const char *p, const char *end, enum exclude_fault *fault)
{
	const char *q = p;

	while (q < end && *q != '/') {
		size_t n = 1;

		if (*q == '\\') {
			n = 2;
			if (q + 1 >= end || q[1] == '/')
				*fault = EXCLUDE_BACKSLASH;
		} else if (*q == '[') {
			const char *slash = memchr(q, '/', (size_t)(end - q));

			n = set_length(q, slash ? slash : end);
			if (!n)
				*fault = EXCLUDE_BRACKET;
		}
		if (*fault)
			return 0;
		q += n;
	}
	return (size_t)(q - p);
}

static enum exclude_fault component_check(const char *p, size_t n)
{
	bool dots = (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');

	return !n || dots ? EXCLUDE_COMPONENT : EXCLUDE_GOOD;
}

enum exclude_fault exclude_check(const char *pattern)
{
	enum exclude_fault fault = EXCLUDE_GOOD;
	size_t len = strlen(pattern);
	const char *p = pattern, *end = pattern + len;

	if (len > EXCLUDE_PATTERN_MAX)
		return EXCLUDE_LONG;
	if (!len || !strcmp(pattern, "/"))
		return EXCLUDE_EMPTY;
	p += *p == '/';
	if (end[-1] == '/' && end - 1 > pattern)
		end--;
	for (;;) {
		size_t n = component_length(p, end, &fault);

		if (!fault)
			fault = component_check(p, n);
		if (fault || p + n >= end)
			return fault;
		p += n + 1;
	}
}

static struct component component_of(const char *p, size_t n)
{
	struct component c = {p, n, LITERAL};
	size_t i;

	if (n == 2 && p[0] == '*' && p[1] == '*') {
		c.kind = ANY;
		return c;
	}
	for (i = 0; i < n; i++)
		if (strchr("*?[\\", p[i]))
			c.kind = GLOB;
	return c;
}

/* The pattern has passed exclude_check(). */
static int pattern_compile(struct pattern *t, const char *pattern)
{
	enum exclude_fault fault = EXCLUDE_GOOD;
	size_t slashes = 0, len = strlen(pattern);
	const char *p, *end;

	t->text = strdup(pattern);
	if (!t->text)
		return -1;
	t->absolute = pattern[0] == '/';
	t->dir_only = pattern[len - 1] == '/';
	p = t->text + t->absolute;
	end = t->text + len - t->dir_only;
	for (const char *q = p; q < end; q++)
		slashes += *q == '/';
	t->comp = calloc(slashes + 2, sizeof(*t->comp));
	if (!t->comp)
		return -1;
	if (!t->absolute && !slashes) /* a bare name: at any depth */
		t->comp[t->n++].kind = ANY;
	while (p < end) {
		size_t n = component_length(p, end, &fault);

		t->comp[t->n++] = component_of(p, n);
		p += n + 1;
	}
	/* two stars at the end: what lies below, not the folder itself: at least one component */
	if (t->comp[t->n - 1].kind == ANY)
		t->comp[t->n - 1].kind = GLOB;
	return 0;
}

static int copy_roots(struct exclude *x, char *const *roots, size_t n)
{
	x->root = calloc(n ? n : 1, sizeof(*x->root));
	if (!x->root)
		return -1;
	for (; x->n_roots < n; x->n_roots++) {
		x->root[x->n_roots] = strdup(roots[x->n_roots]);
		if (!x->root[x->n_roots])
			return -1;
	}
	return 0;
}

struct exclude *exclude_new(
    char *const *patterns, size_t n, char *const *roots, size_t n_roots, struct err *err)
{
	struct exclude *x = calloc(1, sizeof(*x));

	if (!x || copy_roots(x, roots, n_roots))
		goto nomem;
	x->pattern = calloc(n ? n : 1, sizeof(*x->pattern));
	if (!x->pattern)
		goto nomem;
	for (; x->n < n; x->n++) {
		char shown[128];

		if (exclude_check(patterns[x->n])) {
			err_set(err, "E-EXCLUDE-01", text("malformed exclusion '%s'"),
			    path_show(patterns[x->n], shown, sizeof(shown)));
			exclude_free(x);
			return NULL;
		}
		if (pattern_compile(&x->pattern[x->n], patterns[x->n])) {
			x->n++; /* half made: freed below */
			goto nomem;
		}
	}
	return x;
nomem:
	err_nomem(err);
	exclude_free(x);
	return NULL;
}

void exclude_free(struct exclude *x)
{
	size_t i;

	if (!x)
		return;
	for (i = 0; i < x->n; i++) {
		free(x->pattern[i].text);
		free(x->pattern[i].comp);
	}
	for (i = 0; i < x->n_roots; i++)
		free(x->root[i]);
	free(x->pattern);
	free(x->root);
	free(x);
}
