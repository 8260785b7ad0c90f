/* cmd_medium_custody: bkp medium set|hand|lend|return|lost|found: what people record of a medium as a thing.
 *
 * Nothing is written on the medium, which may be anywhere.  What may not follow what (ledger_media.c) is said here first, with what to do
 * about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/journal/journal.h"
#include "format/medium/period.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW 256

/* What each is called in the record. */
static const struct event {
	const char *what, *command, *event;
} events[] = {{"set", "medium set", "medium-data"}, {"hand", "medium hand", "medium-handed"},
    {"lend", "medium lend", "medium-lent"}, {"return", "medium return", "medium-returned"},
    {"lost", "medium lost", "medium-lost"}, {"found", "medium found", "medium-found"}};

static const struct event *event_of(const char *what)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(*events) - 1; i++)
		if (!strcmp(events[i].what, what))
			return &events[i];
	return &events[sizeof(events) / sizeof(*events) - 1];
}

/* ---- what was typed ---- */

int cmd_medium_texts(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	int code = operator_check(app, policy, q->o[MEDIUM_OPERATOR]);
	char option[32];
	int64_t day;

	for (int i = 0; !code && i < MEDIUM_OPTIONS; i++) {
		const bool data = i >= MEDIUM_DATA,
			   date = i == MEDIUM_UNTIL ||
				  (data && ledger_data_is_date(cmd_medium_member((enum medium_option)i)));

		/* of the data an empty text takes away what was there; names of media and the like may be empty or long */
		if (!q->o[i] || (data && !*q->o[i]) || i == MEDIUM_SEEN || i == MEDIUM_PATH ||
		    i == MEDIUM_ADD)
			continue;
		snprintf(option, sizeof(option), "--%s", cmd_medium_option((enum medium_option)i));
		code = operator_text(app, option, q->o[i]);
		if (!code && date && clock_parse_day(q->o[i], &day))
			code = app_usage(app, text("'%s' is no date: write it as 2027-03-31"), q->o[i]);
	}
	if (!code && q->o[MEDIUM_WITNESS])
		code = operator_witness(app, policy, q->o[MEDIUM_WITNESS], q->o[MEDIUM_OPERATOR]);
	return code;
}

/* ---- may it be ---- */

/* 0, or -1 with what to do. */
static int may_follow(const struct ledger_medium *lm, const char *what, struct err *err)
{
	const char *name = lm->label;

	if (!strcmp(what, "lend") && lm->lent) {
		err_set(err, "E-MEDIA-21", text("'%s' is lent already, to %s until %s"), name,
		    journal_text(lm->lent, "to"), journal_text(lm->lent, "until"));
		return err_hint(
		    err, text("when it is back: 'bkp medium return %s --place PLACE --operator NAME'"), name);
	}
	if (!strcmp(what, "return") && !lm->lent) {
		err_set(err, "E-MEDIA-22", text("'%s' is not recorded as lent"), name);
		return err_hint(
		    err, text("where it is now records 'bkp medium move %s --operator NAME'"), name);
	}
	if (!strcmp(what, "found") && !lm->lost_ns && !lm->missing_ns) {
		err_set(err, "E-MEDIA-23", text("'%s' is neither lost nor missing at a stock-take"), name);
		return err_hint(
		    err, text("where it is now records 'bkp medium move %s --operator NAME'"), name);
	}
	return 0;
}

/* ---- loss: what a person in charge asks first ---- */

static void incident_line(const char *sentence)
{
	printf("  ");
	out_wrapped(stdout, 2, 4, "%s", sentence);
}

/* How many generations of which data sets; as of before it was lost. */
static json_t *held_json(const struct ledger *l, const char *uuid)
{
	json_t *sets = json_object();

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);
		const json_t *former = json_object_get(sets, g->dataset);

		if (c && c->ok)
			json_object_set_new(sets, g->dataset,
			    json_pack("{s:I, s:I}", "generations",
				json_integer_value(json_object_get(former, "generations")) + 1, "newest",
				(json_int_t)g->number));
	}
	return sets;
}

/* Everybody whose key opens a period: any of them may open what is on it. */
static json_t *openers_json(const struct state *s)
{
	const struct period *p = state_period(s);
	json_t *names = json_array();

	for (size_t i = 0; i < p->n_people; i++)
		json_array_append_new(names, json_string(p->people[i].name));
	return names;
}

static void say_incident(const json_t *held, const json_t *openers)
{
	const char *set;
	char line[SHOW * 2];
	const json_t *o, *name;
	size_t i;

	printf("\n%s\n", text("Treat it as an incident with personal data:"));
	json_object_foreach((json_t *)held, set, o)
	{
		snprintf(line, sizeof(line), text("on it: '%s', generations: %jd, the newest is %jd"), set,
		    (intmax_t)json_integer_value(json_object_get(o, "generations")),
		    (intmax_t)json_integer_value(json_object_get(o, "newest")));
		incident_line(line);
	}
	incident_line(
	    text("it is encrypted (age v1: ChaCha20-Poly1305, keys by X25519); without a recovery key "
		 "nobody reads it"));
	json_array_foreach((json_t *)openers, i, name)
	{
		snprintf(line, sizeof(line), text("the key of %s opens it: is that key where it should be?"),
		    json_string_value(name));
		incident_line(line);
	}
	incident_line(text("if a key may be lost with it: report to the Personal Information Protection "
			   "Commission within 3 to 5 days, in full within 30; the person in charge decides "
			   "and signs"));
	incident_line(text("the record for the report: 'bkp report losses --out FILE'"));
}

/* ---- the record ---- */

static json_t *members_of(const struct medium_request *q, const char *uuid)
{
	json_t *o = json_pack("{s:s}", "medium", uuid);
	bool failed = !o;

	for (int i = 0; i < MEDIUM_OPTIONS && !failed; i++)
		if (q->o[i])
			failed = json_object_set_new(
			    o, cmd_medium_member((enum medium_option)i), json_string(q->o[i]));
	if (failed) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

static char *told_line(const struct medium_request *q, char line[SUMMARY_LINE])
{
	const char *to = q->o[MEDIUM_TO] ? q->o[MEDIUM_TO] : q->o[MEDIUM_PLACE] ? q->o[MEDIUM_PLACE] : "";
	char name[SHOW], show[SHOW];

	path_show(q->words[0], name, sizeof(name));
	path_show(to, show, sizeof(show));
	if (!strcmp(q->what, "set"))
		snprintf(line, SUMMARY_LINE, text("what is known of '%s' is recorded"), name);
	else if (!strcmp(q->what, "hand"))
		snprintf(line, SUMMARY_LINE, text("'%s' is handed over to %s"), name, show);
	else if (!strcmp(q->what, "lend"))
		snprintf(
		    line, SUMMARY_LINE, text("'%s' is lent to %s until %s"), name, show, q->o[MEDIUM_UNTIL]);
	else if (!strcmp(q->what, "return"))
		snprintf(line, SUMMARY_LINE, text("'%s' is back and recorded at '%s'"), name, show);
	else if (!strcmp(q->what, "lost"))
		snprintf(line, SUMMARY_LINE,
		    text("'%s' is recorded as lost: what is on it does not count any more"), name);
	else
		snprintf(line, SUMMARY_LINE,
		    text("'%s' is found and recorded at '%s': what is on it counts when it was read back"),
		    name, show);
	return line;
}

/* What hangs on this computer is neither lost nor lent: most likely it is another one that is meant. */
static int may_be_away(
    const struct policy *policy, const struct state *s, const struct ledger_medium *lm, const char *what)
{
	const struct policy_medium m = cmd_medium_declared(policy, lm);

	return strcmp(what, "lost") && strcmp(what, "lend") ? APP_OK : cmd_medium_gone(s, &m);
}

/* The members of the record; of a lost one what it held, which the fold forgets: a report is made from the journal alone. */
static json_t *record_of(
    const struct state *s, const struct medium_request *q, const struct ledger_medium *lm)
{
	json_t *o = members_of(q, lm->uuid);

	if (o && !strcmp(q->what, "lost") &&
	    json_object_update_new(
		o, json_pack("{s:o, s:s, s:s}", "held", held_json(state_ledger(s), lm->uuid), "place",
		       lm->place, "custodian", lm->custodian))) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

static int report_event(const struct app *app, const struct state *s, const struct event *e,
    const json_t *record, const char *line)
{
	const bool lost = !strcmp(e->what, "lost");
	json_t *openers = lost ? openers_json(s) : NULL;

	if (app->json)
		return out_json(
		    json_pack("{s:s, s:O, s:o*}", "event", e->event, "record", record, "openers", openers),
		    APP_OK);
	if (!app->quiet || lost)
		puts(line);
	if (lost)
		say_incident(json_object_get(record, "held"), openers);
	json_decref(openers);
	return APP_OK;
}

static int record_event(struct app *app, const struct policy *policy, struct state *s,
    const struct medium_request *q, const struct event *e)
{
	const bool any = !strcmp(q->what, "set") || !strcmp(q->what, "found");
	const struct ledger_medium *lm =
	    (any ? ledger_medium_known : ledger_medium_by_label)(state_ledger(s), q->words[0]);
	json_t *record = lm ? record_of(s, q, lm) : NULL;
	char line[SUMMARY_LINE];
	struct err err = ERR_INIT;
	int code;

	if (!lm)
		return outcome_record(app, s, e->command,
		    cmd_medium_unknown(policy, state_ledger(s), q->words[0]),
		    text("that medium is not registered"));
	code = may_be_away(policy, s, lm, q->what);
	if (code)
		snprintf(line, sizeof(line), text("where '%s' is could not be recorded"), q->words[0]);
	else if (may_follow(lm, q->what, &err) || state_append(s, e->event, json_incref(record), &err)) {
		code = app_error(&err, APP_FAILED);
		summary_failure(&err, line);
	} else {
		told_line(q, line);
	}
	code = outcome_record(app, s, e->command, code, line);
	if (!code)
		code = report_event(app, s, e, record, line);
	json_decref(record);
	return app_flush(code);
}

int cmd_medium_custody(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const struct event *e = event_of(q->what);
	struct state *s;
	int code;

	app_act(app, e->command, "operator", q->o[MEDIUM_OPERATOR]);
	code = cmd_medium_texts(app, policy, q);
	if (!code)
		code = app_state(app, policy, &s);
	if (code)
		return code;
	code = record_event(app, policy, s, q, e);
	state_close(s);
	return code;
}

int cmd_medium_set(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const char *writing = q->o[MEDIUM_DATA + 7];

	for (int i = MEDIUM_DATA; i < MEDIUM_OPTIONS; i++)
		if (q->o[i]) {
			if (writing && *writing && strcmp(writing, "once") && strcmp(writing, "many"))
				return app_usage(app, "%s", text("--writing is 'once' or 'many'"));
			return cmd_medium_custody(app, policy, q);
		}
	return app_usage(app, "%s", text("'medium set' wants at least one of the data, such as --maker"));
}
