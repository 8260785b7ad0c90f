/* periods: the keys of a repository as they stand on a medium or in the state folder, below keys/: what is signed of them, and how a
 * person's identity leads to those that open archives (format/medium/period.h).
 *
 * periods_load() → periods_get() / periods_unlock() → periods_free().  What is wrong with one period is kept with it
 * (periods_fault()): the others can be used, and of one of which no revision is whole its files are tried all the same, for what is to be
 * read must be readable.  Then nobody vouches that the key is the repository's but the signature of the night.
 *
 * Errors: E-PERIOD-01 malformed, E-PERIOD-02 not signed by the root key or an approver, E-PERIOD-09 (period_signed.h), E-PERIOD-03 a person's file is not the one that was signed, or
 * holds another key, E-PERIOD-04 the identity opens none of them, E-PERIOD-05 a generation names a key that no signed period names,
 * E-PERIOD-06 there is none.
 */
#ifndef BKP_READ_VAULT_PERIODS_H
#define BKP_READ_VAULT_PERIODS_H

#include <stddef.h>
#include <stdint.h>

#include "format/medium/period.h"

struct err;
struct keyring;
struct keyring_passphrase;
struct minisig_public;
struct store;

struct periods;
/* Up to which period, and which revision of that, is looked at: a state folder may hold what was never recorded. */
struct periods_limit {
	uint32_t number, revision;
};
/* All of keys/ in the repository's folder, of each period the highest revision that is as it was signed.  repository: its id; limit: or NULL.
 * 0 whatever stands there; -1: out of memory, or the folder cannot be
 * read. */
int periods_load(const struct store *folder, const char *repository, const struct minisig_public *root,
    const struct periods_limit *limit, struct periods **ret, struct err *err)
    __attribute__((warn_unused_result));
/* Is that revision as it was signed?  0, -1. */
int periods_look(const struct store *folder, const char *repository, const struct minisig_public *root,
    uint32_t number, uint32_t revision, struct err *err) __attribute__((warn_unused_result));
void periods_free(struct periods *p);
/* The highest number that there is a folder of; 0: none. */
uint32_t periods_newest(const struct periods *p);
/* As signed, or NULL: there is none of that number, or periods_fault(). */
const struct period *periods_get(const struct periods *p, uint32_t number);
/* SHA-256 of that revision; NULL where periods_get() is. */
const uint8_t *periods_sha256(const struct periods *p, uint32_t number);
/* The name of the approver who signed it, "": the root key; NULL where periods_get() is. */
const char *periods_signed_by(const struct periods *p, uint32_t number);
/* Calls fn for the name of each file of that period, which periods_get() has: people's, previous.age, the approver's, the revision itself last.  Stops
 * at the first non-zero return, and returns it. */
typedef int periods_file_fn(void *arg, const char *name, struct err *err);
int periods_each_file(
    const struct periods *p, uint32_t number, periods_file_fn *fn, void *arg, struct err *err);
/* What is wrong with that period, or with a revision above the one that periods_get() gives; 0: that there is none at all.  code "": nothing. */
const struct err *periods_fault(const struct periods *p, uint32_t number);
/* 0, or -1 (E-PERIOD-05): is that the recipient of that period, as far as a signed file says? */
int periods_check(const struct periods *p, uint32_t number, const struct age_recipient *recipient,
    struct err *err) __attribute__((warn_unused_result));

/* Adds to k the identities of all periods that those in k lead to.  pass: for files that a passphrase protects beside.  0: at least that of
 * one period, and where one does not hand on the identity of the one before that is periods_fault() of the latter; -1. */
int periods_unlock(struct periods *p, const struct store *folder, struct keyring *k,
    const struct keyring_passphrase *pass, struct err *err) __attribute__((warn_unused_result));

#endif
