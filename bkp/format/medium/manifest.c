/* manifest: manifest.json of a generation; see generation.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/medium/generation_private.h"

#define DATASETS_MAX 10000

static json_t *dataset_json(const struct generation_dataset *d)
{
	json_t *o = json_pack("{s:s, s:s*, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s*, s:s*}", "name", d->name,
	    "title", d->title, "verdict", generation_verdict_word(d->verdict), "entries",
	    (json_int_t)d->entries, "files", (json_int_t)d->files, "bytes", (json_int_t)d->bytes,
	    "unreadable", (json_int_t)d->unreadable, "changed", (json_int_t)d->changed, "skipped",
	    (json_int_t)d->skipped, "reason", d->reason, "suspect", d->suspicion);

	return o;
}

int generation_manifest_format(const struct generation_manifest *m, struct buf *out, struct err *err)
{
	char begun[CLOCK_TEXT], finished[CLOCK_TEXT], prev[DIGEST_HEX], head[DIGEST_HEX], root[DIGEST_HEX];
	json_t *sets = json_array(), *previous = json_null();
	size_t i;

	for (i = 0; i < m->n_datasets; i++)
		if (json_array_append_new(sets, dataset_json(&m->datasets[i]))) {
			json_decref(sets);
			return err_nomem(err);
		}
	if (m->previous)
		previous = json_pack("{s:I, s:s}", "generation", (json_int_t)m->previous, "manifest_sha256",
		    digest_hex(m->previous_sha256, DIGEST_LEN, prev));
	return generation_json_line(
	    json_pack("{s:i, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:o, s:s*, s:{s:I, s:s}}",
		"format", 1, "kind", "bkp-generation", "repository", m->id.repository, "generation",
		(json_int_t)m->id.number, "uuid", m->id.uuid, "begun", clock_format(m->begun_ns, begun),
		"finished", clock_format(m->finished_ns, finished), "host", m->host, "version", m->version,
		"datasets", sets, "archives", (json_int_t)m->archives, "archive_bytes",
		(json_int_t)m->archive_bytes, "previous", previous, "root_sha256",
		m->binds_root ? digest_hex(m->root_sha256, DIGEST_LEN, root) : NULL, "journal", "seq",
		(json_int_t)m->journal_seq, "sha256", digest_hex(m->journal_sha256, DIGEST_LEN, head)),
	    out, err);
}

static bool parse_dataset(const json_t *o, struct generation_dataset *d)
{
	const char *verdict = json_string_value(json_object_get(o, "verdict"));

	return generation_json_text(o, "name", &d->name) && *d->name &&
	       generation_json_text_or_none(o, "title", &d->title) &&
	       generation_json_text_or_none(o, "reason", &d->reason) &&
	       generation_json_text_or_none(o, "suspect", &d->suspicion) && verdict &&
	       !generation_verdict_parse(verdict, &d->verdict) &&
	       generation_json_u64(o, "entries", &d->entries) && generation_json_u64(o, "files", &d->files) &&
	       generation_json_u64(o, "bytes", &d->bytes) &&
	       generation_json_u64(o, "unreadable", &d->unreadable) &&
	       generation_json_u64(o, "changed", &d->changed) &&
	       generation_json_u64(o, "skipped", &d->skipped) &&
	       ((d->guard.suspect = d->suspicion != NULL), true);
}

static const char *parse_datasets(const json_t *o, struct generation_manifest *m)
{
	const json_t *sets = json_object_get(o, "datasets");
	size_t n = json_array_size(sets), i, k;

	if (!json_is_array(sets) || n == 0 || n > DATASETS_MAX)
		return "datasets";
	m->datasets = calloc(n, sizeof(*m->datasets));
	if (!m->datasets)
		return "datasets";
	m->n_datasets = n;
	for (i = 0; i < n; i++) {
		if (!parse_dataset(json_array_get(sets, i), &m->datasets[i]))
			return "datasets";
		for (k = 0; k < i; k++) /* names are unique */
			if (!strcmp(m->datasets[k].name, m->datasets[i].name))
				return "datasets";
	}
	return NULL;
}

/* The name of the first member that is wrong, or NULL. */
static const char *parse_members(const json_t *o, struct generation_manifest *m)
{
	const json_t *prev = json_object_get(o, "previous"), *journal = json_object_get(o, "journal");

	if (!generation_json_id(o, "bkp-generation", &m->id))
		return "kind, format, repository, generation, uuid";
	if (!generation_json_time(o, "begun", &m->begun_ns))
		return "begun";
	if (!generation_json_time(o, "finished", &m->finished_ns))
		return "finished";
	if (!generation_json_text(o, "host", &m->host))
		return "host";
	if (!generation_json_text(o, "version", &m->version))
		return "version";
	if (!generation_json_u64(o, "archives", &m->archives))
		return "archives";
	if (!generation_json_u64(o, "archive_bytes", &m->archive_bytes))
		return "archive_bytes";
	if (!json_is_null(prev) && (!generation_json_u64(prev, "generation", &m->previous) ||
				       m->previous == 0 || m->previous >= m->id.number ||
				       !generation_json_sha256(prev, "manifest_sha256", m->previous_sha256)))
		return "previous";
	m->binds_root = json_object_get(o, "root_sha256") != NULL; /* older ones have none */
	if (m->binds_root && !generation_json_sha256(o, "root_sha256", m->root_sha256))
		return "root_sha256";
	if (!generation_json_u64(journal, "seq", &m->journal_seq) ||
	    !generation_json_sha256(journal, "sha256", m->journal_sha256))
		return "journal";
	return parse_datasets(o, m);
}

int generation_manifest_parse(const char *p, size_t n, struct generation_manifest **ret, struct err *err)
{
	struct generation_manifest *m = calloc(1, sizeof(*m));
	json_error_t where;
	const char *wrong;
	json_t *o;

	if (!m)
		return err_nomem(err);
	errno = 0;
	o = json_loadb(p, n, JSON_REJECT_DUPLICATES, &where);
	wrong = json_is_object(o) ? parse_members(o, m) : "{";
	if (!o)
		err_set_kind(err, ERR_MALFORMED, "E-GEN-01",
		    text("manifest.json is malformed at byte %d: %s"), where.position, where.text);
	else if (wrong && errno == ENOMEM)
		err_nomem(err);
	else if (wrong)
		err_set_kind(err, ERR_MALFORMED, "E-GEN-01",
		    text("manifest.json: member '%s' is missing or wrong"), wrong);
	json_decref(o);
	if (wrong) {
		generation_manifest_free(m);
		return -1;
	}
	*ret = m;
	return 0;
}

void generation_manifest_free(struct generation_manifest *m)
{
	if (!m)
		return;
	generation_datasets_free(m->datasets, m->n_datasets);
	free(m->host);
	free(m->version);
	free(m);
}
