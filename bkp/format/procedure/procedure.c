/* procedure: see procedure.h.  Bytes, then the document (procedure_blocks.c), then block by block: YAML
 * (config_node), keys (procedure_schema.c), rules (procedure_rules.c). */
#include "format/procedure/procedure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/err.h"
#include "base/path.h"
#include "base/width.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_text.h"
#include "format/procedure/procedure_private.h"

struct parse {
	struct procedure *p;
	struct config_problems *problems;
	bool has_head, too_many;
	unsigned head_line;
	size_t room; /* in p->steps */
};

/* ---- problems ---- */

/* What the modules of the policy have reported from number `from` on gets the codes of a procedure. */
static void recode(struct config_problems *problems, size_t from)
{
	static const char *const codes[][2] = {{"E-POLICY-03", "E-PROC-05"}, {"E-POLICY-04", "E-PROC-05"},
	    {"E-POLICY-05", "E-PROC-09"}, {"E-POLICY-06", "E-PROC-18"}, {"E-POLICY-07", "E-PROC-06"},
	    {"E-POLICY-08", "E-PROC-07"}, {"E-POLICY-09", "E-PROC-08"}, {"E-POLICY-10", "E-PROC-10"},
	    {"E-POLICY-11", "E-PROC-12"}, {"E-POLICY-15", "E-PROC-11"}, {"E-POLICY-17", "E-PROC-11"},
	    {"E-POLICY-19", "E-PROC-06"}};
	size_t i;

	for (; from < problems->n; from++)
		for (i = 0; i < sizeof(codes) / sizeof(*codes); i++)
			if (!strcmp(problems->item[from].code, codes[i][0])) {
				snprintf(problems->item[from].code, sizeof(problems->item[from].code), "%s",
				    codes[i][1]);
				break;
			}
}

/* ---- blocks ---- */

static int complete_step(struct procedure_step *step, struct err *err)
{
	char number[16];

	if (!step->id) {
		snprintf(number, sizeof(number), "%u", step->number);
		step->id = strdup(number);
		if (!step->id)
			return err_nomem(err);
	}
	if (step->kind == PROCEDURE_GATE && !step->people)
		step->people = 1;
	if (step->kind == PROCEDURE_RESTORE && !step->to && step->dataset) {
		step->to = strdup(step->dataset);
		if (!step->to)
			return err_nomem(err);
	}
	return 0;
}

static struct procedure_step *new_step(struct parse *s, const struct procedure_block *block, struct err *err)
{
	struct procedure *p = s->p;
	struct procedure_step *step, *more;

	if (p->n_steps == s->room) {
		size_t room = s->room ? 2 * s->room : 16;

		more = realloc(p->steps, room * sizeof(*more));
		if (!more) {
			err_nomem(err);
			return NULL;
		}
		p->steps = more;
		s->room = room;
	}
	step = &p->steps[p->n_steps++];
	memset(step, 0, sizeof(*step));
	step->kind = block->kind;
	step->number = (unsigned)p->n_steps;
	step->line = block->line;
	return step;
}

static int read_step(
    struct parse *s, const struct procedure_block *block, const struct config_node *root, struct err *err)
{
	struct procedure_step *step = new_step(s, block, err);
	size_t before = s->problems->n;

	if (!step)
		return -1;
	if (root) {
		if (procedure_schema_step(root, step, s->problems, err))
			return -1;
		recode(s->problems, before);
	}
	if (complete_step(step, err))
		return -1;
	if (root && procedure_rules_step(s->p, step, root, s->problems, err))
		return -1;
	s->p->minutes += step->minutes;
	return 0;
}

static int read_head(
    struct parse *s, const struct procedure_block *block, const struct config_node *root, struct err *err)
{
	struct config_mark mark = {block->line, 1};
	size_t before;

	if (s->has_head) {
		config_problem_hint(config_problem_error(s->problems, mark, "E-PROC-17",
					text("the block 'procedure' stands twice")),
		    text("keep one of the two: the first stands in line %u"), s->head_line);
		return 0;
	}
	s->has_head = true;
	s->head_line = block->line;
	if (s->p->n_steps)
		config_problem_hint(config_problem_error(s->problems, mark, "E-PROC-17",
					text("the block 'procedure' stands behind a step")),
		    text("move it in front of the first step (line %u)"), s->p->steps[0].line);
	before = s->problems->n;
	if (!root)
		return 0;
	if (procedure_schema_head(root, s->p, s->problems, err))
		return -1;
	recode(s->problems, before);
	procedure_rules_head(s->p, root, s->problems);
	return 0;
}

/* An escape in YAML may hide what the bytes of the document do not: then the page would show something else
 * than what is run. */
static void check_seen(const struct config_node *node, struct config_problems *problems)
{
	for (; node; node = node->next) {
		if (node->s && !node->refused && width_has_deceptive(node->s))
			config_problem_hint(config_problem_error(problems, node->mark, "E-PROC-10",
						text("this value holds a character that is not seen")),
			    text("delete it: what is read on paper must be what is run"));
		check_seen(node->first, problems);
	}
}

static int on_block(void *arg, const struct procedure_block *block, struct err *err)
{
	struct parse *s = arg;
	struct config_node *root __attribute__((cleanup(config_node_free_auto))) = NULL;
	struct config_mark mark = {block->line, 1};
	size_t before = s->problems->n;
	int r;

	if (s->too_many)
		return 0;
	if (!block->is_head && s->p->n_steps == PROCEDURE_STEPS_MAX) {
		s->too_many = true;
		config_problem_hint(config_problem_error(s->problems, mark, "E-PROC-18",
					text("more than %d steps"), PROCEDURE_STEPS_MAX),
		    text("make two procedures of it"));
		return 0;
	}
	r = config_node_parse(block->content, strlen(block->content), block->line, &root, s->problems, err);
	recode(s->problems, before);
	if (r < 0)
		return -1;
	check_seen(root, s->problems);
	if (!r && (!root || config_node_is_empty(root))) {
		config_problem_hint(
		    config_problem_error(s->problems, mark, "E-PROC-08", text("this block is empty")),
		    text("see the example in bkp-procedure(5)"));
		config_node_free(root);
		root = NULL;
	}
	return block->is_head ? read_head(s, block, root, err) : read_step(s, block, root, err);
}

/* ---- parse ---- */

/* The text behind the byte order mark that Windows editors put in front. */
static const char *behind_mark(const char *p, size_t *n)
{
	if (*n < 3 || memcmp(p, "\xef\xbb\xbf", 3) != 0)
		return p;
	*n -= 3;
	return p + 3;
}

static bool check_size(const char *p, size_t n, struct config_problems *problems)
{
	struct config_mark top = {1, 1};

	if (n > PROCEDURE_BYTES_MAX) {
		config_problem_hint(
		    config_problem_error(problems, top, "E-PROC-01", text("the file is larger than 256 KiB")),
		    text("check that this is a procedure: pictures stay in files of their own"));
		return false;
	}
	while (n && strchr(" \t\r\n", *p)) { /* a NUL too: "" ends with one, and it is no text */
		p++;
		n--;
	}
	if (!n) {
		config_problem_hint(
		    config_problem_error(problems, top, "E-PROC-01", text("the file holds no procedure")),
		    text("begin with one of the ready-made procedures"));
		return false;
	}
	return true;
}

static int parse_document(
    struct procedure *p, const char *s, size_t n, struct config_problems *problems, struct err *err)
{
	struct parse state = {.p = p, .problems = problems};
	cmark_node *document;
	int r;

	if (!check_size(s, n, problems) || !config_text_check(s, n, "E-PROC-01", problems))
		return 0;
	document = procedure_document(s, n);
	r = procedure_blocks(document, s, n, on_block, &state, &p->title, problems, err);
	cmark_node_free(document);
	if (!r && !problems->n_errors)
		procedure_rules_scans(p, problems);
	if (!r && !p->n_steps && !problems->n_errors)
		config_problem_hint(config_problem_error(problems, (struct config_mark){1, 1}, "E-PROC-03",
					text("the procedure has no step")),
		    text("a step is a block like ```confirm … ```: see bkp-procedure(5)"));
	return r;
}

static int refuse_first(const char *file, const struct config_problems *problems, struct err *err)
{
	char more[128] = "";

	if (problems->n_errors > 1)
		snprintf(more, sizeof(more), text(" (and %zu more)"), problems->n_errors - 1);
	return config_problems_first(problems, file, more, err);
}

static int parse_into(const char *file, const char *s, size_t n, struct procedure **ret,
    struct config_problems *problems, struct err *err)
{
	struct procedure *p = calloc(1, sizeof(*p));
	const char *text_at = s;
	size_t text_n = n;
	int r;

	memset(problems, 0, sizeof(*problems));
	if (!p)
		return err_nomem(err);
	text_at = behind_mark(s, &text_n);
	r = parse_document(p, text_at, text_n, problems, err);
	if (!r && !problems->n_errors) {
		p->source = malloc(n + 1);
		r = p->source ? 0 : err_nomem(err);
	}
	if (r || problems->n_errors) {
		procedure_free(p);
		if (r) {
			memset(problems, 0, sizeof(*problems));
			return -1;
		}
		config_problem_sort(problems);
		return refuse_first(file, problems, err);
	}
	memcpy(p->source, s, n);
	p->source[n] = '\0';
	p->source_len = n;
	digest_sha256(s, n, p->sha256);
	*ret = p;
	return 0;
}

int procedure_parse(const char *file, const char *p, size_t n, struct procedure **ret,
    struct config_problems *problems, struct err *err)
{
	struct config_problems *own = problems ? NULL : malloc(sizeof(*own));
	int r;

	if (!problems && !own)
		return err_nomem(err);
	r = parse_into(file, p, n, ret, problems ? problems : own, err);
	free(own);
	return r;
}

/* ---- use ---- */

static void free_texts(char **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void free_step(struct procedure_step *s)
{
	free(s->id);
	free(s->who);
	free(s->what);
	free(s->how);
	free_texts(s->names, s->n_names);
	free(s->names_from);
	free(s->pass);
	free(s->dataset);
	free_texts(s->paths, s->n_paths);
	free(s->to);
	free(s->generation);
	free(s->select);
	free(s->role);
	free(s->statement);
	free(s->command);
	free(s->probe);
	free(s->value);
}

void procedure_free(struct procedure *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n_steps; i++)
		free_step(&p->steps[i]);
	for (i = 0; i < p->n_variables; i++) {
		free(p->variables[i].name);
		free(p->variables[i].title);
		free(p->variables[i].value);
	}
	free_texts(p->contacts, p->n_contacts);
	free(p->steps);
	free(p->variables);
	free(p->title);
	free(p->id);
	free(p->version);
	free(p->dataset);
	free(p->scenario);
	free(p->target);
	free(p->source);
	free(p);
}

const struct procedure_variable *procedure_find_variable(const struct procedure *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_variables; i++)
		if (!strcmp(p->variables[i].name, name))
			return &p->variables[i];
	return NULL;
}
