/* arc_r_private: what arc_r*.c share; see arc_r.h.
 *
 * One lock, arc_r.lock, guards the tables: slots, cache, faults, benches, the ring of what is wanted.
 * Reading and decoding go on without it; what is being worked on belongs to who does it:
 * - file and index of a slot that is SLOT_OPENING: the thread that opens it.  Of one that is held (refs > 0):
 *   index may be read by every holder; `file` is read under arc_r_slot.reading: an agefile keeps state.
 * - raw of a chunk that is not ready: the thread that decodes it.  Of one that is ready and held: every
 *   holder.
 * - a bench: the thread that took it.
 *
 * arc_r.lock and arc_r_slot.reading are never held together.  `changed` is signalled when a slot or a chunk
 * is no longer being worked on, and when the last holder of a slot lets go.
 */
#ifndef BKP_READ_VAULT_ARC_R_PRIVATE_H
#define BKP_READ_VAULT_ARC_R_PRIVATE_H

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/vault/arc_r.h"

struct codec;
struct hmac;

#define ARC_R_BUCKETS	   1024
#define ARC_R_WANTED_MAX   64
#define ARC_R_DECODERS_MAX 16

enum arc_r_slot_state { SLOT_FREE, SLOT_OPENING, SLOT_OPEN };

/* An archive that is open.  Slots are reused, least recently used first. */
struct arc_r_slot {
	uint64_t number;
	enum arc_r_slot_state state;
	unsigned refs; /* holders; while not 0 it stays open */
	struct agefile *file;
	struct arcfile_index *index;
	uint64_t used;		 /* arc_r.open.clock when last used */
	pthread_mutex_t reading; /* guards `file` while it is SLOT_OPEN */
};

/* A decoded chunk; the cache is a list, most recently used first, and a table of chains. */
struct arc_r_held {
	struct arc_r_chunk chunk; /* first: what callers hold is this */
	size_t refs, cap;	  /* holders, who keep it from being dropped; bytes at raw */
	bool ready;		  /* false: somebody is decoding it */
	bool ahead;		  /* decoded by a helper, and not asked for yet: counted in ahead.bytes */
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
	/* set by arc_r_new(), read by all threads */
	const struct store *set; /* the data set's folder */
	const struct generation_root *root;
	const struct age_identity *ids;
	size_t n_ids;
	struct arc_r_options opt;
	/* all below is guarded by it, but for the threads of `ahead` */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* archives that are open: arc_r.c */
	struct {
		struct arc_r_slot *slots; /* opt.max_open */
		uint64_t clock;
	} open;
	/* archives that cannot be opened: arc_r.c */
	struct {
		uint8_t *bad; /* for each archive of the table */
		struct arc_r_fault *faults;
		size_t n;
	} lost;
	/* archives and chunks taken from another copy */
	struct {
		uint64_t n;
		struct err why; /* the first was */
	} elsewhere;
	/* decoded chunks: arc_r_chunk.c */
	struct {
		struct arc_r_held *table[ARC_R_BUCKETS], *first, *last;
		struct arc_r_held *spare; /* dropped last: the next one may fit into its memory */
		size_t n, bytes;
	} cache;
	struct arc_r_bench *benches; /* not in use */
	/* decoding ahead of who asks: arc_r.c */
	struct {
		/* changed by arc_r_helpers() and arc_r_alone() only, while no other thread uses the handle */
		pthread_t decoders[ARC_R_DECODERS_MAX];
		unsigned n_decoders;
		pthread_cond_t work; /* something is wanted, or the end */
		bool stop;
		struct arc_r_wanted wanted[ARC_R_WANTED_MAX]; /* a ring */
		size_t head, n;
		size_t bytes; /* of chunks in the cache that were decoded ahead and not asked for yet */
	} ahead;
};

/* But where it says so, these are called with the lock held.  arc_r_slot() and arc_r_load() may let go of it
 * meanwhile. */

/* The archive's slot, held until arc_r_slot_put(). */
int arc_r_slot(struct arc_r *a, uint64_t number, struct arc_r_slot **ret, struct err *err)
    __attribute__((warn_unused_result));
void arc_r_slot_put(struct arc_r *a, struct arc_r_slot *s);
void arc_r_note_elsewhere(struct arc_r *a, const struct err *why);
/* Without the lock: opens the archive in that copy (0: set, then the others) and proves its INDEX.  The
 * slot's number is set; -1 leaves file and index for arc_r_slot_clear(). */
int arc_r_slot_open(struct arc_r *a, size_t copy, struct arc_r_slot *s,
    const struct generation_archive *entry, struct err *err) __attribute__((warn_unused_result));
void arc_r_slot_clear(struct arc_r_slot *s);
/* "datasets/emr/archives/ab/….age", for messages, into out; returns out. */
#define ARC_R_PATH (GENERATION_SET_DIR + ARCFILE_PATH)
char *arc_r_path(const struct arc_r *a, const struct generation_archive *entry, char out[ARC_R_PATH]);
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
