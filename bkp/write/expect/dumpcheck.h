/* dumpcheck: is what a command gives a whole dump of the kind that the policy says (expect: {content: …})?
 *
 * dumpcheck_new → dumpcheck_feed with all bytes in order, in pieces of any size → dumpcheck_end →
 * dumpcheck_free.  The bytes are looked at as they pass; nothing is read twice, and memory does not depend on
 * how many there are.
 *
 * What is checked, by kind:
 *
 *     pgdump     pg_dump -Fc: header, table of contents, and each block of data up to its end; every block
 *                that the table of contents announces must come: one that is cut off at any byte is told
 *     pgdumpall  SQL of pg_dumpall or pg_dump: the line that they write when all is done
 *     mysqldump  SQL of mysqldump or mariadb-dump: "-- Dump completed"
 *     gzip       every member inflates to its end, with its checksum
 *     zip        the end of the central directory is there and agrees with where it stands
 *     tar        headers from one to the next up to the end mark, and nothing after it but zeros
 *
 * What it does not tell: whether what was dumped is what should have been (that is the probe's business).
 *
 * Errors: E-EXPECT-01 it is not of that kind; E-EXPECT-02 cut off; E-EXPECT-03 damaged; E-EXPECT-04 something
 * stands after its end; each with the byte at which that was found.  W-EXPECT-01 it cannot be told.
 */
#ifndef BKP_WRITE_EXPECT_DUMPCHECK_H
#define BKP_WRITE_EXPECT_DUMPCHECK_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct dumpcheck;
/* content: enum policy_content but POLICY_CONTENT_ANY. */
int dumpcheck_new(unsigned content, struct dumpcheck **ret, struct err *err)
    __attribute__((warn_unused_result));
void dumpcheck_free(struct dumpcheck *d);

/* Who wants what a compressed dump holds, which the check decompresses anyway.  false: this kind gives nothing so. */
typedef void dumpcheck_plain_fn(void *arg, const void *p, size_t n);
bool dumpcheck_tap(struct dumpcheck *d, dumpcheck_plain_fn *fn, void *arg);
void dumpcheck_feed(struct dumpcheck *d, const void *p, size_t n);
/* 0: whole.  DUMPCHECK_UNKNOWN: it cannot be told (a version that came later), err says why.  -1. */
#define DUMPCHECK_UNKNOWN 1
int dumpcheck_end(struct dumpcheck *d, struct err *err) __attribute__((warn_unused_result));

#endif
