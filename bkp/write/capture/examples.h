/* examples: some files by name for each reason of the guard, for `bkp guard show`.
 *
 * Names of files may hold names of patients: they stand in the state folder only (cache/guard/<dataset>.examples, mode 0600), never
 * in the journal, nor in what is mailed.  The file: a line each, "<word> TAB <path, percent-encoded>"; words: harmed, sealed,
 * alien, deleted, rewritten.  EXAMPLES of each, drawn evenly from all (the smallest hashes of their paths).
 *
 * A capture saves its own beside them; what becomes of both is decided when it was judged (examples_settle): those of the night on which
 * it became suspect stay until somebody has decided, whatever ordinary work the nights behind it see.
 */
#ifndef BKP_WRITE_CAPTURE_EXAMPLES_H
#define BKP_WRITE_CAPTURE_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define EXAMPLES      3
#define EXAMPLES_PATH 1024 /* longer ones are passed over */

enum example {
	EXAMPLE_HARMED,
	EXAMPLE_SEALED,
	EXAMPLE_ALIEN,
	EXAMPLE_DELETED,
	EXAMPLE_REWRITTEN,
	EXAMPLE_REASONS
};

struct examples {
	struct example_path {
		uint64_t hash;
		char path[EXAMPLES_PATH];
	} of[EXAMPLE_REASONS][EXAMPLES];
	size_t n[EXAMPLE_REASONS];
};

void examples_begin(struct examples *e);
void examples_add(struct examples *e, enum example reason, const char *path);
/* cachefd: the folder cache/.  0, -1: E-STATCACHE-01. */
int examples_save(const struct examples *e, int cachefd, const char *dataset, struct err *err);

enum examples_of { EXAMPLES_NONE, EXAMPLES_FORMER, EXAMPLES_NOW };
/* Which of them stay; the capture's own, too, where there are no former ones.  Best effort. */
void examples_settle(int cachefd, const char *dataset, enum examples_of which);

#endif
