/* verify: is what was signed still there?
 *
 * One generation is one data set's.  Without identities: signature, documents, SHA-256 of every file that
 * SHA256SUMS lists.  With identities
 * ("deep"): also decrypts everything: root.age, every archive's INDEX against its content, every chunk
 * decoded and its id recomputed, every catalog block, and every file as a restore would read it: each run
 * against its digest, the whole against its SHA-256.
 *
 * All processors take part, each with a file of its own, where the device bears it (rotational.h); from a
 * disk that turns one file is read at a time, ahead of who hashes it.  An archive is read once, for its hash
 * and for what is in it.  What is reported, counted and remembered, and in which order, does not depend on
 * the number of threads; callbacks are called on the caller's thread.  Memory: some MiB for each thread, of
 * which there are at most 16 (deep: 8).
 *
 * A fault never ends the verification: each is reported through the callback and counted.  -1 is returned
 * only when the verification itself cannot go on (out of memory).
 *
 * Errors: E-VERIFY-01 a file is missing, E-VERIFY-02 its SHA-256 is another, E-VERIFY-03 it cannot be read,
 * E-VERIFY-04 an archive's container disagrees with its INDEX, E-VERIFY-05 a chunk is not what its id says,
 * E-VERIFY-06 counts of a data set are not those promised, E-VERIFY-12 it is
 * not the generation that the journal reported, E-VERIFY-13 it was signed in another epoch than it was begun
 * in; and those of the readers.
 */
#ifndef BKP_READ_VERIFY_VERIFY_H
#define BKP_READ_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "read/store/rotational.h"

struct age_identity;
struct err;
struct store;
struct vault_r;
struct vault_r_generation;

/* Reads `path` in the store to its end and compares its SHA-256.  from_device: the bytes
 * come from the device, not from a cache (store_bypass_cache()). *ret_bytes (may be NULL) is what was read, also when it is wrong. 0,
 * VERIFY_ABSENT (E-VERIFY-01), VERIFY_WRONG (E-VERIFY-02), -1 (E-VERIFY-03: it could not be read to the end).
 */
#define VERIFY_ABSENT 1
#define VERIFY_WRONG  2
int verify_file(const struct store *s, const char *path, const uint8_t sha256[DIGEST_LEN], bool from_device,
    uint64_t *ret_bytes, struct err *err) __attribute__((warn_unused_result));
/* The same from the device, ahead of who hashes it; watch may be NULL. */
struct verify_watch;
int verify_file_watched(const struct store *s, const char *path, const uint8_t sha256[DIGEST_LEN],
    const struct verify_watch *watch, uint64_t *ret_bytes, struct err *err)
    __attribute__((warn_unused_result));

/* Files that were hashed already, so that an archive shared by many generations is read once: a path and what it is to hash to, for the
 * same archive in another data set's folder is another file.  One set per repository folder. */
struct verify_seen;
struct verify_seen *verify_seen_new(void); /* NULL: out of memory */
/* The file was read and found whole another day: passed over unless verify_options.again. 0, -1. */
int verify_seen_vouch(struct verify_seen *s, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));
/* It was read in another way, and found missing or bad. */
int verify_seen_bad(struct verify_seen *s, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));
/* Was it read, found bad, or vouched for?  path: as SHA256SUMS has it. */
bool verify_seen_has(
    const struct verify_seen *s, const char *dataset, const char *path, const uint8_t sha256[DIGEST_LEN]);
void verify_seen_free(struct verify_seen *s);
/* Does the generation list a file that was found missing, unreadable or wrong through this set?  No file is
 * read but its list. */
bool verify_shares_damage(
    struct vault_r *v, const char *dataset, uint64_t number, const struct verify_seen *s);

struct verify_fault {
	const char *file;      /* path from <repository-id>/, or NULL */
	const char *dataset;   /* data set concerned, or NULL */
	const char *path;      /* entry concerned (raw bytes), or NULL */
	const struct err *err; /* code and reason */
};

struct verify_callbacks {
	void (*fault)(void *arg, const struct verify_fault *f);
	/* bytes read so far, of how many (0: not known), and the file that is read next; may be NULL */
	void (*progress)(void *arg, uint64_t done, uint64_t total, const char *file);
	void *arg;
};

/* What the journal says of a generation. */
struct verify_record {
	uint32_t epoch; /* in which it was begun: the key that must have signed it */
	uint8_t manifest_sha256[DIGEST_LEN];
};

/* Whoever has got hold of a later key can sign an old generation again; what the journal says of it, signed
 * with the key of its own run, stays.  E-VERIFY-12: its manifest is another; E-VERIFY-13: another run's key
 * signed it. */
bool verify_is_another(
    const struct verify_record *want, const struct vault_r_generation *g, const char *dir, struct err *err);
bool verify_is_later(
    const struct verify_record *want, const struct vault_r_generation *g, const char *dir, struct err *err);

/* Sees the bytes of files as they are read: begin() and end() on the thread that reads the file, bytes() on it or on one that it
 * waits for. */
struct verify_watch {
	/* `path` (from <repository-id>/) of `size` bytes is read next, from its beginning: what the others are called with, or NULL: none
	 * of it */
	void *(*begin)(void *arg, const char *path, const uint8_t sha256[DIGEST_LEN], uint64_t size);
	void (*bytes)(void *file, const void *p, size_t n);
	void (*end)(void *arg, void *file, const char *path, bool whole); /* whole: it is what it should be */
	void *arg;
};

struct verify_options {
	bool from_device;
	bool documents;			  /* what belongs to the generation alone: no archives */
	const struct verify_watch *watch; /* by hash alone; or NULL */
	const struct age_identity *ids;	  /* deep when n_ids > 0 */
	size_t n_ids;
	struct verify_seen *seen;	    /* or NULL */
	bool again;			    /* reads what is only vouched for, too */
	const struct verify_record *record; /* or NULL: nothing to compare with */
	unsigned threads;		    /* 0: one per processor */
	enum rotational rotational;	    /* ROTATIONAL_LOOK: what the repository stands on */
};

struct verify_result {
	uint64_t files, bytes;	   /* hashed now */
	uint64_t seen;		   /* files not hashed again */
	uint64_t faults;	   /* calls of fault() */
	uint64_t unread;	   /* of them: err_is_unread(), no damage */
	uint64_t archives, chunks; /* deep: decoded */
	uint64_t entries;	   /* deep: catalog entries whose content was checked */
	uint64_t entries_bad;	   /* deep: entries whose bytes cannot be had */
};

int verify_generation(struct vault_r *v, const char *dataset, uint64_t number,
    const struct verify_options *opt, const struct verify_callbacks *cb, struct verify_result *ret,
    struct err *err) __attribute__((warn_unused_result));

#endif
