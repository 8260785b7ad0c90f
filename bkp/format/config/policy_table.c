/* policy_table: see policy_table.h. */
#include "format/config/policy_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/show/near.h"
#include "base/text.h"
#include "format/config/policy_field.h"
#include "format/config/policy_node.h"
#include "format/config/policy_problem.h"

#define KEYS_MAX 48 /* names of one table's keys, in both languages */

struct walk {
	const struct policy_shapes *all;
	struct policy_problems *problems;
	struct err *err;
};

/* ---- keys ---- */

bool policy_table_is_key(const struct policy_field *field, const char *key)
{
	return !strcmp(field->key, key) || (field->alias && !strcmp(field->alias, key));
}

const char *policy_table_key(const struct policy_field *field)
{
	return field->alias && text_lang() == TEXT_JA ? field->alias : field->key;
}

static const struct policy_field *find_field(const struct policy_shape *shape, const char *key)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		if (policy_table_is_key(&shape->field[i], key))
			return &shape->field[i];
	return NULL;
}

static const struct policy_shape *elsewhere(const struct policy_shapes *all, const char *key)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (find_field(all->shape[i], key))
			return all->shape[i];
	return NULL;
}

static void hint_at_key(
    const struct walk *w, const struct policy_shape *shape, const char *key, struct policy_problem *item)
{
	const char *known[KEYS_MAX], *names[KEYS_MAX], *near;
	const struct policy_shape *other = elsewhere(w->all, key);
	char list[384];
	size_t i, n = 0;

	for (i = 0; i < shape->n && n + 2 <= KEYS_MAX; i++) {
		names[i] = policy_table_key(&shape->field[i]);
		known[n++] = shape->field[i].key;
		if (shape->field[i].alias)
			known[n++] = shape->field[i].alias;
	}
	near = near_word(key, known, n);
	if (strstr(key, "\xe3\x80\x80"))
		policy_problem_hint(
		    item, text("a full-width space stands in this key: write it with half-width ones"));
	else if (strstr(key, "："))
		policy_problem_hint(
		    item, text("write ':' half-width: a full-width colon stands in this line"));
	else if (near)
		policy_problem_hint(item, text("did you mean '%s'?"), near);
	else if (other)
		policy_problem_hint(
		    item, text("it belongs to %s, not to %s"), text(other->name), text(shape->name));
	else
		policy_problem_hint(item, text("%s has: %s"), text(shape->name),
		    policy_field_join(names, i, list, sizeof(list)));
}

static void unknown_key(
    const struct walk *w, const struct policy_shape *shape, const struct policy_node *node)
{
	char shown[POLICY_SHOWN];

	hint_at_key(w, shape, node->key,
	    policy_problem_error(w->problems, node->key_mark, "E-POLICY-08", text("unknown key '%s'"),
		policy_problem_show(node->key, strlen(node->key), shown)));
}

/* The same key in its other language stood before: the tree cannot know that it is the same. */
static bool is_twice(const struct walk *w, const struct policy_field *f, const struct policy_node *table,
    const struct policy_node *node)
{
	const struct policy_node *child;
	struct policy_problem *item;

	if (!f->alias)
		return false;
	for (child = table->first; child != node; child = child->next)
		if (policy_table_is_key(f, child->key)) {
			item = policy_problem_error(w->problems, node->key_mark, "E-POLICY-05",
			    text("'%s' and '%s' are the same key: it stands twice in one table"), child->key,
			    node->key);
			policy_problem_hint(item, text("keep one of the two: the first stands in line %u"),
			    child->key_mark.line);
			return true;
		}
	return false;
}

static void missing_keys(
    const struct policy_shape *shape, const struct policy_node *table, struct policy_problems *problems)
{
	size_t i;

	for (i = 0; i < shape->n; i++) {
		const struct policy_field *f = &shape->field[i];
		struct policy_problem *item;

		if (!f->required || policy_node_has(table, f->key) ||
		    (f->alias && policy_node_has(table, f->alias)))
			continue;
		item = policy_problem_error(problems, table->mark, "E-POLICY-09", text("%s has no '%s'"),
		    text(shape->name), policy_table_key(f));
		policy_problem_hint(item, text("add the key '%s'"), policy_table_key(f));
	}
}

/* ---- the walk ---- */

static int read_table(
    struct walk *w, const struct policy_shape *shape, const struct policy_node *table, char *at);

static bool is_list(struct walk *w, const struct policy_field *f, const struct policy_node *node)
{
	if (policy_node_is_empty(node) || (node->kind == POLICY_LIST && node->n < f->min))
		policy_field_no_value(f->key, node, w->problems);
	else if (node->kind != POLICY_LIST)
		policy_field_wrong_kind(f->key, node, text("a list"), w->problems);
	else
		return node->n > 0;
	return false;
}

static int read_texts(struct walk *w, const struct policy_field *f, const struct policy_node *node, char *at)
{
	struct policy_field item = {.key = f->key, .type = f->item, .max = f->max};
	const struct policy_node *child;
	char **list;
	size_t i = 0;

	if (!is_list(w, f, node))
		return 0;
	list = calloc(node->n, sizeof(*list));
	if (!list)
		return err_nomem(w->err);
	*(char ***)(void *)(at + f->offset) = list;
	*(size_t *)(void *)(at + f->count) = node->n;
	for (child = node->first; child; child = child->next)
		if (policy_field_read(&item, child, &list[i++], w->problems, w->err))
			return -1;
	return 0;
}

static int read_tables(struct walk *w, const struct policy_field *f, const struct policy_node *node, char *at)
{
	const struct policy_node *child;
	char *list;

	if (!is_list(w, f, node))
		return 0;
	list = calloc(node->n, f->shape->size);
	if (!list)
		return err_nomem(w->err);
	*(void **)(void *)(at + f->offset) = list;
	*(size_t *)(void *)(at + f->count) = node->n;
	for (child = node->first; child; child = child->next, list += f->shape->size) {
		if (f->shape->init)
			f->shape->init(list);
		*(struct policy_mark *)(void *)(list + f->shape->mark) = child->mark;
		if (child->refused)
			continue;
		if (child->kind != POLICY_TABLE)
			policy_field_wrong_kind(f->key, child, text("a list of tables of keys"), w->problems);
		else if (read_table(w, f->shape, child, list))
			return -1;
	}
	return 0;
}

static int read_field(
    struct walk *w, const struct policy_field *field, const struct policy_node *node, char *at)
{
	struct policy_field named = *field;
	const struct policy_field *f = &named;

	named.key = node->key; /* messages name it as it was written */
	switch (f->type) {
	case POLICY_T_TEXTS:
		return read_texts(w, f, node, at);
	case POLICY_T_TABLES:
		return read_tables(w, f, node, at);
	case POLICY_T_TABLE:
		if (policy_node_is_empty(node))
			policy_field_no_value(f->key, node, w->problems);
		else if (node->kind != POLICY_TABLE)
			policy_field_wrong_kind(f->key, node, text("a table of keys"), w->problems);
		else
			return read_table(w, f->shape, node, at);
		return 0;
	default:
		return policy_field_read(f, node, at + f->offset, w->problems, w->err);
	}
}

static int read_table(
    struct walk *w, const struct policy_shape *shape, const struct policy_node *table, char *at)
{
	const struct policy_node *child;

	for (child = table->first; child; child = child->next) {
		const struct policy_field *f = find_field(shape, child->key);

		if (child->refused)
			continue;
		if (!f)
			unknown_key(w, shape, child);
		else if (!is_twice(w, f, table, child) && read_field(w, f, child, at))
			return -1;
	}
	missing_keys(shape, table, w->problems);
	return 0;
}

int policy_table_read(const struct policy_shapes *all, const struct policy_shape *shape,
    const struct policy_node *table, void *at, struct policy_problems *problems, struct err *err)
{
	struct walk w = {all, problems, err};

	return read_table(&w, shape, table, at);
}
