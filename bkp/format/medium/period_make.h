/* period_make: the files of a period, in memory: a new one with its identity, or another person's file of one that is there.
 *
 * Pure: randomness comes in (age.h), what is written where is the caller's, and who signs.  The identity of a period is in memory from
 * sodium_malloc() only while its files are made.
 *
 * A recipient of several factors makes a file within a file: the identity goes into the innermost one, and what the outer ones are given
 * is encrypted already.
 *
 * period_make() or period_make_revision() → period_making_format() → write files, then PERIOD_JSON, then its signature → period_making_free().
 * Errors: E-PERIOD-07 a recipient cannot be encrypted to.
 */
#ifndef BKP_FORMAT_MEDIUM_PERIOD_MAKE_H
#define BKP_FORMAT_MEDIUM_PERIOD_MAKE_H

#include "base/buf.h"
#include "format/medium/period.h"

struct period_file {
	char name[PERIOD_NAME + 8]; /* "incho.age" */
	struct buf bytes;
};

struct period_making {
	struct period *period; /* as it will be signed */
	struct period_file *files;
	size_t n_files;
};

/* A person as a caller names one.  recipient: period_recipient.h's. */
struct period_member {
	const char *name, *recipient;
};

/* How to encrypt `n` bytes to a recipient that stock age knows, and we do not; 0, -1. */
typedef int period_seal_fn(
    void *arg, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err);
/* A new passphrase of that person, into PASSPHRASE_MAX bytes of sodium_malloc(); 0, -1. */
typedef int period_passphrase_fn(void *arg, const char *person, char *out, struct err *err);
struct period_means {
	const struct age_random *random;
	period_seal_fn *seal;		  /* or NULL: there is none here */
	period_passphrase_fn *passphrase; /* likewise */
	void *arg;
	int64_t now_ns;
};

/* Period 1 of a repository (former NULL), or the one after `former`, whose identity is handed on; people: n of 1 … PERIOD_PEOPLE_MAX. */
int period_make(const struct period_means *by, const char *repository, const struct period *former,
    const uint8_t former_sha256[DIGEST_LEN], const struct age_identity *former_id,
    const struct period_member *people, size_t n, struct period_making **ret, struct err *err);
/* The next revision of a period: with one person more, whose file is made of the period's identity.  The files of the others stay. */
int period_make_revision(const struct period_means *by, const struct period *former,
    const struct age_identity *id, const struct period_member *person, struct period_making **ret,
    struct err *err);
void period_making_free(struct period_making *m);

#endif
