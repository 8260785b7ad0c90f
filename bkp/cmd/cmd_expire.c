/* cmd_expire: bkp expire: what stays, what goes, why; and letting it go.
 *
 * expire(), in order: is the clock right and the agreement no less than the policy (prepare(), not for a mere look) → judge
 * (expiry_open()) → ask the storage's clock → may anything expire at all, is a medium attached → write a plan, or take an
 * approved one, or only look → delete (expiry_act()) → report.  --dry-run and --plan-out write nothing here or on media. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/rotate/visit_named.h"
#include "cmd/show/expire_report.h"
#include "cmd/show/summary.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/expire/expiry.h"
#include "write/state/agreement.h"
#include "write/state/clockwatch.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define MEDIA_MAX 64

struct request {
	bool dry_run, yes;
	struct chosen chosen; /* what is shown, and what goes; n_asked 0: all */
	const char *medium, *operator, * plan_out, *plan, *signature;
};

/* Nothing is written, neither here nor on a medium. */
static bool only_looks(const struct request *q)
{
	return q->dry_run || q->plan_out;
}

/* What stands before any expiry: a clock that was not moved, an agreement that is no less than the policy.
 * The reserve is given up only when a record needs its room. */
static int prepare(struct state *s, const struct policy *policy, struct err *told, struct err *err)
{
	reserve_keep(s);
	return clockwatch_run(s, policy, NULL, 0, told, err) || agreement_raise(s, policy, err) ? -1 : 0;
}

/* The storage's own clock, once it is known what is attached. */
static int ask_storage(const struct expiry *e, struct err *told, struct err *err)
{
	struct store media[MEDIA_MAX];
	size_t n = 0;

	for (size_t i = 0; i < e->n && n < MEDIA_MAX; i++)
		if (e->media[i].medium)
			media[n++] = *medium_repo(e->media[i].medium);
	return clockwatch_storage(e->state, media, n, told, err);
}

static int nothing_attached(const struct request *q, const struct expiry *e, struct err *err)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->media[i].medium)
			return 0;
	if (q->medium && e->n && e->media[0].away.code[0]) {
		*err = e->media[0].away;
		return -1;
	}
	err_set(err, "E-EXPIRE-06", "%s", text("no medium is attached that something could expire from"));
	return err_hint(err, "%s", text("attach and mount one, then run the command again"));
}

static int write_plan(const struct request *q, const struct expiry *e, struct err *err)
{
	BUF_AUTO b = BUF_INIT(APPROVAL_TEXT_MAX);

	return expiry_plan(e, &b, err) || signed_file_write(q->plan_out, &b, err) ? -1 : 0;
}

static int take_plan(const struct request *q, struct expiry *e, struct err *err)
{
	BUF_AUTO plan = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);

	if (signed_file_read(q->plan, &plan, err) || signed_file_read(q->signature, &sig, err))
		return -1;
	return expiry_approve(e, plan.p, plan.n, sig.p, sig.n, err);
}

static bool is_wanted(const void *arg, const char *dataset, uint64_t number)
{
	return chosen_has(arg, dataset, number);
}

/* What a person names is meant: when it may not go, nothing does.  Of a data set or a run goes what may. */
static int named_may_go(const struct request *q, const struct expiry *e, struct err *err)
{
	for (size_t i = 0; i < q->chosen.n && !q->dry_run; i++)
		if (!q->chosen.item[i].by_run &&
		    expiry_may_go(e, q->chosen.item[i].dataset, q->chosen.item[i].number, err))
			return -1;
	return 0;
}

static int act_on_expiry(const struct request *q, struct expiry *e, struct err *err)
{
	if (expiry_allowed(e, err) || nothing_attached(q, e, err) || named_may_go(q, e, err))
		return -1;
	if (q->plan_out)
		return write_plan(q, e, err);
	if (q->dry_run)
		return 0;
	if (q->plan && take_plan(q, e, err))
		return -1;
	return expiry_act(e, err);
}

static int report_expiry(
    struct app *app, struct request *q, const struct expiry *e, const struct err *failure)
{
	bool acted = !failure && !only_looks(q);
	char show[256];
	int code = failure ? APP_FAILED : expire_report_exit(e);

	/* to look is allowed while nothing may go: the table says why */
	if (failure && q->dry_run && (*e->judged->frozen_by || e->judged->latched))
		code = APP_ATTENTION;
	if (app->json)
		return expire_report_json(e, acted, &q->chosen, failure, code);
	expire_report_text(e, acted, &q->chosen, app->quiet);
	if (failure)
		return app_flush(app_error(failure, code));
	if (q->plan_out && !app->quiet)
		out_wrapped(stdout, 0, 0,
		    text("the plan is written; an approver reads it and signs it: minisign -S -m '%s'"),
		    path_show(q->plan_out, show, sizeof(show)));
	return app_flush(code);
}

/* What came of it, for the record and for whom it may concern. */
static void summarize(const struct expiry *e, const struct err *failure, char line[SUMMARY_LINE])
{
	uint64_t expired = 0, bytes = 0;
	const struct err *why = NULL;
	char freed[OUT_BYTES], show[SUMMARY_LINE];

	if (failure) {
		summary_failure(failure, line);
		return;
	}
	for (size_t i = 0; i < e->n; i++) {
		expired += e->media[i].done.expired;
		bytes += e->media[i].done.bytes;
		if (!why && e->media[i].done.why.code[0])
			why = &e->media[i].done.why;
	}
	if (why)
		snprintf(line, SUMMARY_LINE, text("%ju copies expired, %s freed, 1 warning: %s"), expired,
		    out_bytes(bytes, freed), path_show(why->msg, show, sizeof(show)));
	else if (expired)
		snprintf(line, SUMMARY_LINE, text("%ju copies expired, %s freed"), expired,
		    out_bytes(bytes, freed));
	else
		snprintf(line, SUMMARY_LINE, "%s", text("nothing had to go"));
	width_whole(line);
	summary_cut(line, SUMMARY_CHARS);
}

static void on_leftover(void *arg, const struct reap_leftover *l)
{
	(void)arg;
	expire_report_leftover(l);
}

static int expire(
    struct app *app, struct request *q, const struct policy *policy, struct state *s, char line[SUMMARY_LINE])
{
	struct err err = ERR_INIT, told = ERR_INIT;
	struct expiry *e = NULL;
	int r, code = chosen_find(state_ledger(s), true, &q->chosen);

	if (code || q->chosen.code == APP_FAILED) {
		summary_failure(&q->chosen.why, line);
		return code ? code : APP_FAILED;
	}
	if ((!only_looks(q) && prepare(s, policy, &told, &err)) ||
	    expiry_open(s, policy, q->medium, q->chosen.n_asked ? is_wanted : NULL, &q->chosen, &e, &err)) {
		summary_failure(&err, line);
		return app_error(&err, APP_FAILED);
	}
	e->operator= q->operator;
	e->yes = q->yes;
	e->about = on_leftover;
	r = only_looks(q) ? 0 : ask_storage(e, &told, &err);
	/* the storage's clock may just have set the latch: it is asked again */
	e->judged->latched = ledger_latch(state_ledger(s))->found_ns != 0;
	if (told.code[0])
		app_error(&told, APP_ATTENTION);
	if (!r)
		r = act_on_expiry(q, e, &err);
	if (!only_looks(q))
		reserve_keep(s);
	code = report_expiry(app, q, e, r ? &err : NULL);
	summarize(e, r ? &err : NULL, line);
	expiry_free(e);
	if ((told.code[0] || q->chosen.code) && code == APP_OK)
		code = APP_ATTENTION;
	return code;
}

static int expire_and_tell(struct app *app, struct request *q, const struct policy *policy, struct state *s)
{
	char line[SUMMARY_LINE];
	struct outcome o = {.command = "expire", .line = line};

	o.code = expire(app, q, policy, s, line);
	return only_looks(q) ? o.code : outcome_tell(app, policy, s, &o);
}

static int check_request(struct app *app, const struct request *q, const struct policy *policy)
{
	char show[256];

	if (q->medium && !policy_find_medium(policy, q->medium))
		return app_unknown(app, policy_suggest_medium(policy, q->medium),
		    text("'%s' is not a medium of the policy"), path_show(q->medium, show, sizeof(show)));
	if (!q->plan != !q->signature)
		return app_usage(app, "%s", text("--plan and --signature belong together"));
	if (q->plan && only_looks(q))
		return app_usage(
		    app, "%s", text("--plan acts: it goes with neither --dry-run nor --plan-out"));
	return only_looks(q) ? APP_OK : operator_check(app, policy, q->operator);
}

/* A medium kept offline that is plugged in and mounted nowhere comes for this and goes again. */
static int expire_visiting(struct app *app, struct request *q, const struct policy *policy, struct state *s)
{
	const struct policy_medium *named =
	    q->medium && !q->dry_run ? policy_find_medium(policy, q->medium) : NULL;
	struct visit v = {.app = app};
	struct err err = ERR_INIT;
	char *path = NULL; /* expire_and_tell() finds it again */
	int code;

	if (named && visit_named_begin(&v, s, policy, named, &path, &err))
		code = outcome_record(app, s, "expire", app_error(&err, APP_FAILED), err.msg);
	else
		code = expire_and_tell(app, q, policy, s);
	free(path);
	return named && visit_named_end(&v, s, named, &err) ? app_error(&err, APP_FAILED) : code;
}

int cmd_expire(struct app *app, int argc, char **argv)
{
	enum { DRY_RUN = 1, MEDIUM, OPERATOR, PLAN_OUT, PLAN, SIGNATURE, YES };
	static const struct option own[] = {{"dry-run", no_argument, NULL, DRY_RUN},
	    {"medium", required_argument, NULL, MEDIUM}, {"operator", required_argument, NULL, OPERATOR},
	    {"plan-out", required_argument, NULL, PLAN_OUT}, {"plan", required_argument, NULL, PLAN},
	    {"signature", required_argument, NULL, SIGNATURE}, {"yes", no_argument, NULL, YES},
	    {NULL, 0, NULL, 0}};
	struct request q = {0};
	const char **into[] = {NULL, NULL, &q.medium, &q.operator, & q.plan_out, &q.plan, &q.signature};
	POLICY_AUTO policy = NULL;
	struct state *state = NULL;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == DRY_RUN)
			q.dry_run = true;
		else if (c == YES)
			q.yes = true;
		else
			*into[c] = optarg;
	}
	if (optind < argc && q.plan)
		return app_usage(app, "%s", text("--plan says what goes: name nothing beside it"));
	code = chosen_parse(argv + optind, (size_t)(argc - optind), true, &q.chosen);
	app_act(app, "expire", "operator", q.operator);
	if (!code)
		code = app_policy(app, &policy);
	if (!code)
		code = check_request(app, &q, policy);
	if (!code)
		code = app_state(app, policy, &state);
	if (!code)
		code = expire_visiting(app, &q, policy, state);
	state_close(state);
	chosen_free(&q.chosen);
	return code;
}
