/* Catalog blocks and extent lists as a hostile medium may say them.  Input beginning with 'e' is an extent
 * list, all else a block.  What is yielded must be what catalog.h promises. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "format/medium/catalog.h"
#include "format/medium/extent.h"
#include "mend.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static void extents(const char *s, size_t n)
{
	struct err err = ERR_INIT;
	struct extent_run run = {.kind = EXTENT_HOLE};
	uint64_t size = 0, sum = 0, holes = 0;
	bool indirect = false;
	size_t pos = 0;

	if (!extent_parse_data_run(s, n, &run, &err))
		MUST(run.length && run.offset < EXTENT_CHUNK_MAX);
	while (!extent_parse_run(s, n, &pos, &run, &err)) /* as behind an '@' */
		MUST(run.length && pos <= n);
	if (extent_check(s, n, &size, &indirect, &holes, &err))
		return;
	MUST(!extent_parse_size(s, n, &pos, &size, &err));
	{
		/* what is taken is written back as it was */
		BUF_AUTO out = BUF_INIT((size_t)16 << 20);

		MUST(!buf_printf(&out, &err, "%llu", (unsigned long long)size));
		while (!extent_parse_run(s, n, &pos, &run, &err)) {
			sum += run.kind == EXTENT_INDIRECT ? 0 : run.length;
			holes -= run.kind == EXTENT_HOLE ? run.length : 0;
			MUST(!buf_puts(&out, " ", &err) && !extent_format_run(&run, &out, &err));
		}
		MUST(out.n == n && !memcmp(out.p, s, n));
		MUST((indirect ? sum < size : sum == size) && !holes);
	}
}

static void block(const uint8_t *data, size_t n)
{
	struct err err = ERR_INIT;
	struct catalog_reader *r;
	struct catalog_item item;
	uint64_t holes;
	bool indirect;
	char *last = NULL;

	if (catalog_reader_new(data, n, NULL, &r, &err))
		return;
	while (!catalog_reader_next(r, &item, &err)) {
		const char *hard = archive_entry_hardlink(item.entry);

		MUST(path_is_entry(item.path) && !strcmp(item.path, archive_entry_pathname(item.entry)));
		MUST(!last || path_compare(last, item.path) < 0);
		MUST(!hard || (path_is_entry(hard) && path_compare(hard, item.path) < 0));
		MUST(!item.extents ||
		     (!extent_check(item.extents, item.extents_len, NULL, &indirect, &holes, &err) &&
			 catalog_sha256_fits(item.sha256, holes, indirect)));
		MUST(item.extents || !item.sha256);
		MUST(!item.special || (hard && !item.extents));
		if (hard) {
			MUST(!catalog_alone(item.entry, &item) && !archive_entry_hardlink(item.entry));
			MUST(archive_entry_filetype(item.entry));
		}
		free(last);
		last = strdup(item.path);
	}
	free(last);
	catalog_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy;
	size_t whole;

	if (n && data[0] == 'e') {
		extents((const char *)data + 1, n - 1);
		return 0;
	}
	block(data, n);
	/* the same with right checksums and a right end */
	whole = (n + 511) / 512 * 512 + 1024;
	copy = calloc(1, whole);
	if (copy) {
		memcpy(copy, data, n);
		mend(copy, whole);
		block(copy, whole);
	}
	free(copy);
	return 0;
}
