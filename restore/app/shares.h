/* shares: shares of an identity as people give them: typed from paper row by row, or in a file.
 *
 * On a terminal each row is asked for (as the page has them: format/page/key_page.h); one of another length is asked for again at
 * once, and so are the rows in which the checksum finds a wrong character.  A whole share in one line (a scanner's) is
 * taken as well.  In a file a share begins with "bkp1" and may go over several lines; lines with '#' are left out.
 * Blanks, dashes and case do not matter.  What was typed never stands in a message: places do.
 *
 * Errors are said here: E-SHARE-01 to E-SHARE-05.
 */
#ifndef RESTORE_APP_SHARES_H
#define RESTORE_APP_SHARES_H

#include <stddef.h>
#include <stdio.h>

struct codex32;

/* As many as the first one says are needed, 9 at most.  asks: `in` is a terminal.  0 or the exit code; ret is the
 * caller's to wipe either way. */
int shares_read(FILE *in, int asks, struct codex32 *ret_shares, size_t *ret_n);

#endif
