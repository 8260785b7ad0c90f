/* reread: reads a part of a medium again, the one that was not read the longest, and records it ("reread").
 *
 * Which parts, says read/rules/rereading.h.  Of each data set: every archive of the part that stands there, or that the newest generation
 * there lists, and the documents of the generations whose number falls into it.  What is found bad is recorded for every generation that rests on it
 * ("verify-failed"), as a read-back does it.  If the process dies, what was read is read again.
 *
 * A file that could not be read while the medium answers is bad as well: it is said, and recorded of no generation. */
#ifndef BKP_WRITE_COPIES_REREAD_H
#define BKP_WRITE_COPIES_REREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct medium;
struct readback;
struct rereading;
struct state;

struct reread {
	struct state *state;
	const struct medium *medium;
	struct readback *readback; /* of it */
	bool (*stop)(void *arg);   /* asked between files: the parts that are through count; or NULL */
	void *arg;
};

struct reread_result {
	uint64_t parts, files, bytes, bad;
	struct err why; /* the first fault, or code "" */
	bool gone;	/* the medium does not answer: the rest was left */
};

/* 0: what could be read was; -1: it cannot be recorded. */
int reread_run(const struct reread *r, const struct rereading *due, struct reread_result *ret,
    struct err *err) __attribute__((warn_unused_result));

#endif
