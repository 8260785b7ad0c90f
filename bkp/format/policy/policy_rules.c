/* policy_rules: see policy_rules.h.
 *
 * Values are taken from the struct, places from the tree.  Both lists have the same order, so they are walked side by side; a
 * member that is NULL was malformed and its rule is skipped.  Paths are compared as text: links and mount points are not
 * known here. */
#include "format/policy/policy_rules.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/exclude.h"
#include "format/crypto/minisig.h"
#include "format/policy/policy.h"

struct rules {
	const struct policy *policy;
	const struct config_node *root;
	struct config_problems *problems;
	struct err *err;
};

/* ---- when, and who is told ---- */

/* what must hold between the keys that a run acts on: schedule, canaries, locale; who approves; see
 * policy_rules.h. */

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

/* Part of policy_rules_check(): schedule, canaries, who approves an expiry. */
static void policy_rules_run(
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

/* ---- the rest ---- */

static const char *show_value(const char *s, char out[CONFIG_SHOWN])
{
	return config_problem_show(s, strlen(s), out);
}

static struct config_mark place_of(const struct config_node *table, const char *key)
{
	const struct config_node *node = config_node_get(table, key);

	return node ? node->mark : table->mark;
}

static struct config_mark key_place_of(const struct config_node *table, const char *key)
{
	const struct config_node *node = config_node_get(table, key);

	return node ? node->key_mark : table->mark;
}

/* ---- names ---- */

static void name_twice(struct rules *r, const struct config_node *node, const char *key, const char *name,
    struct config_mark first)
{
	struct config_problem *item;
	char shown[CONFIG_SHOWN];

	item = config_problem_error(r->problems, place_of(node, key), "E-POLICY-12",
	    text("the name '%s' is taken"), show_value(name, shown));
	config_problem_hint(item,
	    text("choose another: the first stands in line %u (capitals make no difference)"), first.line);
}

/* A list of structs, each with a name and a mark. */
struct named {
	const struct config_node *node; /* its list in the tree */
	const char *key;		/* that says the name */
	const void *list;
	size_t n, size, name, mark; /* of them, of one; offsets */
	int (*compare)(const char *a, const char *b);
};

static const char *name_at(const struct named *l, size_t i)
{
	return *(char *const *)(const void *)((const char *)l->list + i * l->size + l->name);
}

static void check_unique(struct rules *r, const struct named *l)
{
	const struct config_node *node = l->node && l->node->kind == CONFIG_LIST ? l->node->first : NULL;

	for (size_t i = 0; i < l->n && node; i++, node = node->next)
		for (size_t k = 0; k < i && name_at(l, i); k++)
			if (name_at(l, k) && !l->compare(name_at(l, k), name_at(l, i))) {
				const char *first = (const char *)l->list + k * l->size + l->mark;

				name_twice(r, node, l->key, name_at(l, i),
				    *(const struct config_mark *)(const void *)first);
				break;
			}
}

#define NAMED(table, key, member, type, field, cmp)                                                          \
	{                                                                                                    \
		config_node_get(table, key), #field, p->member, p->n_##member, sizeof(struct type),          \
		    offsetof(struct type, field), offsetof(struct type, mark), cmp                           \
	}

static void check_names(struct rules *r)
{
	const struct policy *p = r->policy;
	const struct config_node *root = r->root, *checklist = config_node_get(root, "checklist");
	const struct named lists[] = {
	    NAMED(root, "datasets", datasets, policy_dataset, name, strcmp),
	    NAMED(root, "media", media, policy_medium, name, strcasecmp),
	    NAMED(root, "people", people, policy_person, name, strcmp),
	    NAMED(root, "pools", pools, policy_pool, name, strcasecmp),
	    NAMED(root, "places", places, policy_place, name, strcmp),
	    NAMED(root, "excluded", excluded, policy_excluded, name, strcmp),
	    NAMED(root, "external", external, policy_external, name, strcmp),
	    NAMED(root, "contacts", contacts, policy_contact, name, strcmp),
	    NAMED(root, "assets", assets, policy_asset, name, strcmp),
	    {checklist ? config_node_get(checklist, "self") : NULL, "item", p->checklist.self,
		p->checklist.n_self, sizeof(struct policy_self), offsetof(struct policy_self, item),
		offsetof(struct policy_self, mark), strcmp},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		check_unique(r, &lists[i]);
}

/* ---- one data set ---- */

static void check_source(struct rules *r, const struct policy_dataset *d, const struct config_node *node)
{
	static const char *const only_paths[] = {"exclude", "cross_mounts"};
	bool paths = config_node_has(node, "paths"), command = config_node_has(node, "command");
	bool store_as = config_node_has(node, "store_as"), tar = d->format == POLICY_TAR;
	struct config_problem *item;
	size_t i;

	if (paths && command) {
		item = config_problem_error(r->problems, key_place_of(node, "command"), "E-POLICY-22",
		    text("this data set has paths and a command"));
		config_problem_hint(
		    item, text("make two data sets of it: one with paths, one with the command"));
	} else if (!paths && !command) {
		item = config_problem_error(r->problems, node->mark, "E-POLICY-22",
		    text("this data set has neither paths nor a command"));
		config_problem_hint(item, text("add 'paths: [/srv/…]', or 'command: …' with 'store_as: …'"));
	}
	if (command && !store_as && !tar) {
		item = config_problem_error(r->problems, key_place_of(node, "command"), "E-POLICY-22",
		    text("the command has no 'store_as'"));
		config_problem_hint(
		    item, text("name the file that its output is stored as, as in 'store_as: emr.dump'"));
	} else if (store_as && !command) {
		item = config_problem_error(r->problems, key_place_of(node, "store_as"), "E-POLICY-22",
		    text("'store_as' stands without a command"));
		config_problem_hint(item, text("take it out: files keep their own names"));
	}
	if (tar && (paths || store_as)) {
		item = config_problem_error(r->problems, key_place_of(node, paths ? "format" : "store_as"),
		    "E-POLICY-22", text("'%s' does not fit with a tar stream"), paths ? "paths" : "store_as");
		config_problem_hint(item, text("'format: tar' goes with a command whose output is a tar "
					       "stream; its entries keep their names"));
	}
	for (i = 0; i < 2; i++)
		if (command && !paths && config_node_has(node, only_paths[i]) && !(tar && i == 0)) {
			item = config_problem_error(r->problems, key_place_of(node, only_paths[i]),
			    "E-POLICY-22", text("'%s' means nothing beside a command"), only_paths[i]);
			config_problem_hint(item, text("take it out: it belongs to a data set with paths"));
		}
}

static void check_overlap(struct rules *r, const struct policy_dataset *d, const struct config_node *node)
{
	char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
	const struct config_node *child = first_of(node, "paths");
	struct config_problem *item;
	size_t i, k;

	for (i = 0; i < d->n_paths && child; i++, child = child->next)
		for (k = 0; k < i && d->paths[i]; k++) {
			const char *inner = d->paths[i], *outer = d->paths[k];

			if (!outer || (!path_within(inner, outer) && !path_within(outer, inner)))
				continue;
			if (!path_within(inner, outer)) {
				inner = d->paths[k];
				outer = d->paths[i];
			}
			item = config_problem_error(r->problems, child->mark, "E-POLICY-14",
			    text("'%s' lies within '%s' of the same data set"), show_value(inner, a),
			    show_value(outer, b));
			config_problem_hint(
			    item, text("take the inner one out: it is captured with the outer one"));
			break;
		}
}

static void check_promises(struct rules *r, const struct policy_dataset *d, const struct config_node *node)
{
	struct config_problem *item;

	if (d->generations < 3) {
		item = config_problem_warn(r->problems, place_of(node, "generations"), "E-POLICY-30",
		    text("only %u generations are kept"), d->generations);
		config_problem_hint(item, text("keep 3 or more (3世代: 複数世代（3世代以上が推奨）)"));
	}
	if (d->rpo_s && d->every.s > d->rpo_s) {
		item = config_problem_warn(r->problems, place_of(node, "rpo"), "E-POLICY-31",
		    text("this data set is captured less often than its RPO allows"));
		config_problem_hint(item, text("shorten 'every', or agree on a longer RPO"));
	}
}

/* ---- exclusions ---- */

/* The pattern's folder part before the first wildcard, without '/' at its end. */
static void fixed_part(const char *pattern, char out[EXCLUDE_PATTERN_MAX + 1])
{
	size_t n = strcspn(pattern, "*?[\\");

	memcpy(out, pattern, n);
	if (pattern[n]) /* the component with the wildcard is not fixed */
		while (n > 1 && out[n - 1] != '/')
			n--;
	while (n > 1 && out[n - 1] == '/')
		n--;
	out[n] = '\0';
}

static bool reaches(const struct policy_dataset *d, const char *pattern)
{
	char fixed[EXCLUDE_PATTERN_MAX + 1];
	size_t i;

	if (pattern[0] != '/')
		return true;
	fixed_part(pattern, fixed);
	for (i = 0; i < d->n_paths; i++)
		if (!d->paths[i] || path_within(fixed, d->paths[i]) || path_within(d->paths[i], fixed))
			return true;
	return false;
}

static int check_exclusions(struct rules *r, const struct policy_dataset *d, const struct config_node *node)
{
	const struct config_node *child = first_of(node, "exclude");
	char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
	struct config_problem *item;
	size_t i, k;

	for (i = 0; i < d->n_exclude && child; i++, child = child->next) {
		struct exclude *x;

		if (!d->exclude[i] || !d->n_paths)
			continue;
		x = exclude_new(&d->exclude[i], 1, NULL, 0, r->err);
		if (!x)
			return -1;
		for (k = 0; k < d->n_paths; k++)
			if (d->paths[k] && exclude_match(x, d->paths[k], true)) {
				item = config_problem_error(r->problems, child->mark, "E-POLICY-25",
				    text("'%s' excludes all of '%s'"), show_value(d->exclude[i], a),
				    show_value(d->paths[k], b));
				config_problem_hint(item, text("take the path out of 'paths' instead"));
				break;
			}
		exclude_free(x);
		if (k == d->n_paths && !reaches(d, d->exclude[i])) {
			item = config_problem_warn(r->problems, child->mark, "E-POLICY-34",
			    text("'%s' excludes nothing: it lies outside this data set"),
			    show_value(d->exclude[i], a));
			config_problem_hint(item, text("check the spelling against 'paths'"));
		}
	}
	return 0;
}

/* ---- media, state and data inside one another ---- */

static void check_medium(struct rules *r, const struct policy_medium *m, const struct config_node *node)
{
	static const char *const offline_only[] = {"max_attached", "swap_every"};
	struct config_problem *item;
	size_t i;

	if (node->kind != CONFIG_TABLE)
		return;
	if (m->type && !strcmp(m->type, "object")) {
		item = config_problem_error(r->problems, place_of(node, "type"), "E-POLICY-35",
		    text("an object store cannot be a medium yet: nothing here writes to one"));
		config_problem_hint(item, text("name what the folder stands on, as in 'type: hdd'"));
	}
	if (m->offline)
		return;
	if (!config_node_has(node, "path")) {
		item = config_problem_error(
		    r->problems, node->mark, "E-POLICY-23", text("an online medium has no 'path'"));
		config_problem_hint(
		    item, text("add 'path: /mnt/…', or 'offline: true' if it is kept detached"));
	}
	for (i = 0; i < 2; i++)
		if (config_node_has(node, offline_only[i])) {
			item = config_problem_error(r->problems, key_place_of(node, offline_only[i]),
			    "E-POLICY-23", text("'%s' means nothing for an online medium"), offline_only[i]);
			config_problem_hint(item, text("take it out, or add 'offline: true'"));
		}
}

static void check_medium_paths(struct rules *r, size_t i, const struct config_node *node)
{
	const struct policy *p = r->policy;
	const char *path = p->media[i].path;
	char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
	struct config_problem *item;
	size_t k;

	for (k = 0; k < i; k++) {
		const char *other = p->media[k].path;

		if (!other || (!path_within(path, other) && !path_within(other, path)))
			continue;
		item = config_problem_error(r->problems, place_of(node, "path"), "E-POLICY-14",
		    text("'%s' and '%s' of another medium lie in one another"), show_value(path, a),
		    show_value(other, b));
		if (p->media[i].offline && p->media[k].offline)
			config_problem_hint(item, text("media that take turns in one drive need no 'path': "
						       "leave it out, and name the "
						       "folder once with 'bkp medium add NAME --path DIR'"));
		else
			config_problem_hint(item,
			    text("give each medium a folder of its own: two copies on one disk are one"));
		break;
	}
	if (p->state && (path_within(path, p->state) || path_within(p->state, path))) {
		item = config_problem_error(r->problems, place_of(node, "path"), "E-POLICY-24",
		    text("the medium '%s' and the state folder '%s' lie in one another"), show_value(path, a),
		    show_value(p->state, b));
		config_problem_hint(
		    item, text("keep them apart: the state folder holds what must never leave this machine"));
	}
}

struct capture {
	const struct policy_dataset *d;
	const struct config_node *mark_list; /* its paths in the tree */
	const struct exclude *x;
};

static void check_captured(struct rules *r, const struct capture *c, const char *folder, bool medium)
{
	const struct config_node *child = c->mark_list;
	char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
	struct config_problem *item;
	size_t i;

	for (i = 0; i < c->d->n_paths && child; i++, child = child->next) {
		const char *path = c->d->paths[i];

		if (path_within(path, folder)) {
			item = config_problem_error(r->problems, child->mark, "E-POLICY-24",
			    medium ? text("'%s' lies inside the medium '%s'")
				   : text("'%s' lies inside the state folder '%s'"),
			    show_value(path, a), show_value(folder, b));
			config_problem_hint(
			    item, text("data and its backup must not share a folder: move one of them"));
		} else if (path_within(folder, path) && !exclude_match(c->x, folder, true)) {
			item = config_problem_error(r->problems, child->mark, "E-POLICY-24",
			    medium ? text("'%s' holds the medium '%s': it would capture its own backup")
				   : text("'%s' holds the state folder '%s'"),
			    show_value(path, a), show_value(folder, b));
			config_problem_hint(
			    item, text("add 'exclude: [%s/]' to this data set"), show_value(folder, b));
		}
	}
}

static bool is_complete(char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!list[i])
			return false;
	return true;
}

static int check_recursion(struct rules *r, const struct policy_dataset *d, const struct config_node *node)
{
	struct capture c = {d, first_of(node, "paths"), NULL};
	const struct policy *p = r->policy;
	struct exclude *x;
	size_t i;

	if (!is_complete(d->paths, d->n_paths) || !is_complete(d->exclude, d->n_exclude))
		return 0;
	x = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, r->err);
	if (!x)
		return -1;
	c.x = x;
	for (i = 0; i < p->n_media; i++)
		if (p->media[i].path)
			check_captured(r, &c, p->media[i].path, true);
	if (p->state)
		check_captured(r, &c, p->state, false);
	exclude_free(x);
	return 0;
}

/* ---- all ---- */

static void check_media(struct rules *r)
{
	const struct policy *p = r->policy;
	const struct config_node *node = first_of(r->root, "media");
	struct config_problem *item;
	size_t i, online = 0;

	for (i = 0; i < p->n_media && node; i++, node = node->next) {
		online += !p->media[i].offline;
		check_medium(r, &p->media[i], node);
		if (p->media[i].path)
			check_medium_paths(r, i, node);
	}
	if (p->n_media && !online) {
		item = config_problem_warn(r->problems, key_place_of(r->root, "media"), "E-POLICY-33",
		    text("no medium is online: the nightly run has nowhere to write"));
		config_problem_hint(item,
		    text("declare a disk that is always attached, as in 'type: hdd, path: /mnt/nas/bkp'"));
	}
}

/* Only bkp's own files stand on media and in the state folder. */
static void check_page(struct rules *r)
{
	const struct policy *p = r->policy;
	const char *within =
	    p->status_page && p->state && path_within(p->status_page, p->state) ? p->state : NULL;
	char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
	struct config_problem *item;

	for (size_t i = 0; p->status_page && i < p->n_media && !within; i++)
		if (p->media[i].path && path_within(p->status_page, p->media[i].path))
			within = p->media[i].path;
	if (!within)
		return;
	item = config_problem_error(r->problems, place_of(r->root, "status_page"), "E-POLICY-24",
	    text("the page '%s' lies inside '%s'"), show_value(p->status_page, a), show_value(within, b));
	config_problem_hint(item, text("name a file elsewhere: only what bkp keeps for itself stands there"));
}

int policy_rules_check(const struct policy *policy, const struct config_node *root,
    struct config_problems *problems, struct err *err)
{
	struct rules r = {policy, root, problems, err};
	const struct config_node *node = first_of(root, "datasets");
	size_t i;

	check_names(&r);
	check_media(&r);
	check_page(&r);
	for (i = 0; i < policy->n_datasets && node; i++, node = node->next) {
		const struct policy_dataset *d = &policy->datasets[i];

		if (node->kind != CONFIG_TABLE || node->refused)
			continue;
		check_source(&r, d, node);
		check_overlap(&r, d, node);
		check_promises(&r, d, node);
		if (check_exclusions(&r, d, node) || check_recursion(&r, d, node))
			return -1;
	}
	policy_rules_run(policy, root, problems);
	policy_rules_sets(policy, root, problems);
	policy_rules_pools(policy, root, problems);
	return 0;
}
