/* lines: the lines of a journal or of a list of keys, one after the other, in bounded memory.
 *
 * Errors: E-IO-02 it cannot be read, E-JOURNAL-01 a line is longer than a record can be, E-JOURNAL-11 it ends
 * before the journal does (segments.h): all lines up to there were shown.
 */
#ifndef BKP_READ_FILE_LINES_H
#define BKP_READ_FILE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store_file;

/* One line, n bytes without its newline.  `ahead` bytes can be read from `line` on: the line, its newline,
 * and what was read of the lines after it (journal_check_vouch() looks there for a signature).  Non-zero ends
 * the reading and is returned. */
typedef int lines_fn(void *arg, const uint8_t *line, size_t n, size_t ahead, struct err *err);
/* The whole file.  *ret_torn: bytes without a newline follow the last line. */
int lines_each(struct store_file *file, lines_fn *fn, void *arg, bool *ret_torn, struct err *err)
    __attribute__((warn_unused_result));

#endif
