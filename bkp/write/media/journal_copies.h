/* journal_copies: what media remember of this host's journal, and what this host remembers of their copies.
 *
 * Every medium carries a copy of the journal and of the keys of all epochs.  Before a command records
 * anything it compares them (journal_copies_check): a medium that knows more than the host proves that the
 * state folder was brought back from an old copy, and going on would make a second history beside the first.
 * A copy that is shorter than what the host once wrote there was cut, or the medium is as it was on a former day
 * (rollback.h), one that is another was rewritten: that is said and recorded, once.  After the journal was copied, journal_copies_copied() records how far.
 *
 * Keys come first: a generation that is signed with a key of which its medium does not know cannot be checked
 * by who has only that medium.  So journal_copies_put_keys() before anything is published there.
 *
 * Errors: E-HISTORY-01 the medium's history is longer than this host's, W-HISTORY-02 its copy was cut,
 * E-ROTATE-20 the medium is as it was on a former day, E-PUBLISH-05 (history.h), E-PUBLISH-07 its keys.jsonl is of another history, E-IO-*.
 */
#ifndef BKP_WRITE_MEDIA_JOURNAL_COPIES_H
#define BKP_WRITE_MEDIA_JOURNAL_COPIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct medium;
struct policy;
struct replaced;
struct state;
struct store;

struct journal_copies_finding {
	const char *found; /* "", "truncated", "rolled-back" (rollback.h), "forked" */
	uint64_t line;	   /* the first that is gone or another */
	uint64_t expected; /* lines it was known to have */
	/* those of ours that it has: more than expected when a command died before it could record the copy */
	uint64_t lines;
	uint64_t turn;	/* of one that is rolled back: after how many rotations it was like that */
	struct err why; /* for a person; code "" when nothing was found */
};

/* 0: *ret is filled; JOURNAL_COPIES_AHEAD: E-HISTORY-01, nothing may be recorded; -1: the copy cannot be read. */
#define JOURNAL_COPIES_AHEAD 1
int journal_copies_check(const struct state *s, const struct medium *m, struct journal_copies_finding *ret,
    struct err *err) __attribute__((warn_unused_result));
/* The same for all media of the policy that are attached where it, or their registration, says: before a
 * command records the first thing.  0, JOURNAL_COPIES_AHEAD; a medium that is not there or cannot be read says
 * nothing. */
int journal_copies_check_media(const struct state *s, const struct policy *policy, struct err *err)
    __attribute__((warn_unused_result));
/* Is it E-HISTORY-01?  Then nothing is recorded, not even that the command failed. */
bool journal_copies_is_ahead(const struct err *err);
/* Is the medium's copy, whatever it says, signed from its first record to its last? */
bool journal_copies_is_signed(const struct state *s, const struct medium *m);
/* Records what was found, unless the newest record of that medium says so already. */
int journal_copies_record(struct state *s, const struct medium *m, const struct journal_copies_finding *f,
    struct err *err) __attribute__((warn_unused_result));

/* keys.jsonl of the medium's repository becomes this host's, durably; a damaged one is replaced, one that was signed by
 * the same keys and says otherwise is not (E-PUBLISH-07).  replaced (or NULL) gets its name when this host
 * did not write what stood there: an older list of its own is the beginning of the new one. */
int journal_copies_put_keys(const struct state *s, const struct store *repo, struct replaced *replaced,
    struct err *err) __attribute__((warn_unused_result));

/* The journal up to record `seq` with that head was copied to these media.  n = 0: nothing is recorded. */
struct journal_copies_mark {
	uint64_t seq;
	char sha256[65];
};
void journal_copies_mark(const struct state *s, struct journal_copies_mark *ret);
int journal_copies_copied(struct state *s, const struct journal_copies_mark *mark, const char *const *uuids,
    size_t n, struct err *err) __attribute__((warn_unused_result));

#endif
