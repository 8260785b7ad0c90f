/* csv: a cell of a table for spreadsheets: RFC 4180, all cells in quotes, and none that a spreadsheet takes for a formula (an apostrophe
 * stands before it). */
#ifndef BKP_BASE_SHOW_CSV_H
#define BKP_BASE_SHOW_CSV_H

#include <stdbool.h>
#include <stdio.h>

#define CSV_BOM "\xef\xbb\xbf" /* without it spreadsheets take UTF-8 for something else */

/* The cell, and a comma or (last) the end of the row. */
void csv_cell(FILE *to, const char *s, bool last);

#endif
