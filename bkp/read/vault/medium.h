/* medium: what stands at a path: a registered medium, or not.  Opens read-only; nothing here can change a
 * medium.
 *
 * A declared place is believed to be a medium only when it carries bkp-medium.json with a signature of the
 * repository: an unmounted NAS folder is not the NAS.  The identity is checked once, on the folder's
 * descriptor; all later access goes through that descriptor, so that a mount that changes under the path
 * cannot swap the medium.
 *
 * Errors, each naming the next action: E-MEDIA-01 no such folder, or no identity in it (not mounted, not
 * registered), E-MEDIA-02 of another repository, E-MEDIA-03 identity malformed or its signature wrong,
 * E-MEDIA-04 another medium of the same repository, E-MEDIA-05 the repository's folder is missing on it.
 */
#ifndef BKP_READ_VAULT_MEDIUM_H
#define BKP_READ_VAULT_MEDIUM_H

#include <stddef.h>

struct err;
struct minisig_public;
struct store;

#define MEDIUM_JSON "bkp-medium.json"
#define MEDIUM_SIG  "bkp-medium.json.minisig"
#define MEDIUM_MAX  ((size_t)64 << 10) /* bytes of either */

/* What the caller expects to find. */
struct medium_expect {
	const char *repository;		   /* or NULL: any */
	const char *uuid;		   /* or NULL: any */
	const char *label;		   /* for messages, with uuid; or NULL */
	const struct minisig_public *keys; /* the identity must be signed by one of them */
	size_t n_keys;			   /* ≥ 1 */
};

struct medium;

#define MEDIUM_ABSENT  1 /* E-MEDIA-01 */
#define MEDIUM_FOREIGN 2 /* E-MEDIA-02 */
#define MEDIUM_FORGED  3 /* E-MEDIA-03 */
#define MEDIUM_OTHER   4 /* E-MEDIA-04 */
/* 0, one of the codes above (err is set), or -1. */
int medium_open(const char *path, const struct medium_expect *want, struct medium **ret, struct err *err)
    __attribute__((warn_unused_result));
void medium_close(struct medium *m);

const char *medium_path(const struct medium *m);
const char *medium_uuid(const struct medium *m);
const char *medium_label(const struct medium *m);
const char *medium_type(const struct medium *m); /* "hdd", "ssd", "rdx", "tape", "optical", "object" */
const char *medium_repository(const struct medium *m);
const struct store *medium_store(const struct medium *m); /* the whole of it; belongs to it */
const struct store *medium_repo(const struct medium *m);  /* <repository-id>/; belongs to it */
/* Descriptors of the two; -1: the medium is no folder. */
int medium_dirfd(const struct medium *m);
int medium_repo_dirfd(const struct medium *m);

#endif
