/* report_source: journal, policy and judgement that a report is made from: this host's, as they are now or were then,
 * or those of a medium alone; see report.h.
 *
 * How things stand is judged from records alone, so that the same moment gives the same paper on any day. */
#include "cmd/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/root_key.h"
#include "cmd/time/then.h"
#include "format/crypto/digest.h"
#include "format/crypto/minisig.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/vault_r.h"

struct report_source {
	struct report r;
	struct policy *today;
	struct ledger *own; /* of now */
	struct then then;   /* of a moment of the past */
	struct store records;
	struct compliance *standing;
	struct vault_r *vault; /* of a medium */
};

/* The foot names the policy that is on record: the text that is here may be younger. */
static void warn_edited(const struct app *app, const struct ledger *l)
{
	struct err said = ERR_INIT;
	uint8_t hash[DIGEST_LEN];
	char hex[DIGEST_HEX];

	digest_sha256(app->policy_text.p, app->policy_text.n, hash);
	if (!strcmp(digest_hex(hash, sizeof(hash), hex), ledger_policy_sha256(l)))
		return;
	err_set(&said, "W-REPORT-05", "%s",
	    text("the policy was edited since it was recorded: the paper is by its text, the foot names the "
		 "former one"));
	err_hint(&said, "%s", text("'bkp run' records it; then make the paper anew"));
	app_fault(&said, stderr);
}

static int open_now(struct app *app, struct report_source *s)
{
	struct clock_stamp now;
	int code = app_ledger(app, s->today, &s->own);

	clock_now(&now);
	s->r.policy = s->today;
	s->r.l = s->own;
	s->r.now_ns = now.wall_ns - now.wall_ns % SECOND_NS;
	if (!code)
		warn_edited(app, s->own);
	then_without_holidays(s->today);
	return code;
}

/* Of a day in the past: from the journal as of then, by the policy of then. */
static int open_then(const struct app *app, const char *moment, struct report_source *s)
{
	int code = then_open(app, s->today, moment, &s->then);

	if (code)
		return code;
	then_warn(&s->then);
	s->r.policy = s->then.policy;
	s->r.l = s->then.ledger;
	s->r.now_ns = s->then.at_ns;
	return APP_OK;
}

/* From a medium alone: what is not on it is not known. */
static int open_medium(const struct app *app, const struct report_wish *w, struct report_source *s)
{
	struct minisig_public root;
	char key[MINISIG_KEY_TEXT];
	struct err err = ERR_INIT;
	int code;

	if (!w->root_key)
		return app_usage(app, "%s", text("--medium wants --root-key: the public key, from paper"));
	if (root_key_read(w->root_key, &root, &err))
		return app_error(&err, APP_USAGE);
	if (vault_r_open(w->medium, NULL, minisig_public_format(&root, key), &s->vault, &err))
		return app_error(&err, APP_FAILED);
	s->r.records = vault_r_store(s->vault);
	code = then_open_medium(app, s->r.records, &root, w->moment, &s->then);
	s->r.policy = s->then.policy;
	s->r.l = s->then.ledger;
	s->r.now_ns = s->then.at_ns;
	if (!code && !app->lang_given)
		text_set_lang(s->r.policy->lang);
	if (!code)
		then_without_holidays(s->r.policy);
	return code;
}

static int open_host(struct app *app, const struct report_wish *w, struct report_source *s)
{
	struct err err = ERR_INIT;
	int code = app_policy(app, &s->today);

	if (code)
		return code;
	then_forget_holidays(s->today);
	if (store_dir_open(s->today->state, &s->records, &err))
		return app_error(&err, APP_UNKNOWN);
	s->r.records = &s->records;
	return w->moment ? open_then(app, w->moment, s) : open_now(app, s);
}

static int judge(struct report_source *s)
{
	struct err err = ERR_INIT;

	if (compliance_new(s->r.policy, s->r.l, NULL, s->r.now_ns, &s->standing, &err))
		return app_error(&err, APP_UNKNOWN);
	s->r.standing = s->standing;
	return APP_OK;
}

int report_open(struct app *app, const struct report_wish *w, struct report_source **ret)
{
	struct report_source *s = calloc(1, sizeof(*s));
	struct err err = ERR_INIT;
	int code;

	if (!s)
		return app_error((err_nomem(&err), &err), APP_FAILED);
	code = w->medium ? open_medium(app, w, s) : open_host(app, w, s);
	if (!code)
		code = judge(s);
	if (code)
		report_close(s);
	else
		*ret = s;
	return code;
}

const struct report *report_of(const struct report_source *s)
{
	return &s->r;
}

void report_close(struct report_source *s)
{
	compliance_free(s->standing);
	vault_r_close(s->vault);
	store_close(&s->records);
	then_close(&s->then);
	ledger_free(s->own);
	policy_free(s->today);
	free(s);
}
