/* outcome: see outcome.h.
 *
 * Order of outcome_tell(): the record of the outcome → the page that the policy asks for → the notify command → the record of whether
 * somebody was told.  A record that cannot be written raises the exit code to APP_FAILED; a page or a notification that fails raises it to
 * APP_ATTENTION.  A page that fails has a record of its own: the page tells of the outcome, which is on record by then.
 * Records use the reserve (write/state/reserve.h), so that a full disk does not swallow how it ended. */
#include "cmd/app/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/notify.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define TOLD 1024

static int record_outcome(struct state *state, const char *command, int code, const char *line, int number)
{
	json_t *o = json_pack("{s:s, s:i, s:s}", "command", command, "exit", code, "line", line ? line : "");
	struct err err = ERR_INIT;

	if (number)
		json_object_set_new(o, "signal", json_integer(number));
	if (!reserve_append(state, "outcome", o, &err))
		return code;
	err_wrap(&err, "%s", text("how it ended cannot be recorded"));
	return app_error(&err, code > APP_FAILED ? code : APP_FAILED);
}

/* why: why there is none. */
static int put_page(
    const struct app *app, const struct policy *policy, struct state *state, int code, struct err *why)
{
	int r = APP_ATTENTION;

	if (!policy->status_page || !app->page || !app->page(policy, state ? state_ledger(state) : NULL, why))
		return code;
	app_error(why, APP_ATTENTION);
	if (state)
		r = record_outcome(state, "status page", APP_ATTENTION, why->msg, 0);
	return code > r ? code : r;
}

/* What is told of a night on which the page failed, too. */
static void tell_of_page(struct notify_message *m, const struct err *why, char line[TOLD], char **details)
{
	if (m->exit == APP_OK)
		m->line = line;
	snprintf(line, TOLD, "%s", why->msg);
	if (asprintf(details, "%s%s\n", m->details ? m->details : "", why->msg) < 0)
		*details = NULL;
	else
		m->details = *details;
}

int outcome_record(
    const struct app *app, struct state *state, const char *command, int code, const char *line)
{
	struct err err = ERR_INIT;

	code = record_outcome(state, command, code, line, 0);
	return app->policy ? put_page(app, app->policy, state, code, &err) : code;
}

void outcome_refused(struct app *app, const struct policy *policy, int code, const char *line)
{
	struct err err = ERR_INIT;
	struct state *s = NULL;

	if (app_state_open(app, policy, &s, &err))
		return;
	(void)!outcome_record(app, s, app->actor.command, code, line);
	state_close(s);
}

bool outcome_good_news(const struct policy *policy, const struct state *state)
{
	const struct ledger_outcome *last = state ? ledger_outcome(state_ledger(state), "run") : NULL;
	time_t now = time(NULL), then = last ? (time_t)(last->ended_ns / SECOND_NS) : 0;
	struct tm today, before;

	localtime_r(&now, &today);
	localtime_r(&then, &before);
	return policy->good_news == (unsigned)today.tm_wday + 1 &&
	       (before.tm_yday != today.tm_yday || before.tm_year != today.tm_year);
}

int outcome_notified(struct state *state, const struct err *why, int code)
{
	struct err err = ERR_INIT;

	if (!state || !reserve_append(state, "notified",
			  json_pack("{s:b, s:s}", "ok", why == NULL, "reason", why ? why->msg : ""), &err))
		return code;
	err_wrap(&err, "%s", text("it cannot be recorded whether somebody was told"));
	return app_error(&err, code > APP_FAILED ? code : APP_FAILED);
}

int outcome_tell(
    const struct app *app, const struct policy *policy, struct state *state, const struct outcome *o)
{
	struct notify_message m = {
	    o->line, o->details, o->command, policy->site_name, policy->locale, o->tell, o->run, o->code};
	struct err err = ERR_INIT, page = ERR_INIT;
	char told[TOLD], *details = NULL;
	int r, code = state ? record_outcome(
				  state, o->command, o->code, o->record ? o->record : o->line, o->signal)
			    : o->code;

	m.exit = code;
	code = put_page(app, policy, state, code, &page);
	if (page.code[0])
		tell_of_page(&m, &page, told, &details);
	m.exit = code;
	if (!policy->notify_command ||
	    (code == APP_OK && policy->notify_when == POLICY_NOTIFY_ATTENTION && !o->good_news)) {
		free(details);
		return code;
	}
	r = notify_run(policy->notify_command, policy->notify_limit_s, &m, &err);
	free(details);
	if (r)
		app_error(&err, APP_ATTENTION);
	code = outcome_notified(state, r ? &err : NULL, code);
	return r && code == APP_OK ? APP_ATTENTION : code;
}
