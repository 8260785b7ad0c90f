/* check_diff_show: what a change of the policy would mean, for people and programs; see check_diff.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/check_diff_private.h"
#include "format/policy/policy_diff.h"
#include "format/policy/policy_plan.h"

#define SHOW 400

/* ---- for programs ---- */

static json_t *slots_json(bool there, const struct slots *s)
{
	char next[CLOCK_TEXT];

	return there ? json_pack("{s:b, s:s}", "due", (int)s->due, "next", clock_format(s->next_ns, next))
		     : json_null();
}

static json_t *changes_json(const struct policy_diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s?, s:s?}", "kind", policy_diff_word(d->item[i].kind),
			      "key", d->item[i].key, "from", d->item[i].from, "to", d->item[i].to));
	return list;
}

static json_t *due_json(const struct check_diff *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_due; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "dataset", c->due[i].name, "before",
						slots_json(c->due[i].was, &c->due[i].before), "after",
						slots_json(c->due[i].is, &c->due[i].after)));
	return list;
}

static json_t *floors_json(const struct check_diff *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_floors; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:I, s:I, s:b}", "dataset", c->floors[i].name, "key",
			      c->floors[i].key, "from", (json_int_t)c->floors[i].from, "to",
			      (json_int_t)c->floors[i].to, "agreed", (int)c->floors[i].agreed));
	return list;
}

static json_t *verdicts_json(const struct check_diff *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_verdicts; i++) {
		const struct check_verdict *v = &c->verdicts[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s?, s:s, s:s}", "dataset", v->name, "rule", v->rule,
			      "before", v->before ? compliance_verdict_word(v->before->verdict) : NULL,
			      "after", compliance_verdict_word(v->after->verdict), "why", v->after->why));
	}
	return list;
}

static json_t *expiry_json(const struct check_diff *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_expiry; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:I, s:b}", "medium", c->expiry[i].medium, "dataset",
			      c->expiry[i].dataset, "generation", (json_int_t)c->expiry[i].generation,
			      "may_go", (int)c->expiry[i].after));
	return list;
}

/* ---- for people ---- */

static void print_changes(const struct policy_diff *d)
{
	static const char *const forms[] = {
	    TEXT_LATER("added"), TEXT_LATER("removed"), TEXT_LATER("changed")};
	char key[SHOW], from[SHOW], to[SHOW];

	for (size_t i = 0; i < d->n; i++) {
		const struct policy_diff_item *it = &d->item[i];

		path_show(it->key, key, sizeof(key));
		path_show(it->from ? it->from : "", from, sizeof(from));
		path_show(it->to ? it->to : "", to, sizeof(to));
		if (it->kind == POLICY_DIFF_CHANGED)
			out_wrapped(stdout, 0, 4, "  %s: %s -> %s", key, from, to);
		else if (it->from || it->to)
			out_wrapped(
			    stdout, 0, 4, "  %s: %s: %s", key, text(forms[it->kind]), it->to ? to : from);
		else
			out_wrapped(stdout, 0, 4, "  %s: %s", key, text(forms[it->kind]));
	}
}

static void slots_cell(struct table *t, bool there, const struct slots *s)
{
	char next[CLOCK_TEXT];

	clock_format_local(s->next_ns, next);
	if (!there)
		table_cell(t, "-");
	else if (s->due)
		table_cell(t, text("due now, then %s"), next);
	else
		table_cell(t, text("due %s"), next);
}

static int print_due(const struct check_diff *c)
{
	struct table *t = c->n_due ? table_new(3) : NULL;

	if (!c->n_due)
		return APP_OK;
	printf("\n%s\n", text("When data sets are due"));
	for (size_t i = 0; t && i <= c->n_due; i++) {
		if (!i) {
			table_cell(t, "%s", text("DATA SET"));
			table_cell(t, "%s", text("BEFORE"));
			table_cell(t, "%s", text("AFTER"));
			continue;
		}
		table_cell(t, "%s", c->due[i - 1].name);
		slots_cell(t, c->due[i - 1].was, &c->due[i - 1].before);
		if (c->due[i - 1].is)
			slots_cell(t, true, &c->due[i - 1].after);
		else
			table_cell(t, "%s", text("no longer captured; its generations stay"));
	}
	return out_table(t, 2, APP_OK);
}

static void print_floors(const struct check_diff *c)
{
	char from[POLICY_PLAN_TEXT], to[POLICY_PLAN_TEXT], what[POLICY_PLAN_TEXT * 2];

	if (c->n_floors)
		printf("\n%s\n", text("The policy asks to keep less"));
	for (size_t i = 0; i < c->n_floors; i++) {
		const struct check_floor *f = &c->floors[i];

		snprintf(from, sizeof(from), "%" PRIu64, f->from);
		snprintf(to, sizeof(to), "%" PRIu64, f->to);
		if (f->duration) {
			policy_plan_duration((int64_t)f->from, from);
			policy_plan_duration((int64_t)f->to, to);
		}
		if (f->agreed)
			snprintf(
			    what, sizeof(what), text("agreed stays %s: only the root key lowers it"), from);
		else
			snprintf(what, sizeof(what), "%s",
			    text("nothing was agreed: generations could expire that are kept today"));
		out_wrapped(stdout, 0, 4, "  %s: %s: %s -> %s: %s", f->name, f->key, from, to, what);
	}
}

/* How many from i on are of the same medium, data set and direction. */
static size_t of_one_kind(const struct check_diff *c, size_t i)
{
	const struct check_expiry *e = &c->expiry[i];
	size_t n = 1;

	while (i + n < c->n_expiry && c->expiry[i + n].medium == e->medium &&
	       c->expiry[i + n].after == e->after && !strcmp(c->expiry[i + n].dataset, e->dataset))
		n++;
	return n;
}

/* "nas: more: emr@12 13 14" */
static int print_expiry(const struct check_diff *c)
{
	BUF_AUTO b = BUF_INIT((size_t)1 << 20);
	struct err err = ERR_INIT;
	size_t n;

	if (c->n_expiry)
		printf("\n%s\n", text("What 'bkp expire' could take away today"));
	for (size_t i = 0; i < c->n_expiry; i += n) {
		const struct check_expiry *e = &c->expiry[i];

		n = of_one_kind(c, i);
		b.n = 0;
		for (size_t k = 0; k < n; k++)
			if (buf_printf(&b, &err, " %s%s%" PRIu64, k ? "" : e->dataset, k ? "" : "@",
				e[k].generation))
				return app_error(&err, APP_FAILED);
		if (buf_terminate(&b, &err))
			return app_error(&err, APP_FAILED);
		out_wrapped(stdout, 0, 4, "  %s: %s%s", e->medium,
		    e->after ? text("more:") : text("no longer:"), (char *)b.p);
	}
	return APP_OK;
}

static void print_verdicts(const struct check_diff *c)
{
	static const char *const names[] = {
	    TEXT_LATER("met"), TEXT_LATER("attention"), TEXT_LATER("not met")};
	static const struct {
		const char *word, *name;
	} rules[] = {{"generations", TEXT_LATER("generations")}, {"three", TEXT_LATER("3 copies")},
	    {"two", TEXT_LATER("2 technologies")}, {"one", TEXT_LATER("1 offline")}};

	if (c->n_verdicts)
		printf("\n%s\n", text("3-2-1 and generations, judged by today's records"));
	for (size_t i = 0; i < c->n_verdicts; i++) {
		const struct check_verdict *v = &c->verdicts[i];
		size_t k = 0;

		while (k < 3 && strcmp(v->rule, rules[k].word) != 0)
			k++;
		out_wrapped(stdout, 0, 4, "  %s: %s: %s -> %s%s%s", v->name, text(rules[k].name),
		    v->before ? text(names[v->before->verdict]) : "-", text(names[v->after->verdict]),
		    *v->after->why ? ": " : "", v->after->why);
	}
}

int check_diff_show(const struct app *app, const struct check_diff *c)
{
	int code = c->diff->n ? APP_ATTENTION : APP_OK;

	if (app->json)
		return out_json(
		    json_pack("{s:b, s:s, s:o, s:o, s:o, s:o, s:o}", "same", (int)!c->diff->n, "against",
			c->against, "changes", changes_json(c->diff), "due", due_json(c), "floors",
			floors_json(c), "expiry", expiry_json(c), "standing", verdicts_json(c)),
		    code);
	if (app->quiet)
		return code;
	if (!c->diff->n) {
		printf(text("it means the same as %s\n"), c->against);
		return app_flush(code);
	}
	printf(text("Compared with %s:\n"), c->against);
	print_changes(c->diff);
	if (print_due(c))
		return APP_FAILED;
	print_floors(c);
	if (print_expiry(c))
		return APP_FAILED;
	print_verdicts(c);
	return app_flush(code);
}
