/* timeline: the guard's figures of one generation after the other, and which is the first that is out of the ordinary.
 *
 * Pure.  Rows are of one data set, ascending by number.  timeline_judge() gives each its verdict → timeline_find() →
 * timeline_text(); format/page/timeline_svg.h draws them.
 *
 * A row is unusual when the guard raised nothing, yet at least UNUSUAL_LEAST of its files were harmed, and clearly more than in any of
 * the GUARD_WINDOW clean ones before it: an attack may have begun there, below all limits.  It is a sign, no proof; and that there is no
 * sign is no proof either.
 */
#ifndef BKP_FORMAT_GUARD_TIMELINE_H
#define BKP_FORMAT_GUARD_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/guard/guard.h"

struct buf;
struct err;

#define TIMELINE_MAX ((size_t)16 << 20) /* bytes of a text or a drawing */

enum timeline_verdict {
	TIMELINE_UNMEASURED, /* there was nothing to compare it with */
	TIMELINE_CLEAN,
	TIMELINE_UNUSUAL,
	TIMELINE_NOTICED, /* the guard raised it, and people had announced it: no sign */
	TIMELINE_SUSPECT,
	TIMELINE_ACCEPTED, /* suspect, and a person found it right */
	TIMELINE_HELD,	   /* suspect, and a person keeps it as proof */
};

struct timeline_row {
	const char *dataset; /* borrowed, as `why` is */
	uint64_t number;
	int64_t begun_ns;
	struct guard guard;
	const char *why; /* the guard's, or "" */
	bool accepted, held;
	bool gone; /* nothing can be restored of it where the timeline is asked for */
	enum timeline_verdict verdict;
};

void timeline_judge(struct timeline_row *rows, size_t n);
/* Unusual, suspect or held. */
bool timeline_is_sign(const struct timeline_row *r);
const char *timeline_word(enum timeline_verdict v); /* "clean" …, for programs */
const char *timeline_verdict_text(enum timeline_verdict v);

/* Indexes; n: there is none. */
struct timeline_found {
	size_t sign;   /* the first from that number on that is unusual, suspect or held */
	size_t alarm;  /* the first that is suspect or held */
	size_t before; /* the newest before `sign` that is not gone, and no sign itself */
};
struct timeline_found timeline_find(const struct timeline_row *rows, size_t n, uint64_t from);

/* The columns of a table or strips of a drawing. */
#define TIMELINE_FIGURES 5
extern const char *const timeline_heads[TIMELINE_FIGURES]; /* through text() */
uint64_t timeline_figure(const struct timeline_row *r, size_t i);
/* Of what there was: 0 … 1000 by its logarithm, so that 333 is 1 %, 667 10 %, 1000 all of it. */
unsigned timeline_scale(const struct timeline_row *r, size_t i);

/* A line for each from that number on, and what was found, in 80 columns. */
int timeline_text(const struct timeline_row *rows, size_t n, uint64_t from, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
