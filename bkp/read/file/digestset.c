/* digestset: see digestset.h.
 *
 * Open addressing with linear probing, begun at the first eight bytes of the key: keys are digests, which are
 * spread already.  The table is at most half full, so that cell_of() always meets a free cell and ends.
 * Nothing is ever taken out, so no cell needs a mark of having been used.
 */
#include "read/file/digestset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define FIRST_CAP 64

struct cell {
	uint8_t key[DIGEST_LEN];
	uint8_t value; /* 0: free */
};

struct digestset {
	struct cell *cells;
	size_t cap; /* a power of two */
	size_t n, max;
};

struct digestset *digestset_new(size_t max)
{
	struct digestset *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->cells = calloc(FIRST_CAP, sizeof(*s->cells));
	if (!s->cells) {
		free(s);
		return NULL;
	}
	s->cap = FIRST_CAP;
	s->max = max;
	return s;
}

void digestset_free(struct digestset *s)
{
	if (s)
		free(s->cells);
	free(s);
}

size_t digestset_count(const struct digestset *s)
{
	return s->n;
}

/* The cell that holds the key, or the free one where it belongs. */
static struct cell *cell_of(struct cell *cells, size_t cap, const uint8_t key[DIGEST_LEN])
{
	uint64_t h;
	size_t i;

	memcpy(&h, key, sizeof(h));
	for (i = (size_t)h & (cap - 1); cells[i].value && memcmp(cells[i].key, key, DIGEST_LEN) != 0;
	     i = (i + 1) & (cap - 1))
		;
	return &cells[i];
}

/* On failure the table stays as it was. */
static int grow_table(struct digestset *s, struct err *err)
{
	size_t cap = s->cap * 2, i;
	struct cell *more = calloc(cap, sizeof(*more));

	if (!more)
		return err_nomem(err);
	for (i = 0; i < s->cap; i++)
		if (s->cells[i].value)
			*cell_of(more, cap, s->cells[i].key) = s->cells[i];
	free(s->cells);
	s->cells = more;
	s->cap = cap;
	return 0;
}

int digestset_put(struct digestset *s, const uint8_t key[DIGEST_LEN], uint8_t value, struct err *err)
{
	struct cell *c = cell_of(s->cells, s->cap, key);

	if (!c->value) {
		if (s->n >= s->max)
			return DIGESTSET_FULL;
		if (s->n >= s->cap / 2) {
			if (grow_table(s, err))
				return -1;
			c = cell_of(s->cells, s->cap, key);
		}
		s->n++;
		assert(s->n <= s->cap / 2);
		memcpy(c->key, key, DIGEST_LEN);
	}
	c->value = value;
	return 0;
}

uint8_t digestset_get(const struct digestset *s, const uint8_t key[DIGEST_LEN])
{
	return cell_of(s->cells, s->cap, key)->value;
}

void digestset_key_of(const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	digest_sha256(p, n, out);
}
