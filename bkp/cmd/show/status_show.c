/* status_show: see status_show.h. */
#include "cmd/show/status_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

#define SHOW 64

/* ---- for people ---- */

static const char *verdict_text(enum compliance_verdict v)
{
	return v == COMPLIANCE_MET	   ? text("○ met")
	       : v == COMPLIANCE_ATTENTION ? text("△ attention")
					   : text("× missing");
}

static void rule_cell(struct table *t, const struct compliance_rule *r)
{
	table_cell(t, "%s %u/%u", verdict_text(r->verdict), r->have, r->want);
}

static int show_verdicts(const struct compliance *s)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("TITLE"),
	    TEXT_LATER("GENERATIONS (DATES)"), TEXT_LATER("3 COPIES"), TEXT_LATER("2 TECHNOLOGIES"),
	    TEXT_LATER("1 OFFLINE")};
	struct table *t = table_headed(heads, 6);
	char show[SHOW];

	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		table_cell(t, "%s", d->policy->title ? path_show(d->policy->title, show, sizeof(show)) : "-");
		rule_cell(t, &d->generations);
		rule_cell(t, &d->three);
		rule_cell(t, &d->two);
		rule_cell(t, &d->one);
	}
	return out_table(t, 0, APP_OK);
}

static void show_why(const char *name, const char *rule, const struct compliance_rule *r)
{
	if (r->verdict != COMPLIANCE_MET)
		printf("  %s, %s: %s\n", name, rule, r->why);
}

static void show_whys(const struct compliance *s)
{
	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		show_why(d->policy->name, text("GENERATIONS (DATES)"), &d->generations);
		show_why(d->policy->name, text("3 COPIES"), &d->three);
		show_why(d->policy->name, text("2 TECHNOLOGIES"), &d->two);
		show_why(d->policy->name, text("1 OFFLINE"), &d->one);
	}
}

/* "12  2026-11-21 02:00  7 hours ago" */
static void point_cells(struct table *t, const struct compliance *s, uint64_t number, int64_t ns)
{
	char time[CLOCK_TEXT], age[OVERVIEW_TEXT];

	if (!number) {
		table_cell(t, "%s", text("none"));
		return;
	}
	table_cell(t, text("%ju  %s  %s ago"), number, clock_format_local(ns, time),
	    overview_age(s->now_ns, ns, age));
}

static void due_cell(struct table *t, const struct compliance_dataset *d)
{
	char time[CLOCK_TEXT];

	clock_format_local(d->due_ns, time);
	if (d->due)
		table_cell(t, text("now (since %s)"), time);
	else
		table_cell(t, "%s", time);
}

static int show_points(const struct compliance *s)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("NEWEST GOOD"),
	    TEXT_LATER("VERIFIED"), TEXT_LATER("NEXT DUE"), TEXT_LATER("OFFLINE RECOVERY POINT")};
	struct table *t = table_headed(heads, 5);
	char time[CLOCK_TEXT];

	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		point_cells(t, s, d->newest, d->newest_ns);
		table_cell(t, "%s", d->verified_ns ? clock_format_local(d->verified_ns, time) : "-");
		due_cell(t, d);
		point_cells(t, s, d->offline, d->offline_ns);
	}
	return out_table(t, 0, APP_OK);
}

static void event_row(struct table *t, const char *what, int64_t ns, const char *line)
{
	char time[CLOCK_TEXT], show[SUMMARY_LINE];

	table_cell(t, "%s", what);
	table_cell(t, "%s", ns ? clock_format_local(ns, time) : text("never"));
	table_cell(t, "%s", path_show(line, show, sizeof(show)));
}

static int show_events(const struct ledger *l, const struct compliance *s)
{
	struct table *t = table_new(3);
	char span[OVERVIEW_TEXT], found[CLOCK_TEXT], since[CLOCK_TEXT], journal[SUMMARY_LINE];
	const struct ledger_latch *latch = s->latch;

	if (t) {
		event_row(t, text("last run"), s->run ? s->run->ended_ns : 0, s->run ? s->run->line : "");
		event_row(t, text("last rotation"), s->rotation ? s->rotation->ended_ns : 0,
		    s->rotation ? s->rotation->line : "");
	}
	if (t && s->notified->at_ns)
		event_row(t, text("last notification"), s->notified->at_ns,
		    s->notified->ok ? text("sent") : s->notified->reason);
	if (t && latch->found_ns) {
		compliance_span(latch->seconds < 0 ? -latch->seconds : latch->seconds, span, sizeof(span));
		table_cell(t, "%s", text("clock"));
		table_cell(t, "%s", clock_format_local(latch->found_ns, found));
		table_cell(t, text("jumped by %s, not attested: nothing expires"), span);
	}
	if (t) {
		clock_format_local(ledger_epoch_ns(l), since);
		snprintf(journal, sizeof(journal), text("%ju records, key %u since %s"), ledger_seq(l),
		    ledger_epoch(l), since);
		event_row(t, text("journal"), ledger_head_ns(l), journal);
	}
	return out_table(t, 0, APP_OK);
}

int status_show_text(const struct policy *policy, const struct ledger *l, const struct compliance *s)
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
		code = out_table(overview_media_table(s), 0, APP_OK);
	putchar('\n');
	if (!code)
		code = show_events(l, s);
	if (s->n_next)
		printf("\n%s\n", text("What to do next"));
	for (size_t i = 0; i < s->n_next; i++)
		printf("%3zu. %s\n", i + 1, s->next[i]);
	return code;
}

/* ---- for programs ---- */

static json_t *rule_json(const struct compliance_rule *r)
{
	return json_pack("{s:s, s:I, s:I, s:s}", "verdict", compliance_verdict_word(r->verdict), "have",
	    (json_int_t)r->have, "want", (json_int_t)r->want, "why", r->why);
}

static json_t *point_json(uint64_t number, int64_t ns)
{
	return number ? json_pack(
			    "{s:I, s:o}", "generation", (json_int_t)number, "begun", overview_time_json(ns))
		      : json_null();
}

static json_t *agreed_json(const struct ledger_agreed *a)
{
	return a ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "generations", (json_int_t)a->generations,
		       "protect_s", (json_int_t)a->protect_s, "daily", (json_int_t)a->daily, "weekly",
		       (json_int_t)a->weekly, "monthly", (json_int_t)a->monthly, "yearly",
		       (json_int_t)a->yearly)
		 : json_null();
}

static json_t *suspect_json(const struct compliance_dataset *d)
{
	return d->suspect ? json_pack("{s:I, s:s}", "generation", (json_int_t)d->suspect, "why",
				d->suspicion ? d->suspicion : "")
			  : json_null();
}

static json_t *dataset_json(const struct compliance_dataset *d)
{
	json_t *o = json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "name",
	    d->policy->name, "title", d->policy->title, "generations", rule_json(&d->generations), "three",
	    rule_json(&d->three), "two", rule_json(&d->two), "one", rule_json(&d->one), "newest",
	    point_json(d->newest, d->newest_ns), "verified", overview_time_json(d->verified_ns),
	    "offline_recovery_point", point_json(d->offline, d->offline_ns), "tried",
	    d->tried ? json_integer((json_int_t)d->tried) : json_null(), "tried_failed",
	    (int)d->tried_failed);

	if (!o ||
	    json_object_update_new(o,
		json_pack("{s:o, s:b, s:o, s:o, s:o, s:b}", "due", overview_time_json(d->due_ns), "due_now",
		    (int)d->due, "missed", overview_time_json(d->missed_ns), "suspect", suspect_json(d),
		    "agreed", agreed_json(d->agreed), "less_than_agreed", (int)d->less))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *outcome_json(const struct ledger_outcome *o)
{
	return o ? json_pack("{s:o, s:i, s:s}", "ended", overview_time_json(o->ended_ns), "exit", o->exit,
		       "line", o->line)
		 : json_null();
}

/* What concerns everything. */
static json_t *events_json(const struct compliance *s)
{
	const struct ledger_notified *t = s->notified;
	const struct ledger_latch *latch = s->latch;
	char line[SUMMARY_LINE];

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "line", summary_compliance(s, line), "last_run",
	    outcome_json(s->run), "last_rotation", outcome_json(s->rotation), "last_notification",
	    t->at_ns ? json_pack("{s:o, s:b, s:s}", "time", overview_time_json(t->at_ns), "ok", (int)t->ok,
			   "reason", t->reason ? t->reason : "")
		     : json_null(),
	    "clock_jump",
	    latch->found_ns
		? json_pack("{s:o, s:I, s:s}", "found", overview_time_json(latch->found_ns), "seconds",
		      (json_int_t)latch->seconds, "source", latch->source ? latch->source : "")
		: json_null(),
	    "frozen_by", s->frozen ? json_integer((json_int_t)s->frozen) : json_null());
}

static json_t *status_json(const struct policy *policy, const struct ledger *l, const struct compliance *s)
{
	json_t *datasets = json_array(), *media = json_array(), *next = json_array(), *o;

	for (size_t i = 0; i < s->n_datasets; i++)
		json_array_append_new(datasets, dataset_json(&s->datasets[i]));
	for (size_t i = 0; i < s->n_media; i++)
		json_array_append_new(media, overview_medium_json(&s->media[i]));
	for (size_t i = 0; i < s->n_next; i++)
		json_array_append_new(next, json_string(s->next[i]));
	o = json_pack("{s:s, s:s, s:o, s:s, s:b, s:I, s:o, s:o, s:o}", "site", policy->site_name,
	    "repository", ledger_repository(l), "now", overview_time_json(s->now_ns), "overall",
	    compliance_verdict_word(s->overall), "nothing", (int)s->nothing, "journal_records",
	    (json_int_t)ledger_seq(l), "datasets", datasets, "media", media, "next", next);
	if (!o || json_object_set_new(o, "journal_epoch", json_integer((json_int_t)ledger_epoch(l))) ||
	    json_object_update_new(o, events_json(s))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int status_show_json(const struct policy *policy, const struct ledger *l, const struct compliance *s)
{
	return out_json(status_json(policy, l, s), APP_OK);
}
