/* journal: the lines of the audit record (docs/format.md, section 9): building one, and checking a chain of
 * them.
 *
 * Pure: no files, no clock, no randomness.  A line is one JSON object without its newline; its members stand
 * in a fixed order; the signature covers the very bytes of the line with `,"sig":"…"` taken out, never a
 * re-serialisation.
 *
 * Writing:  journal_build() with the frame that follows the head of the chain.
 * Checking: journal_check_new → journal_check_line for every line in order → journal_check_free.  A line that
 * is refused leaves the checker as it was.  Sequence, chain and signature are checked on the bytes before the
 * JSON parser sees them, so that only signed text reaches it (except for the first line of a chain whose root
 * key is not known).
 *
 * Keys: the first line is signed with the root key (epoch 1).  A record "epoch", signed with the key of epoch
 * n, names the key of epoch n + 1; from the next line on only that one signs.  So the checker learns all keys
 * from the lines themselves and needs the root key alone.
 *
 * Errors, all naming the line: E-JOURNAL-01 malformed, E-JOURNAL-02 a record is missing or out of order,
 * E-JOURNAL-03 does not continue the line before, E-JOURNAL-04 signature wrong, E-JOURNAL-05 of another
 * repository, E-JOURNAL-06 key of that epoch unknown, E-JOURNAL-07 the first record is not an init of the
 * given root key, E-JOURNAL-08 a record that cannot be written (building only), E-JOURNAL-09 signed with a
 * key that was replaced before, E-JOURNAL-10 an epoch does not follow the one before it.
 */
#ifndef BKP_FORMAT_JOURNAL_JOURNAL_H
#define BKP_FORMAT_JOURNAL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "format/crypto/digest.h"

struct buf;
struct err;
struct json_t;
struct minisig_public;
struct minisig_secret;

#define JOURNAL_LINE_MAX    ((size_t)1 << 20) /* bytes of a line, without its newline */
#define JOURNAL_DIR	    "journal"	    /* the folder of the segments, 000001.jsonl, 000002.jsonl, … */
#define JOURNAL_OLD	    "journal.jsonl" /* one file held all of it once */
#define JOURNAL_SEGMENT_MAX ((size_t)4 << 20) /* bytes of a segment */
/* The writer closes it before: the record of a repair (write/copies/journal_repair.h) takes the place of what was cut off */
#define JOURNAL_SEGMENT_FULL (JOURNAL_SEGMENT_MAX - ((size_t)64 << 10))
#define JOURNAL_SEGMENTS     999999
#define JOURNAL_NAME	     16
#define JOURNAL_UUID	     37 /* a UUID, lower case, and NUL */
#define JOURNAL_EPOCH_EVENT  "epoch"
#define JOURNAL_EPOCHS_MAX   65536 /* one a run for 179 years */

/* true for a UUID as this format writes it: 36 characters, lower case hexadecimal */
int journal_is_uuid(const char *s);

/* "000042.jsonl" of 1…JOURNAL_SEGMENTS into out[JOURNAL_NAME]; returns out. */
char *journal_segment_name(uint32_t number, char *out);
/* The number of a segment by its name; 0: no segment has that name. */
uint32_t journal_segment_number(const char *name);

/* What stands around the members of an event. */
struct journal_frame {
	uint64_t seq; /* from 1 */
	struct clock_stamp stamp;
	const char *version;
	const char *by; /* valid UTF-8 */
	const char *repository;
	uint8_t prev[DIGEST_LEN]; /* SHA-256 of the line before; zeros for the first */
	uint32_t epoch;		  /* of `sec` */
};

/* Appends the line (no newline) to `out`.  members: an object without any of the frame's names; may be NULL.
 */
int journal_build(const struct journal_frame *frame, const char *event, const struct json_t *members,
    const struct minisig_secret *sec, struct buf *out, struct err *err) __attribute__((warn_unused_result));

/* A member that is a text, or "". */
const char *journal_text(const struct json_t *o, const char *key);

/* A checked record.  The strings live in `json`, which journal_record_clear() lets go. */
struct journal_record {
	uint64_t seq;
	int64_t wall_ns;
	int64_t mono_ns;
	const char *boot;
	int synced;
	const char *version;
	const char *by;
	const char *repository;
	const char *event;
	uint32_t epoch;
	struct json_t *json; /* the whole object */
};
void journal_record_clear(struct journal_record *r);

struct journal_check;
/* root: the key of epoch 1, or NULL: take it from the first record (which then proves only that the journal
 * is consistent in itself).  repository: or NULL, likewise. */
int journal_check_new(const struct minisig_public *root, const char *repository, struct journal_check **ret,
    struct err *err) __attribute__((warn_unused_result));
void journal_check_free(struct journal_check *c);
/* For the lines "epoch" of a journal alone, in order, as keys.jsonl holds them: root and repository are
 * needed; that records are missing between them, and `prev`, are not looked at. */
int journal_check_new_links(const struct minisig_public *root, const char *repository,
    struct journal_check **ret, struct err *err) __attribute__((warn_unused_result));
/* Checks the next line (no newline).  ret: the record, to be cleared by the caller. */
int journal_check_line(struct journal_check *c, const void *line, size_t n, struct journal_record *ret,
    struct err *err) __attribute__((warn_unused_result));
/* Would it take this line?  Changes nothing; ret as above. */
int journal_check_would(struct journal_check *c, const void *line, size_t n, struct journal_record *ret,
    struct err *err) __attribute__((warn_unused_result));
/* Makes the next lines cheaper: `lines`, n bytes of lines with their newlines, follow the last one accepted.
 * As far as they are of one epoch and each holds the hash of the one before, the signature of the last of
 * them covers them all: who signed that had accepted those before it.  If it is right the others are accepted
 * without looking at their own, and otherwise each is judged by its own.  Every line must still go through
 * journal_check_line(), in order.  Not for an auditor, who checks every signature. */
void journal_check_vouch(struct journal_check *c, const void *lines, size_t n);
uint64_t journal_check_seq(const struct journal_check *c); /* of the last line accepted; 0: none yet */
const uint8_t *journal_check_head(
    const struct journal_check *c); /* its SHA-256, DIGEST_LEN bytes; zeros: none yet */
/* NULL while unknown. */
const struct minisig_public *journal_check_root(const struct journal_check *c);
/* All keys known so far, epoch 1 at index 0; the last one signs the next line.  Valid until the next line. */
const struct minisig_public *journal_check_keys(const struct journal_check *c, size_t *ret_n);
const char *journal_check_repository(const struct journal_check *c);

#endif
