/* cmd_status: bkp status [--short | --forecast] [--at MOMENT] [--prometheus FILE] [--html FILE]: 3世代 and 3-2-1 for each data set, where the media are, what to
 * do next.
 *
 * Takes no lock.  What --prometheus and --html name is written also when the journal cannot be read (exit status 3), so that nobody
 * goes on reading old figures as new ones. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/page/status_page.h"
#include "cmd/show/metrics.h"
#include "cmd/show/overview.h"
#include "cmd/show/status_show.h"
#include "cmd/time/forecast_show.h"
#include "cmd/time/then.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/forecast.h"

#define METRICS_MAX ((size_t)16 << 20)

struct files {
	const char *metrics, *page; /* or NULL */
};

/* path: "-" is stdout.  0, or an exit code after a report. */
static int put_out(const char *path, const struct buf *b)
{
	struct err err = ERR_INIT;

	if (strcmp(path, "-") != 0)
		return status_page_put(path, b, &err) ? app_error(&err, APP_FAILED) : APP_OK;
	fwrite(b->p, 1, b->n, stdout);
	return app_flush(APP_OK);
}

/* l and s NULL: unknown.  Likewise. */
static int write_metrics(const char *path, const struct policy *policy, const struct ledger *l,
    const struct compliance *s, int code)
{
	BUF_AUTO b = BUF_INIT(METRICS_MAX);
	struct err err = ERR_INIT;
	struct clock_stamp now;
	int r;

	clock_now(&now);
	r = metrics_render(policy, l, s, s ? s->now_ns : now.wall_ns, code, &b, &err);
	return r ? app_error(&err, APP_FAILED) : put_out(path, &b);
}

/* v NULL: nothing is known. */
static int write_page(const char *path, const struct policy *policy, struct status_view *v)
{
	BUF_AUTO b = BUF_INIT(STATUS_PAGE_MAX);
	struct err err = ERR_INIT;

	return status_page_whole(policy, v, &b, &err) ? app_error(&err, APP_FAILED) : put_out(path, &b);
}

static void write_unknown(const struct files *files, const struct policy *policy, int code)
{
	if (files->metrics)
		(void)write_metrics(files->metrics, policy, NULL, NULL, code);
	if (files->page)
		(void)write_page(files->page, policy, NULL);
}

enum form { WHOLE, BRIEF, FORECAST };

/* at_ns: as of then, or 0 */
static int show_view(const struct app *app, struct status_view *v, enum form form, int64_t at_ns)
{
	struct forecast *f = NULL;
	int code = APP_OK, shown = APP_OK;

	/* what was to come is told where it is asked for */
	if (form == FORECAST || (!at_ns && !app->quiet && form != BRIEF))
		code = forecast_make(v->policy, v->s->now_ns, at_ns,
		    form == FORECAST ? FORECAST_DAYS : FORECAST_SOON_DAYS, &f);
	if (code && form == FORECAST)
		return code;
	/* how things stand is shown also when what comes cannot be told */
	v->forecast = f;
	if (app->json)
		shown = status_show_json(v);
	else if (!app->quiet)
		shown = app_flush(form == FORECAST ? status_show_forecast(v)
				  : form == BRIEF  ? status_show_short(v)
						   : status_show_text(v));
	forecast_free(f);
	return code ? code : shown;
}

static int show_then(struct app *app, const struct policy *today, const char *moment, enum form form)
{
	struct then t;
	struct status_view v = {.then = &t};
	struct compliance *s = NULL;
	int code = then_open(app, today, moment, &t), shown;

	if (code)
		return code;
	code = overview_compliance_then(t.policy, t.ledger, t.at_ns, &s);
	if (!code) {
		v.policy = t.policy;
		v.ledger = t.ledger;
		v.s = s;
		code = overview_exit(s);
		then_warn(&t);
		shown = show_view(app, &v, form, t.at_ns);
		code = shown ? shown : code;
	}
	compliance_free(s);
	then_close(&t);
	return code;
}

static int show_status(const struct app *app, const struct policy *policy, const struct ledger *l,
    const struct files *files, enum form form)
{
	struct compliance *s = NULL;
	struct status_view v = {.policy = policy, .ledger = l};
	int code = overview_compliance(policy, l, &s), shown = APP_OK;

	if (code) {
		write_unknown(files, policy, code);
		return code;
	}
	code = overview_exit(s);
	v.s = s;
	if (files->metrics)
		shown = write_metrics(files->metrics, policy, l, s, code);
	if (!shown && files->page)
		shown = write_page(files->page, policy, &v);
	if (!shown && (app->json || (!files->metrics && !files->page)))
		shown = show_view(app, &v, form, 0);
	compliance_free(s);
	return shown ? shown : code;
}

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

int cmd_status(struct app *app, int argc, char **argv)
{
	enum { PROMETHEUS = 1, SHORT, AT, AHEAD, HTML };
	static const struct option own[] = {{"prometheus", required_argument, NULL, PROMETHEUS},
	    {"short", no_argument, NULL, SHORT}, {"at", required_argument, NULL, AT},
	    {"forecast", no_argument, NULL, AHEAD}, {"html", required_argument, NULL, HTML},
	    {NULL, 0, NULL, 0}};
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	struct files files = {NULL, NULL};
	const char *moment = NULL;
	enum form form = WHOLE;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		if (opt == PROMETHEUS)
			files.metrics = optarg;
		if (opt == HTML)
			files.page = optarg;
		if (opt == AT)
			moment = optarg;
		form = opt == SHORT ? BRIEF : opt == AHEAD ? FORECAST : form;
	}
	if (optind < argc)
		return app_usage(app, "%s", text("'status' takes options only"));
	if (is_stdout(files.metrics) + is_stdout(files.page) + app->json > 1)
		return app_usage(app, "%s",
		    text("--json, --prometheus - and --html - exclude each other: all want stdout"));
	if ((files.metrics || files.page) && moment)
		return app_usage(app, "%s",
		    text("--at excludes --prometheus and --html: who reads these takes them for now"));
	code = app_policy(app, &policy);
	if (code)
		return code;
	if (moment) {
		then_forget_holidays(policy);
		return show_then(app, policy, moment, form);
	}
	code = app_ledger(app, policy, &l);
	if (code)
		write_unknown(&files, policy, code);
	else
		code = show_status(app, policy, l, &files, form);
	ledger_free(l);
	return code;
}
