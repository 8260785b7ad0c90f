/* run: one run of `bkp run`: capture → generation on every online medium → journal → read-back.
 *
 * The transaction, and which function makes each step:
 *   0. open_media(): the lock is held by the state; media whose signed identity is there are online.  attendance_record():
 *      which media kept offline are attached, and which are gone, is confirmed every run.  look_at_clock(): has it been
 *      moved (clockwatch.h); agreement_raise(): the policy asks for more.  finish_expiry(): what an expiry left (reap.h).  settle(): generations
 *      that an earlier run left open are committed when a medium holds them complete, else recorded as failed.
 *      Before anything is recorded histories() compares the media's copies of the journal with the host's (journal_copies.h: a state
 *      folder that is an old copy ends the run), state_new_epoch() changes the signing key, and every medium learns of it.
 *   1. begin(): number allocated, journal "begin".
 *   2. capture_all(): archives are published one by one on every medium (vault_w.h); none of them counts yet.
 *   3. supply(): each medium gets what the generation needs and it lacks, from another medium.
 *   4. publish(): root.age, manifest.json, SHA256SUMS and its signature appear on each medium in one rename.
 *   5. committed(): journal "committed", durable.  Only now is the generation reported.
 *   6. read_back(): what is new on each medium is read from the device and compared; journal "verified".
 *   7. catch_up(): reported generations that an online medium lacks are copied to it, those that were never read back are; copies of the journal; what the
 *      media carry for people (medium_docs.h).
 * Invariants (docs/format.md §8, proved by tests/campaign, families kill and power):
 *   I1 every reported generation verifies in full.  I2 an unreported one is absent or incomplete, never good.  I3 the journal
 *   is a valid prefix; no acknowledged entry is lost.  I4 the next run needs no manual step.  I5 no byte of an earlier
 *   generation changes.
 * If the process dies: before 4 there are archives nobody lists (the next run reuses them); between 4 and 5
 * the next run's settle() finds the generation complete and reports it; after 5 nothing is lost but the
 * read-back, which the next run's catch_up() makes up for.
 *
 * A medium that fails at any step is dropped with a reason; the run goes on with the others.
 */
#ifndef BKP_WRITE_RUN_RUN_H
#define BKP_WRITE_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/timings.h"
#include "format/medium/generation.h"
#include "write/capture/capture.h"
#include "write/media/medium_docs.h"

struct policy;
struct policy_dataset;
struct state;

struct run_medium {
	char *label;
	char uuid[GENERATION_UUID]; /* "" when it was not found */
	bool ok;		    /* holds the new generation */
	bool verified;		    /* and it was read back well */
	struct err why;		    /* when not ok or not verified */
	struct err undone;	    /* what else of the run could not be done on it, or code "" */
	struct err replaced; /* files on it that were not what was written there (replaced.h), or code "" */
	struct err history;  /* what is wrong with its copy of the journal (journal_copies.h), or code "" */
	uint64_t written;    /* bytes */
	uint64_t unfrozen;   /* files that could not be made immutable */
	int unfrozen_errno;
	uint64_t caught_up; /* earlier generations copied to it */
};

struct run_result {
	uint64_t generation; /* 0: none was begun */
	struct generation_dataset *datasets;
	size_t n_datasets;
	struct run_medium *media;
	size_t n_media;
	struct timings timings;
	uint64_t archives, archive_bytes, new_archives, new_bytes;
	uint64_t recovered; /* generations an earlier run left complete */
	uint64_t given_up;  /* generations an earlier run left incomplete */
	struct err slow;    /* why the next run will have to read all files again, or code "" */
	struct err clock;   /* the clock was moved: what a person should hear, or code "" */
	struct err reaped;  /* why an expiry that was interrupted could not be finished, or code "" */
	struct err
	    narrowed; /* the policy was narrowed, be that undone or not, and nobody has accepted it; or code "" */
	struct err again; /* what ended a first attempt, of whoever ran it again; or code "" */
	int signal;	  /* that ended it early, or 0; of whoever ran it */
	struct err
	    missing; /* what media should carry for people and could not be brought to them, the first; or code "" */
};

/* How far it is. */
struct run_progress {
	const char *part, *of; /* what is done, in the reader's language, and with which data set or medium */
	unsigned number, parts;
	uint64_t done, total; /* bytes; total 0: not known */
	bool estimated;	      /* the total is what the data sets were when they were captured last */
	uint64_t fresh;	      /* of done, what was stored or read now, neither before nor only referred to */
};

/* The index of what is stored, below the state folder. */
#define RUN_INDEX "cache/dedup"

struct run_config {
	struct state *state;
	const struct policy *policy;
	const struct policy_dataset *const *datasets; /* what to capture, n of them */
	size_t n_datasets;
	/* NULL, or: is it still to be captured?  Asked when what an interrupted run left has been settled. */
	bool (*wanted)(void *arg, const struct policy_dataset *d);
	void *wanted_arg;
	const char *version;
	bool anchor;		     /* store everything anew: refer to no earlier archive */
	struct capture_callbacks cb; /* progress belongs to the run */
	/* called now and then, with cb.arg; may be NULL */
	void (*progress)(void *arg, const struct run_progress *p);
	struct medium_docs_sources docs;
};

/* 0: a generation was committed on at least one medium (look at the verdicts and media for what a person
 * should see). RUN_NOTHING: none of the data sets was still wanted; no generation was begun.  -1: there is
 * none.  *ret is filled as far as it came in all cases. */
#define RUN_NOTHING 1
int run_run(const struct run_config *cfg, struct run_result *ret, struct err *err);
void run_result_free(struct run_result *r);

#endif
