/* form_media: the forms of media: which may be connected, hand-over, disposal, loss; the ledger itself is medium_facts. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/show/journal_words.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define HELD 512

/* ---- media ---- */

/* Retired and lost ones, too: the ledger says what became of each. */
bool form_media_any(const struct report *r, const struct ledger_medium *m)
{
	return r && m;
}

/* What may be plugged in here: in use, and in the policy. */
bool form_media_allowed(const struct report *r, const struct ledger_medium *m)
{
	return !m->retired_ns && !m->lost_ns && policy_find_medium(r->policy, m->label);
}

const struct fact_column form_allowed_columns[] = {{"name", TEXT_LATER("Medium"), FACT_TEXT},
    {"technology", TEXT_LATER("Technology"), FACT_TEXT}, {"maker", TEXT_LATER("Maker"), FACT_TEXT},
    {"model", TEXT_LATER("Model"), FACT_TEXT}, {"serial", TEXT_LATER("Serial number"), FACT_TEXT},
    {"fs_uuid", TEXT_LATER("File system"), FACT_TEXT}, {"uuid", TEXT_LATER("Identity"), FACT_TEXT},
    {"registered", TEXT_LATER("Registered"), FACT_TIME},
    {"use_until", TEXT_LATER("To be used until"), FACT_DAY},
    {"custodian", TEXT_LATER("Custodian"), FACT_TEXT}};

/* ---- records ---- */

#define RECORD_COLUMNS                                                                                       \
	{"record", TEXT_LATER("No."), FACT_TEXT}, {"time", TEXT_LATER("Time"), FACT_TIME},                   \
	{                                                                                                    \
		"name", TEXT_LATER("Medium"), FACT_TEXT                                                      \
	}

#define SIGNATURE                                                                                            \
	{                                                                                                    \
		"signature", TEXT_LATER("Signature"), FACT_TEXT                                              \
	}

const struct fact_column form_transfers_columns[] = {RECORD_COLUMNS,
    {"what", TEXT_LATER("What happened"), FACT_TEXT}, {"from", TEXT_LATER("From"), FACT_TEXT},
    {"to", TEXT_LATER("To"), FACT_TEXT}, {"until", TEXT_LATER("Until"), FACT_DAY},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, {"witness", TEXT_LATER("Witness"), FACT_TEXT},
    {"reason", TEXT_LATER("Reason"), FACT_TEXT}, SIGNATURE};
const struct fact_column form_disposals_columns[] = {RECORD_COLUMNS,
    {"maker", TEXT_LATER("Maker"), FACT_TEXT}, {"model", TEXT_LATER("Model"), FACT_TEXT},
    {"serial", TEXT_LATER("Serial number"), FACT_TEXT}, {"reason", TEXT_LATER("Reason"), FACT_TEXT},
    {"method", TEXT_LATER("Method"), FACT_TEXT}, {"certificate", TEXT_LATER("Certificate number"), FACT_TEXT},
    {"keys_destroyed", TEXT_LATER("Keys destroyed"), FACT_TEXT},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, {"witness", TEXT_LATER("Witness"), FACT_TEXT},
    SIGNATURE};
const struct fact_column form_losses_columns[] = {RECORD_COLUMNS,
    {"what", TEXT_LATER("What happened"), FACT_TEXT}, {"serial", TEXT_LATER("Serial number"), FACT_TEXT},
    {"place", TEXT_LATER("Place"), FACT_TEXT}, {"held", TEXT_LATER("What was on it"), FACT_TEXT},
    {"cipher", TEXT_LATER("Cipher"), FACT_TEXT}, {"reason", TEXT_LATER("Reason"), FACT_TEXT},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, SIGNATURE};

/* Members of the record by their names; of the medium what the record does not say. */
static json_t *row_of(
    const struct report *r, const struct journal_record *o, const char *uuid, const char *what)
{
	static const char *const members[] = {"from", "to", "until", "operator", "witness", "reason",
	    "method", "certificate", "keys_destroyed", "place"};
	const struct ledger_medium *m = ledger_medium_by_uuid(r->l, uuid);
	json_t *row = m ? medium_facts_json(r->l, m) : json_object();
	char time[CLOCK_TEXT], number[24], signature[JOURNAL_WORDS];
	bool failed = !row;

	snprintf(number, sizeof(number), "%ju", (uintmax_t)o->seq);
	failed = failed || json_object_set_new(row, "record", json_string(number)) ||
		 json_object_set_new(row, "time", json_string(clock_format(o->wall_ns, time))) ||
		 json_object_set_new(row, "what", json_string(what)) ||
		 json_object_set_new(row, "signature", json_string(journal_words_signed(o, r->l, signature)));
	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && !failed; i++)
		failed = json_object_set_new(row, members[i], json_string(journal_text(o->json, members[i])));
	if (!failed && !*journal_text(row, "to"))
		failed = json_object_set_new(row, "to", json_string(journal_text(o->json, "place")));
	if (failed) {
		json_decref(row);
		row = NULL;
	}
	return row;
}

struct kind {
	const char *event, *words;
};

/* The row of a record of one of these events; an empty array: it is none of them. */
static json_t *row_among(
    const struct report *r, const struct journal_record *o, const struct kind *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(kinds[i].event, o->event))
			return json_pack(
			    "[o]", row_of(r, o, journal_text(o->json, "medium"), text(kinds[i].words)));
	return json_array();
}

json_t *form_transfer(const struct report *r, const struct journal_record *o)
{
	static const struct kind kinds[] = {{"rotated", TEXT_LATER("rotated, to be taken away")},
	    {"medium-moved", TEXT_LATER("moved")}, {"medium-handed", TEXT_LATER("handed over")},
	    {"medium-lent", TEXT_LATER("lent")}, {"medium-returned", TEXT_LATER("brought back")}};

	return row_among(r, o, kinds, sizeof(kinds) / sizeof(*kinds));
}

json_t *form_disposal(const struct report *r, const struct journal_record *o)
{
	static const struct kind kinds[] = {{"medium-retired", TEXT_LATER("retired")}};

	return row_among(r, o, kinds, 1);
}

/* "emr 3 (42); docs 3 (42)" */
static void set_held(json_t *row, const json_t *held)
{
	char all[HELD] = "";
	const char *set;
	const json_t *o;
	size_t n = 0;

	json_object_foreach((json_t *)held, set, o)
	{
		if (n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n,
			    text("%s%s: %jd generations, newest %jd"), n ? "; " : "", set,
			    (intmax_t)json_integer_value(json_object_get(o, "generations")),
			    (intmax_t)json_integer_value(json_object_get(o, "newest")));
	}
	json_object_set_new(row, "held", json_string(all));
}

json_t *form_loss(const struct report *r, const struct journal_record *o)
{
	static const struct kind kinds[] = {
	    {"medium-lost", TEXT_LATER("lost")}, {"medium-found", TEXT_LATER("found again")}};
	const json_t *missing = json_object_get(o->json, "missing");
	json_t *rows = strcmp(o->event, "media-counted") ? row_among(r, o, kinds, 2) : json_array();

	for (size_t i = 0; !strcmp(o->event, "media-counted") && i < json_array_size(missing); i++)
		json_array_append_new(rows, row_of(r, o, json_string_value(json_array_get(missing, i)),
						text("not found at a stock-take")));
	if (!strcmp(o->event, "medium-lost"))
		set_held(json_array_get(rows, 0), json_object_get(o->json, "held"));
	return rows;
}
