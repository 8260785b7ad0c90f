/* digest: see digest.h. */
#include "format/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define HMAC_BLOCK 64

struct digest {
	EVP_MD_CTX *ctx;
};

/* RFC 2104 with both pads hashed beforehand: a message of 2 KB costs 1.5 us, of which 0.1 are not SHA-256. */
struct hmac {
	EVP_MD_CTX *inner, *outer; /* the pads; only copied from */
	EVP_MD_CTX *work;
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
	must(EVP_DigestInit_ex2(d->ctx, EVP_sha256(), NULL));
	return d;
}

void digest_reset(struct digest *d)
{
	must(EVP_DigestInit_ex2(d->ctx, NULL, NULL)); /* the same again, without looking it up */
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

static struct hmac *hmac_empty(void)
{
	struct hmac *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->inner = EVP_MD_CTX_new();
	h->outer = EVP_MD_CTX_new();
	h->work = EVP_MD_CTX_new();
	if (h->inner && h->outer && h->work)
		return h;
	hmac_free(h);
	return NULL;
}

struct hmac *hmac_new(const uint8_t *key, size_t keylen)
{
	struct hmac *h = hmac_empty();
	uint8_t pad[HMAC_BLOCK] = {0};

	if (!h)
		return NULL;
	if (keylen > HMAC_BLOCK)
		digest_sha256(key, keylen, pad);
	else if (keylen)
		memcpy(pad, key, keylen);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] ^= 0x36;
	must(EVP_DigestInit_ex2(h->inner, EVP_sha256(), NULL));
	must(EVP_DigestUpdate(h->inner, pad, HMAC_BLOCK));
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	must(EVP_DigestInit_ex2(h->outer, EVP_sha256(), NULL));
	must(EVP_DigestUpdate(h->outer, pad, HMAC_BLOCK));
	OPENSSL_cleanse(pad, sizeof(pad));
	return h;
}

struct hmac *hmac_copy(const struct hmac *h)
{
	struct hmac *copy = hmac_empty();

	if (!copy)
		return NULL;
	must(EVP_MD_CTX_copy_ex(copy->inner, h->inner));
	must(EVP_MD_CTX_copy_ex(copy->outer, h->outer));
	return copy;
}

void hmac_of(struct hmac *h, const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	must(EVP_MD_CTX_copy_ex(h->work, h->inner));
	must(EVP_DigestUpdate(h->work, p, n));
	must(EVP_DigestFinal_ex(h->work, out, NULL));
	must(EVP_MD_CTX_copy_ex(h->work, h->outer));
	must(EVP_DigestUpdate(h->work, out, DIGEST_LEN));
	must(EVP_DigestFinal_ex(h->work, out, NULL));
}

void hmac_free(struct hmac *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->inner); /* wipes */
	EVP_MD_CTX_free(h->outer);
	EVP_MD_CTX_free(h->work);
	free(h);
}

void digest_hkdf(const uint8_t *ikm, size_t ikmlen, const uint8_t *salt, size_t saltlen, const char *info,
    uint8_t *out, size_t outlen)
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
	params[3] =
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info));
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
