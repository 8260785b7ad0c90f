/* cmd_run: bkp run [DATASET...] [--all] [--anchor] [--timings] [--until HH:MM]: one night. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app.h"
#include "cmd/night_report.h"
#include "cmd/out.h"
#include "cmd/tools_folder.h"
#include "format/policy.h"
#include "write/night.h"
#include "write/state.h"

#define NOTES_SHOWN 50 /* names on stderr per run; the catalog marks all of them */

struct view {
	time_t until; /* 0: no end is given */
	bool quiet;
	uint64_t notes;
	struct out_progress progress;
};

static void on_note(void *arg, enum capture_kind kind, const char *dataset, const char *path, int errnum)
{
	struct view *v = arg;
	char shown[512];
	const char *why = errnum ? text_errno(errnum) : "";

	out_progress_end(&v->progress);
	if (kind == CAPTURE_MOUNT && v->quiet)
		return;
	if (++v->notes > NOTES_SHOWN) {
		if (v->notes == NOTES_SHOWN + 1)
			fprintf(stderr, "%s\n", text("bkp: more of these are not shown here; 'bkp-restore list' marks them all"));
		return;
	}
	path_show(path, shown, sizeof(shown));
	switch (kind) {
	case CAPTURE_UNREADABLE:
		fprintf(stderr, text("bkp: W-FILE-01: %s: cannot read '/%s': %s\n"), dataset, shown, why);
		break;
	case CAPTURE_CHANGED:
		fprintf(stderr, text("bkp: W-FILE-02: %s: '/%s' changed while it was read, twice\n"), dataset, shown);
		break;
	case CAPTURE_SOCKET:
		fprintf(stderr, text("bkp: W-FILE-03: %s: '/%s' is a socket: not stored\n"), dataset, shown);
		break;
	case CAPTURE_INCOMPLETE:
		fprintf(stderr, text("bkp: W-FILE-04: %s: some attributes of '/%s' cannot be read: %s\n"), dataset, shown, why);
		break;
	case CAPTURE_TOO_LARGE:
		fprintf(stderr, text("bkp: W-FILE-05: %s: path and attributes of '/%s' are too large: not stored\n"), dataset, shown);
		break;
	case CAPTURE_MOUNT:
		fprintf(stderr, text("bkp: W-FILE-06: %s: '/%s' is a mount point: not entered (cross_mounts: true would)\n"),
		    dataset, shown);
		break;
	case CAPTURE_ROOT:
		fprintf(stderr, text("bkp: W-FILE-07: %s: '/%s' of the policy is not there: %s\n"), dataset, shown, why);
		break;
	}
}

static void on_progress(void *arg, const char *dataset, const char *path, uint64_t entries, uint64_t bytes)
{
	struct view *v = arg;

	(void)path;
	(void)entries;
	v->progress.what = dataset;
	out_progress_update(&v->progress, bytes);
}

/* The data sets named, or all.  0, or an exit code after the error has been reported. */
static int choose(const struct app *app, const struct policy *policy, int argc, char **argv,
    const struct policy_dataset ***ret, size_t *ret_n)
{
	size_t n = argc > 0 ? (size_t)argc : policy->n_datasets, i, k;
	const struct policy_dataset **sets = calloc(n, sizeof(*sets));

	if (!sets)
		abort();
	for (i = 0; i < n; i++) {
		sets[i] = argc > 0 ? policy_find_dataset(policy, argv[i]) : &policy->datasets[i];
		for (k = 0; sets[i] && k < i; k++)
			if (sets[k] == sets[i])
				sets[i] = NULL;
		if (!sets[i]) {
			free(sets);
			return app_usage(app, text("'%s' is not a data set of the policy, or is named twice"), argv[i]);
		}
	}
	*ret = sets;
	*ret_n = n;
	return 0;
}

static bool on_stop(void *arg)
{
	const struct view *v = arg;

	return v->until && time(NULL) >= v->until;
}

/* "HH:MM" of local time, when it comes next; 0: it is none. */
static time_t next_time(const char *s)
{
	time_t now = time(NULL), t;
	unsigned h, m;
	struct tm tm;
	char end;

	if (strlen(s) != 5 || strspn(s, "0123456789") != 2 || sscanf(s, "%2u:%2u%c", &h, &m, &end) != 2 || h > 23 || m > 59)
		return 0;
	for (int day = 0; day < 3; day++) {
		localtime_r(&now, &tm);
		tm.tm_mday += day;
		tm.tm_hour = (int)h;
		tm.tm_min = (int)m;
		tm.tm_sec = 0;
		tm.tm_isdst = -1;
		t = mktime(&tm);
		if (t > now)
			return t;
	}
	return 0;
}

struct run_options {
	bool all, anchor, timings;
	time_t until;
};

static int run(struct app *app, const struct policy *policy, struct state *state, const struct policy_dataset **sets, size_t n,
    const struct run_options *opt)
{
	struct view view = {.quiet = app->quiet, .until = opt->until};
	struct night_config cfg = {
	    .state = state,
	    .policy = policy,
	    .datasets = sets,
	    .n_datasets = n,
	    .version = BKP_VERSION,
	    .anchor = opt->anchor,
	    .cb = {on_note, on_progress, on_stop, &view},
	};
	struct night_result result;
	struct err err = ERR_INIT;
	char tools[PATH_MAX];
	int r, code;

	state_act(state, "run", "capture", NULL);
	cfg.docs = (struct medium_docs_sources){tools_folder(tools), BKP_VERSION};
	out_progress_begin(&view.progress, app, "", 0);
	r = night_run(&cfg, &result, &err);
	out_progress_end(&view.progress);
	code = r ? APP_FAILED : night_report_exit(&result);
	if (app->json)
		night_report_json(&result, r ? &err : NULL);
	if (r)
		app_error(&err, code);
	else if (!app->json)
		night_report_text(&result, app->quiet);
	if (opt->timings && !app->json)
		night_report_timings(&result.timings);
	night_result_free(&result);
	return app_flush(code);
}

int cmd_run(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {
	    {"all", no_argument, NULL, 256}, {"anchor", no_argument, NULL, 257}, {"timings", no_argument, NULL, 258},
	    {"until", required_argument, NULL, 259}, {NULL, 0, NULL, 0}};
	const struct policy_dataset **sets = NULL;
	struct policy *policy = NULL;
	struct state *state = NULL;
	struct run_options opt = {0};
	size_t n = 0;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		opt.all = opt.all || c == 256;
		opt.anchor = opt.anchor || c == 257;
		opt.timings = opt.timings || c == 258;
		if (c == 259 && !(opt.until = next_time(optarg)))
			return app_usage(app, text("'%s' is not a time of day: --until takes HH:MM, as in 06:00"), optarg);
	}
	if (opt.all && optind < argc)
		return app_usage(app, "%s", text("--all and names of data sets exclude each other"));
	code = app_policy(app, &policy);
	if (!code)
		code = choose(app, policy, argc - optind, argv + optind, &sets, &n);
	if (!code)
		code = app_state(app, policy, &state);
	if (!code)
		code = run(app, policy, state, sets, n, &opt);
	free(sets);
	state_close(state);
	policy_free(policy);
	return code;
}
