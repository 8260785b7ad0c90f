/* attest: see attest.h.
 *
 * Problems do not end the parsing: each is noted with its place and the rest is read, so that a person sees
 * all of them at once.  -1 of a static function is only want of memory; whether there was an error is asked
 * of the problems at the end.
 */
#include "restore/drill/attest.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_text.h"
#include "format/config/config_value.h"

#define TEXT_MAX 1024

struct reader {
	const struct procedure *procedure;
	struct attest *attest;
	struct config_problems *problems;
	const char *by; /* for those that do not say; or NULL */
};

/* Keys that nobody knows, and values that are missing, are named. */
static void check_keys(
    const struct config_node *table, const char *const *known, size_t n, struct config_problems *problems)
{
	const struct config_node *i;
	char shown[CONFIG_SHOWN];

	for (i = table->first; i; i = i->next) {
		struct config_problem *item;
		const char *near;
		size_t k = 0;

		while (k < n && strcmp(known[k], i->key) != 0)
			k++;
		if (k < n)
			continue;
		item = config_problem_error(problems, i->key_mark, "E-DRILL-08", text("unknown key '%s'"),
		    config_problem_show(i->key, strlen(i->key), shown));
		near = suggest_word(i->key, known, n);
		if (near)
			config_problem_hint(item, text("did you mean '%s'?"), near);
		else
			config_problem_hint(item, "%s",
			    text("'procedure check' lists the steps; write numbers half-width: 0123456789"));
	}
}

/* A text of one line, or NULL after saying what is wrong with it (or when there is none). */
static const char *line_of(const struct config_node *table, const char *key, struct config_problems *problems)
{
	const struct config_node *v = config_node_get(table, key);

	if (!v)
		return NULL;
	if (v->kind == CONFIG_SCALAR && v->len && v->len <= TEXT_MAX && strlen(v->s) == v->len &&
	    !config_node_is_empty(v) && !config_value_has_control(v->s, false))
		return v->s;
	config_problem_error(
	    problems, v->mark, "E-DRILL-08", text("'%s' is one line of text, up to 1024 bytes"), key);
	return NULL;
}

static const char *required_text(
    const struct config_node *table, const char *key, const char *hint, struct config_problems *problems)
{
	const char *s = line_of(table, key, problems);

	if (!s && !config_node_has(table, key))
		config_problem_hint(config_problem_error(problems, table->mark, "E-DRILL-08",
					text("'%s' is missing in this answer"), key),
		    "%s", hint);
	return s;
}

/* Which step is meant: an index of the procedure, or n_steps after saying why not. */
static size_t step_of(struct reader *r, const struct config_node *node, const char *id)
{
	const struct procedure *p = r->procedure;
	struct config_mark at = config_node_get(node, "step")->mark;
	const char *known[PROCEDURE_STEPS_MAX], *near;
	char shown[CONFIG_SHOWN];
	struct config_problem *item;
	size_t i, n = 0;

	config_problem_show(id, strlen(id), shown);
	for (i = 0; i < p->n_steps; i++) {
		if (!strcmp(p->steps[i].id, id))
			break;
		if (p->steps[i].kind == PROCEDURE_CONFIRM && n < PROCEDURE_STEPS_MAX)
			known[n++] = p->steps[i].id;
	}
	if (i == p->n_steps) {
		item = config_problem_error(
		    r->problems, at, "E-DRILL-09", text("the procedure has no step '%s'"), shown);
		near = suggest_word(id, known, n);
		if (near)
			config_problem_hint(item, text("did you mean '%s'?"), near);
		return i;
	}
	if (p->steps[i].kind != PROCEDURE_CONFIRM) {
		config_problem_error(r->problems, at, "E-DRILL-09",
		    text("step '%s' (line %u of the procedure) asks nobody to confirm anything"), shown,
		    p->steps[i].line);
		return p->n_steps;
	}
	if (r->attest->answer[i].given) {
		config_problem_error(r->problems, at, "E-DRILL-09",
		    text("step '%s' is answered already in line %u"), shown, r->attest->answer[i].line);
		return p->n_steps;
	}
	return i;
}

/* 1 yes, 0 no, -1 neither (said). */
static int yes_or_no(struct reader *r, const struct config_node *node)
{
	const char *hint = text("yes or no");
	const char *s = required_text(node, "answer", hint, r->problems);

	if (!s)
		return -1;
	if (!strcmp(s, "yes") || !strcmp(s, "true") || !strcmp(s, "はい"))
		return 1;
	if (!strcmp(s, "no") || !strcmp(s, "false") || !strcmp(s, "いいえ"))
		return 0;
	config_problem_hint(config_problem_error(r->problems, config_node_get(node, "answer")->mark,
				"E-DRILL-08", text("this is not an answer")),
	    "%s", hint);
	return -1;
}

static int keep_answer(
    struct attest_answer *a, bool yes, const char *by, const char *note, unsigned line, struct err *err)
{
	a->by = strdup(by);
	a->note = note ? strdup(note) : NULL;
	if (!a->by || (note && !a->note))
		return err_nomem(err);
	a->given = true;
	a->yes = yes;
	a->line = line;
	return 0;
}

static int read_answer(struct reader *r, const struct config_node *node, struct err *err)
{
	static const char *const known[] = {"step", "answer", "by", "note"};
	const char *id, *by, *note;
	size_t step;
	int yes;

	if (node->refused)
		return 0;
	if (node->kind != CONFIG_TABLE) {
		config_problem_error(r->problems, node->mark, "E-DRILL-08",
		    text("an answer is a table of keys: {step: ID, answer: yes}"));
		return 0;
	}
	check_keys(node, known, sizeof(known) / sizeof(*known), r->problems);
	id = required_text(node, "step", text("the id of the step in the procedure"), r->problems);
	yes = yes_or_no(r, node);
	by = line_of(node, "by", r->problems);
	note = line_of(node, "note", r->problems);
	if (!by && !config_node_has(node, "by")) {
		by = r->by;
		if (!by)
			config_problem_hint(config_problem_error(r->problems, node->mark, "E-DRILL-08",
						text("nobody is named who answers")),
			    "%s", text("add 'by: NAME' here, or at the top for all"));
	}
	if (!id || yes < 0 || !by)
		return 0;
	step = step_of(r, node, id);
	return step == r->procedure->n_steps
		   ? 0
		   : keep_answer(&r->attest->answer[step], yes, by, note, node->mark.line, err);
}

static int read_tree(struct reader *r, const struct config_node *root, struct err *err)
{
	static const char *const known[] = {"by", "answers"};
	const struct config_node *list, *i;
	const struct config_mark top = {1, 1};

	if (!root || (!root->refused && root->kind != CONFIG_TABLE)) {
		config_problem_hint(config_problem_error(r->problems, root ? root->mark : top, "E-DRILL-08",
					text("this file holds no answers")),
		    "%s", text("answers: [{step: ID, answer: yes, by: NAME}]"));
		return 0;
	}
	if (root->refused)
		return 0;
	check_keys(root, known, sizeof(known) / sizeof(*known), r->problems);
	r->by = line_of(root, "by", r->problems);
	list = config_node_get(root, "answers");
	if (!list && !config_node_has(root, "answers"))
		config_problem_error(r->problems, root->mark, "E-DRILL-08", text("'answers' is missing"));
	if (list && list->kind != CONFIG_LIST) {
		config_problem_error(
		    r->problems, list->mark, "E-DRILL-08", text("'answers' is a list of answers"));
		return 0;
	}
	for (i = list ? list->first : NULL; i; i = i->next)
		if (read_answer(r, i, err))
			return -1;
	return 0;
}

static int parse_answers(struct reader *r, const char *p, size_t n, struct err *err)
{
	struct config_node *root __attribute__((cleanup(config_node_free_auto))) = NULL;
	const struct config_mark top = {1, 1};
	int s;

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) { /* what Windows editors put in front */
		p += 3;
		n -= 3;
	}
	if (!n || n > ATTEST_BYTES_MAX) {
		config_problem_error(
		    r->problems, top, "E-DRILL-08", text("the file is empty, or larger than 1 MiB"));
		return 0;
	}
	if (!config_text_check(p, n, "E-DRILL-08", r->problems))
		return 0;
	s = config_node_parse(p, n, 0, &root, r->problems, err);
	return s < 0 ? -1 : s ? 0 : read_tree(r, root, err);
}

static struct attest *attest_new(size_t n)
{
	struct attest *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->n = n;
	a->answer = calloc(n ? n : 1, sizeof(*a->answer));
	if (!a->answer) {
		free(a);
		return NULL;
	}
	return a;
}

int attest_parse(const char *file, const char *p, size_t n, const struct procedure *procedure,
    struct attest **ret, struct config_problems *problems, struct err *err)
{
	struct config_problems *own = problems ? problems : malloc(sizeof(*own));
	struct reader r = {procedure, attest_new(procedure->n_steps), own, NULL};
	int result = -1;

	if (!own || !r.attest) {
		err_nomem(err);
	} else {
		memset(own, 0, sizeof(*own));
		result = parse_answers(&r, p, n, err);
		config_problem_sort(own);
		if (!result && own->n_errors)
			result = config_problems_first(own, file, "", err);
	}
	if (own != problems)
		free(own);
	if (result) {
		attest_free(r.attest);
		return -1;
	}
	*ret = r.attest;
	return 0;
}

void attest_free(struct attest *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->n; i++) {
		free(a->answer[i].by);
		free(a->answer[i].note);
	}
	free(a->answer);
	free(a);
}

size_t attest_missing(const struct attest *a, const struct procedure *procedure, size_t from)
{
	while (from < procedure->n_steps &&
	       (procedure->steps[from].kind != PROCEDURE_CONFIRM || (a && a->answer[from].given)))
		from++;
	return from;
}
