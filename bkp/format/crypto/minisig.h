/* minisig: Ed25519 signatures in minisign's file format (https://jedisct1.github.io/minisign/), algorithm
 * "Ed" (pure).
 *
 * Interoperates with the stock `minisign`: what we write `minisign -V` accepts (-p FILE or -P KEY), and what
 * `minisign -S -l` (legacy, pure "Ed") writes we accept.  Prehashed signatures ("ED") are refused with a
 * clear message: a signed file here is small, and the pure form is what OpenBSD's signify understands as
 * well.
 *
 * Pure: no files, no clock, no randomness (the caller gives a 32-byte seed).  Secrets are only ever copied
 * into memory of sodium_malloc() here; what the caller gives to hold one should be such memory. Errors:
 * E-SIG-01 malformed (with line), E-SIG-02 signed by another key, E-SIG-03 signature wrong, E-SIG-04 trusted
 * comment forged, E-SIG-05 malformed key.
 */
#ifndef BKP_FORMAT_CRYPTO_MINISIG_H
#define BKP_FORMAT_CRYPTO_MINISIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define MINISIG_COMMENT_MAX 1024
#define MINISIG_KEY_TEXT    57 /* 56 base64 characters and NUL */

struct minisig_public {
	uint8_t id[8];
	uint8_t key[32];
};

struct minisig_secret {
	struct minisig_public pub;
	uint8_t key[64]; /* libsodium's Ed25519 secret: seed ‖ public */
};

/* Key pair from a seed; the key id is the first 8 bytes of BLAKE2b-256 of the public key (stock tools accept
 * any id). */
void minisig_from_seed(const uint8_t seed[32], struct minisig_secret *ret);

/* "RW…" (base64 of "Ed" ‖ id ‖ key), the one line people compare with paper. */
char *minisig_public_format(const struct minisig_public *pub, char out[MINISIG_KEY_TEXT]);
int minisig_public_parse(const char *s, struct minisig_public *ret, struct err *err);
/* A whole minisign .pub file (comment line + key line), both ways. */
int minisig_public_file(const struct minisig_public *pub, struct buf *out, struct err *err);
int minisig_public_file_parse(const char *p, size_t n, struct minisig_public *ret, struct err *err);

/* The unencrypted secret-key file that `minisign -G -W` writes and `minisign -S -W -s` reads, both ways. Only
 * ever kept in a 0700 folder.  sodium_init() comes before: what is parsed lies in locked memory. */
int minisig_secret_file(const struct minisig_secret *sec, struct buf *out, struct err *err);
int minisig_secret_file_parse(const char *p, size_t n, struct minisig_secret *ret, struct err *err);

/* The text of a .minisig file for the message. Comments must not hold newlines. */
int minisig_sign(const struct minisig_secret *sec, const void *msg, size_t n, const char *trusted_comment,
    struct buf *out, struct err *err);

/* Bytes of the .minisig file (four lines) that stands at the beginning of these; 0: fewer than four lines. */
size_t minisig_lines(const char *p, size_t n);

/* Is the first line, which nothing signs, ours or that of stock minisign? */
bool minisig_is_usual(const char *sig, size_t sn);

/* Checks a .minisig file's text (sn bytes) for the message. On success the trusted comment is copied
 * (NUL-terminated) to ret_comment unless that is NULL. 0, -1. */
int minisig_verify(const struct minisig_public *pub, const void *msg, size_t n, const char *sig, size_t sn,
    char ret_comment[MINISIG_COMMENT_MAX], struct err *err);

/* The same for what a person signed elsewhere with whatever minisign is there: prehashed signatures ("ED",
 * what `minisign -S` makes without -l) are accepted, too. */
int minisig_verify_any(const struct minisig_public *pub, const void *msg, size_t n, const char *sig,
    size_t sn, char ret_comment[MINISIG_COMMENT_MAX], struct err *err);
/* The same under whichever of the keys it was made with; *ret_index (or NULL) says which. */
int minisig_verify_one_of(const struct minisig_public *keys, size_t n_keys, const void *msg, size_t n,
    const char *sig, size_t sn, char ret_comment[MINISIG_COMMENT_MAX], size_t *ret_index, struct err *err);

/* Raw detached Ed25519 for journal lines. */
void minisig_raw_sign(const struct minisig_secret *sec, const void *msg, size_t n, uint8_t ret_sig[64]);
int minisig_raw_verify(
    const struct minisig_public *pub, const void *msg, size_t n, const uint8_t sig[64]); /* 0, -1 */

/* Standard base64 with padding (RFC 4648 §4), strict both ways; shared with the journal. */
int minisig_b64_encode(const void *p, size_t n, struct buf *out, struct err *err);
/* Decodes exactly; -1 unless s is canonical base64 of exactly `want` bytes. */
int minisig_b64_decode(const char *s, size_t n, uint8_t *out, size_t want);

#endif
