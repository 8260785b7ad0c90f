/* state_private: what state.c (opening, using) and state_create.c (making) share; see state.h. */
#ifndef BKP_WRITE_STATE_PRIVATE_H
#define BKP_WRITE_STATE_PRIVATE_H

#include "format/journal.h"
#include "format/minisig.h"
#include "write/state.h"

#define STATE_LOCK	   "lock"
#define STATE_SECRETS	   "secrets.json"
#define STATE_SECRETS_SIG  "secrets.json.minisig" /* a key that has rotted on disk must not be used */
#define STATE_SECRETS_MAX  512
#define STATE_SIGNING	   "signing-%u.key" /* epoch */
#define STATE_SIGNING_NAME 32
#define STATE_CACHE	   "cache"

/* Lives in memory from sodium_malloc(): locked, guarded, wiped when freed. */
struct state_secrets {
	uint8_t chunk_id_key[STATE_KEY];
	uint8_t chunker_seed[STATE_KEY];
	struct minisig_secret signing;
	char text[STATE_SECRETS_MAX]; /* secrets.json, also the plaintext of repository.age */
};

/* Fills `text` from the keys, and the keys from `text`: it is written and read by one grammar, without copies
 * in ordinary memory.  read: 0, -1 when it is not exactly what write makes for this repository. */
void state_secrets_write(struct state_secrets *s, const char *repository);
int state_secrets_read(struct state_secrets *s, const char *repository);

#endif
