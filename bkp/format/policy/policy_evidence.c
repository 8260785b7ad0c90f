/* policy_evidence: see policy_evidence.h. */
#include "format/policy/policy_evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "base/text.h"
#include "format/policy/policy.h"

#define STALE_MONTHS 6

/* ---- words ---- */

const char *const policy_importance_words[] = {"", "A", "B", "C", NULL};
const char *const policy_responsibility_words[] = {"", "hospital", "vendor", NULL};
const char *const policy_responsibility_also[] = {"", "病院", "ベンダ", NULL};
const char *const policy_contact_words[] = {"", "医療情報システム事業者", "情報セキュリティ事業者",
    "外部有識者(任意)", "都道府県警察の担当部署", "厚生労働省", "各都道府県衛生主管部（局）", "保険会社",
    "日本医師会", NULL};
const char *const policy_contact_also[] = {
    "", "system_vendor", "security_vendor", "expert", "police", "mhlw", "prefecture", "insurer", "jma", NULL};
const char *const policy_answer_words[] = {"", "yes", "no", NULL};
const char *const policy_answer_also[] = {"", "はい", "いいえ", NULL};

const char *policy_responsibility_text(unsigned responsibility)
{
	static const char *const words[] = {"", TEXT_LATER("the hospital"), TEXT_LATER("the vendor")};

	return responsibility ? text(words[responsibility]) : "";
}

const char *policy_contact_text(unsigned kind)
{
	static const char *const words[] = {"", TEXT_LATER("vendor of the information systems"),
	    TEXT_LATER("information security company"), TEXT_LATER("outside expert (optional)"),
	    TEXT_LATER("police of the prefecture"), TEXT_LATER("Ministry of Health, Labour and Welfare"),
	    TEXT_LATER("health department of the prefecture"), TEXT_LATER("insurance company"),
	    TEXT_LATER("Japan Medical Association")};

	return kind ? text(words[kind]) : "";
}

/* ---- what counts ---- */

bool policy_has_importance(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_datasets; i++)
		if (policy->datasets[i].importance)
			return true;
	return false;
}

bool policy_counts_for_evidence(const struct policy *policy, const struct policy_dataset *d)
{
	return !policy_has_importance(policy) || d->importance == POLICY_IMPORTANCE_A ||
	       d->importance == POLICY_IMPORTANCE_B;
}

/* ---- what is too old ---- */

bool policy_contact_is_stale(const struct policy_contact *c, int32_t today)
{
	struct day d = day_split(c->confirmed_on);

	/* the 31st of a month that has 30 days is the first of the next */
	return !c->confirmed_on || today > day_from(d.year, (int)d.month + STALE_MONTHS, (int)d.mday);
}

bool policy_exclusion_is_decided(const struct policy_excluded *x, int32_t today)
{
	return x->reason && x->decided_by && x->decided_on && x->decided_on <= today &&
	       (!x->review_on || today <= x->review_on);
}

static void check_contact(const struct policy_contact *c, int32_t today, struct config_problems *problems)
{
	char shown[CONFIG_SHOWN], date[DAY_TEXT];
	struct config_problem *item;

	if (!policy_contact_is_stale(c, today))
		return;
	config_problem_show(c->name, strlen(c->name), shown);
	item = c->confirmed_on
		   ? config_problem_warn(problems, c->mark, "E-POLICY-51",
			 text("the contact '%s' was last confirmed on %s, more than six months ago"), shown,
			 day_format(c->confirmed_on, date))
		   : config_problem_warn(problems, c->mark, "E-POLICY-51",
			 text("the contact '%s' has never been confirmed"), shown);
	config_problem_hint(item, text("call it, correct what is another now, and write 'confirmed_on: %s'"),
	    day_format(today, date));
}

static void check_excluded(const struct policy_excluded *x, int32_t today, struct config_problems *problems)
{
	char shown[CONFIG_SHOWN], date[DAY_TEXT];
	struct config_problem *item;

	if (policy_exclusion_is_decided(x, today))
		return;
	config_problem_show(x->name, strlen(x->name), shown);
	if (x->reason && x->decided_by && x->decided_on && x->decided_on <= today) {
		item = config_problem_warn(problems, x->mark, "E-POLICY-50",
		    text("the exclusion of '%s' was to be reviewed on %s"), shown,
		    day_format(x->review_on, date));
		config_problem_hint(
		    item, text("decide once more, and write who, when, and the next day of review"));
		return;
	}
	item = config_problem_warn(
	    problems, x->mark, "E-POLICY-50", text("the exclusion of '%s' is not decided"), shown);
	config_problem_hint(item, text("write 'reason', 'decided_by' and 'decided_on'"));
}

void policy_evidence_check(const struct policy *policy, int32_t today, struct config_problems *problems)
{
	for (size_t i = 0; i < policy->n_excluded; i++)
		check_excluded(&policy->excluded[i], today, problems);
	for (size_t i = 0; i < policy->n_contacts; i++)
		check_contact(&policy->contacts[i], today, problems);
	config_problem_sort(problems);
}

/* ---- memory ---- */

static void free_asset(struct policy_asset *a)
{
	char *const texts[] = {a->name, a->model, a->maker, a->serial, a->place, a->network, a->users, a->os,
	    a->system, a->use, a->data, a->license};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(texts[i]);
}

static void free_external(struct policy_external *x)
{
	char *const texts[] = {x->name, x->vendor, x->what, x->how_often, x->method, x->place, x->contract};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		free(texts[i]);
}

static void free_contact(struct policy_contact *c)
{
	free(c->name);
	free(c->person);
	free(c->tel);
	free(c->mail);
	free(c->hours);
}

void policy_evidence_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_excluded; i++) {
		free(policy->excluded[i].name);
		free(policy->excluded[i].where);
		free(policy->excluded[i].reason);
		free(policy->excluded[i].decided_by);
	}
	for (size_t i = 0; i < policy->n_external; i++)
		free_external(&policy->external[i]);
	for (size_t i = 0; i < policy->n_contacts; i++)
		free_contact(&policy->contacts[i]);
	for (size_t i = 0; i < policy->n_assets; i++)
		free_asset(&policy->assets[i]);
	for (size_t i = 0; i < policy->checklist.n_self; i++) {
		free(policy->checklist.self[i].item);
		free(policy->checklist.self[i].by);
		free(policy->checklist.self[i].why);
		free(policy->checklist.self[i].document);
	}
	free(policy->excluded);
	free(policy->external);
	free(policy->contacts);
	free(policy->assets);
	free(policy->checklist.edition);
	free(policy->checklist.self);
}
