/* procedure_html: see procedure_html.h.
 *
 * The page in the order in which it is written: page_head(), the document with its steps (sheet_body()), page_tail() with
 * the boxes for signatures.  What is HTML stands in page.html, in pieces by name.  The first failure is kept in the sheet;
 * then nothing of the page stays in `out`. */
#include "format/procedure/procedure_html.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/policy/policy_plan.h"
#include "format/procedure/procedure_html_private.h"
#include "format/procedure/procedure_private.h"

#define SHA_SHOWN  16 /* digits: enough to match a paper with a file */
#define LINE	   128
#define FILLED_MAX ((size_t)1 << 20)

static void fact_rows(struct sheet *s, const struct procedure_fact *facts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sheet_row(s, facts[i].label, facts[i].value);
}

static void plan_rows(struct sheet *s)
{
	const struct procedure *p = s->p;
	char line[LINE], duration[POLICY_PLAN_TEXT];

	if (p->id)
		sheet_row(s, text("Procedure"), p->id);
	if (p->version)
		sheet_row(s, text("Version"), p->version);
	if (p->dataset)
		sheet_row(s, text("Data set"), p->dataset);
	if (p->scenario)
		sheet_row(s, text("Scenario"), p->scenario);
	snprintf(line, sizeof(line), text("%zu steps, %u min"), p->n_steps, p->minutes);
	sheet_row(s, text("Plan"), line);
	if (s->page->n_facts)
		return; /* they say it with what was reached */
	if (p->rto_s)
		sheet_row(s, text("Recovered within (RTO)"), policy_plan_duration(p->rto_s, duration));
	if (p->rpo_s)
		sheet_row(s, text("Data not older than (RPO)"), policy_plan_duration(p->rpo_s, duration));
}

void sheet_template(struct sheet *s, const char *piece, const char *label, const char *template)
{
	BUF_AUTO filled = BUF_INIT(FILLED_MAX);

	if (s->r)
		return;
	s->r = procedure_fill(template, s->page->lookup, s->page->arg, true, &filled, s->err);
	if (!s->r)
		s->r = buf_terminate(&filled, s->err);
	if (!s->r)
		sheet_piece(s, piece, "TEXT", (const char *)filled.p, "LABEL", label ? label : "", NULL);
}

void sheet_mark(struct sheet *s, const char *piece, enum procedure_mark mark, const char *word)
{
	static const struct {
		const char *sign, *word;
	} marks[] = {
	    [PROCEDURE_MARK_NONE] = {"□", ""},
	    [PROCEDURE_MARK_PASSED] = {"○", TEXT_LATER("Passed")},
	    [PROCEDURE_MARK_LATE] = {"△", TEXT_LATER("Over time")},
	    [PROCEDURE_MARK_FAILED] = {"×", TEXT_LATER("Failed")},
	    [PROCEDURE_MARK_NOT_DONE] = {"—", TEXT_LATER("Not done")},
	    [PROCEDURE_MARK_SKIPPED] = {"／", TEXT_LATER("Skipped")},
	    [PROCEDURE_MARK_NOT_ASKED] = {"／", TEXT_LATER("Not asked")},
	    [PROCEDURE_MARK_PARTIAL] = {"△", TEXT_LATER("A sample: people were not asked")},
	};

	word = word ? word : *marks[mark].word ? text(marks[mark].word) : "";
	sheet_piece(s, piece, "SIGN", marks[mark].sign, "WORD", word, NULL);
}

/* On paper people fill in what a drill's record would say. */
static void empty_rows(struct sheet *s)
{
	sheet_row(s, text("Date"), "");
	sheet_row(s, text("Medium and generation"), "");
	sheet_row(s, text("Carried out by"), "");
}

static void contact_list(struct sheet *s)
{
	if (!s->p->n_contacts)
		return;
	sheet_piece(s, "contacts", "LABEL", text("Whom to call"), NULL);
	for (size_t i = 0; i < s->p->n_contacts; i++)
		sheet_piece(s, "contact", "TEXT", s->p->contacts[i], NULL);
	sheet_piece(s, "contacts end", NULL);
}

static void variable_table(struct sheet *s)
{
	if (!s->p->n_variables)
		return;
	sheet_piece(s, "values", "LABEL", text("Values"), NULL);
	for (size_t i = 0; i < s->p->n_variables; i++) {
		const struct procedure_variable *v = &s->p->variables[i];
		const char *value = s->page->lookup ? s->page->lookup(s->page->arg, v->name) : NULL;

		value = value ? value : v->value ? v->value : "________________";
		sheet_piece(s, "value", "LABEL", v->title ? v->title : v->name, "NAME", v->name, "VALUE",
		    value, NULL);
	}
	sheet_piece(s, "section end", NULL);
}

static bool is_record(const struct sheet *s)
{
	return s->page->stamps || s->page->verdict != PROCEDURE_MARK_NONE;
}

/* The foot tells which file a page of paper was printed from. */
static void page_head(struct sheet *s)
{
	const char *kind = s->page->kind  ? s->page->kind
			   : is_record(s) ? text("Recovery procedure: record of its execution")
					  : text("Recovery procedure");
	char hex[DIGEST_HEX];

	sheet_piece(s, "page", "LANG", text_lang() == TEXT_JA ? "ja" : "en", "TITLE", s->p->title, "FOOT",
	    s->p->id ? s->p->id : s->p->title, NULL);
	if (s->p->version)
		sheet_piece(s, "version", "LABEL", text("version"), "VERSION", s->p->version, NULL);
	digest_hex(s->p->sha256, DIGEST_LEN, hex);
	hex[SHA_SHOWN] = '\0';
	sheet_piece(s, "sum", "SHA256", hex, NULL);
	sheet_piece(s, "head", "KIND", kind, "TITLE", s->p->title, NULL);
	if (s->page->verdict != PROCEDURE_MARK_NONE)
		sheet_mark(s, "verdict", s->page->verdict, s->page->verdict_text);
	sheet_piece(s, "form", NULL);
	plan_rows(s);
	fact_rows(s, s->page->facts, s->page->n_facts);
	if (!is_record(s) && !s->page->n_facts)
		empty_rows(s);
	sheet_piece(s, "form end", NULL);
	contact_list(s);
	variable_table(s);
}

static void page_tail(struct sheet *s)
{
	if (s->page->n_signatures) {
		sheet_piece(s, "signatures", NULL);
		for (size_t i = 0; i < s->page->n_signatures; i++)
			sheet_piece(s, "signature", "TEXT", s->page->signatures[i], NULL);
		sheet_piece(s, "signatures end", NULL);
	}
	if (s->page->n_footer) {
		sheet_piece(s, "footer", NULL);
		fact_rows(s, s->page->footer, s->page->n_footer);
		sheet_piece(s, "form end", NULL);
	}
	sheet_end(s);
}

int procedure_html(
    const struct procedure *p, const struct procedure_page *page, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err, .p = p, .page = page};
	size_t before = out->n;

	page_head(&s);
	sheet_piece(&s, "document", NULL);
	sheet_body(&s);
	sheet_piece(&s, "document end", NULL);
	page_tail(&s);
	if (s.r)
		out->n = before;
	return s.r;
}
