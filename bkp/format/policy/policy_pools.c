/* policy_pools: media that take turns, and what must hold of a pool; see policy.h, policy_rules.h. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/policy/policy.h"
#include "format/policy/policy_rules.h"

#define DAY_S 86400

/* While the policy is read names may be missing: what is malformed is told elsewhere. */
static struct policy_medium *medium_of(const struct policy *p, const char *name)
{
	for (size_t i = 0; name && i < p->n_media; i++)
		if (p->media[i].name && !strcasecmp(p->media[i].name, name))
			return &p->media[i];
	return NULL;
}

/* One that is named twice stays in the first. */
void policy_pools(struct policy *p)
{
	for (size_t i = 0; i < p->n_pools; i++)
		for (size_t k = 0; k < p->pools[i].n_media; k++) {
			struct policy_medium *m = medium_of(p, p->pools[i].media[k]);

			if (m && !m->pool)
				m->pool = &p->pools[i];
		}
}

bool policy_places_named(const struct policy *p)
{
	for (size_t i = 0; i < p->n_places; i++) {
		if (!p->places[i].name)
			return false;
		for (size_t k = 0; k < p->places[i].n_separate_from; k++)
			if (!p->places[i].separate_from[k])
				return false;
	}
	return true;
}

size_t policy_pool_separate(const struct policy *p, const struct policy_pool *pool)
{
	size_t n = 0;

	for (size_t i = 0; i < pool->n_media && policy_places_named(p); i++) {
		const struct policy_medium *m = medium_of(p, pool->media[i]);

		n += m && m->place && policy_place_is_separate(p, m->place);
	}
	return n;
}

/* ---- rules ---- */

struct pool_rules {
	const struct policy *policy;
	const struct policy_pool *pool;
	const struct config_node *node;
	struct config_problems *problems;
};

static const char *shown(const char *s, char out[CONFIG_SHOWN])
{
	return config_problem_show(s, strlen(s), out);
}

static struct config_mark mark_of(const struct pool_rules *r, const char *key)
{
	const struct config_node *node = config_node_get(r->node, key);

	return node ? node->mark : r->node->mark;
}

static bool holds_same(const struct policy *p, const struct policy_medium *a, const struct policy_medium *b)
{
	for (size_t i = 0; i < p->n_datasets; i++)
		if (p->datasets[i].name && policy_medium_holds(a, p->datasets[i].name) !=
					       policy_medium_holds(b, p->datasets[i].name))
			return false;
	return true;
}

static bool is_whole(const struct policy_medium *m)
{
	for (size_t i = 0; i < m->n_datasets; i++)
		if (!m->datasets[i])
			return false;
	return true;
}

static void check_member(const struct pool_rules *r, size_t i, struct config_mark mark)
{
	const struct policy_medium *m = medium_of(r->policy, r->pool->media[i]),
				   *first = medium_of(r->policy, r->pool->media[0]);
	char name[CONFIG_SHOWN];
	bool twice = false;

	if (!m) {
		config_problem_hint(config_problem_error(r->problems, mark, "E-POLICY-41",
					text("there is no medium '%s'"), shown(r->pool->media[i], name)),
		    text("name media that are declared below 'media'"));
		return;
	}
	for (size_t k = 0; k < i; k++)
		twice |= medium_of(r->policy, r->pool->media[k]) == m;
	if (twice || m->pool != r->pool)
		config_problem_hint(config_problem_error(r->problems, mark, "E-POLICY-42",
					text("medium '%s' takes turns in two places"), m->name),
		    text("a medium is in one pool, and once"));
	if (!m->offline)
		config_problem_hint(config_problem_error(r->problems, mark, "E-POLICY-43",
					text("medium '%s' is not kept offline"), m->name),
		    text("only what is detached takes turns: give it 'offline: true', or take it out of the "
			 "pool"));
	if (m->swap_every_s)
		config_problem_hint(config_problem_error(r->problems, mark, "E-POLICY-44",
					text("'swap_every' stands at medium '%s' and at its pool"), m->name),
		    text("take it out at the medium: the pool says it for all of them"));
	if (first && is_whole(m) && is_whole(first) && !holds_same(r->policy, m, first))
		config_problem_hint(config_problem_error(r->problems, mark, "E-POLICY-43",
					text("'%s' and '%s' take turns and do not hold the same data sets"),
					first->name, m->name),
		    text("give both the same 'datasets', or make two pools: one comes in the other's place"));
}

static void check_rhythm(const struct pool_rules *r)
{
	const struct policy_pool *pool = r->pool;

	if (pool->n_media == 1)
		config_problem_hint(config_problem_error(r->problems, mark_of(r, "media"), "E-POLICY-44",
					text("a pool of one medium has no turns")),
		    text("name a second one, or write 'swap_every' at the medium and take the pool out"));
	if (pool->swap_every_s && pool->swap_every_s % DAY_S)
		config_problem_hint(config_problem_error(r->problems, mark_of(r, "swap_every"), "E-POLICY-44",
					text("turns are on days: this is not a number of whole days")),
		    text("write it as 1d, 7d, 2w"));
	else if (pool->weekday && pool->swap_every_s % (7 * DAY_S))
		config_problem_hint(config_problem_error(r->problems, mark_of(r, "weekday"), "E-POLICY-44",
					text("'weekday' goes with turns of whole weeks")),
		    text("write 'swap_every: 7d', or take 'weekday' out"));
}

static void check_away(const struct pool_rules *r)
{
	const struct policy_pool *pool = r->pool;

	if (pool->away_at_least >= pool->n_media && pool->n_media > 1)
		config_problem_hint(
		    config_problem_error(r->problems, mark_of(r, "away_at_least"), "E-POLICY-45",
			text("of %zu media one is here at its turn: %u cannot be away all the time"),
			pool->n_media, pool->away_at_least),
		    text("write %zu at most, or add a medium to the pool"), pool->n_media - 1);
	else if (pool->away_at_least && policy_places_named(r->policy) &&
		 pool->away_at_least >= policy_pool_separate(r->policy, pool))
		config_problem_hint(
		    config_problem_error(r->problems, mark_of(r, "away_at_least"), "E-POLICY-45",
			text("media of this pool that have a place separate from the originals: %zu; one "
			     "of them is here at its turn"),
			policy_pool_separate(r->policy, pool)),
		    text("give one more a 'place' that is listed in 'places' with 'separate_from'"));
}

static void check_reminders(const struct pool_rules *r)
{
	const struct config_node *list = config_node_get(r->node, "remind"),
				 *item = list && list->kind == CONFIG_LIST ? list->first : NULL;
	char name[CONFIG_SHOWN];

	for (size_t i = 0; i < r->pool->n_remind && item; i++, item = item->next) {
		const char *tell = r->pool->remind[i].tell;
		bool twice = false;

		for (size_t k = 0; tell && k < i; k++)
			twice |= r->pool->remind[k].tell && !strcmp(r->pool->remind[k].tell, tell);
		if (tell && (twice || !policy_find_person(r->policy, tell)))
			config_problem_hint(
			    config_problem_error(r->problems, item->mark, "E-POLICY-46",
				twice ? text("'%s' is to be told twice") : text("nobody is named '%s'"),
				shown(tell, name)),
			    twice ? text("once is enough: the reminder stays until the turn is done")
				  : text("name one of the 'people'"));
	}
}

void policy_rules_pools(
    const struct policy *policy, const struct config_node *root, struct config_problems *problems)
{
	const struct config_node *list = config_node_get(root, "pools"),
				 *node = list && list->kind == CONFIG_LIST ? list->first : NULL;

	for (size_t i = 0; i < policy->n_pools && node; i++, node = node->next) {
		const struct pool_rules r = {policy, &policy->pools[i], node, problems};
		const struct config_node *media, *item;

		if (node->kind != CONFIG_TABLE || node->refused)
			continue;
		media = config_node_get(node, "media");
		item = media && media->kind == CONFIG_LIST ? media->first : NULL;
		for (size_t k = 0; k < r.pool->n_media && item; k++, item = item->next)
			if (r.pool->media[k])
				check_member(&r, k, item->mark);
		check_rhythm(&r);
		check_away(&r);
		check_reminders(&r);
	}
}
