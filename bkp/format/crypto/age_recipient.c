/* age_recipient: wrapping the file key for X25519 recipients and for a passphrase (C2SP age.md, "X25519" and
 * "scrypt" recipient types), and getting it back. */
#include "format/crypto/age_private.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"
#include "format/crypto/digest.h"

#define X25519_INFO  "age-encryption.org/v1/X25519"
#define SCRYPT_LABEL "age-encryption.org/v1/scrypt"

/* The key is used once, so the nonce is zero. */
static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == AGE_KEY, "ChaCha20-Poly1305 key");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == AGE_TAG, "ChaCha20-Poly1305 tag");
_Static_assert(crypto_scalarmult_BYTES == AGE_KEY, "X25519 point");

int age_header_mac(const uint8_t file_key[AGE_FILE_KEY], const void *text, size_t n, uint8_t ret_mac[AGE_MAC],
    struct err *err)
{
	uint8_t key[AGE_KEY];
	struct hmac *h;

	digest_hkdf(file_key, AGE_FILE_KEY, NULL, 0, "header", key, sizeof(key));
	h = hmac_new(key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	if (!h)
		return err_nomem(err);
	hmac_of(h, text, n, ret_mac);
	hmac_free(h);
	return 0;
}

static int append_wrapped(
    const uint8_t wrap_key[AGE_KEY], const uint8_t file_key[AGE_FILE_KEY], struct buf *out, struct err *err)
{
	uint8_t body[AGE_WRAPPED];

	crypto_aead_chacha20poly1305_ietf_encrypt(
	    body, NULL, file_key, AGE_FILE_KEY, NULL, 0, NULL, zero_nonce, wrap_key);
	if (base64_append(out, body, sizeof(body), BASE64_UNPADDED, err))
		return -1;
	return buf_puts(out, "\n", err);
}

static bool unwrap_body(
    const struct age_stanza *st, const uint8_t wrap_key[AGE_KEY], uint8_t file_key[AGE_FILE_KEY])
{
	return crypto_aead_chacha20poly1305_ietf_decrypt(
		   file_key, NULL, NULL, st->body, AGE_WRAPPED, NULL, 0, zero_nonce, wrap_key) == 0;
}

/* The wrapping key of a shared secret; both public values are bound into it as salt. */
static void x25519_wrap_key(const uint8_t shared[AGE_KEY], const uint8_t share[AGE_KEY],
    const uint8_t recipient[AGE_KEY], uint8_t key[AGE_KEY])
{
	uint8_t salt[2 * AGE_KEY];

	memcpy(salt, share, AGE_KEY);
	memcpy(salt + AGE_KEY, recipient, AGE_KEY);
	digest_hkdf(shared, AGE_KEY, salt, sizeof(salt), X25519_INFO, key, AGE_KEY);
}

static int append_x25519(const uint8_t share[AGE_KEY], const uint8_t key[AGE_KEY],
    const uint8_t file_key[AGE_FILE_KEY], struct buf *out, struct err *err)
{
	if (buf_puts(out, "-> X25519 ", err) || base64_append(out, share, AGE_KEY, BASE64_UNPADDED, err) ||
	    buf_puts(out, "\n", err))
		return -1;
	return append_wrapped(key, file_key, out, err);
}

int age_wrap_x25519(const struct age_recipient *r, const uint8_t file_key[AGE_FILE_KEY],
    const struct age_random *rnd, struct buf *out, struct err *err)
{
	uint8_t ephemeral[AGE_KEY];
	uint8_t share[AGE_KEY];
	uint8_t shared[AGE_KEY];
	uint8_t key[AGE_KEY];
	int rc;

	rnd->fill(rnd->arg, ephemeral, sizeof(ephemeral));
	if (crypto_scalarmult_base(share, ephemeral) != 0 ||
	    crypto_scalarmult(shared, ephemeral, r->x25519) != 0) {
		rc = err_set(err, "E-AGE-06", text("the recipient's public key is a point of low order"));
	} else {
		x25519_wrap_key(shared, share, r->x25519, key);
		rc = append_x25519(share, key, file_key, out, err);
	}
	sodium_memzero(ephemeral, sizeof(ephemeral));
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	return rc;
}

static int scrypt_key(
    const char *passphrase, const uint8_t salt[AGE_SALT], int log_n, uint8_t key[AGE_KEY], struct err *err)
{
	uint8_t labelled[sizeof(SCRYPT_LABEL) - 1 + AGE_SALT];

	memcpy(labelled, SCRYPT_LABEL, sizeof(SCRYPT_LABEL) - 1);
	memcpy(labelled + sizeof(SCRYPT_LABEL) - 1, salt, AGE_SALT);
	if (crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)passphrase, strlen(passphrase), labelled,
		sizeof(labelled), (uint64_t)1 << log_n, 8, 1, key, AGE_KEY) != 0) {
		err_sys(err, "E-MEM-01", errno, text("deriving a key with scrypt needs %llu MiB of memory"),
		    1ULL << log_n >> 10);
		return -1;
	}
	return 0;
}

int age_wrap_scrypt(const char *passphrase, int log_n, const uint8_t file_key[AGE_FILE_KEY],
    const struct age_random *rnd, struct buf *out, struct err *err)
{
	uint8_t salt[AGE_SALT];
	uint8_t key[AGE_KEY];
	int rc;

	if (log_n < 1 || log_n > AGE_LOG_N_MAX)
		return err_set(err, "E-AGE-08", text("scrypt work factor %d is not between 1 and %d"), log_n,
		    AGE_LOG_N_MAX);
	rnd->fill(rnd->arg, salt, sizeof(salt));
	if (buf_puts(out, "-> scrypt ", err) ||
	    base64_append(out, salt, sizeof(salt), BASE64_UNPADDED, err) ||
	    buf_printf(out, err, " %d\n", log_n) || scrypt_key(passphrase, salt, log_n, key, err))
		return -1;
	rc = append_wrapped(key, file_key, out, err);
	sodium_memzero(key, sizeof(key));
	return rc;
}

/* 0, AGE_NO_MATCH, -1 */
static int unwrap_x25519(const struct age_stanza *st, const struct age_identity *id,
    const struct age_recipient *own, uint8_t file_key[AGE_FILE_KEY], struct err *err)
{
	uint8_t shared[AGE_KEY];
	uint8_t key[AGE_KEY];
	int r;

	/* A share of low order would give a secret that everybody knows: age v1 says refuse, not skip. */
	if (crypto_scalarmult(shared, id->secret, st->arg) != 0)
		return err_set(err, "E-AGE-01", text("malformed age header at byte %zu: %s"), st->at,
		    text("the X25519 share is a point of low order"));
	x25519_wrap_key(shared, st->arg, own->x25519, key);
	r = unwrap_body(st, key, file_key) ? 0 : AGE_NO_MATCH;
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	return r;
}

static int try_identity(const struct age_header *h, const struct age_identity *id,
    uint8_t file_key[AGE_FILE_KEY], struct err *err)
{
	struct age_recipient own;
	size_t i;
	int r = AGE_NO_MATCH;

	if (age_identity_recipient(id, &own))
		return err_set(err, "E-AGE-06", text("an identity without a public key"));
	for (i = 0; i < h->n_known && r == AGE_NO_MATCH; i++)
		if (h->known[i].type == AGE_X25519)
			r = unwrap_x25519(&h->known[i], id, &own, file_key, err);
	return r;
}

/* Hands the file key out only when it also proves the header. */
static int check_mac(const struct age_header *h, const uint8_t file_key[AGE_FILE_KEY],
    uint8_t ret_file_key[AGE_FILE_KEY], struct err *err)
{
	uint8_t mac[AGE_MAC];

	if (age_header_mac(file_key, h->text, h->text_len, mac, err))
		return -1;
	if (sodium_memcmp(mac, h->mac, AGE_MAC) != 0)
		return err_set(err, "E-AGE-02", text("the age header has been altered: its MAC is wrong"));
	memcpy(ret_file_key, file_key, AGE_FILE_KEY);
	return 0;
}

int age_header_unwrap(const struct age_header *h, const struct age_identity *ids, size_t n,
    uint8_t ret_file_key[AGE_FILE_KEY], struct err *err)
{
	uint8_t file_key[AGE_FILE_KEY];
	size_t i;
	int r = AGE_NO_MATCH;

	for (i = 0; i < n && r == AGE_NO_MATCH; i++)
		r = try_identity(h, &ids[i], file_key, err);
	if (r == 0)
		r = check_mac(h, file_key, ret_file_key, err);
	sodium_memzero(file_key, sizeof(file_key));
	if (r != AGE_NO_MATCH)
		return r;
	if (age_header_is_scrypt(h)) {
		err_set_kind(err, ERR_WRONG_KEY, "E-AGE-03",
		    text("the file is encrypted to a passphrase, not to an identity"));
		err_hint(err, text("give the passphrase"));
	} else {
		err_set_kind(err, ERR_WRONG_KEY, "E-AGE-03",
		    text("none of the %zu identities given opens the file (%zu recipients)"), n,
		    h->n_stanzas);
		err_hint(err, text("give the identity of one of its recipients"));
	}
	return AGE_NO_MATCH;
}

int age_header_unwrap_scrypt(const struct age_header *h, const char *passphrase, int max_log_n,
    uint8_t ret_file_key[AGE_FILE_KEY], struct err *err)
{
	const struct age_stanza *st = h->known;
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t key[AGE_KEY];
	int r;

	if (!age_header_is_scrypt(h)) {
		err_set(err, "E-AGE-03", text("the file is encrypted to identities, not to a passphrase"));
		err_hint(err, text("give the identity file of one of its recipients"));
		return AGE_NO_MATCH;
	}
	if (st->log_n > max_log_n || st->log_n > AGE_LOG_N_MAX)
		return err_set(err, "E-AGE-08",
		    text("the file asks for scrypt work factor %d%s, at most %d is accepted"), st->log_n,
		    st->log_n < 1000 ? "" : "+", max_log_n < AGE_LOG_N_MAX ? max_log_n : AGE_LOG_N_MAX);
	if (scrypt_key(passphrase, st->arg, st->log_n, key, err))
		return -1;
	if (unwrap_body(st, key, file_key))
		r = check_mac(h, file_key, ret_file_key, err);
	else
		r = err_set_kind(err, ERR_WRONG_KEY, "E-AGE-07", text("wrong passphrase"));
	sodium_memzero(file_key, sizeof(file_key));
	sodium_memzero(key, sizeof(key));
	return r;
}
