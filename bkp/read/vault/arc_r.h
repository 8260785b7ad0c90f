/* arc_r: chunks of archives, at random.
 *
 * arc_r_new → arc_r_get … arc_r_put → arc_r_free.  Of one data set.  An archive is opened through the generation's table of
 * archives, its file key is unwrapped once, INDEX is read from its tail.  Bounded: `max_open` archives are
 * open at a time, decoded chunks take at most `cache_bytes` (chunks that are held by a caller excepted).
 *
 * age proves only that a file was made for us, not by whom: anyone who knows the recipients can make an
 * archive.  What ties it to the signed generation is INDEX, whose SHA-256 is compared with the generation's
 * table before anything of it is used, and the ids in it, with which every chunk is compared before it is
 * given out.  So an archive is never read as a whole, a medium may say something else each time it is asked,
 * and of a damaged archive everything that is unharmed can be had.
 *
 * Threads: arc_r_get, arc_r_put, arc_r_look, arc_r_id, arc_r_want and arc_r_depth may be called by several
 * threads at a time; what one of them is opening or decoding the others wait for.  All others only while no
 * other thread uses the handle.  Between arc_r_helpers() and arc_r_alone() threads of its own decode ahead of
 * who asks; chunks that are held stay valid whatever is asked for next.
 *
 * Errors name the archive file and, for a chunk, its number and offset: E-ARCHIVE-11 not in the generation's
 * table, E-ARCHIVE-12 missing, E-ARCHIVE-13 size is not the table's, E-ARCHIVE-14 INDEX is not the table's,
 * E-ARCHIVE-15 there is no chunk of that number, E-ARCHIVE-16 cannot be read, E-ARCHIVE-17 a chunk is
 * not what its id says; and those of age, arcfile and codec.
 */
#ifndef BKP_READ_VAULT_ARC_R_H
#define BKP_READ_VAULT_ARC_R_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct age_identity;
struct agefile;
struct arcfile_chunk;
struct arcfile_index;
struct err;
struct generation_root;
struct store;

struct arc_r_options {
	size_t max_open;    /* 0: 16 */
	size_t cache_bytes; /* 0: 32 MiB */
	/* the data set's folder in other copies of the repository: what is missing or damaged in `set` is
	 * taken from the first of them where it is proven; borrowed */
	const struct store *const *others;
	size_t n_others;
};

struct arc_r_chunk {
	const uint8_t *p;
	size_t n; /* raw length */
	uint64_t archive;
	uint32_t chunk;
};

struct arc_r;
/* set: the data set's folder (vault_r_generation_store()).  set, root and ids are borrowed for the life of the
 * handle.  opt may be NULL. */
int arc_r_new(const struct store *set, const struct generation_root *root, const struct age_identity *ids,
    size_t n_ids, const struct arc_r_options *opt, struct arc_r **ret, struct err *err)
    __attribute__((warn_unused_result));
void arc_r_free(struct arc_r *a);

/* How many archives and chunks were taken from another copy; *ret_why (unless 0): what was wrong with the
 * first. */
uint64_t arc_r_elsewhere(struct arc_r *a, struct err *ret_why);

/* Holds the chunk until arc_r_put(). */
int arc_r_get(struct arc_r *a, uint64_t archive, uint32_t chunk, const struct arc_r_chunk **ret,
    struct err *err) __attribute__((warn_unused_result));
void arc_r_put(struct arc_r *a, const struct arc_r_chunk *c);

/* What INDEX says of a chunk, without reading it. */
int arc_r_look(struct arc_r *a, uint64_t archive, uint32_t chunk, struct arcfile_chunk *ret, struct err *err)
    __attribute__((warn_unused_result));
/* The content id of n bytes. */
int arc_r_id(struct arc_r *a, const void *p, size_t n, uint8_t ret_id[DIGEST_LEN], struct err *err)
    __attribute__((warn_unused_result));

/* The open archive's INDEX and plaintext, for verification; valid until the next call of any function here.
 * Not while there are helpers. */
int arc_r_open(struct arc_r *a, uint64_t archive, const struct arcfile_index **ret_index,
    struct agefile **ret_file, struct err *err) __attribute__((warn_unused_result));

/* ---- ahead of who asks ---- */

/* Starts `decoders` threads; where they cannot be had, who asks does it all. */
void arc_r_helpers(struct arc_r *a, unsigned decoders);
/* Waits for them to end. */
void arc_r_alone(struct arc_r *a);
/* A chunk that will be needed soon.  A hint: forgotten when there are too many. */
void arc_r_want(struct arc_r *a, uint64_t archive, uint32_t chunk);
/* How many chunks ahead are worth asking for; 0: there are no helpers. */
unsigned arc_r_depth(const struct arc_r *a);

#endif
