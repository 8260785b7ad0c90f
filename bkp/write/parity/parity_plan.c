/* parity_plan: see parity_plan.h.
 *
 * Each medium's parity file is tried in turn for its head (read_head()); with the first that says enough all media are surveyed: which
 * block is whole where (`where`).  mend_column() gives back what no medium has. */
#include "write/parity/parity_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/parity/parity.h"
#include "read/store/store.h"
#include "write/parity/parity_code.h"

#define PIECE	   256			 /* blocks read at a time */
#define SOURCE_MAX 64			 /* media */
#define MENDED_MAX ((uint64_t)512 << 20) /* bytes in memory: half of the largest archive */
#define NOWHERE	   0

struct source {
	struct store_file archive, par; /* kind NULL: it has none */
};

struct parity_plan {
	struct parity_shape s;
	uint8_t sha256[DIGEST_LEN];
	struct source sources[SOURCE_MAX];
	size_t n;
	uint64_t data, all; /* blocks: of the archive; with those of parity behind them */
	uint32_t *crcs;
	bool *known;	/* of a CRC: its page was whole */
	uint8_t *where; /* of a block: 1 + which source has it whole; NOWHERE */
	uint64_t lost, nowhere;
	bool mendable;
	uint8_t *mended; /* the blocks that are nowhere, in order */
};

static void forget_shape(struct parity_plan *p)
{
	free(p->crcs);
	free(p->known);
	free(p->where);
	p->crcs = NULL;
	p->known = NULL;
	p->where = NULL;
}

void parity_plan_free(struct parity_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		store_close_file(&p->sources[i].archive);
		store_close_file(&p->sources[i].par);
	}
	forget_shape(p);
	free(p->mended);
	free(p);
}

/* ---- the head ---- */

static bool read_block(struct store_file *f, uint64_t at, void *to, size_t n)
{
	return f->kind && store_read_full(f, to, n, (int64_t)at) == (ssize_t)n;
}

/* The shape, from the first page, or from its copy at the end. */
static bool read_shape(
    struct store_file *f, const uint8_t sha256[DIGEST_LEN], struct parity_shape *ret, struct err *err)
{
	uint8_t page[PARITY_BLOCK];

	if (read_block(f, 0, page, sizeof(page)) && !parity_head_parse(page, sha256, ret, err))
		return true;
	return f->kind && f->size >= PARITY_BLOCK &&
	       read_block(f, (uint64_t)f->size - PARITY_BLOCK, page, sizeof(page)) &&
	       !parity_head_parse(page, sha256, ret, err);
}

/* 0; PARITY_NONE; -1. */
static int read_head(struct parity_plan *p, struct store_file *f, struct err *err)
{
	uint8_t page[PARITY_BLOCK];

	if (!read_shape(f, p->sha256, &p->s, err))
		return PARITY_NONE;
	p->data = parity_data_blocks(&p->s);
	p->all = parity_blocks(&p->s);
	p->crcs = calloc(p->all, sizeof(*p->crcs));
	p->known = calloc(p->all, sizeof(*p->known));
	p->where = calloc(p->all, sizeof(*p->where));
	if (!p->crcs || !p->known || !p->where)
		return err_nomem(err);
	for (uint64_t i = 0; i < parity_pages(&p->s); i++)
		if (!read_block(f, parity_page_at(&p->s, i, false), page, sizeof(page)) ||
		    !parity_page_parse(page, &p->s, i, p->crcs, p->known))
			(void)!(read_block(f, parity_page_at(&p->s, i, true), page, sizeof(page)) &&
				parity_page_parse(page, &p->s, i, p->crcs, p->known));
	return 0;
}

/* ---- what is where ---- */

/* A block of the archive whose CRC nobody knows is believed: in the end the SHA-256 decides. */
static bool is_whole(const struct parity_plan *p, uint64_t block, const uint8_t *bytes)
{
	const size_t n = block < p->data ? parity_block_bytes(&p->s, block) : PARITY_BLOCK;

	return p->known[block] ? crc32_gzip_refl(0, bytes, n) == p->crcs[block] : block < p->data;
}

/* `n` blocks from `first` on, which stand at `at` in f, `bytes` of them. */
static void look_at_piece(struct parity_plan *p, size_t source, struct store_file *f, uint64_t first,
    uint64_t n, uint64_t at, uint8_t *piece)
{
	const uint64_t end = first < p->data ? p->s.size : parity_file_bytes(&p->s);
	const size_t want = end - at < n * PARITY_BLOCK ? (size_t)(end - at) : (size_t)n * PARITY_BLOCK;
	const bool at_once = read_block(f, at, piece, want);

	for (uint64_t i = 0; i < n; i++) {
		const size_t off = (size_t)i * PARITY_BLOCK;
		const size_t bytes = want - off < PARITY_BLOCK ? want - off : PARITY_BLOCK;

		if (p->where[first + i] == NOWHERE &&
		    (at_once || read_block(f, at + off, piece + off, bytes)) &&
		    is_whole(p, first + i, piece + off))
			p->where[first + i] = (uint8_t)(1 + source);
	}
}

static void look_at_blocks(struct parity_plan *p, size_t source, struct store_file *f, uint64_t first,
    uint64_t end, uint64_t at, uint8_t *piece)
{
	for (uint64_t b = first; f->kind && b < end; b += PIECE) {
		const uint64_t n = end - b < PIECE ? end - b : PIECE;
		bool wanted = false;

		for (uint64_t i = 0; i < n; i++)
			wanted |= p->where[b + i] == NOWHERE;
		if (wanted)
			look_at_piece(p, source, f, b, n, at + (b - first) * PARITY_BLOCK, piece);
	}
}

static bool is_same_shape(struct parity_plan *p, struct store_file *f)
{
	struct parity_shape s;

	return f->kind && read_shape(f, p->sha256, &s, NULL) && s.size == p->s.size && s.k == p->s.k &&
	       s.m == p->s.m && s.columns == p->s.columns;
}

/* In no column may more be lost than there is parity left. */
static bool is_enough(const struct parity_plan *p)
{
	for (uint64_t c = 0; c < p->s.columns; c++) {
		uint32_t lost = 0, left = 0;

		for (uint64_t b = c; b < p->data; b += p->s.columns)
			lost += p->where[b] == NOWHERE;
		for (uint64_t b = p->data + c; b < p->all; b += p->s.columns)
			left += p->where[b] != NOWHERE;
		if (lost > left)
			return false;
	}
	return p->nowhere * PARITY_BLOCK <= MENDED_MAX;
}

static int survey(struct parity_plan *p, struct err *err)
{
	uint8_t *piece = malloc((size_t)PIECE * PARITY_BLOCK);

	if (!piece)
		return err_nomem(err);
	p->lost = p->nowhere = 0;
	for (size_t i = 0; i < p->n; i++) {
		look_at_blocks(p, i, &p->sources[i].archive, 0, p->data, 0, piece);
		for (uint64_t b = 0; !i && b < p->data; b++)
			p->lost += p->where[b] == NOWHERE;
	}
	for (uint64_t b = 0; b < p->data; b++)
		p->nowhere += p->where[b] == NOWHERE;
	for (size_t i = 0; p->nowhere && i < p->n; i++)
		if (is_same_shape(p, &p->sources[i].par))
			look_at_blocks(
			    p, i, &p->sources[i].par, p->data, p->all, parity_sum_at(&p->s, 0), piece);
	free(piece);
	p->mendable = is_enough(p);
	return 0;
}

int parity_plan_new(const struct store *const *repos, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], struct parity_plan **ret, struct err *err)
{
	struct parity_plan *p = calloc(1, sizeof(*p));
	char archive[ARCFILE_PATH], set[GENERATION_SET_DIR], path[ARCFILE_PATH + GENERATION_SET_DIR],
	    par[PARITY_PATH];
	struct err why = ERR_INIT;
	int r = PARITY_NONE;

	if (!p)
		return err_nomem(err);
	memcpy(p->sha256, sha256, DIGEST_LEN);
	p->n = n > SOURCE_MAX ? SOURCE_MAX : n;
	snprintf(
	    path, sizeof(path), "%s/%s", generation_set_dir(dataset, set), arcfile_path(sha256, archive));
	parity_path(dataset, sha256, par);
	err_set(&why, "E-PARITY-02", text("there is no parity file of '%s'"), path);
	for (size_t i = 0; i < p->n; i++) {
		(void)!store_open(repos[i], path, &p->sources[i].archive, NULL);
		(void)!store_open(repos[i], par, &p->sources[i].par, NULL);
	}
	for (size_t i = 0; i < p->n && r >= 0 && !p->mendable; i++) {
		int head;

		if (!p->sources[i].par.kind)
			continue;
		forget_shape(p);
		head = read_head(p, &p->sources[i].par, &why);
		if (!head)
			head = survey(p, &why);
		r = head == PARITY_NONE ? r : head;
	}
	if (r) {
		parity_plan_free(p);
		if (err)
			*err = why;
		return r;
	}
	*ret = p;
	return 0;
}

bool parity_plan_mendable(const struct parity_plan *p)
{
	return p->mendable;
}

uint64_t parity_plan_lost(const struct parity_plan *p)
{
	return p->lost;
}

/* ---- mending ---- */

static bool fetch(struct parity_plan *p, uint64_t block, uint8_t *to)
{
	struct source *s = p->where[block] ? &p->sources[p->where[block] - 1] : NULL;

	memset(to, 0, PARITY_BLOCK);
	if (!s)
		return false;
	if (block < p->data)
		return read_block(&s->archive, block * PARITY_BLOCK, to, parity_block_bytes(&p->s, block));
	return read_block(&s->par, parity_sum_at(&p->s, block - p->data), to, PARITY_BLOCK);
}

/* A column in memory: its rows of data, then those of parity that are needed. */
struct column {
	uint8_t *bytes;
	uint8_t *data[PARITY_ROWS_MAX], *sums[PARITY_ROWS_MAX], *out[PARITY_ROWS_MAX];
	uint32_t lost[PARITY_ROWS_MAX], by[PARITY_ROWS_MAX];
};

static int is_gone(struct err *err)
{
	err_set(err, "E-PARITY-03", "%s", text("a block was whole a moment ago, and is not any more"));
	return PARITY_WRONG;
}

/* out: where each lost block of the archive comes to stand, by its number.  0, PARITY_WRONG, -1. */
static int mend_column(
    struct parity_plan *p, uint64_t c, struct column *col, uint8_t *const *out, struct err *err)
{
	uint32_t n = 0, have = 0;

	for (uint32_t r = 0; r < p->s.k; r++) {
		const uint64_t b = r * (uint64_t)p->s.columns + c;

		col->data[r] = col->bytes + (size_t)r * PARITY_BLOCK;
		if (b >= p->data)
			memset(col->data[r], 0, PARITY_BLOCK); /* the end of the last row: zeros */
		else if (p->where[b] == NOWHERE)
			col->lost[n++] = r;
	}
	if (!n)
		return 0;
	for (uint32_t r = 0; r < p->s.k; r++) {
		const uint64_t b = r * (uint64_t)p->s.columns + c;

		if (b < p->data && !fetch(p, b, col->data[r]) && p->where[b] != NOWHERE)
			return is_gone(err);
	}
	for (uint32_t r = 0; r < p->s.m && have < n; r++) {
		col->sums[have] = col->bytes + (size_t)(p->s.k + have) * PARITY_BLOCK;
		if (fetch(p, p->data + r * (uint64_t)p->s.columns + c, col->sums[have]))
			col->by[have++] = r;
	}
	if (have < n)
		return is_gone(err);
	for (uint32_t i = 0; i < n; i++)
		col->out[i] = out[col->lost[i] * (uint64_t)p->s.columns + c];
	return parity_code_mend(p->s.k, col->lost, col->by, n, col->data, col->sums, col->out)
		   ? err_nomem(err)
		   : 0;
}

/* Where every lost block comes to stand.  The caller frees; NULL: out of memory. */
static uint8_t **places(struct parity_plan *p)
{
	uint8_t **out = calloc(p->data + 1, sizeof(*out));
	uint64_t n = 0;

	free(p->mended);
	p->mended = calloc(p->nowhere + 1, PARITY_BLOCK);
	for (uint64_t b = 0; out && p->mended && b < p->data; b++)
		if (p->where[b] == NOWHERE)
			out[b] = p->mended + n++ * PARITY_BLOCK;
	if (p->mended)
		return out;
	free(out);
	return NULL;
}

/* All of it in order.  0, PARITY_WRONG, -1. */
static int put_all(struct parity_plan *p, uint8_t *const *out, parity_put_fn *put, void *arg, struct err *err)
{
	uint8_t block[PARITY_BLOCK], got[DIGEST_LEN];
	struct digest *d = digest_new();
	int r = d ? 0 : err_nomem(err);

	for (uint64_t b = 0; b < p->data && !r; b++) {
		const size_t n = parity_block_bytes(&p->s, b);
		const uint8_t *from = out[b];

		if (!from && !fetch(p, b, block))
			break; /* the hash says so */
		from = from ? from : block;
		digest_update(d, from, n);
		r = put(arg, from, n, err) ? -1 : 0;
	}
	if (d)
		digest_final(d, got);
	if (!r && memcmp(got, p->sha256, DIGEST_LEN) != 0) {
		err_set(err, "E-PARITY-03", "%s",
		    text("what could be mended is not the archive: its SHA-256 is another"));
		r = PARITY_WRONG;
	}
	digest_free(d);
	return r;
}

int parity_plan_write(struct parity_plan *p, parity_put_fn *put, void *arg, struct err *err)
{
	struct column *col = calloc(1, sizeof(*col));
	uint8_t **out = places(p);
	int r = 0;

	if (col)
		col->bytes = malloc((size_t)(p->s.k + p->s.m) * PARITY_BLOCK);
	if (!col || !col->bytes || !out)
		r = err_nomem(err);
	for (uint64_t c = 0; c < p->s.columns && p->nowhere && !r; c++)
		r = mend_column(p, c, col, out, err);
	if (!r)
		r = put_all(p, out, put, arg, err);
	if (col)
		free(col->bytes);
	free(col);
	free(out);
	return r;
}
