/* forms: the table of all forms, and the rows of those that are asked for; see form.h.
 *
 * A new form is a row here, its columns, and a function that says which media or records are in it, or that fills in rows. */
#include "cmd/report/form/form.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/store/store.h"

#define OF(name) form_##name##_columns, sizeof(form_##name##_columns) / sizeof(*form_##name##_columns)

static const char *const parties[] = {TEXT_LATER("The hospital, date"), TEXT_LATER("The vendor, date"), NULL};
static const char *const confirmers[] = {
    TEXT_LATER("Carried out by"), TEXT_LATER("Witnessed by"), TEXT_LATER("Approved by"), NULL};

/* Quotes: /product's founding documents; not translated, and not one character another. */
static const struct form forms[] = {
    {"01", "selfcheck", TEXT_LATER("Self-check by the checklist"), true, FORM_WIDE, OF(selfcheck),
	"確認結果（日付と「はい」または「いいえ」のチェック）の記入", .refuses = form_checklist_refuses,
	.rows = form_selfcheck},
    {"02", "evidence", TEXT_LATER("Evidence for the inspection"), true, FORM_WIDE, OF(evidence), NULL,
	.refuses = form_checklist_refuses, .rows = form_evidence},
    {"03", "datasets", TEXT_LATER("Data sets"), true, FORM_WIDE, OF(datasets),
	"システムを使用しなくとも診療を継続するために必要なデータ・情報を洗い出します。",
	.rows = form_datasets},
    {"03a", "external", TEXT_LATER("Data that others back up"), false, FORM_WIDE, OF(external), NULL,
	.rows = form_external},
    {"04", "generations", TEXT_LATER("Generations, and dates without one"), true, FORM_WIDE, OF(generations),
	"複数世代（3世代以上が推奨）", .rows = form_generations},
    {"05", "rule", TEXT_LATER("Judgement of 3-2-1"), true, FORM_WIDE, OF(rule),
	"オリジナルの元データとは別に、常に2つ以上のバックアップを用意し、合計で3つ以上のデータを保持。／1 "
	"つのバックアップは、物理的に離れた場所に保管",
	.rows = form_rule},
    {"06", "media", TEXT_LATER("Ledger of media"), true, FORM_CARDS, medium_facts, MEDIUM_FACTS,
	"所在を台帳を用いる等して把握", .medium = form_media_any},
    {"06a", "allowed", TEXT_LATER("Media that may be connected"), true, FORM_WIDE, OF(allowed),
	"USBストレージ等の外部記録媒体や情報機器に対して接続を制限している。", .medium = form_media_allowed},
    {"07", "transfers", TEXT_LATER("Hand-over and carrying out of media"), true, FORM_WIDE, OF(transfers),
	"個人情報の記録媒体の管理（保管・授受等）の方法", .record = form_transfer},
    {"08", "disposals", TEXT_LATER("Disposal of media"), true, FORM_WIDE, OF(disposals), NULL,
	.record = form_disposal},
    {"09", "losses", TEXT_LATER("Loss of media"), true, FORM_WIDE, OF(losses), NULL, .record = form_loss},
    {"10", "procedures", TEXT_LATER("Recovery procedures"), true, FORM_WIDE, OF(procedures),
	"誰が、何を、どのように行うかを整備し、必ず復旧の手順書やチェックリストを作成して",
	.rows = form_procedures},
    {"11", "drills", TEXT_LATER("Drills and recoveries"), true, FORM_CARDS, OF(drills),
	"策定手順が適切に機能することを訓練等によって確認", .record = form_drill},
    {"11a", "pace", TEXT_LATER("Speed of restores, by medium"), true, FORM_TABLE, OF(pace), NULL,
	.rows = form_pace},
    {"12", "gates", TEXT_LATER("Confirmation before recovery"), true, FORM_WIDE, OF(gates),
	"攻撃者によって無効にされたセキュリティ機能を復旧する／同じ脆弱性や他の脆弱性を突かれて侵入されないよ"
	"う、脆弱性の特定と是正措置を行う／"
	"不正に作成されたり、盗まれたりしたID・PW等を使われないようにする",
	.signers = confirmers, .record = form_gates},
    {"13", "contacts", TEXT_LATER("Contacts in an emergency"), true, FORM_WIDE, OF(contacts),
	"連絡体制図の現物確認", .rows = form_contacts},
    {"13a", "wall", TEXT_LATER("Contacts in an emergency, for the wall"), true, FORM_WALL, OF(wall), NULL,
	.rows = form_contacts},
    {"14", "people", TEXT_LATER("Who may do what"), false, FORM_TABLE, OF(people),
	"管理者権限対象者の明確化を行っている", .rows = form_people},
    {"14a", "keys", TEXT_LATER("Register of keys"), false, FORM_WIDE, OF(keys), NULL, .record = form_key},
    {"15", "regulation", TEXT_LATER("Operating rules, chapter on backups"), true, FORM_TABLE, OF(regulation),
	"上記1-3のすべての項目について、具体的な実施方法を運用管理規程等に定めている。",
	.refuses = form_regulation_refuses, .rows = form_regulation},
    {"16", "bcp", TEXT_LATER("Table for the business continuity plan"), true, FORM_TABLE, OF(bcp),
	"生きたBCPとするためにも", .rows = form_bcp},
    {"17", "plan", TEXT_LATER("Plan of backups kept offline"), true, FORM_TABLE, OF(plan),
	"バックアップの目的、対象データ／バックアップ方法、取得媒体 等／オフラインバックアップ計画の合意",
	.signers = parties, .rows = form_plan},
    {"17a", "hearing", TEXT_LATER("What the vendor is asked"), true, FORM_TABLE, OF(hearing), NULL,
	.signers = parties, .rows = form_hearing},
    {"18", "month", TEXT_LATER("Report of the month"), true, FORM_TABLE, OF(month), NULL, .rows = form_month},
    {"19", "findings", TEXT_LATER("Findings, measures and follow-up"), false, FORM_CARDS, OF(findings), NULL,
	.rows = form_findings},
    {"20", "assets", TEXT_LATER("Register of equipment"), false, FORM_WIDE, OF(assets), NULL,
	.rows = form_assets},
};

const struct form *form_nth(size_t n)
{
	return n < sizeof(forms) / sizeof(*forms) ? &forms[n] : NULL;
}

const struct form *form_of(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (!strcmp(forms[i].name, name) || !strcmp(forms[i].number, name))
			return &forms[i];
	return NULL;
}

/* ---- rows ---- */

struct reading {
	const struct report *r;
	const struct form *const *forms;
	size_t n;
	json_t **rows;
};

/* Up to the record that the fold ends with: the foot names it. */
static int take_record(void *arg, const struct journal_record *o, struct err *err)
{
	const struct reading *k = arg;
	int failed = 0;

	if (o->seq > ledger_seq(k->r->l))
		return 0;
	for (size_t i = 0; i < k->n && !failed; i++) {
		json_t *some = k->forms[i]->record ? k->forms[i]->record(k->r, o) : NULL;

		failed = k->forms[i]->record && (!some || json_array_extend(k->rows[i], some));
		json_decref(some);
	}
	return failed ? err_nomem(err) : 0;
}

/* Each record is shown only after its signature has been checked. */
static int read_records(struct reading *k, struct err *err)
{
	STORE_FILE_AUTO journal = {0};
	struct ledger *again;

	if (segments_open(k->r->records, &journal, err) ||
	    ledger_load_file(&journal, JOURNAL_DIR, ledger_root(k->r->l), take_record, k, &again, err))
		return -1;
	ledger_free(again);
	return 0;
}

static int read_media(const struct report *r, const struct form *f, json_t *rows, struct err *err)
{
	for (size_t i = 0; i < ledger_media(r->l); i++)
		if (f->medium(r, ledger_medium(r->l, i)) &&
		    json_array_append_new(rows, medium_facts_json(r->l, ledger_medium(r->l, i))))
			return err_nomem(err);
	return 0;
}

static int fill_rows(struct reading *k, struct err *err)
{
	bool records = false;

	for (size_t i = 0; i < k->n; i++) {
		const struct form *f = k->forms[i];

		if (!(k->rows[i] = json_array()))
			return err_nomem(err);
		if ((f->medium && read_media(k->r, f, k->rows[i], err)) ||
		    (f->rows && f->rows(k->r, k->rows[i], err)))
			return -1;
		records = records || f->record;
	}
	return records ? read_records(k, err) : 0;
}

int form_rows(const struct report *r, const struct form *const *list, size_t n, json_t **ret)
{
	json_t *rows[FORM_MAX] = {NULL};
	struct reading k = {r, list, n, rows};
	struct err err = ERR_INIT;

	assert(n <= FORM_MAX);
	if (fill_rows(&k, &err)) {
		for (size_t i = 0; i < n; i++)
			json_decref(rows[i]);
		return app_error(&err, APP_UNKNOWN);
	}
	memcpy(ret, rows, n * sizeof(*rows));
	return APP_OK;
}

/* ---- for those who fill in rows ---- */

int form_row(json_t *rows, struct err *err, ...)
{
	json_t *row = json_object();
	bool failed = !row;
	const char *key, *value;
	va_list ap;

	va_start(ap, err);
	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		failed = failed || json_object_set_new(row, key, json_string(value ? value : ""));
	}
	va_end(ap);
	if (failed)
		json_decref(row);
	return failed || json_array_append_new(rows, row) ? err_nomem(err) : 0;
}

char *form_time(int64_t ns, char out[FORM_TIME])
{
	*out = '\0';
	return ns ? clock_format(ns, out) : out;
}

const char *form_dataset(const struct report *r, const char *name)
{
	const struct policy_dataset *d = policy_find_dataset(r->policy, name);

	return d && d->title ? d->title : name;
}

char *form_span(int64_t s, char out[FORM_TEXT])
{
	*out = '\0';
	return s ? policy_plan_duration(s, out) : out;
}

const char *form_verdict(int verdict)
{
	return verdict == COMPLIANCE_MET	 ? text("○ met")
	       : verdict == COMPLIANCE_ATTENTION ? text("△ attention")
						 : text("× not met");
}

void form_join(char *out, size_t size, const char *more)
{
	const size_t n = strlen(out);

	if (n + strlen(more) + 3 < size)
		snprintf(out + n, size - n, "%s%s", n ? ", " : "", more);
}
