/* liveness: which archives are still worth referring to.
 *
 * An archive is never rewritten: what nobody refers to any more stays in it until no generation on the medium
 * lists it.  Waste and fragmentation are bounded when a generation is written instead: some archives are
 * refused (dedup_refuse()), what is still referred to in them is stored again beside what is new, and they
 * fall away with the generations that listed them.  docs/format-writer.md, section 11, says which are refused and
 * why this ends.
 *
 * For that it must be known how much of each archive the newest generations refer to, every byte counted once
 * however many files share it.  One file per data set in the state folder's cache/waste/ holds what each
 * catalog block and each list of runs that stands by itself refers to, packed; an unchanged block is copied
 * from the last one.  Before the capture all of them are read and the ranges of each archive united
 * (liveness_count.c).
 *
 *     liveness_open →
 *     { liveness_plan → liveness_begin → liveness_block | liveness_keep | liveness_list | liveness_extents …
 *         → liveness_end | liveness_drop } for each data set, liveness_commit for each that is reported →
 *     liveness_close
 *
 * Advisory: it may be lost, old or damaged at any time.  While something of it is not known nothing is
 * refused for its share; what cannot be written down is not known the next time.  No failure here stops a
 * run, so that most functions return none.  If the process dies, the files of the last generation stay.
 *
 * A liveness of NULL is allowed everywhere: nothing happens.  Calls belong to one thread.
 * Memory: 24 bytes for each block of a catalog, 64 for each list, 10 for each archive, and 32 MiB while it
 * counts.
 */
#ifndef BKP_WRITE_LIVENESS_LIVENESS_H
#define BKP_WRITE_LIVENESS_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup;
struct dedup_place;
struct err;

/* A data set and the numbers of its generations, ascending. */
struct liveness_dataset {
	const char *name;
	const uint64_t *generations;
	size_t n_generations;
};

struct liveness_limits {
	unsigned live_share;   /* per cent; 0: any is good enough */
	unsigned anchor_every; /* generations; 0: an archive may serve for ever */
	uint64_t archive_size; /* target, bytes of content */
};

struct liveness_figures {
	bool known;	    /* else the rest says nothing about shares */
	uint64_t archives;  /* that the newest generations refer to */
	uint64_t raw, live; /* bytes of content in them, and of these still referred to */
	uint64_t refused, refused_live;
};

struct liveness;
/* cachefd: the state folder's cache/.  0, -1: out of memory. */
int liveness_open(int cachefd, const char *repository, uint64_t generation, struct liveness **ret,
    struct err *err) __attribute__((warn_unused_result));
void liveness_close(struct liveness *w);

/* Counts, and refuses, for the data set that dedup_use() named.  To be called after dedup_check_available().  0, -1: out of memory. */
int liveness_plan(struct liveness *w, struct dedup *d, const struct liveness_limits *limits,
    const struct liveness_dataset *set, struct liveness_figures *ret, struct err *err)
    __attribute__((warn_unused_result));

void liveness_begin(struct liveness *w, const char *dataset);
/* A catalog block of n bytes that was stored there. */
void liveness_block(struct liveness *w, const struct dedup_place *at, const void *bytes, size_t n);
/* A block that is referred to as it is.  False: what it refers to is not known; call liveness_block(). */
bool liveness_keep(struct liveness *w, const struct dedup_place *at);
/* A list of runs that stands by itself: the '@' runs that refer to it, and its text (docs/format.md, section
 * 6). To be called before the block that it belongs to. */
void liveness_list(struct liveness *w, const void *at, size_t at_n, const void *runs, size_t n);
/* What belongs to no block: the extents of the block list. */
void liveness_extents(struct liveness *w, const char *extents);
void liveness_end(struct liveness *w);			       /* the data set is whole */
void liveness_drop(struct liveness *w);			       /* it failed: what was known of it stays */
void liveness_commit(struct liveness *w, const char *dataset); /* its generation is reported */

#endif
