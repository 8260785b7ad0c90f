/* cmd_medium_prepare: bkp medium prepare DEVICE NAME: a new disk is looked at, erased by a person's leave, and formatted.
 *
 * What the disk holds is shown before anything else; only who types what names it, or says it with --erase, has agreed to lose that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/prepare/prepare.h"
#include "write/state/state.h"

#define ANSWER 512

static void show_disk(const struct prepare_disk *d)
{
	char size[OUT_BYTES];

	fprintf(stderr, text("disk %s: %s, model %s, serial number %s\n"), d->path, out_bytes(d->bytes, size),
	    *d->model ? d->model : "-", *d->serial ? d->serial : "-");
	for (size_t i = 0; i < d->n_held; i++)
		fprintf(stderr, text("  it holds: %s\n"), d->held[i]);
	if (!d->n_held)
		fprintf(stderr, "  %s\n", text("it holds nothing"));
}

/* 1: agreed, 0: not, -1: nobody is there to ask. */
static int ask_word(const struct prepare_disk *d)
{
	char answer[ANSWER];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -1;
	fprintf(stderr, text("All of this will be erased. To agree type %s: "), d->words[0]);
	if (!fgets(answer, sizeof(answer), stdin))
		return 0;
	answer[strcspn(answer, "\r\n")] = '\0';
	return prepare_agrees(d, answer);
}

static int may_erase(const struct prepare_disk *d, const char *erase, struct err *err)
{
	const int said = erase ? (d->n_held && prepare_agrees(d, erase)) : d->n_held ? ask_word(d) : 1;

	if (said > 0)
		return 0;
	if (erase && !d->n_held)
		err_set(err, "E-PREPARE-05", text("'%s' holds nothing, but --erase says '%s': another disk?"),
		    d->path, erase);
	else if (said == 0)
		err_set(err, "E-PREPARE-05", text("that does not name what '%s' holds: nothing was changed"),
		    d->path);
	else
		err_set(err, "E-PREPARE-06", text("'%s' holds something, and nobody has agreed to lose it"),
		    d->path);
	if (said < 0)
		err_hint(err, text("to erase it: --erase %s"), d->words[0]);
	return err_hint(err, "%s", text("look at what it holds, above; is it the right disk?"));
}

static int record_prepared(struct state *s, const struct medium_request *q, const struct prepare_disk *d,
    const struct prepare_made *made, const char *fs, struct err *err)
{
	json_t *held = json_array();

	for (size_t i = 0; i < d->n_held; i++)
		json_array_append_new(held, json_string(d->held[i]));
	return state_append(s, "medium-prepared",
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:s}", "label", q->words[1], "device",
		d->path, "model", d->model, "serial", d->serial, "bytes", (json_int_t)d->bytes, "fs", fs,
		"fs_uuid", made->fs_uuid, "held", held, "operator", q->o[MEDIUM_OPERATOR]),
	    err);
}

static int may_be_named(
    const struct ledger *l, const struct policy *policy, const char *name, struct err *err)
{
	if (!policy_find_medium(policy, name)) {
		err_set_kind(err, ERR_USAGE, "E-MEDIA-15", text("the policy declares no medium '%s'"), name);
		return err_hint(err, "%s",
		    text("'bkp medium list' shows the names; a new one is written into the policy's 'media' "
			 "first"));
	}
	if (ledger_medium_known(l, name)) {
		err_set(err, "E-MEDIA-19", text("another medium is registered as '%s'"), name);
		return err_hint(err, "%s", text("take a name that no medium has; see 'bkp medium list'"));
	}
	return 0;
}

static int prepare_disk(struct app *app, const struct policy *policy, struct state *s,
    const struct medium_request *q, struct prepare_made *made, struct err *err)
{
	const struct ledger *l = state_ledger(s);
	const char *fs = q->o[MEDIUM_FS] ? q->o[MEDIUM_FS] : PREPARE_FS_DEFAULT;
	struct prepare_disk *d = calloc(1, sizeof(*d));
	int r = d ? 0 : err_nomem(err);

	if (!r && (may_be_named(l, policy, q->words[1], err) || prepare_look(q->words[0], l, d, err)))
		r = -1;
	if (!r && (!app->quiet || d->n_held))
		show_disk(d);
	if (!r && may_erase(d, q->o[MEDIUM_ERASE], err))
		r = -1;
	if (!r && !app->quiet)
		fprintf(stderr, "%s\n", text("the file system is being made: minutes on a large disk"));
	if (!r && (prepare_make(d, l, q->words[1], fs, made, err) || record_prepared(s, q, d, made, fs, err)))
		r = -1;
	free(d);
	return r;
}

static int report_prepared(
    const struct app *app, const char *name, const struct prepare_made *made, const char *path)
{
	char show[ANSWER];

	if (app->json)
		return out_json(json_pack("{s:s, s:s, s:s, s:s?}", "label", name, "device", made->node,
				    "fs_uuid", made->fs_uuid, "path", path),
		    APP_OK);
	if (app->quiet)
		return APP_OK;
	printf(text("%s is fit for use as '%s'\n"), made->node, name);
	if (path)
		printf(text("it is mounted at %s; next: bkp medium add %s --path %s\n"), path, name,
		    path_word(path, show, sizeof(show)));
	else
		printf(text("next: mount %s where it should be, and 'bkp medium add %s --path DIR'\n"),
		    made->node, name);
	return app_flush(APP_OK);
}

int cmd_medium_prepare(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const char *fs = q->o[MEDIUM_FS] ? q->o[MEDIUM_FS] : PREPARE_FS_DEFAULT;
	const struct policy_medium *m = policy_find_medium(policy, q->words[1]);
	const char *path = q->o[MEDIUM_PATH] ? q->o[MEDIUM_PATH] : m ? m->path : NULL;
	struct prepare_made made = {0};
	char line[SUMMARY_LINE];
	struct err err = ERR_INIT;
	struct state *s;
	int code;

	app_act(app, "medium prepare", "operator", q->o[MEDIUM_OPERATOR]);
	if (!prepare_fs_known(fs))
		return app_usage(app, text("'%s' is no file system that is made here: ext4 or xfs"), fs);
	if (q->o[MEDIUM_ADD] && !path)
		return app_usage(app, "%s", text("--add wants the place where it is mounted: --path DIR"));
	code = cmd_medium_texts(app, policy, q);
	if (!code)
		code = app_state(app, policy, &s);
	if (code)
		return code;
	if (prepare_disk(app, policy, s, q, &made, &err) || (path && prepare_mount(&made, fs, path, &err)))
		code = app_error(&err, err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED);
	snprintf(line, sizeof(line), text("the disk for '%s' is prepared"), q->words[1]);
	code = outcome_record(app, s, "medium prepare", code, code ? summary_failure(&err, line) : line);
	state_close(s);
	if (!code && q->o[MEDIUM_ADD])
		return cmd_medium_add(app, policy, q);
	return code ? code : report_prepared(app, q->words[1], &made, path);
}
