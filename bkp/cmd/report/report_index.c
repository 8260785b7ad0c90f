/* report_index: the first page of a pack (目次): what is in it and how it is checked; of a clinic's pack all three pages; see report.h. */
#include "cmd/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define LINE 512

static void put_files(struct sheet *s, const struct report_index *x)
{
	static const char *const heads[] = {
	    TEXT_LATER("No."), TEXT_LATER("Form"), TEXT_LATER("File"), TEXT_LATER("SHA-256")};

	sheet_piece(s, "files", NULL);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		sheet_piece(s, "list head", "TEXT", text(heads[i]), NULL);
	sheet_piece(s, "list rows", NULL);
	for (size_t i = 0; i < x->n_files; i++) {
		const struct report_pack_file *f = &x->files[i];

		sheet_piece(s, "list row", NULL);
		sheet_piece(s, "list cell", "TEXT", f->form->number, NULL);
		sheet_piece(s, "list cell", "TEXT", text(f->form->title), NULL);
		sheet_piece(s, "list cell", "TEXT", f->name, NULL);
		sheet_piece(s, "list sum", "TEXT", f->sha256, NULL);
		sheet_piece(s, "list row end", NULL);
	}
	sheet_piece(s, "list end", NULL);
}

/* Which record, which policy, which root key: in full, to be compared with what the auditor has. */
static void put_facts(struct sheet *s, const struct report *r, const struct report_index *x)
{
	char line[LINE], day[CLOCK_DATE], head[DIGEST_HEX], key[MINISIG_KEY_TEXT];
	const struct policy_person *p = x->signer ? policy_find_person(r->policy, x->signer) : NULL;

	sheet_piece(s, "form", NULL);
	sheet_row(s, text("As of"), clock_format_date(r->now_ns, day));
	snprintf(line, sizeof(line), text("record %ju, SHA-256 %s"), (uintmax_t)ledger_seq(r->l),
	    digest_hex(ledger_head(r->l), DIGEST_LEN, head));
	sheet_row(s, text("Journal"), line);
	sheet_row(s, text("Policy, SHA-256"), ledger_policy_sha256(r->l));
	sheet_row(s, text("Repository"), ledger_repository(r->l));
	sheet_row(s, text("Root public key"), minisig_public_format(ledger_root(r->l), key));
	if (x->signer) {
		sheet_row(s, text("To be signed by"), x->signer);
		sheet_row(s, text("Key that they sign with"), p && p->key ? p->key : "");
	}
	sheet_piece(s, "form end", NULL);
}

static void put_signatures(struct sheet *s, const struct report_index *x)
{
	sheet_piece(s, "signatures", NULL);
	sheet_piece(s, "signature", "TEXT", text("Made by, date"), NULL);
	sheet_piece(s, "signature", "TEXT", text("Checked by, date"), NULL);
	sheet_piece(s, "signature", "TEXT", x->signer ? x->signer : text("Manager, date"), NULL);
	sheet_piece(s, "signatures end", NULL);
}

/* ---- a clinic's three pages ---- */

enum { KEYS = 8 };

/* What of a form is on one of them; more of it is in its CSV. */
static const struct part {
	unsigned page;
	const char *form;
	size_t most; /* rows, the last ones */
	bool gaps;   /* those without a generation alone */
	const char *keys[KEYS];
} parts[] = {
    {1, "procedures", 4, false, {"title", "version", "drilled", "verdict", "state"}},
    {1, "drills", 3, false, {"ended", "kind", "verdict", "generations", "rto", "rpo", "erased"}},
    {2, "month", 20, false, {"item", "figure", "verdict", "note"}},
    {2, "rule", 6, false, {"dataset", "three", "two", "one", "newest", "offline", "verdict"}},
    {2, "bcp", 6, false, {"dataset", "made", "restored", "rto", "took"}},
    {3, "datasets", 6, false, {"dataset", "location", "priority", "rpo", "rto", "every", "generations"}},
    {3, "generations", 8, true, {"dataset", "date", "state", "note"}},
    {3, "media", 6, false, {"name", "state", "technology", "serial", "place", "custodian", "newest"}},
    {3, "people", 6, false, {"name", "roles", "dual"}},
    {3, "contacts", 9, false, {"kind", "name", "person", "tel", "hours", "confirmed"}},
};

static int by_date(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(journal_text(*x, "date"), journal_text(*y, "date"));
}

/* The last of them that are wanted, of gaps the newest of all data sets; *ret_left: how many are not shown.  NULL: out of memory. */
static json_t *chosen_rows(const struct part *part, const json_t *rows, size_t *ret_left)
{
	json_t *some = json_array(), **all = calloc(json_array_size(rows) + 1, sizeof(json_t *));
	size_t n = 0, i;
	json_t *row;

	if (!some || !all) {
		json_decref(some);
		free(all);
		return NULL;
	}
	json_array_foreach((json_t *)rows, i, row)
	{
		if (!part->gaps || !*journal_text(row, "generation"))
			all[n++] = row;
	}
	if (part->gaps)
		qsort(all, n, sizeof(*all), by_date);
	*ret_left = n > part->most ? n - part->most : 0;
	for (i = *ret_left; i < n; i++)
		json_array_append(some, all[i]);
	free(all);
	return some;
}

static void put_part(struct sheet *s, const struct report_index *x, const struct part *part)
{
	const struct form *f = form_of(part->form);
	char line[LINE];
	json_t *rows;
	size_t left, i = 0;

	while (x->forms[i] != f)
		i++;
	rows = chosen_rows(part, x->rows[i], &left);
	if (!rows) {
		s->r = s->r ? s->r : err_nomem(s->err);
		return;
	}
	snprintf(line, sizeof(line), "%s %s", f->number, text(f->title));
	sheet_piece(s, "part", "TEXT", line, NULL);
	report_table(s, f, rows, part->keys, KEYS);
	snprintf(
	    line, sizeof(line), text("entries that are in %s_%s.csv alone: %zu"), f->number, f->name, left);
	if (left)
		sheet_piece(s, "note", "TEXT", line, NULL);
	json_decref(rows);
}

static void put_clinic(struct sheet *s, const struct report_index *x)
{
	unsigned page = 1;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].page != page)
			sheet_piece(s, "again", NULL);
		page = parts[i].page;
		put_part(s, x, &parts[i]);
	}
}

int report_index_html(const struct report *r, const struct report_index *x, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err, .shape = x->clinic ? "small" : NULL};
	char foot[REPORT_FOOT];

	sheet_begin(&s, r->policy->site_name, text("00 Contents"), report_foot(r, foot));
	put_facts(&s, r, x);
	put_files(&s, x);
	sheet_piece(&s, "note", "TEXT",
	    text("Each file is listed in SHA256SUMS; docs/ja/audit.md says how all of it is checked with "
		 "stock tools."),
	    NULL);
	if (x->clinic)
		put_clinic(&s, x);
	put_signatures(&s, x);
	sheet_end(&s);
	return s.r;
}
