/* period: see period.h. */
#include "format/medium/period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation_private.h"

bool period_name_ok(const char *name)
{
	return generation_name_ok(name) && strcmp(name, "previous") != 0;
}

char *period_path(uint32_t number, const char *file, char out[PERIOD_PATH])
{
	snprintf(out, PERIOD_PATH, *file ? PERIOD_KEYS "/%u/%s" : PERIOD_KEYS "/%u", number, file);
	return out;
}

char *period_person_path(uint32_t number, const char *name, char out[PERIOD_PATH])
{
	snprintf(out, PERIOD_PATH, PERIOD_KEYS "/%u/%s.age", number, name);
	return out;
}

char *period_file(uint32_t revision, const char *suffix, char out[PERIOD_NAME])
{
	snprintf(out, PERIOD_NAME, "period-%u%s", revision, suffix);
	return out;
}

uint32_t period_file_revision(const char *name, const char *suffix)
{
	unsigned long n = strncmp(name, "period-", 7) ? 0 : strtoul(name + 7, NULL, 10);
	char again[PERIOD_NAME];

	return n && n <= PERIOD_REVISION_MAX && !strcmp(period_file((uint32_t)n, suffix, again), name)
		   ? (uint32_t)n
		   : 0;
}

char *period_comment(const char *repository, uint32_t number, uint32_t revision, char out[PERIOD_COMMENT])
{
	snprintf(out, PERIOD_COMMENT, "bkp:1 kind=period repository=%s period=%u revision=%u", repository,
	    number, revision);
	return out;
}

static json_t *people_json(const struct period *p)
{
	json_t *list = json_array();
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < p->n_people; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s}", "name", p->people[i].name, "recipient",
			      p->people[i].recipient ? p->people[i].recipient : "", "sha256",
			      digest_hex(p->people[i].sha256, DIGEST_LEN, hex)));
	return list;
}

int period_format(const struct period *p, struct buf *out, struct err *err)
{
	char time[CLOCK_TEXT], recipient[AGE_RECIPIENT_TEXT], former[DIGEST_HEX], previous[DIGEST_HEX];
	json_t *before = json_null();

	if (p->number > 1)
		before =
		    json_pack("{s:s, s:s}", "period_sha256", digest_hex(p->former_sha256, DIGEST_LEN, former),
			"identity_sha256", digest_hex(p->previous_sha256, DIGEST_LEN, previous));
	return generation_json_line(
	    json_pack("{s:i, s:s, s:s, s:I, s:I, s:s, s:s, s:o, s:o}", "format", 1, "kind", "bkp-period",
		"repository", p->repository, "period", (json_int_t)p->number, "revision",
		(json_int_t)p->revision, "begun", clock_format(p->begun_ns, time), "recipient",
		age_recipient_format(&p->recipient, recipient), "people", people_json(p), "previous", before),
	    out, err);
}

static bool is_text(const json_t *o, const char *key, const char *want)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && !strcmp(s, want);
}

static bool take_number(const json_t *o, const char *key, uint64_t max, uint32_t *ret)
{
	uint64_t n;

	if (!generation_json_u64(o, key, &n) || !n || n > max)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool take_person(const json_t *o, struct period *p)
{
	struct period_person *person = &p->people[p->n_people];
	const char *name = json_string_value(json_object_get(o, "name"));

	if (!name || !period_name_ok(name) || period_person(p, name) ||
	    !generation_json_sha256(o, "sha256", person->sha256) ||
	    !generation_json_text(o, "recipient", &person->recipient) ||
	    strlen(person->recipient) > PERIOD_RECIPIENT)
		return false;
	snprintf(person->name, sizeof(person->name), "%s", name);
	p->n_people++;
	return true;
}

static bool take_people(const json_t *list, struct period *p)
{
	size_t n = json_array_size(list);

	p->people = n && n <= PERIOD_PEOPLE_MAX ? calloc(n, sizeof(*p->people)) : NULL;
	for (size_t i = 0; p->people && i < n; i++)
		if (!take_person(json_array_get(list, i), p)) {
			free(p->people[p->n_people].recipient);
			return false;
		}
	return p->people;
}

/* The first member that is wrong, or NULL. */
static const char *take_members(const json_t *o, struct period *p)
{
	const char *id = json_string_value(json_object_get(o, "repository"));
	const char *recipient = json_string_value(json_object_get(o, "recipient"));
	const json_t *previous = json_object_get(o, "previous");

	if (json_integer_value(json_object_get(o, "format")) != 1 || !is_text(o, "kind", "bkp-period"))
		return "format, kind";
	if (!id || strlen(id) != sizeof(p->repository) - 1)
		return "repository";
	memcpy(p->repository, id, sizeof(p->repository));
	if (!take_number(o, "period", PERIOD_MAX, &p->number) ||
	    !take_number(o, "revision", PERIOD_REVISION_MAX, &p->revision))
		return "period, revision";
	if (!generation_json_time(o, "begun", &p->begun_ns))
		return "begun";
	if (!recipient || age_recipient_parse(recipient, &p->recipient, NULL))
		return "recipient";
	if (!take_people(json_object_get(o, "people"), p))
		return "people";
	if (p->number == 1 ? !json_is_null(previous)
			   : !generation_json_sha256(previous, "period_sha256", p->former_sha256) ||
				 !generation_json_sha256(previous, "identity_sha256", p->previous_sha256))
		return "previous";
	return NULL;
}

int period_parse(const char *json, size_t n, struct period **ret, struct err *err)
{
	struct period *p = calloc(1, sizeof(*p));
	json_error_t where;
	const char *wrong;
	json_t *o;

	if (!p)
		return err_nomem(err);
	o = json_loadb(json, n, JSON_REJECT_DUPLICATES, &where);
	wrong = json_is_object(o) ? take_members(o, p) : "{";
	if (!o)
		err_set_kind(err, ERR_MALFORMED, "E-PERIOD-01",
		    text("the file of a period is malformed at byte %d: %s"), where.position, where.text);
	else if (wrong)
		err_set_kind(err, ERR_MALFORMED, "E-PERIOD-01",
		    text("the file of a period: member '%s' is missing or wrong"), wrong);
	json_decref(o);
	if (wrong) {
		period_free(p);
		return -1;
	}
	*ret = p;
	return 0;
}

const struct period_person *period_person(const struct period *p, const char *name)
{
	for (size_t i = 0; i < p->n_people; i++)
		if (!strcmp(p->people[i].name, name))
			return &p->people[i];
	return NULL;
}

void period_free(struct period *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_people; i++)
		free(p->people[i].recipient);
	free(p->people);
	free(p);
}
