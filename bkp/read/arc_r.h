/* arc_r: chunks of archives, at random.
 *
 * arc_r_new → arc_r_get … arc_r_put → arc_r_free.  An archive is opened through the generation's table of
 * archives, its file key is unwrapped once, INDEX is read from its tail.  Bounded: `max_open` archives are
 * open at a time, decoded chunks take at most `cache_bytes` (chunks that are held by a caller excepted).
 *
 * age proves only that a file was made for us, not by whom: anyone who knows the recipients can make an
 * archive.  What ties an archive to the signed generation is its SHA-256, so unless `unhashed` is set an
 * archive is hashed in full before its first chunk is given out.  With `unhashed` the AEAD of the segments
 * still detects damage, but not a forger.
 *
 * Threads: arc_r_get, arc_r_put, arc_r_raw, arc_r_ready and arc_r_want may be called by several threads at a
 * time; what one of them is hashing or decoding the others wait for.  Archives are hashed one at a time: a
 * disk reads one file faster than two.  Between arc_r_helpers() and arc_r_alone() threads of its own hash and
 * decode ahead of who asks; chunks that are held stay valid whatever is asked for next.
 *
 * Errors name the archive file and, for a chunk, its number and offset: E-ARCHIVE-11 not in the generation's
 * table, E-ARCHIVE-12 missing, E-ARCHIVE-13 size is not the table's, E-ARCHIVE-14 SHA-256 is not the table's,
 * E-ARCHIVE-15 there is no chunk of that number, E-ARCHIVE-16 cannot be read, E-ARCHIVE-17 a chunk of a
 * damaged archive is not what its id says; and those of age, arcfile and codec.
 */
#ifndef BKP_READ_ARC_R_H
#define BKP_READ_ARC_R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct age_identity;
struct agefile;
struct arcfile_index;
struct err;
struct generation_root;

struct arc_r_options {
	size_t max_open;    /* 0: 16 */
	size_t cache_bytes; /* 0: 64 MiB */
	bool unhashed;
	const uint8_t *chunk_id_key; /* DIGEST_LEN bytes, borrowed; or NULL */
	/* an archive is damaged and is used chunk by chunk; may be NULL */
	void (*damaged)(void *arg, const struct err *why);
	void *arg;
};

struct arc_r_chunk {
	const uint8_t *p;
	size_t n; /* raw length */
	uint64_t archive;
	uint32_t chunk;
};

struct arc_r;
/* repofd, root and ids are borrowed for the life of the handle. opt may be NULL. */
int arc_r_new(int repofd, const struct generation_root *root, const struct age_identity *ids, size_t n_ids,
    const struct arc_r_options *opt, struct arc_r **ret, struct err *err) __attribute__((warn_unused_result));
void arc_r_free(struct arc_r *a);

/* Holds the chunk until arc_r_put(). */
int arc_r_get(struct arc_r *a, uint64_t archive, uint32_t chunk, const struct arc_r_chunk **ret,
    struct err *err) __attribute__((warn_unused_result));
void arc_r_put(struct arc_r *a, const struct arc_r_chunk *c);

/* Raw length of a chunk, without decoding it. */
int arc_r_raw(struct arc_r *a, uint64_t archive, uint32_t chunk, uint32_t *ret_raw, struct err *err)
    __attribute__((warn_unused_result));

/* The open archive's INDEX and plaintext, for verification; valid until the next call of any function here.
 * Not while there are helpers. */
int arc_r_open(struct arc_r *a, uint64_t archive, const struct arcfile_index **ret_index,
    struct agefile **ret_file, struct err *err) __attribute__((warn_unused_result));

/* ---- ahead of who asks ---- */

/* Starts one thread that hashes and `decoders` that decode; where threads cannot be had, who asks does it
 * all. While there are helpers `damaged` is called on the calling thread only: when it is the first to use
 * such an archive, or by arc_r_tell() and arc_r_tell_all(): what other threads used is told by these only. */
void arc_r_helpers(struct arc_r *a, unsigned decoders);
/* Waits for them to end. */
void arc_r_alone(struct arc_r *a);
/* Archives that will be needed, in order of use; it is not run further ahead of their use than two archives,
 * so that what was hashed is still in the kernel's cache when it is decoded. */
void arc_r_ahead(struct arc_r *a, const uint64_t *archives, size_t n);
/* A chunk that will be needed soon.  A hint: forgotten when there are too many, or its archive is not open.
 */
void arc_r_want(struct arc_r *a, uint64_t archive, uint32_t chunk);
/* How many chunks ahead are worth asking for; 0: there are no helpers. */
unsigned arc_r_depth(const struct arc_r *a);
/* Is the archive open, so that arc_r_raw() answers at once? */
bool arc_r_ready(struct arc_r *a, uint64_t archive);
/* Calls `damaged` for this archive if it should have been and was not yet. */
void arc_r_tell(struct arc_r *a, uint64_t archive);
/* The same for all archives that were looked at, in the order of their numbers. */
void arc_r_tell_all(struct arc_r *a);

#endif
