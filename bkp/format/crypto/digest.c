/* digest: see digest.h. */
#include "format/crypto/digest.h"

#include <stdlib.h>
#include <string.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* EVP allocates, and may fail for it, with every digest */
#include <openssl/crypto.h>
#include <openssl/sha.h>

#define HMAC_BLOCK 64

struct digest {
	SHA256_CTX sha;
};

/* RFC 2104 with both pads hashed beforehand: a message of 2 KB costs 1.5 us, of which 0.1 are not SHA-256. */
struct hmac {
	SHA256_CTX inner, outer; /* the pads; only copied from */
};

struct digest *digest_new(void)
{
	struct digest *d = malloc(sizeof(*d));

	if (d)
		digest_reset(d);
	return d;
}

void digest_reset(struct digest *d)
{
	SHA256_Init(&d->sha);
}

void digest_update(struct digest *d, const void *p, size_t n)
{
	SHA256_Update(&d->sha, p, n);
}

void digest_final(struct digest *d, uint8_t out[DIGEST_LEN])
{
	SHA256_Final(out, &d->sha);
}

void digest_free(struct digest *d)
{
	free(d);
}

void digest_sha256(const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	struct digest d;

	digest_reset(&d);
	digest_update(&d, p, n);
	digest_final(&d, out);
}

static void hmac_key(struct hmac *h, const uint8_t *key, size_t keylen)
{
	uint8_t pad[HMAC_BLOCK] = {0};

	if (keylen > HMAC_BLOCK)
		digest_sha256(key, keylen, pad);
	else if (keylen)
		memcpy(pad, key, keylen);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] ^= 0x36;
	SHA256_Init(&h->inner);
	SHA256_Update(&h->inner, pad, HMAC_BLOCK);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&h->outer);
	SHA256_Update(&h->outer, pad, HMAC_BLOCK);
	OPENSSL_cleanse(pad, sizeof(pad));
}

struct hmac *hmac_new(const uint8_t *key, size_t keylen)
{
	struct hmac *h = malloc(sizeof(*h));

	if (h)
		hmac_key(h, key, keylen);
	return h;
}

struct hmac *hmac_copy(const struct hmac *h)
{
	struct hmac *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *h;
	return copy;
}

void hmac_of(struct hmac *h, const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	SHA256_CTX work = h->inner;

	SHA256_Update(&work, p, n);
	SHA256_Final(out, &work);
	work = h->outer;
	SHA256_Update(&work, out, DIGEST_LEN);
	SHA256_Final(out, &work);
}

void hmac_free(struct hmac *h)
{
	if (h)
		OPENSSL_cleanse(h, sizeof(*h));
	free(h);
}

/* T(i) = HMAC(PRK, T(i-1) | info | i), section 2.3. */
void digest_hkdf(const uint8_t *ikm, size_t ikmlen, const uint8_t *salt, size_t saltlen, const char *info,
    uint8_t *out, size_t outlen)
{
	uint8_t prk[DIGEST_LEN], t[DIGEST_LEN], i = 0;
	struct hmac h;

	hmac_key(&h, salt, saltlen); /* none is a key of zeros */
	hmac_of(&h, ikm, ikmlen, prk);
	hmac_key(&h, prk, sizeof(prk));
	for (size_t done = 0, n; done < outlen; done += n) {
		SHA256_CTX work = h.inner;

		SHA256_Update(&work, t, i++ ? sizeof(t) : 0);
		SHA256_Update(&work, info, strlen(info));
		SHA256_Update(&work, &i, 1);
		SHA256_Final(t, &work);
		work = h.outer;
		SHA256_Update(&work, t, sizeof(t));
		SHA256_Final(t, &work);
		n = outlen - done < sizeof(t) ? outlen - done : sizeof(t);
		memcpy(out + done, t, n);
	}
	OPENSSL_cleanse(&h, sizeof(h));
	OPENSSL_cleanse(prk, sizeof(prk));
	OPENSSL_cleanse(t, sizeof(t));
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
