/* procedure: which keys each kind of block has (see procedure.h), as tables. */

#include "base/err.h"
#include "format/config/config_field.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_table.h"
#include "format/procedure/procedure_private.h"

#define SHORT_MAX   400	 /* bytes of a name or a title: what fits into a line of a form */
#define LONG_MAX    4096 /* of a text that says how */
#define COMMAND_MAX 16384
#define MINUTES_MAX 10080

static const char *const type_words[] = {"text", "number", "name", "path", NULL}; /* as enum procedure_type */

/* one key a line: */
/* clang-format off */
#define AT(member) offsetof(struct procedure_step, member)
#define SHAPE(label, fields, bytes, mark_at) {label, fields, sizeof(fields) / sizeof(*(fields)), bytes, mark_at, NULL}
#define EVERY_STEP \
	{.key = "who", .alias = "誰", .type = CONFIG_T_TEXT, .offset = AT(who), .max = SHORT_MAX, .required = true}, \
	{.key = "what", .alias = "何を", .type = CONFIG_T_LINES, .offset = AT(what), .max = LONG_MAX, .required = true}, \
	{.key = "how", .alias = "どのように", .type = CONFIG_T_LINES, .offset = AT(how), .max = LONG_MAX, .required = true}, \
	{.key = "pass", .alias = "合否条件", .type = CONFIG_T_LINES, .offset = AT(pass), .max = LONG_MAX, .required = true}, \
	{.key = "minutes", .alias = "予定分", .type = CONFIG_T_NUMBER, .offset = AT(minutes), .max = MINUTES_MAX, .required = true}, \
	{.key = "id", .type = CONFIG_T_TEXT, .offset = AT(id)}, \
	{.key = "always", .type = CONFIG_T_BOOL, .offset = AT(always)}
#define COMMAND {.key = "command", .type = CONFIG_T_COMMAND, .offset = AT(command), .max = COMMAND_MAX, .required = true}
#define LIMIT {.key = "limit", .type = CONFIG_T_DURATION, .offset = AT(limit_s)}

static const struct config_field note_fields[] = {EVERY_STEP};
static const struct config_field confirm_fields[] = {
	EVERY_STEP,
	{.key = "names", .alias = "氏名", .type = CONFIG_T_TEXTS, .item = CONFIG_T_TEXT, .max = SHORT_MAX, .offset = AT(names), .count = AT(n_names), .min = 1},
	{.key = "names_from", .alias = "名簿", .type = CONFIG_T_TEXT, .offset = AT(names_from), .max = 200},
};
static const struct config_field restore_fields[] = {
	EVERY_STEP,
	{.key = "dataset", .type = CONFIG_T_TEXT, .offset = AT(dataset), .required = true},
	{.key = "paths", .type = CONFIG_T_TEXTS, .item = CONFIG_T_TEXT, .max = LONG_MAX, .offset = AT(paths), .count = AT(n_paths), .min = 1},
	{.key = "to", .type = CONFIG_T_TEXT, .offset = AT(to), .max = SHORT_MAX},
	{.key = "generation", .type = CONFIG_T_TEXT, .offset = AT(generation)},
	{.key = "select", .type = CONFIG_T_TEXT, .offset = AT(select)},
	{.key = "priority", .alias = "復旧優先度", .type = CONFIG_T_NUMBER, .offset = AT(priority), .min = 1, .max = 99},
	{.key = "parallel", .alias = "同時", .type = CONFIG_T_BOOL, .offset = AT(parallel)},
};
static const struct config_field gate_fields[] = {
	EVERY_STEP,
	{.key = "role", .alias = "役割", .type = CONFIG_T_TEXT, .offset = AT(role), .max = SHORT_MAX, .required = true},
	{.key = "text", .alias = "確認文", .type = CONFIG_T_LINES, .offset = AT(statement), .max = LONG_MAX},
	{.key = "people", .alias = "人数", .type = CONFIG_T_NUMBER, .offset = AT(people), .min = 1, .max = 9},
};
static const struct config_field run_fields[] = {EVERY_STEP, COMMAND, LIMIT};
static const struct config_field check_fields[] = {
	EVERY_STEP, COMMAND, LIMIT,
	{.key = "probe", .type = CONFIG_T_TEXT, .offset = AT(probe)},
	{.key = "value", .type = CONFIG_T_TEXT, .offset = AT(value), .max = PROCEDURE_VALUE_MAX},
};
static const struct config_shape step_shapes[] = { /* as enum procedure_kind */
	SHAPE(TEXT_LATER("a confirm step"), confirm_fields, 0, 0),
	SHAPE(TEXT_LATER("a restore step"), restore_fields, 0, 0),
	SHAPE(TEXT_LATER("a run step"), run_fields, 0, 0),
	SHAPE(TEXT_LATER("a check step"), check_fields, 0, 0),
	SHAPE(TEXT_LATER("a note"), note_fields, 0, 0),
	SHAPE(TEXT_LATER("a gate"), gate_fields, 0, 0),
	SHAPE(TEXT_LATER("a scan step"), run_fields, 0, 0),
};

#undef AT
#define AT(member) offsetof(struct procedure_variable, member)
static const struct config_field variable_fields[] = {
	{.key = "name", .type = CONFIG_T_TEXT, .offset = AT(name), .required = true},
	{.key = "title", .type = CONFIG_T_TEXT, .offset = AT(title), .max = SHORT_MAX},
	{.key = "type", .type = CONFIG_T_ENUM, .offset = AT(type), .words = type_words},
	{.key = "value", .type = CONFIG_T_TEXT, .offset = AT(value), .max = PROCEDURE_VALUE_MAX},
};
static const struct config_shape variable_shape = SHAPE(TEXT_LATER("a variable"), variable_fields,
	sizeof(struct procedure_variable), AT(mark));

#undef AT
#define AT(member) offsetof(struct procedure, member)
static const struct config_field head_fields[] = {
	{.key = "id", .type = CONFIG_T_TEXT, .offset = AT(id)},
	{.key = "version", .type = CONFIG_T_TEXT, .offset = AT(version)},
	{.key = "dataset", .type = CONFIG_T_DATASET_NAME, .offset = AT(dataset)},
	{.key = "scenario", .alias = "想定", .type = CONFIG_T_LINES, .offset = AT(scenario), .max = LONG_MAX},
	{.key = "target", .type = CONFIG_T_TEXT, .offset = AT(target)},
	{.key = "rto", .type = CONFIG_T_DURATION, .offset = AT(rto_s)},
	{.key = "rpo", .type = CONFIG_T_DURATION, .offset = AT(rpo_s)},
	{.key = "contacts", .type = CONFIG_T_TEXTS, .item = CONFIG_T_TEXT, .max = SHORT_MAX, .offset = AT(contacts), .count = AT(n_contacts), .min = 1},
	{.key = "variables", .type = CONFIG_T_TABLES, .shape = &variable_shape, .offset = AT(variables), .count = AT(n_variables), .min = 1},
};
static const struct config_shape head_shape = SHAPE(TEXT_LATER("the procedure"), head_fields, 0, 0);
/* clang-format on */

static const struct config_shape *const all_shapes[] = {&head_shape, &step_shapes[PROCEDURE_RUN],
    &step_shapes[PROCEDURE_CHECK], &step_shapes[PROCEDURE_RESTORE], &step_shapes[PROCEDURE_GATE],
    &step_shapes[PROCEDURE_CONFIRM], &variable_shape};

static int read_block(const struct config_shape *shape, const struct config_node *root, void *at,
    struct config_problems *problems, struct err *err)
{
	const struct config_shapes all = {all_shapes, sizeof(all_shapes) / sizeof(*all_shapes)};

	if (root->refused)
		return 0;
	if (root->kind != CONFIG_TABLE) {
		config_field_wrong_kind(text(shape->name), root, text("a table of keys"), problems);
		return 0;
	}
	return config_table_read(&all, shape, root, at, problems, err);
}

int procedure_schema_head(
    const struct config_node *root, struct procedure *p, struct config_problems *problems, struct err *err)
{
	return read_block(&head_shape, root, p, problems, err);
}

int procedure_schema_step(const struct config_node *root, struct procedure_step *step,
    struct config_problems *problems, struct err *err)
{
	return read_block(&step_shapes[step->kind], root, step, problems, err);
}
