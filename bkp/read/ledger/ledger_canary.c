/* ledger_canary: what the canaries of the data sets must be; see ledger.h.
 *
 * A canary must be as it was first seen, or as it was in the generation that a person accepted last:
 * committed records teach only those that are new (ledger_canaries_take, accepted false), an "accepted"
 * record all of its generation.  So ransomware cannot teach a changed canary by being captured often.
 *
 * Those that bkp made ("placed") are known by number.  One that was found changed or gone in a generation that a person accepts is given
 * up: what it must be is never taught anew.
 */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"

int ledger_canaries_read(struct ledger_generation *g, const json_t *guard, struct err *err)
{
	json_t *found = json_object_get(guard, "canary"), *value;
	struct guard_canary *list;
	const char *path;

	if (json_is_array(json_object_get(guard, "placed")))
		g->placed_wrong = json_incref(json_object_get(guard, "placed"));
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
	json_decref((json_t *)g->placed_wrong);
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

static struct ledger_placed *find_placed(const struct ledger *l, const char *dataset)
{
	for (size_t i = 0; i < l->n_placed; i++)
		if (!strcmp(l->placed[i].dataset, dataset))
			return &l->placed[i];
	return NULL;
}

static void give_up(struct ledger_placed *p, const json_t *numbers)
{
	for (size_t i = 0; p && i < p->n; i++)
		for (size_t k = 0; k < json_array_size(numbers); k++)
			p->all[i].given_up |=
			    (uint64_t)json_integer_value(json_array_get(numbers, k)) == p->all[i].number;
}

int ledger_canaries_take(struct ledger *l, const struct ledger_generation *g, bool accepted, struct err *err)
{
	for (size_t i = 0; i < g->n_canaries; i++)
		if ((accepted || !find_canary(l, g->dataset, g->canaries[i].path)) &&
		    set_canary(l, g->dataset, &g->canaries[i], err))
			return -1;
	if (accepted)
		give_up(find_placed(l, g->dataset), g->placed_wrong);
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
	for (size_t i = 0; i < l->n_placed; i++) {
		free((char *)l->placed[i].dataset);
		free(l->placed[i].all);
	}
	free(l->placed);
}

/* ---- those that bkp made ---- */

int ledger_check_placed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {{"number", NUMBER}, {"sha256", SHA256}, {NULL, UUID}};
	const struct ledger_placed *p = find_placed(l, member_str(o, "dataset"));
	const json_t *list = json_object_get(o, "canaries");
	uint64_t last = p ? p->last : 0;

	if (!generation_name_ok(member_str(o, "dataset")))
		return ledger_wrong_member(line, event, "dataset", err);
	if (!json_array_size(list) || json_array_size(list) + (p ? p->n : 0) > LEDGER_PLACED_MAX)
		return ledger_wrong_member(line, event, "canaries", err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!json_is_object(one))
			return ledger_wrong_member(line, event, "canaries", err);
		if (ledger_check_members(one, members, line, event, err))
			return -1;
		if (member_num(one, "number") <= last)
			return ledger_contradiction(
			    line, event, text("the canary's number was given before"), err);
		last = member_num(one, "number");
	}
	return 0;
}

int ledger_check_removed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	return find_placed(l, member_str(o, "dataset"))
		   ? 0
		   : ledger_contradiction(line, event, text("no canary was made there"), err);
}

static struct ledger_placed *add_set(struct ledger *l, const char *dataset)
{
	struct ledger_placed *p = reallocarray(l->placed, l->n_placed + 1, sizeof(*p));

	if (!p)
		return NULL;
	l->placed = p;
	p += l->n_placed;
	memset(p, 0, sizeof(*p));
	p->dataset = strdup(dataset);
	p->all = calloc(LEDGER_PLACED_MAX, sizeof(*p->all));
	l->n_placed++;
	return p->dataset && p->all ? p : NULL;
}

int ledger_fold_placed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *list = json_object_get(r->json, "canaries");
	struct ledger_placed *p = find_placed(l, member_str(r->json, "dataset"));

	p = p ? p : add_set(l, member_str(r->json, "dataset"));
	if (!p)
		return err_nomem(err);
	memcpy(p->list_sha256, member_str(r->json, "list_sha256"), DIGEST_HEX);
	if (!strcmp(r->event, "canary-removed")) {
		p->n = 0;
		p->removed = ledger_next_run(l);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct ledger_placed_canary *c = &p->all[p->n++];

		c->given_up = false;
		c->number = p->last = member_num(json_array_get(list, i), "number");
		memcpy(c->sha256, member_str(json_array_get(list, i), "sha256"), DIGEST_HEX);
	}
	return 0;
}

const struct ledger_placed *ledger_placed(const struct ledger *l, const char *dataset)
{
	return find_placed(l, dataset);
}

bool ledger_placed_given_up(const struct ledger_placed *p, uint64_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->all[i].number == number)
			return p->all[i].given_up;
	return false;
}
