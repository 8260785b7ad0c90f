/* strata: deletions and overwriting out of the ordinary, folder by folder; see guard.h.
 *
 * strata_new → strata_load → { strata_seen, strata_gone, strata_rewritten } for each file → strata_judge → strata_save →
 * strata_free.  Pure; memory: STRATA folders of STRATA_NIGHTS captures, whatever the data set.
 *
 * A stratum is a folder directly below a path of the data set (those beyond STRATA share one); in a data set of fewer than three of
 * them it is an extension instead.  People and programs that work in one folder change what lies there; who works in all folders on
 * the same nights, each a little more than usual, is no user.  So what counts is in how many strata more is deleted or
 * overwritten than was usual there, over 1, 7 and 30 captures, not how much in one.
 *
 * Deleting the oldest is ordinary (retention): what is deleted of a stratum on a night does not count when it is older than most of
 * what stays (STRATA_OLDEST of 100 pairs).  Whoever deletes slowly, the oldest first, is not seen here.
 */
#ifndef BKP_FORMAT_GUARD_STRATA_H
#define BKP_FORMAT_GUARD_STRATA_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct guard;

#define STRATA	      64
#define STRATA_NIGHTS 60
#define STRATA_LEARN  14 /* captures before anything is out of the ordinary */
#define STRATA_OLDEST 85

struct strata;
/* roots: paths of the data set, absolute; borrowed.  now_ns: this capture's time. */
int strata_new(char *const *roots, size_t n_roots, int64_t now_ns, struct strata **ret, struct err *err)
    __attribute__((warn_unused_result));
void strata_free(struct strata *s);
/* What strata_save() gave; anything else is as if there had been nothing.  p is changed. */
void strata_load(struct strata *s, char *p);
int strata_save(const struct strata *s, uint64_t generation, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* Nothing was counted of this capture. */
void strata_begin(struct strata *s);

/* Paths are without the leading '/', as in the catalog.  A file is there now: */
void strata_seen(struct strata *s, const char *path, int64_t mtime_ns);
/* Which strata the path is of, for strata_gone(): what is gone may turn out to have been renamed. */
struct strata_of {
	uint8_t folder, extension;
};
struct strata_of strata_of(struct strata *s, const char *path);
void strata_gone(struct strata *s, struct strata_of of, int64_t mtime_ns);
void strata_rewritten(struct strata *s, struct strata_of of);
/* All has been counted: removed, removed_in, rewritten, rewritten_in, emptied, oldest, folders.  since: captures up to that
 * generation were looked at by a person, and count no more (0: none). */
void strata_judge(struct strata *s, uint64_t since, struct guard *ret);

#endif
