/* policy_record: the policy that holds is on record: its hash in the journal, its text in the state folder.
 *
 *     policies/<sha256>.yaml  0600: each policy a changing command was run with
 *
 * policy_record() comes after state_open() in every command that changes anything.  When the policy is another
 * one than the journal names last, the text is made durable first, then "policy" {sha256, bytes, changes:
 * [TEXT…]} is appended: a record never names a text that is not there.  If the process dies between, the next
 * command repeats it.  `changes` says in which keys the two differ, with values only where they are numbers,
 * times or words.  `narrows` are those of them by which less is captured or looked at: they are pending until
 * a person accepts them (ledger_narrowed()).
 *
 * The bytes must be those the policy was parsed from.
 *
 * Errors: those of io.h and the journal; E-RECORD-01 the text on record is not what its name says.
 */
#ifndef BKP_WRITE_STATE_POLICY_RECORD_H
#define BKP_WRITE_STATE_POLICY_RECORD_H

#include <stddef.h>

struct buf;
struct err;
struct policy;
struct state;

#define POLICY_RECORD_DIR "policies"

/* policy: what the n bytes at p mean.  0, -1. */
int policy_record(struct state *s, const struct policy *policy, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* The text on record, checked against its name, after what is in `out`.  dirfd: the state folder.
 * 0, POLICY_RECORD_ABSENT, -1. */
#define POLICY_RECORD_ABSENT 1
int policy_record_read(int dirfd, const char *sha256, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Puts the text of that SHA-256 there, durable before anybody names it.  Likewise. */
int policy_record_keep(int dirfd, const char *sha256, const void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* Each text in the state folder that is what its name says, with that name, "<sha256>.yaml", in the order of names; of the first that is not
 * *ret_why says so.  A non-zero return of fn ends it and is returned.  0, -1. */
typedef int policy_record_fn(void *arg, const char *name, const struct buf *text, struct err *err);
int policy_record_each(int dirfd, policy_record_fn *fn, void *arg, struct err *ret_why, struct err *err)
    __attribute__((warn_unused_result));

#endif
