/* cmd_rotate: bkp rotate [MEDIUM] --operator NAME: the operator's one command.
 *
 * The work is rotate_run() of write/rotate.  Here: options, progress, and end_rotation(), which shows, records and tells.
 * What is shown on stderr is collected first, because the notify command gets it as well. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/tools_folder.h"
#include "cmd/show/expire_report.h"
#include "cmd/show/rotate_report.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "write/media/journal_copies.h"
#include "write/rotate/rotate.h"
#include "write/state/state.h"

#define DAY_S	     ((int64_t)86400)
#define RECHECK_DAYS 25 /* so that a disk that comes every four weeks is read through each time */
#define DAYS_MAX     36500

struct view {
	const struct app *app;
	struct out_progress progress;
};

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct view *v = arg;

	if (v->progress.pace.what != what || v->progress.pace.total != total) {
		out_progress_end(&v->progress);
		out_progress_begin(&v->progress, v->app, what, total);
	}
	out_progress_update(&v->progress, done, done);
}

static void on_leftover(void *arg, const struct reap_leftover *l)
{
	struct view *v = arg;

	out_progress_end(&v->progress);
	expire_report_leftover(l);
}

/* "all", "none" or days. 0, -1. */
static int parse_recheck(const char *s, int64_t *ret_s)
{
	char *end;
	unsigned long days;

	if (!strcmp(s, "all") || !strcmp(s, "none")) {
		*ret_s = *s == 'a' ? 0 : ROTATE_RECHECK_NONE;
		return 0;
	}
	errno = 0;
	days = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || days > DAYS_MAX)
		return -1;
	*ret_s = (int64_t)days * DAY_S;
	return 0;
}

static void say_faults(const struct rotate_result *result, const struct err *failure, FILE *to)
{
	if (failure)
		app_fault(failure, to);
	else
		rotate_report_faults(result, to);
}

/* What came of it is shown, recorded and told. */
static int end_rotation(const struct app *app, const struct rotate_config *cfg,
    const struct rotate_result *result, const struct err *failure, int code)
{
	char line[SUMMARY_LINE], *details = NULL;
	size_t size = 0;
	FILE *held = open_memstream(&details, &size);
	struct outcome o = {.command = "rotate", .line = line, .run = result->newest};

	if (held) {
		say_faults(result, failure, held);
		fclose(held);
	}
	if (details && (failure || !app->json))
		fputs(details, stderr);
	else if (failure || !app->json)
		say_faults(
		    result, failure, stderr); /* no memory to collect it: the notify command lacks it */
	if (!failure && !app->json && !app->quiet)
		rotate_report_text(result, cfg->operator);
	o.code = app->json ? rotate_report_json(result, cfg->operator, failure, code) : code;
	o.details = details;
	summary_rotation(result, failure, line);
	/* what was typed wrong has changed nothing */
	code = code == APP_USAGE ? code
				 : outcome_tell(app, cfg->policy,
				       failure && journal_copies_is_ahead(failure) ? NULL : cfg->state, &o);
	free(details);
	return app_flush(code);
}

static int rotate(struct app *app, struct rotate_config *cfg)
{
	struct view view = {.app = app};
	struct rotate_result result;
	struct err err = ERR_INIT;
	char tools[PATH_MAX];
	int r, code;

	cfg->docs = tools_sources(tools);
	cfg->progress = on_progress;
	cfg->about = on_leftover;
	cfg->arg = &view;
	out_progress_begin(&view.progress, app, "", 0);
	r = rotate_run(cfg, &result, &err);
	out_progress_end(&view.progress);
	code = !r ? rotate_report_exit(&result) : err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED;
	code = end_rotation(app, cfg, &result, r ? &err : NULL, code);
	rotate_result_free(&result);
	return code;
}

static int rotate_with(struct app *app, struct rotate_config *cfg)
{
	POLICY_AUTO policy = NULL;
	struct state *state = NULL;
	int code = app_policy(app, &policy);

	app_act(app, "rotate", "operator", cfg->operator);
	if (code || (code = operator_check(app, policy, cfg->operator)))
		return code;
	code = app_state(app, policy, &state);
	cfg->policy = policy;
	cfg->state = state;
	if (!code)
		code = rotate(app, cfg);
	state_close(state);
	return code;
}

int cmd_rotate(struct app *app, int argc, char **argv)
{
	enum { OPERATOR = 1, PLACE, RECHECK, YES };
	static const struct option own[] = {{"operator", required_argument, NULL, OPERATOR},
	    {"place", required_argument, NULL, PLACE}, {"recheck", required_argument, NULL, RECHECK},
	    {"yes", no_argument, NULL, YES}, {NULL, 0, NULL, 0}};
	struct rotate_config cfg = {.recheck_s = RECHECK_DAYS * DAY_S};
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == OPERATOR)
			cfg.operator= optarg;
		if (c == YES)
			cfg.yes = true;
		if (c == PLACE)
			cfg.place = optarg;
		if (c == RECHECK && parse_recheck(optarg, &cfg.recheck_s))
			return app_usage(
			    app, text("'%s' is neither 'all' nor 'none' nor a number of days"), optarg);
	}
	if (argc - optind > 1)
		return app_usage(app, "%s", text("one medium is rotated at a time"));
	if (cfg.place && (code = operator_text(app, "--place", cfg.place)))
		return code;
	cfg.medium = optind < argc ? argv[optind] : NULL;
	return rotate_with(app, &cfg);
}
