/* form_rule: the judgement of 3-2-1 of each data set (3-2-1判定表), as compliance.h judges it from what is recorded. */
#include "cmd/report/form/form.h"

#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/rules/compliance.h"

const struct fact_column form_rule_columns[] = {{"dataset", TEXT_LATER("Data set"), FACT_TEXT},
    {"three", TEXT_LATER("3 original and copies"), FACT_TEXT},
    {"two", TEXT_LATER("2 technologies"), FACT_TEXT}, {"one", TEXT_LATER("1 at another place"), FACT_TEXT},
    {"newest", TEXT_LATER("Recovery point"), FACT_TIME},
    {"offline", TEXT_LATER("Recovery point, offline"), FACT_TIME},
    {"rpo", TEXT_LATER("RPO, of the policy"), FACT_TEXT}, {"verdict", TEXT_LATER("Verdict"), FACT_TEXT},
    {"why", TEXT_LATER("Why"), FACT_TEXT}};

static char *rule_text(const struct compliance_rule *rule, char out[FORM_TEXT])
{
	snprintf(
	    out, FORM_TEXT, text("%s: %u, wanted %u"), form_verdict(rule->verdict), rule->have, rule->want);
	return out;
}

static enum compliance_verdict worst(enum compliance_verdict a, enum compliance_verdict b)
{
	return a > b ? a : b;
}

int form_rule(const struct report *r, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < r->standing->n_datasets; i++) {
		const struct compliance_dataset *d = &r->standing->datasets[i];
		const struct compliance_rule *const rules[] = {&d->three, &d->two, &d->one};
		char three[FORM_TEXT], two[FORM_TEXT], one[FORM_TEXT], rpo[FORM_TEXT], why[FORM_TEXT] = "";
		char newest[FORM_TIME], offline[FORM_TIME];
		enum compliance_verdict verdict = COMPLIANCE_MET;

		for (size_t k = 0; k < 3; k++) {
			verdict = worst(verdict, rules[k]->verdict);
			if (*rules[k]->why)
				form_join(why, sizeof(why), rules[k]->why);
		}
		if (form_row(rows, err, "dataset", form_dataset(r, d->policy->name), "three",
			rule_text(&d->three, three), "two", rule_text(&d->two, two), "one",
			rule_text(&d->one, one), "newest", form_time(d->newest ? d->newest_ns : 0, newest),
			"offline", form_time(d->offline ? d->offline_ns : 0, offline), "rpo",
			form_span(d->policy->rpo_s, rpo), "verdict", form_verdict(verdict), "why", why, NULL))
			return -1;
	}
	return 0;
}
