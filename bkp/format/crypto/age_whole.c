/* age_whole: small files at once (identity files, root.age): header, file key, then all segments into one buffer.
 *
 * The plaintext's size follows from the ciphertext's before anything is decrypted, so room is reserved once and the buffer
 * does not move while it holds secrets.  A file whose last segment is wrong leaves nothing behind. */
#include "format/crypto/age_private.h"

#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define WORK_FACTOR 18 /* scrypt 2^18, as age itself uses */

static int open_segments(struct age_payload *pl, const uint8_t *c, size_t n, struct buf *out, struct err *err)
{
	uint64_t index;

	for (index = 0; n; index++) {
		size_t take = n < AGE_SEGMENT + AGE_TAG ? n : AGE_SEGMENT + AGE_TAG;

		if (age_payload_open(pl, index, take == n, c, take, out->p + out->n, err))
			return -1;
		out->n += take - AGE_TAG;
		c += take;
		n -= take;
	}
	return 0;
}

/* p: nonce and segments.  Nothing of a file that is not wholly good stays in `out`. */
static int decrypt_payload(
    const uint8_t *p, size_t n, const uint8_t file_key[AGE_FILE_KEY], struct buf *out, struct err *err)
{
	struct age_payload *pl;
	size_t start = out->n;
	uint64_t plain;
	int rc;

	if (n < AGE_NONCE)
		return err_set(err, "E-AGE-05", text("the age file ends within its nonce"));
	if (age_plain_size(n - AGE_NONCE, &plain, err) || buf_reserve(out, (size_t)plain, err))
		return -1;
	pl = age_payload_new(file_key, p);
	if (!pl)
		return err_nomem(err);
	rc = open_segments(pl, p + AGE_NONCE, n - AGE_NONCE, out, err);
	age_payload_free(pl);
	if (rc) {
		sodium_memzero(out->p + start, out->n - start);
		out->n = start;
	}
	return rc;
}

static int parse_whole(const void *p, size_t n, struct age_header **ret, size_t *ret_len, struct err *err)
{
	int r = age_header_parse(p, n, ret, ret_len, err);

	if (r == AGE_MORE)
		return err_set(err, "E-AGE-01", text("malformed age header at byte %zu: %s"), n,
		    text("the file ends within the header"));
	return r;
}

static int write_whole(struct age_writer *w, const void *p, size_t n, struct buf *out, struct err *err)
{
	int bad = age_writer_update(w, p, n, out, err) || age_writer_finish(w, out, err);

	age_writer_free(w);
	return bad ? -1 : 0;
}

int age_encrypt(const struct age_recipient *r, size_t nr, const struct age_random *rnd, const void *p,
    size_t n, struct buf *out, struct err *err)
{
	struct age_writer *w;

	return age_writer_new(r, nr, rnd, out, &w, err) ? -1 : write_whole(w, p, n, out, err);
}

int age_encrypt_scrypt(const char *passphrase, const struct age_random *rnd, const void *p, size_t n,
    struct buf *out, struct err *err)
{
	struct age_writer *w;

	return age_writer_new_scrypt(passphrase, WORK_FACTOR, rnd, out, &w, err)
		   ? -1
		   : write_whole(w, p, n, out, err);
}

int age_decrypt(
    const void *p, size_t n, const struct age_identity *ids, size_t nids, struct buf *out, struct err *err)
{
	uint8_t file_key[AGE_FILE_KEY];
	struct age_header *h;
	size_t len;
	int r;

	if (parse_whole(p, n, &h, &len, err))
		return -1;
	r = age_header_unwrap(h, ids, nids, file_key, err);
	if (r == 0)
		r = decrypt_payload((const uint8_t *)p + len, n - len, file_key, out, err);
	sodium_memzero(file_key, sizeof(file_key));
	age_header_free(h);
	return r;
}

int age_decrypt_scrypt(
    const void *p, size_t n, const char *passphrase, int max_log_n, struct buf *out, struct err *err)
{
	uint8_t file_key[AGE_FILE_KEY];
	struct age_header *h;
	size_t len;
	int r;

	if (parse_whole(p, n, &h, &len, err))
		return -1;
	r = age_header_unwrap_scrypt(h, passphrase, max_log_n, file_key, err);
	if (r == 0)
		r = decrypt_payload((const uint8_t *)p + len, n - len, file_key, out, err);
	sodium_memzero(file_key, sizeof(file_key));
	age_header_free(h);
	return r;
}
