/* pending: see pending.h.  Open addressing over indexes into an array in order of addition; there are twice as
 * many slots as entries, so a search always ends at a free one. */
#include "write/pack/pending.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * PENDING_MAX)

struct pending {
	struct dedup_entry *entries; /* PENDING_MAX of them */
	size_t n, cap;
	uint32_t *slots; /* index + 1, 0: free; SLOTS of them */
};

struct pending *pending_new(void)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->cap = PENDING_MAX;
	p->entries = malloc(p->cap * sizeof(*p->entries));
	p->slots = calloc(SLOTS, sizeof(*p->slots));
	if (!p->entries || !p->slots) {
		pending_free(p);
		return NULL;
	}
	return p;
}

void pending_free(struct pending *p)
{
	if (!p)
		return;
	free(p->entries);
	free(p->slots);
	free(p);
}

bool pending_full(const struct pending *p)
{
	return p->n == p->cap;
}

/* The slot that holds the id, or the free one where it belongs.  Ids are keyed hashes: their bytes are the
 * hash. */
static size_t slot_of(const struct pending *p, const uint8_t id[DIGEST_LEN])
{
	uint64_t h;
	size_t i;

	memcpy(&h, id, sizeof(h));
	i = h % SLOTS;
	while (p->slots[i] && memcmp(p->entries[p->slots[i] - 1].id, id, DEDUP_ID) != 0)
		i = (i + 1) % SLOTS;
	return i;
}

void pending_add(struct pending *p, const uint8_t id[DIGEST_LEN], const struct dedup_place *place)
{
	struct dedup_entry *e = &p->entries[p->n];

	p->slots[slot_of(p, id)] = (uint32_t)p->n + 1;
	memcpy(e->id, id, DEDUP_ID);
	e->place = *place;
	p->n++;
}

bool pending_find(const struct pending *p, const uint8_t id[DIGEST_LEN], struct dedup_place *ret)
{
	size_t i = slot_of(p, id);

	if (!p->slots[i])
		return false;
	*ret = p->entries[p->slots[i] - 1].place;
	return true;
}

const struct dedup_entry *pending_entries(const struct pending *p, size_t *ret_n)
{
	*ret_n = p->n;
	return p->entries;
}

void pending_clear(struct pending *p)
{
	if (p->n)
		memset(p->slots, 0, SLOTS * sizeof(*p->slots));
	p->n = 0;
}
