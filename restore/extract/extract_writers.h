/* extract_writers: threads that write the files of lots.
 *
 * extract_writers_start → extract_writers_give (a closed lot) … → extract_writers_wait (the oldest, and so
 * on) → extract_writers_stop.  Lots are taken in the order they were given, files in the order of their
 * chunks, some at a time.  Signals are blocked in the threads.  A file that cannot be written is an item that
 * says so; when extract.ending is set, what was not begun stays ITEM_WAITING.
 *
 * circle: extract, of which this is a part; in a header of its own because parts call it that need not see the rest.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_WRITERS_H
#define RESTORE_EXTRACT_EXTRACT_WRITERS_H

struct err;
struct extract;
struct extract_lot;
struct extract_writers;

/* Processors that this process may use, within bounds. */
unsigned extract_writers_processors(void);

/* NULL into *ret: threads cannot be had; then extract_writers_do() is the way. */
int extract_writers_start(struct extract *x, unsigned n, struct extract_writers **ret, struct err *err);
void extract_writers_stop(struct extract_writers *w);
void extract_writers_give(struct extract_writers *w, struct extract_lot *l);
/* Until all of it is written, or `ms` have gone by.  True when it is. */
int extract_writers_wait(struct extract_writers *w, struct extract_lot *l, unsigned ms);

/* All of it by the caller. */
void extract_writers_do(struct extract *x, struct extract_lot *l);

#endif
