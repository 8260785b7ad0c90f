/* form_people: who may do what (権限・アカウント一覧), and the register of keys (鍵管理簿). */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"

/* ---- people ---- */

const struct fact_column form_people_columns[] = {{"name", TEXT_LATER("Name"), FACT_TEXT},
    {"roles", TEXT_LATER("Roles"), FACT_TEXT}, {"may", TEXT_LATER("What they may do"), FACT_TEXT},
    {"key", TEXT_LATER("Key that they sign with"), FACT_TEXT},
    {"dual", TEXT_LATER("Several roles (兼務)"), FACT_TEXT},
    {"looked", TEXT_LATER("Looked at, date"), FACT_TEXT}};

static const char *const may[] = {TEXT_LATER("decides, approves, looks at uses of keys"),
    TEXT_LATER("brings media in and takes them away"), TEXT_LATER("signs when a medium changes hands"),
    TEXT_LATER("keeps a recovery key"), TEXT_LATER("restores, with a key that somebody hands over"),
    TEXT_LATER("verifies, reads the journal"), TEXT_LATER("what the contract says")};

int form_people(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->policy->n_people; i++) {
		const struct policy_person *p = &r->policy->people[i];
		char roles[FORM_TEXT] = "", does[FORM_TEXT] = "";
		unsigned n = 0;

		for (unsigned k = 0; k < POLICY_ROLES; k++) {
			if (!(p->roles & 1u << k))
				continue;
			form_join(roles, sizeof(roles), policy_plan_role(k));
			form_join(does, sizeof(does), text(may[k]));
			n++;
		}
		if (r->policy->expire_by && p->key && p->roles & 1u << (r->policy->expire_by - 1))
			form_join(does, sizeof(does), text("approves expiries"));
		if (form_row(rows, err, "name", p->name, "roles", roles, "may", does, "key", p->key, "dual",
			n > 1 ? text("yes (兼務)") : "", "looked", "", NULL))
			return -1;
	}
	return form_row(rows, err, "name", text("bkp on the capturing computer"), "roles", text("capture"),
	    "may",
	    text("captures, writes media; holds public keys alone: cannot decrypt what it has written"),
	    "key", "", "dual", "", "looked", "", NULL);
}

/* ---- keys ---- */

const struct fact_column form_keys_columns[] = {{"record", TEXT_LATER("No."), FACT_TEXT},
    {"time", TEXT_LATER("Time"), FACT_TIME}, {"what", TEXT_LATER("What happened"), FACT_TEXT},
    {"period", TEXT_LATER("Period, revision"), FACT_TEXT}, {"people", TEXT_LATER("Holders"), FACT_TEXT},
    {"envelope", TEXT_LATER("Envelope"), FACT_TEXT}, {"seal", TEXT_LATER("Seal"), FACT_TEXT},
    {"place", TEXT_LATER("Place"), FACT_TEXT}, {"holder", TEXT_LATER("Kept by"), FACT_TEXT},
    {"why", TEXT_LATER("Reason"), FACT_TEXT}, {"operator", TEXT_LATER("Operator"), FACT_TEXT}};

static const char *envelope_text(const char *action)
{
	return !strcmp(action, "added")	   ? text("envelope put away")
	       : !strcmp(action, "opened") ? text("envelope opened")
	       : !strcmp(action, "sealed") ? text("envelope sealed again")
					   : text("envelope given up");
}

static const char *key_text(const struct journal_record *o)
{
	if (!strcmp(o->event, "init"))
		return text("first period");
	if (!strcmp(o->event, "envelope"))
		return envelope_text(journal_text(o->json, "action"));
	return json_is_true(json_object_get(o->json, "renew")) ? text("holders changed, stored anew")
							       : text("holders changed");
}

json_t *form_key(const struct report *r, const struct journal_record *o)
{
	const bool envelope = !strcmp(o->event, "envelope"), init = !strcmp(o->event, "init");
	const json_t *people = json_object_get(o->json, "people");
	char number[24], time[FORM_TIME], period[FORM_TIME * 2] = "", names[FORM_TEXT] = "";
	json_t *rows = json_array();

	(void)r;
	if (!rows || (!envelope && !init && strcmp(o->event, "keys") != 0))
		return rows;
	if (!envelope)
		snprintf(period, sizeof(period), "%jd, %jd",
		    init ? 1 : (intmax_t)json_integer_value(json_object_get(o->json, "period")),
		    init ? 1 : (intmax_t)json_integer_value(json_object_get(o->json, "revision")));
	for (size_t i = 0; i < json_array_size(people); i++)
		form_join(names, sizeof(names), json_string_value(json_array_get(people, i)));
	if (envelope)
		form_join(names, sizeof(names), journal_text(o->json, "person"));
	snprintf(number, sizeof(number), "%ju", (uintmax_t)o->seq);
	if (form_row(rows, NULL, "record", number, "time", form_time(o->wall_ns, time), "what", key_text(o),
		"period", period, "people", names, "envelope", journal_text(o->json, "number"), "seal",
		journal_text(o->json, "seal"), "place", journal_text(o->json, "place"), "holder",
		journal_text(o->json, "holder"), "why", journal_text(o->json, "why"), "operator",
		journal_text(o->json, "operator"), NULL)) {
		json_decref(rows);
		return NULL;
	}
	return rows;
}
