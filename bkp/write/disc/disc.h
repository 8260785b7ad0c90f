/* disc: generations onto optical discs that are written once (type optical without a path in the policy: a series of discs).
 *
 * disc_run() is one transaction and makes one disc; the same command with the next disc in the drive goes on with what is left.  The
 * steps, and the function that makes each:
 *   0. disc_series()     which series is meant.  disc_probe() (disc_burn.h): the drive, is the disc in it blank, how much does it take.
 *                        disc_open_sources(): the online media that are copied from; their histories are compared with ours.
 *   1. disc_plan()       (disc_plan.h) which generations come onto this disc, and how many discs all of it takes; `planned` tells a person.
 *                        With `dry_run` it ends here: nothing was recorded or written.
 *   2. retire_broken()   a disc of which the burn ended half-way with its process: journal "medium-retired".
 *      check_sources()   the files that are to be burnt are those that were signed: a damaged one wastes no disc.
 *   3. disc_stage_open() (disc_stage.h) identity, papers, keys and journal of the new medium in a folder of the state folder; journal
 *                        "medium-added".  The archives are not copied: the burner reads them where they are.
 *   4. disc_burn()       one session, closed.
 *   5. disc_read()       (disc_read.h) every byte read back from the device: each file against what was signed, no file more or less.
 *   6. record_disc()     journal "copied", "verified" (of whole generations), "disc-written", "rotated": it counts from here on.
 * What fails from step 3 on is recorded as "medium-retired" with the reason: such a disc never counts, and its name is not given again.
 *
 * A generation larger than an empty disc is cut by archives, in the order of its SHA256SUMS, over discs of its own.  Each carries its
 * documents; none of them is a copy of the generation, so none of them counts (no "copied"): the parts stand in "disc-written".
 *
 * Errors: E-DISC-01 no such series, E-DISC-02 the drive: none, or not one, E-DISC-03 xorriso cannot be run or failed, E-DISC-04 the disc
 * is not blank, E-DISC-05 the disc is too small, E-DISC-06 nothing is left to write, E-DISC-07 no source has a generation whole, E-DISC-08
 * what was read back is not what was to be there, E-DISC-09 the folder for the papers cannot be made, E-DISC-10 no place is stated;
 * E-HISTORY-01.
 */
#ifndef BKP_WRITE_DISC_DISC_H
#define BKP_WRITE_DISC_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "write/disc/disc_plan.h"
#include "write/media/medium_docs.h"

struct policy;
struct policy_medium;
struct state;

struct disc_result {
	char label[DISC_LABEL];
	uint64_t number,
	    of; /* which disc of how many this command comes to, while none but these generations are to be written */
	struct disc_item *items; /* what is on this disc */
	size_t n;
	uint64_t bytes;		 /* as planned; once it is written: of the image */
	uint64_t capacity;	 /* of this disc */
	unsigned minutes;	 /* about, writing and reading back */
	bool already;		 /* some of what was asked for is on discs of the series already */
	bool verified;		 /* read back, and recorded */
	uint64_t left;		 /* discs that are still to be written */
	char sha256[DIGEST_HEX]; /* of the image, `bytes` long from the beginning of the device */
	char place[256];
	struct err docs_why; /* papers that could not be brought, or code "" */
	struct err history;  /* what is wrong with the copy of the journal on a source, or code "" */
};

struct disc_config {
	struct state *state;
	const struct policy *policy;
	const char *series; /* name in the policy, or NULL: the only one */
	const char *drive;  /* "/dev/sr0", "stdio:/FILE" */
	uint64_t capacity;  /* bytes; 0: what the drive says */
	const char *operator, * place;
	bool again;   /* also what is on a disc of the series already */
	bool dry_run; /* only plan */
	/* is it asked for?  NULL: the newest of each data set that the series holds */
	disc_wanted_fn *wanted;
	struct medium_docs_sources docs;
	void (*planned)(void *arg, const struct disc_result *r);
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *arg;
};

/* 0: planned (dry_run), or written and verified; -1: it is not.  *ret is filled as far as it came; disc_result_free(). */
int disc_run(const struct disc_config *cfg, struct disc_result *ret, struct err *err)
    __attribute__((warn_unused_result));
void disc_result_free(struct disc_result *r);

#endif
