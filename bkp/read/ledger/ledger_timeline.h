/* ledger_timeline: what the journal says of each generation, as rows of format/guard/timeline.h.
 *
 *     ledger_timeline() → ledger_timeline_text() or ledger_timeline_json() → free(rows)
 *
 * Rows point into the ledger.
 */
#ifndef BKP_READ_LEDGER_LEDGER_TIMELINE_H
#define BKP_READ_LEDGER_LEDGER_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json_t;
struct ledger;
struct timeline_row;

/* Of that data set, or (NULL) of all: those that were reported, judged; data sets by their names, of each ascending.  Those that expired
 * everywhere are gone. */
int ledger_timeline(const struct ledger *l, const char *dataset, struct timeline_row **ret, size_t *ret_n,
    struct err *err) __attribute__((warn_unused_result));
/* How many from row i on are of one data set. */
size_t ledger_timeline_set(const struct timeline_row *rows, size_t n, size_t i);
/* Of data set after data set, if anything of it is from that number on; *ret_signs: how many of them have a sign. */
int ledger_timeline_text(const struct timeline_row *rows, size_t n, uint64_t from, size_t *ret_signs,
    struct buf *out, struct err *err) __attribute__((warn_unused_result));
/* An array, the caller's; NULL: out of memory. */
struct json_t *ledger_timeline_json(
    const struct timeline_row *rows, size_t n, uint64_t from, size_t *ret_signs);

#endif
