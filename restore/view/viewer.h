/* viewer: makes the pages and opens the browser, for a process that has a key and may start nothing any more.
 *
 * viewer_start(), before confine_command() and before an identity is read → viewer_show() as soon as data/ of the scratch folder holds the
 * charts → (until SIGTERM comes: a person has typed Enter, or closed the browser) → viewer_stop() → viewer_end().
 *
 * Processes: the keeper, which waits for all and erases the scratch folder, however this process ends; below it the shower, which starts the
 * other two and listens to the terminal; the maker of pages (look.h), which reads what is hostile, holds no key, and is confined to pages/;
 * the browser (browser.h).
 *
 * The address of the first page goes to standard output.  Errors: E-VIEW-05 it cannot be started, or it has died.
 */
#ifndef RESTORE_VIEW_VIEWER_H
#define RESTORE_VIEW_VIEWER_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct scratch;
struct viewer;

#define VIEWER_DATA "data"

struct viewer_plan {
	struct scratch *scratch; /* the keeper erases it */
	const char *of;		 /* what is looked at, for people */
	bool browser, quiet;
	const char *const *hidden; /* as of browser.h */
	size_t n_hidden;
};

/* Makes data/, pages/ and home/. */
int viewer_start(const struct viewer_plan *plan, struct viewer **ret, struct err *err)
    __attribute__((warn_unused_result));
int viewer_show(struct viewer *v, struct err *err) __attribute__((warn_unused_result));
void viewer_stop(struct viewer *v); /* no more pages, no browser */
/* Erased.  The exit code (app.h) of what the others did; what is wrong was said. */
int viewer_end(struct viewer *v);

#endif
