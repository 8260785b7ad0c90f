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
#include "format/journal/drill_slip.h"
#include "format/medium/selector.h"

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

static bool asks(const struct procedure_step *s)
{
	return s->kind == PROCEDURE_CONFIRM || s->kind == PROCEDURE_GATE;
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
		if (asks(&p->steps[i]) && n < PROCEDURE_STEPS_MAX)
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
	return i;
}

/* Whom it answers for: the place to keep it, or NULL after saying why there is none. */
static struct attest_answer *place_of(
    struct reader *r, const struct config_node *node, size_t i, const char *by, struct err *err)
{
	const struct procedure_step *s = &r->procedure->steps[i];
	struct config_mark at = config_node_get(node, "step")->mark;
	struct attest_answer *a = &r->attest->answer[i];
	char shown[CONFIG_SHOWN];
	unsigned n = 0;

	config_problem_show(s->id, strlen(s->id), shown);
	if (!asks(s)) {
		config_problem_error(r->problems, at, "E-DRILL-09",
		    text("step '%s' (line %u of the procedure) asks nobody to confirm anything"), shown,
		    s->line);
		return NULL;
	}
	for (; a->given; a = a->more) {
		bool same = s->kind == PROCEDURE_GATE && !strcmp(a->by, by);

		if (same || ++n >= (s->kind == PROCEDURE_GATE ? s->people : 1)) {
			config_problem_error(r->problems, at, "E-DRILL-09",
			    same ? text("gate '%s' is signed by the same person already in line %u")
				 : text("step '%s' is answered already in line %u"),
			    shown, a->line);
			return NULL;
		}
		if (!a->more && !(a->more = calloc(1, sizeof(*a)))) {
			err_nomem(err);
			return NULL;
		}
	}
	return a;
}

/* 1 yes, 0 no, -1 neither (said). */
static int yes_or_no(struct reader *r, const struct config_node *node, const char *key)
{
	const char *hint = text("yes or no");
	const char *s = required_text(node, key, hint, r->problems);

	if (!s)
		return -1;
	if (!strcmp(s, "yes") || !strcmp(s, "true") || !strcmp(s, "はい"))
		return 1;
	if (!strcmp(s, "no") || !strcmp(s, "false") || !strcmp(s, "いいえ"))
		return 0;
	config_problem_hint(config_problem_error(r->problems, config_node_get(node, key)->mark, "E-DRILL-08",
				text("this is not an answer")),
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
	struct attest_answer *place;
	struct err memory = ERR_INIT;
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
	yes = yes_or_no(r, node, "answer");
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
	if (step == r->procedure->n_steps)
		return 0;
	if (r->procedure->steps[step].kind == PROCEDURE_GATE && !note) {
		config_problem_hint(config_problem_error(r->problems, node->mark, "E-DRILL-08",
					text("'%s' is missing in this answer"), "note"),
		    "%s", text("a gate wants the evidence: what was looked at, where it is written"));
		return 0;
	}
	place = place_of(r, node, step, by, &memory);
	if (!place)
		return memory.kind == ERR_MEMORY ? err_nomem(err) : 0;
	return keep_answer(place, yes, by, note, node->mark.line, err);
}

static int read_decision(struct reader *r, const struct config_node *node, struct err *err)
{
	static const char *const known[] = {"step", "choice", "by", "reason"};
	static const char *const words[] = {"retry", "medium", "older", "skip", "abort"};
	const char *id =
	    required_text(node, "step", text("the id of the step in the procedure"), r->problems);
	const char *hint = text("retry, medium, older, skip or abort");
	const char *choice = required_text(node, "choice", hint, r->problems),
		   *by = line_of(node, "by", r->problems);
	const char *reason = line_of(node, "reason", r->problems);
	struct attest_decision *d = &r->attest->decision[r->attest->n_decisions];
	size_t i = 0;

	check_keys(node, known, sizeof(known) / sizeof(*known), r->problems);
	if (!id || !choice)
		return 0;
	by = by ? by : r->by;
	while (i < sizeof(words) / sizeof(*words) && strcmp(choice, words[i]) != 0)
		i++;
	d->step = step_of(r, node, id);
	if (i == sizeof(words) / sizeof(*words) || !by || (i == 3 && !reason)) {
		config_problem_hint(config_problem_error(r->problems, node->mark, "E-DRILL-08",
					text("this is no decision that somebody answers for")),
		    "%s: by: …, reason: …", hint);
		return 0;
	}
	if (d->step == r->procedure->n_steps)
		return 0;
	d->choice = "rmgsa"[i];
	d->by = strdup(by);
	d->reason = strdup(reason ? reason : "");
	r->attest->n_decisions++;
	return d->by && d->reason ? 0 : err_nomem(err);
}

static int read_decisions(struct reader *r, const struct config_node *root, struct err *err)
{
	const struct config_node *list = config_node_get(root, "decisions"), *i;
	const char *confirm = line_of(root, "confirm", r->problems);

	r->attest->again = config_node_has(root, "again") && yes_or_no(r, root, "again") == 1;
	r->attest->confirm = confirm ? strdup(confirm) : NULL;
	if (confirm && !r->attest->confirm)
		return err_nomem(err);
	if (!list)
		return 0;
	if (list->kind != CONFIG_LIST) {
		config_problem_error(
		    r->problems, list->mark, "E-DRILL-08", text("'%s' is a list"), "decisions");
		return 0;
	}
	r->attest->decision = calloc(list->n + 1, sizeof(*r->attest->decision));
	if (!r->attest->decision)
		return err_nomem(err);
	for (i = list->first; i; i = i->next)
		if (!i->refused && i->kind == CONFIG_TABLE && read_decision(r, i, err))
			return -1;
		else if (!i->refused && i->kind != CONFIG_TABLE)
			config_problem_error(r->problems, i->mark, "E-DRILL-08",
			    text("a decision is a table of keys: {step: ID, choice: retry}"));
	return 0;
}

static int read_finding(struct reader *r, const struct config_node *node, struct err *err)
{
	static const char *const known[] = {"step", "text", "owner", "due"};
	const char *id = line_of(node, "step", r->problems);
	const char *what = required_text(node, "text", text("what is to be mended"), r->problems);
	const char *owner = required_text(node, "owner", text("who sees to it"), r->problems);
	const char *due = required_text(node, "due", text("a day, as 2026-11-30"), r->problems);
	struct attest_finding *f = &r->attest->finding[r->attest->n_findings];
	uint64_t day;

	check_keys(node, known, sizeof(known) / sizeof(*known), r->problems);
	if (due && !selector_date(due, &day))
		config_problem_error(r->problems, config_node_get(node, "due")->mark, "E-DRILL-08",
		    text("'%s' is a day, as 2026-11-30"), "due");
	f->step = id ? step_of(r, node, id) : r->procedure->n_steps;
	if (!what || !owner || !due)
		return 0;
	f->text = strdup(what);
	f->owner = strdup(owner);
	f->due = strdup(due);
	r->attest->n_findings++;
	return f->text && f->owner && f->due ? 0 : err_nomem(err);
}

static int read_findings(struct reader *r, const struct config_node *root, struct err *err)
{
	const struct config_node *list = config_node_get(root, "findings"), *i;

	if (!list)
		return 0;
	if (list->kind != CONFIG_LIST || list->n > DRILL_SLIP_FINDINGS) {
		config_problem_error(r->problems, list->mark, "E-DRILL-08",
		    text("'%s' is a list of up to %d"), "findings", DRILL_SLIP_FINDINGS);
		return 0;
	}
	r->attest->finding = calloc(list->n + 1, sizeof(*r->attest->finding));
	if (!r->attest->finding)
		return err_nomem(err);
	for (i = list->first; i; i = i->next)
		if (!i->refused && i->kind == CONFIG_TABLE && read_finding(r, i, err))
			return -1;
		else if (!i->refused && i->kind != CONFIG_TABLE)
			config_problem_error(r->problems, i->mark, "E-DRILL-08",
			    text("a finding is a table of keys: {text: TEXT, owner: NAME, due: DAY}"));
	return 0;
}

static int read_tree(struct reader *r, const struct config_node *root, struct err *err)
{
	static const char *const known[] = {"by", "answers", "confirm", "again", "decisions", "findings"};
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
	return read_decisions(r, root, err) || read_findings(r, root, err) ? -1 : 0;
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
		struct attest_answer *more = a->answer[i].more, *next;

		free(a->answer[i].by);
		free(a->answer[i].note);
		for (; more; more = next) {
			next = more->more;
			free(more->by);
			free(more->note);
			free(more);
		}
	}
	free(a->answer);
	for (i = 0; i < a->n_decisions; i++) {
		free(a->decision[i].by);
		free(a->decision[i].reason);
	}
	free(a->decision);
	for (i = 0; i < a->n_findings; i++) {
		free(a->finding[i].text);
		free(a->finding[i].owner);
		free(a->finding[i].due);
	}
	free(a->finding);
	free(a->confirm);
	free(a);
}

size_t attest_missing(const struct attest *a, const struct procedure *procedure, size_t from)
{
	for (; from < procedure->n_steps; from++) {
		const struct procedure_step *s = &procedure->steps[from];
		const struct attest_answer *is = a ? &a->answer[from] : NULL;
		unsigned n = 0, wanted = s->kind == PROCEDURE_GATE ? s->people : 1;

		for (; asks(s) && is && is->given && n < wanted; is = is->more)
			n++;
		if (asks(s) && n < wanted)
			break;
	}
	return from;
}
