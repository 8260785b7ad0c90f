/* wrap: a text in lines of so many columns, whatever widths its characters have.
 *
 * Lines are broken at spaces, and between characters of two columns (Japanese), but not before what closes and not behind
 * what opens (禁則).  A word that is wider than a line, a path or a command, stays whole: it can be copied.
 */
#ifndef BKP_BASE_SHOW_WRAP_H
#define BKP_BASE_SHOW_WRAP_H

struct buf;
struct err;

#define WRAP_COLUMNS 80 /* of the smallest terminal that people use */

/* Appends s to out, no newline at its end.  `at`: columns of the first line that are taken already; the other lines begin behind
 * `indent` spaces.  A newline in s begins a line. */
int wrap_text(const char *s, unsigned columns, unsigned at, unsigned indent, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
