/* fuzz_procedure: any bytes as a procedure.  Beside memory safety: a failure always names a place and a
 * reason; what is accepted is complete, its templates can be filled, and it becomes a page in which nothing
 * can act. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/width.h"
#include "format/procedure/procedure.h"
#include "format/procedure/procedure_html.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_be_printable(const char *s, bool lines)
{
	size_t n = strlen(s);
	uint32_t cp;

	while (n) {
		size_t len = width_decode(s, n, &cp);

		must(cp != UINT32_MAX && !(cp >= 0x7f && cp < 0xa0));
		must(cp >= 0x20 || (lines && (cp == '\n' || cp == '\t')));
		s += len;
		n -= len;
	}
}

static void check_problems(const struct config_problems *problems, bool failed, const struct err *err)
{
	BUF_AUTO out = BUF_INIT(1 << 20);

	must(failed == (problems->n_errors > 0) && failed == (err->code[0] != '\0') && !problems->n_warnings);
	must(problems->n <= CONFIG_PROBLEMS_MAX && problems->n <= problems->n_errors);
	for (size_t i = 0; i < problems->n; i++) {
		const struct config_problem *p = &problems->item[i];

		must(p->mark.line > 0 && p->mark.column > 0 && p->msg[0] && !strncmp(p->code, "E-PROC-", 7));
		must_be_printable(p->msg, false);
		must_be_printable(p->hint, false);
	}
	must(config_problems_format(problems, "fuzz.md", &out, NULL) == 0);
}

/* As bad a value as can be: it must come out as text. */
static const char *lookup(void *arg, const char *name)
{
	(void)arg;
	must(strlen(name) >= 1 && strlen(name) <= 32);
	return "<script src=\"x\">'&${x}$$";
}

static void check_template(const char *s)
{
	BUF_AUTO out = BUF_INIT((size_t)16 << 20);

	must(s && procedure_expand(s, lookup, NULL, &out, NULL) == 0);
}

static void check_step(const struct procedure_step *s, unsigned number)
{
	const char *const texts[] = {s->who, s->what, s->how, s->pass};

	must(s->number == number && s->id && s->minutes <= 10080 && s->limit_s >= 0);
	for (size_t i = 0; i < 4; i++) {
		check_template(texts[i]);
		must_be_printable(texts[i], i > 0);
	}
	must((s->kind == PROCEDURE_RESTORE) == (s->dataset != NULL));
	must((s->kind == PROCEDURE_RESTORE) == (s->to != NULL));
	must((s->kind == PROCEDURE_RUN || s->kind == PROCEDURE_CHECK) == (s->command != NULL));
	must(!s->probe || !s->value);
	for (size_t i = 0; i < s->n_paths; i++)
		check_template(s->paths[i]);
	if (s->dataset) {
		check_template(s->dataset);
		check_template(s->to);
	}
}

static void check_page(const struct procedure *p, bool record)
{
	BUF_AUTO out = BUF_INIT((size_t)256 << 20);
	struct procedure_stamp *stamps = calloc(p->n_steps, sizeof(*stamps));
	struct procedure_page page = {.lookup = record ? lookup : NULL,
	    .stamps = record ? stamps : NULL,
	    .verdict = record ? PROCEDURE_MARK_LATE : PROCEDURE_MARK_NONE};
	static const char *const never[] = {"<script", "<a ", "<a>", "<img", "<!--", "<iframe", "<b>", "<i>"};

	must(stamps != NULL);
	for (size_t i = 0; i < p->n_steps; i++)
		stamps[i].mark = (enum procedure_mark)(i % 5);
	must(procedure_html(p, &page, &out, NULL) == 0 && buf_terminate(&out, NULL) == 0);
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		must(!strstr((const char *)out.p, never[i]));
	must_be_printable((const char *)out.p, true);
	free(stamps);
}

static void check_procedure(const struct procedure *p, const uint8_t *data, size_t n)
{
	unsigned minutes = 0;

	must(p->title && p->n_steps >= 1 && p->n_steps <= PROCEDURE_STEPS_MAX);
	must(p->n_variables <= PROCEDURE_VARIABLES_MAX);
	must(p->source_len == n && !memcmp(p->source, data, n) && strlen(p->source) == n);
	must_be_printable(p->title, false);
	for (size_t i = 0; i < p->n_steps; i++) {
		check_step(&p->steps[i], (unsigned)i + 1);
		must(!i || p->steps[i].line > p->steps[i - 1].line);
		minutes += p->steps[i].minutes;
	}
	must(minutes == p->minutes);
	for (size_t i = 0; i < p->n_variables; i++) {
		const struct procedure_variable *v = &p->variables[i];

		must(procedure_find_variable(p, v->name) == v);
		must(!v->value || procedure_value_check(v, v->value, NULL) == 0);
	}
	check_page(p, false);
	check_page(p, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config_problems problems;
	struct procedure *p = NULL;
	struct err err = ERR_INIT;
	int r = procedure_parse("fuzz.md", (const char *)data, n, &p, &problems, &err);

	check_problems(&problems, r != 0, &err);
	must((r == 0) == (p != NULL));
	if (p)
		check_procedure(p, data, n);
	procedure_free(p);
	return 0;
}
