/* arc_r_private: what arc_r*.c share; see arc_r.h.
 *
 * One lock guards everything but what its owner alone may touch: a slot that is being opened, a chunk that is
 * being decoded.  Reading and decoding go on without it. */
#ifndef BKP_READ_VAULT_ARC_R_PRIVATE_H
#define BKP_READ_VAULT_ARC_R_PRIVATE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "read/vault/arc_r.h"

struct codec;
struct generation_archive;
struct hmac;

#define ARC_R_BUCKETS	   1024
#define ARC_R_WANTED_MAX   64
#define ARC_R_DECODERS_MAX 16

enum arc_r_slot_state { SLOT_FREE, SLOT_OPENING, SLOT_OPEN };

/* An archive that is open.  Slots are reused, least recently used first. */
struct arc_r_slot {
	uint64_t number;
	enum arc_r_slot_state state;
	unsigned refs; /* while not 0 it stays */
	struct agefile *file;
	struct arcfile_index *index;
	uint64_t used;		 /* arc_r.clock when last used */
	pthread_mutex_t reading; /* of `file` */
};

/* A decoded chunk; the cache is a list, most recently used first, and a table of chains. */
struct arc_r_held {
	struct arc_r_chunk chunk; /* first: what callers hold is this */
	size_t refs, cap;	  /* cap: bytes at raw */
	bool ready;		  /* false: somebody is decoding it */
	bool ahead;		  /* decoded before anybody asked */
	struct arc_r_held *prev, *next, *chain;
	uint8_t raw[];
};

/* An archive that cannot be opened stays so: thousands of files may need it. */
struct arc_r_fault {
	uint64_t number;
	struct err err;
};

/* What decoding needs; one for each thread that decodes. */
struct arc_r_bench {
	struct codec *codec;
	struct hmac *ids_hmac;
	struct buf frame;
	struct arc_r_bench *next;
};

struct arc_r_wanted {
	uint64_t archive;
	uint32_t chunk;
};

struct arc_r {
	int repofd;
	const struct generation_root *root;
	const struct age_identity *ids;
	size_t n_ids;
	struct arc_r_options opt;
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a slot or a chunk is no longer being worked on */
	struct arc_r_slot *slots;
	uint64_t clock;
	uint64_t elsewhere; /* taken from another copy, and why the first was */
	struct err elsewhere_why;
	uint8_t *bad; /* for each archive of the table */
	struct arc_r_fault *faults;
	size_t n_faults;
	struct arc_r_bench *benches; /* not in use */
	struct arc_r_held *table[ARC_R_BUCKETS], *first, *last;
	struct arc_r_held *spare; /* the chunk dropped last: the next one may fit into its memory */
	size_t cached, cached_bytes, ahead_bytes;
	/* helpers */
	pthread_t decoders[ARC_R_DECODERS_MAX];
	pthread_cond_t work; /* for helpers: something to do, or the end */
	unsigned n_decoders;
	bool stop;
	struct arc_r_wanted wanted[ARC_R_WANTED_MAX]; /* a ring */
	size_t wanted_head, n_wanted;
};

/* All of these are called with the lock held, and may let go of it meanwhile. */

/* The archive's slot, held until arc_r_slot_put(). */
int arc_r_slot(struct arc_r *a, uint64_t number, struct arc_r_slot **ret, struct err *err)
    __attribute__((warn_unused_result));
void arc_r_slot_put(struct arc_r *a, struct arc_r_slot *s);
void arc_r_note_elsewhere(struct arc_r *a, const struct err *why);
/* Without the lock: opens the archive in that copy (0: repofd, then the others) and proves its INDEX.  The
 * slot's number is set; -1 leaves file and index for arc_r_slot_clear(). */
int arc_r_slot_open(struct arc_r *a, size_t copy, struct arc_r_slot *s,
    const struct generation_archive *entry, struct err *err) __attribute__((warn_unused_result));
void arc_r_slot_clear(struct arc_r_slot *s);
int arc_r_no_chunk(const struct arc_r *a, uint64_t archive, uint32_t chunk, size_t n, struct err *err);
/* The chunk when it is in memory, also one that is being decoded; or NULL. */
struct arc_r_held *arc_r_cached(struct arc_r *a, uint64_t archive, uint32_t chunk);
/* Decodes a chunk that is not in memory.  NULL into *ret: somebody else has begun to. */
int arc_r_load(struct arc_r *a, uint64_t archive, uint32_t chunk, struct arc_r_held **ret, struct err *err)
    __attribute__((warn_unused_result));
/* What one thread needs; NULL: out of memory.  Given back when it is done. */
struct arc_r_bench *arc_r_bench_take(struct arc_r *a);
void arc_r_bench_give(struct arc_r *a, struct arc_r_bench *b);
void arc_r_forget_chunks(struct arc_r *a);
void arc_r_bench_free(struct arc_r_bench *b);

#endif
