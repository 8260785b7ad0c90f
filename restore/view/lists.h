/* lists: the pages to find a chart by: index.html; of each kind and order contents and lists.
 *
 * No page has a script: who searches opens the range that the number, name or date lies in, LISTS_RANGES lines a page, until LISTS_ROWS rows
 * are left, which any computer shows at once; there the browser's own search helps.
 *
 * Errors: those of pagefile.
 */
#ifndef RESTORE_VIEW_LISTS_H
#define RESTORE_VIEW_LISTS_H

#include <stdbool.h>

struct err;
struct gathered;
struct pagefile;

#define LISTS_ROWS   200
#define LISTS_RANGES 40

/* done: all was looked at; else the page says that more will come. */
int lists_write(struct pagefile *p, const struct gathered *g, bool done, struct err *err)
    __attribute__((warn_unused_result));
/* The page of the patient of that row, "chart-000012.html". */
const char *lists_chart(unsigned long row, char *out);

#endif
