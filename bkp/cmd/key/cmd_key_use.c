/* cmd_key_use: bkp key use: who used a recovery key, and what for.
 *
 * The host has no part in a use: it happens wherever the key and a medium are, and bkp-restore leaves a slip (使用記録) there.  A person
 * brings it here.  What a slip says is proved only where the person who used the key has signed it, with a minisign key that the policy
 * names; else it is declared (申告).  A signature that is wrong is no declaration: it is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/key/cmd_key.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/crypto/digest.h"
#include "format/crypto/minisig.h"
#include "format/journal/approval.h"
#include "format/journal/use_slip.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define SHOW 256

/* ---- the list ---- */

static void use_row(struct table *t, const struct ledger_use *u)
{
	const json_t *o = u->record;
	const char *signer = json_string_value(json_object_get(o, "signed_by")),
		   *person = journal_text(json_object_get(o, "person"), "name");
	char time[CLOCK_TEXT];

	table_cell(t, "%s", clock_format_local(u->at_ns, time));
	table_cell(t, "%s", journal_text(o, "operator"));
	table_cell(t, "%s", *person ? person : "?");
	table_cell(t, "%s", journal_text(o, "command"));
	table_cell(t, "%s", journal_text(o, "what"));
	table_cell(t, "%s@%s", journal_text(o, "label"), journal_text(o, "host"));
	if (json_is_integer(json_object_get(o, "exit")))
		table_cell(t, "%d", (int)json_integer_value(json_object_get(o, "exit")));
	else
		table_cell(t, "?");
	table_cell(t, "%s", signer ? signer : text("declared only"));
}

static int list_text(const struct ledger *l, bool all)
{
	static const char *const heads[] = {TEXT_LATER("TIME"), TEXT_LATER("OPERATOR"), TEXT_LATER("KEY OF"),
	    TEXT_LATER("COMMAND"), TEXT_LATER("WHAT"), TEXT_LATER("MEDIUM@HOST"), TEXT_LATER("EXIT"),
	    TEXT_LATER("SIGNED BY")};
	size_t declared, n;
	int64_t since;
	char time[CLOCK_TEXT];
	struct table *t;

	n = ledger_uses_new(l, &declared, &since);
	if (since)
		printf(text("since the sign-off of %s: "), clock_format_local(since, time));
	printf(text("%zu uses of recovery keys, %zu of them declared only\n"), n, declared);
	if (!(all ? ledger_uses(l) : n))
		return app_flush(APP_OK);
	t = table_headed(heads, 8);
	for (size_t i = 0; t && i < ledger_uses(l); i++)
		if (all || !ledger_use(l, i)->reviewed)
			use_row(t, ledger_use(l, i));
	return out_table(t, 0, APP_OK);
}

static json_t *use_json(const struct ledger_use *u)
{
	json_t *o = json_copy((json_t *)u->record);

	if (!o || json_object_set_new(o, "declared", json_boolean(u->declared)) ||
	    json_object_set_new(o, "reviewed", json_boolean(u->reviewed))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int list_json(const struct ledger *l, bool all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_uses(l); i++)
		if (all || !ledger_use(l, i)->reviewed)
			json_array_append_new(list, use_json(ledger_use(l, i)));
	return out_json(json_pack("{s:o, s:o}", "unreviewed", overview_uses_json(l), "uses", list), APP_OK);
}

static int list_uses(struct app *app, const struct policy *policy, bool all)
{
	struct ledger *l = NULL;
	int code = app_ledger(app, policy, &l);

	if (!code)
		code = app->json ? list_json(l, all) : list_text(l, all);
	ledger_free(l);
	return code;
}

/* ---- taking over ---- */

struct import {
	const struct app *app;
	const struct policy *policy;
	struct state *s;
	size_t taken;
	bool look; /* a person should */
};

/* Who of the policy has signed it; *ret NULL: there is no signature. */
static int find_signer(
    const struct policy *policy, const char *file, const struct buf *slip, const char **ret, struct err *err)
{
	struct minisig_public *keys = calloc(policy->n_people + 1, sizeof(*keys));
	const char **names = calloc(policy->n_people + 1, sizeof(*names));
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	char *path = NULL;
	size_t n = 0, which = 0;
	int r = 0;

	*ret = NULL;
	if (!keys || !names || asprintf(&path, "%s.minisig", file) < 0)
		r = err_nomem(err);
	for (size_t i = 0; !r && i < policy->n_people; i++)
		if (policy->people[i].key && !minisig_public_parse(policy->people[i].key, &keys[n], NULL))
			names[n++] = policy->people[i].name;
	if (!r && !access(path, F_OK)) {
		r = signed_file_read(path, &sig, err);
		if (!r &&
		    approval_verify(keys, n, slip->p, slip->n, (const char *)sig.p, sig.n, &which, NULL))
			r = err_set_kind(err, ERR_FORGED, "E-USE-04", "%s",
			    text("its signature is not that of a person of the policy"));
		if (r)
			err_hint(err, "%s",
			    text(
				"the signer's key must stand in the policy (people, public_key); if it does, "
				"keep the file as it is and ask who brought it"));
		else
			*ret = names[which];
	}
	free(keys);
	free(names);
	free(path);
	return r;
}

static const struct ledger_use *use_of(const struct ledger *l, const char *id)
{
	for (size_t i = 0; i < ledger_uses(l); i++)
		if (!strcmp(journal_text(ledger_use(l, i)->record, "id"), id))
			return ledger_use(l, i);
	return NULL;
}

/* 1: it is on record already. */
static int check_slip(
    const struct import *m, const char *repository, const json_t *o, const char *sha256, struct err *err)
{
	const struct ledger_use *there = use_of(state_ledger(m->s), journal_text(o, "id"));

	if (strcmp(repository, state_repository(m->s)) != 0)
		return err_set_kind(
		    err, ERR_FOREIGN, "E-USE-02", text("it is of another repository, %s"), repository);
	if (!there)
		return 0;
	if (strcmp(journal_text(there->record, "slip_sha256"), sha256) != 0)
		return err_set_kind(err, ERR_CONTRADICTION, "E-USE-03", "%s",
		    text("this use is on record, and its slip said something else then"));
	return 1;
}

/* A generation that a holder opened somewhere, and that is not the one that was captured here. */
static void warn_drill(struct import *m, const json_t *drill)
{
	const json_t *opened = json_object_get(drill, "opened");
	const json_int_t failed = json_integer_value(json_object_get(drill, "failed_total"));
	struct err err = ERR_INIT;

	if (failed)
		err_set(&err, "W-USE-02", text("key drill: %jd archives or generations did not open"),
		    (intmax_t)failed);
	for (size_t i = 0; !failed && i < json_array_size(opened); i++) {
		const json_t *o = json_array_get(opened, i);
		uint64_t number = (uint64_t)json_integer_value(json_object_get(o, "generation"));
		const struct ledger_generation *g =
		    ledger_generation_of(state_ledger(m->s), journal_text(o, "dataset"), number);
		char label[GENERATION_LABEL];

		if (!g || strcmp(g->manifest_sha256, journal_text(o, "manifest_sha256")) != 0)
			err_set(&err, "W-USE-02",
			    text("key drill: %s, which was opened, is not the one that was captured here"),
			    generation_label(journal_text(o, "dataset"), number, label));
	}
	if (!err.code[0])
		return;
	err_hint(&err, "%s",
	    text("keep that medium as it is, and look at this computer: who has it may encrypt to a key of "
		 "his own"));
	m->look = true;
	app_error(&err, APP_ATTENTION);
}

static int record_use(
    struct import *m, const char *file, json_t *o, const char *sha256, const char *signer, struct err *err)
{
	char show[SHOW];

	if (json_object_set_new(o, "slip_sha256", json_string(sha256)) ||
	    json_object_set_new(o, "signed_by", signer ? json_string(signer) : json_null()))
		return err_nomem(err);
	if (reserve_append(m->s, "use", json_incref(o), err))
		return -1;
	m->taken++;
	if (!m->app->quiet && !m->app->json)
		printf(text("%s: %s %s by %s, %s\n"), path_show(file, show, sizeof(show)),
		    journal_text(o, "command"), journal_text(o, "what"), journal_text(o, "operator"),
		    signer ? text("signed") : text("declared only"));
	warn_drill(m, json_object_get(o, "drill"));
	return 0;
}

static int import_one(struct import *m, const char *file, struct err *err)
{
	BUF_AUTO slip = BUF_INIT(USE_SLIP_MAX);
	char repository[JOURNAL_UUID], hex[DIGEST_HEX], show[SHOW];
	uint8_t sha256[DIGEST_LEN];
	const char *signer;
	json_t *o = NULL;
	int r = signed_file_read(file, &slip, err);

	if (r && err->kind == ERR_LARGE)
		snprintf(err->code, sizeof(err->code), "E-USE-01");
	if (!r)
		r = use_slip_parse(slip.p, slip.n, repository, &o, err);
	if (r)
		return -1;
	digest_sha256(slip.p, slip.n, sha256);
	digest_hex(sha256, DIGEST_LEN, hex);
	r = check_slip(m, repository, o, hex, err);
	if (r == 1 && !m->app->quiet && !m->app->json)
		printf(text("%s: it is on record already\n"), path_show(file, show, sizeof(show)));
	if (!r)
		r = find_signer(m->policy, file, &slip, &signer, err) ||
			    record_use(m, file, o, hex, signer, err)
			? -1
			: 0;
	json_decref(o);
	return r < 0 ? -1 : 0;
}

/* One that is refused keeps none of the others back. */
static int import_all(struct app *app, const struct policy *policy, const struct key_request *q)
{
	struct import m = {.app = app, .policy = policy};
	struct err err = ERR_INIT, first = ERR_INIT;
	char line[SUMMARY_LINE], show[SHOW];
	int code;

	if (!q->n)
		return app_usage(app, "%s", text("'key use --import' needs the slips: FILE..."));
	app_act(app, "key use", "manager", q->operator);
	code = app_state(app, policy, &m.s);
	if (code)
		return code;
	for (int i = 0; i < q->n; i++) {
		err = (struct err)ERR_INIT;
		if (!import_one(&m, q->words[i], &err))
			continue;
		err_wrap(&err, "'%s'", path_show(q->words[i], show, sizeof(show)));
		code = app_error(&err, APP_FAILED);
		if (!first.code[0])
			first = err;
	}
	if (!code && m.look)
		code = APP_ATTENTION;
	snprintf(line, sizeof(line), text("uses of recovery keys taken over: %zu"), m.taken);
	code =
	    outcome_record(app, m.s, "key use", code, first.code[0] ? summary_failure(&first, line) : line);
	state_close(m.s);
	return app_flush(code);
}

/* ---- the sign-off ---- */

static int review(struct app *app, const struct policy *policy, const struct key_request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	size_t n, declared;
	int64_t since;
	int code;

	app_act(app, "key use", "manager", q->operator);
	code = operator_check(app, policy, q->operator);
	if (code || (code = app_state(app, policy, &s)))
		return code;
	n = ledger_uses_new(state_ledger(s), &declared, &since);
	if (reserve_append(s, "uses-reviewed",
		json_pack("{s:I, s:I, s:s}", "uses", (json_int_t)n, "declared", (json_int_t)declared,
		    "operator", q->operator),
		&err))
		code = app_error(&err, APP_FAILED);
	snprintf(line, sizeof(line),
	    text("%zu uses of recovery keys were looked at, %zu of them declared only"), n, declared);
	code = outcome_record(app, s, "key use", code, code ? summary_failure(&err, line) : line);
	if (!code && !app->quiet && !app->json)
		puts(line);
	state_close(s);
	return app_flush(code);
}

int cmd_key_use(struct app *app, const struct policy *policy, const struct key_request *q)
{
	const bool import = q->given & KEY_IMPORT, reviewed = q->given & KEY_REVIEWED;

	if ((import && (reviewed || q->given & KEY_ALL)) || (reviewed && q->given & KEY_ALL) ||
	    (!import && q->n) || (q->operator&& !import && !reviewed))
		return app_usage(app, "%s",
		    text("one of: key use [--all], key use --import FILE..., key use --reviewed --operator "
			 "NAME"));
	return import	  ? import_all(app, policy, q)
	       : reviewed ? review(app, policy, q)
			  : list_uses(app, policy, q->given & KEY_ALL);
}
