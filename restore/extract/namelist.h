/* namelist: what --windows-names wrote under another name: as a table beside what was written, or (--dry-run) on the screen.
 *
 * namelist_add as the callback of extract.h → namelist_end, before syncfs.  The file is made with the first row, as bkp-names.csv, or
 * bkp-names-2.csv … where there is one: of what was restored nothing is called so (winnames.h), and what was there stays.
 *
 * Errors: E-NAMES-01 the list cannot be made or written.
 */
#ifndef RESTORE_EXTRACT_NAMELIST_H
#define RESTORE_EXTRACT_NAMELIST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct err;

struct namelist {
	int folder; /* -1: to the screen */
	bool quiet; /* and not there either */
	FILE *to;
	char name[32];
	uint64_t n;
};

int namelist_add(void *arg, const char *dataset, const char *from, const char *to, struct err *err)
    __attribute__((warn_unused_result));
/* Says how many, unless quiet. */
int namelist_end(struct namelist *l, struct err *err) __attribute__((warn_unused_result));

#endif
