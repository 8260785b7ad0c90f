/* verify_private: what verify.c and verify_deep.c share; see verify.h. */
#ifndef BKP_READ_VERIFY_PRIVATE_H
#define BKP_READ_VERIFY_PRIVATE_H

#include "read/verify.h"

struct generation_root;
struct vault_r_generation;

struct verify_run {
	struct vault_r *v;
	const struct vault_r_generation *g;
	const struct verify_options *opt;
	const struct verify_callbacks *cb;
	struct verify_result res;
	uint64_t total; /* bytes to be read, as far as known */
};

void verify_report(
    struct verify_run *run, const char *file, const char *dataset, const char *path, const struct err *err);
/* Hashes a listed file unless it was hashed before.  0 good, 1 reported as bad, -1. */
int verify_listed(
    struct verify_run *run, const char *path, const uint8_t sha256[DIGEST_LEN], struct err *err);
/* Everything that needs an identity, the hashes of archives included. */
int verify_deep(struct verify_run *run, struct err *err);

#endif
