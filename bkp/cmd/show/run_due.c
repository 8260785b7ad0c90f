/* run_due: see run_due.h. */
#include "cmd/show/run_due.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/slots.h"

struct run_due *run_due_new(const struct policy *policy, const struct ledger *l)
{
	struct run_due *d = calloc(1, sizeof(*d));
	struct clock_stamp now;

	if (!d || !(d->slots = calloc(policy->n_datasets, sizeof(*d->slots)))) {
		free(d);
		return NULL;
	}
	clock_now(&now);
	d->policy = policy;
	d->now_ns = now.wall_ns;
	for (size_t i = 0; i < policy->n_datasets; i++)
		slots_look(policy, &policy->datasets[i], l, d->now_ns, &d->slots[i]);
	return d;
}

void run_due_free(struct run_due *d)
{
	if (d)
		free(d->slots);
	free(d);
}

size_t run_due_count(const struct run_due *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->policy->n_datasets; i++)
		n += d->slots[i].due;
	return n;
}

/* ---- showing ---- */

json_t *run_due_json(const struct run_due *d, size_t i)
{
	const struct slots *s = &d->slots[i];
	char slot[CLOCK_TEXT], next[CLOCK_TEXT];

	return json_pack("{s:s, s:b, s:s, s:s, s:s, s:o, s:o, s:o}", "dataset", d->policy->datasets[i].name,
	    "due", (int)s->due, "why", slots_why_word(s->why), "slot", clock_format(s->slot_ns, slot), "next",
	    clock_format(s->next_ns, next), "generation", overview_number_json(s->generation), "begun",
	    overview_time_json(s->begun_ns), "tried", overview_number_json(s->tried));
}

static void why_cell(struct table *t, const char *dataset, const struct slots *s)
{
	char time[CLOCK_TEXT], label[GENERATION_LABEL];

	clock_format_local(s->begun_ns, time);
	switch (s->why) {
	case SLOTS_NEVER:
		table_cell(t, "%s", text("due: never captured"));
		break;
	case SLOTS_FAILED:
		table_cell(t, text("due: it failed in run %ju"), (uintmax_t)s->tried);
		break;
	case SLOTS_MISSED:
		table_cell(t, text("due: last captured %s"), time);
		break;
	case SLOTS_SERVED:
		table_cell(t, text("captured %s: %s"), time, generation_label(dataset, s->generation, label));
		break;
	}
}

struct table *run_due_table(const struct run_due *d)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("PLANNED"), TEXT_LATER("SLOT"),
	    TEXT_LATER("STATE"), TEXT_LATER("NEXT")};
	struct table *t = table_headed(heads, 5);
	char when[POLICY_PLAN_TEXT], time[CLOCK_TEXT];

	if (!t)
		return NULL;
	for (size_t i = 0; i < d->policy->n_datasets; i++) {
		const struct policy_dataset *p = &d->policy->datasets[i];

		table_cell(t, "%s", p->name);
		table_cell(t, "%s", policy_plan_schedule(d->policy, p, when));
		table_cell(t, "%s", clock_format_local(d->slots[i].slot_ns, time));
		why_cell(t, p->name, &d->slots[i]);
		table_cell(t, "%s", clock_format_local(d->slots[i].next_ns, time));
	}
	return t;
}

static json_t *names_json(const struct policy_dataset *const *chosen, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(chosen[i]->name));
	return list;
}

static json_t *all_json(const struct run_due *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->policy->n_datasets; i++)
		json_array_append_new(list, run_due_json(d, i));
	return list;
}

int run_due_show(
    const struct app *app, const struct run_due *d, const struct policy_dataset *const *chosen, size_t n)
{
	BUF_AUTO names = BUF_INIT((size_t)1 << 16);
	struct err err = ERR_INIT;
	char now[CLOCK_TEXT];
	int code;

	if (app->json)
		return out_json(
		    json_pack("{s:s, s:b, s:o, s:o}", "now", clock_format(d->now_ns, now), "dry_run", 1,
			"would_capture", names_json(chosen, n), "datasets", all_json(d)),
		    APP_OK);
	if (app->quiet)
		return APP_OK;
	code = out_table(run_due_table(d), 0, APP_OK);
	if (code)
		return code;
	putchar('\n');
	for (size_t i = 0; i < n; i++)
		if (buf_printf(&names, &err, " %s", chosen[i]->name))
			return app_error(&err, APP_FAILED);
	if (buf_terminate(&names, &err))
		return app_error(&err, APP_FAILED);
	out_wrapped(stdout, 0, 2, "%s%s",
	    n ? text("a run would capture now:") : text("a run would capture nothing now"), (char *)names.p);
	return app_flush(APP_OK);
}

int run_due_nothing(const struct app *app, const struct run_due *d)
{
	char time[CLOCK_TEXT];
	size_t next = 0;

	for (size_t i = 1; i < d->policy->n_datasets; i++)
		if (d->slots[i].next_ns < d->slots[next].next_ns)
			next = i;
	if (app->json)
		return out_json(json_pack("{s:n, s:[], s:[], s:{s:s, s:s}}", "run", "datasets", "media",
				    "next", "dataset", d->policy->datasets[next].name, "at",
				    clock_format(d->slots[next].next_ns, time)),
		    APP_OK);
	if (!app->quiet)
		out_wrapped(stdout, 0, 2, text("nothing is due; next: data set %s at %s"),
		    d->policy->datasets[next].name, clock_format_local(d->slots[next].next_ns, time));
	return app_flush(APP_OK);
}
