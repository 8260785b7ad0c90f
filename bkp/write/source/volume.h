/* volume: about how many bytes of a file tree would come to be stored: known before the first one is.
 *
 * A walk that opens next to nothing: the sizes of the files that changed since a given time, shrunk as pieces of them do that are read and
 * compressed, one for each 1/16 more that was walked over.  Content that stands there twice, or that is stored already under another
 * name, counts in full: it is an estimate from above where there is such content, from below nowhere but for what comes while the capture
 * lasts.
 */
#ifndef BKP_WRITE_SOURCE_VOLUME_H
#define BKP_WRITE_SOURCE_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct policy_dataset;

struct volume_question {
	const struct policy_dataset *dataset; /* its paths and what it leaves out; one with paths */
	int64_t since_ns; /* files that were neither changed nor renamed nor made since then count nothing */
	int scratch_dir;  /* walk.h */
	bool (*stop)(void *arg); /* asked now and then; may be NULL */
	void *arg;
};

/* 0: *ret in bytes.  VOLUME_UNKNOWN: a path is not there or cannot be walked, or it was stopped: whoever captures it will say so.
 * -1: out of memory. */
#define VOLUME_UNKNOWN 1
int volume_estimate(const struct volume_question *q, uint64_t *ret, struct err *err);

#endif
