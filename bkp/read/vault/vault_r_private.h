/* vault_r_private: what vault_r*.c share; see vault_r.h. */
#ifndef BKP_READ_VAULT_VAULT_R_PRIVATE_H
#define BKP_READ_VAULT_VAULT_R_PRIVATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "read/store/store.h"

struct repository;

struct vault_r {
	struct store store; /* of <repository-id> */
	char id[GENERATION_UUID];
	char root_key[MINISIG_KEY_TEXT];
	bool compared;
	struct repository *repo;
};

struct vault_r_generation {
	char dir[GENERATION_DIR]; /* "generations/000042" */
	struct generation_manifest *manifest;
	struct buf sums;
	uint8_t manifest_sha256[DIGEST_LEN], root_sha256[DIGEST_LEN];
	uint32_t epoch; /* whose key signed it */
	bool usual;	/* so is the line of the signature that nothing signs */
};

#endif
