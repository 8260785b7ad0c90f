/* cmd_rotate: bkp rotate [MEDIUM] --operator NAME: the operator's one command; --plan: which medium comes when (turns/).
 *
 * A disk that is plugged in and not mounted comes and goes by rotate/visit; what a person is asked is in rotate/rotate_ask.
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
#include "cmd/medium/cmd_medium.h"
#include "cmd/rotate/rotate_ask.h"
#include "cmd/rotate/visit.h"
#include "cmd/show/expire_report.h"
#include "cmd/show/rotate_report.h"
#include "cmd/show/summary.h"
#include "cmd/turns/turns_plan.h"
#include "format/policy/policy.h"
#include "write/media/journal_copies.h"
#include "write/rotate/rotate.h"
#include "write/state/state.h"

#define DAY_S	 ((int64_t)86400)
#define DAYS_MAX 36500

#define ROTATE_ASK  (-1)
#define WAIT_UNSAID (-2)

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

/* Never a time without saying what it rests on. */
static void on_expect(void *arg, const struct rotate_expected *e)
{
	struct view *v = arg;

	if (v->app->quiet || v->app->json)
		return;
	out_progress_end(&v->progress);
	rotate_report_expected(e, stderr);
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

static int parse_wait(const char *s, long *ret_s)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || n > DAYS_MAX * DAY_S)
		return -1;
	*ret_s = (long)n;
	return 0;
}

/* Nothing fit is plugged in, or more than one: that is for the person at the terminal to change, who is told first. */
static bool must_ask(struct visit *v, const struct rotate_config *cfg, int r, const struct err *err)
{
	v->several = r == VISIT_SEVERAL;
	if (v->several)
		return true;
	if (r == 0 || v->keep_mounted || !visit_sought(cfg->state, cfg->policy, cfg->medium))
		return false;
	if (r < 0 && (!v->entered || v->refused))
		return false;
	if (r < 0)
		app_fault(err, stderr);
	else if (v->entered && !v->disks.n)
		puts(text("No disk is found that is plugged in and not in use."));
	return r < 0 || !rotate_disk_mounted(cfg->state, cfg->policy, cfg->medium);
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

/* It is unmounted; what is to be taken away is seen to be gone, and recorded, when the state folder is free again. */
static int leave(struct visit *v, bool filled, struct rotate_result *result, struct err *err)
{
	int r = visit_leave(v, err);

	/* where it was mounted means nothing to anybody else */
	free(result->mount_point);
	result->mount_point = NULL;
	free(result->path);
	result->path = strdup(v->disk.node);
	if (r != VISIT_LEFT || !result->path || !filled)
		return r < 0 ? -1 : result->path ? 0 : err_nomem(err);
	result->unmounted = true;
	result->awaited = v->wait_s && rotate_report_leaves(result);
	snprintf(v->medium, sizeof(v->medium), "%s", result->awaited ? result->medium->name : "");
	snprintf(v->place, sizeof(v->place), "%s", result->place);
	return 0;
}

static int judge(const void *arg, const struct policy_medium *m, const char *path, struct err *err)
{
	const int r = rotate_judge(arg, m, path, err);

	return r == ROTATE_ANOTHER ? VISIT_ANOTHER : r;
}

static int rotate(struct app *app, struct rotate_config *cfg, struct visit *v)
{
	struct view view = {.app = app};
	struct rotate_result result = {0};
	struct err err = ERR_INIT, left = ERR_INIT;
	char tools[PATH_MAX];
	int r, code;

	cfg->docs = tools_sources(tools);
	cfg->progress = on_progress;
	cfg->about = on_leftover;
	cfg->expect = on_expect;
	cfg->arg = &view;
	v->may = judge;
	v->arg = cfg;
	r = visit_attach(v, cfg->state, cfg->policy, cfg->medium, &cfg->medium, &err);
	if (v->asks && !v->mounted && must_ask(v, cfg, r, &err))
		return ROTATE_ASK;
	out_progress_begin(&view.progress, app, "", 0);
	if (!r || r == VISIT_NOTHING)
		r = rotate_run(cfg, &result, &err);
	out_progress_end(&view.progress);
	if (v->mounted && leave(v, !r, &result, &left) && !r) {
		err = left;
		r = -1;
	}
	code = !r ? rotate_report_exit(&result) : err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED;
	code = end_rotation(app, cfg, &result, r ? &err : NULL, code);
	rotate_result_free(&result);
	return code;
}

/* The state folder is free while a person answers: a run that is due need not wait for them.  An exit code. */
static int rotate_asking(
    struct app *app, const struct policy *policy, struct rotate_config *cfg, struct visit *v)
{
	const char *medium = cfg->medium;
	size_t which;
	int code;

	for (;;) {
		struct state *state = NULL;

		cfg->medium = medium;
		code = app_state(app, policy, &state);
		cfg->state = state;
		if (!code)
			code = rotate(app, cfg, v);
		state_close(state);
		if (code != ROTATE_ASK)
			return code;
		if (v->several ? !rotate_ask_disk(&v->disks, &which) : !rotate_ask_plug(policy, medium)) {
			outcome_refused(
			    app, policy, APP_FAILED, text("a person ended it before a disk was found"));
			return APP_FAILED;
		}
		if (v->several)
			snprintf(v->chosen, sizeof(v->chosen), "%s", v->disks.all[which].disk.name);
	}
}

/* Filled, unmounted: a person takes it out and away. */
static int take_away(
    struct app *app, const struct policy *policy, const struct rotate_config *cfg, const struct visit *v)
{
	struct app silent = *app;
	char place[OPERATOR_TEXT];
	int code = visit_wait(v, cfg->operator);

	if (code)
		return code;
	snprintf(place, sizeof(place), "%s", v->place);
	if (v->asks && !cfg->place && !rotate_ask_place(v->medium, v->place, place))
		snprintf(place, sizeof(place), "%s", v->place);
	/* with --json there is one object on stdout, and for a person its line is wider than a terminal */
	silent.quiet = true;
	silent.json = false;
	code = cmd_medium_move(&silent, policy,
	    &(const struct medium_request){.what = "move",
		.words = {v->medium},
		.o = {[MEDIUM_PLACE] = place, [MEDIUM_OPERATOR] = cfg->operator}});
	if (!code && !app->json && !app->quiet)
		out_wrapped(stdout, 0, 0, text("'%s' is gone from here and recorded at '%s', by %s"),
		    v->medium, place, cfg->operator);
	return app_flush(code);
}

static int rotate_with(struct app *app, struct rotate_config *cfg, struct visit *v)
{
	POLICY_AUTO policy = NULL;
	char who[OPERATOR_TEXT];
	int code = app_policy(app, &policy), left;

	if (!code && !cfg->operator&& v->asks) {
		if (!rotate_ask_operator(policy, who))
			return APP_FAILED;
		cfg->operator= who;
	}
	app_act(app, "rotate", "operator", cfg->operator);
	if (code || (code = operator_check(app, policy, cfg->operator)))
		return code;
	cfg->policy = policy;
	code = rotate_asking(app, policy, cfg, v);
	if (*v->medium) {
		left = take_away(app, policy, cfg, v);
		code = left > code ? left : code;
	}
	visit_free(v);
	return code;
}

int cmd_rotate(struct app *app, int argc, char **argv)
{
	enum {
		OPERATOR = 1,
		PLACE,
		RECHECK,
		YES,
		OUT_OF_TURN,
		PLAN,
		WEEKS,
		CALENDAR,
		ACCEPT_ROLLBACK,
		WAIT,
		KEEP
	};
	static const struct option own[] = {{"operator", required_argument, NULL, OPERATOR},
	    {"place", required_argument, NULL, PLACE}, {"recheck", required_argument, NULL, RECHECK},
	    {"yes", no_argument, NULL, YES}, {"out-of-turn", no_argument, NULL, OUT_OF_TURN},
	    {"plan", no_argument, NULL, PLAN}, {"weeks", required_argument, NULL, WEEKS},
	    {"calendar", no_argument, NULL, CALENDAR},
	    {"accept-rollback", required_argument, NULL, ACCEPT_ROLLBACK},
	    {"wait", required_argument, NULL, WAIT}, {"keep-mounted", no_argument, NULL, KEEP},
	    {NULL, 0, NULL, 0}};
	struct turns_plan_options plan = {0};
	bool planned = false;
	struct rotate_config cfg = {.recheck_s = ROTATE_RECHECK_PERIOD};
	struct visit v = {.app = app, .wait_s = WAIT_UNSAID};
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == OPERATOR)
			cfg.operator= optarg;
		if (c == WEEKS)
			plan.weeks = optarg;
		cfg.yes = cfg.yes || c == YES;
		cfg.out_of_turn = cfg.out_of_turn || c == OUT_OF_TURN;
		planned = planned || c == PLAN;
		plan.calendar = plan.calendar || c == CALENDAR;
		if (c == ACCEPT_ROLLBACK)
			cfg.accept_rollback = optarg;
		if (c == PLACE)
			cfg.place = optarg;
		v.keep_mounted = v.keep_mounted || c == KEEP;
		if (c == WAIT && parse_wait(optarg, &v.wait_s))
			return app_usage(app, text("'%s' is not a number of seconds"), optarg);
		if (c == RECHECK && parse_recheck(optarg, &cfg.recheck_s))
			return app_usage(
			    app, text("'%s' is neither 'all' nor 'none' nor a number of days"), optarg);
	}
	if (planned && (optind < argc || cfg.operator))
		return app_usage(
		    app, "%s", text("--plan is of all pools, and rotates nothing: no medium, no --operator"));
	if (!planned && (plan.weeks || plan.calendar))
		return app_usage(app, "%s", text("--weeks and --calendar go with --plan"));
	if (planned)
		return turns_plan_run(app, &plan);
	if (argc - optind > 1)
		return app_usage(app, "%s", text("one medium is rotated at a time"));
	if (cfg.place && (code = operator_text(app, "--place", cfg.place)))
		return code;
	if (cfg.accept_rollback && (code = operator_text(app, "--accept-rollback", cfg.accept_rollback)))
		return code;
	cfg.medium = optind < argc ? argv[optind] : NULL;
	v.asks = rotate_ask_can(app);
	if (v.wait_s == WAIT_UNSAID)
		v.wait_s = v.asks ? VISIT_FOREVER : 0;
	return rotate_with(app, &cfg, &v);
}
