/* expect: what the policy expects of a data set's size, number and age (expect: {…}), against what was
 * captured.
 *
 * Pure.  What is not as expected was captured all the same and is kept, but does not count: the data set is
 * partial, with the reason that comes from here, until a person accepts the generation.  (What a dump must be
 * from its first byte to its last is dumpcheck.h's business; a dump below min_bytes has failed, capture.h.)
 *
 * Errors: W-EXPECT-02 too few bytes, W-EXPECT-03 too few entries, W-EXPECT-04 it shrank, W-EXPECT-05 its
 * newest file is too old.
 */
#ifndef BKP_WRITE_EXPECT_EXPECT_H
#define BKP_WRITE_EXPECT_EXPECT_H

#include <stdint.h>

struct err;
struct policy_dataset;

#define EXPECT_NO_FILE INT64_MIN

struct expect_figures {
	uint64_t bytes, entries;
	int64_t newest_ns; /* of files; EXPECT_NO_FILE: there was none */
};

/* What it was in the newest generation in which it was good. */
struct expect_former {
	uint64_t generation; /* 0: there is none */
	uint64_t bytes, entries;
};

/* 0, or -1: the first thing that is not as expected. */
int expect_judge(const struct policy_dataset *d, const struct expect_figures *now,
    const struct expect_former *former, int64_t now_ns, struct err *err) __attribute__((warn_unused_result));

#endif
