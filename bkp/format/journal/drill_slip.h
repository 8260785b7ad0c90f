/* drill_slip: what is kept of the record of a drill (復旧訓練) or of a recovery (復旧): a record `drill` of the journal with these
 * members (docs/format-writer.md, section 9), taken from the file that bkp-restore leaves (bkp-drill(1), "The record").
 *
 * The file says everything, for people and other programs; the journal keeps what is judged here, and the file's SHA-256.
 *
 * Pure.  Errors: E-IMPORT-01 malformed, the member named.
 */
#ifndef BKP_FORMAT_JOURNAL_DRILL_SLIP_H
#define BKP_FORMAT_JOURNAL_DRILL_SLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/journal/journal.h"

struct err;
struct json_t;

#define DRILL_SLIP_MAX	    ((size_t)16 << 20) /* bytes of a file */
#define DRILL_SLIP_DATASETS 200		       /* as many as a procedure may have steps */
#define DRILL_SLIP_FINDINGS 100
#define DRILL_SLIP_GATES    50 /* each of so many people at most */
#define DRILL_SLIP_PEOPLE   9

#define DRILL_SLIP_DRILL    "bkp-drill" /* its "kind" */
#define DRILL_SLIP_RECOVERY "bkp-recovery"

/* May a record's members be as they are?  NULL, or the name of the first that is wrong or missing. */
const char *drill_slip_wrong(const struct json_t *members);
/* The members as a record takes them.  *ret is the caller's. */
int drill_slip_parse(const void *p, size_t n, char ret_repository[JOURNAL_UUID], struct json_t **ret,
    struct err *err) __attribute__((warn_unused_result));

/* One finding (指摘): what is wrong, who sees to it, by which day: {"text", "owner", "due"} and more.  NULL, or the name of the member. */
const char *drill_slip_finding_wrong(const struct json_t *finding);

/* For people: "passed" …; "" for "". */
const char *drill_slip_verdict_text(const char *verdict);

/* Of members that are right.  When it ended; do they show that everything was brought back as the procedure says it, and (a drill)
 * that it is erased?  What took longer than planned is brought back all the same. */
int64_t drill_slip_ns(const struct json_t *members);
bool drill_slip_proves(const struct json_t *members);

#endif
