/* root: the plaintext of a generation's root.age, JSON Lines; see generation.h.  The archive table can have
 * hundreds of thousands of lines, so each line is parsed by itself. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/medium/generation_private.h"

#define LINE_MAX_BYTES ((size_t)1 << 20)

int generation_root_format(const struct generation_root *r, struct buf *out, struct err *err)
{
	const struct generation_dataset *d = &r->dataset;
	char hex[DIGEST_HEX], index[DIGEST_HEX];
	size_t i;

	if (generation_json_line(
		json_pack("{s:s, s:i, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s?, s:s*}",
		    "kind", "bkp-root", "format", 1, "repository", r->id.repository, "dataset", r->id.dataset,
		    "generation", (json_int_t)r->id.number, "uuid", r->id.uuid, "chunk_id_key",
		    digest_hex(r->chunk_id_key, DIGEST_LEN, hex), "verdict",
		    generation_verdict_word(d->verdict), "source", generation_source_word(d->source),
		    "entries", (json_int_t)d->entries, "files", (json_int_t)d->files, "bytes",
		    (json_int_t)d->bytes, "blocks", d->blocks, "probe", d->probe, "said", d->said),
		out, err))
		return -1;
	for (i = 0; i < r->n_archives; i++)
		if (generation_json_line(
			json_pack("{s:I, s:s, s:I, s:s}", "archive", (json_int_t)r->archives[i].number,
			    "sha256", digest_hex(r->archives[i].sha256, DIGEST_LEN, hex), "size",
			    (json_int_t)r->archives[i].size, "index_sha256",
			    digest_hex(r->archives[i].index_sha256, DIGEST_LEN, index)),
			out, err))
			return -1;
	return 0;
}

static int take_head(const json_t *o, struct generation_root *r)
{
	const char *source = json_string_value(json_object_get(o, "source"));
	struct generation_dataset *d = &r->dataset;

	return json_is_object(o) && generation_json_id(o, "bkp-root", &r->id) &&
		       generation_json_sha256(o, "chunk_id_key", r->chunk_id_key) &&
		       generation_json_dataset(o, &r->id, d) && source &&
		       !generation_source_parse(source, &d->source) &&
		       generation_json_text(o, "blocks", &d->blocks) &&
		       generation_json_text_or_none(o, "probe", &d->probe) &&
		       generation_json_text_or_none(o, "said", &d->said)
		   ? 0
		   : -1;
}

/* The table grows by doubling from 16. */
static int take_archive(const json_t *o, struct generation_root *r)
{
	const size_t n = r->n_archives;
	struct generation_archive *more = r->archives, *a;

	if (!n || (n >= 16 && !(n & (n - 1))))
		more = reallocarray(more, n ? n * 2 : 16, sizeof(*more));
	if (!more)
		return -1;
	r->archives = more;
	a = &more[n];
	if (!generation_json_u64(o, "archive", &a->number) || !generation_json_u64(o, "size", &a->size) ||
	    !generation_json_sha256(o, "sha256", a->sha256) ||
	    !generation_json_sha256(o, "index_sha256", a->index_sha256))
		return -1;
	if (n && a->number <= a[-1].number)
		return -1;
	r->n_archives++;
	return 0;
}

/* The head, then archives ascending by number.  A line is parsed by itself, so memory is
 * bounded by LINE_MAX_BYTES and by what is kept of each. */
static int take_line(const char *p, size_t n, size_t line, struct generation_root *r)
{
	json_t *o = n <= LINE_MAX_BYTES ? json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	int bad = line == 1 ? take_head(o, r) : take_archive(o, r);

	json_decref(o);
	return bad;
}

int generation_root_parse(const char *p, size_t n, struct generation_root **ret, struct err *err)
{
	struct generation_root *r = calloc(1, sizeof(*r));
	const unsigned long mark = starved_mark();
	size_t pos = 0, line = 0;

	if (!r)
		return err_nomem(err);
	do {
		const char *eol = n > pos ? memchr(p + pos, '\n', n - pos) : NULL;

		line++;
		if (!eol || take_line(p + pos, (size_t)(eol - p) - pos, line, r)) {
			generation_root_free(r);
			return starved_since(mark) ? err_nomem(err)
						   : err_set_kind(err, ERR_MALFORMED, "E-GEN-01",
							 text("root.age: line %zu is malformed"), line);
		}
		pos = (size_t)(eol - p) + 1;
	} while (pos < n);
	*ret = r;
	return 0;
}

void generation_root_free(struct generation_root *r)
{
	if (!r)
		return;
	generation_dataset_clear(&r->dataset);
	free(r->archives);
	sodium_memzero(r->chunk_id_key, sizeof(r->chunk_id_key));
	free(r);
}
