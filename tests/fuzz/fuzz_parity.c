/* The head of a parity file: any bytes, behind a CRC that fits as well (what a medium's own writer can always make); whatever shape comes out
 * is one that can be, and its pages are taken within it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "format/parity/parity.h"

static void require(int what)
{
	if (!what)
		abort();
}

static void take_pages(const struct parity_shape *s, uint8_t *page, uint64_t i)
{
	uint32_t *crcs = calloc(parity_blocks(s), sizeof(*crcs));
	bool *known = calloc(parity_blocks(s), sizeof(*known));
	uint8_t again[PARITY_BLOCK];

	require(crcs && known);
	require(parity_page_parse(page, s, i, crcs, known));
	parity_page_make(s, crcs, i, again);
	free(crcs);
	free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t page[PARITY_BLOCK] = {0}, archive[DIGEST_LEN];
	struct parity_shape s;

	memcpy(page, data, n < PARITY_BLOCK ? n : PARITY_BLOCK);
	memcpy(archive, page + 16, DIGEST_LEN);
	(void)!parity_head_parse(page, archive, &s, NULL);
	le_put(page + PARITY_BLOCK - 4, parity_crc(page, PARITY_BLOCK - 4), 4);
	if (parity_head_parse(page, archive, &s, NULL))
		return 0;
	require(s.size >= 1 && s.size <= PARITY_SIZE_MAX && s.k && s.m && s.k + s.m <= PARITY_ROWS_MAX);
	require(
	    (uint64_t)s.k * s.columns >= parity_data_blocks(&s) && parity_file_bytes(&s) <= PARITY_SIZE_MAX);
	require(parity_sum_at(&s, parity_sum_blocks(&s) - 1) + PARITY_BLOCK <=
		parity_page_at(&s, parity_pages(&s) - 1, true));
	require(parity_block_bytes(&s, parity_data_blocks(&s) - 1) >= 1);
	if (s.size <= UINT64_C(64) << 20) {
		take_pages(&s, page, 0);
		take_pages(&s, page, parity_pages(&s) - 1);
		take_pages(&s, page, parity_pages(&s));
	}
	return 0;
}
