/* table: columns of text that line up, whatever widths the characters have.
 *
 * table_new(columns) → table_cell() row by row, left to right → table_render() → table_free().  The first
 * failure (out of memory) is kept and reported by table_render(), so that cells can be added without a check
 * each.
 */
#ifndef BKP_BASE_SHOW_TABLE_H
#define BKP_BASE_SHOW_TABLE_H

#include <stddef.h>

struct buf;
struct err;
struct table;

struct table *table_new(unsigned columns); /* NULL: out of memory */
/* Its first row are the heads, one a column: English, shown through text(). */
struct table *table_headed(const char *const *heads, unsigned columns);
void table_free(struct table *t);

/* The next cell; text that must be safe on a terminal is the caller's (path_show()). */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends the rows, each behind `indent` spaces, two spaces between columns, none at the end of a line.  A
 * last row that is not full is rendered as it is. */
int table_render(const struct table *t, unsigned indent, struct buf *out, struct err *err);

/* The same in lines of so many columns.  Where a row is wider its last cell is broken (wrap.h) if it begins early enough, else all
 * rows go on, at the same columns, on further lines that are indented by four more. */
int table_fit(const struct table *t, unsigned indent, unsigned columns, struct buf *out, struct err *err);

#endif
