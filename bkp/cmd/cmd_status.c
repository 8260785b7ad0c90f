/* cmd_status: bkp status [--short] [--prometheus FILE]: 3世代 and 3-2-1 for each data set, where the media are, what to
 * do next.
 *
 * Takes no lock.  With --prometheus the file is written also when the journal cannot be read (exit status 3), so that a
 * collector does not go on reading old figures as new ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/show/metrics.h"
#include "cmd/show/overview.h"
#include "cmd/show/status_show.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

#define METRICS_MAX ((size_t)16 << 20)

/* The collector may read at any moment, as another user: the whole file appears at once, for everybody. */
static int write_file(const char *path, const struct buf *b, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	IO_FD_AUTO dir = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = folder ? 0 : err_nomem(err);

	if (!r && dir < 0)
		r = err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), folder);
	if (!r)
		r = io_replace(dir, slash ? slash + 1 : path, 0644, b->p, b->n, err);
	free(folder);
	return r;
}

/* path: "-" is stdout.  l and s NULL: unknown.  0, or an exit code after a report. */
static int write_metrics(const char *path, const struct policy *policy, const struct ledger *l,
    const struct compliance *s, int code)
{
	BUF_AUTO b = BUF_INIT(METRICS_MAX);
	struct err err = ERR_INIT;
	struct clock_stamp now;
	int r;

	clock_now(&now);
	r = metrics_render(policy, l, s, s ? s->now_ns : now.wall_ns, code, &b, &err);
	if (!r && !strcmp(path, "-")) {
		fwrite(b.p, 1, b.n, stdout);
		return app_flush(APP_OK);
	}
	if (!r)
		r = write_file(path, &b, &err);
	return r ? app_error(&err, APP_FAILED) : APP_OK;
}

static int show_status(const struct app *app, const struct policy *policy, const struct ledger *l,
    const char *metrics, bool brief)
{
	struct compliance *s = NULL;
	int code = overview_compliance(policy, l, &s), shown = APP_OK;

	if (code) {
		if (metrics)
			(void)write_metrics(metrics, policy, NULL, NULL, code);
		return code;
	}
	code = overview_exit(s);
	if (metrics)
		shown = write_metrics(metrics, policy, l, s, code);
	if (app->json)
		shown = shown ? shown : status_show_json(policy, l, s);
	else if (!app->quiet && !metrics)
		shown = app_flush(brief ? status_show_short(policy, s) : status_show_text(policy, l, s));
	compliance_free(s);
	return shown ? shown : code;
}

int cmd_status(struct app *app, int argc, char **argv)
{
	enum { PROMETHEUS = 1, SHORT };
	static const struct option own[] = {{"prometheus", required_argument, NULL, PROMETHEUS},
	    {"short", no_argument, NULL, SHORT}, {NULL, 0, NULL, 0}};
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	const char *metrics = NULL;
	bool brief = false;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		if (opt == PROMETHEUS)
			metrics = optarg;
		brief = brief || opt == SHORT;
	}
	if (optind < argc)
		return app_usage(app, "%s", text("'status' takes options only"));
	if (metrics && app->json && !strcmp(metrics, "-"))
		return app_usage(
		    app, "%s", text("--json and --prometheus - exclude each other: both want stdout"));
	code = app_policy(app, &policy);
	if (code)
		return code;
	code = app_ledger(app, policy, &l);
	if (code && metrics)
		(void)write_metrics(metrics, policy, NULL, NULL, code);
	if (!code)
		code = show_status(app, policy, l, metrics, brief);
	ledger_free(l);
	return code;
}
