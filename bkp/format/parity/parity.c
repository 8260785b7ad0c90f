/* parity: see parity.h. */
#include "format/parity/parity.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "base/err.h"
#include "base/le.h"
#include "base/text.h"

#define PAGE_BYTES (PARITY_BLOCK - 4) /* the last four are the CRC-32 of those before */
#define FIXED	   128		      /* bytes of the head before the CRCs */
#define WORD	   4
#define ROWS	   200 /* of data, where the archive has as many blocks */
#define SUMS	   16  /* rows of parity: more cost time and mend little more */

enum { AT_ARCHIVE = 16, AT_SIZE = 48, AT_BLOCK = 56, AT_K = 60, AT_M = 64, AT_COLUMNS = 68 };
static const char magic[AT_ARCHIVE] = "bkp-parity 1\n";

_Static_assert(PAGE_BYTES % WORD == 0 && FIXED % WORD == 0, "no CRC stands in two pages");
_Static_assert(ROWS + SUMS <= PARITY_ROWS_MAX, "GF(2^8)");

char *parity_path(const char *dataset, const uint8_t archive[DIGEST_LEN], char out[PARITY_PATH])
{
	char hex[DIGEST_HEX];

	digest_hex(archive, DIGEST_LEN, hex);
	snprintf(out, PARITY_PATH, PARITY_DIR "/%s/%.2s/%s.par", dataset, hex, hex);
	return out;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return (a + b - 1) / b;
}

void parity_shape_of(
    const uint8_t archive[DIGEST_LEN], uint64_t size, unsigned percent, struct parity_shape *ret)
{
	const uint64_t blocks = divide_up(size, PARITY_BLOCK);
	uint64_t rows = SUMS * 100 / percent;

	rows = rows > ROWS ? ROWS : rows;
	rows = rows > blocks ? blocks : rows;
	memcpy(ret->archive, archive, DIGEST_LEN);
	ret->size = size;
	ret->columns = (uint32_t)divide_up(blocks, rows);
	ret->k = (uint32_t)divide_up(blocks, ret->columns);
	ret->m = (uint32_t)divide_up((uint64_t)ret->k * percent, 100);
	ret->m = ret->m < 2 ? 2 : ret->m;
}

uint64_t parity_share_of(uint64_t size, unsigned percent)
{
	static const uint8_t any[DIGEST_LEN];
	struct parity_shape s;

	if (!size || !percent)
		return 0;
	parity_shape_of(any, size, percent, &s);
	return parity_file_bytes(&s);
}

uint64_t parity_data_blocks(const struct parity_shape *s)
{
	return divide_up(s->size, PARITY_BLOCK);
}

uint64_t parity_sum_blocks(const struct parity_shape *s)
{
	return (uint64_t)s->m * s->columns;
}

uint64_t parity_blocks(const struct parity_shape *s)
{
	return parity_data_blocks(s) + parity_sum_blocks(s);
}

uint64_t parity_pages(const struct parity_shape *s)
{
	return divide_up(FIXED + WORD * parity_blocks(s), PAGE_BYTES);
}

uint64_t parity_file_bytes(const struct parity_shape *s)
{
	return (2 * parity_pages(s) + parity_sum_blocks(s)) * PARITY_BLOCK;
}

uint64_t parity_page_at(const struct parity_shape *s, uint64_t i, bool second)
{
	return second ? parity_file_bytes(s) - (i + 1) * PARITY_BLOCK : i * PARITY_BLOCK;
}

uint64_t parity_sum_at(const struct parity_shape *s, uint64_t block)
{
	return (parity_pages(s) + block) * PARITY_BLOCK;
}

size_t parity_block_bytes(const struct parity_shape *s, uint64_t i)
{
	const uint64_t left = s->size - i * PARITY_BLOCK;

	return left < PARITY_BLOCK ? (size_t)left : PARITY_BLOCK;
}

/* The CRCs of page i: from which one on, how many, and where the first stands in the page. */
static uint64_t in_page(const struct parity_shape *s, uint64_t i, uint64_t *ret_first, size_t *ret_at)
{
	const uint64_t from = i ? (i * PAGE_BYTES - FIXED) / WORD : 0, all = parity_blocks(s);
	const size_t at = i ? 0 : FIXED;
	const uint64_t fit = (PAGE_BYTES - at) / WORD;

	*ret_first = from;
	*ret_at = at;
	return from >= all ? 0 : all - from < fit ? all - from : fit;
}

static uint32_t page_crc(const uint8_t *page)
{
	return (uint32_t)crc32(0, page, PAGE_BYTES);
}

uint32_t parity_crc(const void *p, size_t n)
{
	return (uint32_t)crc32(0, p, (uInt)n);
}

void parity_page_make(
    const struct parity_shape *s, const uint32_t *crcs, uint64_t i, uint8_t out[PARITY_BLOCK])
{
	uint64_t first, n;
	size_t at;

	n = in_page(s, i, &first, &at);
	memset(out, 0, PARITY_BLOCK);
	if (!i) {
		memcpy(out, magic, sizeof(magic));
		memcpy(out + AT_ARCHIVE, s->archive, DIGEST_LEN);
		le_put(out + AT_SIZE, s->size, 8);
		le_put(out + AT_BLOCK, PARITY_BLOCK, 4);
		le_put(out + AT_K, s->k, 4);
		le_put(out + AT_M, s->m, 4);
		le_put(out + AT_COLUMNS, s->columns, 4);
	}
	for (uint64_t c = 0; c < n; c++)
		le_put(out + at + WORD * c, crcs[first + c], WORD);
	le_put(out + PAGE_BYTES, page_crc(out), WORD);
}

/* Each number is what the others make it, and nothing is larger than a file of a medium can be. */
static bool is_possible(const struct parity_shape *s)
{
	return s->size >= 1 && s->size <= PARITY_SIZE_MAX && s->k >= 1 && s->m >= 1 &&
	       s->k <= PARITY_ROWS_MAX && s->m <= PARITY_ROWS_MAX && s->k + s->m <= PARITY_ROWS_MAX &&
	       s->columns >= 1 && divide_up(parity_data_blocks(s), s->columns) == s->k &&
	       parity_file_bytes(s) <= PARITY_SIZE_MAX;
}

int parity_head_parse(const uint8_t page[PARITY_BLOCK], const uint8_t archive[DIGEST_LEN],
    struct parity_shape *ret, struct err *err)
{
	struct parity_shape s = {.size = le_get(page + AT_SIZE, 8),
	    .k = (uint32_t)le_get(page + AT_K, 4),
	    .m = (uint32_t)le_get(page + AT_M, 4),
	    .columns = (uint32_t)le_get(page + AT_COLUMNS, 4)};

	memcpy(s.archive, page + AT_ARCHIVE, DIGEST_LEN);
	if (le_get(page + PAGE_BYTES, WORD) != page_crc(page) || memcmp(page, magic, sizeof(magic)) != 0)
		return err_set(err, "E-PARITY-01", "%s", text("the head of the parity file is damaged"));
	if (memcmp(s.archive, archive, DIGEST_LEN) != 0)
		return err_set(err, "E-PARITY-01", "%s", text("the parity file is another archive's"));
	if (le_get(page + AT_BLOCK, 4) != PARITY_BLOCK || !is_possible(&s))
		return err_set(err, "E-PARITY-01", "%s", text("the parity file has a shape that cannot be"));
	*ret = s;
	return 0;
}

bool parity_page_parse(
    const uint8_t page[PARITY_BLOCK], const struct parity_shape *s, uint64_t i, uint32_t *crcs, bool *known)
{
	uint64_t first, n;
	size_t at;

	if (le_get(page + PAGE_BYTES, WORD) != page_crc(page))
		return false;
	n = in_page(s, i, &first, &at);
	for (uint64_t c = 0; c < n; c++) {
		crcs[first + c] = (uint32_t)le_get(page + at + WORD * c, WORD);
		known[first + c] = true;
	}
	return true;
}
