/* plan: which entries of a data set were asked for.  Pure: matching by bytes, no files.
 *
 * A pattern selects an entry and everything below it.  It is tried as it stands first (so a file really
 * called "a[1]" can be named), then, when it has one of * ? [ or a backslash, as a glob: * and ? stop at '/',
 * ** does not, [abc] and [a-z] and [!a] are sets of bytes, a backslash takes the next byte literally.  A glob
 * without '/' is tried on the last component at any depth; any other pattern is about the whole path.  A '/'
 * at the beginning and at the end is ignored.  ? takes a whole UTF-8 character where there is one.
 *
 * No pattern at all selects everything.  plan_exclude() takes away again what its patterns select, whatever
 * else selects it.
 *
 * Errors: E-PLAN-01 a pattern that can select nothing ("", "..", "a//b").
 */
#ifndef RESTORE_EXTRACT_PLAN_H
#define RESTORE_EXTRACT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct plan;
int plan_new(char *const *patterns, size_t n, struct plan **ret, struct err *err);
int plan_exclude(struct plan *p, const char *const *patterns, size_t n, struct err *err);
void plan_free(struct plan *p);

bool plan_match(const struct plan *p, const char *path);
/* plan_match(), and remembers which patterns have selected something. */
bool plan_select(struct plan *p, const char *path);
/* The next pattern at or after *i that has selected nothing, as it was given; NULL: no more.  *i moves on. */
const char *plan_unmatched(const struct plan *p, size_t *i);

/* Where to begin: nothing before it in catalog order can be selected.  NULL: no bound. */
const char *plan_first(const struct plan *p);
/* Where to go on when nothing from `path` on can be selected before it; NULL: `path` and what follows may be,
 * or nothing after it can be. */
const char *plan_next(const struct plan *p, const char *path);
/* True when neither `path` nor anything after it in catalog order can be selected. */
bool plan_beyond(const struct plan *p, const char *path);

/* The glob alone, for tests. */
bool plan_glob(const char *glob, const char *name);

#endif
