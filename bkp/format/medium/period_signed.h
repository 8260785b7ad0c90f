/* period_signed: who may sign a period's revision: the root key, or an approver whom the root key named.
 *
 * The root key lies in a safe.  So that a person can be added or removed without it, it may name an approver once: approver.json, signed by
 * the root key, lies beside each revision that the approver signed.  A night's key is never one.
 *
 * Pure.  docs/format.md, section 3.  Errors: E-PERIOD-02 not signed by either, or as something else; E-PERIOD-09 approver.json is malformed,
 * not signed by the root key, or the period was made after its time. */
#ifndef BKP_FORMAT_MEDIUM_PERIOD_SIGNED_H
#define BKP_FORMAT_MEDIUM_PERIOD_SIGNED_H

#include "base/buf.h"
#include "format/crypto/minisig.h"
#include "format/medium/period.h"

#define PERIOD_APPROVER	    "approver.json"
#define PERIOD_APPROVER_SIG "approver.json.minisig"

struct period_approver {
	char repository[GENERATION_UUID];
	char name[PERIOD_NAME]; /* period_name_ok() */
	struct minisig_public key;
	int64_t until_ns; /* signs what was begun up to then; whole seconds */
};
int period_approver_format(const struct period_approver *a, struct buf *out, struct err *err);
int period_approver_parse(const char *json, size_t n, struct period_approver *ret, struct err *err);
/* The trusted comment of its signature; returns out. */
char *period_approver_comment(const char *repository, char out[PERIOD_COMMENT]);

/* The bytes of the four files; approver, approver_sig: empty where there is none. */
struct period_signed {
	struct buf json, sig, approver, approver_sig;
};
void period_signed_init(struct period_signed *f);
void period_signed_free(struct period_signed *f);
/* p: what json says.  0: signed for this repository as what it is; *ret: by whom (name "": the root key).  -1. */
int period_signed_check(const struct period_signed *f, const char *repository, const struct period *p,
    const struct minisig_public *root, struct period_approver *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
