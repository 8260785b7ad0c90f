/* dedup_private: what the files of the dedup index share; see dedup.h. */
#ifndef BKP_WRITE_INDEX_DEDUP_PRIVATE_H
#define BKP_WRITE_INDEX_DEDUP_PRIVATE_H

#include <lmdb.h>

#include "write/index/cachedb.h"
#include "write/index/dedup.h"
#include "write/index/dedup_guard.h"

#define DEDUP_TABLES 6
#define DEDUP_NAME   64

struct dedup {
	MDB_env *env;
	MDB_dbi chunks, archives, layouts, meta, sets;
	MDB_txn *reader;       /* a standing snapshot, where nothing is being written */
	MDB_txn *writer;       /* what was added since the last flush, which is asked then; NULL: nothing */
	uint64_t added;	       /* entries in it */
	int64_t since_ns;      /* monotonic: when it was begun */
	uint64_t set;	       /* number of the data set in use, 1 … DEDUP_SETS; 0: none */
	char name[DEDUP_NAME]; /* of that set */
	uint64_t last;
	uint64_t *runs; /* by archive number; 0: not available */
	size_t n_runs;
	struct dedup_guard guard;
	struct cachedb_pages pages;
	bool damaged; /* to be removed when it is closed */
	char *path, *repository;
};

/* dedup.c */
/* LMDB's own codes say something about its file, unless it is only full, and so does EINVAL (it has been led
 * to a page that cannot be); other errno values say nothing about it. */
bool dedup_is_damage(int r);
int dedup_failed(struct dedup *d, int r, struct err *err);
int dedup_mark_available(struct dedup *d, uint64_t number, uint64_t run, struct err *err);

/* dedup_walk.c: for dedup_guard_try(), in a child process.  0, or it is damaged. */
int dedup_walk_briefly(const char *path); /* bounded in time, however large it is */
int dedup_walk_whole(const char *path);
/* Is the file as long as its two head pages, one of which names the last page in use, say?  A valid one may
 * be shorter (pages that were given back before they were ever written), so that is no proof, but a reason to
 * look. */
bool dedup_is_short(const char *path);

#endif
