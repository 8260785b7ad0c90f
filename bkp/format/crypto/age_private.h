/* age_private: what the halves of age share (bech32, header, recipients, payload).  Nothing outside
 * bkp/format/crypto/age_*.c includes it; the contract is age.h.  Grammar and constants: C2SP age.md
 * ("age-encryption.org/v1"). */
#ifndef BKP_FORMAT_CRYPTO_AGE_PRIVATE_H
#define BKP_FORMAT_CRYPTO_AGE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/age.h"

struct buf;
struct err;

#define AGE_VERSION_LINE     "age-encryption.org/v1\n"
#define AGE_VERSION_LINE_LEN (sizeof(AGE_VERSION_LINE) - 1)
#define AGE_COLUMNS	     64
#define AGE_LINE_BYTES	     48 /* what a full line of base64 holds */
#define AGE_KEY		     32
#define AGE_SALT	     16
#define AGE_MAC		     32
#define AGE_WRAPPED	     (AGE_FILE_KEY + AGE_TAG)
#define AGE_LOG_N_MAX	     22

/* BIP 173.  The human-readable part is given as it stands in the canonical text ("age", "AGE-SECRET-KEY-");
 * decoding accepts the other case too, but not a mixture.  out: strlen(hrp) + 59 characters and NUL. */
bool age_bech32_decode(const char *s, size_t n, const char *hrp, uint8_t ret_key[AGE_KEY]);
char *age_bech32_encode(const char *hrp, const uint8_t key[AGE_KEY], char *out);

enum age_stanza_type { AGE_X25519, AGE_SCRYPT };

/* A stanza of a type that is known here; of the others only the number is kept, the MAC covers them as bytes.
 */
struct age_stanza {
	enum age_stanza_type type;
	size_t at;	      /* byte offset of its line, for messages */
	int log_n;	      /* scrypt; saturates far above every limit */
	uint8_t arg[AGE_KEY]; /* X25519: ephemeral share (32); scrypt: salt (16) */
	uint8_t body[AGE_WRAPPED];
};

struct age_header {
	struct age_stanza *known;
	size_t n_known;
	size_t n_stanzas;
	uint8_t *text; /* from the start up to and including "---": what the MAC covers */
	size_t text_len;
	uint8_t mac[AGE_MAC];
};

/* HMAC-SHA-256 of a header under HKDF(file key, "header").  -1: out of memory. */
int age_header_mac(const uint8_t file_key[AGE_FILE_KEY], const void *text, size_t n, uint8_t ret_mac[AGE_MAC],
    struct err *err);

/* Appends one stanza that wraps the file key. */
int age_wrap_x25519(const struct age_recipient *r, const uint8_t file_key[AGE_FILE_KEY],
    const struct age_random *rnd, struct buf *out, struct err *err);
int age_wrap_scrypt(const char *passphrase, int log_n, const uint8_t file_key[AGE_FILE_KEY],
    const struct age_random *rnd, struct buf *out, struct err *err);

#endif
