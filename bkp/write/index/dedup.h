/* dedup: which content is stored already, and where: an advisory index on LMDB in the state folder's cache/.
 *
 * Maps, for each data set by itself, a content id (HMAC-SHA-256 of a chunk, or of a small file inside a bundle) to a place in a
 * published archive, and an archive's number to its name, size and the run that published it.  All calls but opening and closing
 * are about the data set that dedup_use() named last: nothing is found in another one's.  Advisory: it may be deleted at any time:
 * it is filled again from places.age of the generations on media (write/run/run_index.c).  What it says about an archive that is not on
 * any online medium is not believed: dedup_lookup() only returns places in archives that were made available
 * in this run.
 *
 * An archive's record is added in one transaction with the last of its entries, after it has been published;
 * an entry without it is not believed, nor one that another run left under the same number when it died: a
 * crash leaves nothing that points at nothing.  What was added in the last second or so may be lost in a crash
 * (dedup_flush()): one flush of the disk serves many small archives.
 *
 * A damaged index must neither give a wrong place (the generation would be good in name only) nor stop more
 * than one run: every record carries a checksum over itself and its key, and one that does not fit is as
 * good as unknown; what is found to be damaged when it is opened is begun empty at once; what is found later,
 * by an error, is begun empty after dedup_close(), and by the death of the process, at the next dedup_open()
 * (dedup_guard.h).
 *
 * Memory: bounded whatever the number of entries: pages of LMDB's map that were looked at are let go now and
 * then (cachedb.h), and an archive with many entries is added in several transactions.  8 bytes for each
 * archive. Calls belong to one thread.
 *
 * Errors: E-DEDUP-01 LMDB failed (with its reason).
 */
#ifndef BKP_WRITE_INDEX_DEDUP_H
#define BKP_WRITE_INDEX_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;

#define DEDUP_ID 16 /* leading bytes of the content id that serve as key: 128 bits of a keyed hash */

struct dedup_place {
	uint64_t archive;
	uint32_t chunk;
	uint32_t offset; /* in the raw chunk */
	uint32_t length;
	bool whole; /* a chunk of its own; else a slice of a bundle */
};

struct dedup_archive {
	uint64_t number;
	uint64_t size;
	uint8_t sha256[DIGEST_LEN];
	/* A random number, never 0, of the run that published it.  A number that a run had given out when it
	 * died is given out again: only number and run together say which archive is meant. */
	uint64_t run;
	uint64_t generation;		  /* for which it was made */
	uint8_t index_sha256[DIGEST_LEN]; /* of its INDEX */
};

struct dedup_entry {
	uint8_t id[DEDUP_ID];
	struct dedup_place place;
};

struct dedup;
/* path: the folder (made if absent). repository: the index of another repository is discarded. */
int dedup_open(const char *path, const char *repository, struct dedup **ret, struct err *err);
void dedup_close(struct dedup *d);

/* Highest archive number known; 0: none. */
uint64_t dedup_last_archive(const struct dedup *d);
/* From here on of this data set; none of its archives is available yet.  At most DEDUP_SETS of them. */
#define DEDUP_SETS 65535
int dedup_use(struct dedup *d, const char *dataset, struct err *err) __attribute__((warn_unused_result));
/* Was all that `from` (a medium's UUID) knows of this data set brought into this index, and marked so?  An index that is begun empty
 * has lost its marks. */
bool dedup_is_filled(struct dedup *d, const char *from);
int dedup_set_filled(struct dedup *d, const char *from, struct err *err) __attribute__((warn_unused_result));
/* What was added is durable on return. */
int dedup_flush(struct dedup *d, struct err *err) __attribute__((warn_unused_result));

/* Asks `available` for every archive known of the data set; lookups believe only those it returns 1 for.  -1 of it ends the
 * walk.  To be called before any dedup_add() or not at all: a damaged index is begun empty here. */
typedef int dedup_available_fn(void *arg, const struct dedup_archive *a, struct err *err);
int dedup_check_available(struct dedup *d, dedup_available_fn *available, void *arg, struct err *err);

/* The run that published an archive that is available; 0: it is not. */
uint64_t dedup_run_of(const struct dedup *d, uint64_t number);
/* The same for all at once, for another thread to look up in: runs[number], 0 where none is available, as an
 * array of n that the caller frees. */
int dedup_copy_runs(const struct dedup *d, uint64_t **ret, size_t *ret_n, struct err *err);
/* From now on it is not available: what is in it is stored again. */
void dedup_refuse(struct dedup *d, uint64_t number);

/* 1 and the place, 0 unknown or not available, -1. */
int dedup_lookup(struct dedup *d, const uint8_t id[DIGEST_LEN], struct dedup_place *ret, struct err *err);
/* 1 and the archive, 0 unknown, -1. */
int dedup_archive(struct dedup *d, uint64_t number, struct dedup_archive *ret, struct err *err);

/* Where each chunk begins when an archive's chunks are laid end to end: starts[0 … n], starts[n] is their sum. */
struct dedup_layout {
	uint64_t *starts;
	size_t n, cap;
};
/* 1 and the layout (a zeroed struct, or one of before, whose memory serves again), 0 unknown, -1 out of memory. */
int dedup_layout(struct dedup *d, uint64_t number, struct dedup_layout *ret, struct err *err);
void dedup_layout_free(struct dedup_layout *l);

/* A published archive and what is in it; available at once.  Entries that no record can
 * hold (dedup_record.h) are left out. */
int dedup_add(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err);
/* One that was published long ago: of what is known already the place stands, and it is not available before
 * dedup_check_available(). */
int dedup_fill(struct dedup *d, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n,
    struct err *err);

#endif
