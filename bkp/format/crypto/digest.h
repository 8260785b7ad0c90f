/* digest: SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104; both on the CRYPTREC e-Government recommended
 * list), on libcrypto's hardware paths, and the lower-case hex they are written in.
 *
 * A struct digest is an opaque running hash owned by the caller: digest_new → digest_update… → digest_final →
 * (reusable after digest_reset) → digest_free.  But for making one nothing here allocates, and nothing can
 * fail.
 */
#ifndef BKP_FORMAT_CRYPTO_DIGEST_H
#define BKP_FORMAT_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 32
#define DIGEST_HEX 65 /* 64 digits and NUL */

struct digest;

struct digest *digest_new(void); /* NULL: out of memory */
void digest_reset(struct digest *d);
void digest_update(struct digest *d, const void *p, size_t n);
void digest_final(struct digest *d, uint8_t out[DIGEST_LEN]);
void digest_free(struct digest *d);

void digest_sha256(const void *p, size_t n, uint8_t out[DIGEST_LEN]);

/* HMAC with a key that is set up once; hmac_of() may be called any number of times, from one thread at a time. */
struct hmac;
struct hmac *hmac_new(const uint8_t *key, size_t keylen); /* NULL: out of memory */
struct hmac *hmac_copy(const struct hmac *h);		  /* for another thread; NULL: out of memory */
void hmac_of(struct hmac *h, const void *p, size_t n, uint8_t out[DIGEST_LEN]);
void hmac_free(struct hmac *h);

/* HKDF-SHA-256 (RFC 5869), extract and expand; outlen ≤ 255·32. salt may be NULL with saltlen 0. */
void digest_hkdf(const uint8_t *ikm, size_t ikmlen, const uint8_t *salt, size_t saltlen, const char *info,
    uint8_t *out, size_t outlen);

/* Lower-case hex of n bytes and a NUL into out (2n+1); returns out. */
char *digest_hex(const uint8_t *p, size_t n, char *out);
/* Exactly 2n lower-case hex digits at s (no NUL needed behind them) into out; false when it is anything else. */
bool digest_unhex(const char *s, size_t n, uint8_t *out);

#endif
