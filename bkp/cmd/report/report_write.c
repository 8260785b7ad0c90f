/* report_write: a form as a page for A4 or as a table for a spreadsheet; the foot of every form; see report.h. */
#include "cmd/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/show/csv.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define SUM_SHOWN 16 /* digits of a SHA-256 in the foot */
#define LINE	  256
#define DAY_CHARS 10 /* of "2026-12-16" */

/* "2026-12-16 to 2026-12-24": each of the two as people write it on paper, in one format with the times beside it. */
static const char *days_text(const char *s, char out[LINE])
{
	const size_t n = strlen(s);
	char first[CLOCK_TEXT], a[CLOCK_DATE], b[CLOCK_DATE];
	int64_t from, to;

	snprintf(first, sizeof(first), "%.10s", s);
	if (n < 2 * DAY_CHARS || clock_parse_day(first, &from) || clock_parse_day(s + n - DAY_CHARS, &to))
		return s;
	snprintf(out, LINE, "%s%.*s%s", clock_format_day(from, a), (int)(n - 2 * DAY_CHARS), s + DAY_CHARS,
	    clock_format_day(to, b));
	return out;
}

char *report_text(const struct fact_column *c, const json_t *row, bool csv, char out[REPORT_CELL])
{
	const char *s = journal_text(row, c->key);
	char date[CLOCK_DATE], days[LINE];
	int64_t ns;

	if ((c->kind == FACT_DAY || c->kind == FACT_DAYS) && !csv)
		s = !clock_parse_day(s, &ns) ? clock_format_day(ns, date) : days_text(s, days);
	else if (c->kind == FACT_TIME && !clock_parse(s, &ns))
		s = csv ? clock_format_local(ns, date) : clock_format_date(ns, date);
	return path_show(s, out, REPORT_CELL);
}

/* ---- the foot ---- */

json_t *report_foot_json(const struct report *r)
{
	char head[DIGEST_HEX], date[CLOCK_TEXT];

	return json_pack("{s:s, s:s, s:s, s:{s:I, s:s}}", "site", r->policy->site_name, "date",
	    clock_format(r->now_ns, date), "policy_sha256", ledger_policy_sha256(r->l), "journal", "record",
	    (json_int_t)ledger_seq(r->l), "sha256", digest_hex(ledger_head(r->l), DIGEST_LEN, head));
}

char *report_foot(const struct report *r, char out[REPORT_FOOT])
{
	char head[DIGEST_HEX], date[CLOCK_DATE];

	snprintf(out, REPORT_FOOT,
	    text("%s · as of %s · policy SHA-256 %.*s… · journal record %ju, SHA-256 %.*s…"),
	    r->policy->site_name, clock_format_day(r->now_ns, date), SUM_SHOWN, ledger_policy_sha256(r->l),
	    (uintmax_t)ledger_seq(r->l), SUM_SHOWN, digest_hex(ledger_head(r->l), DIGEST_LEN, head));
	return out;
}

/* ---- JSON ---- */

static json_t *columns_json(const struct form *f)
{
	static const char *const kinds[] = {"text", "date", "time", "text"};
	json_t *list = json_array();

	for (size_t k = 0; k < f->n; k++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "key", f->columns[k].key, "head",
						text(f->columns[k].head), "kind", kinds[f->columns[k].kind]));
	return list;
}

json_t *report_json(const struct report *r, const struct form *f, json_t *rows)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:O, s:o}", "report", f->name, "number", f->number, "title",
	    text(f->title), "columns", columns_json(f), "rows", rows, "foot", report_foot_json(r));
}

/* ---- CSV ---- */

static void put_csv(const struct form *f, const json_t *rows, FILE *to)
{
	char cell[REPORT_CELL];

	fputs(CSV_BOM, to);
	for (size_t k = 0; k < f->n; k++)
		csv_cell(to, text(f->columns[k].head), k + 1 == f->n);
	for (size_t i = 0; i < json_array_size(rows); i++)
		for (size_t k = 0; k < f->n; k++)
			csv_cell(to, report_text(&f->columns[k], json_array_get(rows, i), true, cell),
			    k + 1 == f->n);
}

int report_csv(const struct form *f, const json_t *rows, struct buf *out, struct err *err)
{
	char *table = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&table, &n);
	int r;

	if (to)
		put_csv(f, rows, to);
	r = !to || ferror(to) || fflush(to) ? err_nomem(err) : 0;
	if (to)
		fclose(to);
	r = r ? r : buf_append(out, table, n, err);
	free(table);
	return r;
}

/* ---- HTML ---- */

static bool is_wanted(const char *key, const char *const *keys, size_t n)
{
	for (size_t i = 0; keys && i < n && keys[i]; i++)
		if (!strcmp(keys[i], key))
			return true;
	return !keys;
}

void report_table(
    struct sheet *s, const struct form *f, const json_t *rows, const char *const *keys, size_t n_keys)
{
	char cell[REPORT_CELL];

	sheet_piece(s, "list", NULL);
	for (size_t k = 0; k < f->n; k++)
		if (is_wanted(f->columns[k].key, keys, n_keys))
			sheet_piece(s, "list head", "TEXT", text(f->columns[k].head), NULL);
	sheet_piece(s, "list rows", NULL);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		sheet_piece(s, "list row", NULL);
		for (size_t k = 0; k < f->n; k++)
			if (is_wanted(f->columns[k].key, keys, n_keys))
				sheet_piece(s, f->columns[k].kind == FACT_TEXT ? "list cell" : "list date",
				    "TEXT", report_text(&f->columns[k], json_array_get(rows, i), false, cell),
				    NULL);
		sheet_piece(s, "list row end", NULL);
	}
	sheet_piece(s, "list end", NULL);
}

/* The first column is its heading, the others stand in pairs. */
static void put_card(struct sheet *s, const struct form *f, const json_t *row)
{
	char a[REPORT_CELL], b[REPORT_CELL];

	sheet_piece(s, "card", "LABEL", report_text(&f->columns[0], row, false, a), NULL);
	for (size_t k = 1; k < f->n; k += 2) {
		const struct fact_column *c = &f->columns[k], *d = k + 1 < f->n ? c + 1 : NULL;

		sheet_piece(s, "pair", "LABEL", text(c->head), "TEXT", report_text(c, row, false, a),
		    "LABEL2", d ? text(d->head) : "", "TEXT2", d ? report_text(d, row, false, b) : "", NULL);
	}
	sheet_piece(s, "section end", NULL);
}

static void put_signatures(struct sheet *s, const struct form *f)
{
	static const char *const usual[] = {
	    TEXT_LATER("Made by, date"), TEXT_LATER("Checked by, date"), TEXT_LATER("Manager, date"), NULL};

	sheet_piece(s, "signatures", NULL);
	for (const char *const *who = f->signers ? f->signers : usual; *who; who++)
		sheet_piece(s, "signature", "TEXT", text(*who), NULL);
	sheet_piece(s, "signatures end", NULL);
}

int report_html(
    const struct report *r, const struct form *f, const json_t *rows, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err};
	char foot[REPORT_FOOT], line[LINE];

	s.shape = f->shape == FORM_WIDE ? "wide" : f->shape == FORM_WALL ? "wall" : "tall";
	snprintf(line, sizeof(line), "%s %s", f->number, text(f->title));
	sheet_begin(&s, r->policy->site_name, line, report_foot(r, foot));
	if (f->quote)
		sheet_piece(&s, "quote", "TEXT", f->quote, NULL);
	snprintf(line, sizeof(line), text("Entries: %zu. An empty box: not on record (未記入)."),
	    json_array_size(rows));
	sheet_piece(&s, "note", "TEXT", line, NULL);
	if (f->shape == FORM_CARDS)
		for (size_t i = 0; i < json_array_size(rows); i++)
			put_card(&s, f, json_array_get(rows, i));
	else
		report_table(&s, f, rows, NULL, 0);
	put_signatures(&s, f);
	sheet_end(&s);
	return s.r;
}
