/* policy_rules_sets: rules between data sets, media and places: names that must be another's, and what overlaps; see policy_rules.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/exclude.h"
#include "format/policy/policy.h"
#include "format/policy/policy_rules.h"

static const struct config_node *list_of(const struct config_node *table, const char *key)
{
	const struct config_node *list = config_node_get(table, key);

	return list && list->kind == CONFIG_LIST ? list->first : NULL;
}

static const char *shown(const char *s, char out[CONFIG_SHOWN])
{
	return config_problem_show(s, strlen(s), out);
}

/* ---- which media hold which data sets ---- */

static void check_held(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *medium = list_of(root, "media");
	char name[CONFIG_SHOWN];

	for (size_t i = 0; i < p->n_media && medium; i++, medium = medium->next) {
		const struct config_node *item = list_of(medium, "datasets");

		for (size_t k = 0; k < p->media[i].n_datasets && item; k++, item = item->next) {
			const char *wanted = p->media[i].datasets[k];

			if (!wanted || policy_find_dataset(p, wanted))
				continue;
			config_problem_hint(config_problem_error(problems, item->mark, "E-POLICY-36",
						text("there is no data set '%s'"), shown(wanted, name)),
			    text("name data sets of this policy, or leave 'datasets' out: then it holds all "
				 "of them"));
		}
	}
}

static void check_holders(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = list_of(root, "datasets");

	for (size_t i = 0; i < p->n_datasets && node; i++, node = node->next) {
		bool held = !p->n_media || !p->datasets[i].name;

		for (size_t k = 0; k < p->n_media && !held; k++)
			held = policy_medium_holds(&p->media[k], p->datasets[i].name);
		if (!held)
			config_problem_hint(config_problem_error(problems, node->mark, "E-POLICY-37",
						text("no medium holds data set '%s'"), p->datasets[i].name),
			    text("add it to the 'datasets' of two media at least"));
	}
}

/* ---- what is captured together ---- */

/* The first thing in which they differ and may not, as its key; or NULL. */
static const char *difference(
    const struct policy *p, const struct policy_dataset *a, const struct policy_dataset *b)
{
	for (size_t i = 0; i < p->n_media; i++)
		if (policy_medium_holds(&p->media[i], a->name) != policy_medium_holds(&p->media[i], b->name))
			return "datasets";
	return a->every.s != b->every.s			     ? "every"
	       : a->at != b->at				     ? "at"
	       : a->weekday != b->weekday		     ? "weekday"
	       : a->monthday != b->monthday		     ? "monthday"
	       : a->generations != b->generations	     ? "generations"
	       : memcmp(&a->keep, &b->keep, sizeof(a->keep)) ? "keep"
	       : a->protect_s != b->protect_s		     ? "protect"
							     : NULL;
}

/* What is captured and counted as one has one rhythm, one retention and the same media. */
static void check_together(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = list_of(root, "datasets");

	for (size_t i = 0; i < p->n_datasets && node; i++, node = node->next) {
		const struct policy_dataset *d = &p->datasets[i];
		const struct config_node *item = list_of(node, "together");
		char name[CONFIG_SHOWN];

		for (size_t k = 0; k < d->n_together && item; k++, item = item->next) {
			const struct policy_dataset *o =
			    d->together[k] ? policy_find_dataset(p, d->together[k]) : NULL;
			const char *key = o ? difference(p, d, o) : NULL;

			if (d->together[k] && !o)
				config_problem_hint(
				    config_problem_error(problems, item->mark, "E-POLICY-36",
					text("there is no data set '%s'"), shown(d->together[k], name)),
				    text("name data sets of this policy that '%s' is to be captured with"),
				    d->name);
			else if (key)
				config_problem_hint(
				    config_problem_error(problems, item->mark, "E-POLICY-40",
					text("'%s' and '%s' are captured together and differ in '%s'"),
					d->name, o->name, key),
				    text("make it the same for both: they count, are copied and expire as "
					 "one"));
		}
	}
}

/* ---- places ---- */

static void unknown_place(struct config_problems *problems, struct config_mark mark, const char *name)
{
	char show[CONFIG_SHOWN];

	config_problem_hint(config_problem_error(problems, mark, "E-POLICY-36",
				text("there is no place '%s'"), shown(name, show)),
	    text("add it to 'places', or correct the name"));
}

static void check_places(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *place = list_of(root, "places"), *medium = list_of(root, "media");
	bool originals = false;

	for (size_t i = 0; i < p->n_places && place; i++, place = place->next) {
		const struct config_node *item = list_of(place, "separate_from");

		originals |= p->places[i].originals;
		for (size_t k = 0; k < p->places[i].n_separate_from && item; k++, item = item->next)
			if (p->places[i].separate_from[k] &&
			    !policy_find_place(p, p->places[i].separate_from[k]))
				unknown_place(problems, item->mark, p->places[i].separate_from[k]);
	}
	for (size_t i = 0; p->n_places && i < p->n_media && medium; i++, medium = medium->next) {
		const struct config_node *at = config_node_get(medium, "place");

		if (p->media[i].place && at && !policy_find_place(p, p->media[i].place))
			unknown_place(problems, at->mark, p->media[i].place);
	}
	if (p->n_places && !originals)
		config_problem_hint(config_problem_error(problems, config_node_get(root, "places")->mark,
					"E-POLICY-38", text("no place is said to have the originals")),
		    text("write 'originals: true' at the place of the server room"));
}

/* ---- the same files in two data sets ---- */

/* Does a capture of the data set leave that folder out, or whatever is in it? */
static bool is_excluded(const struct policy_dataset *d, const char *path)
{
	struct exclude *x = NULL;
	char *within = NULL;
	bool out = false;

	/* a pattern or path that is malformed is told elsewhere */
	for (size_t i = 0; i < d->n_exclude; i++)
		if (!d->exclude[i])
			return false;
	for (size_t i = 0; i < d->n_paths; i++)
		if (!d->paths[i])
			return false;
	x = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, NULL);
	/* any name in it: a pattern with a star behind the folder takes all of them, and not the folder */
	if (x && asprintf(&within, "%s/\1", path) >= 0) {
		out = exclude_match(x, path, true) || exclude_match(x, within, false);
		free(within);
	}
	exclude_free(x);
	return out;
}

/* The first pair of paths of which one lies within the other. */
static bool overlap(
    const struct policy_dataset *a, const struct policy_dataset *b, const char **ret_a, const char **ret_b)
{
	for (size_t i = 0; i < a->n_paths; i++)
		for (size_t k = 0; k < b->n_paths; k++) {
			*ret_a = a->paths[i];
			*ret_b = b->paths[k];
			if (*ret_a && *ret_b &&
			    ((path_within(*ret_a, *ret_b) && !is_excluded(b, *ret_a)) ||
				(path_within(*ret_b, *ret_a) && !is_excluded(a, *ret_b))))
				return true;
		}
	return false;
}

static void check_overlaps(
    const struct policy *p, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *node = list_of(root, "datasets");

	for (size_t i = 0; i < p->n_datasets && node; i++, node = node->next)
		for (size_t k = 0; k < i && p->datasets[i].name; k++) {
			char a[CONFIG_SHOWN], b[CONFIG_SHOWN];
			const char *own, *other;

			if (!p->datasets[k].name || !overlap(&p->datasets[i], &p->datasets[k], &own, &other))
				continue;
			config_problem_hint(
			    config_problem_warn(problems, node->mark, "E-POLICY-39",
				text(
				    "'%s' and '%s' of data set '%s' overlap: what both hold is stored twice"),
				shown(own, a), shown(other, b), p->datasets[k].name),
			    text("exclude it from one of them, unless it is meant so"));
			break;
		}
}

static bool is_complete(const struct policy *p)
{
	for (size_t i = 0; i < p->n_datasets; i++)
		if (!p->datasets[i].name)
			return false;
	for (size_t i = 0; i < p->n_media; i++)
		for (size_t k = 0; k < p->media[i].n_datasets; k++)
			if (!p->media[i].datasets[k])
				return false;
	return policy_places_named(p);
}

void policy_rules_sets(
    const struct policy *policy, const struct config_node *root, struct config_problems *problems)
{
	if (!is_complete(policy))
		return; /* what is malformed is told already */
	check_held(policy, root, problems);
	check_holders(policy, root, problems);
	check_together(policy, root, problems);
	check_places(policy, root, problems);
	check_overlaps(policy, root, problems);
}
