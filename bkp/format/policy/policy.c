/* policy: see policy.h.  The order of the passes: bytes, secrets in the text, YAML, secrets in the tree,
 * schema, rules. */
#include "format/policy/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_secret.h"
#include "format/config/config_text.h"
#include "format/policy/holidays.h"
#include "format/policy/policy_rules.h"
#include "format/policy/policy_schema.h"

#define SUGGEST_NAMES 256 /* more are not gone through for a suggestion */

/* ---- bytes ---- */

static bool check_size(size_t n, struct config_problems *problems)
{
	struct config_mark top = {1, 1};
	struct config_problem *item;

	if (n <= POLICY_BYTES_MAX)
		return true;
	item = config_problem_error(problems, top, "E-POLICY-01", text("the file is larger than 1 MiB"));
	config_problem_hint(item, text("check that this is the policy, and not a dump"));
	return false;
}

/* ---- parse ---- */

static int parse_tree(const char *p, size_t n, size_t secrets, struct policy *policy,
    struct config_problems *problems, struct err *err)
{
	struct config_node *root __attribute__((cleanup(config_node_free_auto))) = NULL;
	int r = config_node_parse(p, n, 0, &root, problems, err);

	if (r)
		return r < 0 ? -1 : 0;
	config_secret_scan_tree(root, secrets > 0, problems);
	if (policy_schema_read(root, policy, problems, err))
		return -1;
	policy_groups(policy);
	return root && !root->refused && root->kind == CONFIG_TABLE
		   ? policy_rules_check(policy, root, problems, err)
		   : 0;
}

static int parse_bytes(
    const char *p, size_t n, struct policy *policy, struct config_problems *problems, struct err *err)
{
	size_t secrets;

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) { /* what Windows editors put in front */
		p += 3;
		n -= 3;
	}
	if (!check_size(n, problems))
		return 0;
	secrets = config_secret_scan_text(p, n, problems);
	if (!config_text_check(p, n, "E-POLICY-02", problems))
		return 0;
	return parse_tree(p, n, secrets, policy, problems, err);
}

static int refuse_first(const char *file, const struct config_problems *problems, struct err *err)
{
	char more[128] = "";

	if (problems->n_errors > 1)
		snprintf(
		    more, sizeof(more), text(" (and %zu more: see 'bkp check')"), problems->n_errors - 1);
	return config_problems_first(problems, file, more, err);
}

static int parse_into(const char *file, const char *p, size_t n, struct policy **ret_policy,
    struct config_problems *problems, struct err *err)
{
	POLICY_AUTO policy = calloc(1, sizeof(*policy));

	memset(problems, 0, sizeof(*problems));
	if (!policy)
		return err_nomem(err);
	if (policy_schema_defaults(policy, err) || parse_bytes(p, n, policy, problems, err)) {
		memset(problems, 0, sizeof(*problems));
		return -1;
	}
	config_problem_sort(problems);
	if (problems->n_errors)
		return refuse_first(file, problems, err);
	*ret_policy = policy;
	policy = NULL;
	return 0;
}

int policy_parse(const char *file, const char *p, size_t n, struct policy **ret_policy,
    struct config_problems *problems, struct err *err)
{
	struct config_problems *own = problems ? NULL : malloc(sizeof(*own));
	int r;

	if (!problems && !own)
		return err_nomem(err);
	r = parse_into(file, p, n, ret_policy, problems ? problems : own, err);
	free(own);
	return r;
}

int policy_language(const char *p, size_t n, enum text_lang *ret)
{
	static const char key[] = "language";
	const char *end = p + n, *at = p;
	char word[3] = "";

	while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
		bool begins = at == p || strchr(" \t\n,{\"'", at[-1]);

		at += sizeof(key) - 1;
		while (at < end && strchr(" \t:\"'", *at) && *at)
			at++;
		if (!begins || end - at < 2)
			continue;
		memcpy(word, at, 2);
		if (!text_parse_lang(word, ret))
			return 0;
	}
	return -1;
}

/* ---- use ---- */

static void free_texts(char **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void free_dataset(struct policy_dataset *d)
{
	free(d->name);
	free(d->title);
	free_texts(d->paths, d->n_paths);
	free_texts(d->exclude, d->n_exclude);
	free(d->command);
	free(d->store_as);
	free(d->probe);
	free(d->version);
	free(d->before);
	free(d->after);
	free_texts(d->canaries, d->n_canaries);
	free_texts(d->together, d->n_together);
	free(d->owner);
	free(d->source_host);
}

void policy_free(struct policy *policy)
{
	size_t i;

	if (!policy)
		return;
	for (i = 0; i < policy->n_people; i++) {
		free(policy->people[i].name);
		free(policy->people[i].key);
	}
	for (i = 0; i < policy->n_datasets; i++)
		free_dataset(&policy->datasets[i]);
	for (i = 0; i < policy->n_media; i++) {
		free(policy->media[i].name);
		free(policy->media[i].type);
		free(policy->media[i].path);
		free(policy->media[i].place);
		free_texts(policy->media[i].datasets, policy->media[i].n_datasets);
	}
	for (i = 0; i < policy->n_places; i++) {
		free(policy->places[i].name);
		free(policy->places[i].address);
		free_texts(policy->places[i].separate_from, policy->places[i].n_separate_from);
	}
	for (i = 0; i < policy->n_pools; i++) {
		free(policy->pools[i].name);
		free_texts(policy->pools[i].media, policy->pools[i].n_media);
		for (size_t k = 0; k < policy->pools[i].n_remind; k++)
			free(policy->pools[i].remind[k].tell);
		free(policy->pools[i].remind);
	}
	free(policy->pools);
	free(policy->holidays_path);
	free(policy->status_page);
	holidays_free(policy->holidays);
	free(policy->holidays_fault);
	free(policy->places);
	free(policy->people);
	free(policy->datasets);
	free(policy->media);
	free(policy->site_name);
	free(policy->state);
	free(policy->locale);
	free(policy->notify_command);
	free_texts(policy->procedures, policy->n_procedures);
	policy_evidence_free(policy);
	free(policy);
}

void policy_free_auto(struct policy **policy)
{
	policy_free(*policy);
}

enum generation_source policy_source(const struct policy_dataset *d)
{
	return !d->command ? GENERATION_PATHS : d->format == POLICY_TAR ? GENERATION_TAR : GENERATION_STREAM;
}

int64_t policy_stricter(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

const struct policy_dataset *policy_find_dataset(const struct policy *policy, const char *name)
{
	size_t i;

	for (i = 0; i < policy->n_datasets; i++)
		if (!strcmp(policy->datasets[i].name, name))
			return &policy->datasets[i];
	return NULL;
}

const struct policy_medium *policy_find_medium(const struct policy *policy, const char *name)
{
	size_t i;

	for (i = 0; i < policy->n_media; i++)
		if (!strcasecmp(policy->media[i].name, name))
			return &policy->media[i];
	return NULL;
}

const struct policy_person *policy_find_person(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_people; i++)
		if (policy->people[i].name && !strcmp(policy->people[i].name, name))
			return &policy->people[i];
	return NULL;
}

bool policy_medium_is_series(const struct policy_medium *m)
{
	return !strcmp(m->type, "optical") && !m->path;
}

/* NAME-2026-001, with three digits or more. */
bool policy_series_has(const struct policy_medium *m, const char *label)
{
	const size_t n = strlen(m->name);
	const char *s = label + n;
	size_t n_digits;

	if (!policy_medium_is_series(m) || strncasecmp(label, m->name, n) != 0 || strspn(s, "-") != 1 ||
	    strspn(s + 1, "0123456789") != 4 || s[5] != '-')
		return false;
	n_digits = strspn(s + 6, "0123456789");
	return n_digits >= 3 && !s[6 + n_digits];
}

const struct policy_medium *policy_medium_of(const struct policy *policy, const char *label)
{
	const struct policy_medium *m = policy_find_medium(policy, label);

	for (size_t i = 0; !m && i < policy->n_media; i++)
		if (policy_series_has(&policy->media[i], label))
			m = &policy->media[i];
	return m;
}

const struct policy_place *policy_find_place(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_places; i++)
		if (!strcmp(policy->places[i].name, name))
			return &policy->places[i];
	return NULL;
}

static bool is_listed(char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

bool policy_medium_holds(const struct policy_medium *m, const char *dataset)
{
	return m && (!m->n_datasets || is_listed(m->datasets, m->n_datasets, dataset));
}

bool policy_place_is_separate(const struct policy *policy, const char *place)
{
	const struct policy_place *at = policy_find_place(policy, place);
	bool any = false;

	for (size_t i = 0; at && i < policy->n_places; i++) {
		const struct policy_place *o = &policy->places[i];

		if (!o->originals)
			continue;
		if (o == at || (!is_listed(at->separate_from, at->n_separate_from, o->name) &&
				   !is_listed(o->separate_from, o->n_separate_from, at->name)))
			return false;
		any = true;
	}
	return any;
}

const char *policy_suggest_medium(const struct policy *policy, const char *name)
{
	const char *names[SUGGEST_NAMES];
	size_t n = 0;

	for (; n < policy->n_media && n < SUGGEST_NAMES; n++)
		names[n] = policy->media[n].name;
	return suggest_word(name, names, n);
}

const char *policy_suggest_dataset(const struct policy *policy, const char *name)
{
	const char *names[SUGGEST_NAMES];
	size_t n = 0;

	/* what is printed for people are the titles */
	for (size_t i = 0; i < policy->n_datasets; i++)
		if (policy->datasets[i].title && !strcmp(policy->datasets[i].title, name))
			return policy->datasets[i].name;
	for (; n < policy->n_datasets && n < SUGGEST_NAMES; n++)
		names[n] = policy->datasets[n].name;
	return suggest_word(name, names, n);
}
