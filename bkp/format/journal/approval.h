/* approval: what a person signs: so that something weaker than agreed comes into force, or as a witness of the journal's head.  The
 * texts; the plan of an expiry and the head both ways.
 *
 * Pure.  Every text is ASCII, one statement a line, names percent-encoded (base/path.h); its bytes are a
 * function of what it says, so that whoever checks a signature builds the text himself and never believes one
 * that was given.  People sign it with stock minisign, wherever their key is: `minisign -S -m FILE`
 * (minisig_verify_any()).
 *
 *     bkp:1 kind=agreement            what is agreed of retention from now on
 *     repository <uuid>
 *     after <seq> <sha256>            the "agreed" record that it replaces: it can be used once
 *     dataset <name> generations=5 protect_s=1209600 daily=7 weekly=4 monthly=12 yearly=5
 *     approver RW…
 *
 *     bkp:1 kind=clock                the clock is right now
 *     repository <uuid>
 *     jump <seq> <sha256>             the "clock-jump" record that latched
 *     operator <name>
 *     reason <text>
 *
 *     bkp:1 kind=expiry               which generations go from which media
 *     repository <uuid>
 *     head <seq> <sha256>             the journal's head when the plan was made
 *     medium <uuid> <label>
 *     generation <data set>@<number> <uuid>   of the medium above; of a data set ascending, each data set once
 *     # …                             lines for who reads it, behind the line they explain
 *
 *     bkp:1 kind=head                 this record was the journal's last one, and those before it stand as they are
 *     repository <uuid>
 *     head <seq> <sha256>
 *     recorded <time>                 of that record
 *
 * Errors: E-APPROVAL-01 malformed plan (line named), E-APPROVAL-02 not signed by any of the keys, E-APPROVAL-03 malformed
 * statement of a head.
 */
#ifndef BKP_FORMAT_JOURNAL_APPROVAL_H
#define BKP_FORMAT_JOURNAL_APPROVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"

struct buf;
struct err;
struct json_t;
struct minisig_public;

#define APPROVAL_TEXT_MAX ((size_t)512 << 10) /* bytes of a text: it stands in a journal's line */
#define APPROVAL_SIG_MAX  ((size_t)8 << 10)   /* of a .minisig file */

/* A record of the journal that a text refers to. */
struct approval_record {
	uint64_t seq;
	uint8_t sha256[DIGEST_LEN];
};

/* The text for the members of an "agreed" record ("datasets", "approvers", as they stand there). */
int approval_agreement(const char *repository, const struct approval_record *after,
    const struct json_t *members, struct buf *out, struct err *err) __attribute__((warn_unused_result));
int approval_clock(const char *repository, const struct approval_record *jump, const char *operator,
    const char * reason, struct buf *out, struct err *err) __attribute__((warn_unused_result));

struct approval_item {
	char medium[JOURNAL_UUID];
	char dataset[GENERATION_NAME];
	uint64_t number;
	char uuid[JOURNAL_UUID];
};
struct approval_plan {
	char repository[JOURNAL_UUID];
	struct approval_record head;
	struct approval_item *items;
	size_t n;
};

/* A plan, written in its order: approval_plan_begin → { approval_plan_medium → { approval_plan_generation →
 * approval_plan_note … } … } …  A note is cut at its first byte that is no printable ASCII or UTF-8. */
int approval_plan_begin(const char *repository, const struct approval_record *head, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));
int approval_plan_medium(const char *uuid, const char *label, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
int approval_plan_generation(const char *dataset, uint64_t number, const char *uuid, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));
int approval_plan_note(const char *note, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* 0, or -1 with E-APPROVAL-01. */
int approval_plan_parse(const char *p, size_t n, struct approval_plan **ret, struct err *err)
    __attribute__((warn_unused_result));
void approval_plan_free(struct approval_plan *p);
bool approval_plan_has(
    const struct approval_plan *p, const char *medium, const char *dataset, uint64_t number);

/* The statement on a head; what one says: 0, or -1 with E-APPROVAL-03.  The time is only held to be one. */
int approval_head(const char *repository, const struct approval_record *head, int64_t recorded_ns,
    struct buf *out, struct err *err) __attribute__((warn_unused_result));
int approval_head_parse(const char *p, size_t n, char ret_repository[JOURNAL_UUID],
    struct approval_record *ret_head, struct err *err) __attribute__((warn_unused_result));

/* Is sig (a .minisig file's text) by one of the keys, over the text?  0 with *ret_which its index, or -1:
 * E-APPROVAL-02, E-SIG-NN of the key that it names. */
int approval_verify(const struct minisig_public *keys, size_t n_keys, const void *text, size_t n,
    const char *sig, size_t sn, size_t *ret_which, struct err *err) __attribute__((warn_unused_result));

#endif
