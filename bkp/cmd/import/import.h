/* import: records that people bring here from another computer (bkp journal import, bkp key use --import): who used a key, a drill, a
 * recovery.
 *
 * The host has no part in what they tell of.  It is proved only where the person has signed the file with a minisign key that the policy
 * names; else it is declared (申告).  A signature that is wrong is no declaration: the file is refused.  One that is refused keeps none of
 * the others back; one that is on record already changes nothing.
 *
 * Errors: E-USE-02 of another repository, E-USE-03 on record as something else, E-USE-04 the signature; E-USE-01, E-IMPORT-01, -02 what a
 * file must be; W-USE-02, W-IMPORT-01 what a person should look at.
 */
#ifndef BKP_CMD_IMPORT_IMPORT_H
#define BKP_CMD_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "format/crypto/digest.h"

struct app;
struct buf;
struct err;
struct json_t;
struct ledger;
struct policy;
struct state;

/* All of them, as `command`; carried by `operator`, or NULL.  An exit code. */
int import_files(struct app *app, const struct policy *policy, const char *command, const char *operator,
    char ** files, int n);

/* Who of the policy has signed the file, whose bytes these are (FILE.minisig); *ret NULL: there is no signature. */
int import_signer(const struct policy *policy, const char *file, const struct buf *bytes, const char **ret,
    struct err *err) __attribute__((warn_unused_result));

/* ---- for a kind of record ---- */

struct import {
	const struct app *app;
	const struct policy *policy;
	struct state *s;
	const char *operator;
	size_t taken;
	bool look; /* a person should */
	/* the one at hand */
	const char *file;
	const struct buf *bytes;
	char sha256[DIGEST_HEX];
};
struct import_kind {
	/* As use_slip_parse(). */
	int (*parse)(const void *p, size_t n, char *ret_repository, struct json_t **ret, struct err *err);
	/* The record that is there of the same, or NULL. */
	const struct json_t *(*there)(const struct ledger *l, const struct json_t *o);
	const char *event, *sha256; /* the record, and its member that holds the file's SHA-256 */
	/* Says in a line what was taken over; says what is to be looked at. */
	void (*tell)(const struct import *m, const struct json_t *o, const char *signer);
	void (*warn)(struct import *m, const struct json_t *o);
};
extern const struct import_kind import_use, import_drill;

#endif
