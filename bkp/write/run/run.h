/* run: one run of `bkp run`: for each data set capture → a generation on every online medium that holds it → journal; then read-back.
 *
 * run_run() does all of it in one call.  The caller holds the state folder's lock (struct state), so two runs
 * never overlap.  The steps, and the function that makes each:
 *
 *   0. Prepare (run.c, prepare()).  The run has no number yet.
 *      run_open_media()      the online media of the policy whose signed identity is there
 *      run_histories()       do the media's copies of the journal know more than the host?  Then the state
 *                            folder is an old copy, and the run ends here: E-HISTORY-01 (journal_copies.h)
 *      look_at_clock()       was the clock moved?  Recorded, told, no reason to stop (clockwatch.h)
 *      run_new_epoch()       a new signing key when one is due; every medium gets the public keys before
 *                            it gets anything that is signed with them
 *      attendance_record()   which media are attached that were not, which offline ones are gone
 *      agreement_raise()     the policy promises to keep more than was agreed: recorded (agreement.h)
 *      finish_expiry()       what an interrupted expiry left on the media (reap.h)
 *      run_open_index()      the index of what is stored
 *      run_settle()          generations that earlier runs left open: one that some medium holds complete is
 *                            recorded as "committed", any other as "failed"
 *      narrow()              which data sets are still wanted; none: RUN_NOTHING
 *   1. begin()               the run's number is taken; journal "begin"
 *   2. For each data set, in the order of its priority (run_set.c, run_set()):
 *      run_look_at_room()    a medium that has no room for it is passed over (run_room.c)
 *      run_fill_index()      what the media know of it and the index does not yet: nothing, as a rule
 *      capture               archives are published one by one on every medium that holds the data set (pack.h,
 *                            vault_w.h).  None of them counts yet: no generation lists them
 *      run_supply()          each medium gets the archives that the generation needs and it lacks, from
 *                            another medium of this run
 *      run_documents()       root.age, places.age, manifest.json, SHA256SUMS and its signature, in memory
 *      run_flush()           on each medium these documents appear in one rename: the generation is there; of small data
 *                            sets several at a time
 *      run_committed()       journal "committed", durable.  This is the commit: only now is it reported
 *   3. record_failures()     journal "failed": the data sets that have no generation from this run, and why
 *   4. run_read_back()       what is new on each medium is read from the device and compared; journal
 *                            "verified" or "verify-failed"
 *   5. run_catch_up()        reported generations that an online medium lacks are copied to it; those that
 *                            no run has read back are read back.  Left out when somebody ends the process
 *   6. Always, once the run was begun, also when 2 to 5 failed:
 *      run_medium_docs()     what media carry for people (medium_docs.h)
 *      run_tell_replaced()   files on media that this host had not written so (replaced.h)
 *      run_copy_journal()    each medium gets a copy of the journal: the last thing that is written there.
 *                            (RUN_NOTHING: these last two only)
 *
 * Invariants (docs/format.md; tests/campaign proves them, families kill and power):
 *   I1  Every reported generation verifies in full.
 *   I2  One that was not reported is absent or incomplete, or complete and not yet recorded; it is never
 *       taken for good.
 *   I3  The journal is a valid prefix of what was written; no acknowledged record is lost.
 *   I4  The next run needs no manual step.
 *   I5  No byte of an earlier generation changes.
 *
 * If the process dies in step 2, the data sets before have their generations.  Of the one that was being captured:
 *   before run_flush():  there are archives that no generation lists; the next run refers to them instead of
 *                          storing them again.  Its run_settle() records the generation as failed;
 *   between the two:       the next run's run_settle() finds the generation complete and reports it.
 * After that only read-backs are missing; the next run's run_catch_up() makes up for them.
 *
 * A medium that fails in any step is dropped with a reason (run_drop()) and takes no further part; the run
 * goes on with the others.  A data set of which no medium is left fails.
 *
 * Errors: E-RUN-01 no data set could be captured, E-RUN-02 the policy has no online medium; those of the
 * modules that are named above.
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
	bool ok; /* holds every generation of this run that it is to hold; where that is none, it was there */
	bool verified;	     /* and they were read back well */
	struct err why;	     /* when not ok or not verified */
	struct err undone;   /* what else of the run could not be done on it, or code "" */
	struct err replaced; /* files on it that were not what was written there (replaced.h), or code "" */
	struct err history;  /* what is wrong with its copy of the journal (journal_copies.h), or code "" */
	uint64_t written;    /* bytes */
	uint64_t unfrozen;   /* files that could not be made immutable */
	int unfrozen_errno;
	uint64_t caught_up; /* earlier generations copied to it */
};

/* A data set's generation on one medium. */
struct run_copy {
	bool wanted; /* the medium is to hold the data set */
	bool ok;     /* and holds this generation */
	bool verified;
	struct err
	    lost; /* why it does not, where that says nothing about the medium's other copies; or code "" */
};

struct run_dataset {
	struct generation_dataset d;
	bool committed; /* there is a generation; else d.verdict is GENERATION_FAILED and d.reason says why */
	uint64_t archives, archive_bytes, new_archives, new_bytes;
	uint64_t former_bytes;	 /* of archive_bytes: stored under a former period */
	struct run_copy *copies; /* as many as media, in their order */
};

struct run_result {
	uint64_t run;		      /* its number; 0: none was begun */
	struct run_dataset *datasets; /* in the order of their capture */
	size_t n_datasets;
	struct run_medium *media;
	size_t n_media;
	struct timings timings;
	uint64_t recovered; /* generations an earlier run left complete */
	uint64_t given_up;  /* generations an earlier run left incomplete */
	uint64_t refilled;  /* archives whose places came into the index from the media */
	struct err slow;    /* why the next run will have to read all files again, or code "" */
	struct err clock;   /* the clock was moved: what a person should hear, or code "" */
	struct err reaped;  /* why an expiry that was interrupted could not be finished, or code "" */
	/* the policy was changed so that less is captured or guarded, and nobody has accepted it, even if it
	 * was undone since; or code "" */
	struct err narrowed;
	struct err exposed; /* a medium kept offline is attached for too long, or code "" */
	/* the caller's, not the run's: what ended a first attempt, when it tried again, or code ""; the signal
	 * that ended the run early, or 0 */
	struct err again;
	struct err
	    turn; /* a medium's turn that is late, or today (turn_today), and of which somebody is to be told; or "" */
	bool turn_today;
	int signal;
	struct err missing; /* the first file for people that could not be brought to a medium, or code "" */
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
	bool anchor;		     /* store everything again: refer to no earlier archive */
	bool insist;		     /* a person named the data sets: try also what does not seem to fit */
	struct capture_callbacks cb; /* progress belongs to the run */
	/* called now and then, with cb.arg; may be NULL */
	void (*progress)(void *arg, const struct run_progress *p);
	struct medium_docs_sources docs;
};

/* 0: a generation of some data set was committed on at least one medium; the verdicts and media in *ret say what a person
 * should see.  RUN_NOTHING: none of the data sets was still wanted, nothing was begun.  -1: the run
 * failed, as a rule without a generation; a record that cannot be written later is -1, too, though
 * generations stand.  *ret is filled as far as the run came, in all cases: run_result_free(). */
#define RUN_NOTHING 1
int run_run(const struct run_config *cfg, struct run_result *ret, struct err *err);
void run_result_free(struct run_result *r);

#endif
