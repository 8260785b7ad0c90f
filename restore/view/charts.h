/* charts: the pages of one patient of an SS-MIX2 storage: who it is, the basic data, the days; each day's messages, field by field.
 *
 * charts_wait() puts a page that loads itself again in the place of each that is not there yet; charts_write() replaces it.  A message that
 * cannot be read as HL7 is named, and linked as it is.
 *
 * Errors: those of pagefile; faults of what is looked at are W-VIEW-02, counted.
 */
#ifndef RESTORE_VIEW_CHARTS_H
#define RESTORE_VIEW_CHARTS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct pagefile;
struct listing;

#define CHARTS_FIELDS 300		/* of a segment that are shown */
#define CHARTS_PAGE   ((size_t)2 << 20) /* bytes from which on a day goes on on another page */

int charts_wait(struct pagefile *p, const struct listing *patients, struct err *err)
    __attribute__((warn_unused_result));
/* data: the folder that the row's path leads from. */
int charts_write(struct pagefile *p, int data, const struct listing *patients, size_t row, uint64_t *faults,
    struct err *last, struct err *err) __attribute__((warn_unused_result));

#endif
