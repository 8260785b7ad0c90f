/* cmd_medium: bkp medium add | list: which places are media of this repository. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/near.h"
#include "base/path.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/app.h"
#include "cmd/out.h"
#include "format/journal.h"
#include "format/policy.h"
#include "read/ledger.h"
#include "read/medium.h"
#include "write/device.h"
#include "write/medium_w.h"
#include "write/state.h"

#define SHOW	  256
#define NAMES_MAX 256

/* ---- add ---- */

static int undeclared(const struct policy *policy, const char *name)
{
	const char *names[NAMES_MAX], *near;
	struct err err = ERR_INIT;
	size_t n = 0;

	for (; n < policy->n_media && n < NAMES_MAX; n++)
		names[n] = policy->media[n].name;
	near = near_word(name, names, n);
	err_set(&err, "E-MEDIA-15", text("the policy declares no medium '%s'"), name);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	err_hint(&err, "%s", text("write it into the policy's 'media' first"));
	return app_error(&err, APP_USAGE);
}

static json_t *members(
    const struct policy_medium *m, const char *uuid, const char *path, const struct device *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:s, s:s}", "medium", uuid, "label", m->name, "type",
	    m->type, "path", path, "place", m->place, "offline", (int)m->offline, "fs_uuid", d->fs_uuid, "serial",
	    d->serial);
}

/* A folder on the disk of the state folder is most likely the empty mount point of a medium that is not
 * there. */
static void warn_same_disk(const struct app *app, const struct policy *policy, const char *path)
{
	struct stat a, b;
	char show[SHOW];

	if (app->quiet || stat(path, &a) || stat(policy->state, &b) || a.st_dev != b.st_dev)
		return;
	fprintf(stderr, text("bkp: W-MEDIA-01: '%s' is on the same file system as the state folder\n"),
	    path_show(path, show, sizeof(show)));
	fprintf(stderr, "  → %s\n", text("if a disk or a share should be mounted there, it is not"));
}

static int report(const struct app *app, const struct policy_medium *m, const char *uuid, bool known)
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
static int registered(const struct app *app, const struct state *s, const struct policy_medium *m,
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
		return report(app, m, known->uuid, true);
	}
	if (r == MEDIUM_ABSENT) {
		err_set(&err, "E-MEDIA-16",
		    text("'%s' is registered already, as medium %s, and is not at '%s'"), m->name,
		    known->uuid, path_show(path, show, sizeof(show)));
		err_hint(&err, "%s",
		    text("attach and mount it; a new medium gets a name of its own in the policy"));
	}
	return app_error(&err, APP_FAILED);
}

static int add(struct app *app, struct state *s, const struct policy *policy, const struct policy_medium *m,
    const char *path)
{
	const struct ledger_medium *known = ledger_medium_by_label(state_ledger(s), m->name);
	char uuid[JOURNAL_UUID];
	struct err err = ERR_INIT;
	struct device device;

	if (known)
		return registered(app, s, m, path, known);
	warn_same_disk(app, policy, path);
	/* found there already: an earlier 'medium add' died before the record was written */
	if (medium_w_register(s, path, m->name, m->type, uuid, &err) < 0 || device_look(path, &device, &err))
		return app_error(&err, APP_FAILED);
	if (state_append(s, "medium-added", members(m, uuid, path, &device), &err))
		return app_error(&err, APP_FAILED);
	return report(app, m, uuid, false);
}

static int cmd_add(struct app *app, const char *name, const char *path)
{
	POLICY_AUTO policy = NULL;
	const struct policy_medium *m;
	struct state *s;
	int code = app_policy(app, &policy);

	if (code)
		return code;
	m = policy_find_medium(policy, name);
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
	code = app_state(app, policy, &s);
	if (code)
		return code;
	code = add(app, s, policy, m, path);
	state_close(s);
	return code;
}

/* ---- list ---- */

static int list_json(const struct ledger *l)
{
	json_t *list = json_array();
	char time[CLOCK_TEXT];

	for (size_t i = 0; i < ledger_media(l); i++) {
		const struct ledger_medium *m = ledger_medium(l, i);

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "medium", m->uuid, "label",
			      m->label, "type", m->type, "path", m->path, "place", m->place, "offline",
			      (int)m->offline, "added", clock_format(m->added_ns, time)));
	}
	return out_json(json_pack("{s:s, s:o}", "repository", ledger_repository(l), "media", list), APP_OK);
}

static void media_row(struct table *t, const char *name, const char *type, bool offline, const char *path,
    const char *place, const char *since)
{
	char show[SHOW];

	table_cell(t, "%s", path_show(name, show, sizeof(show)));
	table_cell(t, "%s", type);
	table_cell(t, "%s", offline ? text("offline") : text("online"));
	table_cell(t, "%s", path && *path ? path_show(path, show, sizeof(show)) : "-");
	table_cell(t, "%s", place && *place ? path_show(place, show, sizeof(show)) : "-");
	table_cell(t, "%s", since);
}

static int list_table(const struct policy *policy, const struct ledger *l)
{
	struct table *t = table_new(6);
	char time[CLOCK_TEXT];

	for (size_t i = 0; t && i < ledger_media(l); i++) {
		const struct ledger_medium *m = ledger_medium(l, i);

		media_row(t, m->label, m->type, m->offline, m->path, m->place,
		    clock_format_local(m->added_ns, time));
	}
	for (size_t i = 0; t && i < policy->n_media; i++) {
		const struct policy_medium *m = &policy->media[i];

		if (!ledger_medium_by_label(l, m->name))
			media_row(
			    t, m->name, m->type, m->offline, m->path, m->place, text("not registered yet"));
	}
	return out_table(t, 0, APP_OK);
}

static int cmd_list(struct app *app)
{
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	int code = app_policy(app, &policy);

	if (!code)
		code = app_ledger(app, policy, &l);
	if (!code)
		code = app->json ? list_json(l) : list_table(policy, l);
	ledger_free(l);
	return code;
}

int cmd_medium(struct app *app, int argc, char **argv)
{
	enum { PATH = 1 };
	static const struct option own[] = {{"path", required_argument, NULL, PATH}, {NULL, 0, NULL, 0}};
	const char *path = NULL;
	int code = APP_OK, opt, n;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		path = optarg;
	}
	n = argc - optind;
	if (n == 2 && !strcmp(argv[optind], "add"))
		return cmd_add(app, argv[optind + 1], path);
	if (n == 1 && !strcmp(argv[optind], "list") && !path)
		return cmd_list(app);
	return app_usage(app, "%s", text("'medium' is followed by 'add NAME' or 'list'"));
}
