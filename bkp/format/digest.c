/* digest: see digest.h. */
#include "format/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

struct digest {
	EVP_MD_CTX *ctx;
};

struct hmac {
	EVP_MAC_CTX *ctx;
};

static void must(int ok)
{
	if (ok != 1)
		abort(); /* libcrypto without SHA-256: nothing can be proved on this machine */
}

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx) {
		free(d);
		return NULL;
	}
	digest_reset(d);
	return d;
}

void digest_reset(struct digest *d)
{
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
}

void digest_update(struct digest *d, const void *p, size_t n)
{
	must(EVP_DigestUpdate(d->ctx, p, n));
}

void digest_final(struct digest *d, uint8_t out[DIGEST_LEN])
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL));
}

void digest_free(struct digest *d)
{
	if (d)
		EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_sha256(const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	must(EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL));
}

struct hmac *hmac_new(const uint8_t *key, size_t keylen)
{
	struct hmac *h = calloc(1, sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char name[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};

	must(mac != NULL);
	if (h)
		h->ctx = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (!h || !h->ctx) {
		free(h);
		return NULL;
	}
	must(EVP_MAC_init(h->ctx, key, keylen, params));
	return h;
}

struct hmac *hmac_copy(const struct hmac *h)
{
	struct hmac *copy = calloc(1, sizeof(*copy));

	if (copy && !(copy->ctx = EVP_MAC_CTX_dup(h->ctx))) {
		free(copy);
		copy = NULL;
	}
	return copy;
}

void hmac_of(struct hmac *h, const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	size_t len;

	must(EVP_MAC_init(h->ctx, NULL, 0, NULL)); /* same key again */
	must(EVP_MAC_update(h->ctx, p, n));
	must(EVP_MAC_final(h->ctx, out, &len, DIGEST_LEN));
}

void hmac_free(struct hmac *h)
{
	if (h)
		EVP_MAC_CTX_free(h->ctx);
	free(h);
}

void digest_hkdf(const uint8_t *ikm, size_t ikmlen, const uint8_t *salt, size_t saltlen, const char *info, uint8_t *out,
    size_t outlen)
{
	static const uint8_t none[1];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx;
	char name[] = "SHA256";
	OSSL_PARAM params[5];

	must(kdf != NULL);
	ctx = EVP_KDF_CTX_new(kdf);
	EVP_KDF_free(kdf);
	must(ctx != NULL);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
	/* libcrypto takes these as void * but only reads them */
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)ikm, ikmlen);
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)(salt ? salt : none), saltlen);
	params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info));
	params[4] = OSSL_PARAM_construct_end();
	must(EVP_KDF_derive(ctx, out, outlen, params));
	EVP_KDF_CTX_free(ctx);
}

char *digest_hex(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_unhex(const char *s, size_t n, uint8_t *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int hi = nibble(s[2 * i]);
		int lo = hi < 0 ? -1 : nibble(s[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
