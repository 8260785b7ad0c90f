/* run_liveness: of the archives that are there, which ones a run may refer to; see liveness.h.
 *
 * The ledger says which generations hold each data set of the policy; liveness_plan() does the rest.  --anchor
 * needs no plan: nothing is referred to. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/liveness/liveness.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

static bool holds(const struct ledger_generation *g, const char *dataset)
{
	for (size_t i = 0; g->state == LEDGER_COMMITTED && i < g->n_datasets; i++)
		if (!strcmp(g->datasets[i].name, dataset))
			return g->datasets[i].verdict == LEDGER_GOOD ||
			       g->datasets[i].verdict == LEDGER_PARTIAL;
	return false;
}

static int generations_of(const struct ledger *l, struct liveness_dataset *set, struct err *err)
{
	uint64_t *all = calloc(ledger_generations(l) + 1, sizeof(*all));

	if (!all)
		return err_nomem(err);
	set->generations = all;
	for (size_t i = 0; i < ledger_generations(l); i++)
		if (holds(ledger_generation(l, i), set->name))
			all[set->n_generations++] = ledger_generation(l, i)->number;
	return 0;
}

static int plan(struct run *n, struct liveness_dataset *sets, struct err *err)
{
	const struct policy *policy = n->cfg->policy;
	const struct liveness_limits limits = {
	    policy->live_share, policy->anchor_every, policy->archive_size};
	struct liveness_figures figures;

	for (size_t i = 0; i < policy->n_datasets; i++) {
		sets[i].name = policy->datasets[i].name;
		for (size_t k = 0; k < n->cfg->n_datasets; k++)
			sets[i].in_this_run |= !strcmp(sets[i].name, n->cfg->datasets[k]->name);
		if (generations_of(state_ledger(n->cfg->state), &sets[i], err))
			return -1;
	}
	return liveness_plan(n->liveness, n->dedup, &limits, sets, policy->n_datasets, &figures, err);
}

int run_refuse_archives(struct run *n, struct err *err)
{
	size_t count = n->cfg->policy->n_datasets;
	struct liveness_dataset *sets = calloc(count + 1, sizeof(*sets));
	IO_FD_AUTO cache = io_make_dir(state_dirfd(n->cfg->state), "cache", 0700, err);
	int r = -1;

	if (!sets)
		err_nomem(err);
	else if (cache >= 0)
		r = liveness_open(
			cache, state_repository(n->cfg->state), n->ret->generation, &n->liveness, err) ||
			    (!n->cfg->anchor && plan(n, sets, err))
			? -1
			: 0;
	for (size_t i = 0; sets && i < count; i++)
		free((void *)(uintptr_t)sets[i].generations);
	free(sets);
	return r;
}
