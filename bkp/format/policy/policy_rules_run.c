/* policy_rules_run: what must hold between the keys that a run acts on: schedule, canaries, locale; who approves; see
 * policy_rules.h. */
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/crypto/minisig.h"
#include "format/policy/policy.h"
#include "format/policy/policy_rules.h"

static const struct config_node *first_of(const struct config_node *table, const char *key)
{
	const struct config_node *list = config_node_get(table, key);

	return list && list->kind == CONFIG_LIST ? list->first : NULL;
}

static void check_people(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = first_of(root, "people"),
				 *retention = config_node_get(root, "retention"), *by;
	bool found = false;

	for (size_t i = 0; i < p->n_people && node; i++, node = node->next) {
		const struct config_node *key = config_node_get(node, "public_key");
		struct minisig_public pub;
		struct config_problem *item;

		found |= p->people[i].key && p->expire_by && p->people[i].roles & 1u << (p->expire_by - 1);
		if (!key || !p->people[i].key || !minisig_public_parse(p->people[i].key, &pub, NULL))
			continue;
		item = config_problem_error(
		    problems, key->mark, "E-POLICY-26", text("this is not a public key of minisign"));
		config_problem_hint(item, text("copy the second line of the .pub file: it begins with RW"));
	}
	by = retention ? config_node_get(retention, "expire_by") : NULL;
	if (p->expire_by && !found && by)
		config_problem_hint(
		    config_problem_error(problems, by->mark, "E-POLICY-29",
			text("nobody with this role has a 'public_key': no expiry could ever be approved")),
		    text("add the public key of a person with this role (minisign -G makes one)"));
}

static void check_schedule(
    const struct policy_dataset *d, const struct config_node *node, struct config_problems *problems)
{
	static const struct {
		const char *key, *every;
		enum config_unit unit;
	} only[] = {{"weekday", "week", CONFIG_WEEK}, {"monthday", "month", CONFIG_MONTH}};

	for (size_t i = 0; i < 2; i++) {
		const struct config_node *key = config_node_get(node, only[i].key);

		if (!key || d->every.unit == only[i].unit)
			continue;
		config_problem_hint(
		    config_problem_error(problems, key->key_mark, "E-POLICY-28",
			text("'%s' means nothing without 'every: %s'"), only[i].key, only[i].every),
		    text("take it out, or write 'every: %s'"), only[i].every);
	}
}

static void check_canaries(
    const struct policy_dataset *d, const struct config_node *node, struct config_problems *problems)
{
	const struct config_node *child = first_of(node, "canaries");

	for (size_t i = 0; i < d->n_canaries && child; i++, child = child->next) {
		bool inside = false;

		for (size_t k = 0; k < d->n_paths && d->canaries[i]; k++)
			inside |= d->paths[k] && path_within(d->canaries[i], d->paths[k]);
		if (inside || !d->canaries[i])
			continue;
		config_problem_hint(config_problem_error(problems, child->mark, "E-POLICY-27",
					text("this canary does not lie within the paths of the data set")),
		    text("a canary is a file that is captured with the data set, and that nobody ever "
			 "changes"));
	}
}

/* Names of files are bytes; a command that takes them for letters of another alphabet gives other files, or
 * none. */
static void check_locale(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = config_node_get(root, "locale");
	char shown[CONFIG_SHOWN];

	if (!node || !p->locale ||
	    ((strcasestr(p->locale, "UTF-8") || strcasestr(p->locale, "utf8")) && strlen(p->locale) < 64 &&
		!strpbrk(p->locale, " /=")))
		return;
	config_problem_hint(
	    config_problem_error(problems, node->mark, "E-POLICY-19", text("'%s' is no UTF-8 locale"),
		config_problem_show(p->locale, strlen(p->locale), shown)),
	    text("name one of 'locale -a', as in C.UTF-8 or ja_JP.UTF-8"));
}

void policy_rules_run(
    const struct policy *policy, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = first_of(root, "datasets");

	check_people(policy, root, problems);
	check_locale(policy, root, problems);
	for (size_t i = 0; i < policy->n_datasets && node; i++, node = node->next) {
		if (node->kind != CONFIG_TABLE || node->refused)
			continue;
		check_schedule(&policy->datasets[i], node, problems);
		check_canaries(&policy->datasets[i], node, problems);
	}
}
