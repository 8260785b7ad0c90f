/* exclude: which entries below a data set's paths are left out.
 *
 * exclude_new(patterns, roots) → exclude_match() for every entry → exclude_free().  Names are bytes; LANG
 * changes nothing.
 *
 * Patterns, and what is left out by each:
 *
 *     /srv/doc/cache  begins with '/': an absolute path or glob; what it names and everything below
 *     cache           no '/': whatever has a component of this name below the root, at any depth
 *     scan/cache      else: a glob on the path relative to the data set's root; what it names and everything below
 *     …/              '/' at the end: only folders of that name with everything below, never a file
 *
 * Globs:
 *
 *     *       any bytes but '/'
 *     ?       one byte but '/' (a Japanese character has three)
 *     [a-z]   one byte of a set, [!a-z] one that is not in it, never '/'
 *     **      as a whole component: any number of folders, none included; at the end: everything below, not
 *             the folder itself
 *     \       takes the next byte literally
 *
 * A root itself is never matched by a relative pattern.  A match of a folder matches everything below it, so a
 * walker need not go into a folder that matches.
 *
 * Cost: at most pattern length × path length per pattern, whatever the pattern; no recursion, no allocation.
 */
#ifndef BKP_FORMAT_CONFIG_EXCLUDE_H
#define BKP_FORMAT_CONFIG_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct exclude;

#define EXCLUDE_PATTERN_MAX 1024 /* bytes */

enum exclude_fault {
	EXCLUDE_GOOD,
	EXCLUDE_EMPTY,	   /* nothing, or only '/' */
	EXCLUDE_LONG,	   /* more than EXCLUDE_PATTERN_MAX bytes */
	EXCLUDE_COMPONENT, /* an empty component ("//"), "." or ".." */
	EXCLUDE_BRACKET,   /* '[' without ']' */
	EXCLUDE_BACKSLASH, /* '\' at the end */
};

enum exclude_fault exclude_check(const char *pattern);

/* Copies what it needs.  Roots are absolute and do not lie within each other.  NULL with err: out of memory,
 * or a pattern that exclude_check() does not find good (E-EXCLUDE-01). */
struct exclude *exclude_new(
    char *const *patterns, size_t n, char *const *roots, size_t n_roots, struct err *err);
void exclude_free(struct exclude *x);

/* True when the entry at the absolute, normalised abs_path is left out.  A NULL x excludes nothing. */
bool exclude_match(const struct exclude *x, const char *abs_path, bool is_dir);

#endif
