/* form_procedures: the recovery procedures in force (復旧手順書): version, approval, when each was rehearsed last, and whether that still
 * holds: one that was edited since its last drill is not rehearsed (未検証).
 *
 * Which are in force, and their SHA-256, the journal says; title and version are those of a drill of the same bytes. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

const struct fact_column form_procedures_columns[] = {{"name", TEXT_LATER("File"), FACT_TEXT},
    {"title", TEXT_LATER("Procedure"), FACT_TEXT}, {"version", TEXT_LATER("Version"), FACT_TEXT},
    {"sha256", TEXT_LATER("SHA-256"), FACT_TEXT}, {"drilled", TEXT_LATER("Last drill"), FACT_TIME},
    {"verdict", TEXT_LATER("Verdict"), FACT_TEXT}, {"state", TEXT_LATER("State"), FACT_TEXT},
    {"approved_by", TEXT_LATER("Approved by"), FACT_TEXT},
    {"approved_on", TEXT_LATER("Approved on"), FACT_TIME}};

/* The newest of these bytes; or (by_title) of another text of that title, which was in force before. */
static const struct ledger_drill *last_drill(const struct ledger *l, const char *sha256)
{
	for (size_t i = ledger_drills(l); i-- > 0;) {
		const struct ledger_drill *d = ledger_drill(l, i);

		/* a sample takes nothing away from a whole drill */
		if (strcmp(journal_text(d->record, "verdict"), "partial") != 0 &&
		    !strcmp(journal_text(json_object_get(d->record, "procedure"), "sha256"), sha256))
			return d;
	}
	return NULL;
}

/* Who approved it, and whether that is signed. */
static const char *approver_text(const json_t *a, char out[FORM_TEXT])
{
	snprintf(out, FORM_TEXT,
	    !a || *journal_text(a, "signed_by") ? "%s" : text("%s (declared only: 申告)"),
	    journal_text(a, "operator"));
	return out;
}

int form_procedures(const struct report *r, json_t *rows, struct err *err)
{
	const json_t *all = ledger_procedures(r->l);

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		const struct ledger_drill *d = last_drill(r->l, journal_text(one, "sha256"));
		const json_t *p = d ? json_object_get(d->record, "procedure") : NULL;
		const json_t *a = ledger_approved(r->l, journal_text(one, "sha256"));
		char drilled[FORM_TIME], approved[FORM_TIME], by[FORM_TEXT];
		int64_t approved_ns = 0;

		(void)clock_parse(journal_text(a, "time"), &approved_ns);

		if (form_row(rows, err, "name", journal_text(one, "name"), "title", journal_text(p, "title"),
			"version", journal_text(p, "version"), "sha256", journal_text(one, "sha256"),
			"drilled", form_time(d ? d->at_ns : 0, drilled), "verdict",
			drill_slip_verdict_text(d ? journal_text(d->record, "verdict") : ""), "state",
			d && d->proves ? text("rehearsed as it stands")
				       : text("NOT REHEARSED as it stands (未検証)"),
			"approved_by", approver_text(a, by), "approved_on", form_time(approved_ns, approved),
			NULL))
			return -1;
	}
	return 0;
}
