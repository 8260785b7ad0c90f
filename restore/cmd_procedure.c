/* bkp-restore procedure check|print FILE: is it a procedure that can be replayed; the form to fill in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/procedure/procedure.h"
#include "format/procedure/procedure_html.h"
#include "restore/app/app.h"
#include "restore/app/output.h"
#include "restore/drill/procedure_file.h"

#define PAGE_MAX ((size_t)64 << 20)

static void problems_json(const struct config_problems *problems)
{
	size_t i;

	printf("{\"valid\":false,\"errors\":%zu,\"problems\":[", problems->n_errors);
	for (i = 0; i < problems->n; i++) {
		const struct config_problem *p = &problems->item[i];

		printf("%s{\"line\":%u,\"column\":%u,\"severity\":\"%s\",\"code\":\"%s\",\"message\":",
		    i ? "," : "", p->mark.line, p->mark.column,
		    p->severity == CONFIG_ERROR ? "error" : "warning", p->code);
		output_json(p->msg);
		printf(",\"hint\":");
		output_json(p->hint);
		putchar('}');
	}
	printf("]}\n");
}

static void variables_json(const struct procedure *p)
{
	static const char *const words[] = {"text", "number", "name", "path"};
	size_t i;

	for (i = 0; i < p->n_variables; i++) {
		const struct procedure_variable *v = &p->variables[i];

		printf("%s{\"name\":\"%s\",\"line\":%u,\"type\":\"%s\",\"value\":", i ? "," : "", v->name,
		    v->mark.line, words[v->type]);
		if (v->value)
			output_json(v->value);
		else
			printf("null");
		putchar('}');
	}
}

static void summary_json(const struct procedure *p)
{
	char hex[DIGEST_HEX];
	size_t i;

	printf("{\"valid\":true,\"title\":");
	output_json(p->title);
	printf(",\"sha256\":\"%s\",\"minutes\":%u,\"variables\":[", digest_hex(p->sha256, DIGEST_LEN, hex),
	    p->minutes);
	variables_json(p);
	printf("],\"steps\":[");
	for (i = 0; i < p->n_steps; i++) {
		const struct procedure_step *s = &p->steps[i];

		printf("%s{\"number\":%u,\"line\":%u,\"kind\":\"%s\",\"id\":", i ? "," : "", s->number,
		    s->line, procedure_kind_word(s->kind));
		output_json(s->id);
		printf(",\"minutes\":%u,\"always\":%s,\"what\":", s->minutes, s->always ? "true" : "false");
		output_json(s->what);
		putchar('}');
	}
	printf("]}\n");
}

static void print_summary(const struct procedure *p)
{
	size_t i;

	output_shown(p->title);
	printf(text(": %zu steps, %u minutes as planned\n"), p->n_steps, p->minutes);
	for (i = 0; i < p->n_steps; i++) {
		const struct procedure_step *s = &p->steps[i];

		printf(text("%4u  line %-5u %-8s %5u min  "), s->number, s->line,
		    procedure_kind_word(s->kind), s->minutes);
		output_shown(s->what);
		printf("%s\n", s->always ? text("  [always]") : "");
	}
	for (i = 0; i < p->n_variables; i++) {
		const struct procedure_variable *v = &p->variables[i];

		printf(text("variable %s (line %u): "), v->name, v->mark.line);
		if (v->value)
			output_shown(v->value);
		else
			printf(text("needs --set %s=VALUE"), v->name);
		if (v->title) {
			printf("  ");
			output_shown(v->title);
		}
		putchar('\n');
	}
}

static int print_form(const struct procedure *p)
{
	const char *const signatures[] = {text("Carried out by"), text("Witnessed by"), text("Approved by")};
	const struct procedure_page page = {
	    .signatures = signatures, .n_signatures = sizeof(signatures) / sizeof(*signatures)};
	BUF_AUTO out = BUF_INIT(PAGE_MAX);
	struct err err = ERR_INIT;

	if (procedure_html(p, &page, &out, &err))
		return app_error(&err, APP_FAILED);
	fwrite(out.p ? (const char *)out.p : "", 1, out.n, stdout);
	return APP_OK;
}

int cmd_procedure(struct app *app, int argc, char **argv)
{
	struct config_problems *problems = calloc(1, sizeof(*problems));
	struct procedure *p = NULL;
	struct err err = ERR_INIT;
	bool checks = !strcmp(argv[0], "check");
	int r;

	(void)argc;
	if (!problems) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	if (!checks && strcmp(argv[0], "print") != 0) {
		free(problems);
		return app_usage(app, text("'%s' is neither check nor print"), argv[0]);
	}
	r = procedure_file(argv[1], &p, problems);
	if (checks && app->json && problems->n_errors)
		problems_json(problems);
	if (!r && !checks)
		r = print_form(p);
	else if (!r && app->json)
		summary_json(p);
	else if (!r && !app->quiet)
		print_summary(p);
	procedure_free(p);
	free(problems);
	return app_flush(r);
}
