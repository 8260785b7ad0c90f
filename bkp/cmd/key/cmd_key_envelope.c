/* cmd_key_envelope: bkp key envelope add|opened|sealed|retire|list: the sealed envelopes in which keys are kept.
 *
 * What happened to the paper a person records here; that a key out of it was used, and that it still opens what is captured, the slips
 * say that name the envelope ('bkp key use --import'). */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/key/cmd_key.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/journal/use_slip.h"
#include "format/medium/period.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

/* What each needs. */
static const struct action {
	const char *word, *event;
	unsigned needs; /* enum key_option */
} actions[] = {{"add", "added", KEY_PERSON | KEY_SEAL | KEY_PLACE | KEY_HOLDER},
    {"opened", "opened", KEY_WHY}, {"sealed", "sealed", KEY_SEAL}, {"retire", "retired", KEY_WHY}};

static void time_cell(struct table *t, int64_t ns)
{
	char time[CLOCK_TEXT];

	table_cell(t, "%s", ns ? clock_format_local(ns, time) : text("never"));
}

static int list(struct app *app, const struct policy *policy, bool all)
{
	static const char *const heads[] = {TEXT_LATER("ENVELOPE"), TEXT_LATER("KEY OF"), TEXT_LATER("SEAL"),
	    TEXT_LATER("PLACE"), TEXT_LATER("HOLDER"), TEXT_LATER("OPENED"), TEXT_LATER("KEY DRILL"),
	    TEXT_LATER("NOTE")};
	struct ledger *l = NULL;
	struct clock_stamp now;
	int code = app_ledger(app, policy, &l);
	struct table *t = NULL;

	clock_now(&now);
	if (!code && app->json)
		code = out_json(
		    json_pack("{s:o}", "envelopes", overview_envelopes_json(policy, l, now.wall_ns)), APP_OK);
	else if (!code)
		t = table_headed(heads, 8);
	for (size_t i = 0; t && i < ledger_envelopes(l); i++) {
		const struct ledger_envelope *e = ledger_envelope(l, i);

		if (e->retired && !all)
			continue;
		table_cell(t, "%s", e->number);
		table_cell(t, "%s", e->person);
		table_cell(t, "%s", e->seal);
		table_cell(t, "%s", e->place);
		table_cell(t, "%s", e->holder);
		time_cell(t, e->opened_ns);
		time_cell(t, e->drilled_ns);
		table_cell(t, "%s",
		    e->retired						  ? text("retired")
		    : e->open						  ? text("not sealed again")
		    : compliance_envelope_overdue(policy, e, now.wall_ns) ? text("key drill overdue")
									  : "");
	}
	if (t)
		code = out_table(t, 0, APP_OK);
	ledger_free(l);
	return code;
}

static int check_texts(struct app *app, const struct action *a, const struct key_request *q)
{
	const struct {
		unsigned bit;
		const char *name, *value;
	} all[] = {{KEY_PERSON, "--person", q->person}, {KEY_SEAL, "--seal", q->seal},
	    {KEY_PLACE, "--place", q->place}, {KEY_HOLDER, "--holder", q->holder},
	    {KEY_WHY, "--why", q->why}};

	if (!use_slip_is_envelope(q->words[1]))
		return app_usage(
		    app, text("'%s' is no number of an envelope: letters, digits and '-'"), q->words[1]);
	if ((q->given & ~(unsigned)KEY_OPERATOR) != a->needs)
		return app_usage(app, "%s",
		    text("'envelope add' needs --person, --seal, --place and --holder; 'opened' and 'retire' "
			 "--why; 'sealed' --seal; all of them --operator"));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (a->needs & all[i].bit && operator_text(app, all[i].name, all[i].value))
			return APP_USAGE;
	return APP_OK;
}

static int record(struct state *s, const struct action *a, const struct key_request *q, struct err *err)
{
	const bool there = ledger_envelope_of(state_ledger(s), q->words[1]), add = a == actions;

	if (add && !period_person(state_period(s), q->person)) {
		err_set(err, "E-ENVELOPE-02", text("nobody called '%s' holds a key"), q->person);
		return err_hint(err, "%s", text("'bkp key list' shows who holds a key now"));
	}
	if (add == there) {
		err_set(err, "E-ENVELOPE-01",
		    add ? text("there is an envelope '%s' already") : text("there is no envelope '%s'"),
		    q->words[1]);
		return err_hint(err, "%s", text("'bkp key envelope list' shows them"));
	}
	return reserve_append(s, "envelope",
	    json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "number", q->words[1], "action",
		a->event, "operator", q->operator, "person", q->person, "seal", q->seal, "place", q->place,
		"holder", q->holder, "why", q->why),
	    err);
}

static int act(
    struct app *app, const struct policy *policy, const struct key_request *q, const struct action *a)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	int code = check_texts(app, a, q);

	app_act(app, "key envelope", "manager", q->operator);
	if (!code)
		code = operator_check(app, policy, q->operator);
	if (code || (code = app_state(app, policy, &s)))
		return code;
	if (record(s, a, q, &err))
		code = app_error(&err, APP_FAILED);
	snprintf(line, sizeof(line), text("envelope %s: %s"), q->words[1], q->words[0]);
	code = outcome_record(app, s, "key envelope", code, code ? summary_failure(&err, line) : line);
	if (!code && !app->quiet && !app->json)
		puts(line);
	state_close(s);
	return app_flush(code);
}

int cmd_key_envelope(struct app *app, const struct policy *policy, const struct key_request *q)
{
	if (!strcmp(q->name, "list") && q->n == 1 && !(q->given & ~(unsigned)KEY_ALL))
		return list(app, policy, q->given & KEY_ALL);
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (q->n == 2 && !strcmp(q->name, actions[i].word))
			return act(app, policy, q, &actions[i]);
	return app_usage(app, "%s",
	    text("one of: key envelope list, add NUMBER, opened NUMBER, sealed NUMBER, retire NUMBER"));
}
