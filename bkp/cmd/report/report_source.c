/* report_source: journal, policy and judgement that a report is made from: this host's, as they are now or were then; see report.h.
 *
 * How things stand is judged from records alone, so that the same moment gives the same paper on any day. */
#include "cmd/report/report.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "cmd/app/app.h"
#include "cmd/time/then.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"

struct report_source {
	struct report r;
	struct policy *today;
	struct ledger *own; /* of now */
	struct then then;   /* of a moment of the past */
	struct store records;
	struct compliance *standing;
};

static int open_now(struct app *app, struct report_source *s)
{
	struct clock_stamp now;
	int code = app_ledger(app, s->today, &s->own);

	clock_now(&now);
	s->r.policy = s->today;
	s->r.l = s->own;
	s->r.now_ns = now.wall_ns;
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

static int judge(struct report_source *s)
{
	struct err err = ERR_INIT;

	if (store_dir_open(s->today->state, &s->records, &err) ||
	    compliance_new(s->r.policy, s->r.l, NULL, s->r.now_ns, &s->standing, &err))
		return app_error(&err, APP_UNKNOWN);
	s->r.records = &s->records;
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
	code = app_policy(app, &s->today);
	if (!code)
		code = w->moment ? open_then(app, w->moment, s) : open_now(app, s);
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
	store_close(&s->records);
	then_close(&s->then);
	ledger_free(s->own);
	policy_free(s->today);
	free(s);
}
