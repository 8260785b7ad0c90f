/* bisect: what is bad in one generation after the other, each content looked at once.
 *
 * bisect_new → bisect_known for each digest of a list → bisect_generation, the newest first → bisect_bad → bisect_free.
 *
 * A content goes by its SHA-256 out of the catalog (of one that has none, more than 1 GiB of holes, by its extents).  With a list alone no
 * content is read.  With a quarantine what neither was judged before nor is on the list is brought there and judged; of each generation
 * that is what no newer one had.  What cannot be read is asked for again where an older generation has it.
 *
 * Errors go to `fault`, with a path or NULL, and make the generation unknown; -1 only for what ends it all.  E-BISECT-04: a file
 * without SHA-256 cannot be compared with a list.
 */
#ifndef RESTORE_BISECT_BISECT_H
#define RESTORE_BISECT_BISECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct app_generation;
struct err;
struct lastclean_generation;
struct progress;
struct quarantine;

#define BISECT_PATHS 100 /* of one content that are kept */

struct bisect_bad {
	uint8_t sha256[DIGEST_LEN];
	char *found;	      /* what the scanner called it; "": it is on the list */
	uint64_t first, last; /* numbers of generations */
	char **path;
	size_t n;
	bool more; /* paths */
};

typedef void bisect_fault_fn(void *arg, const char *path, const struct err *why);
struct bisect;
/* q NULL: only the list. */
struct bisect *bisect_new(struct quarantine *q, struct progress *progress, bisect_fault_fn *fault,
    void *arg); /* NULL: out of memory */
void bisect_free(struct bisect *b);
int bisect_known(void *b, const uint8_t sha256[DIGEST_LEN], struct err *err)
    __attribute__((warn_unused_result));
int bisect_generation(struct bisect *b, struct app_generation *g, struct lastclean_generation *ret,
    struct err *err) __attribute__((warn_unused_result));
/* In the order in which they were found. */
const struct bisect_bad *bisect_bad(const struct bisect *b, size_t *ret_n);

#endif
