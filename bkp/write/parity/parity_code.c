/* parity_code: see parity_code.h. */
#include "write/parity/parity_code.h"

#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

#include "format/parity/parity.h"

#define TABLE 32 /* bytes of a table, one a coefficient */

static uint8_t coefficient(uint32_t k, uint32_t r, uint32_t j)
{
	return gf_inv((uint8_t)((k + r) ^ j));
}

uint8_t *parity_code_tables(uint32_t k, uint32_t m)
{
	uint8_t *tables = malloc((size_t)TABLE * k * m), *matrix = malloc((size_t)k * m);

	for (uint32_t r = 0; matrix && r < m; r++)
		for (uint32_t j = 0; j < k; j++)
			matrix[r * k + j] = coefficient(k, r, j);
	if (matrix && tables) {
		ec_init_tables((int)k, (int)m, matrix, tables);
	} else {
		free(tables);
		tables = NULL;
	}
	free(matrix);
	return tables;
}

/* What the data that are there make of the parity is taken off it: what is left is the lost ones'. */
static void subtract(uint8_t *tables, uint32_t k, uint32_t r, uint8_t *const *data, uint8_t *sum)
{
	uint8_t row[PARITY_ROWS_MAX];

	for (uint32_t j = 0; j < k; j++)
		row[j] = coefficient(k, r, j);
	ec_init_tables((int)k, 1, row, tables);
	for (uint32_t j = 0; j < k; j++)
		ec_encode_data_update(PARITY_BLOCK, (int)k, 1, (int)j, tables, data[j], &sum);
}

int parity_code_mend(uint32_t k, const uint32_t *lost, const uint32_t *by, uint32_t n, uint8_t *const *data,
    uint8_t *const *sums, uint8_t *const *out)
{
	uint8_t *tables = malloc((size_t)TABLE * (k > n * n ? k : n * n));
	uint8_t *a = malloc((size_t)n * n), *inverse = malloc((size_t)n * n);
	int r = tables && a && inverse ? 0 : -1;

	for (uint32_t i = 0; !r && i < n; i++) {
		subtract(tables, k, by[i], data, sums[i]);
		for (uint32_t j = 0; j < n; j++)
			a[i * n + j] = coefficient(k, by[i], lost[j]);
	}
	if (!r)
		r = gf_invert_matrix(a, inverse, (int)n) ? -1 : 0;
	if (!r) {
		ec_init_tables((int)n, (int)n, inverse, tables);
		ec_encode_data(PARITY_BLOCK, (int)n, (int)n, tables, (uint8_t **)sums, (uint8_t **)out);
	}
	free(tables);
	free(a);
	free(inverse);
	return r;
}
