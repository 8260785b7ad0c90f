/* sweep: which entries are of a name, in which generations of one data set, and as which versions.
 *
 * sweep_new → sweep_generation, in ascending order → sweep_each → sweep_free.  A catalog's blocks are shared between generations: each is
 * read once, whatever the number of generations it stands in, and what is kept of it is the entries that match, SWEEP_MAX bytes at most.
 * What could not be read is told by a call of `fault` and is not taken for absent.
 *
 * Errors: E-LOOK-01 more entries match than can be kept; and those of catalog_r.
 */
#ifndef RESTORE_LOOK_SWEEP_H
#define RESTORE_LOOK_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_generation;
struct err;
struct version;

#define SWEEP_MAX ((size_t)256 << 20)

typedef bool sweep_match_fn(void *arg, const char *path);
typedef void sweep_fault_fn(void *arg, const struct err *why);

struct sweep;
/* only: the one path that `match` takes, so that only its block is looked at; or NULL. */
struct sweep *sweep_new(
    sweep_match_fn *match, const char *only, sweep_fault_fn *fault, void *arg); /* NULL: out of memory */
void sweep_free(struct sweep *s);
/* Of the generation with this place in the row (0, 1, 2 …: one that could not be opened leaves its place out). */
int sweep_generation(struct sweep *s, size_t place, struct app_generation *g, struct err *err)
    __attribute__((warn_unused_result));

struct sweep_span {
	const struct version *v;
	size_t first, last;	       /* places: it stands in all from first to last */
	const struct sweep_span *next; /* later; or NULL */
};
/* For each path, in catalog order. */
typedef void sweep_each_fn(void *arg, const char *path, const struct sweep_span *first);
void sweep_each(const struct sweep *s, sweep_each_fn *fn, void *arg);

#endif
