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

#define DAY_S 86400

static json_t *together_json(const struct generation_manifest *m)
{
	json_t *names = m->n_together ? json_array() : NULL;

	for (size_t i = 0; i < m->n_together; i++)
		json_array_append_new(names, json_string(m->together[i]));
	return names;
}

int generation_manifest_format(const struct generation_manifest *m, struct buf *out, struct err *err)
{
	char begun[CLOCK_TEXT], finished[CLOCK_TEXT], prev[DIGEST_HEX], recipient[AGE_RECIPIENT_TEXT],
	    head[DIGEST_HEX], root[DIGEST_HEX];
	const struct generation_dataset *d = &m->dataset;
	json_t *previous = json_null();

	if (m->previous)
		previous = json_pack("{s:I, s:s}", "generation", (json_int_t)m->previous, "manifest_sha256",
		    digest_hex(m->previous_sha256, DIGEST_LEN, prev));
	return generation_json_line(
	    json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:i, s:s, s:s, s:s*, s:s, s:I, s:I, s:I, "
		      "s:I, s:I, s:I, "
		      "s:s*, s:s*, s:o*, s:I, s:s, s:I, s:I, s:o, s:s, s:{s:I, s:s}}",
		"format", 1, "kind", "bkp-generation", "repository", m->id.repository, "dataset",
		m->id.dataset, "generation", (json_int_t)m->id.number, "uuid", m->id.uuid, "begun",
		clock_format(m->begun_ns, begun), "finished", clock_format(m->finished_ns, finished),
		"utc_offset", (int)m->utc_offset_s, "host", m->host, "version", m->version, "title", d->title,
		"verdict", generation_verdict_word(d->verdict), "entries", (json_int_t)d->entries, "files",
		(json_int_t)d->files, "bytes", (json_int_t)d->bytes, "unreadable", (json_int_t)d->unreadable,
		"changed", (json_int_t)d->changed, "skipped", (json_int_t)d->skipped, "reason", d->reason,
		"suspect", d->suspicion, "together", together_json(m), "period", (json_int_t)m->period,
		"recipient", age_recipient_format(&m->recipient, recipient), "archives",
		(json_int_t)m->archives, "archive_bytes", (json_int_t)m->archive_bytes, "previous", previous,
		"root_sha256", digest_hex(m->root_sha256, DIGEST_LEN, root), "journal", "seq",
		(json_int_t)m->journal_seq, "sha256", digest_hex(m->journal_sha256, DIGEST_LEN, head)),
	    out, err);
}

static bool parse_offset(const json_t *v, int32_t *ret)
{
	json_int_t s = json_integer_value(v);

	*ret = (int32_t)s;
	return json_is_integer(v) && s > -DAY_S && s < DAY_S;
}

static const char *parse_dataset(
    const json_t *o, const struct generation_id *id, struct generation_dataset *d)
{
	if (!generation_json_dataset(o, id, d))
		return "verdict, entries, files, bytes";
	if (!generation_json_u64(o, "unreadable", &d->unreadable) ||
	    !generation_json_u64(o, "changed", &d->changed) ||
	    !generation_json_u64(o, "skipped", &d->skipped))
		return "unreadable, changed, skipped";
	if (!generation_json_text_or_none(o, "title", &d->title) ||
	    !generation_json_text_or_none(o, "reason", &d->reason) ||
	    !generation_json_text_or_none(o, "suspect", &d->suspicion))
		return "title, reason, suspect";
	d->guard.suspect = d->suspicion != NULL;
	return NULL;
}

static bool parse_together(const json_t *names, struct generation_manifest *m)
{
	size_t n = json_array_size(names);

	if (!names)
		return true;
	m->together = calloc(n + 1, sizeof(*m->together));
	for (size_t i = 0; m->together && i < n; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (!generation_name_ok(name))
			return false;
		snprintf(m->together[m->n_together++], sizeof(*m->together), "%s", name);
	}
	return n && m->together;
}

static bool parse_period(const json_t *o, struct generation_manifest *m)
{
	const char *recipient = json_string_value(json_object_get(o, "recipient"));
	uint64_t period;

	if (!generation_json_u64(o, "period", &period) || !period || period > UINT32_MAX)
		return false;
	m->period = (uint32_t)period;
	return recipient && !age_recipient_parse(recipient, &m->recipient, NULL);
}

/* The name of the first member that is wrong, or NULL. */
static const char *parse_members(const json_t *o, struct generation_manifest *m)
{
	const json_t *prev = json_object_get(o, "previous"), *journal = json_object_get(o, "journal");

	if (!generation_json_id(o, "bkp-generation", &m->id))
		return "kind, format, repository, dataset, generation, uuid";
	if (!generation_json_time(o, "begun", &m->begun_ns))
		return "begun";
	if (!generation_json_time(o, "finished", &m->finished_ns))
		return "finished";
	if (!parse_offset(json_object_get(o, "utc_offset"), &m->utc_offset_s))
		return "utc_offset";
	if (!parse_together(json_object_get(o, "together"), m))
		return "together";
	if (!parse_period(o, m))
		return "period, recipient";
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
	if (!generation_json_sha256(o, "root_sha256", m->root_sha256))
		return "root_sha256";
	if (!generation_json_u64(journal, "seq", &m->journal_seq) ||
	    !generation_json_sha256(journal, "sha256", m->journal_sha256))
		return "journal";
	return parse_dataset(o, &m->id, &m->dataset);
}

/* What another format says in its other members nobody can know here. */
static bool is_newer(const json_t *o, struct err *err)
{
	uint64_t format;

	if (!generation_json_u64(o, "format", &format) || format <= 1)
		return false;
	err_set_kind(err, ERR_NEWER, "E-GEN-02",
	    text("manifest.json: its format is %ju; this program reads format 1"), (uintmax_t)format);
	err_hint(err, "%s", text("a newer program reads it; the other generations are read by this one"));
	return true;
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
	else if (wrong && !is_newer(o, err))
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
	generation_dataset_clear(&m->dataset);
	free(m->together);
	free(m->host);
	free(m->version);
	free(m);
}
