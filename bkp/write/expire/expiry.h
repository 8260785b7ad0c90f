/* expiry: one `bkp expire`: what may go (retention.h) from the media that are attached, on whose word, and
 * doing it (reap.h).
 *
 *     expiry_open → { expiry_plan | expiry_approve → expiry_act | expiry_act } → expiry_free
 *
 * Media are proved as a rotation proves them: signed identity, disk, and that they remember no other history
 * than this host.  expiry_open() changes nothing, anywhere.
 *
 * Errors: E-EXPIRE-01 a suspect generation freezes everything, E-EXPIRE-02 the clock has jumped, E-EXPIRE-03
 * an approver must sign the plan, E-EXPIRE-04 the plan is not of this journal or too old, E-EXPIRE-05 it
 * names what may not go (now), E-EXPIRE-11 nor may what a person named, E-EXPIRE-06 no medium to expire from is attached, E-EXPIRE-07 it is attached
 * for reading only, E-EXPIRE-08 what the journal counts on it is not there, E-EXPIRE-09 it is kept offline and
 * nobody agreed to it at the disk; E-APPROVAL-*, E-MEDIA-*.
 */
#ifndef BKP_WRITE_EXPIRE_EXPIRY_H
#define BKP_WRITE_EXPIRE_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/crypto/digest.h"
#include "read/rules/retention.h"
#include "write/reap/reap.h"

struct buf;
struct medium;
struct policy;
struct policy_medium;
struct state;

#define EXPIRY_PLAN_AGE_S ((int64_t)30 * 86400)

struct expiry_medium {
	const struct policy_medium *policy;
	const struct retention_medium *judged; /* in expiry.judged; NULL: it holds nothing */
	struct medium *medium;		       /* NULL: not attached, or not to be used */
	struct err away;		       /* why */
	struct reap_item *items;	       /* what goes */
	size_t n_items;
	uint64_t frees;		 /* bytes */
	bool kept;		 /* no archive can be deleted */
	struct err kept_why;	 /* why, or why nothing goes from it */
	struct reap_result done; /* after expiry_act() */
};

typedef bool expiry_wanted_fn(const void *arg, const char *dataset, uint64_t number);

struct expiry {
	struct state *state;
	expiry_wanted_fn *wanted; /* or NULL: all */
	const void *wanted_arg;
	const struct policy *policy;
	/* set before expiry_act(): who does it, and whether that person agrees at the disk to what goes from a
	 * medium kept offline; what an interrupted one left is told (reap.h) */
	const char *operator;
	bool yes;
	void (*about)(void *arg, const struct reap_leftover *l);
	struct retention *judged;
	struct expiry_medium *media; /* of the policy, registered; only the one asked for */
	size_t n;
	struct err doubt; /* a medium remembers what this host does not know: nothing expires; or code "" */
	int64_t now_ns;
	char plan_sha256[DIGEST_HEX]; /* of the approved plan, or "" */
	char *approver;		      /* its approver's key, or NULL */
};

/* label: of one medium, or NULL: all.  Of what may go only what is wanted goes; NULL: all of it. */
int expiry_open(struct state *s, const struct policy *policy, const char *label, expiry_wanted_fn *wanted,
    const void *arg, struct expiry **ret, struct err *err) __attribute__((warn_unused_result));
void expiry_free(struct expiry *e);

/* Is anything in the way of all of it (E-EXPIRE-01, -02, E-HISTORY-01, E-PUBLISH-05)?  0, -1. */
int expiry_allowed(const struct expiry *e, struct err *err) __attribute__((warn_unused_result));

/* May that generation go from one medium at least that is attached?  0, -1: E-EXPIRE-11, with the reason. */
int expiry_may_go(const struct expiry *e, const char *dataset, uint64_t number, struct err *err)
    __attribute__((warn_unused_result));

/* The plan of what goes, to be signed (format/journal/approval.h). */
int expiry_plan(const struct expiry *e, struct buf *out, struct err *err) __attribute__((warn_unused_result));

/* Takes a signed plan: what goes is now what stands in it, all of which must be allowed now.  Recorded as
 * "expiry-approved". */
int expiry_approve(struct expiry *e, const void *plan, size_t n, const void *sig, size_t sn, struct err *err)
    __attribute__((warn_unused_result));

/* 0: whatever could be done was (see media[].done.why); -1: it cannot be recorded, or an approver is missing.
 */
int expiry_act(struct expiry *e, struct err *err) __attribute__((warn_unused_result));

#endif
