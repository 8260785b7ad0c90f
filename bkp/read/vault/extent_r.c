/* extent_r: see extent_r.h.
 *
 * Three steps: text → runs (next_run, and next_behind for what an '@' run points to) → pieces (take_part:
 * what of a run lies in one chunk).  A run is proven before its first piece is given out: prove_run() goes
 * through the run's pieces once ahead and compares the digest of their ids.  The id of a whole chunk stands
 * in the proven INDEX; only the first and the last piece of a run can be parts of a chunk, and those are read
 * for it.
 *
 * The text behind '@' passes through a window: widen_window() appends one piece at a time and drops what was
 * parsed, so it holds less than one run and one chunk.
 */
#include "read/vault/extent_r.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "format/medium/extent.h"
#include "read/vault/arc_r.h"

struct extent_r {
	struct arc_r *arc;
	const char *text;
	size_t n, pos;
	uint64_t size, at; /* of the file; what the runs so far add up to, the present one included */
	struct extent_run run;
	uint64_t left;	/* of `run`, not given out yet */
	uint64_t given; /* bytes of the file in pieces given out */
	bool peek;	/* runs are not proven */
	/* the text that '@' runs point to */
	bool indirect;
	struct extent_run more; /* the '@' run that is being read, moved on as it is */
	bool has_more;
	uint64_t indirect_bytes;
	struct buf window;
	size_t window_pos;
};

int extent_r_open(struct arc_r *a, const char *text_, size_t n, struct extent_r **ret, struct err *err)
{
	struct extent_r *x = calloc(1, sizeof(*x));

	if (!x)
		return err_nomem(err);
	x->arc = a;
	x->text = text_;
	x->n = n;
	buf_init(&x->window, EXTENT_RUN_MAX + CODEC_RAW_MAX);
	if (extent_parse_size(text_, n, &x->pos, &x->size, err)) {
		extent_r_close(x);
		return -1;
	}
	*ret = x;
	return 0;
}

void extent_r_close(struct extent_r *x)
{
	if (!x)
		return;
	buf_free(&x->window);
	free(x);
}

static int sum_wrong(const struct extent_r *x, struct err *err)
{
	return err_set(err, "E-EXTENT-02", text("extents do not add up to the size of %ju bytes"), x->size);
}

/* What of a data run lies in its present chunk, and that chunk; the run moves on. */
static int take_part(struct arc_r *a, struct extent_run *run, uint64_t *left, struct extent_r_piece *ret,
    struct arcfile_chunk *ret_chunk, struct err *err)
{
	uint64_t part;

	if (arc_r_look(a, run->archive, run->chunk, ret_chunk, err))
		return -1;
	if (run->offset >= ret_chunk->raw)
		return err_set(err, "E-EXTENT-11",
		    text("bytes from %u on of chunk %u of archive number %ju are wanted, but it has %u"),
		    run->offset, run->chunk, run->archive, ret_chunk->raw);
	part = ret_chunk->raw - run->offset;
	if (part > *left)
		part = *left;
	*ret = (struct extent_r_piece){
	    .length = part, .archive = run->archive, .chunk = run->chunk, .offset = run->offset};
	*left -= part;
	if (*left) {
		if (run->chunk == UINT32_MAX)
			return err_set(
			    err, "E-EXTENT-01", "%s", text("a run goes on behind the last possible chunk"));
		run->chunk++;
		run->offset = 0;
	}
	return 0;
}

/* The id of a piece: of a whole chunk it stands in the proven INDEX. */
static int id_of(
    struct arc_r *a, const struct extent_r_piece *piece, struct arcfile_chunk *chunk, struct err *err)
{
	const struct arc_r_chunk *c;
	int r;

	if (piece->length == chunk->raw)
		return 0;
	if (arc_r_get(a, piece->archive, piece->chunk, &c, err))
		return -1;
	r = arc_r_id(a, c->p + piece->offset, piece->length, chunk->id, err);
	arc_r_put(a, c);
	return r;
}

/* Are the pieces of the run the ones that were captured? */
static int prove_run(struct arc_r *a, const struct extent_run *run, struct err *err)
{
	struct extent_run rest = *run;
	crypto_hash_sha256_state ids;
	uint8_t have[DIGEST_LEN];

	crypto_hash_sha256_init(&ids);
	while (rest.length) {
		struct extent_r_piece piece;
		struct arcfile_chunk chunk;

		if (take_part(a, &rest, &rest.length, &piece, &chunk, err) || id_of(a, &piece, &chunk, err))
			return -1;
		crypto_hash_sha256_update(&ids, chunk.id, DIGEST_LEN);
	}
	crypto_hash_sha256_final(&ids, have);
	if (memcmp(have, run->digest, DIGEST_LEN) == 0)
		return 0;
	return err_set(err, "E-EXTENT-13",
	    text("%ju bytes from chunk %u of archive number %ju on are not the ones that were captured"),
	    run->length, run->chunk, run->archive);
}

/* The next '@' run of the text itself, when there is one. */
static int next_indirect(struct extent_r *x, struct err *err)
{
	int r = extent_parse_run(x->text, x->n, &x->pos, &x->more, err);

	if (r == EXTENT_END)
		return EXTENT_R_END;
	if (r)
		return -1;
	if (x->more.kind != EXTENT_INDIRECT)
		return err_set(err, "E-EXTENT-12", "%s", text("a run stands behind '@'"));
	if (x->more.length > EXTENT_INDIRECT_MAX - x->indirect_bytes)
		return err_set(
		    err, "E-EXTENT-12", "%s", text("the list behind '@' is longer than any file needs"));
	x->indirect_bytes += x->more.length;
	x->has_more = true;
	return prove_run(x->arc, &x->more, err);
}

/* Appends one more piece of the text behind '@' to the window. */
static int widen_window(struct extent_r *x, struct err *err)
{
	const struct arc_r_chunk *c;
	struct extent_r_piece piece;
	struct arcfile_chunk chunk;
	int r;

	if (!x->has_more) {
		r = next_indirect(x, err);
		if (r)
			return r;
	}
	if (take_part(x->arc, &x->more, &x->more.length, &piece, &chunk, err) ||
	    arc_r_get(x->arc, piece.archive, piece.chunk, &c, err))
		return -1;
	x->has_more = x->more.length > 0;
	buf_consume(&x->window, x->window_pos);
	x->window_pos = 0;
	r = buf_append(&x->window, c->p + piece.offset, piece.length, err);
	arc_r_put(x->arc, c);
	return r;
}

static int next_behind(struct extent_r *x, struct err *err)
{
	int r = 0;

	while (r != EXTENT_R_END && x->window.n - x->window_pos < EXTENT_RUN_MAX) {
		r = widen_window(x, err);
		if (r < 0)
			return -1;
	}
	if (x->window_pos == x->window.n)
		return EXTENT_R_END;
	r = extent_parse_run((const char *)x->window.p, x->window.n, &x->window_pos, &x->run, err);
	if (r == EXTENT_END)
		return EXTENT_R_END;
	if (r)
		return err_wrap(err, "%s", text("behind '@'"));
	if (x->run.kind == EXTENT_INDIRECT)
		return err_set(err, "E-EXTENT-12", "%s", text("an '@' stands behind '@'"));
	return 0;
}

static int next_run(struct extent_r *x, struct err *err)
{
	int r;

	if (!x->indirect) {
		r = extent_parse_run(x->text, x->n, &x->pos, &x->run, err);
		if (r == EXTENT_END)
			return EXTENT_R_END;
		if (r)
			return -1;
		if (x->run.kind != EXTENT_INDIRECT)
			return 0;
		if (x->run.length > EXTENT_INDIRECT_MAX)
			return err_set(err, "E-EXTENT-12", "%s",
			    text("the list behind '@' is longer than any file needs"));
		x->indirect = x->has_more = true;
		x->more = x->run;
		x->indirect_bytes = x->run.length;
		if (prove_run(x->arc, &x->more, err))
			return -1;
	}
	return next_behind(x, err);
}

void extent_r_peek(struct extent_r *x)
{
	x->peek = true;
}

int extent_r_next(struct extent_r *x, struct extent_r_piece *ret, struct err *err)
{
	struct extent_r_piece piece;
	struct arcfile_chunk chunk;
	int r;

	if (!x->left) {
		r = next_run(x, err);
		if (r == EXTENT_R_END)
			return x->at == x->size ? EXTENT_R_END : sum_wrong(x, err);
		if (r)
			return -1;
		if (x->run.length > x->size - x->at)
			return sum_wrong(x, err);
		if (x->run.kind == EXTENT_DATA && !x->peek && prove_run(x->arc, &x->run, err))
			return -1;
		x->at += x->run.length;
		x->left = x->run.length;
	}
	if (x->run.kind == EXTENT_HOLE) {
		piece = (struct extent_r_piece){.length = x->left, .hole = true};
		x->left = 0;
	} else if (take_part(x->arc, &x->run, &x->left, &piece, &chunk, err)) {
		return -1;
	}
	piece.at = x->given;
	x->given += piece.length;
	*ret = piece;
	return 0;
}

/* A second reader of the same extents, ahead of the first one by `depth` pieces at most, which asks for their
 * chunks (arc_r_want).  It proves nothing and its pieces are not used. */
struct lookahead {
	struct extent_r *x;  /* NULL: nothing to look for */
	size_t ahead, depth; /* pieces */
};

static void look_ahead(struct lookahead *s, struct arc_r *a)
{
	struct extent_r_piece piece;

	/* what is wrong is found again by the first reader */
	while (s->x && s->ahead < s->depth) {
		if (extent_r_next(s->x, &piece, NULL)) {
			extent_r_close(s->x);
			s->x = NULL;
			return;
		}
		/* the first one is being asked for right now */
		if (s->ahead++ && !piece.hole)
			arc_r_want(a, piece.archive, piece.chunk);
	}
}

static int give_piece(
    struct arc_r *a, const struct extent_r_piece *piece, extent_r_fn *fn, void *arg, struct err *err)
{
	const struct arc_r_chunk *c;
	int r;

	if (piece->hole)
		return fn(arg, piece->at, NULL, piece->length, err);
	if (arc_r_get(a, piece->archive, piece->chunk, &c, err))
		return -1;
	r = fn(arg, piece->at, c->p + piece->offset, piece->length, err);
	arc_r_put(a, c);
	return r;
}

int extent_r_each(struct arc_r *a, const char *text_, size_t n, extent_r_fn *fn, void *arg, struct err *err)
{
	struct lookahead look = {.depth = arc_r_depth(a)};
	struct extent_r_piece piece;
	struct extent_r *x;
	int r = 0, got = 0;

	if (extent_r_open(a, text_, n, &x, err))
		return -1;
	if (look.depth && x->size > EXTENT_CHUNK_MAX / 16 && !extent_r_open(a, text_, n, &look.x, NULL))
		extent_r_peek(look.x);
	while (!r && !(got = extent_r_next(x, &piece, err))) {
		look_ahead(&look, a);
		r = give_piece(a, &piece, fn, arg, err);
		look.ahead -= look.ahead > 0;
	}
	extent_r_close(x);
	extent_r_close(look.x);
	return r ? r : got < 0 ? -1 : 0;
}

/* ---- a whole file ---- */

struct whole {
	extent_r_fn *fn;
	void *arg;
	struct digest *sha; /* NULL: no SHA-256 belongs to it */
	uint64_t holes;
};

static int pass_on(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	static const uint8_t zeros[4096];
	struct whole *w = arg;

	if (!p)
		w->holes = n > EXTENT_HOLES_MAX - w->holes ? EXTENT_HOLES_MAX + 1 : w->holes + n;
	if (w->sha && w->holes > EXTENT_HOLES_MAX)
		return err_set(err, "E-EXTENT-14", "%s",
		    text("a SHA-256 is said of a file with more holes than are hashed"));
	if (w->sha && p)
		digest_update(w->sha, p, (size_t)n);
	for (uint64_t left = w->sha && !p ? n : 0, part; left; left -= part) {
		part = left < sizeof(zeros) ? left : sizeof(zeros);
		digest_update(w->sha, zeros, (size_t)part);
	}
	return w->fn(w->arg, at, p, n, err);
}

static int compare_sha256(struct whole *w, const uint8_t *sha256, struct err *err)
{
	uint8_t have[DIGEST_LEN];

	if (!sha256 && w->holes <= EXTENT_HOLES_MAX)
		return err_set(err, "E-EXTENT-14", "%s", text("its SHA-256 is missing in the catalog"));
	if (sha256)
		digest_final(w->sha, have);
	return sha256 && memcmp(have, sha256, DIGEST_LEN) != 0
		   ? err_set(err, "E-EXTENT-14", "%s", text("its SHA-256 is not the one that was captured"))
		   : 0;
}

int extent_r_file(struct arc_r *a, const char *text_, size_t n, const uint8_t *sha256, extent_r_fn *fn,
    void *arg, struct err *err)
{
	struct whole w = {fn, arg, sha256 ? digest_new() : NULL, 0};
	int r;

	if (sha256 && !w.sha)
		return err_nomem(err);
	r = extent_r_each(a, text_, n, pass_on, &w, err);
	if (!r)
		r = compare_sha256(&w, sha256, err);
	digest_free(w.sha);
	return r;
}
