/* cmd_medium: bkp medium: which places are media of this repository; this file: add, and which part is meant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/device.h"
#include "write/media/medium_w.h"
#include "write/state/state.h"

#define SHOW 256

/* ---- add ---- */

static int undeclared(const struct policy *policy, const char *name)
{
	const char *near = policy_suggest_medium(policy, name);
	struct err err = ERR_INIT;

	err_set_kind(&err, ERR_USAGE, "E-MEDIA-15", text("the policy declares no medium '%s'"), name);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	err_hint(&err, "%s",
	    text("'bkp medium list' shows the names; a new one is written into the policy's 'media' first"));
	return app_error(&err, APP_USAGE);
}

static json_t *medium_members(
    const struct policy_medium *m, const char *uuid, const char *path, const struct device *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:s, s:s, s:s, s:s}", "medium", uuid, "label",
	    m->name, "type", m->type, "path", path, "place", m->place, "offline", (int)m->offline, "fs_uuid",
	    d->fs_uuid, "serial", d->serial, "store", d->store, "shows", d->shows);
}

static bool on_same_disk(const char *path, const char *state)
{
	struct stat a, b;

	return !stat(path, &a) && !stat(state, &b) && a.st_dev == b.st_dev;
}

/* A folder on the disk of the state folder is most likely the empty mount point of a medium that is not
 * there. */
static void warn_same_disk(const struct app *app, const struct policy *policy, const char *path)
{
	char show[SHOW];

	if (app->quiet || !on_same_disk(path, policy->state))
		return;
	fprintf(stderr, text("bkp: W-MEDIA-01: '%s' is on the same file system as the state folder\n"),
	    path_show(path, show, sizeof(show)));
	fprintf(stderr, "  → %s\n", text("if a disk or a share should be mounted there, it is not"));
}

static int report_added(const struct app *app, const struct policy_medium *m, const char *uuid, bool known)
{
	if (app->json)
		return out_json(json_pack("{s:s, s:s, s:s, s:b}", "medium", uuid, "label", m->name, "type",
				    m->type, "already_registered", (int)known),
		    APP_OK);
	if (!app->quiet)
		printf(known ? text("'%s' is registered already: medium %s\n")
			     : text("'%s' is registered: medium %s\n"),
		    m->name, uuid);
	return app_flush(APP_OK);
}

/* One name, one medium: a name that is registered must not end up on a second disk, or the record could not
 * tell them apart. */
static int report_known(const struct app *app, const struct state *s, const struct policy_medium *m,
    const char *path, const struct ledger_medium *known)
{
	struct medium_expect want = {
	    .repository = state_repository(s), .uuid = known->uuid, .label = known->label};
	struct err err = ERR_INIT;
	struct medium *found;
	char show[SHOW];
	int r;

	want.keys = state_keys(s, &want.n_keys);
	r = medium_open(path, &want, &found, &err);
	if (!r) {
		medium_close(found);
		return report_added(app, m, known->uuid, true);
	}
	if (r == MEDIUM_ABSENT) {
		err_set(&err, "E-MEDIA-16",
		    text("'%s' is registered already, as medium %s, and is not at '%s'"), m->name,
		    known->uuid, path_show(path, show, sizeof(show)));
		err_hint(&err, "%s",
		    text("attach and mount it; a second medium gets a name of its own in the policy; if the "
			 "first "
			 "one is gone for good: 'bkp medium retire NAME --operator NAME --reason TEXT', then "
			 "again"));
	}
	return app_error(&err, APP_FAILED);
}

static int add_medium(struct app *app, struct state *s, const struct policy *policy,
    const struct policy_medium *m, const char *path)
{
	const struct ledger_medium *known = ledger_medium_by_label(state_ledger(s), m->name);
	char uuid[JOURNAL_UUID];
	struct err err = ERR_INIT;
	struct device device;
	int code = known ? report_known(app, s, m, path, known) : -1;

	if (code >= 0)
		return code;
	warn_same_disk(app, policy, path);
	/* found there already: an earlier 'medium add' died before the record was written */
	if (medium_w_register(s, path, m->name, m->type, uuid, &err) < 0 || device_look(path, &device, &err))
		return app_error(&err, APP_FAILED);
	if (state_append(s, "medium-added", medium_members(m, uuid, path, &device), &err))
		return app_error(&err, APP_FAILED);
	return report_added(app, m, uuid, false);
}

/* What could not be done is recorded too: somebody tried.  What was so already is not. */
static int record_added(
    const struct app *app, struct state *s, const struct policy_medium *m, uint64_t seq, int code)
{
	char line[SUMMARY_LINE];

	if (code == APP_OK && ledger_seq(state_ledger(s)) == seq)
		return code;
	snprintf(line, sizeof(line),
	    code ? text("medium '%s' could not be registered") : text("medium '%s' is registered"), m->name);
	return outcome_record(app, s, "medium add", code, line);
}

static int cmd_add(struct app *app, const struct policy *policy, const char *name, const char *path)
{
	const struct policy_medium *m = policy_find_medium(policy, name);
	struct state *s;
	uint64_t seq;
	int code;

	if (!m)
		return undeclared(policy, name);
	/* the policy may leave the path open for offline media; where it names one, it decides */
	if (path && m->path && strcmp(path, m->path) != 0)
		return app_usage(
		    app, text("the policy declares '%s' at '%s', not at '%s'"), m->name, m->path, path);
	path = m->path ? m->path : path;
	if (!path)
		return app_usage(
		    app, text("the policy names no path for '%s': say where it is with --path DIR"), m->name);
	app_act(app, "medium add", "operator", NULL);
	code = app_state(app, policy, &s);
	if (code)
		return code;
	seq = ledger_seq(state_ledger(s));
	code = record_added(app, s, m, seq, add_medium(app, s, policy, m, path));
	state_close(s);
	return code;
}

/* ---- which of them ---- */

int cmd_medium_unknown(const struct policy *policy, const char *name)
{
	const char *near = policy_suggest_medium(policy, name);
	const struct policy_medium *m = policy_find_medium(policy, name);
	struct err err = ERR_INIT;

	if (m) {
		err_set_kind(
		    &err, ERR_UNREGISTERED, "E-MEDIA-06", text("'%s' is not a registered medium"), name);
		err_hint(&err,
		    m->path ? text("register it with 'bkp medium add %s'")
			    : text("register it with 'bkp medium add %s --path DIR'"),
		    name);
		return app_error(&err, APP_FAILED);
	}
	err_set(&err, "E-MEDIA-14", text("medium '%s' is not registered"), name);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	err_hint(&err, "%s", text("see them with 'bkp medium list'"));
	return app_error(&err, APP_FAILED);
}

struct options {
	const char *path, *place, *operator, * reason;
};

static int dispatch(struct app *app, int n, char **words, const struct options *o)
{
	POLICY_AUTO policy = NULL;
	const char *what = n ? words[0] : "";
	bool add = !strcmp(what, "add") && n == 2, list = !strcmp(what, "list") && n == 1,
	     show = !strcmp(what, "show") && n == 2, move = !strcmp(what, "move") && n == 2,
	     rename = !strcmp(what, "rename") && n == 3, retire = !strcmp(what, "retire") && n == 2;
	int code;

	if (!add && !list && !show && !move && !rename && !retire)
		return app_usage(app, "%s",
		    text("'medium' is followed by 'add NAME', 'list', 'show NAME', 'move NAME', 'rename OLD "
			 "NEW' or 'retire NAME'"));
	if ((o->path && !add) || (o->place && !move) || (o->operator&& !move && !rename && !retire) ||
	    !o->reason != !retire)
		return app_usage(app, "%s",
		    text("--path goes with 'add', --place with 'move', --operator with 'move', 'rename' and "
			 "'retire', and that wants --reason"));
	code = app_policy(app, &policy);
	if (code)
		return code;
	if (rename || retire)
		return cmd_medium_name(
		    app, policy, words[1], rename ? words[2] : NULL, o->operator, o->reason);
	return add    ? cmd_add(app, policy, words[1], o->path)
	       : list ? cmd_medium_list(app, policy)
	       : show ? cmd_medium_show(app, policy, words[1])
		      : cmd_medium_move(app, policy, words[1], o->place, o->operator);
}

int cmd_medium(struct app *app, int argc, char **argv)
{
	enum { PATH = 1, PLACE, OPERATOR, REASON };
	static const struct option own[] = {{"path", required_argument, NULL, PATH},
	    {"place", required_argument, NULL, PLACE}, {"operator", required_argument, NULL, OPERATOR},
	    {"reason", required_argument, NULL, REASON}, {NULL, 0, NULL, 0}};
	struct options o = {NULL, NULL, NULL, NULL};
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		*(opt == PATH	    ? &o.path
		    : opt == PLACE  ? &o.place
		    : opt == REASON ? &o.reason
				    : &o.operator) = optarg;
	}
	return dispatch(app, argc - optind, argv + optind, &o);
}
