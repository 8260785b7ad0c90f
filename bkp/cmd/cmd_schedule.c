/* cmd_schedule: bkp schedule install | show | remove: cron or systemd starts 'bkp run' when something is due.
 *
 * The files are rendered, compared and written by write/state/schedule.h; here is which kind is meant, what options an
 * earlier installation had (settle_options()), and systemctl.  Installing: is the other kind installed → files → record →
 * systemctl.  Removing: systemctl stops the timer first, because it does not know a unit whose file is gone. */
#include <errno.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/root_key.h"
#include "cmd/show/check_live.h"
#include "cmd/show/run_due.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/schedule.h"
#include "write/state/state.h"

#define SHOW 512

struct options {
	const char *kind, *name, *root, *user, *mailto, *root_key;
};

/* ---- which one ---- */

static bool is_there(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%.3900s%s", root, path);
	return !access(whole, F_OK);
}

static bool systemd_runs(const char *root)
{
	return !*root && is_there("", "/run/systemd/system");
}

/* What the system has; cron first: it tells by mail what a person should see. */
static enum schedule_kind usual_kind(const char *root)
{
	return !is_there(root, "/usr/sbin/cron") && !is_there(root, "/usr/sbin/crond") && systemd_runs(root)
		   ? SCHEDULE_SYSTEMD
		   : SCHEDULE_CRON;
}

static int copy_option(struct app *app, const char *option, const char *value, char *out, size_t size)
{
	if (strlen(value) >= size)
		return app_usage(
		    app, text("the value of '%s' is too long: at most %d bytes"), option, (int)size - 1);
	snprintf(out, size, "%s", value);
	return APP_OK;
}

/* The policy as cron will name it: the spelling stays, but it must not depend on where we are. */
static int config_path(const struct app *app, char out[PATH_MAX], struct err *err)
{
	char *real;

	if (*app->config_path == '/') {
		snprintf(out, PATH_MAX, "%s", app->config_path);
		return 0;
	}
	real = realpath(app->config_path, NULL);
	if (!real)
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), app->config_path);
	snprintf(out, PATH_MAX, "%s", real);
	free(real);
	return 0;
}

static int program_path(char out[PATH_MAX], struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (n <= 0)
		return err_sys(err, "E-IO-01", errno, text("cannot open '%s'"), "/proc/self/exe");
	out[n] = '\0';
	return 0;
}

static int fill_schedule(
    struct app *app, const struct options *o, enum schedule_kind kind, struct schedule *s)
{
	struct err err = ERR_INIT;
	int code;

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	code = copy_option(app, "--name", o->name ? o->name : "bkp", s->name, sizeof(s->name));
	if (!code)
		code = copy_option(app, "--root", o->root ? o->root : "", s->root, sizeof(s->root) / 2);
	if (!code && (!*s->name || strchr(s->name, '/') || *s->name == '.'))
		return app_usage(app, text("'%s' is not a name for a schedule"), s->name);
	if (!code && config_path(app, s->policy, &err))
		return app_error(&err, APP_USAGE);
	return code;
}

/* The kinds that are meant: the one given, or all. */
static int parse_kind(struct app *app, const char *word, bool meant[SCHEDULE_KINDS])
{
	bool any = false;

	for (int k = 0; k < SCHEDULE_KINDS; k++)
		any |= meant[k] = !word || !strcmp(word, schedule_word((enum schedule_kind)k));
	return any ? APP_OK : app_usage(app, text("'%s' is no kind of schedule: cron or systemd"), word);
}

/* ---- systemctl ---- */

extern char **environ;

static int systemctl(const char *a, const char *b, const char *unit, struct err *err)
{
	const char *const argv[] = {"systemctl", "--quiet", a, b, unit, NULL};
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, "systemctl", NULL, NULL, (char *const *)argv, environ))
		return err_set(err, "E-SCHED-06", "%s", text("systemctl cannot be started"));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(
			    err, "E-SCHED-06", errno, "%s", text("systemctl cannot be waited for"));
	if (status)
		return err_set(
		    err, "E-SCHED-06", text("'systemctl %s' failed; what it said stands above"), a);
	return 0;
}

/* Where it does not run, the person is told what to do when it does. */
static int tell_systemd(const struct app *app, const struct schedule *s, bool install, struct err *err)
{
	char unit[SCHEDULE_WORD + 8];

	if (s->kind != SCHEDULE_SYSTEMD)
		return 0;
	snprintf(unit, sizeof(unit), "%s.timer", s->name);
	if (systemd_runs(s->root)) {
		if (install)
			return systemctl("daemon-reload", NULL, NULL, err) ||
				       systemctl("enable", "--now", unit, err)
				   ? -1
				   : 0;
		return systemctl("disable", "--now", unit, err) ? -1 : 0;
	}
	if (!app->quiet && !app->json && install)
		printf(text("systemd does not run here: where it does, 'systemctl daemon-reload' and "
			    "'systemctl enable "
			    "--now %s'\n"),
		    unit);
	return 0;
}

/* ---- install, remove ---- */

static int record_schedule(struct state *state, const struct schedule *s, const char *action, struct err *err)
{
	char path[PATH_MAX], file[PATH_MAX];

	snprintf(path, sizeof(path), "%.3900s/etc/%s%s%s", s->root,
	    s->kind == SCHEDULE_CRON ? "cron.d/" : "systemd/system/", s->name,
	    s->kind == SCHEDULE_CRON ? "" : ".timer");
	path_show(path, file, sizeof(file)); /* JSON wants text */
	return state_append(state, "scheduled",
	    json_pack("{s:s, s:s, s:s}", "action", action, "kind", schedule_word(s->kind), "file", file),
	    err);
}

/* What was written, line by line as it stands there. */
static void print_files(const struct schedule *s, const struct policy *policy)
{
	struct schedule_file files[SCHEDULE_FILES];
	char show[SHOW];
	size_t n = 0;

	if (!schedule_render(s, policy, files, &n, NULL))
		for (size_t i = 0; i < n; i++) {
			printf("%s:\n", path_show(files[i].path, show, sizeof(show)));
			fwrite(files[i].text.p, 1, files[i].text.n, stdout);
		}
	for (size_t i = 0; i < SCHEDULE_FILES; i++)
		buf_free(&files[i].text);
}

static int report_schedule(
    const struct app *app, const struct schedule *s, const char *action, bool unchanged)
{
	char show[SHOW];

	path_show(s->name, show, sizeof(show));
	if (app->json)
		return out_json(json_pack("{s:s, s:s, s:s, s:b}", "action", action, "kind",
				    schedule_word(s->kind), "name", show, "changed", (int)!unchanged),
		    APP_OK);
	if (app->quiet)
		return APP_OK;
	if (!strcmp(action, "install"))
		printf(unchanged ? text("%s: '%s' is installed already and fits the policy\n")
				 : text("%s: '%s' is installed\n"),
		    schedule_word(s->kind), show);
	else
		printf(unchanged ? text("%s: there is no '%s'\n") : text("%s: '%s' is removed\n"),
		    schedule_word(s->kind), show);
	return app_flush(APP_OK);
}

/* Twice started is once too often: the second would find the first at work, and complain. */
static int check_other_kind(const struct schedule *s, const struct policy *policy, struct err *err)
{
	struct schedule other = *s;
	enum schedule_state state;

	other.kind = s->kind == SCHEDULE_CRON ? SCHEDULE_SYSTEMD : SCHEDULE_CRON;
	if (schedule_look(&other, policy, &state, err))
		return -1;
	if (state == SCHEDULE_EDITED) { /* it may well start them still */
		err_set(err, "E-SCHED-02", text("the schedule of %s was changed by hand since bkp wrote it"),
		    schedule_word(other.kind));
		return err_hint(
		    err, "%s", text("remove it by hand when nothing in it is needed, then install again"));
	}
	if (state != SCHEDULE_FITS && state != SCHEDULE_OUTDATED)
		return 0;
	err_set(err, "E-SCHED-07", text("%s starts this policy's runs already"), schedule_word(other.kind));
	return err_hint(
	    err, text("take that away first: 'bkp schedule remove --kind %s'"), schedule_word(other.kind));
}

/* What an earlier installation said stays, unless an option says otherwise; the program is the one that runs
 * now. */
static int settle_options(
    struct app *app, const struct policy *policy, const struct options *o, struct schedule *s)
{
	struct err err = ERR_INIT;
	enum schedule_state state;
	int code = APP_OK;

	if (o->user)
		code = copy_option(app, "--user", o->user, s->user, sizeof(s->user));
	if (code || program_path(s->program, &err) || schedule_look(s, policy, &state, &err))
		return code ? code : app_error(&err, APP_FAILED);
	if (!*s->user || state == SCHEDULE_OTHER)
		snprintf(s->user, sizeof(s->user), "%s", o->user ? o->user : "root");
	if (o->mailto)
		code = copy_option(app, "--mailto", o->mailto, s->mailto, sizeof(s->mailto));
	if (!code && o->root_key && root_key_refuse_secret(o->root_key, "E-SCHED-04", &err))
		return app_error(&err, APP_FAILED);
	if (!code && o->root_key)
		code = copy_option(app, "--root-key", o->root_key, s->root_key, sizeof(s->root_key));
	if (!code && s->kind == SCHEDULE_SYSTEMD && *s->mailto)
		return app_usage(
		    app, "%s", text("systemd sends no mail: use the policy's 'notify', or --kind cron"));
	if (!code && !*s->root && !getpwnam(s->user))
		return app_usage(app, text("there is no user '%s' here"), s->user);
	return code;
}

static int do_install(
    struct app *app, const struct policy *policy, struct state *state, const struct schedule *s)
{
	struct err err = ERR_INIT;
	int r = check_other_kind(s, policy, &err) ? -1 : schedule_install(s, policy, &err);

	if (r < 0 || (!r && record_schedule(state, s, "install", &err)) || tell_systemd(app, s, true, &err))
		return app_error(&err, APP_FAILED);
	if (!r && !app->quiet && !app->json)
		print_files(s, policy);
	if (*s->mailto && !*s->root && access(CHECK_LIVE_MAILER, X_OK)) {
		err_set(&err, "W-SCHED-08", text("cron cannot mail to '%s': there is no %s"), s->mailto,
		    CHECK_LIVE_MAILER);
		err_hint(&err, "%s", text("install a mailer, or use 'notify' in the policy"));
		app_error(&err, APP_OK);
	}
	return report_schedule(app, s, "install", r == SCHEDULE_UNCHANGED);
}

static int do_remove(
    struct app *app, const struct policy *policy, struct state *state, const struct schedule *s)
{
	struct schedule found = *s;
	enum schedule_state there;
	struct err err = ERR_INIT;
	int r;

	if (schedule_look(&found, policy, &there, &err))
		return app_error(&err, APP_FAILED);
	/* it is stopped before it is gone, or systemd would not know it any more */
	if ((there == SCHEDULE_FITS || there == SCHEDULE_OUTDATED) && tell_systemd(app, s, false, &err))
		return app_error(&err, APP_FAILED);
	r = schedule_remove(s, &err);
	if (!r && systemd_runs(s->root) && s->kind == SCHEDULE_SYSTEMD)
		r = systemctl("daemon-reload", NULL, NULL, &err);
	if (r < 0 || (!r && record_schedule(state, s, "remove", &err)))
		return app_error(&err, APP_FAILED);
	return report_schedule(app, s, "remove", r == SCHEDULE_UNCHANGED);
}

static int install_schedule(struct app *app, const struct policy *policy, struct state *state,
    const struct options *o, const bool meant[SCHEDULE_KINDS])
{
	struct schedule s;
	enum schedule_kind kind = o->kind ? (meant[SCHEDULE_CRON] ? SCHEDULE_CRON : SCHEDULE_SYSTEMD)
					  : usual_kind(o->root ? o->root : "");
	int code = fill_schedule(app, o, kind, &s);

	if (!code)
		code = settle_options(app, policy, o, &s);
	return code ? code : do_install(app, policy, state, &s);
}

static int remove_all(struct app *app, const struct policy *policy, struct state *state,
    const struct options *o, const bool meant[SCHEDULE_KINDS])
{
	struct schedule s;
	int code = APP_OK, worst = APP_OK;

	for (int k = 0; k < SCHEDULE_KINDS; k++) {
		if (!meant[k])
			continue;
		code = fill_schedule(app, o, (enum schedule_kind)k, &s);
		if (!code)
			code = do_remove(app, policy, state, &s);
		worst = code > worst ? code : worst;
	}
	return worst;
}

/* ---- show ---- */

static const char *state_text(enum schedule_state s)
{
	static const char *const texts[] = {TEXT_LATER("not installed"),
	    TEXT_LATER("installed, fits the policy"),
	    TEXT_LATER("installed, but the policy or the program has changed since: run 'bkp schedule "
		       "install' again"),
	    TEXT_LATER("changed by hand since it was installed: look at the file; when nothing in it is "
		       "needed, remove it and run 'bkp schedule install'"),
	    TEXT_LATER("installed for another policy: give this one's a name of its own with --name"),
	    TEXT_LATER("a file that bkp did not write: move it away, or choose another name with --name")};

	return text(texts[s]);
}

static int show_kinds(const struct app *app, const enum schedule_state *states, const bool *meant,
    const char *name, const struct run_due *due)
{
	json_t *kinds = app->json ? json_array() : NULL, *sets = app->json ? json_array() : NULL;
	unsigned installed = 0, fits = 0, edited = 0;
	int code;

	for (int k = 0; k < SCHEDULE_KINDS; k++) {
		if (!meant[k])
			continue;
		installed += states[k] == SCHEDULE_FITS || states[k] == SCHEDULE_OUTDATED;
		fits += states[k] == SCHEDULE_FITS;
		edited += states[k] == SCHEDULE_EDITED;
		if (app->json)
			json_array_append_new(
			    kinds, json_pack("{s:s, s:s, s:s}", "kind", schedule_word((enum schedule_kind)k),
				       "name", name, "state", schedule_state_word(states[k])));
		else if (!app->quiet)
			printf("%s: %s\n", schedule_word((enum schedule_kind)k), state_text(states[k]));
	}
	code = installed == 1 && fits == 1 ? APP_OK : APP_ATTENTION;
	if (app->json) {
		for (size_t i = 0; i < due->policy->n_datasets; i++)
			json_array_append_new(sets, run_due_json(due, i));
		return out_json(json_pack("{s:b, s:o, s:o}", "fits", code == APP_OK, "installed", kinds,
				    "datasets", sets),
		    code);
	}
	if (app->quiet)
		return code;
	if (installed > 1)
		printf("%s\n", text("both start runs: take one away with 'bkp schedule remove --kind cron' "
				    "or '--kind systemd'"));
	if (!installed && !edited) /* of a file that somebody changed nobody knows */
		printf("%s\n", text("nothing starts a run by itself: run 'bkp schedule install'"));
	putchar('\n');
	return out_table(run_due_table(due), 0, code);
}

static int show_schedule(
    struct app *app, const struct policy *policy, const struct options *o, const bool meant[SCHEDULE_KINDS])
{
	enum schedule_state states[SCHEDULE_KINDS] = {SCHEDULE_ABSENT, SCHEDULE_ABSENT};
	struct err err = ERR_INIT;
	struct ledger *l = NULL;
	struct run_due *due;
	struct schedule s;
	int code = app_ledger(app, policy, &l);

	for (int k = 0; k < SCHEDULE_KINDS && !code; k++) {
		code = fill_schedule(app, o, (enum schedule_kind)k, &s);
		if (!code && meant[k] && schedule_look(&s, policy, &states[k], &err))
			code = app_error(&err, APP_UNKNOWN);
	}
	if (code) {
		ledger_free(l);
		return code;
	}
	due = run_due_new(policy, l);
	code = due ? show_kinds(app, states, meant, s.name, due)
		   : app_error((err_nomem(&err), &err), APP_UNKNOWN);
	run_due_free(due);
	ledger_free(l);
	return code;
}

/* ---- which command ---- */

static int record_outcome(struct app *app, struct state *state, bool is_install, int code)
{
	if (code == APP_USAGE)
		return code;
	return outcome_record(app, state, is_install ? "schedule install" : "schedule remove", code,
	    code	 ? text("the schedule could not be changed")
	    : is_install ? text("the schedule is installed")
			 : text("the schedule is removed"));
}

static int dispatch(struct app *app, const char *what, const struct options *o)
{
	bool meant[SCHEDULE_KINDS], is_install = !strcmp(what, "install");
	POLICY_AUTO policy = NULL;
	struct state *state = NULL;
	int code;

	if (!is_install && strcmp(what, "show") != 0 && strcmp(what, "remove") != 0)
		return app_usage(app, "%s", text("'schedule' is followed by 'install', 'show' or 'remove'"));
	if ((o->user || o->mailto || o->root_key) && !is_install)
		return app_usage(app, "%s", text("--user, --mailto and --root-key go with 'install'"));
	code = parse_kind(app, o->kind, meant);
	if (!code)
		code = app_policy(app, &policy);
	if (code || !strcmp(what, "show"))
		return code ? code : show_schedule(app, policy, o, meant);
	app_act(app, is_install ? "schedule install" : "schedule remove", "manager", NULL);
	code = app_state(app, policy, &state);
	if (!code)
		code = is_install ? install_schedule(app, policy, state, o, meant)
				  : remove_all(app, policy, state, o, meant);
	if (state)
		code = record_outcome(app, state, is_install, code);
	state_close(state);
	return code;
}

int cmd_schedule(struct app *app, int argc, char **argv)
{
	enum { KIND = 1, NAME, ROOT, USER, MAILTO, ROOT_KEY };
	static const struct option own[] = {{"kind", required_argument, NULL, KIND},
	    {"name", required_argument, NULL, NAME}, {"root", required_argument, NULL, ROOT},
	    {"user", required_argument, NULL, USER}, {"mailto", required_argument, NULL, MAILTO},
	    {"root-key", required_argument, NULL, ROOT_KEY}, {NULL, 0, NULL, 0}};
	struct options o = {0};
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		*(opt == KIND	      ? &o.kind
		    : opt == NAME     ? &o.name
		    : opt == ROOT     ? &o.root
		    : opt == USER     ? &o.user
		    : opt == ROOT_KEY ? &o.root_key
				      : &o.mailto) = optarg;
	}
	if (argc - optind != 1)
		return app_usage(app, "%s", text("'schedule' is followed by 'install', 'show' or 'remove'"));
	return dispatch(app, argv[optind], &o);
}
