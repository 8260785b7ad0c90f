/* rows_past: what the tables of a data set's dump usually are, and whether those of a new one look harmed.
 *
 * Pure.  Before a capture is judged, what is remembered takes in the one before it, if that one counts (rows_past_take(); whether
 * it does, the journal says); what is doubted never becomes what is usual:
 *
 *     rows_past_parse → rows_past_take → rows_judge → past->newest = what is new → rows_past_format
 *
 * A capture that a person accepted, or that was announced, is what is usual from then on, as it is.  Of any other the shares are
 * averaged (an eighth a capture), so that a slow attack runs ahead of them, and what falls is remembered as it was for long.
 *
 * A table is harmed when
 *
 *     what looks like ciphertext in it rose by 10 points of its samples or of their bytes, and by more than chance; or much more in
 *     ROWS_GROUP rows one behind the other, as of who begins with the newest; or it has three times the bytes and 3 points more of it; or, in
 *     pg_dump -Fc, is compressed a half worse, or is larger than what is looked into and its compressed bytes are 15 % more than
 *     usual
 *     its rows (200 or more) are half or twice as long as usual, and the columns are the same
 *     a third of the rows that it had (500 or more) is gone, or a ninth in five captures or more of which each had fewer
 *
 * and all tables together when a third of their rows is gone; the dump when tables of 500 rows or more are gone, and none came that
 * has as many; and what the probe counts when it is a third less than the median of its last values, and less than each of them.  A
 * table that is new is never harmed, nor is a first capture.  Tables that lose rows, or are gone, or grow as they did when a person
 * accepted it, do so by habit.  Limits are those of sensitivity normal.
 */
#ifndef BKP_FORMAT_DUMP_ROWS_PAST_H
#define BKP_FORMAT_DUMP_ROWS_PAST_H

#include "format/dump/rows.h"

struct buf;

#define ROWS_SAY      200
#define ROWS_FILE_MAX ((size_t)1 << 20)

struct rows_past {
	struct rows_summary usual;  /* n 0: nothing is known */
	struct rows_summary newest; /* generation 0: there is none */
};

/* What a file holds that rows_past_format() made, on this computer.  false: it does not, *ret is empty. */
bool rows_past_parse(const void *bytes, size_t n, struct rows_past *ret);
int rows_past_format(const struct rows_past *p, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* What the newest counts for. */
enum rows_trust { ROWS_DOUBTED, ROWS_TRUSTED, ROWS_ACCEPTED };
void rows_past_take(struct rows_past *p, enum rows_trust trust);

struct rows_verdict {
	uint64_t tables, harmed; /* that could be compared; the dump and the probe count as one each */
	char say
	    [ROWS_SAY]; /* in the reader's language, with names of tables, never values; "" when none is harmed */
};
/* sensitivity: enum policy_sensitivity. */
void rows_judge(const struct rows_summary *now, const struct rows_summary *usual, unsigned sensitivity,
    struct rows_verdict *ret);

#endif
