/* cmd_medium_move: bkp medium move NAME: where a medium is from now on, and who took it there.
 *
 * An offline medium must be gone from where it was connected (cmd_medium_gone()) before it is recorded elsewhere.  Appending a
 * record moves the ledger on: strings that it gave are copied before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/media/attendance.h"
#include "write/media/device.h"
#include "write/state/state.h"

#define SHOW 256

static int still_attached(const char *name, const char *path)
{
	struct err err = ERR_INIT;
	struct device d;
	char show[SHOW];

	err_set(&err, "E-MEDIA-17", text("'%s' is still attached at '%s': unmount it first"), name,
	    path_show(path, show, sizeof(show)));
	if (!device_look(path, &d, NULL) && d.whole)
		err_hint(&err, text("umount %s, take it out, then run this again"),
		    path_word(d.mount_point, show, sizeof(show)));
	err_hint(&err, "%s", text("take it away, then run this again"));
	return app_error(&err, APP_FAILED);
}

int cmd_medium_gone(const struct state *s, const struct policy_medium *m)
{
	struct attendance_keys k = {.repository = state_repository(s)};
	struct err err = ERR_INIT;
	char *path = NULL;
	int r, code;

	k.keys = state_keys(s, &k.n_keys);
	r = attendance_find(state_ledger(s), &k, m, &path, &err);
	if (r < 0) {
		err_wrap(&err, text("it cannot be told whether '%s' is still attached"), m->name);
		return app_error(&err, APP_UNKNOWN);
	}
	code = r ? still_attached(m->name, path) : APP_OK;
	if (!r && err.kind == ERR_UNMOUNTED)
		code = app_error(&err, APP_FAILED);
	free(path);
	return code;
}

static int report_move(const struct app *app, const char *name, const char *uuid, const char *place,
    const char *operator, bool detached)
{
	if (app->json)
		return out_json(json_pack("{s:s, s:s, s:s, s:s, s:b}", "medium", uuid, "label", name, "place",
				    place, "operator", operator, "detached", (int)detached),
		    APP_OK);
	if (!app->quiet)
		printf(detached ? text("'%s' is gone from here and recorded at '%s', by %s\n")
				: text("'%s' is recorded at '%s', by %s\n"),
		    name, place, operator);
	return app_flush(APP_OK);
}

static int record_move(struct app *app, struct state *s, const struct policy_medium *m, const char *uuid,
    const char *place, const char *operator)
{
	const struct ledger_medium *lm = ledger_medium_by_uuid(state_ledger(s), uuid);
	struct err err = ERR_INIT;

	if (state_append(s, "medium-moved",
		json_pack("{s:s, s:s, s:s, s:s, s:b}", "medium", uuid, "operator", operator, "place", place,
		    "from", lm->place, "detached", (int)m->offline),
		&err))
		return app_error(&err, APP_FAILED);
	return report_move(app, m->name, uuid, place, operator, m->offline);
}

/* What was typed wrong has changed nothing. */
static int record_outcome(struct app *app, struct state *s, const char *name, const char *place, int code)
{
	char line[SUMMARY_LINE], label[SHOW], show[SHOW];

	if (code == APP_USAGE)
		return code;
	path_show(name, label, sizeof(label));
	if (code)
		snprintf(line, sizeof(line), text("where '%s' is could not be recorded"), label);
	else
		snprintf(
		    line, sizeof(line), text("'%s' is at '%s'"), label, path_show(place, show, sizeof(show)));
	return outcome_record(app, s, "medium move", code, line);
}

static int move_medium(
    struct app *app, struct state *s, const struct policy_medium *m, const char *place, const char *operator)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), m->name);
	struct err err = ERR_INIT;
	char *to, *uuid;
	int code;

	/* one that is kept online stands at the policy's place already */
	if (!place)
		place = *lm->destination ? lm->destination : m->offline ? m->place : NULL;
	if (!place)
		return app_usage(app,
		    text("neither a rotation nor the policy says where '%s' goes: say it with --place TEXT"),
		    m->name);
	code = m->offline ? cmd_medium_gone(s, m) : APP_OK;
	if (code)
		return record_outcome(app, s, m->name, "", code);
	/* what the ledger gave is not valid after the record */
	to = strdup(place);
	uuid = strdup(lm->uuid);
	code = to && uuid ? record_move(app, s, m, uuid, to, operator)
			  : app_error((err_nomem(&err), &err), APP_FAILED);
	code = record_outcome(app, s, m->name, to ? to : "", code);
	free(to);
	free(uuid);
	return code;
}

struct policy_medium cmd_medium_declared(const struct policy *policy, const struct ledger_medium *lm)
{
	const struct policy_medium *declared = policy_find_medium(policy, lm->label);

	/* one that the policy no longer declares still is somewhere */
	return declared ? *declared
			: (struct policy_medium){
			      .name = (char *)lm->label, .type = (char *)lm->type, .offline = lm->offline};
}

int cmd_medium_move(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const char *name = q->words[0], *operator= q->o[MEDIUM_OPERATOR];
	const struct ledger_medium *lm;
	struct policy_medium m;
	struct state *s;
	int code;

	app_act(app, "medium move", "operator", operator);
	code = cmd_medium_texts(app, policy, q);
	if (!code)
		code = app_state(app, policy, &s);
	if (code)
		return code;
	lm = ledger_medium_by_label(state_ledger(s), name);
	if (lm) {
		m = cmd_medium_declared(policy, lm);
		m.name = (char *)name; /* what the ledger gave is not valid after the record */
	}
	code = lm ? move_medium(app, s, &m, q->o[MEDIUM_PLACE], operator)
		  : record_outcome(app, s, name, "", cmd_medium_unknown(policy, state_ledger(s), name));
	state_close(s);
	return code;
}
