/* mirror: copies whole files from one medium's repository to another's: no key is needed, nothing is trusted.
 *
 * Every byte copied is hashed on the way and must be what its name or the signed SHA256SUMS says; a damaged
 * source gives nothing.  Files appear on the target complete and durable (vault_w.h), the generation's
 * documents last, so a copy that is interrupted leaves no half generation and goes on where it was when it is
 * called again.
 *
 * Errors: E-MIRROR-01 the source's file is missing or damaged, E-MIRROR-02 the source's signature or
 * documents are wrong, E-MIRROR-04 it is properly signed and yet not what the journal reported; those of
 * vault_w for the target.
 */
#ifndef BKP_WRITE_COPIES_MIRROR_H
#define BKP_WRITE_COPIES_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct err;
struct minisig_public;
struct store;
struct vault_w;

/* MIRROR_SOURCE: the source is at fault (the target may be tried with another source); -1: the target. */
#define MIRROR_SOURCE 1
/* replace: what stands under its name on the target goes, once the copy is there and whole. */
/* source: <repository-id>/ */
int mirror_archive(const struct store *source, struct vault_w *to, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], bool replace, struct err *err);

struct mirror_generation {
	const char *repository;
	const struct minisig_public *keys;
	size_t n_keys;
	const char *dataset;
	uint64_t number;
	const char *uuid;	     /* of the run */
	uint32_t epoch;		     /* in which it was begun, and must have been signed; 0: any */
	const char *manifest_sha256; /* as hex, as the journal reported it; or NULL */
	bool replace; /* documents that stand on the target and are not these go, once all else is there */
	void (*copied)(void *arg); /* after each archive; may be NULL */
	void *arg;
};
/* A generation and every archive of it that the target lacks, or single documents of it that it lost.  Adds to
 * *files what was copied; the two documents of the list count always. */
int mirror_generation(const struct store *source, struct vault_w *to, const struct mirror_generation *g,
    uint64_t *files, struct err *err);

#endif
