/* canary_site: where in a data set canaries are made, what they are called, and which neighbour they are like.
 *
 * Reads the tree, changes nothing.  A data set's parts are what lies directly in a root, directly in a folder of the first level,
 * and anywhere below one of the second level.  A part of CANARY_PART files or more gets one canary, beside one of its files that
 * something can be made like: a name with a number that is free between those of its neighbours, or the neighbour's with a little
 * behind it ("-2"), never the number that a counter gives next; of its kind, with its owner, mode and time.  Which file that is follows from the seed: who asks twice gets the same answer.
 */
#ifndef BKP_WRITE_CANARY_CANARY_SITE_H
#define BKP_WRITE_CANARY_CANARY_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct err;
struct policy_dataset;

#define CANARY_PART 20
#define CANARY_SEED 32

struct canary_site {
	char *path;    /* of the file to be made; its folder is there, by no symbolic link */
	unsigned kind; /* enum canary_kind */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	struct timespec mtime;
	uint8_t seed[CANARY_SEED]; /* of its content */
};

struct canary_question {
	const struct policy_dataset *dataset; /* with paths */
	const char *const *exclude;	      /* folders, absolute, beside those of the policy */
	size_t n_exclude;
	size_t most; /* so many, spread over all parts */
	uint8_t seed[CANARY_SEED];
	int scratch_dir; /* of walk.h */
};

/* *ret_n of them, which canary_sites_free() lets go; *ret_parts: how many parts there are that could have one. */
int canary_sites(const struct canary_question *q, struct canary_site **ret, size_t *ret_n, size_t *ret_parts,
    struct err *err) __attribute__((warn_unused_result));
void canary_sites_free(struct canary_site *sites, size_t n);

#endif
