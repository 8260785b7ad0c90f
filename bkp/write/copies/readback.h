/* readback: reads generations on one medium back from the device, compares, and records the outcome: only
 * what was read back counts.
 *
 * readback_open() → readback_generation() … → readback_record() → readback_close().  A file that stands in several generations is
 * read once per run.  Files of generations whose copy on this medium is recorded as verified need not be read
 * again for a new one (an archive never changes), unless `again` asks for it.  Their lists are asked newest
 * first, and only as long as that costs less than reading what they could vouch for: a run does not grow
 * with the number of generations.
 *
 * When the medium itself no longer answers (pulled out), or a file cannot be read (err_is_unread():
 * descriptors or memory are short, a device gives EIO), nothing is recorded: that says nothing about the
 * copies.
 */
#ifndef BKP_WRITE_COPIES_READBACK_H
#define BKP_WRITE_COPIES_READBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "read/ledger/ledger.h"

struct err;
struct medium;
struct state;
struct vault_r;

struct readback;
/* The medium must stay open meanwhile.  0, or -1: its repository cannot be read (E-VAULT-*), out of memory.
 */
int readback_open(struct state *s, const struct medium *m, struct readback **ret, struct err *err)
    __attribute__((warn_unused_result));
void readback_close(struct readback *rb);

/* What is read back from now on gets its parity beside it, `percent` of it (parity_watch.h).  That it could not be written is no
 * fault of the copies: readback_parity_why() says it (code "": it could).  0, -1. */
int readback_keep_parity(struct readback *rb, unsigned percent, struct err *err)
    __attribute__((warn_unused_result));
const struct err *readback_parity_why(const struct readback *rb);

/* bytes read of the current generation, and of how many (0: not known); fn may be NULL */
void readback_on_progress(
    struct readback *rb, void (*fn)(void *arg, uint64_t bytes, uint64_t total), void *arg);

/* Reads the generation back.  0: whole; "verified" once readback_record() is called.  READBACK_DAMAGED:
 * recorded as "verify-failed", for this and every other generation that counts here and lists a file that was
 * found bad; why says what.  READBACK_GONE: the medium does not answer, or what could be read was right; nothing
 * is recorded, see why.  -1: it cannot be recorded (err).  again: also what earlier read-backs vouch for. */
#define READBACK_DAMAGED 1
#define READBACK_GONE	 2
int readback_generation(struct readback *rb, const char *dataset, uint64_t number, bool again,
    struct err *why, struct err *err) __attribute__((warn_unused_result));
/* The same of what belongs to the generation alone: its documents, and no archive. */
int readback_documents(struct readback *rb, const char *dataset, uint64_t number, struct err *why,
    struct err *err) __attribute__((warn_unused_result));
/* The same of one archive, path as SHA256SUMS has it; *ret_bytes is added to.  READBACK_DAMAGED: recorded for every generation that counts
 * here and lists it. */
int readback_archive(struct readback *rb, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], uint64_t *ret_bytes, struct err *why, struct err *err)
    __attribute__((warn_unused_result));
struct vault_r *readback_vault(struct readback *rb); /* what it reads from */
/* The generation was brought there from another medium: to be recorded as "copied". */
int readback_note_copied(struct readback *rb, const char *dataset, uint64_t number, uint64_t files,
    uint64_t bytes, struct err *err) __attribute__((warn_unused_result));
/* Journal "copied", then "verified": one record for all that were found whole since the last one; none, if there are none. */
int readback_record(struct readback *rb, struct err *err) __attribute__((warn_unused_result));
/* Is it time to?  Some were found whole a while ago: an interrupted command should not have to read them again. */
bool readback_is_due(const struct readback *rb);
/* Records "verify-failed" for what was found damaged in another way. */
int readback_record_damage(struct readback *rb, const char *dataset, uint64_t number, const struct err *why,
    struct err *err) __attribute__((warn_unused_result));

/* Does the device still answer, other than from the page cache? */
bool readback_answers(const struct readback *rb);

/* What it has read so far, and how long that took. */
struct ledger_pace readback_pace(const struct readback *rb);

/* Was the generation read back by this handle, or recorded as damaged by it? */
bool readback_done(const struct readback *rb, const char *dataset, uint64_t number);

#endif
