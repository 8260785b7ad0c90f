/* cmd_journal_repair: bkp journal repair --operator NAME: the end of the journal that is none is cut off,
 * here and on the media that are attached; see write/copies/journal_repair.h. */
#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/cmd_journal.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/copies/journal_repair.h"
#include "write/media/journal_copies.h"
#include "write/state/state.h"

#define NAME "journal repair"

/* The state folder's own.  0, also when it is whole; else an exit code after the error has been reported. */
static int mend_own(const struct policy *policy, const char *operator, struct journal_repair_result * ret)
{
	struct err err = ERR_INIT, why = ERR_INIT;
	struct state *s = NULL;
	int r = state_open_valid(policy->state, &s, &why, &err);

	/* a medium whose copy is whole and goes on further holds what would be cut */
	if (!r && why.code[0]) {
		state_act(s, NAME, "operator", operator);
		r = journal_copies_check_media(s, policy, &err) || journal_repair_host(s, &why, ret, &err);
	}
	state_close(s);
	return r ? app_error(&err, APP_FAILED) : APP_OK;
}

static int mend_copy(struct state *s, const struct policy_medium *pm, uint64_t *mended)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), pm->name);
	const char *path = pm->path ? pm->path : lm ? lm->path : NULL;
	struct medium_expect want = {.repository = state_repository(s), .label = pm->name};
	struct err err = ERR_INIT;
	struct medium *m;
	int r;

	if (!lm || !path)
		return APP_OK;
	want.uuid = lm->uuid;
	want.keys = state_keys(s, &want.n_keys);
	r = medium_open(path, &want, &m, &err);
	if (r) /* away: this is run again when it is here */
		return r == MEDIUM_ABSENT ? APP_OK : app_error(&err, APP_UNKNOWN);
	r = journal_repair_copy(s, m, &err);
	medium_close(m);
	*mended += r == JOURNAL_REPAIR_MENDED;
	if (r >= 0)
		return APP_OK;
	err_wrap(&err, "%s", pm->name);
	return app_error(&err, APP_FAILED);
}

static int report_repair(
    const struct app *app, const struct journal_repair_result *r, uint64_t mended, const char *line, int code)
{
	if (app->json)
		return out_json(json_pack("{s:I, s:I, s:I, s:s, s:I}", "kept", (json_int_t)r->kept, "lines",
				    (json_int_t)r->lines, "bytes", (json_int_t)r->bytes, "file", r->file,
				    "copies", (json_int_t)mended),
		    code);
	if (!app->quiet)
		puts(line);
	return app_flush(code);
}

int cmd_journal_repair(struct app *app, struct cmd_journal_options *o)
{
	POLICY_AUTO policy = NULL;
	struct journal_repair_result r = {0};
	struct state *s = NULL;
	char line[SUMMARY_LINE];
	uint64_t mended = 0;
	int code;

	app_act(app, NAME, "operator", o->operator);
	code = app_policy(app, &policy);
	if (!code)
		code = operator_check(app, policy, o->operator);
	if (!code)
		code = mend_own(policy, o->operator, & r);
	if (!code)
		code = app_state(app, policy, &s);
	if (code)
		return code;
	for (size_t i = 0; i < policy->n_media; i++) {
		int failed = mend_copy(s, &policy->media[i], &mended);

		code = failed ? failed : code;
	}
	if (r.lines)
		snprintf(line, sizeof(line),
		    text("%ju records are kept, %ju lines behind them were cut off and are kept in '%s'; "
			 "copies on %ju media were mended"),
		    (uintmax_t)r.kept, (uintmax_t)r.lines, r.file, (uintmax_t)mended);
	else
		snprintf(line, sizeof(line),
		    text("the journal is whole: nothing was cut off; copies on %ju media were mended"),
		    (uintmax_t)mended);
	code = outcome_record(app, s, NAME, code, line);
	state_close(s);
	return report_repair(app, &r, mended, line, code);
}
