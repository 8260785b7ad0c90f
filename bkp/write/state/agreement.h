/* agreement: what was agreed of retention: raised as soon as the policy asks for more, lowered by the root
 * key alone.
 *
 * The journal holds what is agreed (the "agreed" record); whoever may edit the policy, or has the signing key
 * of this host, can only add to it (ledger.h refuses the rest).
 *
 * Errors: E-AGREE-01 not the root key, E-AGREE-02 the statement is not the one for this policy and this
 * journal, E-AGREE-03 an approver has no public key, E-APPROVAL-02.
 */
#ifndef BKP_WRITE_STATE_AGREEMENT_H
#define BKP_WRITE_STATE_AGREEMENT_H

#include <stddef.h>

#include "read/ledger/ledger.h"

struct buf;
struct err;
struct minisig_secret;
struct policy;
struct state;

/* Of policy and agreement the larger figures become the agreement; approvers, in epoch 1 while none are
 * agreed. Records nothing when that is what is agreed already. */
int agreement_raise(struct state *s, const struct policy *policy, struct err *err)
    __attribute__((warn_unused_result));

/* Does the policy say exactly what is agreed; less of something (why: of what)? */
enum agreement_differs { AGREEMENT_SAME, AGREEMENT_MORE, AGREEMENT_LESS };
int agreement_compare(const struct ledger *l, const struct policy *policy, enum agreement_differs *ret,
    char why[LEDGER_WHY], struct err *err) __attribute__((warn_unused_result));

/* The statement that makes exactly the policy's figures the agreement; data sets that left the policy are
 * given up. */
int agreement_statement(const struct ledger *l, const struct policy *policy, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Records it, with the signature (a .minisig file's text) of the root key, made elsewhere or here. */
int agreement_record(struct state *s, const struct policy *policy, const void *sig, size_t n, struct err *err)
    __attribute__((warn_unused_result));
int agreement_sign(struct state *s, const struct policy *policy, const struct minisig_secret *root,
    struct err *err) __attribute__((warn_unused_result));

#endif
