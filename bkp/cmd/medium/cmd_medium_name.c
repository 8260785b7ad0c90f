/* cmd_medium_name: bkp medium rename OLD NEW, bkp medium retire NAME [--method … --witness …]: both are records, nothing is written on
 * the medium, which may be far away or lost. */
#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW 256

static int record_change(
    struct state *s, const struct policy *policy, const struct medium_request *q, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_known(state_ledger(s), q->words[0]);
	const char *to = q->words[1];

	if (to && ledger_medium_by_label(state_ledger(s), to)) {
		err_set(err, "E-MEDIA-19", text("another medium is registered as '%s'"), to);
		return err_hint(err, "%s", text("take a name that no medium has; see 'bkp medium list'"));
	}
	if (to && !policy_find_medium(policy, to)) {
		err_set_kind(err, ERR_USAGE, "E-MEDIA-15", text("the policy declares no medium '%s'"), to);
		return err_hint(err, "%s", text("change its name in the policy's 'media' first"));
	}
	return to ? state_append(s, "medium-renamed",
			json_pack("{s:s, s:s, s:s}", "medium", lm->uuid, "label", to, "operator",
			    q->o[MEDIUM_OPERATOR]),
			err)
		  : state_append(s, "medium-retired",
			json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "medium", lm->uuid, "operator",
			    q->o[MEDIUM_OPERATOR], "reason", q->o[MEDIUM_REASON], "method",
			    q->o[MEDIUM_METHOD], "witness", q->o[MEDIUM_WITNESS], "certificate",
			    q->o[MEDIUM_CERTIFICATE], "keys_destroyed", q->o[MEDIUM_KEYS]),
			err);
}

static int change_medium(
    struct app *app, struct state *s, const struct policy *policy, const struct medium_request *q)
{
	char line[SUMMARY_LINE], from[SHOW], show[SHOW];
	const char *name = q->words[0], *to = q->words[1];
	const char *command = to ? "medium rename" : "medium retire";
	struct err err = ERR_INIT;
	int code;

	if (!(to ? ledger_medium_by_label : ledger_medium_known)(state_ledger(s), name))
		return outcome_record(app, s, command, cmd_medium_unknown(policy, state_ledger(s), name),
		    text("that medium is not registered"));
	code = record_change(s, policy, q, &err) ? app_error(&err, APP_FAILED) : APP_OK;
	path_show(name, from, sizeof(from));
	if (code)
		summary_failure(&err, line);
	else if (to)
		snprintf(line, sizeof(line), text("'%s' is called '%s' from now on"), from,
		    path_show(to, show, sizeof(show)));
	else
		snprintf(
		    line, sizeof(line), text("'%s' is retired: what is on it does not count any more"), from);
	if (!code && !app->quiet && !app->json)
		printf("%s\n", line);
	return app_flush(outcome_record(app, s, command, code, line));
}

int cmd_medium_rename(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	struct state *s;
	int code;

	app_act(app, q->words[1] ? "medium rename" : "medium retire", "operator", q->o[MEDIUM_OPERATOR]);
	code = cmd_medium_texts(app, policy, q);
	if (!code)
		code = app_state(app, policy, &s);
	if (code)
		return code;
	code = change_medium(app, s, policy, q);
	state_close(s);
	return code;
}

/* How it was destroyed is worth something only where a second person saw it. */
int cmd_medium_retire(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	if ((q->o[MEDIUM_METHOD] || q->o[MEDIUM_CERTIFICATE] || q->o[MEDIUM_KEYS]) && !q->o[MEDIUM_WITNESS])
		return app_usage(app, "%s",
		    text("who saw how it was destroyed?  --method, --certificate and --keys-destroyed want "
			 "--witness NAME"));
	return cmd_medium_rename(app, policy, q);
}
