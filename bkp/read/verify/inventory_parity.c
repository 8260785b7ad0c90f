/* inventory_parity: see inventory_parity.h. */
#include "read/verify/inventory_parity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "format/parity/parity.h"
#include "read/store/store.h"

struct looked {
	struct store_file file;
	struct parity_shape s;
	uint32_t *crcs;
	bool *known;
};

static int is_damaged(struct err *err)
{
	err_set(err, "E-PARITY-01", "%s", text("its blocks are not what they were"));
	return INVENTORY_PARITY_BAD;
}

static int read_at(struct looked *l, uint64_t at, uint8_t block[PARITY_BLOCK], struct err *err)
{
	const ssize_t n = store_read_full(&l->file, block, PARITY_BLOCK, (int64_t)at);

	if (n < 0)
		return err_sys(err, "E-IO-02", errno, "%s", text("cannot be read to its end"));
	return n == PARITY_BLOCK ? 0 : is_damaged(err);
}

/* Both copies of each page of the head. */
static int look_at_head(struct looked *l, struct err *err)
{
	uint8_t page[PARITY_BLOCK];
	int r = 0;

	for (uint64_t i = 0; i < 2 * parity_pages(&l->s) && !r; i++) {
		r = read_at(l, parity_page_at(&l->s, i / 2, i % 2), page, err);
		if (!r && !parity_page_parse(page, &l->s, i / 2, l->crcs, l->known))
			r = is_damaged(err);
	}
	return r;
}

static int look_at_all(struct looked *l, const uint8_t archive[DIGEST_LEN], struct err *err)
{
	uint8_t block[PARITY_BLOCK];
	int r = read_at(l, 0, block, err);

	if (r)
		return r;
	if (parity_head_parse(block, archive, &l->s, err))
		return INVENTORY_PARITY_BAD;
	if ((uint64_t)l->file.size != parity_file_bytes(&l->s))
		return is_damaged(err);
	l->crcs = calloc(parity_blocks(&l->s), sizeof(*l->crcs));
	l->known = calloc(parity_blocks(&l->s), sizeof(*l->known));
	if (!l->crcs || !l->known)
		return err_nomem(err);
	r = look_at_head(l, err);
	for (uint64_t i = 0; i < parity_sum_blocks(&l->s) && !r; i++) {
		r = read_at(l, parity_sum_at(&l->s, i), block, err);
		if (!r && parity_crc(block, PARITY_BLOCK) != l->crcs[parity_data_blocks(&l->s) + i])
			r = is_damaged(err);
	}
	return r;
}

int inventory_parity_look(
    const struct store *s, const char *path, const uint8_t archive[DIGEST_LEN], struct err *err)
{
	struct looked l = {0};
	int r = store_open(s, path, &l.file, err);

	if (!r)
		r = look_at_all(&l, archive, err);
	store_close_file(&l.file);
	free(l.crcs);
	free(l.known);
	return r;
}
