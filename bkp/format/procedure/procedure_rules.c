/* procedure: what must hold beyond single values (see procedure.h).  The values are taken from the struct,
 * the places from the tree. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_value.h"
#include "format/medium/selector.h"
#include "format/procedure/procedure_private.h"

#define FILLED_MAX ((size_t)1 << 16) /* a template whose names are replaced by one letter each */

struct rules {
	const struct procedure *p;
	const struct config_node *root;
	struct config_problems *problems;
	struct err *memory; /* is set when it ran out: then nothing that was reported counts */
};

static struct config_problem *report_wrong(const struct rules *r, const struct config_node *node,
    const char *code, const char *fmt) __attribute__((format(printf, 4, 0)));

/* fmt takes the value. */
static struct config_problem *report_wrong(
    const struct rules *r, const struct config_node *node, const char *code, const char *fmt)
{
	char shown[CONFIG_SHOWN], msg[512];

	config_problem_show(node->s, node->len, shown);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(msg, sizeof(msg), fmt, shown);
#pragma GCC diagnostic pop
	return config_problem_error(r->problems, node->mark, code, "%s", msg);
}

/* A single value that can be looked at, or NULL. */
static const struct config_node *scalar_of(const struct config_node *root, const char *key)
{
	const struct config_node *node = config_node_get(root, key);

	return node && node->kind == CONFIG_SCALAR && !config_node_is_empty(node) ? node : NULL;
}

static void check_word(const struct rules *r)
{
	const struct config_node *node = scalar_of(r->root, "id");

	if (node && !config_value_is_medium_name(node->s))
		config_problem_hint(report_wrong(r, node, "E-PROC-12", text("'%s' cannot be an id")),
		    text("letters, digits and . _ - only, beginning with a letter or digit, at most 63"));
}

/* ---- variables ---- */

static bool is_taken(const struct rules *r, size_t i, struct config_mark *ret_first)
{
	const struct procedure_variable *v = r->p->variables;
	size_t k;

	for (k = 0; k < i; k++)
		if (v[k].name && !strcmp(v[k].name, v[i].name)) {
			*ret_first = v[k].mark;
			return true;
		}
	return false;
}

static void check_variable_name(const struct rules *r, size_t i, const struct config_node *name)
{
	struct config_mark first = {0, 0};

	if (!procedure_is_name(name->s, name->len))
		config_problem_hint(
		    report_wrong(r, name, "E-PROC-12", text("'%s' cannot be the name of a variable")),
		    text(
			"small letters, digits and _ only, beginning with a letter, at most 32; the name for "
			"people goes into 'title'"));
	else if (procedure_is_of_engine(name->s, name->len))
		config_problem_hint(report_wrong(r, name, "E-PROC-19",
					text("'%s' is a name that bkp-restore itself fills in")),
		    text("take another name; ${scratch}, ${generation}, ${medium} and ${procedure} are there "
			 "without being declared"));
	else if (is_taken(r, i, &first))
		config_problem_hint(
		    report_wrong(r, name, "E-PROC-13", text("the variable '%s' is declared twice")),
		    text("keep one of the two: the first stands in line %u"), first.line);
}

static void check_variables(const struct rules *r)
{
	const struct config_node *list = config_node_get(r->root, "variables"), *child;
	size_t i = 0;

	if (!list || list->kind != CONFIG_LIST || r->p->n_variables != list->n)
		return;
	for (child = list->first; child; child = child->next, i++) {
		const struct procedure_variable *v = &r->p->variables[i];
		const struct config_node *name = scalar_of(child, "name"), *value = scalar_of(child, "value");
		const char *code, *fault;

		if (i == PROCEDURE_VARIABLES_MAX) {
			config_problem_error(r->problems, child->mark, "E-PROC-18",
			    text("more than %d variables"), PROCEDURE_VARIABLES_MAX);
			return;
		}
		if (name && v->name)
			check_variable_name(r, i, name);
		fault = value && v->value ? procedure_value_fault(v->type, v->value, &code) : NULL;
		if (fault)
			config_problem_hint(
			    report_wrong(r, value, code, text("'%s' is not a value of this variable's type")),
			    "%s", fault);
	}
}

static void check_target(const struct rules *r)
{
	const struct config_node *node = scalar_of(r->root, "target");

	for (size_t i = 0; node && i < r->p->n_variables; i++)
		if (r->p->variables[i].name && !strcmp(r->p->variables[i].name, node->s) &&
		    r->p->variables[i].type == PROCEDURE_PATH)
			return;
	if (node)
		config_problem_hint(
		    report_wrong(r, node, "E-PROC-14", text("'%s' is no variable of type path")),
		    text("declare it under 'variables': where the recovered system is to live"));
}

void procedure_rules_head(
    const struct procedure *p, const struct config_node *root, struct config_problems *problems)
{
	const struct rules r = {p, root, problems, NULL};

	check_word(&r);
	check_variables(&r);
	check_target(&r);
}

/* ---- templates ---- */

static const struct procedure_variable *declared_variable(
    const struct procedure *p, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < p->n_variables; i++)
		if (p->variables[i].name && strlen(p->variables[i].name) == n &&
		    !memcmp(p->variables[i].name, name, n))
			return &p->variables[i];
	return NULL;
}

static void check_template(const struct rules *r, const struct config_node *node)
{
	const char *at = node->s, *s;
	enum procedure_part part;
	char shown[CONFIG_SHOWN];
	size_t n;

	while ((part = procedure_next_part(&at, &s, &n)) != PROCEDURE_PART_END) {
		struct config_problem *item;

		if (part == PROCEDURE_PART_OPEN) {
			item = config_problem_error(r->problems, node->mark, "E-PROC-14",
			    text("'%s' is not closed, or holds no name of a variable"),
			    config_problem_show(s, n, shown));
			config_problem_hint(
			    item, text("write ${name}, or $${ for the characters themselves"));
		} else if (part == PROCEDURE_PART_NAME && !procedure_is_of_engine(s, n) &&
			   !declared_variable(r->p, s, n)) {
			item = config_problem_error(r->problems, node->mark, "E-PROC-14",
			    text("the variable '%s' is not declared"), config_problem_show(s, n, shown));
			config_problem_hint(item,
			    text("declare it under 'variables' in the block 'procedure', or write $${ for "
				 "the characters themselves"));
		}
	}
}

static void check_templates(const struct rules *r)
{
	static const char *const keys[] = {"who", "誰", "what", "何を", "how", "どのように", "pass",
	    "合否条件", "dataset", "to", "generation", "select", "probe", "value", "text", "確認文"};
	static const char *const lists[] = {"paths", "names", "氏名"};
	const struct config_node *node, *list;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if ((node = scalar_of(r->root, keys[i])))
			check_template(r, node);
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		list = config_node_get(r->root, lists[i]);
		for (node = list && list->kind == CONFIG_LIST ? list->first : NULL; node; node = node->next)
			if (!node->refused && node->kind == CONFIG_SCALAR)
				check_template(r, node);
	}
}

/* What is looked at by eye: a few names, in one way. */
static void check_seen(const struct rules *r, const struct procedure_step *s)
{
	const struct config_node *from = scalar_of(r->root, "names_from");

	from = from ? from : scalar_of(r->root, "名簿");
	if (s->n_names > PROCEDURE_NAMES_MAX)
		config_problem_error(
		    r->problems, r->root->mark, "E-PROC-18", text("more than %d names"), PROCEDURE_NAMES_MAX);
	if (from && s->n_names)
		config_problem_error(r->problems, from->mark, "E-PROC-15",
		    text("a confirm step has 'names' and 'names_from': only one can say who is looked at"));
	if (from && (strchr(from->s, '/') || !path_is_entry(from->s)))
		config_problem_hint(
		    report_wrong(r, from, "E-PROC-16", text("'%s' is no file in the scratch folder")), "%s",
		    text("a step before leaves it there, one name a line"));
}

/* What the template could become: every name is replaced by `with`.  NUL-terminated; "" when it is too long.
 */
static const char *stand_in(void *arg, const char *name)
{
	(void)name;
	return arg;
}

static const char *filled_template(const struct rules *r, struct buf *b, const char *template, char *with)
{
	struct err why = ERR_INIT;

	b->n = 0;
	if (!procedure_fill(template, stand_in, with, true, b, &why) && !buf_terminate(b, &why))
		return (const char *)b->p;
	if (why.kind == ERR_MEMORY)
		*r->memory = why;
	return "";
}

/* ---- steps ---- */

bool procedure_select_parse(const char *s, struct procedure_select *ret)
{
	static const char before[] = "newest-before ";

	*ret = (struct procedure_select){.kind = PROCEDURE_LATEST};
	if (!strcmp(s, "latest"))
		return true;
	ret->kind = PROCEDURE_NOT_SUSPECT;
	if (!strcmp(s, "newest-not-suspect"))
		return true;
	ret->kind = PROCEDURE_BEFORE;
	return !strncmp(s, before, sizeof(before) - 1) &&
	       (selector_date(s + sizeof(before) - 1, &ret->day) ||
		   !clock_parse_moment(s + sizeof(before) - 1, &ret->before_ns));
}

void procedure_rules_scans(const struct procedure *p, struct config_problems *problems)
{
	const struct procedure_step *restored = NULL, *let_out = NULL;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct procedure_step *s = &p->steps[i];

		if (s->kind == PROCEDURE_RESTORE && !restored)
			restored = s;
		else if (s->kind == PROCEDURE_RUN && restored && !let_out)
			let_out = s;
		else if (s->kind == PROCEDURE_SCAN) {
			if (let_out)
				config_problem_hint(config_problem_error(problems,
							(struct config_mark){let_out->line, 1}, "E-PROC-21",
							text("this command is run before what was restored "
							     "in line %u is scanned "
							     "in line %u"),
							restored->line, s->line),
				    text(
					"move the scan in front of it: until then what was restored stays in "
					"quarantine"));
			restored = let_out = NULL;
		}
	}
}

/* What stands behind the '@' of a selector. */
static bool says_generation(const char *s)
{
	char typed[64];
	struct selector ignored;

	return snprintf(typed, sizeof(typed), "x@%s", s) < (int)sizeof(typed) &&
	       !selector_parse(typed, &ignored, NULL);
}

static bool holds_name(const char *template, const char *name)
{
	const char *at = template, *s;
	enum procedure_part part;
	size_t n;

	while ((part = procedure_next_part(&at, &s, &n)) != PROCEDURE_PART_END)
		if (part == PROCEDURE_PART_NAME && n == strlen(name) && !memcmp(s, name, n))
			return true;
	return false;
}

static void check_select(const struct rules *r)
{
	const struct config_node *node = scalar_of(r->root, "select");
	struct procedure_select ignored;
	BUF_AUTO b = BUF_INIT(FILLED_MAX);

	if (!node)
		return;
	if (config_node_has(r->root, "generation"))
		config_problem_hint(
		    config_problem_error(r->problems, node->mark, "E-PROC-15",
			text("a restore step has 'generation' and 'select': only one can say which")),
		    text("keep 'select' for a rule, 'generation' for a certain one"));
	if (holds_name(node->s, "generation") ||
	    !procedure_select_parse(filled_template(r, &b, node->s, (char[]){"2026-11-20"}), &ignored))
		config_problem_hint(
		    report_wrong(r, node, "E-PROC-11", text("'%s' does not say how to choose")),
		    text("latest, newest-not-suspect, newest-before 2026-11-20, newest-before 2026-11-20 "
			 "06:00, "
			 "or newest-before and a variable of your own"));
}

static bool holds_a_path(const struct rules *r, const char *template)
{
	const char *at = template, *s;
	enum procedure_part part;
	size_t n;

	while ((part = procedure_next_part(&at, &s, &n)) != PROCEDURE_PART_END) {
		const struct procedure_variable *v =
		    part == PROCEDURE_PART_NAME ? declared_variable(r->p, s, n) : NULL;

		if (v && v->type == PROCEDURE_PATH)
			return true;
	}
	return holds_name(template, "scratch");
}

static void check_names(const struct rules *r)
{
	static const char *const keys[] = {"dataset", "probe"};
	BUF_AUTO b = BUF_INIT(FILLED_MAX);
	const struct config_node *node;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if ((node = scalar_of(r->root, keys[i])) &&
		    !config_value_is_dataset_name(filled_template(r, &b, node->s, (char[]){"x"})))
			config_problem_hint(
			    report_wrong(r, node, "E-PROC-12", text("'%s' cannot be the name of a data set")),
			    text("the name as the policy has it: a small letter, then small letters, digits "
				 "and -; at most 32"));
}

static void check_places(const struct rules *r)
{
	BUF_AUTO b = BUF_INIT(FILLED_MAX);
	const struct config_node *node, *list = config_node_get(r->root, "paths");

	if ((node = scalar_of(r->root, "generation")) &&
	    (holds_name(node->s, "generation") ||
		!says_generation(filled_template(r, &b, node->s, (char[]){"1"}))))
		config_problem_hint(
		    report_wrong(r, node, "E-PROC-11", text("'%s' does not say which generation")),
		    text("a number, latest, a day as in 2026-11-20, 3d, or a variable of your own; without "
			 "it the "
			 "drill's"));
	if ((node = scalar_of(r->root, "to")) &&
	    (holds_a_path(r, node->s) || !path_is_entry(filled_template(r, &b, node->s, (char[]){"x"}))))
		config_problem_hint(
		    report_wrong(r, node, "E-PROC-16", text("'%s' leads out of the scratch folder")),
		    text("the name of a folder below it, as in emr or db/restored: no '/' in front, no '//', "
			 "'.' or '..'"));
	for (node = list && list->kind == CONFIG_LIST ? list->first : NULL; node; node = node->next) {
		const char *s;
		size_t n;

		if (node->refused || node->kind != CONFIG_SCALAR || config_node_is_empty(node))
			continue;
		s = filled_template(r, &b, node->s, (char[]){"x"});
		s += *s == '/';
		n = strlen(s);
		if (n && s[n - 1] == '/')
			b.p[b.n - 1] = '\0';
		if (!path_is_entry(s))
			config_problem_hint(
			    report_wrong(r, node, "E-PROC-16", text("'%s' can select nothing")),
			    text("a name like *.dump or a path inside the data set, without '//', '.' or "
				 "'..'"));
	}
}

static void check_id(const struct rules *r, const struct procedure_step *step)
{
	const struct config_node *node = scalar_of(r->root, "id");
	struct config_mark mark = node ? node->mark : (struct config_mark){step->line, 1};
	char shown[CONFIG_SHOWN];
	size_t i;

	check_word(r);
	for (i = 0; i + 1 < step->number; i++)
		if (!strcmp(r->p->steps[i].id, step->id)) {
			struct config_problem *item =
			    config_problem_error(r->problems, mark, "E-PROC-13", text("the id '%s' is taken"),
				config_problem_show(step->id, strlen(step->id), shown));

			config_problem_hint(item,
			    text("each step has its own: that of line %u has it, or it is its number"),
			    r->p->steps[i].line);
			return;
		}
}

int procedure_rules_step(const struct procedure *p, const struct procedure_step *step,
    const struct config_node *root, struct config_problems *problems, struct err *err)
{
	struct err memory = ERR_INIT;
	const struct rules r = {p, root, problems, &memory};
	const struct config_node *node = config_node_get(root, "value");

	check_templates(&r);
	check_id(&r, step);
	if (step->kind == PROCEDURE_RESTORE || step->kind == PROCEDURE_CHECK)
		check_names(&r);
	if (step->kind == PROCEDURE_RESTORE) {
		check_places(&r);
		check_select(&r);
	}
	if (step->kind == PROCEDURE_CONFIRM)
		check_seen(&r, step);
	if (step->kind == PROCEDURE_GATE && step->always)
		config_problem_hint(config_problem_error(problems, config_node_get(root, "always")->key_mark,
					"E-PROC-15", text("a gate is never done after a failure")),
		    text("take 'always' out of it"));
	if (step->kind == PROCEDURE_CHECK && node && config_node_has(root, "probe"))
		config_problem_hint(
		    config_problem_error(problems, node->key_mark, "E-PROC-15",
			text("a check has 'probe' and 'value': only one can be compared with")),
		    text("keep 'probe' for the value recorded at capture, 'value' for a fixed one"));
	return memory.kind == ERR_MEMORY ? err_nomem(err) : 0;
}
