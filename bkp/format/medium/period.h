/* period: who can open what is stored: keys/<n>/period-<revision>.json.
 *
 * Everything is encrypted to the key of a period (one age X25519 recipient), never to people.  The period's identity stands beside
 * it once for each person, <name>.age, encrypted to that person; from period 2 on `previous.age` holds the identity of the period
 * before, encrypted to this one's recipient, so that who can open the newest period can open all.  It names the files by their
 * SHA-256 and is signed by the root key: a night's key does not suffice, or who has the capture host could name a key of his own.
 *
 * Adding a person makes a new revision of the same period, in a file of its own beside the one before, so that nothing there is ever
 * written again; removing one makes a new period.
 *
 * Pure.  docs/format.md, section 3.  Errors: E-PERIOD-01 malformed.
 */
#ifndef BKP_FORMAT_MEDIUM_PERIOD_H
#define BKP_FORMAT_MEDIUM_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"

struct buf;
struct err;

#define PERIOD_NAME	    GENERATION_NAME
#define PERIOD_PEOPLE_MAX   64
#define PERIOD_MAX	    4096 /* the highest number */
#define PERIOD_REVISION_MAX 65535
#define PERIOD_FILE_MAX	    ((size_t)256 << 10) /* bytes of each file below keys/ */
#define PERIOD_RECIPIENT    ((size_t)4096) /* bytes of a person's recipient, whatever kind of age's it is */
#define PERIOD_PATH	    (PERIOD_NAME + 24)

struct period_person {
	char name[PERIOD_NAME];
	char *
	    recipient; /* period_recipient.h: "age1…", a plug-in's, an SSH key, several; or "" where it is not known */
	uint8_t sha256[DIGEST_LEN]; /* of <name>.age */
};

struct period {
	char repository[GENERATION_UUID];
	uint32_t number, revision; /* from 1 */
	int64_t begun_ns;	   /* whole seconds; of this revision */
	struct age_recipient recipient;
	struct period_person *people; /* ≥ 1 */
	size_t n_people;
	/* of number > 1: period.json of the one before as it was then, and previous.age */
	uint8_t former_sha256[DIGEST_LEN], previous_sha256[DIGEST_LEN];
};

int period_format(const struct period *p, struct buf *out, struct err *err);
int period_parse(const char *json, size_t n, struct period **ret, struct err *err);
void period_free(struct period *p);
/* By name, or NULL. */
const struct period_person *period_person(const struct period *p, const char *name);

/* May a person's file be called so?  As a data set, and not "previous" nor "period". */
bool period_name_ok(const char *name);
/* "keys/<n>/<file>", without a file "keys/<n>", into out; returns out. */
char *period_path(uint32_t number, const char *file, char out[PERIOD_PATH]);
/* "<name>.age" below that folder. */
char *period_person_path(uint32_t number, const char *name, char out[PERIOD_PATH]);
/* The trusted comment of its signature; returns out. */
#define PERIOD_COMMENT 160
char *period_comment(const char *repository, uint32_t number, uint32_t revision, char out[PERIOD_COMMENT]);

/* In place of a repository that does not exist yet: keys that were begun elsewhere (bkp init --keys). */
#define PERIOD_NO_REPOSITORY "00000000-0000-0000-0000-000000000000"

#define PERIOD_KEYS "keys"
/* Where it is made and signed; where it is kept its name says the revision. */
#define PERIOD_JSON "period.json"
#define PERIOD_SIG  "period.json.minisig"
/* "period-<revision><suffix>" into out; returns out. */
#define PERIOD_OF_JSON	       ".json"
#define PERIOD_OF_SIG	       ".json.minisig"
#define PERIOD_OF_APPROVER     ".approver.json"
#define PERIOD_OF_APPROVER_SIG ".approver.json.minisig"
char *period_file(uint32_t revision, const char *suffix, char out[PERIOD_NAME]);
/* The revision that a file of that name and suffix has; 0: it is none such. */
uint32_t period_file_revision(const char *name, const char *suffix);
#define PERIOD_PREVIOUS "previous.age"

#endif
