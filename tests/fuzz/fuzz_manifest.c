/* The documents of a generation as a hostile medium may say them.  The first byte chooses: 'm' manifest.json,
 * 'r' the plaintext of root.age, 's' SHA256SUMS. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "format/medium/generation.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static void same_id(const struct generation_id *a, const struct generation_id *b)
{
	MUST(!strcmp(a->repository, b->repository) && !strcmp(a->uuid, b->uuid) && a->number == b->number);
	MUST(!strcmp(a->dataset, b->dataset) && generation_name_ok(a->dataset));
	MUST(strlen(a->uuid) == GENERATION_UUID - 1 && a->number >= 1);
}

static void manifest(const char *p, size_t n)
{
	BUF_AUTO text = BUF_INIT((size_t)64 << 20);
	BUF_AUTO comment = BUF_INIT(1024);
	struct generation_manifest *m = NULL, *again = NULL;
	struct err err = ERR_INIT;

	if (generation_manifest_parse(p, n, &m, &err)) {
		MUST(err.code[0] && !m);
		return;
	}
	MUST(!generation_comment("generation", &m->id, &comment, &err));
	MUST(!generation_manifest_format(m, &text, &err));
	MUST(!generation_manifest_parse((const char *)text.p, text.n, &again, &err));
	same_id(&m->id, &again->id);
	MUST(m->archives == again->archives && m->finished_ns == again->finished_ns &&
	     m->utc_offset_s == again->utc_offset_s);
	MUST(!strcmp(m->dataset.name, m->id.dataset) && m->dataset.verdict != GENERATION_FAILED);
	generation_manifest_free(m);
	generation_manifest_free(again);
}

static void root(const char *p, size_t n)
{
	BUF_AUTO text = BUF_INIT((size_t)64 << 20);
	struct generation_root *r = NULL, *again = NULL;
	struct err err = ERR_INIT;

	if (generation_root_parse(p, n, &r, &err)) {
		MUST(err.code[0] && !r);
		return;
	}
	for (size_t i = 0; i < r->n_archives; i++) {
		MUST(!i || r->archives[i].number > r->archives[i - 1].number);
		MUST(generation_root_archive(r, r->archives[i].number) == &r->archives[i]);
	}
	MUST(r->dataset.blocks && !strcmp(r->dataset.name, r->id.dataset));
	MUST(!generation_root_format(r, &text, &err));
	MUST(!generation_root_parse((const char *)text.p, text.n, &again, &err));
	same_id(&r->id, &again->id);
	MUST(r->n_archives == again->n_archives && r->dataset.source == again->dataset.source);
	generation_root_free(r);
	generation_root_free(again);
}

static void sums(const char *p, size_t n)
{
	char path[GENERATION_SUMS_PATH], last[GENERATION_SUMS_PATH] = "";
	BUF_AUTO text = BUF_INIT((size_t)64 << 20);
	uint8_t sha256[DIGEST_LEN];
	struct err err = ERR_INIT;
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next(p, n, &pos, sha256, path, &err))) {
		MUST(path_is_entry(path) && strcmp(last, path) < 0);
		MUST(!generation_sums_add(&text, sha256, path, &err));
		memcpy(last, path, sizeof(last));
	}
	/* what is taken is what was written */
	MUST(text.n <= n && (!text.n || !memcmp(text.p, p, text.n)));
	MUST(r != GENERATION_SUMS_END || text.n == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data + 1;

	if (!n)
		return 0;
	if (data[0] == 'm')
		manifest(p, n - 1);
	else if (data[0] == 'r')
		root(p, n - 1);
	else if (data[0] == 's')
		sums(p, n - 1);
	return 0;
}
