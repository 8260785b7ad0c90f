/* cmd_key_use: bkp key use: who used a recovery key, and what for.
 *
 * The host has no part in a use: it happens wherever the key and a medium are, and bkp-restore leaves a slip (使用記録) there, which a person
 * brings here (cmd/import/import.h). */
#include <stdio.h>
#include <stdlib.h>
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
#include "cmd/import/import.h"
#include "cmd/key/cmd_key.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

/* ---- the list ---- */

static void use_row(struct table *t, const struct ledger_use *u)
{
	const json_t *o = u->record;
	const char *signer = json_string_value(json_object_get(o, "signed_by")),
		   *person = journal_text(json_object_get(o, "person"), "name");
	char time[CLOCK_TEXT];

	table_cell(t, "%s", clock_format_local(u->at_ns, time));
	table_cell(t, "%s", journal_text(o, "operator"));
	table_cell(t, "%s", *person ? person : "?");
	table_cell(t, "%s", journal_text(o, "command"));
	table_cell(t, "%s", journal_text(o, "what"));
	table_cell(t, "%s@%s", journal_text(o, "label"), journal_text(o, "host"));
	if (json_is_integer(json_object_get(o, "exit")))
		table_cell(t, "%d", (int)json_integer_value(json_object_get(o, "exit")));
	else
		table_cell(t, "?");
	table_cell(t, "%s", signer ? signer : text("declared only"));
}

static int list_text(const struct ledger *l, bool all)
{
	static const char *const heads[] = {TEXT_LATER("TIME"), TEXT_LATER("OPERATOR"), TEXT_LATER("KEY OF"),
	    TEXT_LATER("COMMAND"), TEXT_LATER("WHAT"), TEXT_LATER("MEDIUM@HOST"), TEXT_LATER("EXIT"),
	    TEXT_LATER("SIGNED BY")};
	size_t declared, n;
	int64_t since;
	char time[CLOCK_TEXT];
	struct table *t;

	n = ledger_uses_new(l, &declared, &since);
	if (since)
		printf(text("since the sign-off of %s: "), clock_format_local(since, time));
	printf(text("%zu uses of recovery keys, %zu of them declared only\n"), n, declared);
	if (!(all ? ledger_uses(l) : n))
		return app_flush(APP_OK);
	t = table_headed(heads, 8);
	for (size_t i = 0; t && i < ledger_uses(l); i++)
		if (all || !ledger_use(l, i)->reviewed)
			use_row(t, ledger_use(l, i));
	return out_table(t, 0, APP_OK);
}

static json_t *use_json(const struct ledger_use *u)
{
	json_t *o = json_copy((json_t *)u->record);

	if (!o || json_object_set_new(o, "declared", json_boolean(u->declared)) ||
	    json_object_set_new(o, "reviewed", json_boolean(u->reviewed))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int list_json(const struct ledger *l, bool all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_uses(l); i++)
		if (all || !ledger_use(l, i)->reviewed)
			json_array_append_new(list, use_json(ledger_use(l, i)));
	return out_json(json_pack("{s:o, s:o}", "unreviewed", overview_uses_json(l), "uses", list), APP_OK);
}

static int list_uses(struct app *app, const struct policy *policy, bool all)
{
	struct ledger *l = NULL;
	int code = app_ledger(app, policy, &l);

	if (!code)
		code = app->json ? list_json(l, all) : list_text(l, all);
	ledger_free(l);
	return code;
}

/* ---- the sign-off ---- */

static int review(struct app *app, const struct policy *policy, const struct key_request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	size_t n, declared;
	int64_t since;
	int code;

	app_act(app, "key use", "manager", q->operator);
	code = operator_check(app, policy, q->operator);
	if (code || (code = app_state(app, policy, &s)))
		return code;
	n = ledger_uses_new(state_ledger(s), &declared, &since);
	if (reserve_append(s, "uses-reviewed",
		json_pack("{s:I, s:I, s:s}", "uses", (json_int_t)n, "declared", (json_int_t)declared,
		    "operator", q->operator),
		&err))
		code = app_error(&err, APP_FAILED);
	snprintf(line, sizeof(line),
	    text("%zu uses of recovery keys were looked at, %zu of them declared only"), n, declared);
	code = outcome_record(app, s, "key use", code, code ? summary_failure(&err, line) : line);
	if (!code && !app->quiet && !app->json)
		puts(line);
	state_close(s);
	return app_flush(code);
}

int cmd_key_use(struct app *app, const struct policy *policy, const struct key_request *q)
{
	const bool import = q->given & KEY_IMPORT, reviewed = q->given & KEY_REVIEWED;

	if ((import && (reviewed || q->given & KEY_ALL)) || (reviewed && q->given & KEY_ALL) ||
	    (!import && q->n) || (q->operator&& !import && !reviewed))
		return app_usage(app, "%s",
		    text("one of: key use [--all], key use --import FILE..., key use --reviewed --operator "
			 "NAME"));
	if (import && !q->n)
		return app_usage(app, "%s", text("'key use --import' needs the slips: FILE..."));
	return import	  ? import_files(app, policy, "key use", q->operator, q->words, q->n)
	       : reviewed ? review(app, policy, q)
			  : list_uses(app, policy, q->given & KEY_ALL);
}
