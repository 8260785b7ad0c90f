/* ledger_canary: what the canaries of the data sets must be; see ledger.h.
 *
 * A canary must be as it was first seen, or as it was in the generation that a person accepted last:
 * committed records teach only those that are new (ledger_canaries_take, accepted false), an "accepted"
 * record all of its generation.  So ransomware cannot teach a changed canary by being captured often.
 */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int ledger_canaries_read(struct ledger_generation *g, const json_t *guard, struct err *err)
{
	json_t *found = json_object_get(guard, "canary"), *value;
	struct guard_canary *list;
	const char *path;

	if (!json_object_size(found))
		return 0;
	list = calloc(json_object_size(found), sizeof(*list));
	if (!list)
		return err_nomem(err);
	g->canaries = list;
	json_object_foreach(found, path, value)
	{
		const char *hex = json_string_value(value);
		struct guard_canary *c = &list[g->n_canaries];
		uint8_t hash[DIGEST_LEN];

		if (!hex || (*hex && (strlen(hex) != 2 * DIGEST_LEN || !digest_unhex(hex, DIGEST_LEN, hash))))
			continue;
		c->path = strdup(path);
		if (!c->path)
			return err_nomem(err);
		memcpy(c->sha256, hex, strlen(hex) + 1);
		g->n_canaries++;
	}
	return 0;
}

void ledger_canaries_free(struct ledger_generation *g)
{
	for (size_t i = 0; i < g->n_canaries; i++)
		free(g->canaries[i].path);
	free((struct guard_canary *)g->canaries);
	g->canaries = NULL;
	g->n_canaries = 0;
}

static struct ledger_canary *find_canary(const struct ledger *l, const char *dataset, const char *path)
{
	for (size_t i = 0; i < l->n_canaries; i++)
		if (!strcmp(l->canaries[i].dataset, dataset) && !strcmp(l->canaries[i].is.path, path))
			return &l->canaries[i];
	return NULL;
}

static int set_canary(struct ledger *l, const char *dataset, const struct guard_canary *is, struct err *err)
{
	struct ledger_canary *c = find_canary(l, dataset, is->path);

	if (!c) {
		c = reallocarray(l->canaries, l->n_canaries + 1, sizeof(*c));
		if (!c)
			return err_nomem(err);
		l->canaries = c;
		c += l->n_canaries;
		c->dataset = strdup(dataset);
		c->is.path = strdup(is->path);
		l->n_canaries++;
		if (!c->dataset || !c->is.path)
			return err_nomem(err);
	}
	memcpy(c->is.sha256, is->sha256, sizeof(c->is.sha256));
	return 0;
}

int ledger_canaries_take(struct ledger *l, const struct ledger_generation *g, bool accepted, struct err *err)
{
	for (size_t i = 0; i < g->n_canaries; i++)
		if ((accepted || !find_canary(l, g->dataset, g->canaries[i].path)) &&
		    set_canary(l, g->dataset, &g->canaries[i], err))
			return -1;
	return 0;
}

const char *ledger_canary(const struct ledger *l, const char *dataset, const char *path)
{
	const struct ledger_canary *c = find_canary(l, dataset, path);

	return c ? c->is.sha256 : NULL;
}

void ledger_canaries_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_canaries; i++) {
		free(l->canaries[i].dataset);
		free(l->canaries[i].is.path);
	}
	free(l->canaries);
}
