/* extent: see extent.h.
 *
 * The writer holds one run back.  A run that is whole chunks and continues the pending one (same archive, next chunk) is
 * merged; everything else flushes it.  The digest of the pending run grows with each piece (`ids`).
 *
 * The parser accepts one text for one list: numbers without leading zeros, single spaces, '@' runs at the end and only where the
 * runs before it do not already add up to the size. */
#include "format/medium/extent.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

static int malformed(struct err *err, size_t at)
{
	return err_set(err, "E-EXTENT-01", text("malformed extent list at byte %zu"), at);
}

/* A decimal number without leading zeros in min…max at s[*pos]; *pos moves behind it. */
static int parse_number(
    const char *s, size_t n, size_t *pos, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	size_t start = *pos, i = start;
	uint64_t v = 0;

	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(s[i] - '0');

		if (v > (max - digit) / 10)
			return malformed(err, start);
		v = v * 10 + digit;
	}
	if (i == start || (s[start] == '0' && i > start + 1) || v < min)
		return malformed(err, start);
	*ret = v;
	*pos = i;
	return 0;
}

static int parse_colon(const char *s, size_t n, size_t *pos, struct err *err)
{
	if (*pos >= n || s[*pos] != ':')
		return malformed(err, *pos);
	++*pos;
	return 0;
}

/* "A:C:O:L:D" */
static int parse_place(
    const char *s, size_t n, size_t *pos, uint64_t max, struct extent_run *ret, struct err *err)
{
	uint64_t archive = 0, chunk = 0, offset = 0, length = 0;

	if (parse_number(s, n, pos, 0, INT64_MAX, &archive, err) || parse_colon(s, n, pos, err) ||
	    parse_number(s, n, pos, 0, UINT32_MAX, &chunk, err) || parse_colon(s, n, pos, err) ||
	    parse_number(s, n, pos, 0, EXTENT_CHUNK_MAX - 1, &offset, err) || parse_colon(s, n, pos, err) ||
	    parse_number(s, n, pos, 1, max, &length, err) || parse_colon(s, n, pos, err))
		return -1;
	if (n - *pos < 2 * DIGEST_LEN || !digest_unhex(s + *pos, DIGEST_LEN, ret->digest))
		return malformed(err, *pos);
	*pos += 2 * DIGEST_LEN;
	ret->archive = archive;
	ret->chunk = (uint32_t)chunk;
	ret->offset = (uint32_t)offset;
	ret->length = length;
	return 0;
}

int extent_parse_size(const char *s, size_t n, size_t *pos, uint64_t *ret_size, struct err *err)
{
	size_t p = 0;
	uint64_t size = 0;

	if (parse_number(s, n, &p, 0, INT64_MAX, &size, err))
		return -1;
	if (p < n && s[p] != ' ')
		return malformed(err, p);
	*pos = p;
	*ret_size = size;
	return 0;
}

int extent_parse_run(const char *s, size_t n, size_t *pos, struct extent_run *ret, struct err *err)
{
	struct extent_run run = {.kind = EXTENT_DATA};
	size_t p = *pos;
	int r;

	if (p >= n)
		return EXTENT_END;
	if (s[p] == ' ')
		p++;
	else if (p > 0)
		return malformed(err, p);
	if (n - p >= 2 && s[p] == 'h' && s[p + 1] == ':') {
		run.kind = EXTENT_HOLE;
		p += 2;
		r = parse_number(s, n, &p, 1, INT64_MAX, &run.length, err);
	} else if (p < n && s[p] == '@') {
		run.kind = EXTENT_INDIRECT;
		p++;
		r = parse_place(s, n, &p, EXTENT_INDIRECT_MAX, &run, err);
	} else {
		r = parse_place(s, n, &p, INT64_MAX, &run, err);
	}
	if (r)
		return -1;
	/* behind '@' only another '@' may follow */
	if (p < n && (s[p] != ' ' || (run.kind == EXTENT_INDIRECT && (p + 1 >= n || s[p + 1] != '@'))))
		return malformed(err, p);
	*pos = p;
	*ret = run;
	return 0;
}

int extent_check(
    const char *s, size_t n, uint64_t *ret_size, bool *ret_indirect, uint64_t *ret_holes, struct err *err)
{
	struct extent_run run = {.kind = EXTENT_DATA};
	uint64_t size = 0, left, holes = 0;
	bool indirect = false;
	size_t pos = 0;
	int r;

	if (extent_parse_size(s, n, &pos, &size, err))
		return -1;
	left = size;
	while (!(r = extent_parse_run(s, n, &pos, &run, err))) {
		if (run.kind == EXTENT_INDIRECT) {
			indirect = true;
			continue;
		}
		if (run.length > left)
			break;
		left -= run.length;
		holes += run.kind == EXTENT_HOLE ? run.length : 0;
	}
	if (r < 0)
		return -1;
	/* an '@' that nothing needs would let two texts mean the same file */
	if (r != EXTENT_END || (left == 0 && indirect) || (left > 0 && !indirect))
		return err_set(err, "E-EXTENT-02", text("extents do not add up to the size of %llu bytes"),
		    (unsigned long long)size);
	if (ret_size)
		*ret_size = size;
	if (ret_indirect)
		*ret_indirect = indirect;
	if (ret_holes)
		*ret_holes = holes;
	return 0;
}

int extent_parse_data_run(const char *s, size_t n, struct extent_run *ret, struct err *err)
{
	struct extent_run run = {.kind = EXTENT_DATA};
	size_t pos = 0;

	if (parse_place(s, n, &pos, INT64_MAX, &run, err))
		return -1;
	if (pos != n)
		return malformed(err, pos);
	*ret = run;
	return 0;
}

int extent_format_run(const struct extent_run *run, struct buf *out, struct err *err)
{
	char hex[DIGEST_HEX];

	if (run->kind == EXTENT_HOLE)
		return buf_printf(out, err, "h:%" PRIu64, run->length);
	return buf_printf(out, err, "%s%" PRIu64 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64 ":%s",
	    run->kind == EXTENT_INDIRECT ? "@" : "", run->archive, run->chunk, run->offset, run->length,
	    digest_hex(run->digest, DIGEST_LEN, hex));
}

void extent_begin(struct extent_writer *w)
{
	memset(w, 0, sizeof(*w));
}

/* True when `run` goes on where the pending run ends, so that one run says both. */
static bool continues(const struct extent_writer *w, const struct extent_run *run, bool whole)
{
	if (!w->has_pending || w->pending.kind != run->kind)
		return false;
	if (run->kind == EXTENT_HOLE)
		return true;
	return run->kind == EXTENT_DATA && whole && run->offset == 0 && w->pending_whole &&
	       run->archive == w->pending.archive && w->pending_last != UINT32_MAX &&
	       run->chunk == w->pending_last + 1;
}

static int flush_run(struct extent_writer *w, struct buf *runs, struct err *err)
{
	if (!w->has_pending)
		return 0;
	crypto_hash_sha256_final(&w->ids, w->pending.digest);
	if (buf_puts(runs, " ", err) || extent_format_run(&w->pending, runs, err))
		return -1;
	w->has_pending = false;
	return 0;
}

int extent_add(
    struct extent_writer *w, const struct extent_run *run, bool whole, struct buf *runs, struct err *err)
{
	if (run->length == 0 || run->length > INT64_MAX ||
	    (run->kind != EXTENT_INDIRECT && run->length > INT64_MAX - w->size) ||
	    (run->kind == EXTENT_INDIRECT && run->length > EXTENT_INDIRECT_MAX) ||
	    (run->kind == EXTENT_DATA &&
		(run->offset >= EXTENT_CHUNK_MAX || run->length > EXTENT_CHUNK_MAX - run->offset)))
		return err_set(err, "E-EXTENT-01", "%s", text("extent of an impossible length"));
	if (continues(w, run, whole)) {
		w->pending.length += run->length;
	} else {
		if (flush_run(w, runs, err))
			return -1;
		w->pending = *run;
		w->has_pending = true;
		crypto_hash_sha256_init(&w->ids);
	}
	crypto_hash_sha256_update(&w->ids, run->digest, DIGEST_LEN);
	w->pending_whole = whole && run->offset == 0;
	w->pending_last = run->chunk;
	if (run->kind != EXTENT_INDIRECT)
		w->size += run->length;
	return 0;
}

int extent_end(struct extent_writer *w, struct buf *runs, struct err *err)
{
	return flush_run(w, runs, err);
}
