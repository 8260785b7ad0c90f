/* row: the generations that a person's question is about, on all media that were given: by data set, ascending.
 *
 * row_new → row_each → row_free.  --generations and --since narrow it.  Errors: E-LOOK-02 there is none; E-SELECT-01.
 */
#ifndef RESTORE_LOOK_ROW_H
#define RESTORE_LOOK_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "format/medium/generation.h"

struct app;
struct app_generation;
struct err;

struct row_set {
	char dataset[GENERATION_NAME];
	uint64_t *numbers;
	size_t n;
};

struct row {
	struct row_set *sets; /* by name */
	size_t n;
	int64_t since_ns; /* generations that were begun before are left out; INT64_MIN: none */
};

/* dataset: of that one alone, or NULL.  The identities are opened.  0, or the exit code after saying what is wrong. */
int row_new(struct app *app, const char *dataset, struct row *ret);
void row_free(struct row *r);
/* Opens one after the other, with content; place: in the row of its data set.  Returns the exit code: the worst of those that could not be
 * opened, or what fn returned if that is not 0, which ends it. */
typedef int row_fn(void *arg, size_t place, struct app_generation *g);
int row_each(struct app *app, const struct row *r, const struct row_set *set, row_fn *fn, void *arg);

/* A day, as 2026-11-20, or 30d ago: when it begins, in ns. */
int row_since(const char *s, int64_t *ret) __attribute__((warn_unused_result));

#endif
