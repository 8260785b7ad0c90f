/* explain: what docs/messages.md says of a code; the document is linked into the programs by bkp/po/embed.py.
 *
 * explain() appends two lines to `out`, "CODE: meaning" and "  → what to do", in the chosen language (text.h).
 * Upper and lower case are equal.  Returns 0, EXPLAIN_UNKNOWN, or -1 when there is no memory.
 */
#ifndef BKP_BASE_SHOW_EXPLAIN_H
#define BKP_BASE_SHOW_EXPLAIN_H

struct buf;
struct err;

#define EXPLAIN_UNKNOWN 1

int explain(const char *code, struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
