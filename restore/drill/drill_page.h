/* drill_page: a drill as the page that people print and sign: the procedure's own text with the result
 * stamped at each step (format/procedure/procedure_html.h).  Pure, but for the local time zone. */
#ifndef RESTORE_DRILL_DRILL_PAGE_H
#define RESTORE_DRILL_DRILL_PAGE_H

#include <stdint.h>

struct buf;
struct drill;
struct err;
struct variables;

/* record_sha256: of drill.json's bytes, so that the page that was signed vouches for the record. */
int drill_page(const struct drill *d, struct variables *v, const uint8_t *record_sha256, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));

#endif
