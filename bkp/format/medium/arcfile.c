/* arcfile: see arcfile.h.
 *
 * Writing: put_entry() → libarchive makes the ustar header and padding → seal_bytes(), its write callback, hands every piece
 * to the age writer → ciphertext is appended to the caller's `out`.  No piece is copied on the way.  `out` is set only
 * during a call; bytes that libarchive writes outside of one (when it is freed) are dropped.  INDEX is collected as text
 * while chunks are added and becomes the last entry.
 *
 * Reading: the tail's last line says where INDEX begins; arcfile_index_parse() then checks every line: offsets ascend, no
 * frame overlaps another or INDEX, lengths are within what the codec allows. */
#include "format/medium/arcfile.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/codec.h"

#define TAR_BLOCK 512

struct arcfile_writer {
	struct archive *tar;
	struct age_writer *age;
	struct archive_entry *entry;
	struct buf index;   /* INDEX's text so far */
	struct buf *out;    /* of the current call: where sealed bytes go; else NULL */
	struct err failure; /* from inside libarchive's callback */
	uint64_t size;	    /* plaintext bytes so far */
	size_t chunks;
};

/* libarchive hands on what it was given without copying it, so a chunk is encrypted from where it lies. */
static la_ssize_t seal_bytes(struct archive *tar, void *arg, const void *p, size_t n)
{
	struct arcfile_writer *w = arg;

	if (!w->out)
		return (la_ssize_t)n; /* a writer that is freed before its end */
	if (age_writer_update(w->age, p, n, w->out, &w->failure)) {
		archive_set_error(tar, -1, "%s", w->failure.msg);
		return -1;
	}
	w->size += n;
	return (la_ssize_t)n;
}

static int tar_failed(struct arcfile_writer *w, struct err *err)
{
	const char *why = archive_error_string(w->tar);

	if (w->failure.code[0]) {
		if (err)
			*err = w->failure;
		return -1;
	}
	return err_set(err, "E-ARCHIVE-03", text("libarchive failed: %s"), why ? why : "?");
}

static int open_tar(struct arcfile_writer *w, struct err *err)
{
	w->tar = archive_write_new();
	w->entry = archive_entry_new();
	if (!w->tar || !w->entry)
		return err_nomem(err);
	/* no blocks of libarchive's own: each would be a copy and a call */
	if (archive_write_set_format_ustar(w->tar) || archive_write_set_bytes_per_block(w->tar, 0) ||
	    archive_write_open(w->tar, w, NULL, seal_bytes, NULL))
		return tar_failed(w, err);
	return 0;
}

int arcfile_writer_new(const char *repository, const char *dataset, uint64_t number,
    const struct age_recipient *r, size_t nr, const struct age_random *rnd, struct buf *out,
    struct arcfile_writer **ret, struct err *err)
{
	struct arcfile_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	buf_init(&w->index, ARCFILE_INDEX_MAX);
	if (open_tar(w, err) ||
	    buf_printf(&w->index, err, "bkp-index 1 %s %s %" PRIu64 "\n", repository, dataset, number) ||
	    age_writer_new(r, nr, rnd, out, &w->age, err)) {
		arcfile_writer_free(w);
		return -1;
	}
	*ret = w;
	return 0;
}

static int put_entry(
    struct arcfile_writer *w, const char *name, const struct codec_frame *f, struct buf *out, struct err *err)
{
	const unsigned long mark = starved_mark();
	int failed;

	archive_entry_clear(w->entry);
	archive_entry_set_pathname(w->entry, name);
	archive_entry_set_filetype(w->entry, AE_IFREG);
	archive_entry_set_perm(w->entry, 0444);
	archive_entry_set_size(w->entry, (la_int64_t)f->n);
	archive_entry_set_mtime(w->entry, 0, 0);
	w->out = out;
	failed = archive_write_header(w->tar, w->entry) != ARCHIVE_OK;
	for (size_t i = 0; i < f->parts && !failed; i++)
		failed = archive_write_data(w->tar, f->part[i].p, f->part[i].n) != (la_ssize_t)f->part[i].n;
	failed = failed || archive_write_finish_entry(w->tar) != ARCHIVE_OK;
	w->out = NULL;
	if (starved_since(mark))
		return err_nomem(err);
	return failed ? tar_failed(w, err) : 0;
}

static struct codec_frame whole_frame(const void *p, size_t n)
{
	return (struct codec_frame){{{p, n}}, 1, n};
}

int arcfile_writer_add_frame(struct arcfile_writer *w, const uint8_t id[DIGEST_LEN],
    const struct codec_frame *frame, size_t raw, struct buf *out, struct err *err)
{
	char name[DIGEST_HEX + 4];
	uint64_t offset = w->size + TAR_BLOCK;

	digest_hex(id, DIGEST_LEN, name);
	if (buf_printf(&w->index, err, "%s %" PRIu64 " %zu %zu\n", name, offset, frame->n, raw))
		return -1;
	memcpy(name + 2 * DIGEST_LEN, codec_suffix(codec_kind_of(frame->part[0].p, frame->part[0].n)),
	    CODEC_SUFFIX + 1);
	if (put_entry(w, name, frame, out, err))
		return -1;
	w->chunks++;
	return 0;
}

int arcfile_writer_add(struct arcfile_writer *w, const uint8_t id[DIGEST_LEN], const void *frame,
    size_t stored, size_t raw, struct buf *out, struct err *err)
{
	struct codec_frame f = whole_frame(frame, stored);

	return arcfile_writer_add_frame(w, id, &f, raw, out, err);
}

size_t arcfile_writer_chunks(const struct arcfile_writer *w)
{
	return w->chunks;
}

uint64_t arcfile_writer_size(const struct arcfile_writer *w)
{
	return w->size;
}

int arcfile_writer_finish(
    struct arcfile_writer *w, struct buf *out, uint8_t ret_index_sha256[DIGEST_LEN], struct err *err)
{
	struct codec_frame text;
	int r;

	if (buf_printf(&w->index, err, "end %zu %" PRIu64 "\n", w->chunks, w->size + TAR_BLOCK))
		return -1;
	digest_sha256(w->index.p, w->index.n, ret_index_sha256);
	text = whole_frame(w->index.p, w->index.n);
	if (put_entry(w, "INDEX", &text, out, err))
		return -1;
	w->out = out;
	r = archive_write_close(w->tar);
	w->out = NULL;
	return r != ARCHIVE_OK ? tar_failed(w, err) : age_writer_finish(w->age, out, err);
}

void arcfile_writer_free(struct arcfile_writer *w)
{
	if (!w)
		return;
	archive_entry_free(w->entry);
	archive_write_free(w->tar);
	age_writer_free(w->age);
	buf_free(&w->index);
	free(w);
}

/* ---- reading ---- */

/* Canonical decimal up to `max` at *p, which is moved behind it. */
static bool parse_number(const char **p, const char *end, uint64_t max, uint64_t *ret)
{
	const char *s = *p;
	uint64_t v = 0;

	while (s < end && *s >= '0' && *s <= '9') {
		unsigned digit = (unsigned)(*s - '0');

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
		s++;
	}
	if (s == *p || (**p == '0' && s - *p > 1))
		return false;
	*p = s;
	*ret = v;
	return true;
}

static bool parse_literal(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

int arcfile_index_locate(
    const void *tail, size_t n, uint64_t plain_size, uint64_t *ret_offset, size_t *ret_len, struct err *err)
{
	const char *t = tail, *end = t + n, *line, *p;
	uint64_t count, offset, stop;

	while (end > t && end[-1] == '\0')
		end--;
	line = end - (end > t);
	while (line > t && line[-1] != '\n')
		line--;
	p = line;
	if (!parse_literal(&p, end, "end ") || !parse_number(&p, end, ARCFILE_CHUNKS_MAX, &count) ||
	    !parse_literal(&p, end, " ") || !parse_number(&p, end, INT64_MAX, &offset) ||
	    !parse_literal(&p, end, "\n") || p != end)
		return err_set(err, "E-ARCHIVE-01", "%s", text("the archive does not end with an INDEX"));
	stop = plain_size - (uint64_t)(t + n - end);
	if (offset >= stop || stop - offset > ARCFILE_INDEX_MAX)
		return err_set(err, "E-ARCHIVE-01", "%s",
		    text("the archive's INDEX says an impossible place for itself"));
	*ret_offset = offset;
	*ret_len = (size_t)(stop - offset);
	return 0;
}

static bool parse_chunk(
    const char **p, const char *end, uint64_t floor, uint64_t ceiling, struct arcfile_chunk *c)
{
	uint64_t stored, raw;

	if ((size_t)(end - *p) < 2 * DIGEST_LEN || !digest_unhex(*p, DIGEST_LEN, c->id))
		return false;
	*p += 2 * DIGEST_LEN;
	if (!parse_literal(p, end, " ") || !parse_number(p, end, INT64_MAX, &c->offset) ||
	    !parse_literal(p, end, " ") || !parse_number(p, end, codec_bound(CODEC_RAW_MAX), &stored) ||
	    !parse_literal(p, end, " ") || !parse_number(p, end, CODEC_RAW_MAX, &raw) ||
	    !parse_literal(p, end, "\n"))
		return false;
	c->stored = (uint32_t)stored;
	c->raw = (uint32_t)raw;
	return raw >= 1 && stored >= 1 && c->offset >= floor && c->offset <= ceiling &&
	       stored <= ceiling - c->offset;
}

static int parse_chunks(
    const char *p, const char *end, uint64_t index_offset, struct arcfile_index *ix, struct err *err)
{
	uint64_t floor = 0, count, offset;
	size_t cap = 0, line = 2;

	for (; !parse_literal(&p, end, "end "); line++) {
		struct arcfile_chunk c;

		if (ix->n >= ARCFILE_CHUNKS_MAX || !parse_chunk(&p, end, floor, index_offset, &c))
			return err_set(err, "E-ARCHIVE-01", text("INDEX line %zu is malformed"), line);
		if (ix->n == cap) {
			struct arcfile_chunk *more;

			cap = cap ? cap * 2 : 256;
			more = realloc(ix->chunks, cap * sizeof(*more));
			if (!more)
				return err_nomem(err);
			ix->chunks = more;
		}
		ix->chunks[ix->n++] = c;
		floor = c.offset + c.stored;
	}
	if (!parse_number(&p, end, ARCFILE_CHUNKS_MAX, &count) || !parse_literal(&p, end, " ") ||
	    !parse_number(&p, end, INT64_MAX, &offset) || !parse_literal(&p, end, "\n") || p != end ||
	    count != ix->n || offset != index_offset)
		return err_set(err, "E-ARCHIVE-01", text("INDEX line %zu is malformed"), line);
	return 0;
}

int arcfile_index_parse(const char *text_, size_t n, uint64_t index_offset, const char *repository,
    const char *dataset, uint64_t want, struct arcfile_index **ret, struct err *err)
{
	const char *p = text_, *end = text_ + n;
	struct arcfile_index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return err_nomem(err);
	if (!parse_literal(&p, end, "bkp-index 1 ")) {
		err_set(err, "E-ARCHIVE-01", text("INDEX line %d is malformed"), 1);
		goto fail;
	}
	if (!parse_literal(&p, end, repository) || !parse_literal(&p, end, " ")) {
		err_set(err, "E-ARCHIVE-02", text("the archive belongs to another repository than '%s'"),
		    repository);
		goto fail;
	}
	if (!parse_literal(&p, end, dataset) || !parse_literal(&p, end, " ")) {
		err_set(
		    err, "E-ARCHIVE-02", text("the archive belongs to another data set than '%s'"), dataset);
		goto fail;
	}
	if (!parse_number(&p, end, INT64_MAX, &ix->number) || !parse_literal(&p, end, "\n")) {
		err_set(err, "E-ARCHIVE-01", text("INDEX line %d is malformed"), 1);
		goto fail;
	}
	if (want != UINT64_MAX && want != ix->number) {
		err_set(err, "E-ARCHIVE-02", text("the archive says number %llu where %llu belongs"),
		    (unsigned long long)ix->number, (unsigned long long)want);
		goto fail;
	}
	if (parse_chunks(p, end, index_offset, ix, err))
		goto fail;
	*ret = ix;
	return 0;
fail:
	arcfile_index_free(ix);
	return -1;
}

void arcfile_index_free(struct arcfile_index *ix)
{
	if (ix)
		free(ix->chunks);
	free(ix);
}

char *arcfile_path(const uint8_t sha256[DIGEST_LEN], char out[ARCFILE_PATH])
{
	memcpy(out, "archives/", 9);
	digest_hex(sha256, 1, out + 9);
	out[11] = '/';
	digest_hex(sha256, DIGEST_LEN, out + 12);
	memcpy(out + 12 + 2 * DIGEST_LEN, ".age", 5);
	return out;
}
