/* arcfile: an archive file (docs/format.md, section 4): age(ustar(chunks…, INDEX)).
 *
 * Pure.  Writing: arcfile_writer_new → arcfile_writer_add … → arcfile_writer_finish → arcfile_writer_free;
 * ciphertext is appended to `out`, which the caller drains to files and a digest.  After an error a writer
 * can only be freed. Reading at random: the caller decrypts the tail of the plaintext, arcfile_index_locate()
 * says where INDEX begins, arcfile_index_parse() checks all of it.
 *
 * Errors: E-ARCHIVE-01 malformed INDEX (line named), E-ARCHIVE-02 INDEX of another repository, data set or
 * archive number, E-ARCHIVE-03 libarchive failed.
 */
#ifndef BKP_FORMAT_MEDIUM_ARCFILE_H
#define BKP_FORMAT_MEDIUM_ARCFILE_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct age_random;
struct age_recipient;
struct buf;
struct codec_frame;
struct err;

#define ARCFILE_INDEX_MAX  ((size_t)16 << 20) /* bytes of INDEX text */
#define ARCFILE_CHUNKS_MAX 100000
#define ARCFILE_TAIL	   ((size_t)64 << 10) /* a tail of this size always holds INDEX's last line */
#define ARCFILE_PATH	   88		      /* room for "archives/ab/<64 hex>.age" */

struct arcfile_chunk {
	uint8_t id[DIGEST_LEN];
	uint64_t offset; /* of the frame, in the plaintext */
	uint32_t stored; /* length of the frame */
	uint32_t raw;	 /* length of the chunk, 1 … 4 MiB */
};

struct arcfile_index {
	uint64_t number;
	size_t n;
	struct arcfile_chunk *chunks; /* n of them */
};

struct arcfile_writer;
int arcfile_writer_new(const char *repository, const char *dataset, uint64_t number,
    const struct age_recipient *r, size_t nr, const struct age_random *rnd, struct buf *out,
    struct arcfile_writer **ret, struct err *err);
/* Adds one chunk, raw bytes long, as a frame (codec.h); its number is the count of chunks before it. */
int arcfile_writer_add_frame(struct arcfile_writer *w, const uint8_t id[DIGEST_LEN],
    const struct codec_frame *frame, size_t raw, struct buf *out, struct err *err);
int arcfile_writer_add(struct arcfile_writer *w, const uint8_t id[DIGEST_LEN], const void *frame,
    size_t stored, size_t raw, struct buf *out, struct err *err);
size_t arcfile_writer_chunks(const struct arcfile_writer *w);
/* Plaintext bytes so far, the measure for the archive's target size. */
uint64_t arcfile_writer_size(const struct arcfile_writer *w);
/* ret_index_sha256: of INDEX's text, by which a generation knows it. */
int arcfile_writer_finish(
    struct arcfile_writer *w, struct buf *out, uint8_t ret_index_sha256[DIGEST_LEN], struct err *err);
void arcfile_writer_free(struct arcfile_writer *w);

/* tail[0..n): the last n bytes of a plaintext of plain_size bytes, n = min(plain_size, ARCFILE_TAIL).
 * *ret_offset … *ret_offset + *ret_len is where INDEX's text lies (≤ ARCFILE_INDEX_MAX). */
int arcfile_index_locate(
    const void *tail, size_t n, uint64_t plain_size, uint64_t *ret_offset, size_t *ret_len, struct err *err);
/* Checks: repository, data set, counts, ascending offsets that lie before INDEX and do not overlap, lengths in range.
 * `number` is what the generation's table says, or UINT64_MAX for any. */
int arcfile_index_parse(const char *text, size_t n, uint64_t index_offset, const char *repository,
    const char *dataset, uint64_t number, struct arcfile_index **ret, struct err *err);
void arcfile_index_free(struct arcfile_index *ix);

/* "archives/ab/<hex>.age" into out; returns out. */
char *arcfile_path(const uint8_t sha256[DIGEST_LEN], char out[ARCFILE_PATH]);

#endif
