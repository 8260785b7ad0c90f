/* state_private: what state.c (opening, using), state_create.c (making) and state_epoch.c (signing keys)
 * share; see state.h. */
#ifndef BKP_WRITE_STATE_STATE_PRIVATE_H
#define BKP_WRITE_STATE_STATE_PRIVATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "write/state/state.h"

#define STATE_LOCK	   "lock"
#define STATE_SECRETS	   "secrets.json"
#define STATE_SECRETS_SIG  "secrets.json.minisig" /* a key that has rotted on disk must not be used */
#define STATE_SECRETS_MAX  512
#define STATE_SIGNING	   "signing-%u.key" /* epoch */
#define STATE_SIGNING_NAME 32
#define STATE_CACHE	   "cache"
#define STATE_KEY_FILE_MAX 4096 /* bytes of a file with a secret */

/* Lives in memory from sodium_malloc(): locked, guarded, wiped when freed. */
struct state_secrets {
	uint8_t chunk_id_key[STATE_KEY];
	uint8_t chunker_seed[STATE_KEY];
	struct minisig_secret signing;
	char text[STATE_SECRETS_MAX]; /* secrets.json, also the plaintext of repository.age */
};

struct journal_w;
struct ledger;
struct periods;
struct repository;

struct state {
	char *path;
	int dir, lock;
	struct state_secrets *secrets;
	bool unlocked; /* the memory of the secrets could not be kept from being swapped out */
	struct repository *repo;
	struct periods *periods;
	struct buf files[3]; /* by enum state_file */
	uint32_t epoch;
	struct ledger *ledger;
	struct clock_stamp former; /* of the journal's head when it was opened */
	struct journal_w *journal;
	const char *command, *role, *person; /* who acts, or NULL */
};

/* The line of the next record, as every reader will take it.  `members` is consumed. */
int state_line(struct state *s, const char *event, struct json_t *members, struct buf *out, struct err *err);

/* At most max - 1 bytes of a file that only its owner can read into p, which holds secrets: no copies
 * elsewhere.  Length, or -1. */
ssize_t state_read_secret(const struct state *s, const char *name, char *p, size_t max, struct err *err);
int state_damaged(const struct state *s, const char *name, struct err *err);

/* Is that the name of one of the files and folders of a state folder that is being made? */
bool state_is_ours(const char *name);

/* ---- state_epoch.c ---- */

/* No core dump of this process, and nobody but root looks into it.  What cannot be had is passed over. */
void state_epoch_shield(void);
/* A new key pair into memory from sodium_malloc(). */
int state_epoch_generate(struct minisig_secret *ret, struct err *err);
/* Writes the key's file into a folder, durably but for the folder itself. */
int state_epoch_write(int dirfd, const char *name, const struct minisig_secret *sec, struct err *err);
/* "signing-7.key", and back: the epoch whose key a file of that name holds; 0: none. */
char *state_epoch_name(uint32_t epoch, char out[STATE_SIGNING_NAME]);
uint32_t state_epoch_of(const char *name);
/* Overwrites the file's bytes, durably, and removes it. */
int state_epoch_erase(int dirfd, const char *name, struct err *err);
/* The key that the journal says signs now, into s->secrets.  Changes nothing: before a torn record is cut
 * off, because the record that named the key may only look torn. */
int state_epoch_load(struct state *s, struct err *err);
/* Erases what an interrupted change of epochs left. */
int state_epoch_tidy(struct state *s, struct err *err);

/* ---- state_period.c: dirfd is the state folder that is being made ---- */

int state_period_create(int dirfd, const char *repository, int64_t now_ns, const struct state_keys *keys,
    const struct minisig_secret *root, struct age_recipient *ret, uint8_t ret_sha256[DIGEST_LEN],
    struct err *err);
/* The keys as the journal says they are, into s->periods. */
int state_period_load(struct state *s, struct err *err);

/* ---- state_root_key.c: parent and state_name are where the state folder will stand ---- */

int state_root_key_check(int parent, const char *state_name, const char *root_key, struct err *err);
int state_root_key_write(int parent, const char *state_name, const char *root_key,
    const struct minisig_secret *root, bool *ret_written, struct err *err);
void state_root_key_take_back(const char *root_key);

/* Fills `text` from the keys, and the keys from `text`: it is written and read by one grammar, without copies
 * in ordinary memory.  read: 0, -1 when it is not exactly what write makes for this repository. */
void state_secrets_write(struct state_secrets *s, const char *repository);
int state_secrets_read(struct state_secrets *s, const char *repository);

#endif
