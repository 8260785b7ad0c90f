/* reap: takes expired generations off a medium.  The only code that deletes published files.
 *
 * It decides nothing: retention.h says what may go, people approve, the ledger refuses a record that goes
 * against what was agreed.  A record by itself, whoever wrote it, deletes nothing.  The transaction, for each
 * generation on one medium:
 *   1. record(): journal "expired", durable.  From now on the generation is gone from this medium, whatever
 *      happens.
 *   2. retire(): its folder is renamed to tmp/expired-<data set>-NNNNNN, in one step: what people see on the medium.
 * and when all are through these,
 *   3. sweep(): documents; then archives that its signed list names and that no generation of its data set that still stands
 *      on the medium lists; last the list itself and the folder.  Every list that stands is read and its
 *      signature verified.  If one cannot be verified, no archive is deleted, and the list of what expired is
 *      kept until it can.  Archives that nobody lists (of a run that was interrupted) are not touched: the next
 *      run uses them.
 * If the process dies at any moment, reap_finish() goes on: every run, rotation and expiry calls it.  No step
 * needs room on the medium, and the record has its reserve (reserve.h) in the state folder.
 *
 * What an earlier one recorded and did not retire is judged again first, as if it had never been recorded
 * (retention_judge_expired()): only what may go now, beside what stands there now, does.  From a medium kept
 * offline it goes only when a person said so: an approver signed for it, or the operator at the disk says yes
 * (journal "expiry-finished").  Each is announced before it goes, and what an earlier one retired, too.
 *
 * Immutable flags are taken off file by file, just before.
 *
 * Errors: E-REAP-01 a folder cannot be moved out of the way, E-REAP-02 a file cannot be deleted, E-REAP-03 a
 * generation that stands on the medium cannot be verified (no archive was deleted), E-REAP-04 the folder is
 * not that generation's, E-REAP-05 what was recorded as expired stands there and may not go, E-REAP-06 it may,
 * but nobody has agreed to it at the disk.
 */
#ifndef BKP_WRITE_REAP_REAP_H
#define BKP_WRITE_REAP_REAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/journal/journal.h"

struct ledger_generation;
struct medium;
struct policy;
struct retention_copy;
struct state;
struct store;

/* Those of a data set stand together. */
struct reap_item {
	const char *dataset; /* borrowed */
	uint64_t number;
	char uuid[JOURNAL_UUID];
	char *why;	       /* for the record; or NULL */
	uint64_t files, bytes; /* reap_measure(): what deleting it frees, after those before it are gone */
};

/* What an earlier expiry left on the medium. */
struct reap_leftover {
	const char *medium; /* label */
	const struct ledger_generation *generation;
	int64_t expired_ns;
	const struct retention_copy *judged; /* NULL: its folder was taken out of sight already */
	bool goes;
};

struct reap {
	struct state *state;
	const struct policy *policy;
	struct medium *medium; /* writable */
	const char *plan;      /* SHA-256 of the approved plan as hex, or NULL */
	const char *approver;  /* public key, or NULL */
	const char *operator;  /* who does it, or NULL */
	bool yes;	       /* and who says so of what an earlier one left on a medium kept offline */
	/* told before anything of it is deleted; may be NULL */
	void (*about)(void *arg, const struct reap_leftover *l);
	void *arg;
};

struct reap_result {
	uint64_t expired;      /* recorded now */
	uint64_t finished;     /* recorded by an earlier one, out of sight now */
	uint64_t files, bytes; /* deleted now */
	bool kept;	       /* no archive was deleted */
	struct err why;	       /* the first fault, or code "" */
};

/* Does what the journal counts on the medium, but for the n items, stand there whole?  0, -1 (E-EXPIRE-08:
 * why nothing should go on its word). */
int reap_stands(const struct state *s, const struct medium *m, const struct reap_item *items, size_t n,
    struct err *why) __attribute__((warn_unused_result));

/* What would be freed: fills items[].files and bytes.  kept: a generation that stays cannot be verified
 * (why). */
int reap_measure(const struct state *s, const struct medium *m, struct reap_item *items, size_t n,
    bool *ret_kept, struct err *why, struct err *err) __attribute__((warn_unused_result));

/* 0: whatever could be done was (see why); -1: it cannot be recorded (err).  *ret is filled in both cases. */
int reap_run(const struct reap *r, struct reap_item *items, size_t n, struct reap_result *ret,
    struct err *err) __attribute__((warn_unused_result));

/* One published file that is damaged, and that the caller has whole from elsewhere: an archive or a document
 * of a generation, path from <repository-id>/.  0 also when it is not there; -1. */
int reap_damaged(const struct store *repo, const char *path, struct err *err)
    __attribute__((warn_unused_result));

/* The same file may be replaced, in one step, by one that is whole: it is not frozen any more.  0 also when it is not there; -1. */
int reap_thaw(const struct store *repo, const char *path, struct err *err)
    __attribute__((warn_unused_result));

/* What an earlier one left. Records nothing. */
int reap_finish(const struct reap *r, struct reap_result *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
