/* parity_make: see parity_make.h. */
#include "write/parity/parity_make.h"

#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

#include "write/parity/parity_code.h"

struct parity_make {
	struct parity_shape s;
	uint8_t *file;
	uint8_t *tables;
	uint8_t *sums[PARITY_ROWS_MAX]; /* each row of parity, in `file` */
	uint32_t *crcs;
	uint64_t done; /* bytes given */
};

struct parity_make *parity_make_new(const struct parity_shape *s)
{
	struct parity_make *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->s = *s;
	m->file = calloc(1, parity_file_bytes(s));
	m->crcs = calloc(parity_blocks(s), sizeof(*m->crcs));
	m->tables = parity_code_tables(s->k, s->m);
	if (!m->file || !m->crcs || !m->tables) {
		parity_make_free(m);
		return NULL;
	}
	for (uint32_t r = 0; r < s->m; r++)
		m->sums[r] = m->file + parity_sum_at(s, (uint64_t)r * s->columns);
	return m;
}

void parity_make_free(struct parity_make *m)
{
	if (!m)
		return;
	free(m->file);
	free(m->tables);
	free(m->crcs);
	free(m);
}

/* n bytes that lie in one block. */
static void add_crc(struct parity_make *m, const uint8_t *p, size_t n)
{
	uint32_t *crc = &m->crcs[m->done / PARITY_BLOCK];

	*crc = crc32_gzip_refl(*crc, p, n);
}

/* n bytes that lie in one row. */
static void add_to_row(struct parity_make *m, uint64_t row, uint64_t at, uint8_t *p, size_t n)
{
	uint8_t *sums[PARITY_ROWS_MAX];

	for (uint32_t r = 0; r < m->s.m; r++)
		sums[r] = m->sums[r] + at;
	ec_encode_data_update((int)n, (int)m->s.k, (int)m->s.m, (int)row, m->tables, p, sums);
}

void parity_make_bytes(struct parity_make *m, const void *bytes, size_t n)
{
	const uint64_t row_bytes = (uint64_t)m->s.columns * PARITY_BLOCK;
	uint8_t *p = (uint8_t *)bytes; /* ISA-L's prototypes know no const */

	while (n && m->done < m->s.size) {
		const uint64_t at = m->done % row_bytes;
		size_t part = PARITY_BLOCK - (size_t)(m->done % PARITY_BLOCK);

		part = part > n ? n : part;
		part = part > m->s.size - m->done ? (size_t)(m->s.size - m->done) : part;
		add_crc(m, p, part);
		add_to_row(m, m->done / row_bytes, at, p, part);
		m->done += part;
		p += part;
		n -= part;
	}
	m->done += n; /* more than there should be: parity_make_file() says so */
}

const void *parity_make_file(struct parity_make *m)
{
	const uint64_t data = parity_data_blocks(&m->s), sums = parity_sum_blocks(&m->s);

	if (m->done != m->s.size)
		return NULL;
	for (uint64_t i = 0; i < sums; i++)
		m->crcs[data + i] = crc32_gzip_refl(0, m->file + parity_sum_at(&m->s, i), PARITY_BLOCK);
	for (uint64_t i = 0; i < parity_pages(&m->s); i++) {
		uint8_t *page = m->file + parity_page_at(&m->s, i, false);

		parity_page_make(&m->s, m->crcs, i, page);
		memcpy(m->file + parity_page_at(&m->s, i, true), page, PARITY_BLOCK);
	}
	return m->file;
}
