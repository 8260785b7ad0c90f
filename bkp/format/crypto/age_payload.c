/* age_payload: the STREAM of segments behind an age header, written in order and read at random.
 *
 * Segment i is ChaCha20-Poly1305 under HKDF(file key, salt = the file's nonce, "payload"); its nonce is i as
 * 11 bytes big endian and one byte that is 1 for the last segment.  Order, number and end of the segments are
 * thereby authenticated. This is the bulk path: one libcrypto context per file, keyed once; a segment only
 * sets the nonce. */
#include "format/crypto/age_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"
#include "format/crypto/digest.h"

#define SEALED	     ((size_t)AGE_SEGMENT + AGE_TAG)
#define STREAM_NONCE 12

struct age_payload {
	EVP_CIPHER_CTX *ctx;
};

struct age_writer {
	EVP_CIPHER_CTX *ctx;
	uint64_t index;
	bool ended;		      /* finished or failed */
	size_t held;		      /* bytes in segment */
	uint8_t segment[AGE_SEGMENT]; /* a full one waits until more follows: only then it is not the last */
};

static EVP_CIPHER_CTX *stream_new(
    const uint8_t file_key[AGE_FILE_KEY], const uint8_t nonce[AGE_NONCE], bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[AGE_KEY];

	if (!ctx)
		return NULL;
	digest_hkdf(file_key, AGE_FILE_KEY, nonce, AGE_NONCE, "payload", key, sizeof(key));
	if (EVP_CipherInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, NULL, encrypt) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	sodium_memzero(key, sizeof(key));
	return ctx;
}

static void segment_nonce(uint64_t index, bool last, uint8_t nonce[STREAM_NONCE])
{
	size_t i;

	memset(nonce, 0, STREAM_NONCE);
	for (i = 0; i < 8; i++)
		nonce[3 + i] = (uint8_t)(index >> (56 - 8 * i));
	nonce[STREAM_NONCE - 1] = last;
}

/* out: n + 16 bytes */
static int seal(
    EVP_CIPHER_CTX *ctx, uint64_t index, bool last, const uint8_t *p, size_t n, uint8_t *out, struct err *err)
{
	uint8_t nonce[STREAM_NONCE];
	int len = 0;
	int more;

	segment_nonce(index, last, nonce);
	if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce) != 1 ||
	    (n && EVP_EncryptUpdate(ctx, out, &len, p, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(ctx, out + len, &more) != 1 || (size_t)len + (size_t)more != n ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AGE_TAG, out + n) != 1)
		return err_set(err, "E-AGE-09", text("libcrypto could not encrypt"));
	return 0;
}

/* c: n + 16 bytes */
static bool unseal(EVP_CIPHER_CTX *ctx, uint64_t index, bool last, const uint8_t *c, size_t n, uint8_t *out)
{
	uint8_t nonce[STREAM_NONCE];
	uint8_t tag[AGE_TAG];
	int len = 0;
	int more;

	memcpy(tag, c + n, AGE_TAG);
	segment_nonce(index, last, nonce);
	return EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AGE_TAG, tag) == 1 &&
	       (n == 0 || EVP_DecryptUpdate(ctx, out, &len, c, (int)n) == 1) &&
	       EVP_DecryptFinal_ex(ctx, out + len, &more) == 1;
}

/* "---", MAC and nonce behind the stanzas that stand in out from `start` on; then the payload can begin. */
static int finish_header(const uint8_t file_key[AGE_FILE_KEY], size_t start, const struct age_random *rnd,
    struct buf *out, struct age_writer **ret, struct err *err)
{
	uint8_t mac[AGE_MAC];
	uint8_t nonce[AGE_NONCE];
	struct age_writer *w;

	if (buf_puts(out, "---", err) || age_header_mac(file_key, out->p + start, out->n - start, mac, err) ||
	    buf_puts(out, " ", err) || base64_append(out, mac, sizeof(mac), BASE64_UNPADDED, err) ||
	    buf_puts(out, "\n", err))
		return -1;
	if (out->n - start > AGE_HEADER_MAX)
		return err_set(err, "E-AGE-01", text("too many recipients: the header exceeds 1 MiB"));
	rnd->fill(rnd->arg, nonce, sizeof(nonce));
	if (buf_append(out, nonce, sizeof(nonce), err))
		return -1;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_nomem(err);
	w->ctx = stream_new(file_key, nonce, true);
	if (!w->ctx) {
		free(w);
		return err_nomem(err);
	}
	*ret = w;
	return 0;
}

int age_writer_new(const struct age_recipient *r, size_t n, const struct age_random *rnd, struct buf *out,
    struct age_writer **ret, struct err *err)
{
	uint8_t file_key[AGE_FILE_KEY];
	size_t start = out->n;
	size_t i;
	int rc;

	if (n == 0)
		return err_set(err, "E-AGE-06", text("no recipient to encrypt to"));
	rnd->fill(rnd->arg, file_key, sizeof(file_key));
	rc = buf_puts(out, AGE_VERSION_LINE, err);
	for (i = 0; i < n && rc == 0; i++)
		rc = age_wrap_x25519(&r[i], file_key, rnd, out, err);
	if (rc == 0)
		rc = finish_header(file_key, start, rnd, out, ret, err);
	sodium_memzero(file_key, sizeof(file_key));
	if (rc)
		out->n = start;
	return rc;
}

int age_writer_new_scrypt(const char *passphrase, int log_n, const struct age_random *rnd, struct buf *out,
    struct age_writer **ret, struct err *err)
{
	uint8_t file_key[AGE_FILE_KEY];
	size_t start = out->n;
	int rc;

	rnd->fill(rnd->arg, file_key, sizeof(file_key));
	rc = buf_puts(out, AGE_VERSION_LINE, err);
	if (rc == 0)
		rc = age_wrap_scrypt(passphrase, log_n, file_key, rnd, out, err);
	if (rc == 0)
		rc = finish_header(file_key, start, rnd, out, ret, err);
	sodium_memzero(file_key, sizeof(file_key));
	if (rc)
		out->n = start;
	return rc;
}

static int put_segment(
    struct age_writer *w, bool last, const uint8_t *p, size_t n, struct buf *out, struct err *err)
{
	assert(n <= AGE_SEGMENT);
	if (buf_reserve(out, n + AGE_TAG, err) || seal(w->ctx, w->index, last, p, n, out->p + out->n, err)) {
		w->ended = true;
		return -1;
	}
	out->n += n + AGE_TAG;
	w->index++;
	return 0;
}

static int refuse_ended(struct err *err)
{
	return err_set(err, "E-AGE-09", text("writing to an age file that is finished or has failed"));
}

int age_writer_update(struct age_writer *w, const void *p, size_t n, struct buf *out, struct err *err)
{
	const uint8_t *c = p;

	if (w->ended)
		return refuse_ended(err);
	while (n) {
		size_t take = AGE_SEGMENT - w->held < n ? AGE_SEGMENT - w->held : n;

		if (w->held == 0 && n > AGE_SEGMENT) { /* straight from the caller */
			if (put_segment(w, false, c, AGE_SEGMENT, out, err))
				return -1;
		} else if (w->held == AGE_SEGMENT) { /* more follows, so it is not the last */
			if (put_segment(w, false, w->segment, AGE_SEGMENT, out, err))
				return -1;
			w->held = 0;
			continue;
		} else {
			memcpy(w->segment + w->held, c, take);
			w->held += take;
		}
		c += take;
		n -= take;
	}
	return 0;
}

int age_writer_finish(struct age_writer *w, struct buf *out, struct err *err)
{
	if (w->ended)
		return refuse_ended(err);
	if (put_segment(w, true, w->segment, w->held, out, err))
		return -1;
	w->ended = true;
	return 0;
}

void age_writer_free(struct age_writer *w)
{
	if (!w)
		return;
	EVP_CIPHER_CTX_free(w->ctx); /* wipes the key schedule */
	sodium_memzero(w, sizeof(*w));
	free(w);
}

struct age_payload *age_payload_new(const uint8_t file_key[AGE_FILE_KEY], const uint8_t nonce[AGE_NONCE])
{
	struct age_payload *pl = calloc(1, sizeof(*pl));

	if (!pl)
		return NULL;
	pl->ctx = stream_new(file_key, nonce, false);
	if (!pl->ctx) {
		free(pl);
		return NULL;
	}
	return pl;
}

void age_payload_free(struct age_payload *pl)
{
	if (pl)
		EVP_CIPHER_CTX_free(pl->ctx);
	free(pl);
}

int age_payload_open(
    struct age_payload *pl, uint64_t index, bool last, const void *c, size_t clen, void *out, struct err *err)
{
	/* only a file without any plaintext has an empty segment */
	size_t least = last && index == 0 ? AGE_TAG : AGE_TAG + 1;

	if (clen > SEALED || clen < least || (!last && clen != SEALED))
		return err_set(err, "E-AGE-05", text("age segment %llu cannot have %zu bytes"),
		    (unsigned long long)index, clen);
	if (!unseal(pl->ctx, index, last, c, clen - AGE_TAG, out)) {
		sodium_memzero(out, clen - AGE_TAG);
		return err_set(err, "E-AGE-04",
		    text("age segment %llu does not authenticate: damaged, altered or cut off"),
		    (unsigned long long)index);
	}
	return 0;
}

int age_plain_size(uint64_t payload, uint64_t *ret_plain, struct err *err)
{
	uint64_t full = payload / SEALED;
	uint64_t rest = payload % SEALED;

	if (payload < AGE_TAG || (rest && rest < AGE_TAG) || (full && rest == AGE_TAG))
		return err_set(err, "E-AGE-05",
		    text("no age file has %llu payload bytes: it was cut off or extended"),
		    (unsigned long long)payload);
	*ret_plain = payload - AGE_TAG * (full + (rest != 0));
	return 0;
}
