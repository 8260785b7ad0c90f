/* repository: the public facts of a repository, repository.json and its signature, as they stand in the state
 * folder and on every medium (docs/format.md, section 3).  Read-only.
 *
 * Errors: E-REPO-01 missing, E-REPO-02 malformed, E-REPO-03 not signed by the given root key.
 */
#ifndef BKP_READ_REPOSITORY_H
#define BKP_READ_REPOSITORY_H

#include <stddef.h>
#include <stdint.h>

#include "format/journal.h"
#include "format/minisig.h"

struct age_recipient;
struct buf;
struct err;

#define REPOSITORY_JSON	  "repository.json"
#define REPOSITORY_SIG	  "repository.json.minisig"
#define REPOSITORY_AGE	  "repository.age"
#define REPOSITORY_MAX	  ((size_t)1 << 20) /* bytes of each of the three files */
#define REPOSITORY_KEYS	  64		    /* epochs */
#define REPOSITORY_PEOPLE 64		    /* recipients */

struct repository;
/* Checks and parses the two files' bytes.  root: key of epoch 1 to believe in, or NULL: the one the file
 * names (then the signature proves only that the file is whole).  The file may be signed with any epoch it
 * lists; an epoch above 1 counts only when root is NULL, because nothing here vouches for it yet. */
int repository_parse(const struct buf *json, const struct buf *sig, const struct minisig_public *root,
    struct repository **ret, struct err *err) __attribute__((warn_unused_result));
/* Reads both from a folder. 0, REPOSITORY_ABSENT (E-REPO-01), -1. */
#define REPOSITORY_ABSENT 1
int repository_load(int dirfd, const struct minisig_public *root, struct repository **ret, struct err *err)
    __attribute__((warn_unused_result));
void repository_free(struct repository *r);

const char *repository_id(const struct repository *r);
const char *repository_site(const struct repository *r);
int64_t repository_created_ns(const struct repository *r);
/* Keys in the order of epochs, from epoch 1 at index 0. */
const struct minisig_public *repository_keys(const struct repository *r, size_t *ret_n);
const struct age_recipient *repository_recipients(const struct repository *r, size_t *ret_n);
/* SHA-256 that repository.age must have, DIGEST_LEN bytes: encryption to public recipients proves nothing
 * about who wrote. */
const uint8_t *repository_secrets_sha256(const struct repository *r);

/* The trusted comment of a signature of this repository: "bkp:1 kind=<kind> repository=<id>"; returns out. */
char *repository_comment(const char *kind, const char *id, char out[MINISIG_COMMENT_MAX]);

#endif
