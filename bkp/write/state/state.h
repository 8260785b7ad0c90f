/* state: the state folder of a capture host (the policy's `state`), its secrets, its lock, its journal.
 *
 *     lock                       flock: one program at a time; nothing is left behind when it dies
 *     secrets.json(.minisig)     0600: chunk id key, chunker seed; signed with the root key, so that rot is
 *                                noticed
 *     signing-N.key              0600: the signing key of the current epoch, a minisign secret key file; the
 *                                only one, except while the epoch changes
 *     repository.json(.minisig)  public facts, as they are copied to media
 *     repository.age             the secrets, encrypted to the recipients
 *     journal/                   the audit record, in segments (read/file/segments.h)
 *     cache/                     advisory, may be deleted at any time
 *
 * The folder holds public recipients only: nothing in it decrypts a backup.  Nor does it hold the root
 * secret: what was signed in former epochs cannot be signed again by who takes it.
 *
 * Secrets stand in memory from sodium_malloc(): locked where the limits allow (state_locked()), kept from
 * core dumps, wiped when freed.  state_open() and state_create() make the process one that is not dumped.
 *
 * Calling order: state_create() once for all (bkp init); then per program state_open() → … state_append() … →
 * state_close().  Programs that only look use ledger_load() on the folder, without a lock.
 *
 * state_create() builds everything in ".<name>.new" beside the folder, makes it durable, and renames it into
 * place in one step: if the process dies, there is no repository, and running it again removes what was left.
 *
 * Errors: E-STATE-01 there is no repository here, E-STATE-02 another bkp is running, E-STATE-03 others can
 * read a secret, E-STATE-04 damaged, E-STATE-05 a repository exists here already, E-STATE-06 cannot be made
 * here, E-STATE-07 something else is in the folder, E-STATE-08 journal and signing key are not of the same
 * moment, E-STATE-09 an old key cannot be erased, E-STATE-10 the root key's file cannot be made there.
 */
#ifndef BKP_WRITE_STATE_STATE_H
#define BKP_WRITE_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/medium/period.h"
#include "write/state/state_place.h"

struct age_random;
struct age_recipient;
struct clock_stamp;
struct err;
struct json_t;
struct ledger;
struct minisig_public;
struct minisig_secret;
struct period_making;
struct store_file;

#define STATE_KEY 32

#define STATE_ABSENT 1 /* E-STATE-01 */

/* Who holds a key: what is stored can be opened with that person's identity. */
struct state_person {
	char name[PERIOD_NAME]; /* period_name_ok() */
	const char *recipient;	/* period_recipient.h's; borrowed */
};
/* Of the first period: n people, 1…PERIOD_PEOPLE_MAX, whose files are made here; or what keys_begun_read() gave, made elsewhere: then no
 * key that opens anything is ever on this host. */
struct state_keys {
	const struct state_person *people;
	size_t n;
	struct period_making *begun;
};
/* "holder-1": where nobody said a name. */
void state_person_number(size_t n, char name[PERIOD_NAME]);

/* path: absolute or relative to the working directory; its parent must exist; an empty folder there is fine.
 * n: 1…PERIOD_PEOPLE_MAX recipients, called "holder-1" ….  0, STATE_BUSY (another init), STATE_EXISTS, -1. */
int state_create(const char *path, const char *site, const struct age_recipient *recipients, size_t n,
    struct err *err) __attribute__((warn_unused_result));
/* The same; the root secret, which is else forgotten, is written to the file root_key (or NULL), durably,
 * before the repository comes to be: a minisign secret key file, 0600, never over another file (E-STATE-10),
 * never inside the state folder.  It is removed again when making the repository fails. */
int state_create_with_root(const char *path, const char *site, const struct state_keys *keys,
    const char *root_key, struct err *err) __attribute__((warn_unused_result));
/* Could root_key be made?  0, -1 (E-STATE-10).  Changes nothing. */
int state_check_root_key(const char *path, const char *root_key, struct err *err)
    __attribute__((warn_unused_result));

/* Would state_create() find a place there?  0, STATE_EXISTS, -1.  Makes and changes nothing. */
int state_check_place(const char *path, struct err *err) __attribute__((warn_unused_result));

struct state;
/* Takes the lock, checks modes, verifies the journal, cuts off a torn line.  0, STATE_ABSENT, STATE_BUSY, -1.
 */
int state_open(const char *path, struct state **ret, struct err *err) __attribute__((warn_unused_result));
/* The same of a folder whose journal may end in what is none (ledger_load_valid()): for journal_repair.h
 * alone, nothing can be appended. */
int state_open_valid(const char *path, struct state **ret, struct err *ret_why, struct err *err)
    __attribute__((warn_unused_result));
/* Wipes the secrets and lets the lock go. */
void state_close(struct state *s);

const char *state_path(const struct state *s);
int state_dirfd(const struct state *s);		     /* belongs to the state */
const char *state_repository(const struct state *s); /* UUID */
const char *state_site(const struct state *s);
/* The period in force: all that is captured is encrypted to its recipient. */
const struct period *state_period(const struct state *s);
/* All of them, as they stand in the state folder. */
const struct periods *state_periods(const struct state *s);
const struct minisig_public *state_keys(
    const struct state *s, size_t *ret_n);		  /* epoch 1 first, the current one last */
const uint8_t *state_chunk_id_key(const struct state *s); /* STATE_KEY bytes */
const uint8_t *state_chunker_seed(const struct state *s); /* STATE_KEY bytes */
const struct minisig_secret *state_signing(const struct state *s);
uint32_t state_epoch(const struct state *s);
/* Could the memory of the secrets be kept from being swapped out? */
bool state_locked(const struct state *s);

/* A new signing key, unless the current one is younger than 20 hours: a record "epoch" signed with the old
 * key names the new one, then the old one is erased.  Called once at the beginning of each command that
 * changes things at night, before anything else is recorded.  If the process dies in it, the next
 * state_open() brings it to one of its two ends.  What state_keys() gave before is stale afterwards. */
int state_new_epoch(struct state *s, struct err *err) __attribute__((warn_unused_result));

enum state_file { STATE_REPOSITORY_JSON, STATE_REPOSITORY_SIG, STATE_REPOSITORY_AGE };
const uint8_t *state_file(const struct state *s, enum state_file which, size_t *ret_n);

const struct ledger *state_ledger(const struct state *s);
/* The journal as one file (read/file/segments.h), of which ledger_size() is ours; the caller closes it. */
int state_journal(const struct state *s, struct store_file *ret, struct err *err)
    __attribute__((warn_unused_result));
/* The clock of the record that was the newest when the folder was opened: when bkp last did something. */
const struct clock_stamp *state_former_clock(const struct state *s);

/* Who acts from now on: records get the members "command", "role" and, when known, "operator" (unless the
 * event has one of its own).  The strings must live as long as the state.  role: "capture", "operator",
 * "manager" …; person: or NULL. */
void state_act(struct state *s, const char *command, const char *role, const char *person);

/* Appends a record to the journal, durably, and folds it into the ledger.  `members` (or NULL) is consumed
 * whatever happens.  Pointers got from the ledger before are stale afterwards.  The finished line is read as
 * every reader will read it before it is written.  When it is written and cannot be folded in (out of memory),
 * this process appends no more: the next state_open() finds the truth. */
int state_append(struct state *s, const char *event, struct json_t *members, struct err *err)
    __attribute__((warn_unused_result));

/* libsodium's generator for the age writer. */
const struct age_random *state_random(void);
/* A new random UUID, lower case, into out[JOURNAL_UUID]; returns out. */
char *state_uuid(char *out);

#endif
