/* cmd_agree: bkp agree: what is agreed of retention beside what the policy asks for; agreeing to less; approving a recovery procedure or the operating
 * rules.
 *
 * Two ways to agree: the root key is here (by_root_key()), or the statement was written, signed elsewhere and brought back
 * (by_statement()).  The statement is built again and compared: the file that was brought back is never believed. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/signed_file.h"
#include "cmd/import/import.h"
#include "cmd/report/report.h"
#include "cmd/show/summary.h"
#include "format/crypto/digest.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"
#include "format/procedure/procedure.h"
#include "read/file/secret_file.h"
#include "read/ledger/ledger.h"
#include "read/regulation/regulation.h"
#include "write/state/agreement.h"
#include "write/state/procedure_record.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define SHOW 256

struct request {
	const char *operator, * root_key, *statement_out, *statement, *signature, *procedure, *regulation;
};

/* ---- showing ---- */

struct figures {
	bool known;
	uint64_t of[6];
};

static const char *const figure_names[] = {TEXT_LATER("generations"), TEXT_LATER("protect"),
    TEXT_LATER("daily"), TEXT_LATER("weekly"), TEXT_LATER("monthly"), TEXT_LATER("yearly")};

static struct figures of_policy(const struct policy_dataset *d)
{
	struct figures f = {.known = d != NULL};

	if (d) {
		const uint64_t all[] = {d->generations, (uint64_t)d->protect_s, d->keep.daily, d->keep.weekly,
		    d->keep.monthly, d->keep.yearly};

		memcpy(f.of, all, sizeof(all));
	}
	return f;
}

static struct figures of_agreed(const struct ledger_agreed *a)
{
	struct figures f = {.known = a != NULL};

	if (a) {
		const uint64_t all[] = {
		    a->generations, a->protect_s, a->daily, a->weekly, a->monthly, a->yearly};

		memcpy(f.of, all, sizeof(all));
	}
	return f;
}

/* "5 / 3", "5" where they are equal; of the protection hours or days. */
static void figure_cell(struct table *t, const struct figures *agreed, const struct figures *policy, size_t i)
{
	const uint64_t hour = 3600, day = 24 * hour;
	const bool span = i == 1, days = span && !((agreed->known ? agreed->of[i] : 0) % day) &&
					 !((policy->known ? policy->of[i] : 0) % day);
	const uint64_t unit = !span ? 1 : days ? day : hour;
	const char *mark = !span ? "" : days ? "d" : "h";
	const struct figures *f[] = {agreed, policy};
	char cell[2][32];

	for (size_t k = 0; k < 2; k++)
		if (f[k]->known)
			snprintf(cell[k], sizeof(cell[k]), "%ju%s", (uintmax_t)(f[k]->of[i] / unit), mark);
		else
			snprintf(cell[k], sizeof(cell[k]), "-");
	if (!strcmp(cell[0], cell[1]))
		table_cell(t, "%s", cell[0]);
	else
		table_cell(t, "%s / %s", cell[0], cell[1]);
}

static void dataset_row(
    struct table *t, const char *name, const struct ledger *l, const struct policy *policy)
{
	const struct figures agreed = of_agreed(ledger_agreed(l, name)),
			     asked = of_policy(policy_find_dataset(policy, name));
	char show[SHOW];

	table_cell(t, "%s", path_show(name, show, sizeof(show)));
	for (size_t i = 0; i < 6; i++)
		figure_cell(t, &agreed, &asked, i);
}

static void print_people(const struct ledger *l, const struct policy *policy)
{
	const unsigned role = policy->expire_by ? 1u << (policy->expire_by - 1) : 0;

	for (size_t i = 0; i < ledger_approvers(l); i++) {
		const char *key = ledger_approver(l, i), *who = text("(not in the policy)");
		bool asked = false;

		for (size_t k = 0; k < policy->n_people; k++)
			if (policy->people[k].key && !strcmp(policy->people[k].key, key)) {
				who = policy->people[k].name;
				asked |= (policy->people[k].roles & role) != 0;
			}
		printf(text("an expiry is approved by: %s %s\n"), who, key);
		if (!asked)
			printf("  %s\n", text("the policy does not ask for this approver any more; it takes "
					      "the root key to "
					      "drop one"));
	}
}

static int print_agreement(const struct ledger *l, const struct policy *policy, const char *why)
{
	struct table *t = table_new(7);
	int code;

	if (!t)
		return APP_FAILED;
	table_cell(t, "%s", text("agreed / policy"));
	for (size_t i = 0; i < 6; i++)
		table_cell(t, "%s", text(figure_names[i]));
	for (size_t i = 0; i < policy->n_datasets; i++)
		dataset_row(t, policy->datasets[i].name, l, policy);
	for (size_t i = 0; i < ledger_agreements(l); i++)
		if (!policy_find_dataset(policy, ledger_agreement(l, i)->name))
			dataset_row(t, ledger_agreement(l, i)->name, l, policy);
	code = out_table(t, 0, APP_OK);
	print_people(l, policy);
	if (*why)
		printf(text("the policy asks for less than is agreed: %s; the larger figure holds until 'bkp "
			    "agree' is given "
			    "the root key\n"),
		    why);
	return code;
}

static json_t *figures_json(const struct figures *f)
{
	json_t *o = f->known ? json_object() : json_null();

	for (size_t i = 0; f->known && i < 6; i++)
		json_object_set_new(
		    o, i == 1 ? "protect_s" : figure_names[i], json_integer((json_int_t)f->of[i]));
	return o;
}

static json_t *row_json(const char *name, const struct ledger *l, const struct policy *policy)
{
	const struct figures agreed = of_agreed(ledger_agreed(l, name)),
			     asked = of_policy(policy_find_dataset(policy, name));

	return json_pack(
	    "{s:s, s:o, s:o}", "name", name, "agreed", figures_json(&agreed), "policy", figures_json(&asked));
}

static int json_agreement(const struct ledger *l, const struct policy *policy, const char *why)
{
	json_t *sets = json_array(), *keys = json_array();

	for (size_t i = 0; i < policy->n_datasets; i++)
		json_array_append_new(sets, row_json(policy->datasets[i].name, l, policy));
	for (size_t i = 0; i < ledger_agreements(l); i++)
		if (!policy_find_dataset(policy, ledger_agreement(l, i)->name))
			json_array_append_new(sets, row_json(ledger_agreement(l, i)->name, l, policy));
	for (size_t i = 0; i < ledger_approvers(l); i++)
		json_array_append_new(keys, json_string(ledger_approver(l, i)));
	return out_json(json_pack("{s:o, s:o, s:s*}", "datasets", sets, "approvers", keys,
			    "policy_asks_for_less", *why ? why : NULL),
	    APP_OK);
}

static int show_agreement(struct app *app, const struct policy *policy)
{
	struct ledger *l = NULL;
	enum agreement_differs differs;
	struct err err = ERR_INIT;
	char why[LEDGER_WHY] = "";
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	if (agreement_compare(l, policy, &differs, why, &err))
		code = app_error(&err, APP_FAILED);
	else if (app->json)
		code = json_agreement(l, policy, differs == AGREEMENT_LESS ? why : "");
	else
		code = print_agreement(l, policy, differs == AGREEMENT_LESS ? why : "");
	ledger_free(l);
	return app_flush(code);
}

/* ---- agreeing ---- */

static int by_root_key(struct state *s, const struct policy *policy, const char *file, struct err *err)
{
	struct minisig_secret *root = NULL;
	int r;

	if (secret_file_read(file, &root, err))
		return -1;
	r = agreement_sign(s, policy, root, err);
	secret_file_forget(root);
	return r;
}

static int by_statement(
    struct state *s, const struct policy *policy, const struct request *q, struct err *err)
{
	BUF_AUTO given = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO want = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);

	if (signed_file_read(q->statement, &given, err) || signed_file_read(q->signature, &sig, err) ||
	    agreement_statement(state_ledger(s), policy, &want, err))
		return -1;
	if (given.n != want.n || memcmp(given.p, want.p, want.n) != 0) {
		err_set(err, "E-AGREE-02",
		    text("'%s' is not what this policy asks for now, or something was agreed since"),
		    q->statement);
		return err_hint(err, "%s",
		    text("make it anew with 'bkp agree --statement-out FILE' and let that be signed"));
	}
	return agreement_record(s, policy, sig.p, sig.n, err);
}

static int write_statement(
    const struct ledger *l, const struct policy *policy, const char *file, struct err *err)
{
	BUF_AUTO b = BUF_INIT(APPROVAL_TEXT_MAX);

	return agreement_statement(l, policy, &b, err) || signed_file_write(file, &b, err) ? -1 : 0;
}

static int agree(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE], show[256];
	int r, code = app_state(app, policy, &s);

	if (code)
		return code;
	if (q->statement_out)
		r = write_statement(state_ledger(s), policy, q->statement_out, &err);
	else
		r = q->root_key ? by_root_key(s, policy, q->root_key, &err)
				: by_statement(s, policy, q, &err);
	if (r)
		code = app_error(&err, APP_FAILED);
	if (!q->statement_out)
		code = outcome_record(app, s, "agree", code,
		    r ? summary_failure(&err, line) : text("what the policy asks for is agreed"));
	if (!code && !app->quiet && !app->json && q->statement_out)
		printf(text("the statement is written; sign it with the root key: minisign -S -s ROOTKEY -m "
			    "'%s'\n"),
		    path_show(q->statement_out, show, sizeof(show)));
	else if (!code && !app->quiet && !app->json)
		printf("%s\n", text("what the policy asks for is agreed"));
	state_close(s);
	return app_flush(code);
}

/* ---- a recovery procedure ---- */

static int refuse(struct err *err, const char *msg, const char *hint)
{
	err_set(err, "E-AGREE-04", "%s", msg);
	return err_hint(err, "%s", hint);
}

/* A manager, where the policy has one. */
static int check_approver(const struct policy *policy, const char *name, struct err *err)
{
	const struct policy_person *p = policy_find_person(policy, name);
	unsigned roles = 0;

	for (size_t i = 0; i < policy->n_people; i++)
		roles |= policy->people[i].roles;
	return !(roles & POLICY_MANAGER) || (p && p->roles & POLICY_MANAGER)
		   ? 0
		   : refuse(err,
			 text("a recovery procedure, and the operating rules, are approved by a manager"),
			 text("name one of the people with the role 'manager'"));
}

/* Who signed it, if there is a signature beside it: the one who approves it. */
static int take_signer(const struct policy *policy, const struct request *q, const char *file,
    const struct buf *bytes, const char **ret, struct err *err)
{
	if (import_signer(policy, file, bytes, ret, err))
		return -1;
	return !*ret || !strcmp(*ret, q->operator)
		   ? 0
		   : refuse(err, text("the signature beside the file is that of another person"),
			 text("the one who signed it approves it (--operator)"));
}

static int approve(struct state *s, const struct policy *policy, const struct request *q, struct err *err)
{
	BUF_AUTO bytes = BUF_INIT(PROCEDURE_BYTES_MAX);
	const char *slash = strrchr(q->procedure, '/'), *signer;
	uint8_t sha256[DIGEST_LEN];
	char hex[DIGEST_HEX], show[SHOW];

	if (check_approver(policy, q->operator, err) || procedure_record(s, policy, err) ||
	    signed_file_read(q->procedure, &bytes, err) ||
	    take_signer(policy, q, q->procedure, &bytes, &signer, err))
		return -1;
	digest_sha256(bytes.p, bytes.n, sha256);
	if (!ledger_procedure_is(state_ledger(s), digest_hex(sha256, DIGEST_LEN, hex)))
		return refuse(err,
		    text("the file is none of the procedures in force, or another text of one"),
		    text("approve the file that 'procedures' of the policy names, as it stands"));
	return reserve_append(s, "procedure-approved",
	    json_pack("{s:s, s:s, s:s, s:s?}", "name",
		path_show(slash ? slash + 1 : q->procedure, show, sizeof(show)), "sha256", hex, "operator",
		q->operator, "signed_by", signer),
	    err);
}

/* ---- the operating rules ---- */

/* Is the file what would be printed now, in the language that is set?  0 (*ret), -1. */
static int is_printed(const struct report *r, const struct buf *file, bool *ret, struct err *err)
{
	const struct form *f = form_of("regulation");
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	json_t *rows = json_array();
	int failed = rows ? f->rows(r, rows, err) || report_csv(f, rows, &b, err) : err_nomem(err);

	*ret = !failed && b.n == file->n && !memcmp(b.p, file->p, b.n);
	json_decref(rows);
	return failed ? -1 : 0;
}

/* What is approved is the text, not the file: its clauses go into the record, to be compared with those of a later day. */
static int approve_rules(
    struct state *s, const struct policy *policy, const struct request *q, struct err *err)
{
	const struct report r = {.policy = policy, .l = state_ledger(s)};
	const enum text_lang lang = text_lang();
	BUF_AUTO bytes = BUF_INIT(REPORT_MAX);
	json_t *clauses = json_array();
	uint8_t sha256[DIGEST_LEN];
	char hex[DIGEST_HEX];
	const char *signer;
	bool same = false;
	int failed = check_approver(policy, q->operator, err) || form_regulation_refuses(&r, err) ||
		     signed_file_read(q->regulation, &bytes, err) ||
		     take_signer(policy, q, q->regulation, &bytes, &signer, err);

	for (enum text_lang k = TEXT_EN; k <= TEXT_JA && !failed && !same; k++) {
		text_set_lang(k);
		failed = is_printed(&r, &bytes, &same, err) ||
			 (same && regulation_write(policy, r.l, false, clauses, err));
	}
	digest_sha256(bytes.p, bytes.n, sha256);
	if (!failed && same)
		failed = reserve_append(s, "regulation-approved",
		    json_pack("{s:s, s:s, s:O, s:s, s:s?}", "sha256", digest_hex(sha256, DIGEST_LEN, hex),
			"lang", text_lang() == TEXT_JA ? "ja" : "en", "clauses", clauses, "operator",
			q->operator, "signed_by", signer),
		    err);
	text_set_lang(lang);
	json_decref(clauses);
	return failed ? -1
	       : same ? 0
		      : refuse(err, text("the file is not the operating rules as they are printed now"),
			    text("make it anew with 'bkp report regulation --csv --out FILE', and read it"));
}

static int approve_file(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	const char *done;
	int r, code = app_state(app, policy, &s);

	if (code)
		return code;
	r = q->procedure ? approve(s, policy, q, &err) : approve_rules(s, policy, q, &err);
	done = q->procedure ? text("the recovery procedure is approved")
			    : text("the operating rules are approved");
	if (r)
		code = app_error(&err, APP_FAILED);
	code = outcome_record(app, s, "agree", code, r ? summary_failure(&err, line) : done);
	if (!code && !app->quiet && !app->json)
		printf("%s\n", done);
	state_close(s);
	return app_flush(code);
}

static int check_request(struct app *app, const struct policy *policy, const struct request *q)
{
	if (!q->statement != !q->signature)
		return app_usage(app, "%s", text("--statement and --signature belong together"));
	if (!!q->root_key + !!q->statement_out + !!q->statement + !!q->procedure + !!q->regulation > 1)
		return app_usage(app, "%s",
		    text("one of --root-key, --statement-out, --statement, --procedure and --regulation at a "
			 "time"));
	return q->statement_out ? APP_OK : operator_check(app, policy, q->operator);
}

int cmd_agree(struct app *app, int argc, char **argv)
{
	enum { OPERATOR = 1, ROOT_KEY, STATEMENT_OUT, STATEMENT, SIGNATURE, PROCEDURE, REGULATION };
	static const struct option own[] = {{"operator", required_argument, NULL, OPERATOR},
	    {"root-key", required_argument, NULL, ROOT_KEY},
	    {"statement-out", required_argument, NULL, STATEMENT_OUT},
	    {"statement", required_argument, NULL, STATEMENT},
	    {"signature", required_argument, NULL, SIGNATURE},
	    {"procedure", required_argument, NULL, PROCEDURE},
	    {"regulation", required_argument, NULL, REGULATION}, {NULL, 0, NULL, 0}};
	struct request q = {0};
	const char **into[] = {NULL, &q.operator, & q.root_key, &q.statement_out, &q.statement, &q.signature,
	    &q.procedure, &q.regulation};
	POLICY_AUTO policy = NULL;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		*into[c] = optarg;
	}
	if (optind < argc)
		return app_usage(app, text("'%s' is not understood here"), argv[optind]);
	code = app_policy(app, &policy);
	if (code)
		return code;
	if (!q.root_key && !q.statement_out && !q.statement && !q.signature && !q.procedure && !q.regulation)
		return show_agreement(app, policy);
	app_act(app, "agree", "manager", q.operator);
	code = check_request(app, policy, &q);
	if (code)
		return code;
	return q.procedure || q.regulation ? approve_file(app, policy, &q) : agree(app, policy, &q);
}
