/* cmd_medium: bkp medium: which places are media of this repository, and what is known of them; this file: add, and which part is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/attendance.h"
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
	if (ledger_medium_known(
		state_ledger(s), m->name)) /* lost: another disk does not take its place unasked */
		return cmd_medium_unknown(policy, state_ledger(s), m->name);
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

int cmd_medium_add(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const char *name = q->words[1] ? q->words[1] : q->words[0],
		   *path = q->o[MEDIUM_PATH]; /* of 'prepare' */
	const struct policy_medium *m = policy_find_medium(policy, name);
	struct state *s;
	uint64_t seq;
	int code;

	if (!m)
		return undeclared(policy, name);
	if (policy_medium_is_series(m))
		return app_usage(app,
		    text("'%s' is a series of discs: 'bkp disc write' registers each disc that it writes"),
		    m->name);
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

int cmd_medium_unknown(const struct policy *policy, const struct ledger *l, const char *name)
{
	const char *near = policy_suggest_medium(policy, name);
	const struct policy_medium *m = policy_find_medium(policy, name);
	struct err err = ERR_INIT;

	if (m || ledger_medium_known(l, name)) {
		attendance_unregistered(l, name, m ? m->path : NULL, &err);
		return app_error(&err, APP_FAILED);
	}
	err_set(&err, "E-MEDIA-14", text("medium '%s' is not registered"), name);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	err_hint(&err, "%s", text("see them with 'bkp medium list'"));
	return app_error(&err, APP_FAILED);
}

static const struct option own[] = {{"path", required_argument, NULL, MEDIUM_PATH + 1},
    {"place", required_argument, NULL, MEDIUM_PLACE + 1},
    {"operator", required_argument, NULL, MEDIUM_OPERATOR + 1},
    {"reason", required_argument, NULL, MEDIUM_REASON + 1},
    {"witness", required_argument, NULL, MEDIUM_WITNESS + 1}, {"to", required_argument, NULL, MEDIUM_TO + 1},
    {"until", required_argument, NULL, MEDIUM_UNTIL + 1},
    {"method", required_argument, NULL, MEDIUM_METHOD + 1},
    {"certificate", required_argument, NULL, MEDIUM_CERTIFICATE + 1},
    {"keys-destroyed", required_argument, NULL, MEDIUM_KEYS + 1},
    {"seen", required_argument, NULL, MEDIUM_SEEN + 1}, {"erase", required_argument, NULL, MEDIUM_ERASE + 1},
    {"fs", required_argument, NULL, MEDIUM_FS + 1}, {"add", no_argument, NULL, MEDIUM_ADD + 1},
    {"maker", required_argument, NULL, MEDIUM_DATA + 1}, {"model", required_argument, NULL, MEDIUM_DATA + 2},
    {"serial", required_argument, NULL, MEDIUM_DATA + 3},
    {"bought", required_argument, NULL, MEDIUM_DATA + 4},
    {"use-until", required_argument, NULL, MEDIUM_DATA + 5},
    {"support-until", required_argument, NULL, MEDIUM_DATA + 6},
    {"lock", required_argument, NULL, MEDIUM_DATA + 7}, {"writing", required_argument, NULL, MEDIUM_DATA + 8},
    {"custodian", required_argument, NULL, MEDIUM_DATA + 9}, {NULL, 0, NULL, 0}};

const char *cmd_medium_option(enum medium_option o)
{
	return own[o].name;
}

const char *cmd_medium_member(enum medium_option o)
{
	static const char *const data[LEDGER_MEDIUM_DATA_N] = LEDGER_MEDIUM_DATA;
	const int i = (int)o - MEDIUM_DATA;

	return i < 0 ? own[o].name : i < LEDGER_MEDIUM_DATA_N ? data[i] : "custodian";
}

#define BIT(o)	 (UINT32_C(1) << (o))
#define WHO	 BIT(MEDIUM_OPERATOR)
#define ALL_DATA (((UINT32_C(1) << (MEDIUM_OPTIONS - MEDIUM_DATA)) - 1) << MEDIUM_DATA)

/* must: all of them; may: beside these. */
static const struct part {
	const char *word;
	int operands;
	uint32_t must, may;
	cmd_medium_fn *run;
} parts[] = {{"add", 1, 0, BIT(MEDIUM_PATH), cmd_medium_add}, {"list", 0, 0, 0, cmd_medium_list},
    {"show", 1, 0, 0, cmd_medium_show}, {"move", 1, WHO, BIT(MEDIUM_PLACE), cmd_medium_move},
    {"rename", 2, WHO, 0, cmd_medium_rename},
    {"retire", 1, WHO | BIT(MEDIUM_REASON),
	BIT(MEDIUM_METHOD) | BIT(MEDIUM_WITNESS) | BIT(MEDIUM_CERTIFICATE) | BIT(MEDIUM_KEYS),
	cmd_medium_retire},
    {"set", 1, WHO, ALL_DATA, cmd_medium_set},
    {"hand", 1, WHO | BIT(MEDIUM_TO) | BIT(MEDIUM_WITNESS), 0, cmd_medium_custody},
    {"lend", 1, WHO | BIT(MEDIUM_TO) | BIT(MEDIUM_UNTIL) | BIT(MEDIUM_REASON), BIT(MEDIUM_WITNESS),
	cmd_medium_custody},
    {"return", 1, WHO | BIT(MEDIUM_PLACE), BIT(MEDIUM_WITNESS), cmd_medium_custody},
    {"lost", 1, WHO | BIT(MEDIUM_REASON), 0, cmd_medium_custody},
    {"found", 1, WHO | BIT(MEDIUM_PLACE), 0, cmd_medium_custody},
    {"count", 0, WHO | BIT(MEDIUM_PLACE), BIT(MEDIUM_SEEN) | BIT(MEDIUM_WITNESS), cmd_medium_count},
    {"prepare", 2, WHO, BIT(MEDIUM_ERASE) | BIT(MEDIUM_FS) | BIT(MEDIUM_PATH) | BIT(MEDIUM_ADD),
	cmd_medium_prepare}};

static const struct part *find_part(const char *word)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strcmp(parts[i].word, word))
			return &parts[i];
	return NULL;
}

static int which_part(const struct app *app, const char *word)
{
	const char *words[sizeof(parts) / sizeof(*parts)];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		words[i] = parts[i].word;
	return app_unknown(app, suggest_word(word, words, sizeof(parts) / sizeof(*parts)), "%s",
	    text("'medium' is followed by 'add NAME', 'list', 'show NAME', 'move NAME', 'rename OLD NEW', "
		 "'retire NAME', "
		 "'set NAME', 'hand NAME', 'lend NAME', 'return NAME', 'lost NAME', 'found NAME', 'count' or "
		 "'prepare DEVICE "
		 "NAME'"));
}

static int dispatch(struct app *app, int n, char **words, struct medium_request *q)
{
	const struct part *p = n ? find_part(words[0]) : NULL;
	POLICY_AUTO policy = NULL;
	int code;

	if (!p || n - 1 != p->operands)
		return which_part(app, n ? words[0] : "");
	q->what = p->word;
	for (int i = 1; i < n; i++)
		q->words[i - 1] = words[i];
	for (int i = 0; i < MEDIUM_OPTIONS; i++) {
		if (!q->o[i] && (p->must & BIT(i)))
			return app_usage(app, text("'medium %s' needs --%s"), p->word, own[i].name);
		if (q->o[i] && !((p->must | p->may) & BIT(i)))
			return app_usage(
			    app, text("--%s does not go with 'medium %s'"), own[i].name, p->word);
	}
	code = app_policy(app, &policy);
	for (int i = 0; !code && i < p->operands; i++) /* as the policy writes it */
		if (policy_find_medium(policy, q->words[i]))
			q->words[i] = policy_find_medium(policy, q->words[i])->name;
	return code ? code : p->run(app, policy, q);
}

int cmd_medium(struct app *app, int argc, char **argv)
{
	struct medium_request q = {0};
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		q.o[opt - 1] = optarg ? optarg : "";
	}
	return dispatch(app, argc - optind, argv + optind, &q);
}
