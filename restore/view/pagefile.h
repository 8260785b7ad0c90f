/* pagefile: a page of charts as a file: pages/NAME, self-contained, without scripts (format/page/sheet.h).
 *
 * pagefile_begin → pieces of the sheet → pagefile_end, which puts the file there whole, in the place of one of that name.  Not durable: pages
 * are erased at the end.
 *
 * Errors: E-VIEW-01 the page cannot be written.
 */
#ifndef RESTORE_VIEW_PAGEFILE_H
#define RESTORE_VIEW_PAGEFILE_H

#include "base/buf.h"
#include "format/page/sheet.h"

#define PAGEFILE_MAX  ((size_t)32 << 20)
#define PAGEFILE_NAME 64

struct pagefile {
	int folder;	  /* pages/ */
	const char *data; /* "file:///…/data": where the charts lie, as a link */
	const char *of;	  /* what is looked at, "viewer@3": foot of each page */
	struct buf html;
	struct sheet sheet;
};

void pagefile_begin(struct pagefile *p, const char *title, struct err *err);
int pagefile_end(struct pagefile *p, const char *name, struct err *err) __attribute__((warn_unused_result));
/* The link to what lies at `path` (bytes) among the charts; into out alone. */
int pagefile_link(const struct pagefile *p, const char *path, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* "1960-01-31" of "19600131…"; what is no such date stays as it is. */
const char *pagefile_date(const char *date, char out[PAGEFILE_NAME]);

#endif
