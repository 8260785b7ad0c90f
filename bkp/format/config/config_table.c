/* config_table: see config_table.h.
 *
 * read_table() goes through the keys of the file, not those of the table: find_field() → is it the same key in its other
 * language (is_twice()) → read_field(), which dispatches lists and inner tables and leaves single values to config_field.
 * What is required and was not met is reported last (missing_keys()).  Recursion is as deep as the tables are nested; the
 * tree is at most CONFIG_DEPTH_MAX deep.
 *
 * `at` is the struct being filled; offsets are those of its fields.  A list is allocated with its full length before its
 * entries are read, so a fault in the middle leaves NULL or defaults and never a shorter list. */
#include "format/config/config_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "format/config/config_field.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"

#define KEYS_MAX 48 /* names of one table's keys, in both languages */

struct walk {
	const struct config_shapes *all;
	struct config_problems *problems;
	struct err *err;
};

/* ---- keys ---- */

static bool config_table_is_key(const struct config_field *field, const char *key)
{
	return !strcmp(field->key, key) || (field->alias && !strcmp(field->alias, key));
}

/* The name of the key that the reader is told. */
static const char *config_table_key(const struct config_field *field)
{
	return field->alias && text_lang() == TEXT_JA ? field->alias : field->key;
}

static const struct config_field *find_field(const struct config_shape *shape, const char *key)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		if (config_table_is_key(&shape->field[i], key))
			return &shape->field[i];
	return NULL;
}

static const struct config_shape *shape_elsewhere(const struct config_shapes *all, const char *key)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (find_field(all->shape[i], key))
			return all->shape[i];
	return NULL;
}

static void hint_at_key(
    const struct walk *w, const struct config_shape *shape, const char *key, struct config_problem *item)
{
	const char *known[KEYS_MAX], *names[KEYS_MAX], *near;
	const struct config_shape *other = shape_elsewhere(w->all, key);
	char list[384];
	size_t i, n = 0;

	for (i = 0; i < shape->n && n + 2 <= KEYS_MAX; i++) {
		names[i] = config_table_key(&shape->field[i]);
		known[n++] = shape->field[i].key;
		if (shape->field[i].alias)
			known[n++] = shape->field[i].alias;
	}
	near = suggest_word(key, known, n);
	if (strstr(key, "\xe3\x80\x80"))
		config_problem_hint(
		    item, text("a full-width space stands in this key: write it with half-width ones"));
	else if (strstr(key, "："))
		config_problem_hint(
		    item, text("write ':' half-width: a full-width colon stands in this line"));
	else if (near)
		config_problem_hint(item, text("did you mean '%s'?"), near);
	else if (other)
		config_problem_hint(
		    item, text("it belongs to %s, not to %s"), text(other->name), text(shape->name));
	else
		config_problem_hint(item, text("%s has: %s"), text(shape->name),
		    config_field_join(names, i, list, sizeof(list)));
}

static void unknown_key(
    const struct walk *w, const struct config_shape *shape, const struct config_node *node)
{
	char shown[CONFIG_SHOWN];

	hint_at_key(w, shape, node->key,
	    config_problem_error(w->problems, node->key_mark, "E-POLICY-08", text("unknown key '%s'"),
		config_problem_show(node->key, strlen(node->key), shown)));
}

/* The same key in its other language stood before: the tree cannot know that it is the same. */
static bool is_twice(const struct walk *w, const struct config_field *f, const struct config_node *table,
    const struct config_node *node)
{
	const struct config_node *child;
	struct config_problem *item;

	if (!f->alias)
		return false;
	for (child = table->first; child != node; child = child->next)
		if (config_table_is_key(f, child->key)) {
			item = config_problem_error(w->problems, node->key_mark, "E-POLICY-05",
			    text("'%s' and '%s' are the same key: it stands twice in one table"), child->key,
			    node->key);
			config_problem_hint(item, text("keep one of the two: the first stands in line %u"),
			    child->key_mark.line);
			return true;
		}
	return false;
}

static void missing_keys(
    const struct config_shape *shape, const struct config_node *table, struct config_problems *problems)
{
	size_t i;

	for (i = 0; i < shape->n; i++) {
		const struct config_field *f = &shape->field[i];
		struct config_problem *item;

		if (!f->required || config_node_has(table, f->key) ||
		    (f->alias && config_node_has(table, f->alias)))
			continue;
		item = config_problem_error(problems, table->mark, "E-POLICY-09", text("%s has no '%s'"),
		    text(shape->name), config_table_key(f));
		config_problem_hint(item, text("add the key '%s'"), config_table_key(f));
	}
}

/* ---- the walk ---- */

static int read_table(
    struct walk *w, const struct config_shape *shape, const struct config_node *table, char *at);

static bool is_list(struct walk *w, const struct config_field *f, const struct config_node *node)
{
	if (config_node_is_empty(node) || (node->kind == CONFIG_LIST && node->n < f->min))
		config_field_no_value(f->key, node, w->problems);
	else if (node->kind != CONFIG_LIST)
		config_field_wrong_kind(f->key, node, text("a list"), w->problems);
	else
		return node->n > 0;
	return false;
}

static int read_texts(struct walk *w, const struct config_field *f, const struct config_node *node, char *at)
{
	struct config_field item = {.key = f->key, .type = f->item, .max = f->max};
	const struct config_node *child;
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
		if (config_field_read(&item, child, &list[i++], w->problems, w->err))
			return -1;
	return 0;
}

static int read_tables(struct walk *w, const struct config_field *f, const struct config_node *node, char *at)
{
	const struct config_node *child;
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
		*(struct config_mark *)(void *)(list + f->shape->mark) = child->mark;
		if (child->refused)
			continue;
		if (child->kind != CONFIG_TABLE)
			config_field_wrong_kind(f->key, child, text("a list of tables of keys"), w->problems);
		else if (read_table(w, f->shape, child, list))
			return -1;
	}
	return 0;
}

static int read_field(
    struct walk *w, const struct config_field *field, const struct config_node *node, char *at)
{
	struct config_field named = *field;
	const struct config_field *f = &named;

	named.key = node->key; /* messages name it as it was written */
	switch (f->type) {
	case CONFIG_T_TEXTS:
		return read_texts(w, f, node, at);
	case CONFIG_T_TABLES:
		return read_tables(w, f, node, at);
	case CONFIG_T_TABLE:
		if (config_node_is_empty(node))
			config_field_no_value(f->key, node, w->problems);
		else if (node->kind != CONFIG_TABLE)
			config_field_wrong_kind(f->key, node, text("a table of keys"), w->problems);
		else
			return read_table(w, f->shape, node, at);
		return 0;
	default:
		return config_field_read(f, node, at + f->offset, w->problems, w->err);
	}
}

static int read_table(
    struct walk *w, const struct config_shape *shape, const struct config_node *table, char *at)
{
	const struct config_node *child;

	for (child = table->first; child; child = child->next) {
		const struct config_field *f = find_field(shape, child->key);

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

int config_table_read(const struct config_shapes *all, const struct config_shape *shape,
    const struct config_node *table, void *at, struct config_problems *problems, struct err *err)
{
	struct walk w = {all, problems, err};

	return read_table(&w, shape, table, at);
}
