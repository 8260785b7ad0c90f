/* generation: see generation.h.  This file: names, SHA256SUMS, the trusted comment, and what manifest and
 * root share. */
#include "format/medium/generation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation_private.h"

static const char *const words[] = {"good", "partial", "failed"};

/* ---- members of JSON objects ---- */

bool generation_json_u64(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

static bool generation_json_uuid(const json_t *o, const char *key, char *ret)
{
	const char *s = json_string_value(json_object_get(o, key));
	size_t i;

	if (!s || strlen(s) != GENERATION_UUID - 1)
		return false;
	for (i = 0; i < GENERATION_UUID - 1; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	memcpy(ret, s, GENERATION_UUID);
	return true;
}

bool generation_json_time(const json_t *o, const char *key, int64_t *ret_ns)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && !clock_parse(s, ret_ns);
}

bool generation_json_sha256(const json_t *o, const char *key, uint8_t *ret)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && strlen(s) == 2 * DIGEST_LEN && digest_unhex(s, DIGEST_LEN, ret);
}

bool generation_json_text(const json_t *o, const char *key, char **ret)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (!s)
		return false;
	*ret = strdup(s);
	return *ret != NULL;
}

bool generation_json_text_or_none(const json_t *o, const char *key, char **ret)
{
	const json_t *v = json_object_get(o, key);

	return !v || json_is_null(v) || generation_json_text(o, key, ret);
}

bool generation_json_dataset(const json_t *o, const struct generation_id *id, struct generation_dataset *ret)
{
	const char *verdict = json_string_value(json_object_get(o, "verdict"));

	ret->name = strdup(id->dataset);
	return ret->name && verdict && !generation_verdict_parse(verdict, &ret->verdict) &&
	       ret->verdict != GENERATION_FAILED && generation_json_u64(o, "entries", &ret->entries) &&
	       generation_json_u64(o, "files", &ret->files) && generation_json_u64(o, "bytes", &ret->bytes);
}

bool generation_json_id(const json_t *o, const char *kind, struct generation_id *ret)
{
	const char *k = json_string_value(json_object_get(o, "kind"));
	const char *dataset = json_string_value(json_object_get(o, "dataset"));
	uint64_t format;

	if (!dataset || !generation_name_ok(dataset))
		return false;
	memcpy(ret->dataset, dataset, strlen(dataset) + 1);
	return k && !strcmp(k, kind) && generation_json_u64(o, "format", &format) && format == 1 &&
	       generation_json_uuid(o, "repository", ret->repository) &&
	       generation_json_uuid(o, "uuid", ret->uuid) &&
	       generation_json_u64(o, "generation", &ret->number) && ret->number > 0;
}

int generation_json_line(json_t *o, struct buf *out, struct err *err)
{
	char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int r;

	json_decref(o);
	if (!s)
		return err_nomem(err);
	r = buf_printf(out, err, "%s\n", s);
	free(s);
	return r;
}

/* ---- the rest ---- */

const char *generation_verdict_word(enum generation_verdict v)
{
	return words[v];
}

int generation_verdict_parse(const char *s, enum generation_verdict *ret)
{
	int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(s, words[i])) {
			*ret = (enum generation_verdict)i;
			return 0;
		}
	return -1;
}

static const char *const sources[GENERATION_SOURCES] = {
    [GENERATION_PATHS] = "paths", [GENERATION_STREAM] = "command", [GENERATION_TAR] = "tar"};

const char *generation_source_word(enum generation_source source)
{
	return sources[source];
}

int generation_source_parse(const char *word, enum generation_source *ret)
{
	for (int i = 0; i < GENERATION_SOURCES; i++)
		if (!strcmp(word, sources[i])) {
			*ret = (enum generation_source)i;
			return 0;
		}
	return -1;
}

void generation_dataset_clear(struct generation_dataset *d)
{
	free(d->name);
	free(d->title);
	free(d->reason);
	free(d->blocks);
	free(d->probe);
	free(d->suspicion);
	free(d->notice);
	free(d->placed_wrong);
	free(d->said);
}

int generation_sums_add(struct buf *out, const uint8_t sha256[DIGEST_LEN], const char *path, struct err *err)
{
	char hex[DIGEST_HEX];

	return buf_printf(out, err, "%s  %s\n", digest_hex(sha256, DIGEST_LEN, hex), path);
}

static bool sums_path_ok(const char *path, const uint8_t sha256[DIGEST_LEN])
{
	char want[ARCFILE_PATH];
	uint64_t number;
	char dir[16];
	const char *slash;

	if (!path_is_entry(path))
		return false;
	if (!strncmp(path, "archives/", 9))
		return !strcmp(path, arcfile_path(sha256, want));
	if (strncmp(path, "generations/", 12) != 0)
		return false;
	slash = strchr(path + 12, '/');
	if (!slash || (size_t)(slash - path - 12) >= sizeof(dir))
		return false;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path - 12), path + 12);
	return !generation_dir_parse(dir, &number) &&
	       (!strcmp(slash, "/manifest.json") || !strcmp(slash, "/places.age") ||
		   !strcmp(slash, "/root.age"));
}

int generation_sums_next(const char *p, size_t n, size_t *pos, uint8_t ret_sha256[DIGEST_LEN],
    char ret_path[GENERATION_SUMS_PATH], struct err *err)
{
	const char *line = p + *pos, *eol;
	uint8_t sha256[DIGEST_LEN];
	char path[GENERATION_SUMS_PATH];
	size_t len;

	if (*pos == n)
		return GENERATION_SUMS_END;
	eol = memchr(line, '\n', n - *pos);
	len = eol ? (size_t)(eol - line) : 0;
	if (len < 2 * DIGEST_LEN + 3 || len - 2 * DIGEST_LEN - 2 >= sizeof(path) || memchr(line, '\0', len) ||
	    !digest_unhex(line, DIGEST_LEN, sha256) || memcmp(line + 2 * DIGEST_LEN, "  ", 2) != 0)
		goto malformed;
	len -= 2 * DIGEST_LEN + 2;
	memcpy(path, line + 2 * DIGEST_LEN + 2, len);
	path[len] = '\0';
	if (!sums_path_ok(path, sha256))
		goto malformed;
	/* ascending and so without repetition: the line before ends at *pos */
	if (*pos > 0) {
		const char *prev = p + *pos - 1;

		while (prev > p && prev[-1] != '\n')
			prev--;
		/* a shorter one ends in '\n', which sorts before every byte of a path */
		if (strncmp(prev + 2 * DIGEST_LEN + 2, path, len) >= 0)
			goto malformed;
	}
	memcpy(ret_sha256, sha256, DIGEST_LEN);
	memcpy(ret_path, path, len + 1);
	*pos += (size_t)(eol - line) + 1;
	return 0;
malformed:
	return err_set_kind(
	    err, ERR_MALFORMED, "E-GEN-03", text("SHA256SUMS is malformed at byte %zu"), *pos);
}

char *generation_dir(uint64_t number, char out[GENERATION_DIR])
{
	snprintf(out, GENERATION_DIR, "generations/%06" PRIu64, number);
	return out;
}

int generation_dir_parse(const char *name, uint64_t *ret_number)
{
	char back[GENERATION_DIR];
	unsigned long long v;
	size_t n = strspn(name, "0123456789");

	if (n < 6 || n > 18 || name[n])
		return -1;
	v = strtoull(name, NULL, 10);
	if (v == 0 || strcmp(generation_dir(v, back) + 12, name) != 0)
		return -1;
	*ret_number = v;
	return 0;
}

bool generation_name_ok(const char *name)
{
	static const char *const reserved[] = {"con", "prn", "aux", "nul", "latest"};
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (name[n] || !n || n >= GENERATION_NAME || *name < 'a' || *name > 'z')
		return false;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(name, reserved[i]))
			return false;
	return n != 4 || (strncmp(name, "com", 3) && strncmp(name, "lpt", 3)) || name[3] < '0' ||
	       name[3] > '9';
}

char *generation_label(const char *dataset, uint64_t number, char out[GENERATION_LABEL])
{
	snprintf(out, GENERATION_LABEL, "%s@%" PRIu64, dataset, number);
	return out;
}

char *generation_set_dir(const char *dataset, char out[GENERATION_SET_DIR])
{
	snprintf(out, GENERATION_SET_DIR, "datasets/%s", dataset);
	return out;
}

int generation_comment(const char *kind, const struct generation_id *id, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, "bkp:1 kind=%s repository=%s", kind, id->repository))
		return -1;
	if (id->number && buf_printf(out, err, " dataset=%s generation=%" PRIu64 " uuid=%s", id->dataset,
			      id->number, id->uuid))
		return -1;
	return buf_terminate(out, err);
}

const struct generation_archive *generation_root_archive(const struct generation_root *r, uint64_t number)
{
	size_t lo = 0, hi = r->n_archives;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->archives[mid].number == number)
			return &r->archives[mid];
		if (r->archives[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
