/* progress: how far, how fast, how long still (base/show/pace.h), on stderr.  A live line on a terminal,
 * otherwise one line a minute, nothing with --quiet.  One at a time. */
#ifndef RESTORE_APP_PROGRESS_H
#define RESTORE_APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/show/pace.h"

#define PROGRESS_SIZE_TEXT PACE_SIZE

struct progress {
	bool quiet, shown;
	struct pace pace; /* total 0: not known */
};

void progress_begin(struct progress *p, uint64_t total, bool quiet);
void progress_add(struct progress *p, uint64_t bytes, const char *current);
void progress_set(struct progress *p, uint64_t done, const char *current);
/* Takes the live line away, before something else is printed and at the end. */
void progress_clear(struct progress *p);
double progress_seconds(const struct progress *p);

/* "1.5 GB" (powers of 1000) into out; returns out. */
char *progress_size(uint64_t bytes, char out[PROGRESS_SIZE_TEXT]);

#endif
