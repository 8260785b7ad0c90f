/* cmd_clock: bkp clock show | attest: has the clock jumped; a person says that it is right. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/show/summary.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"
#include "read/file/secret_file.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

struct request {
	const char *operator, * reason, *root_key, *statement_out, *signature;
};

static int show_clock(struct app *app, const struct policy *policy)
{
	const struct ledger_latch *latch;
	struct ledger *l = NULL;
	char found[CLOCK_TEXT], span[48];
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	latch = ledger_latch(l);
	code = latch->found_ns ? APP_ATTENTION : APP_OK;
	if (app->json) {
		code = out_json(latch->found_ns ? json_pack("{s:b, s:s, s:I, s:s}", "latched", 1, "found",
						      clock_format(latch->found_ns, found), "seconds",
						      (json_int_t)latch->seconds, "source", latch->source)
						: json_pack("{s:b}", "latched", 0),
		    code);
	} else if (latch->found_ns) {
		printf(text("the clock jumped forward by %s; it said %s then; nothing expires until it is "
			    "attested: 'bkp clock attest --operator NAME --reason TEXT'\n"),
		    compliance_span(latch->seconds, span, sizeof(span)),
		    clock_format_local(latch->found_ns, found));
	} else if (!app->quiet) {
		printf("%s\n", text("the clock has not jumped forward, or was attested since"));
	}
	ledger_free(l);
	return app_flush(code);
}

/* ---- attesting ---- */

static int statement_of(const struct ledger *l, const struct request *q, struct buf *out, struct err *err)
{
	const struct approval_record jump = ledger_latch_at(l);

	return approval_clock(ledger_repository(l), &jump, q->operator, q->reason, out, err);
}

static int sign_here(const struct buf *statement, const char *file, struct buf *sig, struct err *err)
{
	struct minisig_secret *key = NULL;
	int r;

	if (secret_file_read(file, &key, err))
		return -1;
	r = minisig_sign(key, statement->p, statement->n, "bkp clock attest", sig, err);
	secret_file_forget(key);
	return r;
}

/* The journal would refuse it as well, in words for an auditor. */
static int check_signature(
    const struct ledger *l, const struct buf *statement, const struct buf *sig, struct err *err)
{
	struct minisig_public keys[65];
	size_t n = 0, which;

	keys[n++] = *ledger_root(l);
	for (size_t i = 0; i < ledger_approvers(l) && n < 65; i++)
		if (!minisig_public_parse(ledger_approver(l, i), &keys[n], NULL))
			n++;
	if (!sig->n) {
		err_set(err, "E-CLOCK-02", "%s",
		    text("it is agreed that somebody approves, so the attestation must be signed"));
		return err_hint(err, "%s",
		    text("write the statement with --statement-out FILE, let an approver sign it with "
			 "minisign, then run the command again with --signature FILE.minisig"));
	}
	if (approval_verify(keys, n, statement->p, statement->n, (const char *)sig->p, sig->n, &which, err))
		return err_hint(err, "%s",
		    text("sign what --statement-out writes, with the same --operator and --reason"));
	return 0;
}

static int record_attestation(
    struct state *s, const struct request *q, const struct buf *sig, struct err *err)
{
	json_t *o = json_pack("{s:s, s:s}", "operator", q->operator, "reason", q->reason);

	if (o && sig->n && json_object_set_new(o, "approval", json_stringn((const char *)sig->p, sig->n))) {
		json_decref(o);
		return err_set(err, "E-SIG-01", "%s", text("the signature is not UTF-8"));
	}
	return reserve_append(s, "clock-attested", o, err);
}

static int attest(struct state *s, const struct request *q, struct err *err)
{
	BUF_AUTO statement = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	const struct ledger *l = state_ledger(s);

	if (!ledger_latch(l)->found_ns) {
		err_set(err, "E-CLOCK-01", "%s",
		    text("the clock has not jumped forward: there is nothing to attest"));
		return err_hint(err, "%s", text("see 'bkp clock show'"));
	}
	if (statement_of(l, q, &statement, err))
		return -1;
	if (q->statement_out)
		return signed_file_write(q->statement_out, &statement, err);
	if ((q->root_key && sign_here(&statement, q->root_key, &sig, err)) ||
	    (q->signature && signed_file_read(q->signature, &sig, err)) ||
	    ((ledger_approvers(l) || sig.n) && check_signature(l, &statement, &sig, err)))
		return -1;
	return record_attestation(s, q, &sig, err);
}

static int check_request(struct app *app, const struct policy *policy, const struct request *q)
{
	int code;

	if (!!q->root_key + !!q->statement_out + !!q->signature > 1)
		return app_usage(
		    app, "%s", text("one of --root-key, --statement-out and --signature at a time"));
	code = operator_check(app, policy, q->operator);
	if (code)
		return code;
	if (!q->reason)
		return app_usage(
		    app, "%s", text("say how you know that the clock is right with --reason TEXT"));
	return operator_text(app, "--reason", q->reason);
}

static int attest_with(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE], show[256];
	int r, code;

	app_act(app, "clock attest", "operator", q->operator);
	code = check_request(app, policy, q);
	if (code || (code = app_state(app, policy, &s)))
		return code;
	r = attest(s, q, &err);
	if (r)
		code = app_error(&err, APP_FAILED);
	if (!q->statement_out)
		code = outcome_record(app, s, "clock attest", code,
		    r ? summary_failure(&err, line) : text("the clock is attested"));
	if (!code && !app->quiet && !app->json && q->statement_out)
		printf(text("the statement is written; an approver signs it: minisign -S -m '%s'\n"),
		    path_show(q->statement_out, show, sizeof(show)));
	else if (!code && !app->quiet && !app->json)
		printf("%s\n", text("recorded: the clock is right"));
	state_close(s);
	return app_flush(code);
}

int cmd_clock(struct app *app, int argc, char **argv)
{
	enum { OPERATOR = 1, REASON, ROOT_KEY, STATEMENT_OUT, SIGNATURE };
	static const struct option own[] = {{"operator", required_argument, NULL, OPERATOR},
	    {"reason", required_argument, NULL, REASON}, {"root-key", required_argument, NULL, ROOT_KEY},
	    {"statement-out", required_argument, NULL, STATEMENT_OUT},

	    {"signature", required_argument, NULL, SIGNATURE}, {NULL, 0, NULL, 0}};
	struct request q = {0};
	const char **into[] = {NULL, &q.operator, & q.reason, &q.root_key, &q.statement_out, &q.signature};
	POLICY_AUTO policy = NULL;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		*into[c] = optarg;
	}
	if (argc - optind != 1 || (strcmp(argv[optind], "show") != 0 && strcmp(argv[optind], "attest") != 0))
		return app_usage(app, "%s", text("say 'show' or 'attest'"));
	code = app_policy(app, &policy);
	if (code)
		return code;
	return !strcmp(argv[optind], "show") ? show_clock(app, policy) : attest_with(app, policy, &q);
}
