/* use_slip: see use_slip.h. */
#include "format/journal/use_slip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"

#define FORMAT "format"
#define KIND   "bkp-use"

typedef bool is_fn(const json_t *v);

/* A line for people: what a slip says is shown, and signed into the journal. */
static bool is_line(const json_t *v)
{
	const char *s = json_string_value(v);

	if (!s || json_string_length(v) >= USE_SLIP_TEXT || strlen(s) != json_string_length(v))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return false;
	return true;
}

static bool is_word(const json_t *v)
{
	return is_line(v) && json_string_length(v);
}

static bool is_line_opt(const json_t *v)
{
	return json_is_null(v) || is_line(v);
}

static bool is_uuid(const json_t *v)
{
	return is_line(v) && journal_is_uuid(json_string_value(v));
}

static bool is_uuid_opt(const json_t *v)
{
	return json_is_null(v) || is_uuid(v);
}

static bool is_time(const json_t *v)
{
	int64_t ns;

	return is_line(v) && !clock_parse(json_string_value(v), &ns);
}

static bool is_time_opt(const json_t *v)
{
	return json_is_null(v) || is_time(v);
}

static bool is_count(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool is_exit_opt(const json_t *v)
{
	return json_is_null(v) || (is_count(v) && json_integer_value(v) < 256);
}

static bool is_few(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!is_line(json_array_get(v, i)))
			return false;
	return json_is_array(v) && json_array_size(v) <= USE_SLIP_NAMED;
}

static bool is_person_opt(const json_t *v)
{
	return json_is_null(v) ||
	       (json_is_object(v) && json_object_size(v) == 2 && is_count(json_object_get(v, "period")) &&
		   is_word(json_object_get(v, "name")));
}

static bool is_opened(const json_t *v)
{
	const json_t *hex = json_object_get(v, "manifest_sha256");
	uint8_t hash[DIGEST_LEN];

	return json_object_size(v) == 3 && is_word(json_object_get(v, "dataset")) &&
	       generation_name_ok(json_string_value(json_object_get(v, "dataset"))) &&
	       is_count(json_object_get(v, "generation")) && is_word(hex) &&
	       json_string_length(hex) == (size_t)2 * DIGEST_LEN &&
	       digest_unhex(json_string_value(hex), DIGEST_LEN, hash);
}

static bool is_drill_opt(const json_t *v)
{
	const json_t *opened = json_object_get(v, "opened");

	for (size_t i = 0; i < json_array_size(opened); i++)
		if (!is_opened(json_array_get(opened, i)))
			return false;
	return json_is_null(v) ||
	       (json_object_size(v) == 4 && json_is_array(opened) &&
		   is_count(json_object_get(v, "archives")) && is_few(json_object_get(v, "failed")) &&
		   is_count(json_object_get(v, "failed_total")));
}

static bool is_envelope_opt(const json_t *v)
{
	return json_is_null(v) || (is_line(v) && use_slip_is_envelope(json_string_value(v)));
}

static const struct {
	const char *name;
	is_fn *is;
} members_of[] = {{"id", is_uuid}, {"begun", is_time}, {"finished", is_time_opt}, {"command", is_word},
    {"what", is_line}, {"paths", is_few}, {"paths_total", is_count}, {"to", is_line_opt},
    {"operator", is_word}, {"host", is_line}, {"medium", is_uuid_opt}, {"label", is_line_opt},
    {"person", is_person_opt}, {"exit", is_exit_opt}, {"drill", is_drill_opt}, {"envelope", is_envelope_opt}};
#define N_MEMBERS (sizeof(members_of) / sizeof(*members_of))

const char *use_slip_wrong(const json_t *members)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (!members_of[i].is(json_object_get(members, members_of[i].name)))
			return members_of[i].name;
	return NULL;
}

static int malformed(const char *member, struct err *err)
{
	return err_set_kind(err, ERR_MALFORMED, "E-USE-01",
	    text("no record of a key's use: member '%s' is missing or of the wrong kind"), member);
}

int use_slip_format(const char *repository, const json_t *members, struct buf *out, struct err *err)
{
	json_t *o = json_pack("{s:i, s:s, s:s}", FORMAT, 1, "kind", KIND, "repository", repository);
	const char *wrong = use_slip_wrong(members);
	char *s = NULL;
	int r;

	if (o && !wrong && !json_object_update(o, (json_t *)members))
		s = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (wrong)
		return malformed(wrong, err);
	if (!s)
		return err_nomem(err);
	r = buf_puts(out, s, err) || buf_puts(out, "\n", err) ? -1 : 0;
	free(s);
	return r;
}

/* What a later version added to it is not taken over: a record's own members could be meant. */
static json_t *known(const json_t *o)
{
	json_t *members = json_object();

	for (size_t i = 0; i < N_MEMBERS; i++)
		if (json_object_set(members, members_of[i].name, json_object_get(o, members_of[i].name))) {
			json_decref(members);
			return NULL;
		}
	return members;
}

int use_slip_parse(const void *p, size_t n, char ret_repository[JOURNAL_UUID], json_t **ret, struct err *err)
{
	json_t *o = n <= USE_SLIP_MAX ? json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *kind = json_string_value(json_object_get(o, "kind")), *wrong = NULL;
	int r = 0;

	if (json_integer_value(json_object_get(o, FORMAT)) != 1)
		wrong = FORMAT;
	else if (!kind || strcmp(kind, KIND) != 0)
		wrong = "kind";
	else if (!is_uuid(json_object_get(o, "repository")))
		wrong = "repository";
	else
		wrong = use_slip_wrong(o);
	if (wrong) {
		r = malformed(wrong, err);
	} else {
		snprintf(
		    ret_repository, JOURNAL_UUID, "%s", json_string_value(json_object_get(o, "repository")));
		*ret = known(o);
		r = *ret ? 0 : err_nomem(err);
	}
	json_decref(o);
	return r;
}

int64_t use_slip_ns(const json_t *members)
{
	int64_t ns = 0;

	if (clock_parse(journal_text(members, "finished"), &ns))
		(void)clock_parse(journal_text(members, "begun"), &ns);
	return ns;
}

char *use_slip_comment(const char *repository, const char *id, char out[USE_SLIP_COMMENT])
{
	snprintf(out, USE_SLIP_COMMENT, "bkp:1 kind=use repository=%s id=%s", repository, id);
	return out;
}

bool use_slip_is_envelope(const char *number)
{
	size_t n = strspn(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n < USE_SLIP_ENVELOPE && !number[n];
}
