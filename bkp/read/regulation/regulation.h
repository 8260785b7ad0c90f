/* regulation: the backup chapter of the operating rules (運用管理規程), written from the policy in force, so that the rules on paper and what the
 * computer does cannot differ; and what of it is another than a manager approved (ledger_regulation()).
 *
 * Pure: policy + ledger → clauses, each {"article", "subject", "rule"}: a sentence each, in the language of text(), less than SLIP_TEXT bytes,
 * no date in it.
 */
#ifndef BKP_READ_REGULATION_REGULATION_H
#define BKP_READ_REGULATION_REGULATION_H

#include <stdbool.h>

struct err;
struct json_t;
struct ledger;
struct policy;

/* Appends them.  whole: also the last article, which names the policy's SHA-256: what is approved is without. */
int regulation_write(const struct policy *policy, const struct ledger *l, bool whole, struct json_t *rows,
    struct err *err) __attribute__((warn_unused_result));
/* Appends each that is not as it was approved, its rule as "NAME: old → new", in the language that it was approved in; none where nobody
 * has approved any. */
int regulation_changes(const struct policy *policy, const struct ledger *l, struct json_t *rows,
    struct err *err) __attribute__((warn_unused_result));

#endif
