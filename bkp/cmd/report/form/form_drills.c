/* form_drills: the list of drills and recoveries (訓練一覧): one row for each record that was taken over, as it was measured; what it may
 * take says the policy of today, and nothing is predicted.  Their gates (復旧前確認書): one row for each signature that was asked for.  What
 * drills showed (指摘). */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"
#include "read/drills/drills.h"
#include "read/drills/pace.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

#define LINE 512

const struct fact_column form_drills_columns[] = {{"record", TEXT_LATER("No."), FACT_TEXT},
    {"ended", TEXT_LATER("Ended"), FACT_TIME}, {"kind", TEXT_LATER("Kind"), FACT_TEXT},
    {"procedure", TEXT_LATER("Procedure"), FACT_TEXT}, {"verdict", TEXT_LATER("Verdict"), FACT_TEXT},
    {"medium", TEXT_LATER("Medium"), FACT_TEXT}, {"generations", TEXT_LATER("Generations"), FACT_TEXT},
    {"bytes", TEXT_LATER("Bytes restored"), FACT_TEXT},
    {"seconds_per_gb", TEXT_LATER("Seconds per GB"), FACT_TEXT},
    {"rto", TEXT_LATER("RTO, measured"), FACT_TEXT},
    {"rto_target", TEXT_LATER("RTO, of the policy"), FACT_TEXT},
    {"rto_procedure", TEXT_LATER("RTO, of the procedure"), FACT_TEXT},
    {"rpo", TEXT_LATER("RPO, measured"), FACT_TEXT},
    {"rpo_target", TEXT_LATER("RPO, of the policy"), FACT_TEXT},
    {"steps", TEXT_LATER("Steps: all, failed, late"), FACT_TEXT},
    {"isolated", TEXT_LATER("Isolated"), FACT_TEXT}, {"erased", TEXT_LATER("Erased"), FACT_TEXT},
    {"operator", TEXT_LATER("Operator"), FACT_TEXT}, {"host", TEXT_LATER("Computer"), FACT_TEXT},
    {"signed_by", TEXT_LATER("Signed by"), FACT_TEXT}, {"carried_by", TEXT_LATER("Brought by"), FACT_TEXT}};

static json_t *span_json(int64_t s)
{
	char out[LINE];

	return json_string(s > 0 ? compliance_span(s, out, sizeof(out)) : "");
}

static json_t *measured_json(const json_t *v)
{
	char out[LINE];

	return json_string(
	    json_is_integer(v) ? compliance_span(json_integer_value(v), out, sizeof(out)) : "");
}

/* "emr@42, docs@41"; returns out. */
static char *generations_of(const json_t *sets, char out[LINE])
{
	char label[GENERATION_LABEL];

	*out = '\0';
	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *o = json_array_get(sets, i);

		form_join(out, LINE,
		    generation_label(journal_text(o, "dataset"),
			(uint64_t)json_integer_value(json_object_get(o, "generation")), label));
	}
	return out;
}

/* Of all of them. */
static double sum_of(const json_t *sets, const char *key)
{
	double sum = 0;

	for (size_t i = 0; i < json_array_size(sets); i++)
		sum += (double)json_integer_value(json_object_get(json_array_get(sets, i), key));
	return sum;
}

/* Title and version of the procedure; returns out. */
static char *title_of(const json_t *o, char out[LINE])
{
	const json_t *p = json_object_get(o, "procedure");

	snprintf(out, LINE, "%s%s%s", journal_text(p, "title"), *journal_text(p, "version") ? " " : "",
	    journal_text(p, "version"));
	return out;
}

const struct fact_column form_findings_columns[] = {{"finding", TEXT_LATER("No."), FACT_TEXT},
    {"raised", TEXT_LATER("Raised"), FACT_TIME}, {"from", TEXT_LATER("From"), FACT_TEXT},
    {"text", TEXT_LATER("Finding"), FACT_TEXT}, {"owner", TEXT_LATER("Owner"), FACT_TEXT},
    {"due", TEXT_LATER("Due"), FACT_TEXT}, {"measure", TEXT_LATER("Measure"), FACT_TEXT},
    {"closed", TEXT_LATER("Follow-up"), FACT_TEXT}, {"closed_by", TEXT_LATER("Seen by"), FACT_TEXT},
    {"state", TEXT_LATER("State"), FACT_TEXT}};

int form_findings(const struct report *r, json_t *rows, struct err *err)
{
	char raised[FORM_TIME];

	for (size_t i = 0; i < ledger_findings(r->l); i++) {
		const struct ledger_finding *f = ledger_finding(r->l, i);

		if (form_row(rows, err, "finding", f->id, "raised", form_time(f->at_ns, raised), "from",
			f->title, "text", journal_text(f->raised, "text"), "owner",
			journal_text(f->raised, "owner"), "due", f->due, "measure",
			journal_text(f->measure, "text"), "closed", journal_text(f->closed, "text"),
			"closed_by", journal_text(f->closed, "operator"), "state",
			f->closed			       ? text("closed")
			: ledger_finding_overdue(f, r->now_ns) ? text("OVERDUE")
							       : text("open"),
			NULL))
			return -1;
	}
	return 0;
}

/* The figures of one. */
static json_t *figures_json(const struct report *r, const json_t *o)
{
	const json_t *sets = json_object_get(o, "datasets");
	char size[32], pace[32] = "", steps[64], all[LINE];
	const double bytes = sum_of(sets, "bytes"), ms = sum_of(sets, "ms");

	snprintf(size, sizeof(size), "%.0f", bytes);
	if (bytes >= PACE_LEAST)
		snprintf(pace, sizeof(pace), "%.1f", ms / 1e3 / (bytes / 1e9));
	snprintf(steps, sizeof(steps), "%jd, %jd, %jd",
	    (intmax_t)json_integer_value(json_object_get(o, "steps")),
	    (intmax_t)json_integer_value(json_object_get(o, "failed")),
	    (intmax_t)json_integer_value(json_object_get(o, "late")));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "generations",
	    generations_of(sets, all), "bytes", size, "seconds_per_gb", pace, "steps", steps, "rto",
	    measured_json(json_object_get(o, "recovery_s")), "rpo",
	    measured_json(json_object_get(o, "rpo_s")), "rto_target",
	    span_json(drills_target(r->policy, o, false)), "rto_procedure",
	    span_json(json_integer_value(json_object_get(o, "procedure_rto_s"))), "rpo_target",
	    span_json(drills_target(r->policy, o, true)));
}

json_t *form_drill(const struct report *r, const struct journal_record *rec)
{
	const json_t *o = rec->json;
	const bool drill = !strcmp(journal_text(o, "kind"), "drill");
	const char *signer = json_string_value(json_object_get(o, "signed_by"));
	char number[24], title[LINE], medium[LINE];
	const json_t *isolated = json_object_get(o, "isolated");
	json_t *row;

	if (strcmp(rec->event, "drill") != 0)
		return json_array();
	snprintf(number, sizeof(number), "%ju", (uintmax_t)rec->seq);
	snprintf(medium, sizeof(medium), "%s (%s)", journal_text(o, "label"), journal_text(o, "type"));
	row = figures_json(r, o);
	if (!row ||
	    json_object_update_new(row,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "isolated",
		    json_is_true(isolated)    ? text("yes")
		    : json_is_false(isolated) ? text("no")
					      : "",
		    "record", number, "ended", journal_text(o, "finished"), "kind",
		    drill ? text("drill") : text("recovery"), "procedure", title_of(o, title), "verdict",
		    drill_slip_verdict_text(journal_text(o, "verdict")), "medium", medium, "erased",
		    !drill					 ? ""
		    : json_is_true(json_object_get(o, "erased")) ? text("yes")
								 : text("no"),
		    "operator", journal_text(o, "operator"), "host", journal_text(o, "host"), "signed_by",
		    signer ? signer : text("declared only"), "carried_by", journal_text(o, "carried_by")))) {
		json_decref(row);
		return NULL;
	}
	return json_pack("[o]", row);
}

/* ---- the confirmation before recovery ---- */

const struct fact_column form_gates_columns[] = {{"record", TEXT_LATER("No."), FACT_TEXT},
    {"begun", TEXT_LATER("Begun"), FACT_TIME}, {"kind", TEXT_LATER("Kind"), FACT_TEXT},
    {"procedure", TEXT_LATER("Procedure"), FACT_TEXT}, {"generations", TEXT_LATER("Generations"), FACT_TEXT},
    {"step", TEXT_LATER("Step"), FACT_TEXT}, {"text", TEXT_LATER("What is signed"), FACT_TEXT},
    {"pass", TEXT_LATER("Pass criterion"), FACT_TEXT}, {"role", TEXT_LATER("Role"), FACT_TEXT},
    {"name", TEXT_LATER("Name"), FACT_TEXT}, {"when", TEXT_LATER("Signed on"), FACT_TIME},
    {"evidence", TEXT_LATER("Evidence"), FACT_TEXT},
    {"signed_by", TEXT_LATER("Record signed by"), FACT_TEXT}};

/* p: the one who signed; NULL: nobody did.  which: of so many. */
static int gate_row(const struct journal_record *rec, const json_t *gate, size_t which, json_t *rows)
{
	const json_t *o = rec->json, *p = json_array_get(json_object_get(gate, "signed"), which);
	const bool drill = !strcmp(journal_text(o, "kind"), "drill");
	const char *signer = json_string_value(json_object_get(o, "signed_by"));
	char number[24], title[LINE], all[LINE], step[24] = "", role[FORM_TEXT] = "";

	snprintf(number, sizeof(number), "%ju", (uintmax_t)rec->seq);
	if (gate) {
		snprintf(
		    step, sizeof(step), "%jd", (intmax_t)json_integer_value(json_object_get(gate, "step")));
		snprintf(role, sizeof(role), text("%s, %zu of %jd"), journal_text(gate, "role"), which + 1,
		    (intmax_t)json_integer_value(json_object_get(gate, "people")));
	}
	return form_row(rows, NULL, "record", number, "begun", journal_text(o, "begun"), "kind",
	    drill ? text("drill: played, confirms nothing") : text("recovery"), "procedure",
	    title_of(o, title), "generations", generations_of(json_object_get(o, "datasets"), all), "step",
	    step, "text",
	    gate			  ? journal_text(gate, "text")
	    : json_object_get(o, "gates") ? text("NO GATE stands in this procedure")
					  : text("not on record (taken over by an earlier version)"),
	    "pass", journal_text(gate, "pass"), "role", role, "name",
	    p	   ? journal_text(p, "by")
	    : gate ? text("NOT SIGNED")
		   : "",
	    "when", journal_text(p, "when"), "evidence", journal_text(p, "evidence"), "signed_by",
	    signer ? signer : text("declared only"), NULL);
}

/* Of a recovery without any that is said; a drill without is no matter. */
json_t *form_gates(const struct report *r, const struct journal_record *rec)
{
	const json_t *gates = json_object_get(rec->json, "gates");
	json_t *rows = json_array();
	bool failed = !rows;

	(void)r;
	if (strcmp(rec->event, "drill") != 0)
		return rows;
	for (size_t i = 0; i < json_array_size(gates); i++) {
		const json_t *gate = json_array_get(gates, i);

		for (size_t k = 0; (json_int_t)k < json_integer_value(json_object_get(gate, "people")); k++)
			failed = failed || gate_row(rec, gate, k, rows);
	}
	if (!json_array_size(gates) && !strcmp(journal_text(rec->json, "kind"), "recovery"))
		failed = failed || gate_row(rec, NULL, 0, rows);
	if (!failed)
		return rows;
	json_decref(rows);
	return NULL;
}
