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
#include "format/journal/slip.h"

#define FORMAT "format"
#define KIND   "bkp-use"

static bool is_exit_opt(const json_t *v)
{
	return json_is_null(v) || (slip_is_count(v) && json_integer_value(v) < 256);
}

static bool is_few(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!slip_is_line(json_array_get(v, i)))
			return false;
	return json_is_array(v) && json_array_size(v) <= USE_SLIP_NAMED;
}

static bool is_person_opt(const json_t *v)
{
	return json_is_null(v) ||
	       (json_is_object(v) && json_object_size(v) == 2 &&
		   slip_is_count(json_object_get(v, "period")) && slip_is_word(json_object_get(v, "name")));
}

static bool is_opened(const json_t *v)
{
	return json_object_size(v) == 3 && slip_is_dataset(json_object_get(v, "dataset")) &&
	       slip_is_count(json_object_get(v, "generation")) &&
	       slip_is_sha256(json_object_get(v, "manifest_sha256"));
}

static bool is_drill_opt(const json_t *v)
{
	const json_t *opened = json_object_get(v, "opened");

	for (size_t i = 0; i < json_array_size(opened); i++)
		if (!is_opened(json_array_get(opened, i)))
			return false;
	return json_is_null(v) ||
	       (json_object_size(v) == 4 && json_is_array(opened) &&
		   slip_is_count(json_object_get(v, "archives")) && is_few(json_object_get(v, "failed")) &&
		   slip_is_count(json_object_get(v, "failed_total")));
}

static bool is_envelope_opt(const json_t *v)
{
	return json_is_null(v) || (slip_is_line(v) && use_slip_is_envelope(json_string_value(v)));
}

static const struct slip_member members_of[] = {{"id", slip_is_uuid}, {"begun", slip_is_time},
    {"finished", slip_is_time_opt}, {"command", slip_is_word}, {"what", slip_is_line}, {"paths", is_few},
    {"paths_total", slip_is_count}, {"to", slip_is_line_opt}, {"operator", slip_is_word},
    {"host", slip_is_line}, {"medium", slip_is_uuid_opt}, {"label", slip_is_line_opt},
    {"person", is_person_opt}, {"exit", is_exit_opt}, {"drill", is_drill_opt}, {"envelope", is_envelope_opt}};
#define N_MEMBERS (sizeof(members_of) / sizeof(*members_of))

const char *use_slip_wrong(const json_t *members)
{
	return slip_wrong(members_of, N_MEMBERS, members);
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
	const char *wrong = slip_wrong_head(o, KIND, ret_repository);
	int r = 0;

	wrong = wrong ? wrong : use_slip_wrong(o);
	if (wrong) {
		r = malformed(wrong, err);
	} else {
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
