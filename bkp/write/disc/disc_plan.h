/* disc_plan: which generations come onto the next disc.
 *
 * Newest first, of the most urgent data set first (`priority`), then the older ones in the same order.  A disc takes whole generations with all
 * their archives; those of one data set share archives, which stand on a disc once.  What does not fit onto this disc waits for the next.
 * One that does not fit onto an empty disc is cut by archives; its part has the disc to itself.
 *
 * Errors: E-DISC-05, E-DISC-06, E-DISC-07; those of vault_r.
 */
#ifndef BKP_WRITE_DISC_DISC_PLAN_H
#define BKP_WRITE_DISC_DISC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/medium/generation.h"

struct err;
struct ledger;
struct medium;
struct policy;
struct policy_medium;

#define DISC_LABEL 128
#define DISC_BLOCK 2048

struct disc_item {
	char dataset[GENERATION_NAME];
	uint64_t number;
	int64_t begun_ns;
	uint64_t archives; /* of the generation */
	uint64_t first,
	    taken; /* archives of it on this disc, in the order of SHA256SUMS; taken == archives: whole */
	uint64_t files, bytes; /* on this disc, with what it shares */
};

/* A file that is to be on the disc. */
struct disc_file {
	char *to;   /* path on the disc */
	char *from; /* path on this host */
	uint8_t sha256[DIGEST_LEN];
	uint64_t size;
};

struct disc_list {
	struct disc_file *file;
	size_t n, room;
};
int disc_list_add(struct disc_list *l, const char *to, const char *from, const uint8_t sha256[DIGEST_LEN],
    uint64_t size, struct err *err) __attribute__((warn_unused_result));
void disc_list_free(struct disc_list *l);

typedef bool disc_wanted_fn(void *arg, const char *dataset, uint64_t number);

struct disc_plan {
	const struct ledger *ledger;
	const struct policy *policy;
	const struct policy_medium *series;
	struct medium *const *sources;
	size_t n_sources;
	uint64_t capacity, reserve; /* bytes of the disc, of them for what every disc carries */
	bool again;
	disc_wanted_fn *wanted; /* or NULL: the newest of each data set */
	void *arg;
	/* what comes of it: */
	struct disc_item *items;
	size_t n;
	struct disc_list files;
	uint64_t bytes; /* with the reserve */
	uint64_t discs; /* in all, this one counted */
	bool already;	/* something that was asked for is on a disc already */
};
/* 0, -1; disc_plan_free() in both cases. */
int disc_plan(struct disc_plan *p, struct err *err) __attribute__((warn_unused_result));
void disc_plan_free(struct disc_plan *p);

/* Bytes that a file of that size takes on a disc, with its names in both trees. */
uint64_t disc_room(uint64_t size);

#endif
