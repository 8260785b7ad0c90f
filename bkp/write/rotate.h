/* rotate: one medium kept offline is brought up to date, checked and sealed (媒体ローテーション).
 *
 * The transaction, in order:
 *   0. the medium is found and is the one registered: signed identity, repository, file system and disk
 * (device.h); journal "medium-attached" unless it is recorded as attached already.
 *   1. what an interrupted night left open is not this command's business: only committed generations are
 * copied.
 *   2. refill (refill.h), newest generation first, so that a medium that fills up holds what matters most;
 * each is read back from the device and recorded.
 *   3. copies that are on the medium since longer than `recheck_s` without a read-back are read back too (0:
 * all of them).
 *   4. what people need who have only this medium: README.txt, tools/, procedures/ (medium_docs.h),
 * repository.json.
 *   5. journal "rotated" with operator and place, then a copy of the whole journal to the medium.
 *   6. the file system of the medium is synchronised (syncfs).
 * No byte of what was on the medium before is changed at any moment; generations appear by one rename each.
 * If the process dies, the medium holds whole generations only, and running the command again goes on.
 *
 * Errors: E-ROTATE-01 the medium is not declared offline, E-ROTATE-02 it is not attached, E-ROTATE-03 several
 * are attached (name one), E-ROTATE-04 no other medium is there to copy from, E-ROTATE-05 it is attached for
 * reading only; E-MEDIA-*, E-DEVICE-*.
 */
#ifndef BKP_WRITE_ROTATE_H
#define BKP_WRITE_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "write/medium_docs.h"
#include "write/refill.h"

struct policy;
struct policy_medium;
struct state;

struct rotate_config {
	struct state *state;
	const struct policy *policy;
	const char *medium;   /* name, or NULL: the one offline medium that is attached */
	const char *operator; /* who does it; not empty */
	const char *place;    /* where it will be taken; NULL: the policy's, else the recorded one */
	struct medium_docs_sources docs;
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *arg;
};

struct rotate_result {
	const struct policy_medium *medium;
	char *path;	   /* where it is attached */
	char *mount_point; /* to be unmounted, or NULL when it is not a mount of its own */
	char *place;	   /* where it is to be taken */
	struct refill_result refill;
	uint64_t generations; /* verified ones on it now */
	uint64_t newest;
	int64_t newest_ns;
	uint64_t rechecked, damaged;
	uint64_t unfrozen; /* files that could not be made immutable */
	int unfrozen_errno;
	bool docs_complete; /* the static program was there to be copied */
	struct err docs_why;
};

/* 0: rotated (see refill.missing and damaged for what a person should look at); -1: not rotated. */
int rotate_run(const struct rotate_config *cfg, struct rotate_result *ret, struct err *err)
    __attribute__((warn_unused_result));
void rotate_result_free(struct rotate_result *r);

#endif
