/* content: see content.h. */
#include "restore/mount/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/vault/arc_r.h"
#include "read/vault/extent_r.h"
#include "restore/mount/blocks.h"

#define IN_ORDER 2 /* pieces one behind the other, from when on it is read ahead */

struct content {
	char *extents;
	size_t extents_len;
	uint64_t size;
	struct extent_r *x; /* NULL: not begun, or paused */
	struct extent_r_piece piece;
	bool has_piece;
	unsigned in_order;
	struct extent_r *ahead; /* proves nothing; its pieces are not used */
	uint64_t ahead_at;	/* it asked for all up to there */
	bool ahead_end;
	bool has_sha256;
	uint8_t sha256[DIGEST_LEN];
	struct digest *sha; /* of what was read in order from the beginning; NULL: not all was */
	uint64_t sha_at;
};

int content_open(const struct blocks_entry *e, struct content **ret, struct err *err)
{
	struct content *c = calloc(1, sizeof(*c));

	if (!c || !(c->extents = malloc(e->extents_len + 1))) {
		free(c);
		return err_nomem(err);
	}
	memcpy(c->extents, e->extents, e->extents_len);
	c->extents_len = e->extents_len;
	c->size = (uint64_t)e->st.st_size;
	if (e->sha256) {
		memcpy(c->sha256, e->sha256, DIGEST_LEN);
		c->has_sha256 = true;
		c->sha = digest_new();
		if (!c->sha) {
			content_close(c);
			return err_nomem(err);
		}
	}
	*ret = c;
	return 0;
}

static void stop_ahead(struct content *c)
{
	extent_r_close(c->ahead);
	c->ahead = NULL;
	c->ahead_end = false;
	c->in_order = 0;
}

void content_pause(struct content *c)
{
	stop_ahead(c);
	extent_r_close(c->x);
	c->x = NULL;
	c->has_piece = false;
}

void content_close(struct content *c)
{
	if (!c)
		return;
	content_pause(c);
	digest_free(c->sha);
	free(c->extents);
	free(c);
}

/* What is wrong there is found again by who reads. */
static void look_ahead(struct content *c, struct arc_r *a)
{
	const uint64_t reach = (uint64_t)arc_r_depth(a) << 20; /* a chunk has 1 MiB, mostly */
	struct extent_r_piece piece;

	if (!reach || c->ahead_end || c->in_order < IN_ORDER)
		return;
	if (!c->ahead) {
		if (extent_r_open(a, c->extents, c->extents_len, &c->ahead, NULL)) {
			c->ahead_end = true;
			return;
		}
		extent_r_peek(c->ahead);
		c->ahead_at = 0;
	}
	while (c->ahead_at < c->piece.at + c->piece.length + reach) {
		if (extent_r_next(c->ahead, &piece, NULL)) {
			c->ahead_end = true;
			return;
		}
		c->ahead_at = piece.at + piece.length;
		if (!piece.hole && piece.at >= c->piece.at + c->piece.length)
			arc_r_want(a, piece.archive, piece.chunk);
	}
}

/* Makes c->piece the one that holds `at`, which is below the size. */
static int seek_piece(struct content *c, struct arc_r *a, uint64_t at, struct err *err)
{
	bool fresh = false;
	int r;

	if (c->x && c->has_piece && at < c->piece.at)
		content_pause(c);
	if (!c->x) {
		if (extent_r_open(a, c->extents, c->extents_len, &c->x, err))
			return -1;
		fresh = true;
	}
	if (c->has_piece && at > c->piece.at + c->piece.length)
		stop_ahead(c);
	while (!c->has_piece || at >= c->piece.at + c->piece.length) {
		r = extent_r_next(c->x, &c->piece, err);
		if (r) {
			content_pause(c);
			return r < 0 ? -1
				     : err_set(err, "E-EXTENT-01", "%s",
					   text("the extents end before the file does"));
		}
		c->has_piece = true;
		c->in_order += c->in_order < IN_ORDER;
	}
	if (fresh && at)
		c->in_order = 0;
	look_ahead(c, a);
	return 0;
}

/* All of it, once: is it what was captured? */
static int check_sha256(struct content *c, uint64_t at, const void *p, size_t n, struct err *err)
{
	uint8_t have[DIGEST_LEN];

	if (!c->sha || at + n <= c->sha_at)
		return 0;
	if (at != c->sha_at) { /* not in order: what its runs say is what there is */
		digest_free(c->sha);
		c->sha = NULL;
		return 0;
	}
	digest_update(c->sha, p, n);
	c->sha_at += n;
	if (c->sha_at < c->size)
		return 0;
	digest_final(c->sha, have);
	digest_free(c->sha);
	c->sha = NULL;
	return memcmp(have, c->sha256, DIGEST_LEN)
		   ? err_set(err, "E-EXTENT-14", "%s", text("its SHA-256 is not the one that was captured"))
		   : 0;
}

int content_read(
    struct content *c, struct arc_r *a, uint64_t at, void *p, size_t n, size_t *ret_n, struct err *err)
{
	size_t done = 0;

	if (at >= c->size)
		n = 0;
	else if (n > c->size - at)
		n = (size_t)(c->size - at);
	while (done < n) {
		const struct arc_r_chunk *chunk;
		uint64_t within;
		size_t part;

		if (seek_piece(c, a, at + done, err))
			return -1;
		within = at + done - c->piece.at;
		part = c->piece.length - within < n - done ? (size_t)(c->piece.length - within) : n - done;
		if (c->piece.hole) {
			memset((uint8_t *)p + done, 0, part);
		} else {
			if (arc_r_get(a, c->piece.archive, c->piece.chunk, &chunk, err))
				return -1;
			memcpy((uint8_t *)p + done, chunk->p + c->piece.offset + within, part);
			arc_r_put(a, chunk);
		}
		done += part;
	}
	*ret_n = n;
	return n ? check_sha256(c, at, p, n, err) : 0;
}
