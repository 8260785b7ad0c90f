/* The end of an archive's plaintext as a hostile medium may say it: where INDEX is, and what it says. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"

#define REPOSITORY "3f1d6a52-0c6e-4d7b-9a55-0123456789ab"
#define DATASET	   "emr"
#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

/* What was accepted must be safe to read at random. */
static void check(const struct arcfile_index *ix, uint64_t index_offset)
{
	uint64_t floor = 0;

	MUST(ix->n <= ARCFILE_CHUNKS_MAX);
	for (size_t i = 0; i < ix->n; i++) {
		const struct arcfile_chunk *c = &ix->chunks[i];

		MUST(
		    c->offset >= floor && c->offset <= index_offset && c->stored <= index_offset - c->offset);
		MUST(c->raw >= 1 && c->raw <= CODEC_RAW_MAX && c->stored >= 1);
		floor = c->offset + c->stored;
	}
}

static void parse(const char *text, size_t n, uint64_t offset, uint64_t number)
{
	struct arcfile_index *ix = NULL;
	struct err err = ERR_INIT;

	if (arcfile_index_parse(text, n, offset, REPOSITORY, DATASET, number, &ix, &err)) {
		MUST(err.code[0] && !ix);
		return;
	}
	MUST(number == UINT64_MAX || ix->number == number);
	check(ix, offset);
	arcfile_index_free(ix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t before[] = {0, 1, 512, 100000, (uint64_t)1 << 40, INT64_MAX - (uint64_t)n}, offset, size;
	struct err err = ERR_INIT;
	size_t len, i;

	for (i = 0; i < sizeof(before) / sizeof(*before); i++) {
		size = before[i] + n;
		if (arcfile_index_locate(data, n, size, &offset, &len, &err))
			continue;
		MUST(len <= ARCFILE_INDEX_MAX && offset <= size && len <= size - offset);
		if (offset >= before[i])
			parse((const char *)data + (offset - before[i]), len, offset, UINT64_MAX);
	}
	parse((const char *)data, n, 100000, UINT64_MAX);
	parse((const char *)data, n, INT64_MAX, 7);
	return 0;
}
