/* generation_json: see generation_private.h. */
#include "format/medium/generation_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/medium/generation.h"

bool generation_json_u64(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

bool generation_json_uuid(const json_t *o, const char *key, char *ret)
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

bool generation_json_id(const json_t *o, const char *kind, struct generation_id *ret)
{
	const char *k = json_string_value(json_object_get(o, "kind"));
	uint64_t format;

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
