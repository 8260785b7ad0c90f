/* repository: the public facts of a repository, repository.json and its signature, as they stand in the state
 * folder and on every medium, and there the keys of all epochs (docs/format.md, sections 2 and 3). Read-only.
 *
 * repository.json names the root key, which is that of epoch 1, and is signed with it.  The keys after it are
 * found in keys.jsonl, each vouched for by the one before it; where that file is missing or damaged, in the
 * medium's copy of the journal, which holds the same lines.  A medium that has neither knows epoch 1 only.
 *
 * Errors: E-REPO-01 missing, E-REPO-02 malformed, E-REPO-03 not signed by the given root key, E-REPO-04
 * keys.jsonl is missing, E-REPO-05 it is damaged (both: the keys were taken from elsewhere, as far as they
 * are there).
 */
#ifndef BKP_READ_VAULT_REPOSITORY_H
#define BKP_READ_VAULT_REPOSITORY_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/minisig.h"
#include "format/journal/journal.h"

struct buf;
struct err;
struct store;

#define REPOSITORY_JSON	     "repository.json"
#define REPOSITORY_SIG	     "repository.json.minisig"
#define REPOSITORY_AGE	     "repository.age"
#define REPOSITORY_MAX	     ((size_t)1 << 20) /* bytes of each of the three files */
#define REPOSITORY_LINKS     "keys.jsonl"
#define REPOSITORY_LINKS_MAX ((size_t)64 << 20) /* bytes of keys.jsonl */

struct repository;
/* Checks and parses the two files' bytes.  root: key of epoch 1 to believe in, or NULL: the one the file
 * names (then the signature proves only that the file is whole). */
int repository_parse(const struct buf *json, const struct buf *sig, const struct minisig_public *root,
    struct repository **ret, struct err *err) __attribute__((warn_unused_result));
/* Reads both from a folder. 0, REPOSITORY_ABSENT (E-REPO-01), -1. */
#define REPOSITORY_ABSENT 1
int repository_load(const struct store *folder, const struct minisig_public *root, struct repository **ret,
    struct err *err) __attribute__((warn_unused_result));
void repository_free(struct repository *r);

/* Takes in the keys of later epochs from the same folder.  0 whatever stands there: what is wrong with it is
 * said by repository_keys_fault(), and the keys before it count; -1: out of memory. */
int repository_load_keys(struct repository *r, const struct store *folder, struct err *err)
    __attribute__((warn_unused_result));
/* A signature is by none of the keys: a list of keys that was cut off behind a line looks whole.  Asks the journal, once.  1: there
 * are more keys now, and the list has a fault; 0: no; -1: out of memory. */
int repository_more_keys(struct repository *r, const struct store *folder, struct err *err)
    __attribute__((warn_unused_result));
/* E-REPO-04 or E-REPO-05 of the last repository_load_keys(), or code "". */
const struct err *repository_keys_fault(const struct repository *r);

const char *repository_id(const struct repository *r);
const char *repository_site(const struct repository *r);
/* Keys in the order of epochs, from epoch 1 at index 0: only that one before repository_load_keys(). */
const struct minisig_public *repository_keys(const struct repository *r, size_t *ret_n);
/* SHA-256 that repository.age must have, DIGEST_LEN bytes: encryption to public recipients proves nothing
 * about who wrote. */
const uint8_t *repository_secrets_sha256(const struct repository *r);

/* The trusted comment of a signature of this repository: "bkp:1 kind=<kind> repository=<id>"; returns out. */
char *repository_comment(const char *kind, const char *id, char out[MINISIG_COMMENT_MAX]);

#endif
