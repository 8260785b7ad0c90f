/* form_plan: what the hospital and its vendor agree on before backups kept offline begin: the plan (オフラインバックアップ計画書), and the
 * sheet by which the vendor is asked of each system (ヒアリングシート).
 *
 * All that the policy and the journal know is filled in; what only people know is an empty box. */

#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/app/out.h"
#include "cmd/report/form/form.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

const struct fact_column form_plan_columns[] = {{"section", TEXT_LATER("Section"), FACT_TEXT},
    {"item", TEXT_LATER("Item"), FACT_TEXT}, {"content", TEXT_LATER("What is agreed"), FACT_TEXT}};
const struct fact_column form_hearing_columns[] = {{"dataset", TEXT_LATER("System"), FACT_TEXT},
    {"question", TEXT_LATER("Question"), FACT_TEXT}, {"answer", TEXT_LATER("As set up"), FACT_TEXT},
    {"confirmed", TEXT_LATER("Answer of the vendor, or agreed"), FACT_TEXT}};

/* The bytes that its newest counting generation refers to: what a restore has to read at least. */
static const char *size_of(const struct report *r, const struct compliance_dataset *d, char out[OUT_BYTES])
{
	const struct ledger_generation *g =
	    d->newest ? ledger_generation_of(r->l, d->policy->name, d->newest) : NULL;

	*out = '\0';
	return g ? out_bytes(g->bytes, out) : out;
}

/* ---- the plan ---- */

struct plan {
	const struct report *r;
	json_t *rows;
	struct err *err;
};

static int say(const struct plan *p, const char *section, const char *item, const char *content)
{
	return form_row(p->rows, p->err, "section", section, "item", item, "content", content, NULL);
}

static int say_purpose(const struct plan *p)
{
	return say(p, text("Purpose of the backup"), text("Item of the checklist"), "3-②") ||
		       say(p, text("Purpose of the backup"), text("Purpose"),
			   text("patients can be treated with restored data although every system and every "
				"copy that was "
				"attached to the network is lost"))
		   ? -1
		   : 0;
}

static int say_datasets(const struct plan *p)
{
	const char *section = text("Data and how it is backed up");

	for (size_t i = 0; i < p->r->standing->n_datasets; i++) {
		const struct compliance_dataset *d = &p->r->standing->datasets[i];
		char size[OUT_BYTES], every[POLICY_PLAN_TEXT], rpo[FORM_TEXT], line[2 * FORM_TEXT];

		snprintf(line, sizeof(line),
		    text("%s; captured %s; %u generations; recovery point within %s; %s"),
		    form_made(d->policy), policy_plan_schedule(p->r->policy, d->policy, every),
		    d->policy->generations, form_span_or(d->policy->rpo_s, rpo), size_of(p->r, d, size));
		if (say(p, section, form_dataset(p->r, d->policy->name), line))
			return -1;
	}
	return 0;
}

static int say_media(const struct plan *p)
{
	const char *section = text("Media");

	for (size_t i = 0; i < p->r->policy->n_media; i++) {
		const struct policy_medium *m = &p->r->policy->media[i];
		char line[FORM_TEXT];

		snprintf(line, sizeof(line),
		    m->offline ? text("%s, kept offline, at %s") : text("%s, attached, at %s"),
		    policy_plan_technology(m->type), m->place ? m->place : "");
		if (say(p, section, m->name, line))
			return -1;
	}
	for (size_t i = 0; i < p->r->policy->n_pools; i++) {
		char rhythm[POLICY_PLAN_TEXT];

		if (say(p, section, p->r->policy->pools[i].name,
			policy_plan_rhythm(&p->r->policy->pools[i], rhythm)))
			return -1;
	}
	return 0;
}

static int say_agreement(const struct plan *p)
{
	const char *section = text("Agreement on the plan");
	char names[FORM_TEXT];

	return say(p, section, text("Operators"),
		   policy_plan_people(p->r->policy, POLICY_OPERATOR, names, sizeof(names))) ||
		       say(p, section, text("Witnesses"),
			   policy_plan_people(p->r->policy, POLICY_WITNESS, names, sizeof(names))) ||
		       say(p, section, text("Vendor"),
			   policy_plan_people(p->r->policy, POLICY_VENDOR, names, sizeof(names))) ||
		       say(p, section, text("In force from"), "") ||
		       say(p, section, text("Looked at again on"), "")
		   ? -1
		   : 0;
}

int form_plan(const struct report *r, json_t *rows, struct err *err)
{
	const struct plan p = {r, rows, err};

	return say_purpose(&p) || say_datasets(&p) || say_media(&p) || say_agreement(&p) ? -1 : 0;
}

/* ---- what the vendor is asked ---- */

static int ask(json_t *rows, struct err *err, const char *dataset, const char *question, const char *answer)
{
	return form_row(
	    rows, err, "dataset", dataset, "question", question, "answer", answer, "confirmed", "", NULL);
}

static int ask_of(const struct report *r, const struct compliance_dataset *s, json_t *rows, struct err *err)
{
	const struct policy_dataset *d = s->policy;
	char where[FORM_TEXT], size[OUT_BYTES], every[POLICY_PLAN_TEXT], rto[FORM_TEXT];
	const char *name = form_dataset(r, d->name);

	return ask(rows, err, name, text("Where is the data, and on which computer?"),
		   form_location(d, where)) ||
		       ask(rows, err, name, text("How large is it, and how much changes a day?"),
			   size_of(r, s, size)) ||
		       ask(rows, err, name, text("How is a consistent copy made while it is in use?"),
			   form_made(d)) ||
		       ask(rows, err, name, text("When may it be captured?"),
			   policy_plan_schedule(r->policy, d, every)) ||
		       ask(rows, err, name, text("How soon must it be in use again?"),
			   form_span_or(d->rto_s, rto)) ||
		       ask(rows, err, name, text("Whose duty is the backup, and whose the recovery?"),
			   policy_responsibility_text(d->responsibility)) ||
		       ask(rows, err, name, text("Software and version that a recovery needs"), "") ||
		       ask(rows, err, name,
			   text("What else is needed to start it (licences, accounts, order)"), "")
		   ? -1
		   : 0;
}

int form_hearing(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->standing->n_datasets; i++)
		if (ask_of(r, &r->standing->datasets[i], rows, err))
			return -1;
	return 0;
}
