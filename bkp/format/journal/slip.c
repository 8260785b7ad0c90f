/* slip: see slip.h. */
#include "format/journal/slip.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"

/* A line for people: what a slip says is shown, and signed into the journal. */
bool slip_is_line(const json_t *v)
{
	const char *s = json_string_value(v);

	if (!s || json_string_length(v) >= SLIP_TEXT || strlen(s) != json_string_length(v))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return false;
	return true;
}

bool slip_is_word(const json_t *v)
{
	return slip_is_line(v) && json_string_length(v);
}

bool slip_is_line_opt(const json_t *v)
{
	return json_is_null(v) || slip_is_line(v);
}

bool slip_is_uuid(const json_t *v)
{
	return slip_is_line(v) && journal_is_uuid(json_string_value(v));
}

bool slip_is_uuid_opt(const json_t *v)
{
	return json_is_null(v) || slip_is_uuid(v);
}

bool slip_is_time(const json_t *v)
{
	int64_t ns;

	return slip_is_line(v) && !clock_parse(json_string_value(v), &ns);
}

bool slip_is_time_opt(const json_t *v)
{
	return json_is_null(v) || slip_is_time(v);
}

bool slip_is_count(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

bool slip_is_count_opt(const json_t *v)
{
	return json_is_null(v) || slip_is_count(v);
}

bool slip_is_sha256(const json_t *v)
{
	uint8_t hash[DIGEST_LEN];

	return slip_is_word(v) && json_string_length(v) == (size_t)2 * DIGEST_LEN &&
	       digest_unhex(json_string_value(v), DIGEST_LEN, hash);
}

bool slip_is_dataset(const json_t *v)
{
	return slip_is_word(v) && generation_name_ok(json_string_value(v));
}

bool slip_is_boolean(const json_t *v)
{
	return json_is_boolean(v);
}

const char *slip_wrong(const struct slip_member *m, size_t n, const json_t *o)
{
	for (size_t i = 0; i < n; i++)
		if (!m[i].is(json_object_get(o, m[i].name)))
			return m[i].name;
	return NULL;
}

const char *slip_wrong_head(const json_t *o, const char *kind, char ret_repository[JOURNAL_UUID])
{
	const char *is = json_string_value(json_object_get(o, "kind"));
	const json_t *repository = json_object_get(o, "repository");

	if (json_integer_value(json_object_get(o, "format")) != 1)
		return "format";
	if (!is || strcmp(is, kind) != 0)
		return "kind";
	if (!slip_is_uuid(repository))
		return "repository";
	snprintf(ret_repository, JOURNAL_UUID, "%s", json_string_value(repository));
	return NULL;
}
