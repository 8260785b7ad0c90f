/* refill: brings reported generations that a medium lacks to it, from whatever other medium has them whole:
 * files are copied (mirror.h), recorded as "copied", read back from the device (readback.h), recorded as
 * "verified" or "verify-failed".
 *
 * What the run does for online media and the rotation for an offline one.  Goes on where it was when called
 * again: every archive that has arrived is kept.
 *
 * When space is short each generation comes whole or not at all, and which ones do is known before their first byte: the newest of
 * the most urgent data set first (`priority`), then the newest of the next one, then the older ones in the same order.  A generation
 * that is suspect is not brought: a person decides first, and when it is held it stays where it is.
 *
 * Nothing that stands on the medium is ever replaced.  A copy that lost files gets them again; one that holds
 * a file with other bytes than were signed stays as it is, is recorded as damaged, and the others go on.  One
 * that lost files and cannot get them back (the medium is full) is recorded as damaged, too.
 */
#ifndef BKP_WRITE_COPIES_REFILL_H
#define BKP_WRITE_COPIES_REFILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct medium;
struct policy;
struct policy_medium;
struct readback;
struct state;
struct vault_w;

struct refill_source {
	struct medium *medium;
};

struct refill {
	struct state *state;
	const struct policy *policy;
	const struct policy_medium *holds; /* what `to` is to hold (read/rules/holds.h); NULL: all */
	struct medium *to;
	struct vault_w *vault;	   /* of `to` */
	struct readback *readback; /* of `to` */
	/* `to` itself may be among them: it is passed over */
	const struct refill_source *sources;
	size_t n_sources;
	bool newest_first; /* else as they were made */
	bool look;	   /* does what is recorded as being there stand there? else it is brought again */
	/* before the first byte; may be NULL.  How many generations are to come, about how many bytes */
	void (*begin)(void *arg, uint64_t generations, uint64_t bytes);
	/* after each file; may be NULL.  The current generation, how many are to come after it, bytes written so
	 * far of how many */
	void (*progress)(void *arg, const char *generation, uint64_t left, uint64_t bytes, uint64_t total);
	void *arg;
};

#define REFILL_NAMES 400
struct refill_result {
	uint64_t copied, verified, bytes;
	int64_t copying_ns; /* that their copying took, without the reading back */
	/* committed generations that the medium still lacks, or that could not be looked at there */
	uint64_t missing;
	uint64_t lost;	  /* brought again: had been verified there, but files of it had vanished */
	uint64_t damaged; /* found damaged on it now; recorded */
	uint64_t suspect; /* committed generations that were not brought: suspect, and nobody has decided */
	/* when it is full: about how many bytes are still to come, of them for the first generation that did not
	 * fit, and how many are free */
	uint64_t lacking, lacking_next, room;
	char left_out
	    [REFILL_NAMES]; /* those that did not fit: "images@42, images@41", as many as there is room for */
	struct err why;	    /* the first reason, when some are missing or damaged; code "" otherwise */
	bool full;	    /* the medium has no room left */
	bool broken;	    /* it failed in another way (pulled out, I/O error): no more was tried */
};

/* Every committed generation that the medium is to hold and lacks. 0, or -1: it cannot be recorded (err). */
int refill_run(const struct refill *r, struct refill_result *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
