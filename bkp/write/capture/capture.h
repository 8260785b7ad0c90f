/* capture: one data set → chunks, catalog blocks, block list.
 *
 * capture_new → { pack_begin_set → capture_dataset → pack_finish } for each → capture_free.  Nothing it stores counts until the generation that
 * refers to it is committed (run.h).
 *
 * What cannot be captured as it should be is told through `note`, is written into the catalog for ever
 * (bkp.flags) and is counted; the rest goes on.  A data set whose command fails or gives what is not whole
 * (dumpcheck.h, tarsource.h), whose `before` fails, or none of whose paths is there, is failed: nothing of it
 * is referenced and *ret has a reason.  One that is not as the policy expects (expect.h) is partial, with a
 * reason. Right after its content the data set's probe is run (probe.h): one that gives no value makes the
 * data set partial, with a reason, because a capture that cannot be checked later does not count.
 *
 * `before` runs first, `after` last, whatever became of what is between them (also when it was stopped); one
 * that fails makes a data set that was good partial.  Both, and all commands, find BKP_DATASET and
 * BKP_GENERATION in their environment, `after` BKP_RESULT too (good, partial, failed).  *ret.said is the end
 * of what all of them wrote to standard error: names of patients may be in it.  *ret.said_lines counts the
 * lines where they make a person look.
 *
 * Errors (-1): the capture as a whole cannot go on (no medium left, out of memory).
 */
#ifndef BKP_WRITE_CAPTURE_CAPTURE_H
#define BKP_WRITE_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/dump/rows_past.h"

struct chunker;
struct err;
struct expect_former;
struct generation_dataset;
struct hmac;
struct pack;
struct policy_dataset;
struct timings;

enum capture_kind {
	CAPTURE_UNREADABLE, /* errnum says why */
	CAPTURE_CHANGED,    /* changed while read, twice */
	CAPTURE_SOCKET,	    /* sockets are not stored */
	CAPTURE_INCOMPLETE, /* some attributes are missing */
	CAPTURE_TOO_LARGE,  /* the entry's path and attributes do not fit: the entry is not stored */
	CAPTURE_MOUNT,	    /* a mount point that was not entered */
	CAPTURE_ROOT,	    /* a path of the policy is not there */
	/* of a tar stream: */
	CAPTURE_OUTSIDE, /* the name, or the one it links to, leads out of it: not stored */
	CAPTURE_ABSENT,	 /* a hard link to something that did not come before it: not stored */
	CAPTURE_BELOW,	 /* it is below something that is no folder: not stored */
	CAPTURE_TWICE,	 /* it came several times: the last one is stored */
	/* of the output of a command: */
	CAPTURE_UNCHECKED, /* whether it is whole cannot be told; path is why */
};

struct capture_callbacks {
	/* path: raw bytes, without the leading '/' */
	void (*note)(void *arg, enum capture_kind kind, const char *dataset, const char *path, int errnum);
	/* asked now and then: is it time to stop?  Then the data set is failed, but what was stored of it is
	 * found by the next run.  May be NULL */
	bool (*stop)(void *arg);
	void *arg;
	/* is that because somebody ended this process, and not because of the time?  May be NULL */
	bool (*interrupted)(void *arg);
	/* so many bytes of the current data set are captured; may be NULL; called now and then */
	void (*progress)(void *arg, uint64_t bytes);
	void *progress_arg;
};

struct capture_config {
	const char *repository;
	bool anew; /* read all files: what is remembered of the last capture is only compared with */
	/* is the data set in a generation of that number that was reported?  What was measured of its capture
	 * otherwise is added to what is measured now.  May be NULL */
	bool (*reported)(void *arg, uint64_t generation, const char *dataset);
	/* the newest generation of the data set that the guard told of or that a person accepted, 0: none: what came up to it is
	 * not summed up again.  May be NULL */
	uint64_t (*decided)(void *arg, const char *dataset);
	void *reported_arg; /* of both */
	/* may what a dump was in that generation be what is usual (format/dump/rows_past.h)?  May be NULL: it may */
	enum rows_trust (*trusted)(void *arg, uint64_t generation, const char *dataset);
	struct pack *pack;
	const struct hmac *ids; /* content ids; borrowed */
	const struct chunker *chunker;
	const char *scratch; /* a folder for scratch files, absolute */
	int64_t now_ns;	     /* mtime of what a command gave */
	struct capture_callbacks cb;
	struct timings *timings; /* or NULL */
	uint64_t generation;	 /* for commands to know */
	const char *locale;	 /* that they run in */
	/* what the data set was when it was good; may be NULL: nothing is known */
	void (*former)(void *arg, const char *dataset, struct expect_former *ret);
	void *former_arg;
};

struct capture;
int capture_new(const struct capture_config *cfg, struct capture **ret, struct err *err);
void capture_free(struct capture *c);

/* Why the next run will have to read everything, or an error without a code. */
const struct err *capture_cache_fault(const struct capture *c);
/* Was the data set captured last stopped? */
bool capture_stopped(const struct capture *c);
/* 0: *ret has the verdict; also when the data set failed (verdict, reason).  Its strings are malloc'd.  -1: the
 * capture cannot go on. */
int capture_dataset(
    struct capture *c, const struct policy_dataset *d, struct generation_dataset *ret, struct err *err);

#endif
