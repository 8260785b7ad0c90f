/* extract: entries of one generation, a data set as it was, onto disk.
 *
 * extract_new → extract_dataset (for each) → extract_free.  Forwards over the catalog everything is made,
 * folders with mode 0700, which get their metadata when nothing comes into them any more.  Where something
 * must wait longer (folders that shut their owner out, files and folders with flags, folders that were there
 * or were not selected) a second pass follows, backwards, so that what is deep comes first.
 *
 * Threads: files are written by several, chunks are decoded ahead of them (arc_r.h); what is made,
 * said and counted does not depend on how many.  They end before extract_dataset() returns.  `stop` is asked
 * on the calling thread only.
 *
 * Safe against hostile content: an entry is made by its last component in a folder reached without following
 * any link, never over something that is there (with `overwrite`, files are replaced whole by rename, after
 * their content has arrived). Without same_owner nothing that gives privileges is made: no owners, setuid,
 * devices, trusted/security attributes, immutable flags.
 *
 * What cannot be done is said and counted (outcome.h) and the rest goes on; -1 only for what ends the run:
 * E-RESTORE-10 the target is full, E-RESTORE-15 stop() said so, E-MEM.
 *
 * Errors: E-RESTORE-03 unreadable at capture, E-RESTORE-04 changed during capture, E-RESTORE-05 attributes
 * incomplete, E-RESTORE-06 device without --same-owner, E-RESTORE-07 is there already, E-RESTORE-08
 * attributes could not be set, E-RESTORE-09 cannot be written, E-RESTORE-10 target full, E-RESTORE-11 nothing
 * is called so, E-RESTORE-15 interrupted, E-RESTORE-17 a hard link that could not be made: by itself now,
 * W-RESTORE-21, W-RESTORE-22 an owner's name is not here, W-RESTORE-23 a setuid bit was left out; and those of owners.h.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_H
#define RESTORE_EXTRACT_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

struct arc_r;
struct catalog_item;
struct err;
struct generation_dataset;
struct outcome;
struct plan;
struct progress;

struct extract_options {
	bool same_owner;       /* the caller has made sure to be root */
	bool numeric_owner;    /* with it: numbers alone (owners.h) */
	const char *owner_map; /* with it: a file, or NULL */
	bool overwrite;
	bool skip_same; /* what is there as it would be made is left and counted (OUTCOME_SAME) */
	bool check;	/* and its content must have the SHA-256 that was captured */
	bool since;	/* only what changed from since_s on, and folders on the way to it */
	int64_t since_s;
	/* Windows is to read it: a name that it cannot hold is another one (winnames.h), and told: of which data set, both from the top */
	int (*renamed)(void *arg, const char *dataset, const char *from, const char *to, struct err *err);
	void *renamed_arg;
	/* nothing is made: it is given what would be (targetfd is not used) */
	void (*would)(void *arg, const struct catalog_item *item);
	void *would_arg;
	unsigned threads;	 /* that write files; 0: one for each processor */
	bool (*stop)(void *arg); /* asked between entries and chunks; true ends the run with E-RESTORE-15 */
	void *stop_arg;
};

struct extract;
/* `arc` must not be in use by another thread. */
int extract_new(const struct extract_options *opt, struct outcome *outcome, struct progress *progress,
    struct extract **ret, struct err *err);
void extract_free(struct extract *x);
int extract_dataset(struct extract *x, struct arc_r *arc, const struct generation_dataset *ds,
    struct plan *plan, int targetfd, struct err *err);

#endif
