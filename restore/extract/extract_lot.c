/* extract_lot: see extract_lot.h. */
#include "restore/extract/extract_lot.h"

#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/err.h"
#include "format/medium/catalog.h"
#include "format/medium/extent.h"
#include "restore/extract/extract_private.h"

struct extract_lot *extract_lot_new(void)
{
	return calloc(1, sizeof(struct extract_lot));
}

void extract_lot_reset(struct extract_lot *l)
{
	while (l->n)
		free(l->items[--l->n].why);
	extract_texts_reset(&l->texts);
	free(l->last);
	l->last = NULL;
	l->n_order = l->left = 0;
}

void extract_lot_free(struct extract_lot *l)
{
	if (!l)
		return;
	extract_lot_reset(l);
	free(l->items);
	free(l->order);
	free(l);
}

static struct extract_item *next_item(struct extract_lot *l, struct err *err)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct extract_item *more = reallocarray(l->items, cap, sizeof(*more));

		if (!more) {
			err_nomem(err);
			return NULL;
		}
		l->items = more;
		l->cap = cap;
	}
	return memset(&l->items[l->n], 0, sizeof(*l->items));
}

/* Where its first bytes are, and whether that is all. */
static void find_run(struct extract_item *it)
{
	struct extent_run run, more;
	size_t pos = 0;

	it->slice = it->size == 0;
	if (extent_parse_size(it->extents, it->extents_len, &pos, &it->size, NULL) ||
	    extent_parse_run(it->extents, it->extents_len, &pos, &run, NULL) || run.kind == EXTENT_HOLE)
		return;
	it->archive = run.archive;
	it->chunk = run.chunk;
	it->slice = run.kind == EXTENT_DATA && run.length == it->size && it->size <= EXTENT_CHUNK_MAX &&
		    extent_parse_run(it->extents, it->extents_len, &pos, &more, NULL) == EXTENT_END;
}

int extract_lot_add(struct extract_lot *l, const struct extract *x, enum extract_kind kind,
    const struct catalog_item *item, struct err *err)
{
	const char *first = archive_entry_hardlink(item->entry);
	struct extract_item *it = next_item(l, err);

	if (!it)
		return -1;
	it->kind = kind;
	it->flags = item->flags;
	it->size = item->size;
	it->extents_len = item->extents_len;
	archive_entry_fflags(item->entry, &it->fflags_set, &it->fflags_clear);
	it->path = extract_texts_add(&l->texts, item->path, strlen(item->path) + 1, err);
	if (!it->path || extract_meta_take(x, item->entry, kind == ITEM_FOLDER, &l->texts, &it->meta, err))
		return -1;
	if (first) {
		it->first = extract_texts_add(&l->texts, first, strlen(first) + 1, err);
		if (!it->first)
			return -1;
	}
	if (item->extents) {
		it->extents = extract_texts_add(&l->texts, item->extents, item->extents_len, err);
		if (!it->extents)
			return -1;
		find_run(it);
		it->hashed = item->sha256 != NULL;
		if (item->sha256)
			memcpy(it->sha256, item->sha256, DIGEST_LEN);
	}
	l->n++;
	return 0;
}

int extract_lot_say(
    struct extract_lot *l, enum outcome_kind kind, const char *path, const struct err *why, struct err *err)
{
	struct extract_item *it = next_item(l, err);

	if (!it)
		return -1;
	it->kind = ITEM_SAY;
	it->say = kind;
	if (path) {
		it->path = extract_texts_add(&l->texts, path, strlen(path) + 1, err);
		if (!it->path)
			return -1;
	}
	it->why = malloc(sizeof(*it->why));
	if (!it->why)
		return err_nomem(err);
	*it->why = *why;
	l->texts.bytes += sizeof(*it->why);
	l->n++;
	return 0;
}

bool extract_lot_full(const struct extract_lot *l, size_t items)
{
	return l->n >= items || l->texts.bytes >= LOT_BYTES;
}

static int by_chunk(const void *a, const void *b, void *arg)
{
	const struct extract_item *items = arg, *x = &items[*(const uint32_t *)a],
				  *y = &items[*(const uint32_t *)b];

	if (x->archive != y->archive)
		return x->archive < y->archive ? -1 : 1;
	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return x < y ? -1 : x > y;
}

int extract_lot_close(struct extract_lot *l, const char *last, struct err *err)
{
	size_t i;

	l->n_order = 0;
	free(l->last);
	l->last = strdup(last);
	free(l->order);
	l->order = reallocarray(NULL, l->n + 1, sizeof(*l->order));
	if (!l->order || !l->last)
		return err_nomem(err);
	for (i = 0; i < l->n; i++)
		if (l->items[i].kind == ITEM_FILE)
			l->order[l->n_order++] = (uint32_t)i;
	qsort_r(l->order, l->n_order, sizeof(*l->order), by_chunk, l->items);
	l->left = l->n_order;
	return 0;
}
