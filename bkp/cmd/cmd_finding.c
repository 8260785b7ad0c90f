/* cmd_finding: bkp finding: what drills, recoveries and audits showed to be mended (指摘), what was done about it (対応), and that somebody has
 * seen that it is (確認).
 *
 * What a drill's record says comes in with it (bkp journal import); here people add what they saw later, and end it.  Nothing is altered: each
 * is a record of its own. */
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
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/journal/journal.h"
#include "format/medium/selector.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

enum action { LIST, ADD, MEASURE, CLOSE, ACTIONS };
static const struct {
	const char *word, *event;
	int operands; /* behind the word */
} actions[] = {[LIST] = {"list", NULL, 0},
    [ADD] = {"add", "raised", 1},
    [MEASURE] = {"measure", "measure", 2},
    [CLOSE] = {"close", "closed", 2}};

struct request {
	enum action what;
	const char *id, *text; /* id: not of ADD */
	const char *owner, *due, *operator;
	bool all;
};

/* ---- those on record ---- */

static const char *state_word(const struct ledger_finding *f, int64_t now_ns)
{
	return f->closed			   ? TEXT_LATER("closed")
	       : ledger_finding_overdue(f, now_ns) ? TEXT_LATER("OVERDUE")
						   : TEXT_LATER("open");
}

static void finding_row(struct table *t, const struct ledger_finding *f, int64_t now_ns)
{
	table_cell(t, "%s", f->id);
	table_cell(t, "%s", text(state_word(f, now_ns)));
	table_cell(t, "%s", f->due);
	table_cell(t, "%s", journal_text(f->raised, "owner"));
	table_cell(t, "%s", journal_text(f->raised, "text"));
	table_cell(t, "%s",
	    f->closed	 ? journal_text(f->closed, "text")
	    : f->measure ? journal_text(f->measure, "text")
			 : "");
}

static int list(struct app *app, const struct policy *policy, const struct request *q)
{
	static const char *const heads[] = {TEXT_LATER("NO."), TEXT_LATER("STATE"), TEXT_LATER("DUE"),
	    TEXT_LATER("OWNER"), TEXT_LATER("FINDING"), TEXT_LATER("DONE")};
	struct ledger *l = NULL;
	struct table *t = NULL;
	struct clock_stamp now;
	int code = app_ledger(app, policy, &l);
	bool overdue = false;

	clock_now(&now);
	for (size_t i = 0; !code && i < ledger_findings(l); i++) {
		const struct ledger_finding *f = ledger_finding(l, i);

		overdue |= ledger_finding_overdue(f, now.wall_ns);
		if (f->closed && !q->all)
			continue;
		if (!app->json && (t || (t = table_headed(heads, 6))))
			finding_row(t, f, now.wall_ns);
	}
	if (!code)
		code = overdue ? APP_ATTENTION : APP_OK;
	if (l && app->json)
		code = out_json(
		    json_pack("{s:o}", "findings", overview_findings_json(l, now.wall_ns, q->all)), code);
	else if (t)
		code = out_table(t, 0, code);
	else if (l && !app->quiet)
		printf("%s\n", text("no finding is open"));
	ledger_free(l);
	return app_flush(code);
}

/* ---- recording ---- */

static int check_request(struct app *app, const struct policy *policy, const struct request *q)
{
	uint64_t day;
	int code;

	if (q->all)
		return app_usage(app, "%s", text("--all goes with 'finding list'"));
	if (q->what == ADD && (!q->owner || !q->due))
		return app_usage(app, "%s", text("who sees to it, and by when: --owner NAME --due DAY"));
	if ((q->what != ADD && q->owner) || (q->what == CLOSE && q->due))
		return app_usage(app, "%s", text("--owner goes with 'add', --due with 'add' and 'measure'"));
	if (q->due && !selector_date(q->due, &day))
		return app_usage(app, "%s", text("--due takes a day, as in 2026-11-30"));
	code = operator_text(app, "TEXT", q->text);
	if (!code && q->owner)
		code = operator_text(app, "--owner", q->owner);
	return code ? code : operator_check(app, policy, q->operator);
}

static int record(struct state *s, const struct request *q, struct err *err)
{
	const struct ledger_finding *f = q->id ? ledger_finding_named(state_ledger(s), q->id) : NULL;

	if (q->id && (!f || f->closed)) {
		err_set(err, "E-FINDING-01", text("there is no open finding '%s'"), q->id);
		return err_hint(err, "%s", text("'bkp finding list' shows them"));
	}
	return reserve_append(s, "finding",
	    json_pack("{s:s, s:s*, s:s, s:s*, s:s*, s:s}", "action", actions[q->what].event, "finding", q->id,
		"text", q->text, "owner", q->owner, "due", q->due, "operator", q->operator),
	    err);
}

static int act(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	int code = app_state(app, policy, &s);

	if (code)
		return code;
	snprintf(
	    line, sizeof(line), text("finding %s: '%s', by %s"), q->id ? q->id : "-", q->text, q->operator);
	if (record(s, q, &err))
		code = app_error(&err, APP_FAILED);
	else if (q->what == ADD)
		snprintf(line, sizeof(line), text("finding %s: '%s', by %s"),
		    ledger_finding(state_ledger(s), ledger_findings(state_ledger(s)) - 1)->id, q->text,
		    q->operator);
	if (!code && !app->quiet && !app->json)
		puts(line);
	code = outcome_record(app, s, "finding", code, code ? summary_failure(&err, line) : line);
	state_close(s);
	return app_flush(code);
}

static int take_words(struct app *app, int n, char **words, struct request *q)
{
	const char *word = n ? words[0] : "list";

	while (q->what < ACTIONS && strcmp(word, actions[q->what].word) != 0)
		q->what++;
	if (q->what == ACTIONS || (n ? n - 1 : 0) != actions[q->what].operands)
		return app_usage(app, "%s",
		    text("'finding' is followed by 'list', 'add TEXT', 'measure NUMBER TEXT' or 'close "
			 "NUMBER TEXT'"));
	q->id = actions[q->what].operands == 2 ? words[1] : NULL;
	q->text = q->what == LIST ? NULL : words[n - 1];
	return APP_OK;
}

int cmd_finding(struct app *app, int argc, char **argv)
{
	enum { OWNER = 1, DUE, OPERATOR, ALL };
	static const struct option own[] = {{"owner", required_argument, NULL, OWNER},
	    {"due", required_argument, NULL, DUE}, {"operator", required_argument, NULL, OPERATOR},
	    {"all", no_argument, NULL, ALL}, {NULL, 0, NULL, 0}};
	struct request q = {0};
	const char **into[] = {NULL, &q.owner, &q.due, &q.operator};
	POLICY_AUTO policy = NULL;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == ALL)
			q.all = true;
		else
			*into[c] = optarg;
	}
	code = take_words(app, argc - optind, argv + optind, &q);
	if (code)
		return code;
	app_act(app, "finding", "operator", q.operator);
	code = app_policy(app, &policy);
	if (code)
		return code;
	if (q.what == LIST)
		return list(app, policy, &q);
	code = check_request(app, policy, &q);
	return code ? code : act(app, policy, &q);
}
