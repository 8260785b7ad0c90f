/* then: see then.h. */
#include "cmd/time/then.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/crypto/digest.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "write/state/policy_record.h"

static bool is_todays(const struct app *app, const char *sha256)
{
	uint8_t hash[DIGEST_LEN];
	char hex[DIGEST_HEX];

	digest_sha256(app->policy_text.p, app->policy_text.n, hash);
	return !strcmp(digest_hex(hash, sizeof(hash), hex), sha256);
}

/* Its text is read from the folder that today's policy names: there is one journal, and it stands there. */
static int read_policy(
    const struct policy *today, const char *sha256, struct policy **ret, struct err *ret_why)
{
	IO_FD_AUTO dir = open(today->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	BUF_AUTO text_of = BUF_INIT(POLICY_BYTES_MAX);
	int r = *sha256 ? policy_record_read(dir, sha256, &text_of, ret_why) : POLICY_RECORD_ABSENT;

	if (r == POLICY_RECORD_ABSENT)
		return err_set(ret_why, "W-STATUS-01", "%s",
		    *sha256 ? text("the policy in force then is not in the state folder any more")
			    : text("no policy was on record yet"));
	return r ? -1 : policy_parse(sha256, (const char *)text_of.p, text_of.n, ret, NULL, ret_why);
}

static void take_policy(const struct app *app, const struct policy *today, struct then *t)
{
	const char *sha256 = ledger_policy_sha256(t->ledger);
	struct err why = ERR_INIT;

	t->policy = today;
	if (is_todays(app, sha256))
		return;
	if (!read_policy(today, sha256, &t->own, &why))
		t->policy = t->own;
	else
		t->why = why;
}

static int refuse(const struct then *t, int64_t now_ns, struct err *err)
{
	char at[CLOCK_TEXT], first[CLOCK_TEXT];

	clock_format_local(t->at_ns, at);
	if (t->at_ns > now_ns && t->at_ns > t->where.newest_ns) {
		err_set(err, "E-STATUS-02", text("'%s' is yet to come: nothing is on record of it"), at);
		return err_hint(
		    err, "%s", text("'bkp status --forecast' says what lapses until then if nobody acts"));
	}
	if (t->where.seq)
		return 0;
	err_set(err, "E-STATUS-01", text("the journal begins at %s: nothing is known of '%s'"),
	    clock_format_local(t->where.ns, first), at);
	return err_hint(
	    err, "%s", text("give a moment behind its first record, as 'bkp status --at 2026-11-20'"));
}

static int parse_moment(const struct app *app, const char *moment, int64_t *ret_ns)
{
	if (!clock_parse_moment(moment, ret_ns))
		return APP_OK;
	return app_usage(app,
	    text("'%s' is no moment: --at takes 2026-11-20 (its end), '2026-11-20 14:00', or "
		 "2026-11-20T14:00:00+09:00"),
	    moment);
}

int then_open(const struct app *app, const struct policy *today, const char *moment, struct then *ret)
{
	struct then t = {.why = ERR_INIT};
	struct err err = ERR_INIT;
	struct clock_stamp now;

	if (parse_moment(app, moment, &t.at_ns))
		return APP_USAGE;
	clock_now(&now);
	now.wall_ns -= now.wall_ns % SECOND_NS;
	/* the end of today is as of now */
	if (strlen(moment) == 10 && t.at_ns > now.wall_ns && t.at_ns - now.wall_ns < 86400 * SECOND_NS)
		t.at_ns = now.wall_ns;
	if (app_ledger_then(today, t.at_ns, &t.where, &t.ledger, &err))
		return app_error(&err, APP_UNKNOWN);
	if (refuse(&t, now.wall_ns, &err)) {
		ledger_free(t.ledger);
		return app_error(&err, t.where.seq ? APP_USAGE : APP_UNKNOWN);
	}
	take_policy(app, today, &t);
	*ret = t;
	return APP_OK;
}

/* ---- from a medium ---- */

/* It is what the journal says, or nothing of it is used. */
static int read_medium_policy(const struct store *repository, struct then *t, struct err *err)
{
	const char *sha256 = ledger_policy_sha256(t->ledger);
	BUF_AUTO text_of = BUF_INIT(POLICY_BYTES_MAX);
	uint8_t hash[DIGEST_LEN];
	char path[DIGEST_HEX + 16], hex[DIGEST_HEX];
	int r;

	snprintf(path, sizeof(path), "policy/%s.yaml", sha256);
	r = *sha256 ? store_read(repository, path, &text_of, err) : STORE_ABSENT;
	if (r == STORE_ABSENT) {
		err_set(err, "E-REPORT-03", "%s",
		    text("the text of the policy that was in force then is not on the medium"));
		return err_hint(err, "%s",
		    text("take a medium that was written to later; or make it on the host, which keeps all "
			 "of them"));
	}
	if (r)
		return -1;
	digest_sha256(text_of.p, text_of.n, hash);
	if (strcmp(digest_hex(hash, sizeof(hash), hex), sha256) != 0) {
		err_set(err, "E-RECORD-01", text("'%s' is not the policy that was recorded"), path);
		return err_hint(
		    err, "%s", text("somebody changed it, or the disk is failing; nothing is judged by it"));
	}
	if (policy_parse(path, (const char *)text_of.p, text_of.n, &t->own, NULL, err))
		return -1;
	t->policy = t->own;
	return 0;
}

static void warn_short(const struct then *t)
{
	struct err said = ERR_INIT;
	char newest[CLOCK_TEXT];

	if (t->where.newest_ns >= t->at_ns)
		return;
	err_set(&said, "W-REPORT-04", text("the journal on the medium ends at %s, with record %ju"),
	    clock_format_local(t->where.newest_ns, newest), (uintmax_t)t->where.journal_n);
	err_hint(&said, "%s",
	    text("what was recorded behind it is not in this paper; another medium may know more"));
	app_fault(&said, stderr);
}

int then_open_medium(const struct app *app, const struct store *repository, const struct minisig_public *root,
    const char *moment, struct then *ret)
{
	struct then t = {.why = ERR_INIT, .at_ns = INT64_MAX};
	struct err err = ERR_INIT;

	if (moment && parse_moment(app, moment, &t.at_ns))
		return APP_USAGE;
	if (ledger_then(repository, root, t.at_ns, &t.where, &t.ledger, &err))
		return app_error(&err, APP_FAILED);
	if (!moment)
		t.at_ns = t.where.newest_ns;
	if (refuse(&t, t.at_ns, &err) || read_medium_policy(repository, &t, &err)) {
		then_close(&t);
		return app_error(&err, APP_FAILED);
	}
	warn_short(&t);
	*ret = t;
	return APP_OK;
}

void then_close(struct then *t)
{
	ledger_free(t->ledger);
	policy_free(t->own);
}

void then_show(const struct then *t)
{
	char at[CLOCK_TEXT], record[CLOCK_TEXT];

	out_wrapped(stdout, 0, 2,
	    text("as of %s: up to record %ju of %ju (%s); no medium was looked at, what is recorded counts"),
	    clock_format_local(t->at_ns, at), (uintmax_t)t->where.seq, (uintmax_t)t->where.journal_n,
	    clock_format_local(t->where.ns, record));
	if (t->where.later || t->where.earlier)
		out_wrapped(stdout, 0, 2,
		    text("! the clock was wrong at times: of the records counted %ju are dated later, of "
			 "those "
			 "behind them %ju earlier"),
		    (uintmax_t)t->where.later, (uintmax_t)t->where.earlier);
	if (t->why.code[0])
		out_wrapped(stdout, 0, 2, "%s", text("! JUDGED BY TODAY'S POLICY, not by the one of then"));
}

void then_warn(const struct then *t)
{
	struct err said = ERR_INIT;

	then_without_holidays(t->policy);
	if (!t->why.code[0])
		return;
	err_set(&said, "W-STATUS-01", text("judged by today's policy: %s"), t->why.msg);
	err_hint(&said, "%s",
	    text("the text of the policy of then belongs into 'policies' of the state folder, under its "
		 "SHA-256; "
		 "a copy of it can be put back there"));
	app_fault(&said, stderr);
}

void then_without_holidays(const struct policy *p)
{
	struct err said = ERR_INIT;

	if (!p->holidays_path || !p->n_pools)
		return;
	err_set(&said, "W-STATUS-03", "%s",
	    text("closed days are on no record: turns of media are judged here as if every day were open"));
	err_hint(&said, "%s",
	    text("a turn that falls on a closed day is shown on that day; 'bkp status' of now knows the "
		 "list"));
	app_fault(&said, stderr);
}

void then_forget_holidays(struct policy *p)
{
	holidays_free(p->holidays);
	free(p->holidays_fault);
	p->holidays = NULL;
	p->holidays_fault = NULL;
}

json_t *then_json(const struct then *t)
{
	char at[CLOCK_TEXT], record[CLOCK_TEXT];

	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:s, s:s*, s:s}", "time", clock_format(t->at_ns, at),
	    "record", (json_int_t)t->where.seq, "record_time", clock_format(t->where.ns, record),
	    "journal_records", (json_int_t)t->where.journal_n, "dated_later", (json_int_t)t->where.later,
	    "dated_earlier", (json_int_t)t->where.earlier, "policy",
	    t->why.code[0] ? "today's" : "as of then", "why", t->why.code[0] ? t->why.msg : NULL,
	    "policy_sha256", ledger_policy_sha256(t->ledger));
}
