/* report_lists: which lists there are, their columns, and where their rows come from; see report.h.
 *
 * A new list is a row of lists[], its columns, and a function that says which media or records are in it. */
#include "cmd/report/report.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store_dir.h"

#define HELD 512

/* ---- media ---- */

/* Retired and lost ones, too: the ledger says what became of each. */
static bool is_any(const struct report *r, const struct ledger_medium *m)
{
	return r && m;
}

/* What may be plugged in here: in use, and in the policy. */
static bool is_allowed(const struct report *r, const struct ledger_medium *m)
{
	return !m->retired_ns && !m->lost_ns && policy_find_medium(r->policy, m->label);
}

static const struct fact_column allowed[] = {{"name", TEXT_LATER("Medium"), FACT_TEXT},
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

static const struct fact_column transfers[] = {RECORD_COLUMNS,
    {"what", TEXT_LATER("What happened"), FACT_TEXT}, {"from", TEXT_LATER("From"), FACT_TEXT},
    {"to", TEXT_LATER("To"), FACT_TEXT}, {"until", TEXT_LATER("Until"), FACT_DAY},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, {"witness", TEXT_LATER("Witness"), FACT_TEXT},
    {"reason", TEXT_LATER("Reason"), FACT_TEXT}};
static const struct fact_column disposals[] = {RECORD_COLUMNS, {"maker", TEXT_LATER("Maker"), FACT_TEXT},
    {"model", TEXT_LATER("Model"), FACT_TEXT}, {"serial", TEXT_LATER("Serial number"), FACT_TEXT},
    {"reason", TEXT_LATER("Reason"), FACT_TEXT}, {"method", TEXT_LATER("Method"), FACT_TEXT},
    {"certificate", TEXT_LATER("Certificate number"), FACT_TEXT},
    {"keys_destroyed", TEXT_LATER("Keys destroyed"), FACT_TEXT},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, {"witness", TEXT_LATER("Witness"), FACT_TEXT}};
static const struct fact_column losses[] = {RECORD_COLUMNS, {"what", TEXT_LATER("What happened"), FACT_TEXT},
    {"serial", TEXT_LATER("Serial number"), FACT_TEXT}, {"place", TEXT_LATER("Place"), FACT_TEXT},
    {"held", TEXT_LATER("What was on it"), FACT_TEXT}, {"cipher", TEXT_LATER("Cipher"), FACT_TEXT},
    {"reason", TEXT_LATER("Reason"), FACT_TEXT}, {"operator", TEXT_LATER("Operator"), FACT_TEXT}};

/* Members of the record by their names; of the medium what the record does not say. */
static json_t *row_of(
    const struct report *r, const struct journal_record *o, const char *uuid, const char *what)
{
	static const char *const members[] = {"from", "to", "until", "operator", "witness", "reason",
	    "method", "certificate", "keys_destroyed", "place"};
	const struct ledger_medium *m = ledger_medium_by_uuid(r->l, uuid);
	json_t *row = m ? medium_facts_json(r->l, m) : json_object();
	char time[CLOCK_TEXT], number[24];
	bool failed = !row;

	snprintf(number, sizeof(number), "%ju", (uintmax_t)o->seq);
	failed = failed || json_object_set_new(row, "record", json_string(number)) ||
		 json_object_set_new(row, "time", json_string(clock_format(o->wall_ns, time))) ||
		 json_object_set_new(row, "what", json_string(what));
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

static json_t *transfer_of(const struct report *r, const struct journal_record *o)
{
	static const struct kind kinds[] = {{"rotated", TEXT_LATER("rotated, to be taken away")},
	    {"medium-moved", TEXT_LATER("moved")}, {"medium-handed", TEXT_LATER("handed over")},
	    {"medium-lent", TEXT_LATER("lent")}, {"medium-returned", TEXT_LATER("brought back")}};

	return row_among(r, o, kinds, sizeof(kinds) / sizeof(*kinds));
}

static json_t *disposal_of(const struct report *r, const struct journal_record *o)
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

static json_t *loss_of(const struct report *r, const struct journal_record *o)
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

/* ---- all of them ---- */

#define COLUMNS(list) list, sizeof(list) / sizeof(*(list))

static const struct report_list lists[] = {
    {"media", TEXT_LATER("Ledger of media"), medium_facts, MEDIUM_FACTS, true, is_any, NULL},
    {"allowed", TEXT_LATER("Media that may be connected"), COLUMNS(allowed), false, is_allowed, NULL},
    {"transfers", TEXT_LATER("Hand-over and carrying out of media"), COLUMNS(transfers), false, NULL,
	transfer_of},
    {"disposals", TEXT_LATER("Disposal of media"), COLUMNS(disposals), false, NULL, disposal_of},
    {"losses", TEXT_LATER("Loss of media"), COLUMNS(losses), false, NULL, loss_of},
    {"drills", TEXT_LATER("Drills and recoveries"), report_drills, REPORT_DRILLS, true, NULL,
	report_drill_of}};

const struct report_list *report_list_of(const char *name)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!strcmp(lists[i].name, name))
			return &lists[i];
	return NULL;
}

const char *report_list_nth(size_t n)
{
	return n < sizeof(lists) / sizeof(*lists) ? lists[n].name : NULL;
}

struct reading {
	const struct report *r;
	const struct report_list *list;
	json_t *rows;
};

/* Up to the record that the fold ends with: the foot names it. */
static int take_record(void *arg, const struct journal_record *o, struct err *err)
{
	const struct reading *k = arg;
	json_t *some;
	int failed;

	if (o->seq > ledger_seq(k->r->l))
		return 0;
	some = k->list->record(k->r, o);
	failed = !some || json_array_extend(k->rows, some);
	json_decref(some);
	return failed ? err_nomem(err) : 0;
}

/* Each record is shown only after its signature has been checked. */
static int read_records(struct reading *k)
{
	STORE_AUTO folder = {0};
	STORE_FILE_AUTO journal = {0};
	struct err err = ERR_INIT;
	struct ledger *again;

	if (store_dir_open(k->r->policy->state, &folder, &err) || segments_open(&folder, &journal, &err) ||
	    ledger_load_file(&journal, JOURNAL_DIR, ledger_root(k->r->l), take_record, k, &again, &err))
		return app_error(&err, APP_UNKNOWN);
	ledger_free(again);
	return APP_OK;
}

int report_rows(const struct report *r, const struct report_list *list, json_t **ret)
{
	struct reading k = {r, list, json_array()};
	struct err err = ERR_INIT;
	int code = k.rows ? APP_OK : app_error((err_nomem(&err), &err), APP_FAILED);

	if (!code && list->record)
		code = read_records(&k);
	for (size_t i = 0; !code && list->medium && i < ledger_media(r->l); i++)
		if (list->medium(r, ledger_medium(r->l, i)) &&
		    json_array_append_new(k.rows, medium_facts_json(r->l, ledger_medium(r->l, i))))
			code = app_error((err_nomem(&err), &err), APP_FAILED);
	if (code)
		json_decref(k.rows);
	else
		*ret = k.rows;
	return code;
}
