/* waste: which archives are still worth referring to.
 *
 * An archive is never rewritten: what nobody refers to any more stays in it until no generation on the medium
 * lists it.  Waste and fragmentation are bounded when a generation is written instead: some archives are
 * refused (dedup_refuse()), what is still referred to in them is stored again beside what is new, and they
 * fall away with the generations that listed them.  docs/format.md, section 11, says which are refused and
 * why this ends.
 *
 * For that it must be known how much of each archive the newest generations refer to, every byte counted once
 * however many files share it.  One file per data set in the state folder's cache/waste/ holds what each
 * catalog block and each list of runs that stands by itself refers to, packed; an unchanged block is copied
 * from the last one.  Before the capture all of them are read and the ranges of each archive united
 * (waste_count.c).
 *
 *     waste_open → waste_plan → { waste_begin → waste_block | waste_keep | waste_list | waste_extents …
 *         → waste_end | waste_drop } for each data set → waste_commit (the generation is reported) →
 * waste_close
 *
 * Advisory: it may be lost, old or damaged at any time.  While something of it is not known nothing is
 * refused for its share; what cannot be written down is not known the next time.  No failure here stops a
 * night, so that most functions return none.  If the process dies, the files of the last generation stay.
 *
 * A waste of NULL is allowed everywhere: nothing happens.  Calls belong to one thread.
 * Memory: 24 bytes for each block of a catalog, 64 for each list, 10 for each archive, and 32 MiB while it
 * counts.
 */
#ifndef BKP_WRITE_LIVENESS_WASTE_H
#define BKP_WRITE_LIVENESS_WASTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup;
struct dedup_place;
struct err;

/* A data set of the policy and the numbers of the generations that hold it, ascending. */
struct waste_dataset {
	const char *name;
	bool tonight; /* it is about to be captured */
	const uint64_t *generations;
	size_t n_generations;
};

struct waste_limits {
	unsigned live_share;   /* per cent; 0: any is good enough */
	unsigned anchor_every; /* generations; 0: an archive may serve for ever */
	uint64_t archive_size; /* target, bytes of content */
};

struct waste_figures {
	bool known;	    /* of every data set; else the rest says nothing about shares */
	uint64_t archives;  /* that the newest generations refer to */
	uint64_t raw, live; /* bytes of content in them, and of these still referred to */
	uint64_t refused, refused_live;
};

struct waste;
/* cachefd: the state folder's cache/.  0, -1: out of memory. */
int waste_open(int cachefd, const char *repository, uint64_t generation, struct waste **ret, struct err *err)
    __attribute__((warn_unused_result));
void waste_close(struct waste *w);

/* Counts, and refuses.  To be called after dedup_check_available().  0, -1: out of memory. */
int waste_plan(struct waste *w, struct dedup *d, const struct waste_limits *limits,
    const struct waste_dataset *sets, size_t n, struct waste_figures *ret, struct err *err)
    __attribute__((warn_unused_result));

void waste_begin(struct waste *w, const char *dataset);
/* A catalog block of n bytes that was stored there. */
void waste_block(struct waste *w, const struct dedup_place *at, const void *bytes, size_t n);
/* A block that is referred to as it is.  False: what it refers to is not known; call waste_block(). */
bool waste_keep(struct waste *w, const struct dedup_place *at);
/* A list of runs that stands by itself: the '@' runs that refer to it, and its text (docs/format.md, section
 * 6). To be called before the block that it belongs to. */
void waste_list(struct waste *w, const void *at, size_t at_n, const void *runs, size_t n);
/* What belongs to no block: the extents of the block list. */
void waste_extents(struct waste *w, const char *extents);
void waste_end(struct waste *w);  /* the data set is whole */
void waste_drop(struct waste *w); /* it failed: what was known of it stays */
void waste_commit(struct waste *w);

#endif
