/* extract_writers: threads that write the files of lots.
 *
 * extract_writers_start → extract_writers_give (a closed lot) … → extract_writers_wait (the oldest, and so
 * on) → extract_writers_stop.  At most EXTRACT_LOTS are given at a time.  Lots are taken in the order they were given, files
 * in the order of their chunks, some at a time.  Where no thread can be started, extract_writers_wait() writes.  A file that
 * cannot be written is an item that says so; when extract.ending is set, what was not begun stays ITEM_WAITING.
 *
 * circle: extract, of which this is a part; in a header of its own because parts call it that need not see the rest.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_WRITERS_H
#define RESTORE_EXTRACT_EXTRACT_WRITERS_H

#include <stdbool.h>

struct err;
struct extract;
struct extract_lot;
struct extract_writers;

/* Processors that this process may use, within bounds. */
unsigned extract_writers_processors(void);

int extract_writers_start(struct extract *x, unsigned n, struct extract_writers **ret, struct err *err)
    __attribute__((warn_unused_result));
/* What was not begun is not written. */
void extract_writers_stop(struct extract_writers *w);
void extract_writers_give(struct extract_writers *w, struct extract_lot *l);
/* Until a portion of the oldest lot is written, or `ms` have gone by.  True when all of it is. */
bool extract_writers_wait(struct extract_writers *w, struct extract_lot *l, unsigned ms);

#endif
