/* state_continue: a repository whose capturing host is lost goes on, on another one.
 *
 * The journal, the texts of the policies that it names, and the keys of people come from media; what the host needs to know of what is stored (secrets.json) is brought by somebody
 * who holds a key (`bkp-restore key host`); and the root key names the signing key of the new host, in the journal's next record.  From then
 * on no record that the former host signs is taken.
 *
 * Errors: E-STATE-02, -05, -06, -07 as in state.h; E-CONTINUE-01 the journals of the media do not belong together, E-CONTINUE-02 the secrets
 * are not this repository's, E-CONTINUE-03 repository.age is not the one that was signed. */
#ifndef BKP_WRITE_STATE_STATE_CONTINUE_H
#define BKP_WRITE_STATE_STATE_CONTINUE_H

#include <stddef.h>

#include "write/state/state.h"

struct buf;
struct err;
struct minisig_secret;
struct store;

/* How a state folder is made from media. */
struct state_continue {
	const char *path; /* of the state folder; as state_create() */
	const struct store *
	    repos; /* <repository-id>/ of each medium: the longest journal counts, the others are its beginning */
	size_t n_repos;		   /* ≥ 1 */
	const struct buf *secrets; /* secrets.json; in memory that the caller wipes */
	const struct minisig_secret *root;
	const char *person;  /* who does it, for the record */
	size_t *ret_missing; /* policies that the journal names, of which no medium has the text */
};
/* 0, STATE_BUSY, STATE_EXISTS, -1. */
int state_continue(const struct state_continue *how, struct err *err) __attribute__((warn_unused_result));

#endif
