/* form_datasets: what is backed up (対象データ一覧表), and the table for the business continuity plan (BCP表), from the policy in force. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/drills/drills.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

const struct fact_column form_datasets_columns[] = {{"dataset", TEXT_LATER("Data set"), FACT_TEXT},
    {"location", TEXT_LATER("Where it is"), FACT_TEXT}, {"owner", TEXT_LATER("In charge"), FACT_TEXT},
    {"importance", TEXT_LATER("Importance"), FACT_TEXT}, {"priority", TEXT_LATER("Priority"), FACT_TEXT},
    {"rpo", TEXT_LATER("RPO"), FACT_TEXT}, {"rto", TEXT_LATER("RTO"), FACT_TEXT},
    {"every", TEXT_LATER("Captured"), FACT_TEXT}, {"generations", TEXT_LATER("Generations"), FACT_TEXT},
    {"retention", TEXT_LATER("Kept for"), FACT_TEXT},
    {"why_excluded", TEXT_LATER("Why it is left out"), FACT_TEXT},
    {"responsibility", TEXT_LATER("Whose duty"), FACT_TEXT},
    {"decided_by", TEXT_LATER("Decided by"), FACT_TEXT}, {"decided", TEXT_LATER("Decided on"), FACT_DAY}};

const struct fact_column form_bcp_columns[] = {{"dataset", TEXT_LATER("System"), FACT_TEXT},
    {"every", TEXT_LATER("How often"), FACT_TEXT}, {"made", TEXT_LATER("How it is made"), FACT_TEXT},
    {"media", TEXT_LATER("Media"), FACT_TEXT}, {"restored", TEXT_LATER("How it is brought back"), FACT_TEXT},
    {"rto", TEXT_LATER("RTO, of the policy"), FACT_TEXT}, {"took", TEXT_LATER("RTO, measured"), FACT_TEXT}};

static char *number(unsigned n, char out[FORM_TIME])
{
	*out = '\0';
	if (n)
		snprintf(out, FORM_TIME, "%u", n);
	return out;
}

/* What is captured, and on which computer it is; what its command is stays in the policy. */
char *form_location(const struct policy_dataset *d, char out[FORM_TEXT])
{
	char what[FORM_TEXT] = "";

	for (size_t i = 0; i < d->n_paths; i++)
		form_join(what, sizeof(what), d->paths[i]);
	if (!d->n_paths)
		snprintf(what, sizeof(what), text("output of a command, as %s"), d->store_as);
	snprintf(
	    out, FORM_TEXT, "%s%s%s", d->source_host ? d->source_host : "", d->source_host ? ": " : "", what);
	return out;
}

static int put_dataset(const struct report *r, const struct policy_dataset *d, json_t *rows, struct err *err)
{
	const struct ledger_agreed *agreed = ledger_agreed(r->l, d->name);
	char where[FORM_TEXT], rpo[FORM_TEXT], rto[FORM_TEXT], every[POLICY_PLAN_TEXT], years[FORM_TEXT] = "";
	char priority[FORM_TIME], kept[FORM_TIME];
	const uint64_t floor =
	    agreed && agreed->generations > d->generations ? agreed->generations : d->generations;

	if (d->retention_years)
		snprintf(years, sizeof(years), text("%u years"), d->retention_years);
	return form_row(rows, err, "dataset", form_dataset(r, d->name), "location", form_location(d, where),
	    "owner", d->owner, "importance", policy_importance_words[d->importance], "priority",
	    number(d->priority, priority), "rpo", form_span(d->rpo_s, rpo), "rto", form_span(d->rto_s, rto),
	    "every", policy_plan_schedule(r->policy, d, every), "generations", number((unsigned)floor, kept),
	    "retention", years, "why_excluded", "", "responsibility",
	    policy_responsibility_text(d->responsibility), "decided_by", "", "decided", "", NULL);
}

/* What is not captured here: by others, and by nobody, by decision. */
static int put_others(const struct report *r, json_t *rows, struct err *err)
{
	char kept[FORM_TIME], decided[FORM_TIME], duty[FORM_TEXT];

	for (size_t i = 0; i < r->policy->n_external; i++) {
		const struct policy_external *x = &r->policy->external[i];

		snprintf(duty, sizeof(duty), "%s%s%s", policy_responsibility_text(POLICY_RESPONSIBLE_VENDOR),
		    x->vendor ? ": " : "", x->vendor ? x->vendor : "");
		if (form_row(rows, err, "dataset", x->name, "location", x->place, "owner", "", "importance",
			"", "priority", "", "rpo", "", "rto", "", "every", x->how_often, "generations",
			number(x->generations, kept), "retention", "", "why_excluded", "", "responsibility",
			duty, "decided_by", "", "decided", "", NULL))
			return -1;
	}
	for (size_t i = 0; i < r->policy->n_excluded; i++) {
		const struct policy_excluded *x = &r->policy->excluded[i];

		if (form_row(rows, err, "dataset", x->name, "location", x->where, "owner", "", "importance",
			"", "priority", "", "rpo", "", "rto", "", "every", "", "generations", "", "retention",
			"", "why_excluded", x->reason ? x->reason : text("left out; why was not said"),
			"responsibility", "", "decided_by", x->decided_by, "decided",
			form_date(x->decided_on, decided), NULL))
			return -1;
	}
	return 0;
}

int form_datasets(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->policy->n_datasets; i++)
		if (put_dataset(r, &r->policy->datasets[i], rows, err))
			return -1;
	return put_others(r, rows, err);
}

const char *form_made(const struct policy_dataset *d)
{
	switch (policy_source(d)) {
	case GENERATION_PATHS:
		return d->before ? text("files, while its service is held") : text("files and folders");
	case GENERATION_TAR:
		return text("files, as a command hands them over");
	default:
		return text("dump by a command");
	}
}

/* What it took the last time is no promise: of how many drills it is one, and between which they lie. */
static void say_took(const struct drilled *d, char out[FORM_TEXT])
{
	char took[FORM_TIME], least[FORM_TIME], most[FORM_TIME];

	compliance_span(d->took_s, took, sizeof(took));
	if (d->n == 1)
		snprintf(out, FORM_TEXT, text("%s (measured once)"), took);
	else
		snprintf(out, FORM_TEXT, text("%s (the last of %zu: %s to %s)"), took, d->n,
		    compliance_span(d->least_s, least, sizeof(least)),
		    compliance_span(d->most_s, most, sizeof(most)));
}

int form_bcp(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->policy->n_datasets; i++) {
		const struct policy_dataset *d = &r->policy->datasets[i];
		char every[POLICY_PLAN_TEXT], media[FORM_TEXT] = "", rto[FORM_TEXT], took[FORM_TEXT] = "";
		struct drilled was;
		const json_t *p;

		for (size_t k = 0; k < r->policy->n_media; k++)
			/* one that is lost or retired brings nothing back, although the policy names it still */
			if (policy_medium_holds(&r->policy->media[k], d->name) &&
			    ledger_medium_by_label(r->l, r->policy->media[k].name))
				form_join(media, sizeof(media), r->policy->media[k].name);
		drills_look(r->policy, r->l, d, r->now_ns, &was);
		p = was.last ? json_object_get(was.last->record, "procedure") : NULL;
		if (was.took_s > 0)
			say_took(&was, took);
		if (form_row(rows, err, "dataset", form_dataset(r, d->name), "every",
			policy_plan_schedule(r->policy, d, every), "made", form_made(d), "media", media,
			"restored", p ? journal_text(p, "title") : "", "rto", form_span(d->rto_s, rto),
			"took", took, NULL))
			return -1;
	}
	return 0;
}
