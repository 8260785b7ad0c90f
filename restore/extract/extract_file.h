/* extract_file: writes one regular file: under its name when that is free, else (overwrite) beside it and
 * renamed when it is whole.  No half file is left.
 *
 * One thread at a time per writer.  What comes of it is left in the item: state, why, warning.
 *
 * circle: extract, of which this is a part; in a header of its own because parts call it that need not see the rest.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_FILE_H
#define RESTORE_EXTRACT_EXTRACT_FILE_H

#include <stdbool.h>

struct err;
struct extract;
struct extract_item;
struct extract_writer;

/* number: tells the writers of one run apart. */
int extract_writer_open(struct extract_writer *w, struct extract *x, unsigned number, struct err *err);
void extract_writer_close(struct extract_writer *w);
void extract_file(struct extract_writer *w, struct extract_item *it);
/* skip_same: is what stands there a file as this one would be made?  What cannot be looked at is not. */
bool extract_is_same(const struct extract *x, int parent, const char *name, const struct extract_item *it);

#endif
