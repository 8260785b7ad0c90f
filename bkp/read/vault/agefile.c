/* agefile: see agefile.h.
 *
 * The header is read and unwrapped once, in open_head(): first 64 KiB, more only if the header does not end
 * there, up to AGE_HEADER_MAX.  After it and the nonce the file is a row of segments of SEGMENT bytes (64 KiB
 * and a tag); the last one may be shorter and is authenticated as the last, so a file that was cut does not
 * open. Which segment holds a plaintext offset is a division.
 *
 * One segment is held decrypted: chunks that lie next to each other share one.  It is wiped at the end.
 */
#include "read/vault/agefile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "read/store/store.h"

#define SEGMENT	   (AGE_SEGMENT + AGE_TAG)
#define HEAD_FIRST ((size_t)64 << 10)
#define SLURP_READ ((size_t)16 * SEGMENT)

struct agefile {
	struct store_file file;
	struct age_payload *payload;
	uint64_t start;	 /* of the first segment, in the file */
	uint64_t length; /* ciphertext bytes of all segments */
	uint64_t plain;
	uint64_t held;		  /* number of the segment in `segment`, or UINT64_MAX */
	uint8_t segment[SEGMENT]; /* neighbouring chunks share one: decrypt it once */
};

void agefile_close(struct agefile *f)
{
	if (!f)
		return;
	store_close_file(&f->file);
	age_payload_free(f->payload);
	sodium_memzero(f->segment, sizeof(f->segment));
	free(f);
}

/* The first n bytes, which the file must have. */
static int read_head(struct store_file *file, void *p, size_t n, struct err *err)
{
	ssize_t got = store_read_full(file, p, n, 0);

	if (got < 0)
		return err_sys(err, "E-IO-02", errno, "%s", text("cannot read"));
	return (size_t)got == n ? 0
				: err_set(err, "E-AGE-05", "%s", text("the file ends within the age header"));
}

/* Header and nonce from the start of the file; unwraps the file key, which does not leave this function.
 * *ret_start is where the segments begin. */
static int open_head(struct store_file *file, const struct age_identity *ids, size_t n,
    struct age_payload **ret, uint64_t *ret_start, struct err *err)
{
	BUF_AUTO head = BUF_INIT(AGE_HEADER_MAX + AGE_NONCE);
	struct age_header *h = NULL;
	uint8_t key[AGE_FILE_KEY];
	size_t want = HEAD_FIRST, len = 0;
	ssize_t got;
	int r;

	for (;;) {
		if (buf_reserve(&head, want, err))
			return -1;
		got = store_read_full(file, head.p, want, 0);
		if (got < 0)
			return err_sys(err, "E-IO-02", errno, "%s", text("cannot read"));
		r = age_header_parse(head.p, (size_t)got, &h, &len, err);
		if (r != AGE_MORE)
			break;
		if ((size_t)got < want || want >= AGE_HEADER_MAX)
			return err_set(err, "E-AGE-01", "%s", text("the age header does not end"));
		want = want * 2 < AGE_HEADER_MAX ? want * 2 : AGE_HEADER_MAX;
	}
	if (r)
		return -1;
	if ((size_t)got < len + AGE_NONCE)
		r = buf_reserve(&head, len + AGE_NONCE, err) ? -1
							     : read_head(file, head.p, len + AGE_NONCE, err);
	if (!r)
		r = age_header_unwrap(h, ids, n, key, err);
	age_header_free(h);
	if (r)
		return -1;
	*ret = age_payload_new(key, head.p + len);
	sodium_memzero(key, sizeof(key));
	if (!*ret)
		return err_nomem(err);
	*ret_start = len + AGE_NONCE;
	return 0;
}

int agefile_open(
    struct store_file *file, const struct age_identity *ids, size_t n, struct agefile **ret, struct err *err)
{
	struct agefile *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	f->held = UINT64_MAX;
	if (open_head(file, ids, n, &f->payload, &f->start, err))
		goto fail;
	if ((uint64_t)file->size < f->start) {
		err_set(err, "E-AGE-05", "%s", text("the file ends within the age header"));
		goto fail;
	}
	f->length = (uint64_t)file->size - f->start;
	if (age_plain_size(f->length, &f->plain, err))
		goto fail;
	f->file = store_take(file);
	*ret = f;
	return 0;
fail:
	agefile_close(f);
	return -1;
}

uint64_t agefile_size(const struct agefile *f)
{
	return f->plain;
}

static size_t segment_length(const struct agefile *f, uint64_t index)
{
	uint64_t rest = f->length - index * SEGMENT;

	return rest < SEGMENT ? (size_t)rest : SEGMENT;
}

static bool is_last(const struct agefile *f, uint64_t index)
{
	return (index + 1) * SEGMENT >= f->length;
}

static int read_cipher(struct agefile *f, uint64_t index, void *p, size_t n, struct err *err)
{
	ssize_t got = store_read_full(&f->file, p, n, (int64_t)(f->start + index * SEGMENT));

	if (got < 0)
		return err_sys(err, "E-IO-02", errno, "%s", text("cannot read"));
	if ((size_t)got < n)
		return err_set(err, "E-AGE-05", "%s", text("the file became shorter while it was read"));
	return 0;
}

/* Segment `index` into f->segment, decrypted in place; a failure leaves none held. */
static int hold_segment(struct agefile *f, uint64_t index, struct err *err)
{
	size_t n = segment_length(f, index);

	if (f->held == index)
		return 0;
	f->held = UINT64_MAX;
	if (read_cipher(f, index, f->segment, n, err) ||
	    age_payload_open(f->payload, index, is_last(f, index), f->segment, n, f->segment, err))
		return -1;
	f->held = index;
	return 0;
}

int agefile_read(struct agefile *f, uint64_t offset, void *p, size_t n, struct err *err)
{
	uint8_t *out = p;

	if (offset > f->plain || n > f->plain - offset)
		return err_set(err, "E-AGE-05", "%s", text("beyond the end of the encrypted file"));
	while (n > 0) {
		uint64_t index = offset / AGE_SEGMENT;
		size_t in = (size_t)(offset % AGE_SEGMENT), part = AGE_SEGMENT - in;

		if (part > n)
			part = n;
		if (hold_segment(f, index, err))
			return -1;
		memcpy(out, f->segment + in, part);
		out += part;
		offset += part;
		n -= part;
	}
	return 0;
}

uint64_t agefile_start(const struct agefile *f)
{
	return f->start;
}

size_t agefile_segment(const struct agefile *f, uint64_t index)
{
	return index <= (f->length - 1) / SEGMENT ? segment_length(f, index) : 0;
}

int agefile_unseal(struct agefile *f, uint64_t index, const void *c, void *out, struct err *err)
{
	return age_payload_open(f->payload, index, is_last(f, index), c, segment_length(f, index), out, err);
}

/* Decrypts what follows the head, hashing as it goes: each segment is read once, so the bytes that are
 * decrypted are the bytes that are hashed. */
static int slurp_segments(struct store_file *file, struct age_payload *pl, uint64_t start, uint64_t length,
    struct digest *d, struct buf *out, struct err *err)
{
	BUF_AUTO part = BUF_INIT(SLURP_READ);
	uint64_t done = 0, index = 0;

	if (buf_reserve(&part, SLURP_READ, err))
		return -1;
	while (done < length) {
		size_t want = length - done < SLURP_READ ? (size_t)(length - done) : SLURP_READ, in = 0;
		ssize_t got = store_read_full(file, part.p, want, (int64_t)(start + done));

		if (got < 0)
			return err_sys(err, "E-IO-02", errno, "%s", text("cannot read"));
		if ((size_t)got < want)
			return err_set(
			    err, "E-AGE-05", "%s", text("the file became shorter while it was read"));
		digest_update(d, part.p, want);
		for (; in < want; index++) {
			size_t n = want - in < SEGMENT ? want - in : SEGMENT;

			if (buf_reserve(out, n - AGE_TAG, err) ||
			    age_payload_open(
				pl, index, done + in + n == length, part.p + in, n, part.p + in, err) ||
			    buf_append(out, part.p + in, n - AGE_TAG, err))
				return -1;
			in += n;
		}
		done += want;
	}
	return 0;
}

int agefile_slurp(struct store_file *file, const struct age_identity *ids, size_t n, struct buf *out,
    uint8_t ret_sha256[32], struct err *err)
{
	BUF_AUTO head = BUF_INIT(AGE_HEADER_MAX + AGE_NONCE);
	struct age_payload *pl = NULL;
	struct digest *d;
	uint64_t start, plain;
	int r = -1;

	if (open_head(file, ids, n, &pl, &start, err))
		return -1;
	d = digest_new();
	if (!d)
		r = err_nomem(err);
	else if ((uint64_t)file->size < start)
		r = err_set(err, "E-AGE-05", "%s", text("the file ends within the age header"));
	else if (!age_plain_size((uint64_t)file->size - start, &plain, err) &&
		 !buf_reserve(&head, start, err) &&
		 !buf_reserve(out, plain < out->max ? (size_t)plain : out->max + 1, err)) {
		r = read_head(file, head.p, start, err);
		if (!r) {
			digest_update(d, head.p, start);
			r = slurp_segments(file, pl, start, (uint64_t)file->size - start, d, out, err);
		}
	}
	if (!r)
		digest_final(d, ret_sha256);
	digest_free(d);
	age_payload_free(pl);
	return r;
}
