/* form_regulation: the backup chapter of the operating rules (運用管理規程) as read/regulation writes it, who approved it, and each clause that is
 * another now.  It is refused while the policy still holds what was to be filled in (〇〇), or leaves out what rules cannot do without. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/report/form/form.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/regulation/regulation.h"

const struct fact_column form_regulation_columns[] = {{"article", TEXT_LATER("Article"), FACT_TEXT},
    {"subject", TEXT_LATER("Subject"), FACT_TEXT}, {"rule", TEXT_LATER("Rule"), FACT_TEXT}};

/* ---- what must be filled in ---- */

static int not_filled(const char *key, const char *value, struct err *err)
{
	err_set_kind(err, ERR_INCOMPLETE, "E-REPORT-20",
	    text("the operating rules cannot be printed: '%s' of the policy is not filled in: '%s'"), key,
	    value);
	return err_hint(err, "%s", text("fill it in there, run 'bkp check', and print them again"));
}

static int look(const char *key, const char *value, struct err *err)
{
	static const char *const blanks[] = {"〇〇", "○○", "◯◯", "____", "＿＿"};

	for (size_t i = 0; value && i < sizeof(blanks) / sizeof(*blanks); i++)
		if (strstr(value, blanks[i]))
			return not_filled(key, value, err);
	return 0;
}

static int look_at_role(const struct policy *p, enum policy_role role, const char *word, struct err *err)
{
	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].roles & role)
			return 0;
	return not_filled("people", word, err);
}

int form_regulation_refuses(const struct report *r, struct err *err)
{
	const struct policy *p = r->policy;

	if (look("site.name", p->site_name, err) || look_at_role(p, POLICY_MANAGER, "manager", err) ||
	    look_at_role(p, POLICY_OPERATOR, "operator", err))
		return -1;
	for (size_t i = 0; i < p->n_people; i++)
		if (look("people", p->people[i].name, err))
			return -1;
	for (size_t i = 0; i < p->n_places; i++)
		if (look("places", p->places[i].name, err) ||
		    look("places.address", p->places[i].address, err))
			return -1;
	for (size_t i = 0; i < p->n_media; i++)
		if (look("media.place", p->media[i].place ? p->media[i].place : "____", err))
			return -1;
	for (size_t i = 0; i < p->n_datasets; i++)
		if (look("datasets.title", p->datasets[i].title, err))
			return -1;
	return 0;
}

/* ---- approval ---- */

static int put_row(json_t *rows, const char *article, const char *subject, const char *rule, struct err *err)
{
	return form_row(rows, err, "article", article, "subject", subject, "rule", rule, NULL);
}

static int put_approval(const json_t *a, json_t *rows, struct err *err)
{
	const char *signer = journal_text(a, "signed_by");
	char line[FORM_TEXT], date[FORM_TIME];
	int64_t ns = 0;

	(void)clock_parse(journal_text(a, "time"), &ns);
	if (a)
		snprintf(line, sizeof(line), text("approved by %s on %s (%s), SHA-256 of the text: %s"),
		    journal_text(a, "operator"), form_date(day_of(ns), date),
		    *signer ? text("signed") : text("declared only"), journal_text(a, "sha256"));
	return put_row(rows, "", text("Approval"), a ? line : text("NOT APPROVED by anybody yet"), err);
}

int form_regulation(const struct report *r, json_t *rows, struct err *err)
{
	json_t *changes = json_array();
	int failed = !changes || regulation_write(r->policy, r->l, true, rows, err) ||
		     put_approval(ledger_regulation(r->l), rows, err) ||
		     regulation_changes(r->policy, r->l, changes, err);

	for (size_t i = 0; i < json_array_size(changes) && !failed; i++) {
		const json_t *o = json_array_get(changes, i);

		failed = put_row(rows, journal_text(o, "article"), text("CHANGED since the approval"),
		    journal_text(o, "rule"), err);
	}
	json_decref(changes);
	return failed ? -1 : 0;
}

const char *form_regulation_note(const struct report *r)
{
	json_t *changes = json_array();
	const bool failed = !changes || regulation_changes(r->policy, r->l, changes, NULL);
	const bool changed = json_array_size(changes) > 0;

	json_decref(changes);
	return failed			  ? NULL
	       : !ledger_regulation(r->l) ? text("nobody has approved it as it stands")
	       : changed		  ? text("clauses changed since its approval: form 15 names them")
					  : "";
}
