/* vault_r: one repository on one medium, for reading only.
 *
 * vault_r_open → vault_r_list / vault_r_select → vault_r_generation_open → vault_r_root (with identities) → …
 * → vault_r_close.  A handle holds the store of MEDIUM/<repository-id>; nothing here can express a write.  Each
 * data set stands alone in its folder datasets/<name>/, with archives and generations of its own: a generation
 * holds the store of that folder.  Paths in messages and reports begin at <repository-id>/.
 *
 * Opening checks repository.json against its signature, which is the root key's (epoch 1), and follows the
 * keys of later epochs from there (read/vault/repository.h).  When the caller gives the root key from paper,
 * it is compared; otherwise the key is trusted on first sight and the caller should show it
 * (vault_r_root_key()).
 *
 * A generation is opened only when everything public about it agrees: the folders' names, signature, trusted
 * comment, manifest.json and the hashes of manifest.json and root.age.  root.age, places.age and archives may be
 * missing or damaged: whoever needs them finds out.
 *
 * Errors: E-VAULT-01 no repository there (or several: named), E-VAULT-02 repository.json(.minisig) missing,
 * malformed or not signed by the root key, E-VAULT-03 the root key is not the one given, E-VAULT-04
 * generation not there, E-VAULT-05 not signed, E-VAULT-06 forged: signature, comment, folder or documents do
 * not agree, E-VAULT-07 damaged: a document is not the file that was signed, E-VAULT-08 a
 * listed file is missing, E-VAULT-09 a listed file has an impossible size, E-VAULT-10 repository.age
 * unusable, E-VAULT-11 it is of the layout before data sets stood alone: no version reads it.
 */
#ifndef BKP_READ_VAULT_VAULT_R_H
#define BKP_READ_VAULT_VAULT_R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"

struct age_identity;
struct keyring;
struct keyring_passphrase;
struct periods;
struct buf;
struct medium;
struct repository;
struct selector;
struct throttle;
struct store;

#define VAULT_R_JSON_MAX ((size_t)1 << 20)

struct vault_r;

/* `repository` NULL: the only one on the medium.  `root_key`: "RW…" from paper, or NULL. */
int vault_r_open(const char *medium, const char *repository, const char *root_key, struct vault_r **ret,
    struct err *err) __attribute__((warn_unused_result));
/* The same for a medium that is open already; it stays the caller's. */
int vault_r_open_at(const struct store *medium, const char *repository, const char *root_key,
    struct vault_r **ret, struct err *err) __attribute__((warn_unused_result));
/* The same of a medium that is open. */
int vault_r_open_medium(const struct medium *m, const char *repository, const struct minisig_public *root,
    struct vault_r **ret, struct err *err) __attribute__((warn_unused_result));
void vault_r_close(struct vault_r *v);

/* What is read of it from now on waits for `throttle`, which is borrowed. */
void vault_r_throttle(struct vault_r *v, struct throttle *throttle);
const struct store *vault_r_store(const struct vault_r *v); /* of <repository-id>, borrowed */
const char *vault_r_repository(const struct vault_r *v);
const char *vault_r_site(const struct vault_r *v);     /* raw, from the medium: escape before showing */
const char *vault_r_root_key(const struct vault_r *v); /* "RW…" */
bool vault_r_root_key_compared(const struct vault_r *v);
const struct repository *vault_r_facts(
    const struct vault_r *v); /* repository.json, see read/vault/repository.h */

/* The keys of people as they stand there: read/vault/periods.h.  NULL with err: out of memory, or keys/ cannot be read. */
const struct periods *vault_r_periods(struct vault_r *v, struct err *err);
/* Adds to k the identities that open this repository's archives, by those that are in it: periods_unlock(). */
int vault_r_unlock(struct vault_r *v, struct keyring *k, const struct keyring_passphrase *pass,
    struct err *err) __attribute__((warn_unused_result));

/* What was wrong with keys.jsonl (E-REPO-04, E-REPO-05), or code "". */
const struct err *vault_r_keys_fault(const struct vault_r *v);

/* Verifies a .minisig text under the keys of all epochs. ret_comment as minisig_verify(); *ret_epoch (or
 * NULL): whose signature it is. */
int vault_r_verify_signature(const struct vault_r *v, const void *msg, size_t n, const char *sig, size_t sn,
    char ret_comment[MINISIG_COMMENT_MAX], uint32_t *ret_epoch, struct err *err)
    __attribute__((warn_unused_result));

/* ---- generations ---- */

struct vault_r_generation;
/* 0, or -1 with E-VAULT-04…07.  VAULT_R_UNSIGNED (E-VAULT-05): there is a folder but no signature file: a
 * capture that was not finished. */
#define VAULT_R_UNSIGNED 1
int vault_r_generation_open(struct vault_r *v, const char *dataset, uint64_t number,
    struct vault_r_generation **ret, struct err *err) __attribute__((warn_unused_result));
void vault_r_generation_close(struct vault_r_generation *g);
const struct generation_manifest *vault_r_manifest(const struct vault_r_generation *g);
/* Of datasets/<name>/: what the paths of SHA256SUMS are relative to, and where archives are. Borrowed. */
const struct store *vault_r_generation_store(const struct vault_r_generation *g);
/* "emr@42" */
const char *vault_r_generation_label(const struct vault_r_generation *g);
/* Whose key signed it, and SHA-256 of manifest.json: what the journal says of it can be compared. */
uint32_t vault_r_generation_epoch(const struct vault_r_generation *g);
const uint8_t *vault_r_manifest_sha256(const struct vault_r_generation *g); /* DIGEST_LEN bytes */
const uint8_t *vault_r_places_sha256(const struct vault_r_generation *g);   /* as signed, DIGEST_LEN bytes */
/* The verified text of SHA256SUMS, for generation_sums_next(). */
const struct buf *vault_r_sums(const struct vault_r_generation *g);
/* minisig_is_usual() of its signature: what a restore does without, and a damage all the same. */
bool vault_r_signature_is_usual(const struct vault_r_generation *g);

/* Looks for every file that SHA256SUMS lists (present, regular, possible size; together
 * manifest.archive_bytes), calling fn (may be NULL) for each fault, with its path from <repository-id>/.  *ret_faults counts them.  Does not read
 * archives. */
typedef void vault_r_fault_fn(void *arg, const char *file, const struct err *fault);
int vault_r_presence(struct vault_r *v, const struct vault_r_generation *g, vault_r_fault_fn *fn, void *arg,
    uint64_t *ret_faults, struct err *err) __attribute__((warn_unused_result));

/* Decrypts root.age and checks it: repository, data set, number, uuid, and that its table of archives is exactly what
 * SHA256SUMS lists. */
int vault_r_root(struct vault_r *v, const struct vault_r_generation *g, const struct age_identity *ids,
    size_t n, struct generation_root **ret, struct err *err) __attribute__((warn_unused_result));

/* Decrypts places.age: what was decrypted is what was hashed, and its hash is the signed one.  *ret_plain, of
 * GENERATION_PLACES_MAX bytes at most, is the caller's, who wipes and frees it. */
int vault_r_places(struct vault_r *v, const struct vault_r_generation *g, const struct age_identity *ids,
    size_t n, struct buf *ret_plain, struct err *err) __attribute__((warn_unused_result));

/* The text of repository.age, which a host that captures keeps as secrets.json; room for it reserved beforehand, wiped by the caller. */
int vault_r_secrets(struct vault_r *v, const struct age_identity *ids, size_t n, struct buf *plain,
    struct err *err) __attribute__((warn_unused_result));
/* chunk_id_key from repository.age; the caller wipes it. */
int vault_r_chunk_id_key(struct vault_r *v, const struct age_identity *ids, size_t n,
    uint8_t ret_key[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));

enum vault_r_state {
	VAULT_R_COMPLETE,   /* signed, documents agree, every listed file is there */
	VAULT_R_INCOMPLETE, /* not signed yet, or listed files are missing */
	VAULT_R_DAMAGED,    /* signed, but manifest.json or root.age is not what was signed */
	VAULT_R_FORGED,	    /* signature or documents contradict each other or this repository */
	VAULT_R_NEWER,	    /* signed, and of a format that this program does not know */
};
const char *vault_r_state_word(
    enum vault_r_state s); /* "complete", "incomplete", "damaged", "forged", "newer" */

struct vault_r_listed {
	const char *dataset;
	uint64_t number;
	enum vault_r_state state;
	uint64_t missing;			    /* listed files that are missing or of impossible size */
	const struct generation_manifest *manifest; /* NULL unless its documents agree */
	struct err why;				    /* the first fault; "" when complete */
};
/* Calls fn for each generation folder: data sets in the order of their names (or only `dataset`, unless NULL), of
 * each ascending.  One bad generation never hides another; a non-zero return of fn stops and is returned.  Names
 * in datasets/ and generations/ that are no data set's and no generation's are passed over, and so is what is no
 * folder.  -1 also when a data set's folder could not be read, after all others were listed. */
typedef int vault_r_list_fn(void *arg, const struct vault_r_listed *g, struct err *err);
int vault_r_list(struct vault_r *v, const char *dataset, vault_r_list_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* The same, faster: only which there are, nothing of them is opened. */
typedef int vault_r_number_fn(void *arg, const char *dataset, uint64_t number, struct err *err);
int vault_r_numbers(struct vault_r *v, const char *dataset, vault_r_number_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* Which generation of the data set a selector means on this medium: 0 and the number; -1 E-VAULT-04, ERR_ABSENT
 * (there is none, and which there are), or the fault of a newer one that cannot be opened and may be the one that
 * is meant: an older one is never taken for it.  One that is not signed is passed over, unless its number is
 * given.  Days ago are counted from this computer's clock. */
int vault_r_select(struct vault_r *v, const struct selector *s, const char *dataset, uint64_t *ret_number,
    struct err *err) __attribute__((warn_unused_result));

#endif
