/* vault_r_private: what vault_r*.c share; see vault_r.h. */
#ifndef BKP_READ_VAULT_VAULT_R_PRIVATE_H
#define BKP_READ_VAULT_VAULT_R_PRIVATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "read/store/store.h"

struct periods;
struct repository;

struct vault_r {
	struct store store; /* of <repository-id> */
	char id[GENERATION_UUID];
	char root_key[MINISIG_KEY_TEXT];
	bool compared;
	struct repository *repo;
	struct periods *periods; /* once somebody asked */
};

/* What SHA256SUMS lists beside archives. */
enum vault_r_document { VAULT_R_MANIFEST, VAULT_R_PLACES, VAULT_R_ROOT, VAULT_R_DOCUMENTS };

struct vault_r_generation {
	struct store store; /* of datasets/<name>/ */
	char label[GENERATION_LABEL];
	char dir[GENERATION_SET_DIR + GENERATION_DIR]; /* "datasets/emr/generations/000042" */
	const char *in_set;			       /* its end: "generations/000042" */
	struct generation_manifest *manifest;
	struct buf sums;
	uint8_t sha256[VAULT_R_DOCUMENTS][DIGEST_LEN];
	uint32_t epoch; /* whose key signed it */
	bool usual;	/* so is the line of the signature that nothing signs */
};

#endif
