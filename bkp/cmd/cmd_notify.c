/* cmd_notify: bkp notify: tells by the policy's notify command how things stand, or that it works (--test).
 *
 * A run that does not take place tells nobody, so this is for a second line of the crontab, hours after the
 * run.  It waits for no lock: while another bkp is at work somebody is told all the same, and only the
 * record of it is left out. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/notify.h"
#include "cmd/app/outcome.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "cmd/show/turns_show.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/state/state.h"

static int send_message(struct app *app, const struct policy *policy, const char *line, const char *details,
    const char *tell, int code)
{
	struct notify_message m = {line, details, "notify", policy->site_name, policy->locale, tell, 0, code};
	struct err err = ERR_INIT, why = ERR_INIT;
	struct state *s = NULL;
	int r = notify_run(policy->notify_command, policy->notify_limit_s, &m, &err);

	if (!app_state_open(app, policy, &s, &why)) {
		code = outcome_notified(s, r ? &err : NULL, code);
		state_close(s);
	}
	return r ? app_error(&err, code == APP_OK ? APP_ATTENTION : code) : code;
}

static int send_test(struct app *app, const struct policy *policy)
{
	char line[SUMMARY_LINE];
	int code;

	snprintf(line, sizeof(line), "%s", text("this is a test: somebody would be told like this"));
	code = send_message(app, policy, line, NULL, NULL, APP_OK);
	if (!code && !app->quiet && !app->json)
		printf(
		    "%s\n", text("the notify command was run and reports success: has the message arrived?"));
	return app_flush(code);
}

/* What to do, one sentence a line. */
static char *next_lines(const struct compliance *s)
{
	char *p = NULL;
	size_t size;
	FILE *f = open_memstream(&p, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < s->n_next; i++)
		fprintf(f, "%zu. %s\n", i + 1, s->next[i]);
	fclose(f);
	return p;
}

static int send_compliance(struct app *app, const struct policy *policy, const struct ledger *l)
{
	struct compliance *s = NULL;
	char line[SUMMARY_LINE], *details;
	struct turns_tell tell;
	int code = overview_compliance(policy, l, &s);

	if (code)
		return send_message(app, policy, text("it cannot be told how things stand: run 'bkp status'"),
		    NULL, NULL, code);
	code = overview_exit(s);
	if (code != APP_OK || policy->notify_when == POLICY_NOTIFY_ALWAYS) {
		details = next_lines(s);
		turns_show_tell(policy, l, s->now_ns, &tell);
		code = send_message(app, policy, summary_compliance(s, line), details, tell.names, code);
		free(details);
	}
	compliance_free(s);
	return code;
}

static int no_command(void)
{
	struct err err = ERR_INIT;

	err_set(&err, "E-NOTIFY-02", "%s", text("the policy names no notify command"));
	err_hint(&err, "%s", text("write it as 'notify: {command: …}'; see bkp-policy(5)"));
	return app_error(&err, APP_USAGE);
}

int cmd_notify(struct app *app, int argc, char **argv)
{
	enum { TEST = 1 };
	static const struct option own[] = {{"test", no_argument, NULL, TEST}, {NULL, 0, NULL, 0}};
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	bool test = false;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		test = true;
	}
	if (optind < argc)
		return app_usage(app, "%s", text("'notify' takes options only"));
	code = app_policy(app, &policy);
	if (!code && !policy->notify_command)
		code = no_command();
	if (code)
		return code;
	app_act(app, "notify", test ? "operator" : "capture", NULL);
	if (test)
		return send_test(app, policy);
	code = app_ledger(app, policy, &l);
	if (code)
		code = send_message(app, policy, text("it cannot be told how things stand: run 'bkp status'"),
		    NULL, NULL, code);
	else
		code = send_compliance(app, policy, l);
	ledger_free(l);
	return code;
}
