/* look: pages to read charts by, of a folder that holds them: the first ones soon, whatever the size.
 *
 * look_folder(): walks the folder (gather), writes the lists (lists) and says `ready`; where the walk takes longer than LOOK_FIRST_S it writes
 * those of what it has found by then, says `ready`, and goes on.  Then the pages of patients, one after the other (charts).
 *
 * The folder is only read, and hostile; pages go into another one.  stop() may end it early: 0.  Errors: those of pagefile.
 */
#ifndef RESTORE_VIEW_LOOK_H
#define RESTORE_VIEW_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOOK_FIRST_S 40

struct look {
	int data, pages;				/* folders */
	const char *link;				/* "file:///…": of data */
	const char *of;					/* what it is, for people */
	void (*ready)(void *arg, const struct look *l); /* once: index.html is there */
	bool (*stop)(void *arg);
	void *arg;
	/* what was found */
	uint64_t files, patients, studies, documents, faults;
	struct err last; /* of the faults */
};

int look_folder(struct look *l, struct err *err) __attribute__((warn_unused_result));
/* "file:///a/b%20c", the caller's; NULL: out of memory. */
char *look_link(const char *path);

#endif
