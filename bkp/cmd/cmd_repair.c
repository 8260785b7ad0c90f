/* cmd_repair: bkp repair [MEDIUM]: what is damaged on a medium is written again, from this host,
 * from parity and from other media.
 *
 * open_all() opens every medium of the policy that is attached, also those that were not named: they are sources.  A medium
 * whose identity is damaged is opened after the identity was written again.  Then medium_repair_run() for each that is meant.
 * While a generation is suspect and undecided, a policy with stop_while_suspect lets nothing be written to an offline medium
 * (may_write()). */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/tools_folder.h"
#include "cmd/rotate/visit_named.h"
#include "cmd/show/summary.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/copies/medium_repair.h"
#include "write/media/medium_docs.h"
#include "write/media/medium_w.h"
#include "write/state/state.h"

#define MEDIA_MAX 64
#define SHOW	  512

struct job {
	struct app *app;
	struct policy *policy;
	struct state *state;
	const char *wanted; /* or NULL: all that are attached */
	char *path;	    /* of that one, where it was looked for (visit_named.h); or NULL */
	struct medium *media[MEDIA_MAX];
	bool identity[MEDIA_MAX]; /* of that medium: written again, so that it could be opened */
	size_t n;
	const char *label; /* of the current medium */
	uint64_t mended, left;
	json_t *rows;
	int code;
};

static void raise_code(struct job *j, int code)
{
	j->code = code > j->code ? code : j->code;
}

static void on_mended(void *arg, const char *path, enum mend_how how, const char *from)
{
	static const char *const words[MEND_HOWS] = {"host", "medium", "parity", "several"};
	struct job *j = arg;
	char show[SHOW];

	j->mended++;
	path_show(path, show, sizeof(show));
	json_array_append_new(j->rows, json_pack("{s:s, s:s, s:b, s:s?, s:s}", "medium", j->label, "file",
					   show, "mended", 1, "from", from, "how", words[how]));
	if (j->app->json || j->app->quiet)
		return;
	if (how == MEND_MEDIUM)
		printf(text("%s: '%s' copied from medium '%s'\n"), j->label, show, from);
	else if (how == MEND_PARITY)
		printf(text("%s: '%s' mended from its parity\n"), j->label, show);
	else if (how == MEND_SEVERAL)
		printf(
		    text("%s: '%s' put together from what several media still have of it\n"), j->label, show);
	else
		printf(text("%s: '%s' written anew from this host\n"), j->label, show);
}

static void on_left(void *arg, const char *path, enum inventory_kind kind, const struct err *why)
{
	struct job *j = arg;
	char show[SHOW];

	j->left++;
	json_array_append_new(
	    j->rows, json_pack("{s:s, s:s, s:b, s:s}", "medium", j->label, "file",
			 path_show(path, show, sizeof(show)), "mended", 0, "code", why->code));
	fprintf(stderr, "bkp: %s: %s: %s\n", why->code, j->label, why->msg);
	app_next(why, stderr);
	/* as verify says it */
	raise_code(j, kind == INVENTORY_TEXT	 ? APP_ATTENTION
		      : kind == INVENTORY_NEEDED ? APP_FAILED
						 : APP_UNKNOWN);
}

/* Where the policy says so, a computer that may be infected writes to nothing that is kept offline. */
static bool may_write(struct job *j, const struct policy_medium *pm)
{
	const struct ledger_generation *g = ledger_frozen_by(state_ledger(j->state));
	char label[GENERATION_LABEL];
	struct err err = ERR_INIT;

	if (!g || !pm->offline || !j->policy->stop_while_suspect)
		return true;
	err_set(&err, "E-GUARD-02",
	    text("generation %s is suspect and nobody has decided on it: the medium is not written to"),
	    generation_label(g->dataset, g->number, label));
	err_hint(&err, "%s", text("detach the disk: this computer may be infected; see 'bkp generations'"));
	raise_code(j, app_error(&err, APP_FAILED));
	return false;
}

/* A medium of the policy that stands where it, or its registration, says; with a damaged identity, too. */
static int open_medium(
    struct job *j, const struct policy_medium *pm, struct medium **ret, bool *ret_identity, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(j->state), pm->name);
	struct medium_expect want = {.repository = state_repository(j->state), .label = pm->name};
	const bool named = j->wanted && !strcmp(j->wanted, pm->name);
	const char *path = named && j->path ? j->path : pm->path ? pm->path : lm ? lm->path : NULL;
	int r;

	if (!lm || !path) {
		err_set_kind(
		    err, ERR_UNREGISTERED, "E-MEDIA-06", text("'%s' is not a registered medium"), pm->name);
		err_hint(err,
		    pm->path ? text("register it with 'bkp medium add %s'")
			     : text("register it with 'bkp medium add %s --path DIR'"),
		    pm->name);
		return MEDIUM_ABSENT;
	}
	want.uuid = lm->uuid;
	want.keys = state_keys(j->state, &want.n_keys);
	r = medium_open(path, &want, ret, err);
	if (r != MEDIUM_FORGED || (j->wanted && !named) || !may_write(j, pm) ||
	    medium_w_identity(j->state, path, lm->uuid, err))
		return r;
	*ret_identity = true;
	return medium_open(path, &want, ret, err);
}

/* As verify says it: an offline medium that is away is as it should be; of another one nobody knows whether it is whole. */
static bool is_missed(const struct policy_medium *pm, int r, const struct err *why)
{
	return r != MEDIUM_ABSENT || (!pm->offline && why->kind != ERR_UNREGISTERED);
}

static void open_all(struct job *j)
{
	for (size_t i = 0; i < j->policy->n_media && j->n < MEDIA_MAX; i++) {
		const struct policy_medium *pm = &j->policy->media[i];
		bool asked = j->wanted && !strcmp(j->wanted, pm->name);
		struct err err = ERR_INIT;
		int r = open_medium(j, pm, &j->media[j->n], &j->identity[j->n], &err);

		j->n += r == 0;
		if (r && (asked || (!j->wanted && is_missed(pm, r, &err))))
			raise_code(j, app_error(&err, r != MEDIUM_ABSENT ? APP_FAILED
						      : asked		 ? APP_UNKNOWN
									 : APP_ATTENTION));
	}
}

static void repair_each_medium(struct job *j)
{
	char tools[PATH_MAX];
	const struct medium_docs_sources docs = tools_sources(tools);

	for (size_t i = 0; i < j->n; i++) {
		const struct policy_medium *pm = policy_find_medium(j->policy, medium_label(j->media[i]));
		struct mend mend = {j->state, j->policy, j->media[i], &docs, j->media, j->n, on_mended,
		    on_left, j, j->identity[i] ? MEDIUM_JSON : NULL};
		struct err err = ERR_INIT;

		if (!pm || (j->wanted && strcmp(j->wanted, pm->name) != 0) || !may_write(j, pm))
			continue;
		j->label = pm->name;
		if (medium_repair_run(&mend, &err))
			raise_code(j, app_error(&err, APP_FAILED));
	}
}

static int repair_media(struct job *j)
{
	const struct policy_medium *named = j->wanted ? policy_find_medium(j->policy, j->wanted) : NULL;
	struct visit v = {.app = j->app};
	char line[SUMMARY_LINE];
	struct err err = ERR_INIT;

	j->rows = json_array();
	if (named && visit_named_begin(&v, j->state, j->policy, named, &j->path, &err))
		raise_code(j, app_error(&err, APP_FAILED));
	else
		open_all(j);
	if (!j->n && j->code < APP_FAILED) {
		err_set(&err, "E-VERIFY-10", "%s", text("there was nothing to verify"));
		err_hint(&err, "%s", text("attach a medium, or look at 'bkp generations'"));
		raise_code(j, app_error(&err, APP_UNKNOWN));
	}
	if (j->code < APP_UNKNOWN)
		repair_each_medium(j);
	for (size_t i = 0; i < j->n; i++)
		medium_close(j->media[i]);
	if (named && visit_named_end(&v, j->state, named, &err))
		raise_code(j, app_error(&err, APP_FAILED));
	free(j->path);
	snprintf(line, sizeof(line), text("%ju files mended, %ju could not be"), j->mended, j->left);
	if (j->app->json)
		j->code = out_json(json_pack("{s:O, s:I, s:I}", "files", j->rows, "mended",
				       (json_int_t)j->mended, "left", (json_int_t)j->left),
		    j->code);
	else if (!j->app->quiet)
		printf("%s\n", line);
	json_decref(j->rows);
	return outcome_record(j->app, j->state, "repair", app_flush(j->code), line);
}

int cmd_repair(struct app *app, int argc, char **argv)
{
	static const struct option own[] = {{NULL, 0, NULL, 0}};
	const struct policy_medium *wanted = NULL;
	struct job j = {.app = app};
	int code = APP_OK;

	while (app_getopt(app, argc, argv, own, &code) != -1)
		return code;
	if (argc - optind > 1)
		return app_usage(app, text("'%s' is not understood here"), argv[optind + 1]);
	j.wanted = optind < argc ? argv[optind] : NULL;
	code = app_policy(app, &j.policy);
	app_act(app, "repair", "operator", NULL);
	if (!code && j.wanted && !(wanted = policy_find_medium(j.policy, j.wanted)))
		code = app_unknown(app, policy_suggest_medium(j.policy, j.wanted),
		    text("'%s' is not a medium of the policy"), j.wanted);
	else if (wanted)
		j.wanted = wanted->name; /* typed in any case */
	if (!code)
		code = app_state(app, j.policy, &j.state);
	if (!code)
		code = repair_media(&j);
	state_close(j.state);
	policy_free(j.policy);
	return code;
}
