/* cmd_status: bkp status: 3世代 and 3-2-1 for each data set, where the media are, what to do next. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/app.h"
#include "cmd/look.h"
#include "cmd/out.h"
#include "format/policy.h"
#include "read/ledger.h"
#include "read/standing.h"

#define SHOW 64

/* ---- for people ---- */

static const char *verdict_text(enum standing_verdict v)
{
	return v == STANDING_MET	 ? text("○ met")
	       : v == STANDING_ATTENTION ? text("△ attention")
					 : text("× missing");
}

static void rule_cell(struct table *t, const struct standing_rule *r)
{
	table_cell(t, "%s %u/%u", verdict_text(r->verdict), r->have, r->want);
}

static int show_verdicts(const struct standing *s)
{
	struct table *t = table_new(6);
	char show[SHOW];

	if (t) {
		table_cell(t, "%s", text("DATA SET"));
		table_cell(t, "%s", text("TITLE"));
		table_cell(t, "%s", text("GENERATIONS (DATES)"));
		table_cell(t, "%s", text("3 COPIES"));
		table_cell(t, "%s", text("2 TECHNOLOGIES"));
		table_cell(t, "%s", text("1 OFFLINE"));
	}
	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct standing_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		table_cell(t, "%s", d->policy->title ? path_show(d->policy->title, show, sizeof(show)) : "-");
		rule_cell(t, &d->generations);
		rule_cell(t, &d->three);
		rule_cell(t, &d->two);
		rule_cell(t, &d->one);
	}
	return out_table(t, 0, APP_OK);
}

static void show_why(const char *name, const char *rule, const struct standing_rule *r)
{
	if (r->verdict != STANDING_MET)
		printf("  %s, %s: %s\n", name, rule, r->why);
}

static void show_whys(const struct standing *s)
{
	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct standing_dataset *d = &s->datasets[i];

		show_why(d->policy->name, text("GENERATIONS (DATES)"), &d->generations);
		show_why(d->policy->name, text("3 COPIES"), &d->three);
		show_why(d->policy->name, text("2 TECHNOLOGIES"), &d->two);
		show_why(d->policy->name, text("1 OFFLINE"), &d->one);
	}
}

/* "12  2026-11-21 02:00  7 hours ago" */
static void point_cells(struct table *t, const struct standing *s, uint64_t number, int64_t ns)
{
	char time[CLOCK_TEXT], age[LOOK_TEXT];

	if (!number) {
		table_cell(t, "%s", text("none"));
		return;
	}
	table_cell(
	    t, text("%ju  %s  %s ago"), number, clock_format_local(ns, time), look_age(s->now_ns, ns, age));
}

static int show_points(const struct standing *s)
{
	struct table *t = table_new(4);
	char time[CLOCK_TEXT];

	if (t) {
		table_cell(t, "%s", text("DATA SET"));
		table_cell(t, "%s", text("NEWEST GOOD"));
		table_cell(t, "%s", text("VERIFIED"));
		table_cell(t, "%s", text("OFFLINE RECOVERY POINT"));
	}
	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct standing_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		point_cells(t, s, d->newest, d->newest_ns);
		table_cell(t, "%s", d->verified_ns ? clock_format_local(d->verified_ns, time) : "-");
		point_cells(t, s, d->offline, d->offline_ns);
	}
	return out_table(t, 0, APP_OK);
}

static int show_text(const struct policy *policy, const struct standing *s)
{
	char show[SHOW], now[CLOCK_TEXT];
	int code;

	printf(text("%s, %s: %s\n\n"), path_show(policy->site_name, show, sizeof(show)),
	    clock_format_local(s->now_ns, now), verdict_text(s->overall));
	code = show_verdicts(s);
	show_whys(s);
	putchar('\n');
	if (!code)
		code = show_points(s);
	putchar('\n');
	if (!code)
		code = out_table(look_media_table(s), 0, APP_OK);
	if (s->n_next)
		printf("\n%s\n", text("What to do next"));
	for (size_t i = 0; i < s->n_next; i++)
		printf("%3zu. %s\n", i + 1, s->next[i]);
	return code;
}

/* ---- for programs ---- */

static json_t *rule_json(const struct standing_rule *r)
{
	return json_pack("{s:s, s:I, s:I, s:s}", "verdict", standing_verdict_word(r->verdict), "have",
	    (json_int_t)r->have, "want", (json_int_t)r->want, "why", r->why);
}

static json_t *point_json(uint64_t number, int64_t ns)
{
	return number ? json_pack("{s:I, s:o}", "generation", (json_int_t)number, "begun", look_time_json(ns))
		      : json_null();
}

static json_t *dataset_json(const struct standing_dataset *d)
{
	return json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "name", d->policy->name,
	    "title", d->policy->title, "generations", rule_json(&d->generations), "three",
	    rule_json(&d->three), "two", rule_json(&d->two), "one", rule_json(&d->one), "newest",
	    point_json(d->newest, d->newest_ns), "verified", look_time_json(d->verified_ns),
	    "offline_recovery_point", point_json(d->offline, d->offline_ns), "tried",
	    d->tried ? json_integer((json_int_t)d->tried) : json_null(), "tried_failed",
	    (int)d->tried_failed);
}

static json_t *status_json(const struct policy *policy, const struct ledger *l, const struct standing *s)
{
	json_t *datasets = json_array(), *media = json_array(), *next = json_array();

	for (size_t i = 0; i < s->n_datasets; i++)
		json_array_append_new(datasets, dataset_json(&s->datasets[i]));
	for (size_t i = 0; i < s->n_media; i++)
		json_array_append_new(media, look_medium_json(&s->media[i]));
	for (size_t i = 0; i < s->n_next; i++)
		json_array_append_new(next, json_string(s->next[i]));
	return json_pack("{s:s, s:s, s:o, s:s, s:b, s:I, s:o, s:o, s:o}", "site", policy->site_name,
	    "repository", ledger_repository(l), "now", look_time_json(s->now_ns), "overall",
	    standing_verdict_word(s->overall), "nothing", (int)s->nothing, "journal_records",
	    (json_int_t)ledger_seq(l), "datasets", datasets, "media", media, "next", next);
}

static int show(const struct app *app, const struct policy *policy, const struct ledger *l)
{
	struct standing *s = NULL;
	int code = look_standing(app, policy, l, &s), shown = APP_OK;

	if (code)
		return code;
	code = look_exit(s);
	if (app->json)
		shown = out_json(status_json(policy, l, s), APP_OK);
	else if (!app->quiet)
		shown = app_flush(show_text(policy, s));
	standing_free(s);
	return shown ? shown : code;
}

int cmd_status(struct app *app, int argc, char **argv)
{
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, NULL, &code)) != -1)
		if (opt == APP_OPT_STOP)
			return code;
	if (optind < argc)
		return app_usage(app, "%s", text("'status' takes options only"));
	code = app_policy(app, &policy);
	if (!code)
		code = app_ledger(app, policy, &l);
	if (!code)
		code = show(app, policy, l);
	ledger_free(l);
	return code;
}
