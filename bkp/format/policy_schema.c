/* policy_schema: see policy_schema.h. */
#include "format/policy_schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/near.h"
#include "format/policy_field.h"
#include "format/policy_node.h"
#include "format/policy_problem.h"

#define DAY_S (24 * 3600)
#define MIB   (UINT64_C(1) << 20)

/* --- the tables
 * ----------------------------------------------------------------------------------------------- */

static const char *const role_words[] = {"manager", "operator", "witness", "keyholder", "restorer", "auditor",
    "vendor", NULL}; /* bit by bit as enum policy_role */
static const char *const type_words[] = {"hdd", "ssd", "rdx", "tape", "optical", "object", NULL};

/* one key a line: */
/* clang-format off */
#define AT(type, member) offsetof(struct type, member)
#define SHAPE(label, fields, bytes, mark_at, initial) {label, fields, sizeof(fields) / sizeof(*(fields)), bytes, mark_at, initial}

static const struct policy_field site_fields[] = {
	{.key = "name", .type = POLICY_T_TEXT, .offset = AT(policy, site_name), .required = true},
	{.key = "language", .type = POLICY_T_LANG, .offset = AT(policy, lang)},
};
static const struct policy_shape site_shape = SHAPE(TEXT_LATER("the site"), site_fields, 0, 0, NULL);

static const struct policy_field person_fields[] = {
	{.key = "name", .type = POLICY_T_TEXT, .offset = AT(policy_person, name), .required = true},
	{.key = "roles", .type = POLICY_T_ROLES, .offset = AT(policy_person, roles), .words = role_words, .required = true},
};
static const struct policy_shape person_shape = SHAPE(TEXT_LATER("a person"), person_fields,
	sizeof(struct policy_person), AT(policy_person, mark), NULL);

static const struct policy_field expect_fields[] = {
	{.key = "min_bytes", .type = POLICY_T_SIZE, .offset = AT(policy_dataset, min_bytes), .min = 1, .max = INT64_MAX,
		.range = TEXT_LATER("from 1 B to 8191 PiB")},
	{.key = "shrink_alarm", .type = POLICY_T_PERCENT, .offset = AT(policy_dataset, shrink_alarm_pct), .min = 1, .max = 99},
};
static const struct policy_shape expect_shape = SHAPE(TEXT_LATER("what to expect"), expect_fields, 0, 0, NULL);

static void dataset_init(void *at)
{
	struct policy_dataset *d = at;

	d->one_file_system = true;
	d->every = (struct policy_every){POLICY_DAY, 1, DAY_S};
	d->generations = 3;
}

static const struct policy_field dataset_fields[] = {
	{.key = "name", .type = POLICY_T_DATASET_NAME, .offset = AT(policy_dataset, name), .required = true},
	{.key = "title", .type = POLICY_T_TEXT, .offset = AT(policy_dataset, title)},
	{.key = "paths", .type = POLICY_T_TEXTS, .item = POLICY_T_PATH, .offset = AT(policy_dataset, paths),
		.count = AT(policy_dataset, n_paths), .min = 1},
	{.key = "exclude", .type = POLICY_T_TEXTS, .item = POLICY_T_PATTERN, .offset = AT(policy_dataset, exclude),
		.count = AT(policy_dataset, n_exclude)},
	{.key = "cross_mounts", .type = POLICY_T_BOOL_NOT, .offset = AT(policy_dataset, one_file_system)},
	{.key = "command", .type = POLICY_T_COMMAND, .offset = AT(policy_dataset, command)},
	{.key = "store_as", .type = POLICY_T_FILE_NAME, .offset = AT(policy_dataset, store_as)},
	{.key = "probe", .type = POLICY_T_COMMAND, .offset = AT(policy_dataset, probe)},
	{.key = "expect", .type = POLICY_T_TABLE, .shape = &expect_shape},
	{.key = "every", .type = POLICY_T_EVERY, .offset = AT(policy_dataset, every)},
	{.key = "generations", .type = POLICY_T_NUMBER, .offset = AT(policy_dataset, generations), .min = 1, .max = 9999},
	{.key = "rpo", .type = POLICY_T_DURATION, .offset = AT(policy_dataset, rpo_s)},
	{.key = "rto", .type = POLICY_T_DURATION, .offset = AT(policy_dataset, rto_s)},
	{.key = "priority", .type = POLICY_T_NUMBER, .offset = AT(policy_dataset, priority), .min = 1, .max = 99},
};
static const struct policy_shape dataset_shape = SHAPE(TEXT_LATER("a data set"), dataset_fields,
	sizeof(struct policy_dataset), AT(policy_dataset, mark), dataset_init);

static const struct policy_field medium_fields[] = {
	{.key = "name", .type = POLICY_T_MEDIUM_NAME, .offset = AT(policy_medium, name), .required = true},
	{.key = "type", .type = POLICY_T_WORD, .offset = AT(policy_medium, type), .words = type_words, .required = true},
	{.key = "path", .type = POLICY_T_PATH, .offset = AT(policy_medium, path)},
	{.key = "place", .type = POLICY_T_TEXT, .offset = AT(policy_medium, place)},
	{.key = "offline", .type = POLICY_T_BOOL, .offset = AT(policy_medium, offline)},
	{.key = "max_attached", .type = POLICY_T_DURATION, .offset = AT(policy_medium, max_attached_s)},
	{.key = "swap_every", .type = POLICY_T_DURATION, .offset = AT(policy_medium, swap_every_s)},
};
static const struct policy_shape medium_shape = SHAPE(TEXT_LATER("a medium"), medium_fields,
	sizeof(struct policy_medium), AT(policy_medium, mark), NULL);

static const struct policy_field retention_fields[] = {
	{.key = "protect", .type = POLICY_T_DURATION, .offset = AT(policy, protect_s)},
	{.key = "anchor_every", .type = POLICY_T_NUMBER, .offset = AT(policy, anchor_every), .min = 1, .max = 9999},
};
static const struct policy_shape retention_shape = SHAPE(TEXT_LATER("the retention"), retention_fields, 0, 0, NULL);

static const struct policy_field schedule_fields[] = {
	{.key = "at", .type = POLICY_T_TIME, .offset = AT(policy, schedule_at), .required = true},
};
static const struct policy_shape schedule_shape = SHAPE(TEXT_LATER("the schedule"), schedule_fields, 0, 0, NULL);

static const struct policy_field notify_fields[] = {
	{.key = "command", .type = POLICY_T_COMMAND, .offset = AT(policy, notify_command), .required = true},
};
static const struct policy_shape notify_shape = SHAPE(TEXT_LATER("the notification"), notify_fields, 0, 0, NULL);

static const struct policy_field policy_fields[] = {
	{.key = "site", .type = POLICY_T_TABLE, .shape = &site_shape, .required = true},
	{.key = "state", .type = POLICY_T_PATH, .offset = AT(policy, state)},
	{.key = "archive_size", .type = POLICY_T_SIZE, .offset = AT(policy, archive_size), .min = MIB, .max = 1024 * MIB,
		.range = TEXT_LATER("from 1 MiB to 1 GiB")},
	{.key = "people", .type = POLICY_T_TABLES, .shape = &person_shape, .offset = AT(policy, people),
		.count = AT(policy, n_people)},
	{.key = "datasets", .type = POLICY_T_TABLES, .shape = &dataset_shape, .offset = AT(policy, datasets),
		.count = AT(policy, n_datasets), .required = true, .min = 1},
	{.key = "media", .type = POLICY_T_TABLES, .shape = &medium_shape, .offset = AT(policy, media),
		.count = AT(policy, n_media), .required = true, .min = 1},
	{.key = "retention", .type = POLICY_T_TABLE, .shape = &retention_shape},
	{.key = "procedures", .type = POLICY_T_TEXTS, .item = POLICY_T_PATH, .offset = AT(policy, procedures),
		.count = AT(policy, n_procedures)},
	{.key = "schedule", .type = POLICY_T_TABLE, .shape = &schedule_shape},
	{.key = "notify", .type = POLICY_T_TABLE, .shape = &notify_shape},
};
static const struct policy_shape policy_shape = SHAPE(TEXT_LATER("the policy"), policy_fields,
	sizeof(struct policy), 0, NULL);
/* clang-format on */

static const struct policy_shape *const all_shapes[] = {&policy_shape, &site_shape, &person_shape,
    &dataset_shape, &expect_shape, &medium_shape, &retention_shape, &schedule_shape, &notify_shape};

/* --- keys
 * ----------------------------------------------------------------------------------------------------- */

static const struct policy_field *find_field(const struct policy_shape *shape, const char *key)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		if (!strcmp(shape->field[i].key, key))
			return &shape->field[i];
	return NULL;
}

static const struct policy_shape *elsewhere(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(all_shapes) / sizeof(*all_shapes); i++)
		if (find_field(all_shapes[i], key))
			return all_shapes[i];
	return NULL;
}

static void unknown_key(
    const struct policy_shape *shape, const struct policy_node *node, struct policy_problems *problems)
{
	const char *known[16], *near;
	char shown[POLICY_SHOWN], list[384];
	const struct policy_shape *other = elsewhere(node->key);
	struct policy_problem *item;
	size_t i;

	for (i = 0; i < shape->n && i < sizeof(known) / sizeof(*known); i++)
		known[i] = shape->field[i].key;
	item = policy_problem_error(problems, node->key_mark, "E-POLICY-08", text("unknown key '%s'"),
	    policy_problem_show(node->key, strlen(node->key), shown));
	near = near_word(node->key, known, i);
	if (strstr(node->key, "\xe3\x80\x80"))
		policy_problem_hint(
		    item, text("a full-width space stands in this key: write it with half-width ones"));
	else if (near)
		policy_problem_hint(item, text("did you mean '%s'?"), near);
	else if (other)
		policy_problem_hint(
		    item, text("it belongs to %s, not to %s"), text(other->name), text(shape->name));
	else
		policy_problem_hint(item, text("%s has: %s"), text(shape->name),
		    policy_field_join(known, i, list, sizeof(list)));
}

static void missing_keys(
    const struct policy_shape *shape, const struct policy_node *table, struct policy_problems *problems)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		if (shape->field[i].required && !policy_node_has(table, shape->field[i].key)) {
			struct policy_problem *item = policy_problem_error(problems, table->mark,
			    "E-POLICY-09", text("%s has no '%s'"), text(shape->name), shape->field[i].key);

			policy_problem_hint(item, text("add the key '%s'"), shape->field[i].key);
		}
}

/* --- the walk
 * ------------------------------------------------------------------------------------------------- */

struct walk {
	struct policy_problems *problems;
	struct err *err;
};

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
	struct policy_field item = {.key = f->key, .type = f->item};
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

static int read_field(struct walk *w, const struct policy_field *f, const struct policy_node *node, char *at)
{
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
			unknown_key(shape, child, w->problems);
		else if (read_field(w, f, child, at))
			return -1;
	}
	missing_keys(shape, table, w->problems);
	return 0;
}

int policy_schema_defaults(struct policy *policy, struct err *err)
{
	memset(policy, 0, sizeof(*policy));
	policy->lang = TEXT_JA;
	policy->protect_s = 14 * DAY_S;
	policy->anchor_every = 30;
	policy->schedule_at = -1;
	policy->archive_size = 128 * MIB;
	policy->state = strdup("/var/lib/bkp");
	return policy->state ? 0 : err_nomem(err);
}

int policy_schema_read(
    const struct policy_node *root, struct policy *policy, struct policy_problems *problems, struct err *err)
{
	struct walk w = {problems, err};
	struct policy_problem *item;
	struct policy_mark top = {1, 1};

	if (!root || policy_node_is_empty(root)) {
		item = policy_problem_error(problems, top, "E-POLICY-01", text("the file holds no policy"));
		policy_problem_hint(item, text("begin with one of the ready-made policies"));
		return 0;
	}
	if (root->refused)
		return 0;
	if (root->kind != POLICY_TABLE) {
		policy_field_wrong_kind(text("policy"), root, text("a table of keys"), problems);
		return 0;
	}
	if (policy_node_has(root, "state")) { /* read_path() writes over it */
		free(policy->state);
		policy->state = NULL;
	}
	return read_table(&w, &policy_shape, root, (char *)policy);
}
