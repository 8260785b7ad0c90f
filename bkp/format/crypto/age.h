/* age: the age v1 file format (https://age-encryption.org/v1, C2SP age.md) in memory: header, recipients,
 * STREAM payload.
 *
 * Pure: no files, no clock, no randomness of its own (the caller passes a struct age_random).  Interoperates
 * with the stock `age` both ways.  Recipients: X25519 ("age1…") and scrypt (passphrase).  Primitives: X25519,
 * HKDF/HMAC-SHA-256, ChaCha20-Poly1305; scrypt for passphrases.
 *
 * Writing (streaming):  age_writer_new → age_writer_update … → age_writer_finish → age_writer_free
 *     each call appends complete ciphertext to `out`; a writer that failed can only be freed.
 * Reading (random access):
 *     age_header_parse(start of file) → age_header_unwrap(identities) → file key;
 *     age_payload_init(file key, the 16 nonce bytes behind the header) → age_payload_open(segment by segment).
 *
 * Sizes: a file is header ‖ nonce (16) ‖ segments; a segment is ≤65,536 plaintext bytes + 16 tag bytes; only
 * the last may be short, and it may be empty only when the whole plaintext is.
 *
 * Errors: E-AGE-01 malformed header (with byte offset), E-AGE-02 header MAC wrong, E-AGE-03 no identity
 * matches, E-AGE-04 segment does not authenticate, E-AGE-05 size impossible, E-AGE-06 malformed recipient or
 * identity, E-AGE-07 wrong passphrase, E-AGE-08 work factor out of range, E-AGE-09 libcrypto refused or a
 * writer used after its end. Programs call sodium_init() once at their start (without it scrypt runs on its
 * slow path). Secrets are wiped from every temporary; struct age_identity and file keys are wiped by their
 * owners (sodium_memzero).
 */
#ifndef BKP_FORMAT_CRYPTO_AGE_H
#define BKP_FORMAT_CRYPTO_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define AGE_SEGMENT	   65536
#define AGE_TAG		   16
#define AGE_NONCE	   16
#define AGE_FILE_KEY	   16
#define AGE_HEADER_MAX	   ((size_t)1 << 20) /* larger headers are refused */
#define AGE_RECIPIENT_TEXT 63		     /* "age1…" and NUL */
#define AGE_IDENTITY_TEXT  75		     /* "AGE-SECRET-KEY-1…" and NUL */

struct age_random {
	void (*fill)(void *arg, void *p, size_t n); /* cryptographically secure bytes */
	void *arg;
};

struct age_recipient {
	uint8_t x25519[32];
};

struct age_identity {
	uint8_t secret[32]; /* clamping is X25519's business */
};

/* "age1…" (bech32, lower case as age writes it; all-upper is accepted as bech32 says) ↔ key. 0/-1 (E-AGE-06). */
int age_recipient_parse(const char *s, struct age_recipient *ret, struct err *err);
char *age_recipient_format(const struct age_recipient *r, char out[AGE_RECIPIENT_TEXT]); /* returns out */
char *age_identity_format(const struct age_identity *id, char out[AGE_IDENTITY_TEXT]);
void age_identity_generate(const struct age_random *rnd, struct age_identity *ret);
int age_identity_recipient(
    const struct age_identity *id, struct age_recipient *ret); /* -1: degenerate secret */

/* The file of an identity as age-keygen writes it, encrypted as `age -p` does it unless passphrase is NULL; then `out`
 * holds the secret and is to be wiped.  created: a time as text.  0, -1. */
int age_identity_file(const struct age_identity *id, const char *created, const char *passphrase,
    const struct age_random *rnd, struct buf *out, struct err *err) __attribute__((warn_unused_result));

/* An identity file: lines, '#' comments and blank lines ignored, one identity per other line (at most 64).
 * `n` bytes at p. ret_ids is malloc'd, owned by the caller, to be wiped and freed with age_identities_free.
 * Errors name the line. */
int age_identities_parse(
    const char *p, size_t n, struct age_identity **ret_ids, size_t *ret_n, struct err *err);
void age_identities_free(struct age_identity *ids, size_t n);

/* ASCII armour ("-----BEGIN AGE ENCRYPTED FILE-----"). true when p starts with it (leading white space
 * allowed). */
bool age_is_armored(const void *p, size_t n);
int age_dearmor(const void *p, size_t n, struct buf *out, struct err *err);
/* true when p starts with "age-encryption.org/v1\n" */
bool age_is_age(const void *p, size_t n);

/* Writer for X25519 recipients (n ≥ 1).  The header goes to `out` at once. */
struct age_writer;
int age_writer_new(const struct age_recipient *r, size_t n, const struct age_random *rnd, struct buf *out,
    struct age_writer **ret, struct err *err);
/* Writer for one passphrase (scrypt, work factor 2^log_n, 1 ≤ log_n ≤ 22; age itself uses 18). */
int age_writer_new_scrypt(const char *passphrase, int log_n, const struct age_random *rnd, struct buf *out,
    struct age_writer **ret, struct err *err);
int age_writer_update(struct age_writer *w, const void *p, size_t n, struct buf *out, struct err *err);
int age_writer_finish(struct age_writer *w, struct buf *out, struct err *err);
void age_writer_free(struct age_writer *w); /* wipes */

/* A parsed header; refers to nothing of the input afterwards. */
struct age_header;
/* p[0..n) is the start of a file, n may exceed the header.  AGE_MORE: the header does not end within n bytes
 * (call again with more, up to AGE_HEADER_MAX).  0: *ret_len is the header's length; the nonce follows. */
#define AGE_MORE 1
int age_header_parse(const void *p, size_t n, struct age_header **ret, size_t *ret_len, struct err *err);
void age_header_free(struct age_header *h);
size_t age_header_stanzas(const struct age_header *h);
bool age_header_is_scrypt(const struct age_header *h);
/* The file key, MAC checked. AGE_NO_MATCH (E-AGE-03) when no identity fits. */
#define AGE_NO_MATCH 2
int age_header_unwrap(const struct age_header *h, const struct age_identity *ids, size_t n,
    uint8_t ret_file_key[AGE_FILE_KEY], struct err *err);
/* The same for a passphrase file; refuses work factors above max_log_n (22 is sensible, and the most) before
 * spending anything.  0, AGE_NO_MATCH (E-AGE-03: no passphrase file), -1 (E-AGE-07: wrong passphrase, …). */
int age_header_unwrap_scrypt(const struct age_header *h, const char *passphrase, int max_log_n,
    uint8_t ret_file_key[AGE_FILE_KEY], struct err *err);

/* Payload, random access.  Opaque and small; one per open file; usable from one thread at a time. */
struct age_payload;
struct age_payload *age_payload_new(const uint8_t file_key[AGE_FILE_KEY], const uint8_t nonce[AGE_NONCE]);
void age_payload_free(struct age_payload *pl); /* wipes */
/* Decrypts segment `index` (from 0): clen ciphertext bytes (16…65,552) at c to out (clen-16 bytes; out may
 * equal c). `last` says whether it is the file's last segment, which is authenticated too. 0, -1 (E-AGE-04;
 * E-AGE-05 when a segment at that place cannot have clen bytes); then out holds zeros. */
int age_payload_open(struct age_payload *pl, uint64_t index, bool last, const void *c, size_t clen, void *out,
    struct err *err);
/* Plaintext size for `payload` ciphertext bytes behind header and nonce; -1 (E-AGE-05) when no plaintext has
 * that size. */
int age_plain_size(uint64_t payload, uint64_t *ret_plain, struct err *err);

/* Whole small files at once (identity files, root.age), not armoured: `out` gets the plaintext, bounded by
 * out's ceiling, or stays as it was.  0, AGE_NO_MATCH (E-AGE-03), -1. */
/* Appends the age file of p[0..n) to those recipients. */
int age_encrypt(const struct age_recipient *r, size_t nr, const struct age_random *rnd, const void *p,
    size_t n, struct buf *out, struct err *err);
/* The same for a passphrase, as `age -p` does it. */
int age_encrypt_scrypt(const char *passphrase, const struct age_random *rnd, const void *p, size_t n,
    struct buf *out, struct err *err);
int age_decrypt(
    const void *p, size_t n, const struct age_identity *ids, size_t nids, struct buf *out, struct err *err);
int age_decrypt_scrypt(
    const void *p, size_t n, const char *passphrase, int max_log_n, struct buf *out, struct err *err);

#endif
