/* use_slip: what a use of a recovery key leaves behind (使用記録): one small JSON file, and a record `use` of the journal with
 * the same members (docs/format-writer.md, section 9).
 *
 *     {"format":1,"kind":"bkp-use","repository":<uuid>, members…}
 *
 * "finished" and "exit" are null while it is not known how the command ended: who was killed has used the key, too.
 *
 * Pure.  Errors: E-USE-01 malformed, the member named.
 */
#ifndef BKP_FORMAT_JOURNAL_USE_SLIP_H
#define BKP_FORMAT_JOURNAL_USE_SLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/journal/journal.h"

struct buf;
struct err;
struct json_t;

#define USE_SLIP_MAX	  ((size_t)64 << 10) /* bytes of a slip */
#define USE_SLIP_NAMED	  20 /* paths, and archives that do not open: as many are named, the others counted */
#define USE_SLIP_ENVELOPE 33 /* an envelope's number: [A-Za-z0-9-]{1,32} */

/* May a member be as it is?  NULL, or the name of the first that is wrong or missing. */
const char *use_slip_wrong(const struct json_t *members);
/* Appends the file. */
int use_slip_format(const char *repository, const struct json_t *members, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* The members as a record takes them: those known here, without the three in front.  *ret is the caller's. */
int use_slip_parse(const void *p, size_t n, char ret_repository[JOURNAL_UUID], struct json_t **ret,
    struct err *err) __attribute__((warn_unused_result));

/* Of a slip that is right: when it was used as far as the slip says (the end, else the beginning). */
int64_t use_slip_ns(const struct json_t *members);
/* "bkp:1 kind=use repository=… id=…": the trusted comment of its signature; returns out. */
#define USE_SLIP_COMMENT 128
char *use_slip_comment(const char *repository, const char *id, char out[USE_SLIP_COMMENT]);
bool use_slip_is_envelope(const char *number);

#endif
