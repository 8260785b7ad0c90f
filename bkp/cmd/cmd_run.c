/* cmd_run: bkp run: what is due, the data sets named, or all of them, each as a generation of its own.
 *
 * Two processes.  run_watched() forks before there are threads or a lock: the parent waits, the child does run_now().
 *     the child ends by itself             its exit status is that of the command; it has said and recorded everything
 *     it died, or ended for want of memory report_death() says so, records it and tells people
 *     the index of what is stored was damaged (WATCHDOG_AGAIN, or died inside LMDB): the run is begun once more, and the
 *                                          second attempt says so (W-RUN-13)
 *
 * In the child: lock → root key as scheduled → what is due (keep_due()) → run_sets(): callbacks for notes and progress come
 * on the thread that calls run_run(); on_stop() is asked whether to end early, by a signal or at --until.  struct view belongs
 * to that thread.
 *
 * Another bkp that holds the lock is no fault when nothing is due or with --catch-up (run_busy()). */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/version.h"
#include "cmd/app/app.h"
#include "cmd/app/interrupt.h"
#include "cmd/app/outcome.h"
#include "cmd/app/root_key.h"
#include "cmd/app/tools_folder.h"
#include "cmd/app/watchdog.h"
#include "cmd/show/run_due.h"
#include "cmd/show/run_report.h"
#include "cmd/show/run_say.h"
#include "cmd/show/summary.h"
#include "cmd/show/turns_show.h"
#include "format/crypto/minisig.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/slots.h"
#include "write/index/dedup_guard.h"
#include "write/run/run.h"
#include "write/state/state.h"

#define NOTES_SHOWN 50 /* names on stderr per run; the catalog marks all of them */

struct view {
	time_t until; /* 0: no end is given */
	bool quiet;
	uint64_t notes;
	struct run_say *say;
	struct run_progress told; /* last */
	char what[160];
};

static void on_note(void *arg, enum capture_kind kind, const char *dataset, const char *path, int errnum)
{
	struct view *v = arg;
	char shown[512];
	const char *why = errnum == ESTALE ? text("at every look it is somewhere else, or another file")
			  : errnum	   ? text_errno(errnum)
					   : "";

	if (kind == CAPTURE_MOUNT && v->quiet)
		return;
	if (++v->notes > NOTES_SHOWN) {
		if (v->notes == NOTES_SHOWN + 1)
			run_say_note(v->say, "%s\n",
			    text("bkp: more of these are not shown here; 'bkp-restore list' marks them all"));
		return;
	}
	path_show(path, shown, sizeof(shown));
	switch (kind) {
	case CAPTURE_UNREADABLE:
		run_say_note(
		    v->say, text("bkp: W-FILE-01: %s: cannot read '/%s': %s\n"), dataset, shown, why);
		break;
	case CAPTURE_CHANGED:
		run_say_note(v->say, text("bkp: W-FILE-02: %s: '/%s' changed while it was read, twice\n"),
		    dataset, shown);
		break;
	case CAPTURE_SOCKET:
		run_say_note(
		    v->say, text("bkp: W-FILE-03: %s: '/%s' is a socket: not stored\n"), dataset, shown);
		break;
	case CAPTURE_INCOMPLETE:
		run_say_note(v->say,
		    text("bkp: W-FILE-04: %s: some attributes of '/%s' cannot be read: %s\n"), dataset, shown,
		    why);
		break;
	case CAPTURE_TOO_LARGE:
		run_say_note(v->say,
		    text("bkp: W-FILE-05: %s: path and attributes of '/%s' are too large: not stored\n"),
		    dataset, shown);
		break;
	case CAPTURE_MOUNT:
		run_say_note(v->say,
		    text("bkp: W-FILE-06: %s: '/%s' is a mount point: not entered (cross_mounts: true "
			 "would)\n"),
		    dataset, shown);
		break;
	case CAPTURE_OUTSIDE:
		run_say_note(v->say,
		    text("bkp: W-FILE-08: %s: '%s' of the tar stream leads out of it, or links to what does: "
			 "not stored\n"),
		    dataset, shown);
		break;
	case CAPTURE_ABSENT:
		run_say_note(v->say,
		    text("bkp: W-FILE-09: %s: '/%s' is a hard link to something that did not come before it: "
			 "not stored\n"),
		    dataset, shown);
		break;
	case CAPTURE_BELOW:
		run_say_note(v->say,
		    text("bkp: W-FILE-10: %s: '/%s' is below something that is no folder: not stored\n"),
		    dataset, shown);
		break;
	case CAPTURE_TWICE:
		run_say_note(v->say,
		    text("bkp: W-FILE-11: %s: '/%s' came more than once in the tar stream: the last one is "
			 "stored\n"),
		    dataset, shown);
		break;
	case CAPTURE_UNCHECKED:
		run_say_note(v->say, "bkp: W-EXPECT-01: %s: %s\n", dataset, path);
		break;
	case CAPTURE_ROOT:
		run_say_note(v->say, text("bkp: W-FILE-07: %s: '/%s' of the policy is not there: %s\n"),
		    dataset, shown, why);
		break;
	}
}

/* Each part has its own speed; the data sets are one. */
static void on_progress(void *arg, const struct run_progress *p)
{
	struct view *v = arg;
	struct out_progress *o = &v->say->progress;

	/* another total: of the next data set on that medium */
	if (v->told.part != p->part || v->told.number != p->number ||
	    (!p->estimated && (p->done < o->pace.done || p->total != v->told.total))) {
		out_progress_begin(o, v->say->app, v->what, 0);
		o->pace.about = o->pace.fresh_only = p->estimated;
		if (o->pace.columns)
			o->pace.next_ns = 0; /* at once: it may be short */
	}
	if (v->told.part != p->part || v->told.of != p->of)
		snprintf(v->what, sizeof(v->what), "%u/%u %s %s", p->number, p->parts, p->part, p->of);
	v->told = *p;
	o->pace.total = p->total;
	out_progress_update(o, p->done, p->fresh);
}

/* The data sets named, or all.  0, or an exit code after the error has been reported. */
static int choose_sets(const struct app *app, const struct policy *policy, int argc, char **argv,
    const struct policy_dataset ***ret, size_t *ret_n)
{
	size_t n = argc > 0 ? (size_t)argc : policy->n_datasets, i, k;
	const struct policy_dataset **sets = calloc(n, sizeof(*sets));
	struct err err = ERR_INIT;

	if (!sets)
		return app_error((err_nomem(&err), &err), APP_FAILED);
	for (i = 0; i < n; i++) {
		sets[i] = argc > 0 ? policy_find_dataset(policy, argv[i]) : &policy->datasets[i];
		for (k = 0; sets[i] && k < i; k++)
			if (sets[k] == sets[i])
				sets[i] = NULL;
		if (!sets[i]) {
			free(sets);
			return app_unknown(app, policy_suggest_dataset(policy, argv[i]),
			    text("'%s' is not a data set of the policy, or is named twice"), argv[i]);
		}
	}
	*ret = sets;
	*ret_n = n;
	return 0;
}

static bool on_stop(void *arg)
{
	const struct view *v = arg;

	return interrupt_signal() || (v->until && time(NULL) >= v->until);
}

static bool on_interrupted(void *arg)
{
	(void)arg;
	return interrupt_signal() != 0;
}

/* "HH:MM" of local time, when it comes next; 0: it is none. */
static time_t next_time(const char *s)
{
	time_t now = time(NULL), t;
	unsigned h, m;
	struct tm tm;
	char end;

	if (strlen(s) != 5 || strspn(s, "0123456789") != 2 || sscanf(s, "%2u:%2u%c", &h, &m, &end) != 2 ||
	    h > 23 || m > 59)
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
	bool all, named, anchor, timings, dry, catch_up;
	time_t until;
	const char *root_key; /* that the repository must have; or NULL */
	bool again;	      /* the index of what is stored was damaged and ended the first attempt */
};

/* Without names it is what is due that is captured. */
static bool by_slot(const struct run_options *opt)
{
	return !opt->all && !opt->named;
}

struct asker {
	const struct state *state;
	const struct policy *policy;
};

static bool still_due(void *arg, const struct policy_dataset *d)
{
	const struct asker *a = arg;
	struct clock_stamp now;
	struct slots s;

	clock_now(&now);
	slots_look(a->policy, d, state_ledger(a->state), now.wall_ns, &s);
	return s.due;
}

static int nothing_due(const struct app *app, const struct policy *policy, const struct ledger *l)
{
	struct run_due *due = run_due_new(policy, l);
	struct err err = ERR_INIT;
	int code = due ? run_due_nothing(app, due) : app_error((err_nomem(&err), &err), APP_FAILED);

	run_due_free(due);
	return code;
}

/* Once a day, by its first run. */
static void tell_turn(const struct policy *policy, const struct state *state, struct run_result *result)
{
	const struct ledger_outcome *last = ledger_outcome(state_ledger(state), "run");
	struct clock_stamp now;
	struct turns_tell tell;

	clock_now(&now);
	if (last && day_of(last->ended_ns) == day_of(now.wall_ns))
		return;
	turns_show_tell(policy, state_ledger(state), now.wall_ns, &tell);
	result->turn = tell.why;
	result->turn_today = !tell.late;
}

static int run_sets(struct app *app, const struct policy *policy, struct state *state,
    const struct policy_dataset **sets, size_t n, const struct run_options *opt)
{
	struct run_say say;
	struct view view = {.quiet = app->quiet, .until = opt->until, .say = &say};
	struct asker asker = {state, policy};
	struct run_config cfg = {
	    .state = state,
	    .policy = policy,
	    .datasets = sets,
	    .n_datasets = n,
	    .wanted = by_slot(opt) ? still_due : NULL,
	    .wanted_arg = &asker,
	    .version = BKP_VERSION,
	    .anchor = opt->anchor,
	    .insist = opt->named,
	    .cb = {.note = on_note, .stop = on_stop, .arg = &view, .interrupted = on_interrupted},
	    .progress = on_progress,
	};
	struct run_result result;
	struct err err = ERR_INIT;
	char tools[PATH_MAX];
	int r, code;

	cfg.docs = tools_sources(tools);
	run_say_begin(&say, app, policy);
	interrupt_watch();
	r = run_run(&cfg, &result, &err);
	if (r == RUN_NOTHING) {
		run_say_drop(&say);
		run_result_free(&result);
		return nothing_due(app, policy, state_ledger(state));
	}
	result.signal = interrupt_signal();
	if (opt->again) {
		err_set(&result.again, "W-RUN-13", "%s",
		    text("the index of what is stored was damaged and ended the run, which was begun once "
			 "more"));
		err_hint(&result.again, "%s",
		    text("nothing is lost; if it comes again, have the disk of the state folder and this "
			 "computer's memory looked at"));
	}
	if (r && !result.signal && !opt->again && watchdog_watched() && err.kind == ERR_CACHE) {
		run_say_drop(&say);
		run_result_free(&result);
		return WATCHDOG_AGAIN;
	}
	tell_turn(policy, state, &result);
	code = r || result.signal ? APP_FAILED : run_report_exit(&result);
	if (result.signal)
		run_say_note(&say,
		    text("bkp: E-RUN-07: ended by signal %d: what was whole by then %s; the next run goes on "
			 "from there\n"),
		    result.signal,
		    r ? text("is stored, no generation was made") : text("makes a generation"));
	code = run_say_end(&say, state, &result, r ? &err : NULL, code);
	if (opt->timings && !app->json)
		run_report_timings(&result.timings);
	run_result_free(&result);
	return code;
}

/* Of the data sets in `sets` those that are due, in place. */
static size_t keep_due(const struct run_due *due, const struct policy_dataset **sets, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (due->slots[sets[i] - due->policy->datasets].due)
			sets[kept++] = sets[i];
	return kept;
}

/* What would be done, without the lock and without doing it. */
static int dry_run(struct app *app, const struct policy *policy, const struct policy_dataset **sets, size_t n,
    const struct run_options *opt)
{
	struct err err = ERR_INIT;
	struct ledger *l = NULL;
	struct run_due *due;
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	due = run_due_new(policy, l);
	if (due)
		code = run_due_show(app, due, sets, by_slot(opt) ? keep_due(due, sets, n) : n);
	else
		code = app_error((err_nomem(&err), &err), APP_FAILED);
	run_due_free(due);
	ledger_free(l);
	return code;
}

/* Another bkp is at work.  When nothing is due, or whoever started this one only wanted to be sure, all is
 * well. */
static int run_busy(
    struct app *app, const struct policy *policy, const struct run_options *opt, const struct err *err)
{
	struct ledger *l = NULL;
	struct run_due *due;
	int code;

	if (opt->catch_up)
		return APP_OK;
	if (!by_slot(opt) || app_ledger(app, policy, &l))
		return run_say_refused(app, policy, err);
	due = run_due_new(policy, l);
	code = due && !run_due_count(due) ? run_due_nothing(app, due) : run_say_refused(app, policy, err);
	run_due_free(due);
	ledger_free(l);
	return code;
}

/* A repository that somebody else made in its place has another root key than the one whoever scheduled this knows. */
static int check_root(const struct state *s, const char *want, struct err *err)
{
	char root[MINISIG_KEY_TEXT];
	size_t n;

	if (!want || !strcmp(minisig_public_format(&state_keys(s, &n)[0], root), want))
		return 0;
	if (root_key_refuse_secret(want, "E-RUN-08", err))
		return -1;
	err_set(
	    err, "E-RUN-08", text("the repository in the state folder has root key %s, not %s"), root, want);
	return err_hint(err, "%s",
	    text("somebody made it anew, or the policy names another state folder: compare with the paper; "
		 "if this "
		 "one is right: 'bkp schedule install --root-key RW…'"));
}

static int run_now(struct app *app, const struct policy *policy, const struct policy_dataset **sets, size_t n,
    const struct run_options *opt)
{
	struct state *state = NULL;
	struct err err = ERR_INIT;
	struct run_due *due;
	int r, code;

	app_act(app, "run", "capture", NULL);
	r = app_state_open(app, policy, &state, &err);
	if (r)
		return r == STATE_BUSY ? run_busy(app, policy, opt, &err)
				       : run_say_refused(app, policy, &err);
	if (check_root(state, opt->root_key, &err)) {
		state_close(state);
		return run_say_refused(app, policy, &err);
	}
	due = run_due_new(policy, state_ledger(state));
	if (!due)
		code = app_error((err_nomem(&err), &err), APP_FAILED);
	else if (by_slot(opt) && !(n = keep_due(due, sets, n)))
		code = run_due_nothing(app, due);
	else
		code = run_sets(app, policy, state, sets, n, opt);
	run_due_free(due);
	state_close(state);
	return code;
}

/* What the working process left undone when it died, of a signal or (0) for want of memory.  The exit code. */
static int report_death(struct app *app, const struct policy *policy, int number)
{
	struct err err = ERR_INIT, unsaid = ERR_INIT;
	struct state *state = NULL;
	char line[SUMMARY_LINE];
	struct outcome o = {.command = "run", .code = APP_FAILED, .line = line};
	int code;

	if (number)
		err_set(&err, "E-RUN-11",
		    text("the run died (signal %d, %s): nothing is known of this night but what the journal "
			 "reports"),
		    number, strsignal(number));
	else
		err_nomem(&err); /* the child has said so */
	err_hint(&err, "%s",
	    text("is there room in the state folder and memory, was it killed? then run 'bkp run' again: it "
		 "goes on; 'bkp status' says what there is"));
	summary_failure(&err, line);
	if (!app->json)
		puts(line);
	app_error(&err, APP_FAILED);
	app_act(app, "run", "capture", NULL);
	if (app_state_open(app, policy, &state, &unsaid))
		app_error(&unsaid, APP_FAILED);
	code = outcome_tell(app, policy, state, &o);
	state_close(state);
	return app_flush(code);
}

/* Did a damaged index end it?  The index is a cache and is made again: that need not cost the run. */
static bool ended_by_index(const struct policy *policy, int status)
{
	char path[PATH_MAX];

	if (WIFEXITED(status))
		return WEXITSTATUS(status) == WATCHDOG_AGAIN;
	if (WTERMSIG(status) == SIGKILL)
		return false;
	snprintf(path, sizeof(path), "%s/" RUN_INDEX, policy->state);
	return dedup_guard_died_inside(path);
}

/* Calls itself at most once: `again` is set before. */
static int run_watched(struct app *app, const struct policy *policy, const struct policy_dataset **sets,
    size_t n, struct run_options *opt)
{
	int status;

	if (!watchdog_watch(&status))
		return run_now(app, policy, sets, n, opt);
	if (!opt->again && ended_by_index(policy, status)) {
		opt->again = true;
		return run_watched(app, policy, sets, n, opt);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) != WATCHDOG_DIED)
		return WEXITSTATUS(status);
	return report_death(app, policy, WIFEXITED(status) ? 0 : WTERMSIG(status));
}

enum { ALL = 256, ANCHOR, TIMINGS, UNTIL, DRY_RUN, CATCH_UP, ROOT_KEY };

static int take_option(struct app *app, int c, struct run_options *opt)
{
	opt->all = opt->all || c == ALL;
	opt->anchor = opt->anchor || c == ANCHOR;
	opt->timings = opt->timings || c == TIMINGS;
	opt->dry = opt->dry || c == DRY_RUN;
	opt->catch_up = opt->catch_up || c == CATCH_UP;
	if (c == ROOT_KEY)
		opt->root_key = optarg;
	if (c == UNTIL && !(opt->until = next_time(optarg)))
		return app_usage(
		    app, text("'%s' is not a time of day: --until takes HH:MM, as in 06:00"), optarg);
	return APP_OK;
}

int cmd_run(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {{"all", no_argument, NULL, ALL},
	    {"anchor", no_argument, NULL, ANCHOR}, {"timings", no_argument, NULL, TIMINGS},
	    {"until", required_argument, NULL, UNTIL}, {"dry-run", no_argument, NULL, DRY_RUN},
	    {"catch-up", no_argument, NULL, CATCH_UP}, {"root-key", required_argument, NULL, ROOT_KEY},
	    {NULL, 0, NULL, 0}};
	const struct policy_dataset **sets = NULL;
	struct policy *policy = NULL;
	struct run_options opt = {0};
	size_t n = 0;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1)
		if (c == APP_OPT_STOP || (code = take_option(app, c, &opt)))
			return code;
	opt.named = optind < argc;
	if (opt.all && opt.named)
		return app_usage(app, "%s", text("--all and names of data sets exclude each other"));
	if (opt.catch_up && !by_slot(&opt))
		return app_usage(
		    app, "%s", text("--catch-up is for what is due: it goes with no names and no --all"));
	code = app_policy(app, &policy);
	if (!code)
		code = choose_sets(app, policy, argc - optind, argv + optind, &sets, &n);
	if (!code)
		code =
		    opt.dry ? dry_run(app, policy, sets, n, &opt) : run_watched(app, policy, sets, n, &opt);
	free(sets);
	policy_free(policy);
	return code;
}
